package consumers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// PositionStream keeps one message: how far the warehouse has come with the stream of events, and which process carries
// on from there.
const PositionStream = "MILEPOST_POSITION"

const positionSubject = "milepost.position.warehouse"

// position says that everything up to a sequence is durably in the warehouse or the dead letters, and who carries what
// follows. It is written after the batches below it, by one process at a time: each write names the one that it follows,
// and fails when another came between. So it never says more than is true, and one that was thought dead and is not
// changes nothing.
//
// It is no acknowledgement of a consumer of the stream. Acknowledging message by message costs the stream and this
// process as much as all else that they do for a message; and to acknowledge a message with all before it is not safe on
// a consumer that outlives its process: after a crash the stream sends new messages before those that were under way, and
// acknowledging the new ones would cover the hole.
type position struct {
	Sequence uint64 `json:"sequence"`
	// RecordedAt is when the stream took the message of that sequence: it tells a stream from another that was put in its
	// place.
	RecordedAt time.Time `json:"recorded_at,omitzero"`
	// Holder is who carries on, empty when nobody does.
	Holder string `json:"holder,omitempty"`

	revision uint64 // of the record; 0 as long as there is none
}

// errMoved says that another process wrote the position.
var errMoved = errors.New("another process carries the events now")

// positions reads and writes the record. It is safe for concurrent use.
type positions struct {
	js jetstream.JetStream

	mu     sync.Mutex
	stream jetstream.Stream
}

// handle gives the stream of the record; it is nil when there is none yet.
func (p *positions) handle(ctx context.Context) (jetstream.Stream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stream != nil {
		return p.stream, nil
	}
	stream, err := p.js.Stream(ctx, PositionStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p.stream = stream
	return stream, nil
}

func (p *positions) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stream = nil
}

// read gives the record as its leader has it; the zero one when there is none.
func (p *positions) read(ctx context.Context) (position, error) {
	stream, err := p.handle(ctx)
	if err != nil || stream == nil {
		return position{}, err
	}
	message, err := stream.GetLastMsgForSubject(ctx, positionSubject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return position{}, nil
	case err != nil:
		p.forget() // it may be another one by now
		return position{}, err
	}
	at := position{revision: message.Sequence}
	if err := json.Unmarshal(message.Data, &at); err != nil {
		return position{}, fmt.Errorf("the record of the warehouse's position: %w", err)
	}
	return at, nil
}

// write puts the record in the place of the one that it was made of. It fails with errMoved when another process was
// faster; after any other error it may have been written.
func (p *positions) write(ctx context.Context, at position) (position, error) {
	text, err := json.Marshal(at)
	if err != nil {
		return at, err
	}
	ack, err := p.js.PublishMsg(ctx, &nats.Msg{Subject: positionSubject, Data: text}, jetstream.WithExpectLastSequencePerSubject(at.revision))
	var refused *jetstream.APIError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
		return at, errMoved
	case err != nil:
		return at, err
	}
	at.revision = ack.Sequence
	return at, nil
}

// prepare makes the stream of the record, as safe as the stream of events.
func (p *positions) prepare(ctx context.Context) error {
	events, err := p.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return err
	}
	_, err = p.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: PositionStream, Description: "Milepost: how far the warehouse has come", Subjects: []string{positionSubject},
		MaxMsgsPerSubject: 1, MaxMsgSize: 4096, Replicas: events.CachedInfo().Config.Replicas,
	})
	return err
}

// SetPosition says of tables that were put back from a copy that everything up to the sequence is in them, unless
// something is said of them already.
func SetPosition(ctx context.Context, js jetstream.JetStream, sequence uint64) error {
	p := &positions{js: js}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	at, err := p.read(ctx)
	if err != nil || at.revision > 0 {
		return err
	}
	at.Sequence = sequence
	if _, err = p.write(ctx, at); errors.Is(err, errMoved) {
		return nil
	}
	return err
}
