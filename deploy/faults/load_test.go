package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/producers"
	"milepost/schemas"
)

// chunk is how many new events travel together.
const chunk = 500

// ahead is how many messages a load may be ahead of the watermark, so that it still flows when the last kill comes.
func ahead() int { return scale(4_000, 12_000) }

// acknowledged is an event that its sender was told to be on the stream.
type acknowledged struct {
	seq uint64
	raw []byte
}

// load sends events until all are acknowledged, through every outage, and remembers what was acknowledged.
type load struct {
	events int // distinct ones
	ahead  int // how many messages it may be ahead of the watermark: it flows as long as the consumer does
	plain  bool
	// send has a chunk acknowledged, through every outage.
	send func(raws [][]byte) ([]acknowledged, error)
	// repeat puts messages on the stream as if the window in which it refuses repetitions were over.
	repeat func(*schemas.Event) error

	last      atomic.Uint64 // sequence
	acked     []acknowledged
	conflicts int
	repeats   int
	done      chan struct{} // closed at the end; acked may be read then
	err       error
}

// run sends everything. A load that is plain has neither conflicts nor repetitions.
func (l *load) run(ctx context.Context, o *office, watermark func() (uint64, bool)) {
	defer close(l.done)
	for len(o.made) < l.events {
		var raws [][]byte
		var again []*schemas.Event
		for range min(chunk, l.events-len(o.made)) {
			raws = append(raws, o.next().Raw)
			if l.plain {
				continue
			}
			switch o.random.IntN(100) {
			case 0:
				raws = append(raws, o.conflicting().Raw)
				l.conflicts++
			case 1, 2:
				again = append(again, o.earlier())
				l.repeats++
			}
		}
		acked, err := l.send(raws)
		if err != nil {
			l.err = err
			return
		}
		l.acked = append(l.acked, acked...)
		for _, e := range again {
			if l.err = l.repeat(e); l.err != nil {
				return
			}
		}
		for _, a := range acked {
			l.last.Store(max(l.last.Load(), a.seq))
		}
		if !within(patience, seldom, func() bool {
			mark, ok := watermark()
			return ctx.Err() != nil || ok && mark+uint64(l.ahead) >= l.last.Load()
		}) {
			l.err = errors.New("the watermark does not follow")
		}
		if l.err = errors.Join(l.err, ctx.Err()); l.err != nil {
			return
		}
	}
}

// wait returns when everything was sent.
func (l *load) wait(t *testing.T) {
	t.Helper()
	select {
	case <-l.done:
	case <-time.After(5 * patience):
		t.Fatal("the load does not end")
	}
	if l.err != nil {
		t.Fatal(l.err)
	}
}

// ended tells whether everything was sent.
func (l *load) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// publisherLoad sends with the Publisher on a connection of its own, as the server's HTTP interface does.
func publisherLoad(t *testing.T, js jetstream.JetStream) *load {
	t.Helper()
	p, err := producers.New(js, decoding{schemas.NewValidator(schemas.DefaultRules())}, producers.Options{GiveUp: patience})
	if err != nil {
		t.Fatal(err)
	}
	return &load{done: make(chan struct{}), repeat: repeatOn(t, js), send: func(raws [][]byte) ([]acknowledged, error) {
		acked := make([]acknowledged, len(raws))
		for i, receipt := range p.PublishAll(t.Context(), raws, "test") {
			if receipt.Error != nil {
				return nil, receipt.Error
			}
			acked[i] = acknowledged{receipt.Seq, raws[i]}
		}
		return acked, nil
	}}
}

// httpLoad sends to the server's HTTP interface, at the address of the moment, and sends again what has no receipt, as an
// office does whose connection breaks.
func httpLoad(t *testing.T, js jetstream.JetStream, address func() string) (l *load, attempts *atomic.Int64) {
	t.Helper()
	attempts = new(atomic.Int64)
	return &load{done: make(chan struct{}), repeat: repeatOn(t, js), send: func(raws [][]byte) ([]acknowledged, error) {
		var acked []acknowledged
		left := raws
		var fatal error
		ok := within(patience, seldom, func() bool {
			attempts.Add(1)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var failed [][]byte
			told := 0
			body := io.Reader(bytes.NewReader(append(bytes.Join(left, []byte("\n")), '\n')))
			// Its error says that receipts are missing, which the receipts say as well.
			_ = producers.NewClient(address(), nil).Publish(ctx, body, false, func(r producers.Receipt) {
				raw := left[told]
				told++
				switch {
				case r.Error == nil:
					acked = append(acked, acknowledged{r.Seq, raw})
				case r.Error.Code == schemas.Unavailable:
					failed = append(failed, raw)
				default:
					fatal = r.Error
				}
			})
			left = append(failed, left[told:]...)
			return len(left) == 0 || fatal != nil || t.Context().Err() != nil
		})
		if !ok {
			fatal = fmt.Errorf("%d events could not be sent", len(left))
		}
		return acked, errors.Join(fatal, t.Context().Err())
	}}, attempts
}

// repeatOn sends an event without a message id, until the stream has it.
func repeatOn(t *testing.T, js jetstream.JetStream) func(*schemas.Event) error {
	return func(e *schemas.Event) error {
		var last error
		if !within(patience, seldom, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, last = js.PublishMsg(ctx, &nats.Msg{Subject: e.StreamSubject(), Data: e.Raw}, jetstream.WithExpectStream(schemas.StreamName))
			return last == nil || t.Context().Err() != nil
		}) {
			return fmt.Errorf("repeat: %w", last)
		}
		return nil
	}
}

// decoding lets the fast validator check what is published.
type decoding struct{ *schemas.Validator }

func (d decoding) Validate(raw []byte) (*schemas.Event, []schemas.Warning, error) {
	return d.Decode(raw)
}

// dial connects to NATS and keeps trying through every outage.
func dial(t *testing.T, addresses string) jetstream.JetStream {
	t.Helper()
	options := []nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond), nats.ReconnectJitter(0, 0)}
	if path := rolesFile(t, addresses); path != "" {
		options = append(options, nats.UserCredentials(path))
	}
	conn, err := nats.Connect(addresses, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// watermarkOf reads the applied watermark as everybody does; false while the stream cannot be asked.
func watermarkOf(ctx context.Context, applied *consumers.Applied) (uint64, bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	mark, err := applied.Watermark(ctx)
	return mark, err == nil
}
