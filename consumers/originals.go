package consumers

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// Originals is the warehouse's way back to the stream: it reads messages again by their sequence, and tells the applied
// watermark.
type Originals struct {
	*Applied
	js      jetstream.JetStream
	decoder Decoder
	actors  ActorTrust
}

// NewOriginals makes the warehouse's way back to the stream; the stream and the decoder must be given.
func NewOriginals(js jetstream.JetStream, decoder Decoder, actors ActorTrust) *Originals {
	return &Originals{Applied: NewApplied(js), js: js, decoder: decoder, actors: actors}
}

// Deliveries gives the accepted events of the sequences. One that the stream does not hold any more, or that the present
// rules would refuse, is left out. An error has the code unavailable.
func (o *Originals) Deliveries(ctx context.Context, sequences []uint64) ([]warehouse.Delivery, error) {
	stream, err := o.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return nil, streamUnread(err)
	}
	deliveries := make([]warehouse.Delivery, 0, len(sequences))
	for _, sequence := range sequences {
		stored, err := stream.GetMsg(ctx, sequence)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return nil, streamUnread(err)
		}
		if delivery, letter := decode(o.decoder, o.actors, record{stored.Subject, stored.Header, stored.Data, stored.Sequence, stored.Time}, new(schemas.Event)); letter == nil {
			deliveries = append(deliveries, delivery)
		}
	}
	return deliveries, nil
}

func streamUnread(err error) error {
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "messages of the stream " + schemas.StreamName + " cannot be read again",
		Hint: "check that NATS runs", Err: err,
	}
}
