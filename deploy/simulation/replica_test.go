package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
	"milepost/scheduler"
	"milepost/schemas"
)

// point is a place in a run where something may go wrong.
type point int

const (
	nowhere     point = iota
	leaseTaken        // the lease is held, nothing is built
	built             // the draft is built
	beforeWrite       // the append is about to be sent
	afterWrite        // the append is done, and nobody knows it yet
	beforeShelf       // the files are about to be stored
	afterShelf        // the files are stored, the run is not recorded
	points
)

var errKilled = errors.New("the process was killed")

// replica is a process that runs the scheduler: it can be killed and started
// again, paused, and have a wrong clock.
type replica struct {
	w    *world
	name string
	js   jetstream.JetStream
	kv   jetstream.KeyValue
	off  time.Duration // its clock, from the true one

	scheduler *scheduler.Scheduler
	lives     int
	dead      atomic.Bool
	at        point  // where the next fault strikes
	fault     func() // and what it is
}

func newReplica(w *world, i int) *replica {
	r := &replica{w: w, name: fmt.Sprintf("replica-%d", i+1), js: w.js[i], kv: w.bucket[i]}
	r.restart()
	return r
}

// restart begins a new process: nothing is remembered but what is shared.
func (r *replica) restart() {
	r.dead.Store(false)
	r.lives++
	name := fmt.Sprintf("%s-%d", r.name, r.lives)
	check, err := schemas.NewBookSchemaValidator(schemas.UndatedRules(schemas.DefaultRules()))
	if err != nil {
		r.w.t.Fatal(err)
	}
	publisher, err := producers.New(r.js, check, producers.Options{Now: r.now})
	if err != nil {
		r.w.t.Fatal(err)
	}
	bucket := mortal{r.kv, r}
	r.scheduler, err = scheduler.New(scheduler.Config{
		Jobs: r.w.jobs, Editions: editions{r, publisher}, Builder: builder{r, library{schemas.DefaultRules()}}, Shelf: shelf{r},
		Watermark:  func(context.Context) (uint64, error) { return r.w.sequenceAt(r.w.clock()), r.alive() },
		SequenceAt: func(_ context.Context, at time.Time) (uint64, error) { return r.w.sequenceAt(at), r.alive() },
		StreamTime: func(context.Context) (time.Time, error) { return r.w.clock(), r.alive() },
		FirstStart: func(context.Context) (time.Time, error) { return r.w.start, r.alive() },
		Lease:      scheduler.NewLease(bucket, name, 0, r.now), Runs: scheduler.NewRunLog(bucket), Replica: name,
		Now: r.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		r.w.t.Fatal(err)
	}
}

func (r *replica) now() time.Time { return r.w.clock().Add(r.off) }

func (r *replica) alive() error {
	if r.dead.Load() {
		return errKilled
	}
	return nil
}

// pass is called where something may go wrong.
func (r *replica) pass(p point) error {
	if r.at == p && r.fault != nil {
		fault := r.fault
		r.at, r.fault = nowhere, nil
		fault()
	}
	return r.alive()
}

// wake lets the replica look at what is due, and tells what became of it. A
// replica that was killed starts again at the next wake.
func (r *replica) wake() {
	if r.dead.Load() {
		r.restart()
	}
	err := r.scheduler.RunDue(r.w.t.Context())
	switch {
	case err == nil:
	case r.dead.Load():
		r.w.count("killed")
	case schemas.CodeOf(err) == schemas.Unavailable && (r.off > 10*time.Minute || r.off < -10*time.Minute):
		r.w.count("refused because of the clock")
	default:
		r.w.count("failed and tried again")
		r.w.t.Logf("%s at %s: %v", r.name, r.now(), err)
	}
	r.at, r.fault = nowhere, nil
}

// mortal is a bucket that a killed process does not reach.
type mortal struct {
	jetstream.KeyValue
	r *replica
}

func (m mortal) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	if err := m.r.alive(); err != nil {
		return nil, err
	}
	return m.KeyValue.Get(ctx, key)
}

func (m mortal) Create(ctx context.Context, key string, value []byte, options ...jetstream.KVCreateOpt) (uint64, error) {
	if err := m.r.alive(); err != nil {
		return 0, err
	}
	return m.KeyValue.Create(ctx, key, value, options...)
}

func (m mortal) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := m.r.alive(); err != nil {
		return 0, err
	}
	return m.KeyValue.Update(ctx, key, value, revision)
}

// editions serves scheduler.Editions from the real stream.
type editions struct {
	r         *replica
	publisher *producers.Publisher
}

func (e editions) Published(ctx context.Context, kind string, year int) (scheduler.Issued, error) {
	if err := e.r.alive(); err != nil {
		return scheduler.Issued{}, err
	}
	list, last, err := producers.Editions(ctx, e.r.js, kind, year)
	issued := scheduler.Issued{LastSeq: last}
	for _, edition := range list {
		issued.Editions = append(issued.Editions, scheduler.Edition{Publication: *edition.Publication, Seq: edition.Seq, At: edition.Time})
	}
	return issued, err
}

func (e editions) Numberings(ctx context.Context) ([]scheduler.Numbering, error) {
	subjects, err := producers.EditionSubjects(ctx, e.r.js)
	var list []scheduler.Numbering
	for _, subject := range subjects {
		kind, given := subjectOf(subject)
		year, parseErr := strconv.Atoi(given)
		err = errors.Join(err, parseErr)
		list = append(list, scheduler.Numbering{Kind: kind, Year: year})
	}
	return list, errors.Join(err, e.r.alive())
}

func (e editions) Append(ctx context.Context, event *schemas.Event, last uint64) (uint64, error) {
	if err := e.r.pass(beforeWrite); err != nil {
		return 0, err
	}
	seq, err := e.publisher.PublishExpecting(ctx, event, last)
	if schemas.CodeOf(err) == schemas.Conflict {
		e.r.w.count("second editions refused by the stream")
	}
	if err != nil {
		return 0, err
	}
	e.r.w.came(seq)
	return seq, e.r.pass(afterWrite)
}

// builder serves scheduler.Builder.
type builder struct {
	r *replica
	library
}

func (b builder) Build(ctx context.Context, period schemas.Period, known uint64, _ string) (*scheduler.Draft, error) {
	if err := b.r.pass(leaseTaken); err != nil {
		return nil, err
	}
	draft, err := b.build(ctx, period, known)
	if err != nil {
		return nil, err
	}
	return draft, b.r.pass(built)
}

func (b builder) Correct(ctx context.Context, period schemas.Period, known uint64, rulesHash string, _ scheduler.Edition) (*scheduler.Draft, error) {
	return b.Build(ctx, period, known, rulesHash)
}

func (b builder) Assess(context.Context, int, uint64, string) (*scheduler.AssessmentDraft, error) {
	return nil, errors.New("nobody is assessed here")
}

// shelf serves scheduler.Shelf from the world's.
type shelf struct{ r *replica }

func (s shelf) Holds(_ context.Context, subject scheduler.Subject, files []schemas.PublishedFile) (bool, error) {
	s.r.w.mu.Lock()
	defer s.r.w.mu.Unlock()
	return len(files) > 0 && len(s.r.w.shelf[subject]) == len(files), s.r.alive()
}

func (s shelf) Has(_ context.Context, subject scheduler.Subject, names ...string) (bool, error) {
	s.r.w.mu.Lock()
	defer s.r.w.mu.Unlock()
	there := true
	for _, name := range names {
		there = there && slices.ContainsFunc(s.r.w.shelf[subject], func(f scheduler.File) bool { return f.Name == name })
	}
	return there, s.r.alive()
}

func (s shelf) Put(_ context.Context, subject scheduler.Subject, files []scheduler.File) error {
	if err := s.r.pass(beforeShelf); err != nil {
		return err
	}
	s.r.w.mu.Lock()
	s.r.w.shelf[subject] = files
	s.r.w.mu.Unlock()
	return s.r.pass(afterShelf)
}
