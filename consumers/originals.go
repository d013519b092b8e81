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
	past    *Past
}

// NewOriginals makes the warehouse's way back to the stream; the stream and the decoder must be given.
func NewOriginals(js jetstream.JetStream, decoder Decoder, actors ActorTrust) *Originals {
	return &Originals{Applied: NewApplied(js), js: js, decoder: decoder, actors: actors, past: NewPast("")}
}

// WithPast has messages that the stream does not hold any more come from the archive.
func (o *Originals) WithPast(past *Past) *Originals {
	o.past = past
	return o
}

// Deliveries gives the accepted events of the sequences. One that neither the stream nor the archive holds, or that the
// present rules would refuse, is left out. An error has the code unavailable, or conflict when the archive was altered.
func (o *Originals) Deliveries(ctx context.Context, sequences []uint64) ([]warehouse.Delivery, error) {
	stream, err := o.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return nil, streamUnread(err)
	}
	deliveries := make([]warehouse.Delivery, 0, len(sequences))
	for _, sequence := range sequences {
		one, err := o.record(ctx, stream, sequence)
		if err != nil {
			return nil, err
		}
		if one == nil {
			continue
		}
		if delivery, letter := decode(o.decoder, o.actors, *one, new(schemas.Event)); letter == nil {
			deliveries = append(deliveries, delivery)
		}
	}
	return deliveries, nil
}

// record gives a message from where it is, or nil.
func (o *Originals) record(ctx context.Context, stream jetstream.Stream, sequence uint64) (*record, error) {
	stored, err := stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		m, err := o.past.Message(ctx, sequence)
		if m == nil || err != nil {
			return nil, err
		}
		archived := archivedRecord(m)
		return &archived, nil
	}
	if err != nil {
		return nil, streamUnread(err)
	}
	return &record{stored.Subject, stored.Header, stored.Data, stored.Sequence, stored.Time}, nil
}

func streamUnread(err error) error {
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "messages of the stream " + schemas.StreamName + " cannot be read again",
		Hint: "check that NATS runs", Err: err,
	}
}
