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

// message is one of the stream's, for the stages that do not speak with it.
type message struct {
	jetstream.Msg
	data  []byte
	given chan<- struct{} // told of a negative acknowledgement
}

func (m message) Data() []byte                              { return m.data }
func (m message) Subject() string                           { return progressSubject }
func (m message) Headers() nats.Header                      { return nil }
func (m message) Metadata() (*jetstream.MsgMetadata, error) { return &jetstream.MsgMetadata{}, nil }
func (m message) Nak() error {
	m.given <- struct{}{}
	return nil
}

// unaccepting refuses everything: what a batch holds does not matter here.
type unaccepting struct{}

func (unaccepting) Decode([]byte) (*schemas.Event, []schemas.Warning, error) {
	return nil, nil, &schemas.Error{Code: schemas.Malformed, Message: "not JSON"}
}

type noStore struct{ Store }

// collecting runs the stage alone, in a bubble of its own time.
type collecting struct {
	received chan jetstream.Msg
	ended    chan struct{}
	batches  chan *batch
	cancel   context.CancelFunc
}

func startCollecting(t *testing.T, c Config) *collecting {
	t.Helper()
	c.JetStream, c.Decoder, c.Store = struct{ jetstream.JetStream }{}, unaccepting{}, noStore{}
	consumer, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &collecting{received: make(chan jetstream.Msg), ended: make(chan struct{}), batches: make(chan *batch), cancel: cancel}
	go consumer.collect(ctx, s.received, s.ended, s.batches)
	t.Cleanup(func() {
		close(s.ended)
		for range s.batches {
		}
		cancel()
	})
	return s
}

func (s *collecting) send(n int, size int) {
	for range n {
		s.received <- message{data: bytes.Repeat([]byte("x"), size)}
	}
}

// next gives the size of the next batch and how long it was waited for.
func (s *collecting) next() (messages int, waited time.Duration) {
	start := time.Now()
	return len((<-s.batches).messages), time.Since(start)
}

func TestABatchEndsWhenNothingComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{Quiet: 5 * time.Millisecond, MaxWait: 250 * time.Millisecond})
		time.Sleep(time.Second) // the bubble's time
		s.send(3, 10)
		if n, waited := s.next(); n != 3 || waited != 5*time.Millisecond {
			t.Errorf("%d messages after %v", n, waited)
		}
	})
}

func TestABatchEndsAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{Quiet: 5 * time.Millisecond, MaxWait: 250 * time.Millisecond})
		go func() {
			for range 100 {
				s.send(1, 10)
				time.Sleep(4 * time.Millisecond)
			}
		}()
		// The messages at 0, 4, … 248 ms.
		if n, waited := s.next(); n != 63 || waited != 250*time.Millisecond {
			t.Errorf("%d messages after %v", n, waited)
		}
		time.Sleep(time.Second)
		if n, _ := s.next(); n != 37 {
			t.Errorf("%d messages in the second batch", n)
		}
	})
}

func TestABatchEndsByCountAndBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{MaxEvents: 4, MaxBytes: 100, Quiet: time.Hour, MaxWait: time.Hour})
		s.send(4, 10)
		if n, waited := s.next(); n != 4 || waited != 0 {
			t.Errorf("by count: %d messages after %v", n, waited)
		}
		s.send(2, 50)
		if n, waited := s.next(); n != 2 || waited != 0 {
			t.Errorf("by bytes: %d messages after %v", n, waited)
		}
	})
}

func TestABatchGrowsWhileTheOneBeforeIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{MaxEvents: 10, Quiet: 5 * time.Millisecond})
		for range 6 {
			s.send(1, 10)
			time.Sleep(time.Second) // ripe long since, but nobody takes it
		}
		if n, waited := s.next(); n != 6 || waited != 0 {
			t.Errorf("%d messages after %v", n, waited)
		}
	})
}

func TestAfterTheEndMessagesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startCollecting(t, Config{Quiet: time.Hour, MaxWait: time.Hour})
		s.send(2, 10)
		synctest.Wait()
		s.cancel()
		given := make(chan struct{}, 3)
		for range 3 {
			s.received <- message{given: given}
		}
		synctest.Wait()
		if len(given) != 3 {
			t.Errorf("%d of 3 messages were given back", len(given))
		}
		// The batch in hand is handed on when the subscription ends, and is the last.
		close(s.ended)
		if n, waited := s.next(); n != 2 || waited != 0 {
			t.Errorf("the batch in hand: %d messages after %v", n, waited)
		}
		if _, more := <-s.batches; more {
			t.Error("there is one more batch")
		}
		s.ended = make(chan struct{}) // for the cleanup
	})
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

func (failing) Decode([]byte) (*schemas.Event, []schemas.Warning, error) {
	return nil, nil, errors.New("something else")
}

func TestEveryDeadLetterHasACodeForInput(t *testing.T) {
	_, letter := decode(failing{}, record{data: []byte("{}")})
	if letter == nil || !schemas.Permanent(letter.Reason) || letter.Reason.Message != "something else" {
		t.Errorf("%+v", letter)
	}
}

var _ Store = (*warehouse.Warehouse)(nil)
