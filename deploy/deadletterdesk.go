package deploy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/consumers/warehouse"
	"milepost/producers"
	"milepost/schemas"
)

// deadLetterDesk is where people look at dead letters (退件), send them again
// and discard them: it joins the warehouse, the stream and the publisher.
type deadLetterDesk struct {
	*warehouse.Reader
	js        jetstream.JetStream
	past      *consumers.Past
	publisher *producers.Publisher
	now       func() time.Time
}

// DeadLetter gives a dead letter and its message. The warehouse keeps the
// beginning of a long one; the stream keeps all of it, or the archive.
func (d deadLetterDesk) DeadLetter(ctx context.Context, seq uint64) (*schemas.DeadLetter, []byte, error) {
	letter, err := d.Reader.DeadLetter(ctx, seq)
	if err != nil {
		return nil, nil, err
	}
	stream, err := d.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return nil, nil, streamUnavailable(err)
	}
	message, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		archived, err := d.past.Message(ctx, seq)
		if err != nil {
			return nil, nil, err
		}
		if archived == nil {
			return letter, []byte(letter.Raw), nil // it is lost; this is what is left
		}
		return letter, archived.Data, nil
	}
	if err != nil {
		return nil, nil, streamUnavailable(err)
	}
	return letter, message.Data, nil
}

func streamUnavailable(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the stream cannot be read", Hint: "check that NATS runs", Err: err}
}

// Resend publishes an event instead of an open dead letter and closes it. An
// empty event is the message as it came, which succeeds when the rules changed
// or it came on the wrong subject. A crash between the two leaves the dead
// letter open; the same event sent again is then recognised.
func (d deadLetterDesk) Resend(ctx context.Context, seq uint64, event []byte, actor string) (*schemas.DeadLetter, error) {
	letter, raw, err := d.open(ctx, seq)
	if err != nil {
		return nil, err
	}
	if len(event) == 0 {
		if letter.Size > schemas.MaxEventBytes {
			return nil, &schemas.Error{
				Code: schemas.TooLarge, Field: "seq", Value: strconv.FormatUint(seq, 10), Message: fmt.Sprintf("the message has %d bytes, an event at most 256 KiB", letter.Size),
				Hint: "read it from the stream with deadletters show --raw, shorten it, and resend it with --file",
			}
		}
		event = raw
	}
	receipt := d.publisher.PublishAll(ctx, [][]byte{event}, actor)[0]
	switch {
	case receipt.Error != nil:
		return nil, receipt.Error
	case receipt.Seq == seq:
		return nil, &schemas.Error{
			Code: schemas.Conflict, Field: "seq", Value: strconv.FormatUint(seq, 10), Message: "the stream takes the event for a repetition of the dead letter itself",
			Hint: "try again in some minutes, when the stream has forgotten its message id, or mend the event",
		}
	}
	return d.close(ctx, letter, schemas.DeadLetterAction{Action: schemas.DeadLetterResent, Actor: actor, At: d.now(), NewSeq: receipt.Seq})
}

// Discard closes an open dead letter.
func (d deadLetterDesk) Discard(ctx context.Context, seq uint64, reason, actor string) (*schemas.DeadLetter, error) {
	letter, _, err := d.open(ctx, seq)
	if err != nil {
		return nil, err
	}
	return d.close(ctx, letter, schemas.DeadLetterAction{Action: schemas.DeadLetterDiscarded, Reason: reason, Actor: actor, At: d.now()})
}

// open gives a dead letter that nothing was done about.
func (d deadLetterDesk) open(ctx context.Context, seq uint64) (*schemas.DeadLetter, []byte, error) {
	letter, raw, err := d.DeadLetter(ctx, seq)
	if err != nil {
		return nil, nil, err
	}
	if letter.State == schemas.DeadLetterOpen {
		return letter, raw, nil
	}
	last := letter.Actions[len(letter.Actions)-1]
	return nil, nil, &schemas.Error{
		Code: schemas.Conflict, Field: "seq", Value: strconv.FormatUint(seq, 10),
		Message: fmt.Sprintf("the dead letter was %s on %s by %s", last.Action, last.At.In(schemas.Location).Format(time.DateTime), last.Actor),
		Hint:    "publish an event of its own if more is to be said",
	}
}

func (d deadLetterDesk) close(ctx context.Context, letter *schemas.DeadLetter, action schemas.DeadLetterAction) (*schemas.DeadLetter, error) {
	action.At = action.At.Truncate(time.Millisecond).In(schemas.Location)
	// What was published is recorded even when the one who asked is gone.
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := d.RecordAction(recording, letter.StreamSeq, action); err != nil {
		return nil, err
	}
	letter.State, letter.Actions = action.Action, append(letter.Actions, action)
	return letter, nil
}
