package producers

import (
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// message is an event as it goes to the stream.
type message struct {
	subject string
	id      string // the fingerprint in hexadecimal: the stream knows by it what it has
	actor   string // "": nobody is named
	proof   string // of the actor; "": none
	data    []byte
	expect  *expectation
}

// expectation is what has to be the latest message of a subject space when the
// stream takes a message.
type expectation struct {
	last   string // its sequence, "0" for none
	filter string
}

func (p *Publisher) message(event *schemas.Event, raw []byte, actor string) (message, error) {
	fingerprint, err := schemas.FingerprintOf(raw)
	if err != nil {
		return message{}, err
	}
	return message{
		subject: event.StreamSubject(), id: fingerprint.String(), actor: actor, proof: p.proofOf(fingerprint, actor), data: raw,
	}, nil
}

// proofOf binds the actor of a message to its content, so that the consumers can
// tell it from one that a NATS client made up; "" without an actor or a key.
func (p *Publisher) proofOf(fingerprint schemas.Fingerprint, actor string) string {
	if p.actorKey == nil || actor == "" {
		return ""
	}
	return p.actorKey.Proof(fingerprint, actor)
}

// headerBytes is more than the names and separators of a message's headers
// take.
const headerBytes = 300

// size is at least what the message takes on its way, in bytes.
func (m *message) size() int {
	return len(m.subject) + headerBytes + len(m.id) + len(m.actor) + len(m.proof) + len(m.data)
}

// envelope is the headers of one message at a time, so that thousands cost no
// memory. The client has written a message down when it takes the next.
type envelope struct {
	header nats.Header
	values [10][1]string
}

func newEnvelope() *envelope { return &envelope{header: nats.Header{}} }

func (v *envelope) clear() { clear(v.header) }

func (v *envelope) set(name, value string) {
	if value == "" {
		return
	}
	place := &v.values[len(v.header)]
	place[0] = value
	v.header[name] = place[:]
}

// of gives the message of an event that travels alone.
func (v *envelope) of(m *message) *nats.Msg {
	v.addressed(m)
	v.set(jetstream.ExpectedStreamHeader, schemas.StreamName)
	if m.expect != nil {
		v.set(jetstream.ExpectedLastSubjSeqHeader, m.expect.last)
		v.set(jetstream.ExpectedLastSubjSeqSubjHeader, m.expect.filter)
	}
	return &nats.Msg{Subject: m.subject, Header: v.header, Data: m.data}
}

func (v *envelope) addressed(m *message) {
	v.clear()
	v.set(jetstream.MsgIDHeader, m.id)
	v.set(schemas.ActorHeader, m.actor)
	v.set(schemas.ActorProofHeader, m.proof)
}
