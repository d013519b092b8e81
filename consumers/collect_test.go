package consumers

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// message is one of the stream's, for the stages that do not speak with it. More is how many the stream has behind it.
type message struct {
	jetstream.Msg
	data   []byte
	more   uint64
	number uint64 // of the stream's consumer
}

func (m message) Data() []byte         { return m.data }
func (m message) Subject() string      { return progressSubject }
func (m message) Reply() string        { return "" }
func (m message) Headers() nats.Header { return nil }
func (m message) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{NumPending: m.more, Sequence: jetstream.SequencePair{Consumer: m.number, Stream: m.number}}, nil
}

// unaccepting refuses everything: what a batch holds does not matter here.
type unaccepting struct{}

func (unaccepting) Take([]byte, *schemas.Event) (schemas.Fingerprint, error) {
	return schemas.Fingerprint{}, &schemas.Error{Code: schemas.Malformed, Message: "not JSON"}
}

type noStore struct{ Store }

// collecting runs the stage alone, in a bubble of its own time.
type collecting struct {
	t       *testing.T
	taken   *intake
	ctx     context.Context
	end     context.CancelCauseFunc
	batches chan *batch
	sent    uint64
}

func startCollecting(t *testing.T, c Config) *collecting {
	t.Helper()
	c.JetStream, c.Decoder, c.Store = struct{ jetstream.JetStream }{}, unaccepting{}, noStore{}
	consumer, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s := &collecting{t: t, taken: newIntake(), batches: make(chan *batch)}
	s.ctx, s.end = context.WithCancelCause(t.Context())
	r := &run{Consumer: consumer, end: s.end}
	go r.collect(s.ctx, s.taken, nil, s.batches)
	t.Cleanup(func() {
		s.end(nil)
		for range s.batches {
		}
	})
	return s
}

// send puts n messages of a size; behind the last the stream has more.
func (s *collecting) send(n, size int, more uint64) {
	for i := range n {
		s.sent++
		m := message{data: bytes.Repeat([]byte("x"), size), more: more + uint64(n-1-i), number: s.sent}
		if !s.taken.put(m, s.ctx.Done()) {
			s.t.Error("the stage ended")
		}
	}
}

// next gives the size of the next batch and how long it was waited for.
func (s *collecting) next() (messages int, waited time.Duration) {
	start := time.Now()
	return (<-s.batches).messages, time.Since(start)
}

func TestALoneEventGoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{})
		for range 3 {
			time.Sleep(time.Second) // the bubble's time
			s.send(1, 10, 0)
			if n, waited := s.next(); n != 1 || waited != 0 {
				t.Errorf("%d messages after %v", n, waited)
			}
		}
	})
}

func TestEventsThatComeOneByOneShareABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{Spacing: 50 * time.Millisecond})
		time.Sleep(time.Second)
		go func() {
			for range 60 {
				s.send(1, 10, 0)
				time.Sleep(time.Millisecond)
			}
		}()
		sizes := []int{}
		for sum := 0; sum < 60; {
			n, _ := s.next()
			sizes, sum = append(sizes, n), sum+n
		}
		if len(sizes) != 3 || sizes[0] != 1 {
			t.Errorf("batches of %v", sizes)
		}
	})
}

func TestABatchWaitsForWhatTheStreamHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{MaxWait: 250 * time.Millisecond})
		time.Sleep(time.Second)
		s.send(3, 10, 100)
		go func() {
			time.Sleep(20 * time.Millisecond)
			s.send(4, 10, 0)
		}()
		if n, waited := s.next(); n != 7 || waited > 20*time.Millisecond+recheck {
			t.Errorf("%d messages after %v", n, waited)
		}
		// What it has does not come: another process may have taken it.
		time.Sleep(time.Second)
		s.send(3, 10, 100)
		if n, waited := s.next(); n != 3 || waited != 250*time.Millisecond {
			t.Errorf("%d messages after %v", n, waited)
		}
	})
}

func TestABatchEndsByCountAndBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{MaxEvents: 4, MaxBytes: 100, Spacing: time.Hour, MaxWait: time.Hour})
		s.send(4, 10, 9)
		if n, waited := s.next(); n != 4 || waited != 0 {
			t.Errorf("by count: %d messages after %v", n, waited)
		}
		s.send(2, 50, 9)
		if n, waited := s.next(); n != 2 || waited != 0 {
			t.Errorf("by bytes: %d messages after %v", n, waited)
		}
	})
}

func TestAFullBatchHoldsTheStreamBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, all = 300, 12 * 300
		s := startCollecting(t, Config{MaxEvents: size})
		put := 0
		go func() {
			for range all {
				s.send(1, 10, 9)
				put++
			}
		}()
		synctest.Wait()
		if put < size || put > size+2*waitingMost { // a batch that nobody takes yet, what is held for the next, and what waits
			t.Errorf("%d messages were taken in", put)
		}
		for range all / size {
			if n, _ := s.next(); n != size {
				t.Errorf("a batch of %d", n)
			}
		}
		synctest.Wait()
		if put != all {
			t.Errorf("%d messages were taken in at the end", put)
		}
	})
}

func TestTheBatchInHandIsHandedOnAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{Spacing: time.Hour, MaxWait: time.Hour})
		s.send(2, 10, 5)
		synctest.Wait()
		s.end(nil)
		if n, waited := s.next(); n != 2 || waited != 0 {
			t.Errorf("the batch in hand: %d messages after %v", n, waited)
		}
		if _, more := <-s.batches; more {
			t.Error("there is one more batch")
		}
		full := newIntake()
		for range waitingMost {
			full.put(message{}, s.ctx.Done())
		}
		if full.put(message{}, s.ctx.Done()) {
			t.Error("a message was taken in after the end")
		}
	})
}

func TestNothingIsTakenBehindAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{Spacing: time.Hour, MaxWait: time.Hour})
		s.send(3, 10, 5)
		s.sent++ // one that does not come
		s.send(3, 10, 5)
		b := <-s.batches
		if b.messages != 3 || b.last.sequence != 3 {
			t.Errorf("%d messages up to %d", b.messages, b.last.sequence)
		}
		if _, more := <-s.batches; more || !errors.Is(context.Cause(s.ctx), errGap) {
			t.Errorf("one more batch: %v, the end: %v", more, context.Cause(s.ctx))
		}
	})
}

func TestTheFloorKnowsNoHoles(t *testing.T) {
	f := newFloor()
	at := func(n uint64) mark { return mark{sequence: 10 * n} }
	for _, step := range []struct{ number, want uint64 }{{1, 0}, {3, 0}, {0, 20}, {2, 40}, {4, 50}} {
		f.wrote(step.number, at(step.number+1))
		if got := f.reached().sequence; got != step.want {
			t.Errorf("behind batch %d everything up to %d is written, want %d", step.number, got, step.want)
		}
	}
}

func TestRetryDelays(t *testing.T) {
	c, err := New(Config{JetStream: struct{ jetstream.JetStream }{}, Decoder: unaccepting{}, Store: noStore{},
		RetryDelay: 100 * time.Millisecond, MaxRetryDelay: time.Second, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for failures, want := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 1 << 40: time.Second,
	} {
		if got := c.retryDelay(failures); got != want {
			t.Errorf("after %d failures: %v, want %v", failures, got, want)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a configuration without anything was accepted")
	}
}

// failing decodes with an error that is not of the contract.
type failing struct{}

func (failing) Take([]byte, *schemas.Event) (schemas.Fingerprint, error) {
	return schemas.Fingerprint{}, errors.New("something else")
}

func TestEveryDeadLetterHasACodeForInput(t *testing.T) {
	_, letter := decode(failing{}, ActorTrust{}, record{data: []byte("{}")}, new(schemas.Event))
	if letter == nil || !schemas.Permanent(letter.Reason) || letter.Reason.Message != "something else" {
		t.Errorf("%+v", letter)
	}
}

var _ Store = (*warehouse.Warehouse)(nil)
