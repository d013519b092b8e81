package access

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"milepost/schemas"
)

// Trail writes the audit. Records are added to a stream that refuses to delete
// or purge; the consumers carry them into the warehouse.
type Trail struct {
	js  jetstream.JetStream
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	pending []*schemas.AuditRecord
	wake    chan struct{}
	stop    chan struct{}
	done    chan struct{}
}

const (
	// writeTimeout bounds how long an act waits to be recorded.
	writeTimeout = 5 * time.Second
	// maxPending bounds the senders whose publishing waits to be recorded.
	maxPending = 10_000
)

// OpenTrail opens the stream, made when missing. The caller ends it with Close.
func OpenTrail(ctx context.Context, js jetstream.JetStream, now func() time.Time, log *slog.Logger) (*Trail, error) {
	if err := ensureTrail(ctx, js); err != nil {
		return nil, err
	}
	t := &Trail{js: js, now: now, log: log, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go t.writePending()
	return t, nil
}

func ensureTrail(ctx context.Context, js jetstream.JetStream) error {
	config := jetstream.StreamConfig{Name: schemas.AuditStream, Discard: jetstream.DiscardNew}
	existing, err := js.Stream(ctx, schemas.AuditStream)
	switch {
	case err == nil:
		config = existing.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return trailAway(err)
	}
	config.Description = "Milepost: who did what, when and from where; only ever added to"
	config.Subjects = []string{schemas.AuditSubjects}
	config.Storage = jetstream.FileStorage
	config.Retention = jetstream.LimitsPolicy
	config.MaxMsgSize = 64 << 10
	config.DenyDelete, config.DenyPurge = true, true
	config.AllowDirect = true
	if _, err := js.CreateOrUpdateStream(ctx, config); err != nil {
		return trailAway(err)
	}
	return nil
}

func trailAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the audit cannot be reached", Hint: "check that NATS runs with JetStream", Err: err}
}

// Write adds a record and returns when the stream has it. It gives the record
// an id and a time when it has none.
func (t *Trail) Write(ctx context.Context, r *schemas.AuditRecord) error {
	t.complete(r)
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	// One message id for each state of the record: a repetition adds nothing.
	id := jetstream.WithMsgID(r.ID + "." + string(r.Result))
	if _, err := t.js.Publish(ctx, schemas.AuditSubjectPrefix+r.Action, text, id, jetstream.WithExpectStream(schemas.AuditStream)); err != nil {
		return &schemas.Error{Code: schemas.Unavailable, Message: "the action cannot be recorded, and is not done without", Hint: "check that NATS runs with JetStream and has room", Err: err}
	}
	return nil
}

func (t *Trail) complete(r *schemas.AuditRecord) {
	if r.ID == "" {
		r.ID = nuid.Next()
	}
	if r.At.IsZero() {
		r.At = t.now().Truncate(time.Millisecond)
	}
}

// Note adds a record of publishing soon, without keeping its sender waiting:
// its events are on the stream already and say themselves who sent them. While
// the stream is busy the requests of one sender become one record.
func (t *Trail) Note(r schemas.AuditRecord) {
	t.complete(&r)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pending {
		if p.Actor == r.Actor && p.Remote == r.Remote && p.Action == r.Action {
			p.AddPublished(r)
			return
		}
	}
	if len(t.pending) >= maxPending {
		t.log.Error("the audit does not keep up; a record is lost", "record", r)
		return
	}
	t.pending = append(t.pending, &r)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// writePending writes what was noted, in order, until the end.
func (t *Trail) writePending() {
	defer close(t.done)
	for {
		ended := false
		select {
		case <-t.wake:
		case <-t.stop:
			ended = true
		}
		for r := t.next(); r != nil; r = t.next() {
			t.keepWriting(r)
		}
		if ended {
			return
		}
	}
}

func (t *Trail) next() *schemas.AuditRecord {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending) == 0 {
		return nil
	}
	r := t.pending[0]
	t.pending = slices.Delete(t.pending, 0, 1)
	return r
}

// keepWriting tries until the record is written, or once more after the end.
func (t *Trail) keepWriting(r *schemas.AuditRecord) {
	for {
		err := t.Write(context.Background(), r)
		if err == nil {
			return
		}
		select {
		case <-t.stop:
			t.log.Error("the end came before a record of the audit was written", "record", *r, "error", err)
			return
		case <-time.After(time.Second):
			t.log.Warn("the audit cannot be written; it is tried again", "error", err)
		}
	}
}

// Close writes what waits and ends.
func (t *Trail) Close(ctx context.Context) error {
	close(t.stop)
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return trailAway(ctx.Err())
	}
}
