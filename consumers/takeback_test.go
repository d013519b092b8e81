package consumers

import (
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// TestTakesBackWhatTheDeadHeld has a process take messages and die; with an hour of ack wait, only a consumer that asks
// for them at once applies them in this test's time.
func TestTakesBackWhatTheDeadHeld(t *testing.T) {
	r := newRig(t)
	first := r.start(Config{AckWait: time.Hour})
	r.applied(r.publish(progress("before", 1)))
	first.stop()
	last := r.publishMany([]*nats.Msg{progress("a", 1), progress("b", 1), progress("c", 1)})

	dead := r.jetStream()
	consumer, err := dead.Consumer(t.Context(), schemas.StreamName, Durable)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := consumer.Fetch(2, jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for range taken.Messages() {
		held++
	}
	if held != 2 {
		t.Fatalf("the other process took %d messages", held)
	}
	dead.Conn().Close()

	r.start(Config{AckWait: time.Hour})
	r.applied(last)
	if stored := r.rows("SELECT [id] AS r FROM events FINAL ORDER BY stream_seq"); len(stored) != 4 {
		t.Errorf("stored: %v", stored)
	}
}

// TestLeavesTheLivingTheirMessages starts a consumer while another one writes and waits for more.
func TestLeavesTheLivingTheirMessages(t *testing.T) {
	r := newRig(t)
	writing, goOn := make(chan struct{}), make(chan struct{})
	inHand := sync.OnceFunc(func() { close(writing) })
	first := r.start(Config{AckWait: time.Hour, Store: &checkingStore{Store: r.store, before: func(b warehouse.Batch) error {
		if b.Sequence(0) == 2 {
			inHand()
			<-goOn
		}
		return nil
	}}})
	r.applied(r.publish(progress("a", 1)))
	last := r.publish(progress("b", 1))
	<-writing
	second := r.start(Config{AckWait: time.Hour})
	r.eventually("both wait for more", func() bool { return r.consumerInfo().NumWaiting == 2 })
	if delivered := r.consumerInfo().Delivered.Consumer; delivered != 2 {
		t.Errorf("%d deliveries: what the first holds was taken from it", delivered)
	}
	close(goOn)
	r.applied(last)
	if first.Counters.Events.Load() != 2 || second.Counters.Events.Load() != 0 {
		t.Error("the second wrote what the first had in hand")
	}
}

func (r *rig) consumerInfo() *jetstream.ConsumerInfo {
	r.t.Helper()
	consumer, err := r.js.Consumer(r.t.Context(), schemas.StreamName, Durable)
	if err != nil {
		r.t.Fatal(err)
	}
	return consumer.CachedInfo()
}
