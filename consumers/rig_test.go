package consumers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/deploy/embedded/enginetest"
	"milepost/schemas"
)

// patience bounds every wait of a test for the engines.
const patience = 20 * time.Second

// rig is a stream and a warehouse for one test.
type rig struct {
	t       *testing.T
	natsURL string
	dsn     string
	js      jetstream.JetStream
	store   *warehouse.Warehouse
	sql     driver.Conn
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, natsURL: enginetest.NATS(t).URL(), dsn: enginetest.ClickHouse(t).DSN}
	r.js = r.jetStream()
	r.createStream()
	r.store = r.openStore(r.dsn)
	if err := r.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.sql = sqlConn(t, r.dsn)
	return r
}

func (r *rig) createStream() {
	r.t.Helper()
	if _, err := r.js.CreateStream(r.t.Context(), jetstream.StreamConfig{
		Name: schemas.StreamName, Subjects: []string{schemas.StreamSubjects},
	}); err != nil {
		r.t.Fatal(err)
	}
}

// jetStream opens a connection of its own, as another process would.
func (r *rig) jetStream() jetstream.JetStream {
	r.t.Helper()
	conn, err := nats.Connect(r.natsURL)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		r.t.Fatal(err)
	}
	return js
}

func (r *rig) openStore(dsn string) *warehouse.Warehouse {
	r.t.Helper()
	store, err := warehouse.Open(r.t.Context(), warehouse.Config{
		DSN: dsn, Stream: NewOriginals(r.js, schemas.NewValidator(schemas.DefaultRules()), ActorTrust{}),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = store.Close() })
	return store
}

// running is a consumer that runs until stop.
type running struct {
	*Consumer
	stop func()
}

// newConsumer gives one with a connection of its own.
func (r *rig) newConsumer(c Config) *Consumer {
	r.t.Helper()
	if c.Writers == 0 {
		c.Writers = 2 // batches that overtake one another are the harder case
	}
	c.JetStream = r.jetStream()
	c.Decoder = schemas.NewValidator(schemas.DefaultRules())
	if c.Store == nil {
		c.Store = r.store
	}
	consumer, err := New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	return consumer
}

// start runs a consumer.
func (r *rig) start(c Config) *running {
	r.t.Helper()
	consumer := r.newConsumer(c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- consumer.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				r.t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			r.t.Error("Run did not return")
		}
	})
	r.t.Cleanup(stop)
	return &running{consumer, stop}
}

// publish puts a message on the stream and gives its sequence. No message has an id, as if all came outside of the
// window in which the stream itself refuses a repetition.
func (r *rig) publish(m *nats.Msg) uint64 {
	r.t.Helper()
	ack, err := r.js.PublishMsg(r.t.Context(), m)
	if err != nil {
		r.t.Fatal(err)
	}
	return ack.Sequence
}

// publishMany puts messages on the stream without waiting for each, and gives the last sequence.
func (r *rig) publishMany(messages []*nats.Msg) uint64 {
	r.t.Helper()
	var last jetstream.PubAckFuture
	for _, m := range messages {
		future, err := r.js.PublishMsgAsync(m)
		if err != nil {
			r.t.Fatal(err)
		}
		last = future
	}
	select {
	case ack := <-last.Ok():
		return ack.Sequence
	case err := <-last.Err():
		r.t.Fatal(err)
	case <-time.After(patience):
		r.t.Fatal("the stream does not answer")
	}
	return 0
}

// applied waits until the sequence is applied.
func (r *rig) applied(sequence uint64) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if err := NewApplied(r.js).WaitApplied(ctx, sequence); err != nil {
		r.t.Fatal(err)
	}
}

// rows gives a result of text columns as lines of tab-separated values.
func (r *rig) rows(query string) []string {
	r.t.Helper()
	var lines []string
	if err := r.sql.QueryRow(r.t.Context(), "SELECT groupArray(arrayStringConcat(arrayMap(x -> toString(x), r), '\t')) FROM ("+query+")").Scan(&lines); err != nil {
		r.t.Fatal(err)
	}
	return lines
}

// eventually waits until the condition holds; it asks again and again.
func (r *rig) eventually(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.After(patience)
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			r.t.Fatalf("it never came that %s", what)
		}
	}
}

const progressSubject = "milepost.events.shanyang.P-0012.progress.reported"

// progress is a message with a report; reports of one id differ by the amount.
func progress(id string, amount int) *nats.Msg {
	return &nats.Msg{Subject: progressSubject, Data: fmt.Appendf(nil,
		`{"specversion":"1.0","id":%q,"source":"/offices/shanyang","type":"progress.reported.v1","subject":"P-0012","time":"2025-03-08T10:00:00+08:00","district":"shanyang","datacontenttype":"application/json","data":{"month":"2025-02","invested_ytd":%d}}`, id, amount)}
}

// replaced is the message with another text in its data.
func replaced(m *nats.Msg, old, new string) *nats.Msg {
	return &nats.Msg{Subject: m.Subject, Data: []byte(strings.Replace(string(m.Data), old, new, 1))}
}

// checkingStore remembers what is durable, and can fail or wait on demand.
type checkingStore struct {
	Store
	before func(b warehouse.Batch) error // nil: nothing
	after  func(b warehouse.Batch) error

	mu      sync.Mutex
	durable map[uint64]bool
}

func (s *checkingStore) Write(ctx context.Context, b warehouse.Batch) (warehouse.Written, error) {
	if s.before != nil {
		if err := s.before(b); err != nil {
			return warehouse.Written{}, err
		}
	}
	written, err := s.Store.Write(ctx, b)
	if err != nil {
		return written, err
	}
	s.mu.Lock()
	if s.durable == nil {
		s.durable = map[uint64]bool{}
	}
	for i := range b.Len() {
		s.durable[b.Sequence(i)] = true
	}
	for _, l := range b.DeadLetters {
		s.durable[l.Sequence] = true
	}
	s.mu.Unlock()
	if s.after != nil {
		if err := s.after(b); err != nil {
			return warehouse.Written{}, err
		}
	}
	return written, nil
}

// missing gives the first sequence up to the watermark that is not durable, or 0.
func (s *checkingStore) missing(watermark uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sequence := uint64(1); sequence <= watermark; sequence++ {
		if !s.durable[sequence] {
			return sequence
		}
	}
	return 0
}
