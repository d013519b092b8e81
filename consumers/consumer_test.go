package consumers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

func TestEventsFlowIntoTheWarehouse(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	var watermarks []uint64
	c := r.start(Config{OnApplied: func(w uint64) {
		mu.Lock()
		defer mu.Unlock()
		watermarks = append(watermarks, w)
	}})
	if got, err := c.Watermark(t.Context()); err != nil || got != 0 {
		t.Errorf("the watermark of an empty stream is %d, %v", got, err)
	}
	first := progress("a", 1)
	first.Header = nats.Header{schemas.ActorHeader: {"领导甲"}}
	r.applied(r.publish(first))
	var many []*nats.Msg
	for i := range 1000 {
		many = append(many, progress(fmt.Sprintf("m%d", i), i))
	}
	last := r.publishMany(many)
	r.applied(last)
	if last != 1001 {
		t.Errorf("the last sequence is %d", last)
	}
	if diff := cmp.Diff([]string{"1001\t1001\t1\t1001"}, r.rows("SELECT [count(), uniqExact(event_id), min(stream_seq), max(stream_seq)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"领导甲\t1", "nats:shanyang\t1000"}, r.rows("SELECT [actor, toString(count())] AS r FROM events GROUP BY actor ORDER BY max(stream_seq)")); diff != "" {
		t.Error(diff)
	}
	recorded := r.rows("SELECT [toString(abs(dateDiff('second', recorded_at, now())) < 60)] AS r FROM events WHERE stream_seq = 1")
	if recorded[0] != "1" {
		t.Error("recorded_at is not the time of the stream")
	}
	c.stop()
	mu.Lock()
	defer mu.Unlock()
	if n := len(watermarks); watermarks[n-1] != last || uint64(n) > c.Counters.Batches.Load() || !slices.IsSorted(watermarks) {
		t.Errorf("OnApplied: watermarks %v in %d batches", watermarks, c.Counters.Batches.Load())
	}
	if got := c.Counters.Events.Load(); got != 1001 {
		t.Errorf("%d events are counted", got)
	}
}

func TestInvalidMessagesAreDeadLettered(t *testing.T) {
	r := newRig(t)
	c := r.start(Config{})
	valid := progress("a", 1)
	onSubject := func(subject string) *nats.Msg { return &nats.Msg{Subject: subject, Data: progress("b", 1).Data} }
	withActor := &nats.Msg{Subject: valid.Subject, Data: []byte("\xff\xfe no JSON"), Header: nats.Header{schemas.ActorHeader: {strings.Repeat("甲", 200)}}}
	for _, m := range []*nats.Msg{
		withActor,
		replaced(valid, `"invested_ytd":1`, `"invested_ytd":"1"`),
		replaced(valid, `progress.reported.v1`, `progress.reported.v9`),
		onSubject("milepost.events.jiefang.P-0012.progress.reported"),
		onSubject("milepost.events.shanyang.P-0013.progress.reported"),
		onSubject("milepost.events.shanyang.P-0012.issue.raised"),
		onSubject("milepost.events.shanyang"),
		{Subject: valid.Subject},
		valid,
	} {
		r.publish(m)
	}
	r.applied(9)
	got := r.rows("SELECT [toString(stream_seq), code, field, actor] AS r FROM dead_letters FINAL ORDER BY stream_seq")
	for i, want := range []string{
		"1\tmalformed\t\t" + strings.Repeat("甲", 85), "2\tinvalid\tdata.invested_ytd\tnats:shanyang", "3\tunknown\ttype\tnats:shanyang",
		"4\tforeign\tdistrict\tnats:jiefang", "5\tinvalid\tsubject\tnats:shanyang", "6\tinvalid\ttype\tnats:shanyang",
		"7\tinvalid\tsubject\tnats:shanyang", "8\tmalformed\t\tnats:shanyang",
	} {
		if i >= len(got) || got[i] != want {
			t.Errorf("dead letter %d: want %q, all are %q", i+1, want, got)
		}
	}
	if silent := r.rows("SELECT [toString(stream_seq)] AS r FROM dead_letters WHERE reason = '' OR hint = ''"); len(silent) > 0 {
		t.Errorf("dead letters without reason or hint: %v", silent)
	}
	if diff := cmp.Diff([]string{"a\t9"}, r.rows("SELECT [id, toString(stream_seq)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
	if c.Counters.DeadLetters.Load() != 8 || c.Counters.Retries.Load() != 0 {
		t.Errorf("%d dead letters and %d retries are counted", c.Counters.DeadLetters.Load(), c.Counters.Retries.Load())
	}
}

func TestRepetitionsAndConflictsAcrossBatches(t *testing.T) {
	r := newRig(t)
	c := r.start(Config{})
	for _, m := range []*nats.Msg{progress("a", 1), progress("a", 1), progress("a", 2), progress("a", 2), progress("a", 3), progress("b", 1)} {
		r.applied(r.publish(m)) // a batch each
	}
	want := []string{"a\t3\t1", "a\t5\t1"}
	if diff := cmp.Diff(want, r.rows("SELECT [id, toString(stream_seq), toString(counted_seq)] AS r FROM conflicts ORDER BY stream_seq")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a\t1", "b\t6"}, r.rows("SELECT [id, toString(stream_seq)] AS r FROM events FINAL ORDER BY id")); diff != "" {
		t.Error(diff)
	}
	if c.Counters.Repeated.Load() != 1 || c.Counters.Conflicts.Load() != 3 {
		t.Errorf("%d repetitions and %d conflicts are counted", c.Counters.Repeated.Load(), c.Counters.Conflicts.Load())
	}
}

func TestWriteWithoutAnAnswerIsRepeated(t *testing.T) {
	r := newRig(t)
	var lost atomic.Int64
	store := &checkingStore{Store: r.store, after: func(warehouse.Batch) error {
		if lost.Add(1) <= 2 {
			return errors.New("the answer was lost")
		}
		return nil
	}}
	last := r.publishMany([]*nats.Msg{progress("a", 1), progress("a", 2), progress("b", 1), replaced(progress("c", 1), `"district":"shanyang"`, `"district":"nowhere"`)})
	r.start(Config{Store: store, RetryDelay: time.Millisecond})
	r.applied(last)
	if diff := cmp.Diff([]string{"2\t2"}, r.rows("SELECT [count(), uniqExact(event_id)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1\t1"}, r.rows("SELECT [(SELECT count() FROM conflicts), (SELECT count() FROM dead_letters)] AS r")); diff != "" {
		t.Error(diff)
	}
	if lost.Load() < 3 {
		t.Error("no write was repeated")
	}
}

func TestNothingIsLostWhileClickHouseFails(t *testing.T) {
	r := newRig(t)
	proxy := startProxy(t, r.dsn)
	store := &checkingStore{Store: r.openStore(proxy.dsn)}
	var early atomic.Uint64
	c := r.start(Config{
		Store: store, MaxEvents: 20, RetryDelay: time.Millisecond, MaxRetryDelay: 50 * time.Millisecond,
		OnApplied: func(watermark uint64) {
			if missing := store.missing(watermark); missing != 0 {
				early.Store(missing)
			}
		},
	})
	r.applied(r.publish(progress("before", 1)))
	proxy.refuse.Store(true)
	var many []*nats.Msg
	for i := range 200 {
		many = append(many, progress(fmt.Sprintf("m%d", i), i))
	}
	last := r.publishMany(many)
	r.eventually("batches are tried again", func() bool { return c.Counters.Retries.Load() >= 10 })
	if watermark, err := c.Watermark(t.Context()); err != nil || watermark != 1 {
		t.Errorf("the watermark is %d while ClickHouse refuses, %v", watermark, err)
	}
	// Each fifth request fails, which is the first, second or third step of a batch in turn.
	proxy.every.Store(5)
	proxy.refuse.Store(false)
	r.eventually("some batches pass", func() bool { return c.Counters.Batches.Load() >= 3 })
	proxy.every.Store(0)
	r.applied(last)
	if missing := early.Load(); missing != 0 {
		t.Errorf("the watermark ran ahead of sequence %d", missing)
	}
	if diff := cmp.Diff([]string{"201\t201"}, r.rows("SELECT [count(), uniqExact(event_id)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
}

func TestRestartResumes(t *testing.T) {
	r := newRig(t)
	c := r.start(Config{})
	r.applied(r.publish(progress("a", 1)))
	c.stop()
	last := r.publishMany([]*nats.Msg{progress("b", 1), progress("c", 1)})
	if watermark, err := c.Watermark(t.Context()); err != nil || watermark != 1 {
		t.Errorf("the watermark is %d while no consumer runs, %v", watermark, err)
	}
	again := r.start(Config{})
	r.applied(last)
	if got := again.Counters.Events.Load(); got != 2 {
		t.Errorf("the second run wrote %d events", got)
	}
}

func TestStopFinishesTheBatchInHand(t *testing.T) {
	r := newRig(t)
	writing, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	store := &checkingStore{Store: r.store, before: func(warehouse.Batch) error {
		once.Do(func() {
			close(writing)
			<-release
		})
		return nil
	}}
	var many []*nats.Msg
	for i := range 50 {
		many = append(many, progress(fmt.Sprintf("m%d", i), i))
	}
	last := r.publishMany(many)
	c := r.start(Config{Store: store, MaxEvents: 10})
	<-writing
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.stop()
	}()
	close(release)
	<-stopped
	watermark, err := c.Watermark(t.Context())
	if err != nil || watermark < 10 {
		t.Errorf("the watermark is %d after the stop, %v", watermark, err)
	}
	if missing := store.missing(watermark); missing != 0 {
		t.Errorf("sequence %d counts as applied and is not written", missing)
	}
	if c.Counters.Retries.Load() != 0 || c.Counters.PositionRetries.Load() != 0 {
		t.Errorf("%d retries and %d positions not noted", c.Counters.Retries.Load(), c.Counters.PositionRetries.Load())
	}
	// What was not in hand is the next one's at once.
	r.start(Config{})
	r.applied(last)
}

func TestWaitingForTheWatermark(t *testing.T) {
	r := newRig(t)
	other := NewApplied(r.jetStream())
	if got, err := other.Watermark(t.Context()); err != nil || got != 0 {
		t.Errorf("before any consumer ran: %d, %v", got, err)
	}
	sequence := r.publish(progress("a", 1))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err := other.WaitApplied(ended, sequence)
	if schemas.CodeOf(err) != schemas.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	waited := make(chan error, 1)
	patient, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { waited <- other.WaitApplied(patient, sequence) }()
	r.start(Config{})
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if stored := r.rows("SELECT [id] AS r FROM events"); len(stored) != 1 {
		t.Errorf("the wait ended before the event was stored: %v", stored)
	}
}

func TestRunWaitsForTheStream(t *testing.T) {
	r := newRig(t)
	if err := r.js.DeleteStream(t.Context(), schemas.StreamName); err != nil {
		t.Fatal(err)
	}
	c := r.start(Config{RetryDelay: time.Millisecond})
	if _, err := c.Watermark(t.Context()); schemas.CodeOf(err) != schemas.Unavailable {
		t.Errorf("without a stream the watermark gives %v", err)
	}
	r.createStream()
	r.applied(r.publish(progress("a", 1)))
}

func TestRunEndsWithItsConnection(t *testing.T) {
	r := newRig(t)
	js := r.jetStream()
	c, err := New(Config{JetStream: js, Decoder: schemas.NewValidator(schemas.DefaultRules()), Store: r.store})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(t.Context()) }()
	r.applied(r.publish(progress("a", 1)))
	js.Conn().Close()
	select {
	case err := <-ended:
		if schemas.CodeOf(err) != schemas.Unavailable {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Error("Run did not return")
	}
}
