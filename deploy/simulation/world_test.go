// Package simulation runs replicas of the scheduler through years of simulated
// time, with faults, on a real stream.
package simulation

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
	"milepost/scheduler"
	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

// world is what all replicas share: the stream, the bucket, the shelf, and the
// true time, which nobody but the stream knows.
type world struct {
	t      *testing.T
	js     []jetstream.JetStream
	bucket []jetstream.KeyValue
	jobs   []scheduler.Job
	start  time.Time

	mu  sync.Mutex
	now time.Time
	// recorded is when each sequence came, by the stream's clock.
	recorded []moment
	shelf    map[scheduler.Subject][]scheduler.File
	counts   map[string]int
}

type moment struct {
	at  time.Time
	seq uint64
}

func newWorld(t *testing.T, start time.Time, jobs []scheduler.Job) *world {
	t.Helper()
	connections, config := cluster(t)
	w := &world{t: t, js: connections, jobs: jobs, start: start, now: start, shelf: map[scheduler.Subject][]scheduler.File{}, counts: map[string]int{}}
	if _, err := connections[0].CreateKeyValue(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	for _, js := range connections {
		bucket, err := js.KeyValue(t.Context(), config.Bucket)
		if err != nil {
			t.Fatal(err)
		}
		w.bucket = append(w.bucket, bucket)
	}
	return w
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// came notes that the stream took a message.
func (w *world) came(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recorded = append(w.recorded, moment{w.now, seq})
}

// sequenceAt gives the last sequence that had come by the time.
func (w *world) sequenceAt(at time.Time) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := uint64(0)
	for _, m := range w.recorded {
		if !m.at.After(at) {
			last = max(last, m.seq)
		}
	}
	return last
}

// report lets an office send something.
func (w *world) report() {
	ack, err := w.js[0].Publish(w.t.Context(), "milepost.events.xiuwu.P-0001.progress.reported", []byte(w.clock().Format(time.RFC3339)))
	if err != nil {
		w.t.Fatal(err)
	}
	w.came(ack.Sequence)
}

// issued is every edition on the stream, of any kind and year.
func (w *world) issued() map[scheduler.Numbering][]producers.Edition {
	subjects, err := producers.EditionSubjects(w.t.Context(), w.js[0])
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[scheduler.Numbering][]producers.Edition{}
	for _, subject := range subjects {
		kind, given := subjectOf(subject)
		year, err := strconv.Atoi(given)
		if err != nil {
			w.t.Fatal(err)
		}
		editions, _, err := producers.Editions(w.t.Context(), w.js[0], kind, year)
		if err != nil {
			w.t.Fatal(err)
		}
		all[scheduler.Numbering{Kind: kind, Year: year}] = editions
	}
	return all
}

// library serves bulletin.Reader with ledgers that nothing is in.
type library struct{ rules *schemas.Rules }

func (l library) Survey(_ context.Context, cuts []schemas.Cut, _ func() schemas.Observer) ([]*schemas.Ledger, error) {
	var list []*schemas.Ledger
	for _, cut := range cuts {
		list = append(list, &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq, ReportingMonth: l.rules.ReportingMonth(cut.AsOf)})
	}
	return list, nil
}

func (l library) build(ctx context.Context, period schemas.Period, known uint64) (*scheduler.Draft, error) {
	draft, err := bulletin.NewDraft(ctx, l, l.rules, period, known)
	if err != nil {
		return nil, err
	}
	return &scheduler.Draft{Draft: *draft, Rules: l.rules, Printing: scheduler.Printing{Formats: []string{"md"}}}, nil
}

// due gives when a job makes the period, by the specification: the first firing
// after the day by which its reports are due.
func (w *world) due(period schemas.Period) time.Time {
	for _, job := range w.jobs {
		if job.Kind == period.Kind {
			return job.Schedule.Next((period.End.Month() + 1).Day(11).Start().Add(-1))
		}
	}
	w.t.Fatalf("no job makes %s", period)
	return time.Time{}
}

// owed lists every period that is due by now, by kind.
func (w *world) owed() map[schemas.PeriodKind][]schemas.Period {
	all := map[schemas.PeriodKind][]schemas.Period{}
	for _, job := range w.jobs {
		for p := schemas.PeriodContaining(job.Kind, schemas.DateOf(w.start)); !w.due(p).After(w.clock()); p = p.Next() {
			all[job.Kind] = append(all[job.Kind], p)
		}
	}
	return all
}

// check holds the stream against what was owed: each period once, numbers from
// 1 without gap by kind and year in the order of periods, each with the S of the
// moment it was due and not before it, and its files on the shelf.
func (w *world) check() (editions int) {
	w.t.Helper()
	issued := w.issued()
	appended := map[uint64]time.Time{}
	for _, m := range w.recorded {
		appended[m.seq] = m.at
	}
	for kind, periods := range w.owed() {
		number := map[int]int{}
		for _, p := range periods {
			year := p.IssueYear()
			list := issued[scheduler.Numbering{Kind: string(kind), Year: year}]
			place := number[year]
			number[year]++
			if place >= len(list) {
				w.t.Errorf("%s was not published", p)
				continue
			}
			e := list[place]
			editions++
			if e.Publication.Period != p.String() || e.Publication.Number != place+1 {
				w.t.Errorf("第%d期 of %d is %s with the number %d, want %s", place+1, year, e.Publication.Period, e.Publication.Number, p)
				continue
			}
			due := w.due(p)
			if want := w.sequenceAt(due); e.Publication.KnownSeq != want {
				w.t.Errorf("%s was made at S = %d, want %d, what was known at %s", p, e.Publication.KnownSeq, want, due)
			}
			if at, known := appended[e.Seq]; known && at.Before(due.Add(-10*time.Minute)) {
				w.t.Errorf("%s was published at %s, before it was due", p, at)
			}
			if files := w.shelf[scheduler.Bulletin(p)]; len(files) != len(e.Publication.Files) {
				w.t.Errorf("%s has %d files on the shelf, want %d", p, len(files), len(e.Publication.Files))
			}
		}
		for year, n := range number {
			if list := issued[scheduler.Numbering{Kind: string(kind), Year: year}]; len(list) != n {
				w.t.Errorf("%d editions of %s %d, want %d: %v", len(list), kind, year, n, names(list))
			}
		}
	}
	return editions
}

func names(editions []producers.Edition) []string {
	var list []string
	for _, e := range editions {
		list = append(list, fmt.Sprintf("%s/%d", e.Publication.Period, e.Publication.Number))
	}
	return list
}
