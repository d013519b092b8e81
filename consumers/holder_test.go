package consumers

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// holding gives the record of the position.
func (r *rig) holding() position {
	r.t.Helper()
	at, err := (&positions{js: r.js}).read(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return at
}

// crash ends a consumer's connection, as the death of its process does.
func (r *rig) crash(c *running) { c.config.JetStream.Conn().Close() }

// startCrashing starts a consumer that may end with its connection.
func (r *rig) startCrashing(c Config) *running {
	r.t.Helper()
	consumer := r.newConsumer(c)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = consumer.Run(r.t.Context())
	}()
	r.t.Cleanup(func() { <-ended })
	return &running{Consumer: consumer}
}

// TestTheNextGoesOnWhenAHolderDies has a second consumer wait while the first one lives, and go on when it dies with a
// batch that it has written and not noted.
func TestTheNextGoesOnWhenAHolderDies(t *testing.T) {
	r := newRig(t)
	written, died := make(chan struct{}), make(chan struct{})
	var once sync.Once
	first := r.startCrashing(Config{MaxEvents: 10, Writers: 1, Store: &checkingStore{Store: r.store, after: func(b warehouse.Batch) error {
		if b.Sequence(0) > 1 {
			once.Do(func() { close(written) })
			<-died
		}
		return nil
	}}})
	r.applied(r.publish(progress("before", 1)))
	second := r.start(Config{})
	var many []*nats.Msg
	for i := range 100 {
		many = append(many, progress(fmt.Sprintf("m%d", i), 1), progress(fmt.Sprintf("m%d", i), 2))
	}
	last := r.publishMany(many)
	<-written
	if at := r.holding(); at.Sequence != 1 || second.Counters.Batches.Load() != 0 {
		t.Errorf("while the first lives the position is %d, and the second wrote %d batches", at.Sequence, second.Counters.Batches.Load())
	}
	if carried, err := NewApplied(r.js).Carried(t.Context()); err != nil || !carried {
		t.Errorf("carried: %v, %v", carried, err)
	}
	r.crash(first)
	r.applied(last)
	close(died)
	if diff := cmp.Diff([]string{"101\t101\t100"}, r.rows("SELECT [count(), uniqExact(id), (SELECT count() FROM conflicts)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
	if second.Counters.Batches.Load() == 0 {
		t.Error("the second had nothing to do")
	}
}

// TestOneThoughtDeadChangesNothing has a holder be silent, in a write, until another one has taken the position.
func TestOneThoughtDeadChangesNothing(t *testing.T) {
	r := newRig(t)
	writing, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	first := r.start(Config{Store: &checkingStore{Store: r.store, before: func(b warehouse.Batch) error {
		once.Do(func() {
			close(writing)
			<-goOn
		})
		return nil
	}}})
	last := r.publishMany([]*nats.Msg{progress("a", 1), progress("b", 1)})
	<-writing
	// Another process takes the position without asking, and stays far behind.
	at := r.holding()
	at.Holder = ""
	p := &positions{js: r.js}
	if _, err := p.write(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	r.applied(last)
	if got := r.holding(); got.Sequence != last || got.Holder == "" {
		t.Errorf("in the end the record is %+v", got)
	}
	if first.Counters.PositionRetries.Load() != 0 {
		t.Error("the loss of the position counts as trouble with it")
	}
	if diff := cmp.Diff([]string{"2"}, r.rows("SELECT [count()] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
}

// TestConsumersTakeTurns stops one after the other while events flow.
func TestConsumersTakeTurns(t *testing.T) {
	r := newRig(t)
	var last uint64
	wrote := uint64(0)
	for i := range 4 {
		c := r.start(Config{MaxEvents: 7})
		var many []*nats.Msg
		for n := range 50 {
			many = append(many, progress(fmt.Sprintf("m%d-%d", i, n), 1))
		}
		last = r.publishMany(many)
		if i%2 == 0 {
			r.applied(last)
		}
		c.stop()
		wrote += c.Counters.Events.Load()
		if carried, err := NewApplied(r.js).Carried(t.Context()); err != nil || carried {
			t.Errorf("carried after a stop: %v, %v", carried, err)
		}
		if at := r.holding(); at.Holder != "" || at.Sequence < last-50 {
			t.Errorf("after a stop the record is %+v of %d", at, last)
		}
	}
	r.start(Config{})
	r.applied(last)
	if diff := cmp.Diff([]string{"200\t200"}, r.rows("SELECT [count(), uniqExact(id)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
	if wrote > 200 {
		t.Errorf("%d events were written by those that stopped: something twice", wrote)
	}
}

// TestAnotherStreamIsCarriedFromItsBeginning puts a stream in the place of the one that was carried: a position that says
// nothing of it must not hide its events.
func TestAnotherStreamIsCarriedFromItsBeginning(t *testing.T) {
	for name, events := range map[string]int{"shorter": 2, "longer": 9} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c := r.start(Config{})
			r.applied(r.publishMany([]*nats.Msg{progress("a", 1), progress("b", 1), progress("c", 1), progress("d", 1)}))
			c.stop()
			if err := r.js.DeleteStream(t.Context(), schemas.StreamName); err != nil {
				t.Fatal(err)
			}
			r.createStream()
			for i := range events {
				r.publish(progress(fmt.Sprintf("new%d", i), 1))
			}
			again := r.start(Config{})
			r.eventually("everything is carried", func() bool { return again.Counters.Events.Load() == uint64(events) })
			r.eventually("the position is that of the new stream", func() bool { return r.holding().Sequence == uint64(events) })
		})
	}
}

// TestThePositionOfBeforeIsKept starts where a consumer of the stream told the position, and no record.
func TestThePositionOfBeforeIsKept(t *testing.T) {
	r := newRig(t)
	last := r.publishMany([]*nats.Msg{progress("a", 1), progress("b", 1), progress("c", 1)})
	former, err := r.js.CreateConsumer(t.Context(), schemas.StreamName, jetstream.ConsumerConfig{Durable: formerDurable, AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	message, err := former.Next(jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	if err := message.DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := r.start(Config{})
	r.applied(last)
	if got := c.Counters.Events.Load(); got != 2 {
		t.Errorf("%d events were written, want those behind the first", got)
	}
	r.eventually("the consumer of before is gone", func() bool {
		_, err := r.js.Consumer(t.Context(), schemas.StreamName, formerDurable)
		return err != nil
	})
}

// TestASilentHolderIsTakenForAliveForAWhile asks one that is connected and says nothing.
func TestASilentHolderIsTakenForAliveForAWhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conn := r.jetStream().Conn()
	silent, err := conn.Subscribe(holderSubjects+"silent", func(*nats.Msg) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	h, err := newHolder(r.js.Conn(), &positions{js: r.js}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	s := silence{}
	if !h.lives(t.Context(), "silent", &s) {
		t.Error("one that does not answer once is taken for dead")
	}
	s.since = s.since.Add(-silentMost)
	if h.lives(t.Context(), "silent", &s) {
		t.Error("one that has not answered for a long time is taken for alive")
	}
	_ = silent.Unsubscribe()
	if h.lives(t.Context(), "gone", &silence{}) {
		t.Error("one without a connection is taken for alive")
	}
	if !h.lives(t.Context(), h.id, &silence{}) {
		t.Error("one that answers is taken for dead")
	}
}
