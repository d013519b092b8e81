package consumers

import (
	"errors"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// maxActorBytes bounds what a message's header may say of who sent it.
const maxActorBytes = 256

// decode makes an event of a message, or a dead letter with the reason why it is none.
func (c *Consumer) decode(message jetstream.Msg, metadata *jetstream.MsgMetadata) (warehouse.Delivery, *warehouse.DeadLetter) {
	delivery := warehouse.Delivery{
		Sequence: metadata.Sequence.Stream, RecordedAt: metadata.Timestamp, Actor: actorOf(message),
	}
	err := c.accept(&delivery, message)
	if err == nil {
		return delivery, nil
	}
	var reason *schemas.Error
	if !errors.As(err, &reason) {
		reason = &schemas.Error{Code: schemas.Invalid, Message: err.Error(), Hint: "see the specification of events", Err: err}
	}
	return warehouse.Delivery{}, &warehouse.DeadLetter{
		Sequence: delivery.Sequence, RecordedAt: delivery.RecordedAt, Actor: delivery.Actor,
		Subject: message.Subject(), Reason: reason, Raw: message.Data(),
	}
}

func (c *Consumer) accept(delivery *warehouse.Delivery, message jetstream.Msg) error {
	event, _, err := c.config.Decoder.Decode(message.Data())
	if err != nil {
		return err
	}
	if err := agrees(message.Subject(), event); err != nil {
		return err
	}
	if err := warehouse.Storable(event); err != nil {
		return err
	}
	delivery.Event = event
	delivery.Fingerprint, err = schemas.FingerprintOf(message.Data())
	return err
}

// agrees checks that an event came on its own subject. Permissions of NATS users bind to subjects, so that an event that
// names another district than its subject could count for an office that its sender does not speak for.
func agrees(subject string, event *schemas.Event) error {
	right := event.StreamSubject()
	if subject == right {
		return nil
	}
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

// actorOf tells who sent the message: as its producer says, else by the district of its subject, which is what the
// permissions of its sender were checked against.
func actorOf(message jetstream.Msg) string {
	actor := message.Headers().Get(schemas.ActorHeader)
	if actor == "" {
		district, _, _ := strings.Cut(strings.TrimPrefix(message.Subject(), subjectPrefix), ".")
		return "nats:" + district
	}
	return strings.ToValidUTF8(actor[:min(len(actor), maxActorBytes)], "")
}
