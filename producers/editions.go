package producers

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Edition is one event about the editions of a kind and year: a bulletin or
// an assessment that was published, withdrawn, objected to or finalised.
type Edition struct {
	Seq         uint64
	Type        schemas.Type
	Source, ID  string
	Time        time.Time
	Publication *schemas.Publication
}

// editionFilter is the subject space that holds all events on the editions of
// one kind and year, whatever their type.
func editionFilter(subject string) string {
	return "milepost.events." + schemas.CityDistrict + "." + subject + ".>"
}

// Editions reads the events on the editions of a kind (a schemas.PeriodKind or
// "assessment") and year from the stream, in order. last is the sequence of
// the latest message of that subject, 0 when there is none: give it to
// PublishExpecting, and no second writer comes between. A message that is no
// event of the contract counts for last and is otherwise left to the
// consumer's dead letters. Errors are of code Unavailable.
func Editions(ctx context.Context, js jetstream.JetStream, kind string, year int) (editions []Edition, last uint64, err error) {
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return nil, 0, unreadable(err)
	}
	filter := editionFilter(schemas.PublicationSubject(kind, year))
	for {
		msg, err := stream.GetMsg(ctx, last+1, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return editions, last, nil
		}
		if err != nil {
			return nil, 0, unreadable(err)
		}
		last = msg.Sequence
		if edition, ok := decodeEdition(msg.Data); ok {
			edition.Seq = msg.Sequence
			editions = append(editions, edition)
		}
	}
}

func decodeEdition(raw []byte) (Edition, bool) {
	var envelope struct {
		Type   schemas.Type    `json:"type"`
		Source string          `json:"source"`
		ID     string          `json:"id"`
		Time   time.Time       `json:"time"`
		Data   json.RawMessage `json:"data"`
	}
	if json.Unmarshal(raw, &envelope) != nil || !envelope.Type.System() {
		return Edition{}, false
	}
	data, err := schemas.DecodeData(envelope.Type, envelope.Data)
	if err != nil {
		return Edition{}, false
	}
	publication, ok := data.(*schemas.Publication)
	return Edition{Type: envelope.Type, Source: envelope.Source, ID: envelope.ID, Time: envelope.Time, Publication: publication}, ok
}

func unreadable(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the editions cannot be read from the stream", Hint: "check that the NATS server is reachable", Err: err}
}

// systemActor is the actor of what the system itself publishes.
const systemActor = "system"

// PublishExpecting publishes an event of the system, provided that the latest
// message of its subject still is the one at expectedLast (0: there is none).
// It gives the event's sequence, and an error of code Conflict when another
// writer was first. Publishing the very same event again gives its first
// sequence. event.Raw is what is sent; when it is empty the event is encoded.
func (p *Publisher) PublishExpecting(ctx context.Context, event *schemas.Event, expectedLast uint64) (seq uint64, err error) {
	raw := event.Raw
	if len(raw) == 0 {
		made, err := schemas.NewEvent(*event)
		if err != nil {
			return 0, err
		}
		raw = made.Raw
	}
	checked, _, err := p.check.Validate(raw)
	if err != nil {
		return 0, err
	}
	if !checked.Type.System() || checked.District != schemas.CityDistrict {
		return 0, &schemas.Error{Code: schemas.Internal, Message: "only an event of the system is published this way", Field: "type", Value: string(checked.Type)}
	}
	msg, err := p.message(checked, raw, systemActor)
	if err != nil {
		return 0, err
	}
	filter := editionFilter(checked.Subject)
	msg.expect = &expectation{last: strconv.FormatUint(expectedLast, 10), filter: filter}

	pending := &entry{message: msg}
	ctx, cancel := context.WithTimeout(ctx, p.giveUp)
	defer cancel()
	if err := p.send(ctx, []*entry{pending}, new(bool)); err != nil {
		return 0, unavailable(err)
	}
	receipt := &pending.receipt
	if receipt.Error == nil {
		return receipt.Seq, nil
	}
	if !wrongLast(receipt.Error) {
		return 0, receipt.Error
	}
	return p.ownOrConflict(ctx, msg.id, filter, receipt.Error)
}

// ownOrConflict looks whether the message that came between is our own: an
// attempt whose acknowledgement was lost.
func (p *Publisher) ownOrConflict(ctx context.Context, messageID, filter string, cause error) (uint64, error) {
	stream, err := p.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, unavailable(err)
	}
	last, err := stream.GetLastMsgForSubject(ctx, filter)
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, unavailable(err)
	}
	if err == nil && last.Header.Get(jetstream.MsgIDHeader) == messageID {
		return last.Sequence, nil
	}
	return 0, &schemas.Error{
		Code: schemas.Conflict, Message: "another writer published an edition first",
		Hint: "read the editions again and decide anew", Err: cause,
	}
}

func wrongLast(err error) bool {
	code, ok := apiCode(err)
	return ok && (code == jetstream.JSErrCodeStreamWrongLastSequence || code == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
