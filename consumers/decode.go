package consumers

import (
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// record is what the stream holds at one sequence.
type record struct {
	subject    string
	header     nats.Header
	data       []byte
	sequence   uint64
	recordedAt time.Time
}

func recordOf(message jetstream.Msg, at place) record {
	return record{message.Subject(), message.Headers(), message.Data(), at.sequence, at.recordedAt}
}

// decode makes an event of a record, or a dead letter with the reason why it is none. The event is written over the one
// that is given.
func decode(decoder Decoder, actors ActorTrust, r record, event *schemas.Event) (warehouse.Delivery, *warehouse.DeadLetter) {
	delivery := warehouse.Delivery{Event: event, Sequence: r.sequence, RecordedAt: r.recordedAt}
	err := accept(decoder, &delivery, r)
	if err == nil {
		delivery.Actor = actors.actorOf(r, delivery.Fingerprint)
		return delivery, nil
	}
	return warehouse.Delivery{}, deadLetter(actors, r, asReason(err))
}

// asReason gives an error that says why something is no event.
func asReason(err error) *schemas.Error {
	var reason *schemas.Error
	if !errors.As(err, &reason) {
		reason = &schemas.Error{Code: schemas.Invalid, Message: err.Error(), Hint: "see the specification of events", Err: err}
	}
	return reason
}

func deadLetter(actors ActorTrust, r record, reason *schemas.Error) *warehouse.DeadLetter {
	// What is no JSON has no fingerprint; the zero one proves nothing.
	fingerprint, _ := schemas.FingerprintOf(r.data)
	return &warehouse.DeadLetter{
		Sequence: r.sequence, RecordedAt: r.recordedAt, Actor: actors.actorOf(r, fingerprint), Subject: r.subject, Reason: reason, Raw: r.data,
	}
}

func accept(decoder Decoder, delivery *warehouse.Delivery, r record) (err error) {
	if delivery.Fingerprint, err = decoder.Take(r.data, delivery.Event); err != nil {
		return err
	}
	if err := agrees(r.subject, delivery.Event); err != nil {
		return err
	}
	return warehouse.Storable(delivery.Event)
}

// agrees checks that an event came on its own subject. Permissions of NATS users bind to subjects, so that an event that
// names another district than its subject could count for an office that its sender does not speak for.
func agrees(subject string, event *schemas.Event) error {
	var room [256]byte // few subjects are longer
	if right := event.AppendStreamSubject(room[:0]); string(right) == subject {
		return nil
	}
	right := event.StreamSubject()
	reason := &schemas.Error{
		Code: schemas.Invalid, Field: "type", Value: schemas.Shorten(string(event.Type)),
		Message: "the event's type is not that of the stream subject " + schemas.Shorten(subject),
		Hint:    "publish it on " + right,
	}
	tokens := strings.SplitN(strings.TrimPrefix(subject, subjectPrefix), ".", 3)
	switch {
	case tokens[0] != event.District:
		reason.Code, reason.Field, reason.Value = schemas.Foreign, "district", schemas.Shorten(event.District)
		reason.Message = "the event's district is not that of the stream subject " + schemas.Shorten(subject)
	case len(tokens) < 2 || tokens[1] != event.Subject:
		reason.Field, reason.Value = "subject", schemas.Shorten(event.Subject)
		reason.Message = "the event's subject is not the project of the stream subject " + schemas.Shorten(subject)
	}
	return reason
}

// subjectPrefix precedes district, project and type in a stream subject.
var subjectPrefix = strings.TrimSuffix(schemas.StreamSubjects, ">")
