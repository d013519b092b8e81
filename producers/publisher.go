package producers

import (
	"context"
	"encoding/json"
	"iter"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Validator says whether an event may enter; *schemas.SchemaValidator is one.
// Its errors are *schemas.Error.
type Validator interface {
	Validate(raw []byte) (*schemas.Event, []schemas.Warning, error)
}

// Receipt says what became of one event. Seq is its place on the stream, 0
// when Error is set. Duplicate means that the stream had this very event
// already, at Seq. Line is the line of the input, where there are lines.
type Receipt struct {
	Line      int               `json:"line,omitempty"`
	Source    string            `json:"source"`
	ID        string            `json:"id"`
	Seq       uint64            `json:"seq"`
	Duplicate bool              `json:"duplicate"`
	Warnings  []schemas.Warning `json:"warnings"`
	Error     *schemas.Error    `json:"error"`
	// Spooled means that the event waits on the sender's disk, and is not sent.
	Spooled bool `json:"spooled,omitempty"`
}

// Submission is one event as it came in. Refused is set when the reader of the
// input already knows that it is none; it then only gets its receipt.
type Submission struct {
	Line    int
	Raw     []byte
	Refused *schemas.Error
	// Admit says whether its sender may send it; nil admits everybody.
	Admit Admission
}

// Options tune a Publisher; the zero value is fine.
type Options struct {
	// Window is how many events travel together, as one atomic batch: by
	// default 1,000, which a NATS server takes that is not told otherwise, and
	// at most 10,000. A server that takes less gets less.
	Window int
	// AckTimeout is how long one attempt waits for the stream, by default 5 s.
	AckTimeout time.Duration
	// GiveUp is how long a window is tried again before its events are told
	// to be unavailable, by default 20 s.
	GiveUp time.Duration
	// Now is the clock, by default time.Now.
	Now func() time.Time
	// ActorKey proves to the consumers who sent an event; without it they
	// name the district of its subject.
	ActorKey *schemas.ActorKey
}

// windowBytes bounds the bytes of a window.
const windowBytes = 4 << 20

const defaultWindow, maxWindow = 1000, 10_000

// Publisher puts events on the stream: validated, in the order given, each
// acknowledged by the stream before its receipt says so. What that is worth when
// power fails is the stream's matter: on a server that syncs before it
// acknowledges (the embedded NATS with durability power) the event of a receipt
// is on disk; on another it is with the operating system, or with the replicas
// of the stream. It is safe for concurrent use.
type Publisher struct {
	js     jetstream.JetStream
	conn   *nats.Conn
	check  Validator
	window int
	batch  atomic.Int32 // the most that the server takes at once, as far as it is known
	ack    time.Duration
	giveUp time.Duration
	now    func() time.Time

	actorKey *schemas.ActorKey
}

// New makes a Publisher. The stream must exist (EnsureStream).
func New(js jetstream.JetStream, check Validator, o Options) (*Publisher, error) {
	if js == nil || check == nil {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "a publisher needs a stream and a validator"}
	}
	p := &Publisher{js: js, conn: js.Conn(), check: check, window: o.Window, ack: o.AckTimeout, giveUp: o.GiveUp, now: o.Now, actorKey: o.ActorKey}
	if p.window <= 0 {
		p.window = defaultWindow
	}
	p.window = min(p.window, maxWindow)
	p.batch.Store(int32(p.window))
	if p.ack <= 0 {
		p.ack = 5 * time.Second
	}
	if p.giveUp <= 0 {
		p.giveUp = 20 * time.Second
	}
	if p.now == nil {
		p.now = time.Now
	}
	return p, nil
}

// Publish publishes the submissions and yields a receipt for each, in their
// order. What is refused does not stop the rest. When the stream stays away,
// that event and all that follow it get an error of code Unavailable and are
// not tried, so that order is kept; sending the same input again is safe.
// While a window is on its way the next is read and validated, so that a
// receipt may come as late as two windows after its event. Breaking out of the
// loop leaves what was not yielded unpublished, but for the window at hand and
// the one behind it.
func (p *Publisher) Publish(ctx context.Context, submissions iter.Seq[Submission], actor string) iter.Seq[Receipt] {
	return func(yield func(Receipt) bool) {
		w := &window{publisher: p, actor: actor}
		for s := range submissions {
			w.add(s)
			if w.full() && !w.advance(ctx, yield) {
				return
			}
		}
		w.flush(ctx, yield)
	}
}

// PublishAll publishes raw events and gives their receipts in order.
func (p *Publisher) PublishAll(ctx context.Context, raws [][]byte, actor string) []Receipt {
	receipts := make([]Receipt, 0, len(raws))
	submissions := func(yield func(Submission) bool) {
		for _, raw := range raws {
			if !yield(Submission{Raw: raw}) {
				return
			}
		}
	}
	for r := range p.Publish(ctx, submissions, actor) {
		receipts = append(receipts, r)
	}
	return receipts
}

// admit validates a submission and makes its message and the beginning of its
// receipt.
func (p *Publisher) admit(e *entry, s Submission, actor string) {
	e.receipt = Receipt{Line: s.Line, Warnings: []schemas.Warning{}}
	event, err := p.judge(&e.receipt, s)
	if err == nil {
		e.message, err = p.message(event, s.Raw, actor)
	}
	if err == nil {
		err = p.fits(&e.message)
	}
	if err == nil {
		return
	}
	e.refused, e.receipt.Error = true, asError(err)
	if event == nil {
		e.receipt.Source, e.receipt.ID = identityOf(s.Raw)
	}
}

// judge says whether a submission may be published, and what its sender should
// know.
func (p *Publisher) judge(receipt *Receipt, s Submission) (*schemas.Event, error) {
	if s.Refused != nil {
		return nil, s.Refused
	}
	event, warnings, err := p.check.Validate(s.Raw)
	if err == nil && event.Type.System() {
		err = &schemas.Error{
			Code: schemas.Forbidden, Message: "only the system itself writes events of this type", Field: "type", Value: string(event.Type),
			Hint: "publish a bulletin with the bulletin command",
		}
	}
	if err == nil {
		warnings, err = s.admitted(event, warnings)
	}
	if err != nil {
		return nil, err
	}
	receipt.Source, receipt.ID = event.Source, event.ID
	receipt.Warnings = append(receipt.Warnings, warnings...)
	if event.Time.After(p.now().Add(24 * time.Hour)) {
		receipt.Warnings = append(receipt.Warnings, schemas.Warning{Field: "time", Message: "is more than a day ahead of the server's clock"})
	}
	return event, nil
}

// fits refuses what the NATS server would not take.
func (p *Publisher) fits(m *message) error {
	if limit := p.conn.MaxPayload(); limit > 0 && int64(m.size()) > limit {
		return &schemas.Error{
			Code: schemas.TooLarge, Message: "the NATS server takes no message of this size",
			Hint: "raise max_payload of the NATS server to 1 MB",
		}
	}
	return nil
}

// identityOf reads what it can of a refused event's identity, so that its
// sender can find it.
func identityOf(raw []byte) (source, id string) {
	if len(raw) > schemas.MaxEventBytes {
		return "", ""
	}
	var e struct {
		Source any `json:"source"`
		ID     any `json:"id"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return "", ""
	}
	source, _ = e.Source.(string)
	id, _ = e.ID.(string)
	return schemas.Shorten(source), schemas.Shorten(id)
}
