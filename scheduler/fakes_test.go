package scheduler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"milepost/scheduler/assessment"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/schemas"
)

// stream is Editions with the semantics of a stream: append only if the last
// sequence of the subject is as stated.
type stream struct {
	mu     sync.Mutex
	events []*schemas.Event
	// fails, when set, may stop an append before or after it happened.
	fails func(event *schemas.Event) (before, after error)
}

func (s *stream) Published(_ context.Context, kind string, year int) (Issued, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued(schemas.PublicationSubject(kind, year)), nil
}

func (s *stream) issued(subject string) Issued {
	var issued Issued
	for i, e := range s.events {
		if e.Subject != subject {
			continue
		}
		issued.LastSeq = uint64(i + 1)
		edition := Edition{Publication: *e.Data.(*schemas.Publication), Seq: uint64(i + 1), At: e.Time}
		switch e.Type {
		case schemas.AssessmentAnnounced:
			issued.Announcements++
			issued.Announced = &Announcement{Edition: edition, Until: AnnouncedUntil(edition.Remarks)}
		case schemas.AssessmentObjected:
			issued.Objections = append(issued.Objections, schemas.EditionObjection{ID: e.ID, Seq: edition.Seq, At: edition.At, Text: edition.Remarks})
		default:
			issued.Editions = append(issued.Editions, edition)
		}
	}
	return issued
}

func (s *stream) Append(_ context.Context, e *schemas.Event, last uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.issued(e.Subject).LastSeq != last {
		return 0, &schemas.Error{Code: schemas.Conflict, Message: "wrong last sequence"}
	}
	var before, after error
	if s.fails != nil {
		before, after = s.fails(e)
	}
	if before != nil {
		return 0, before
	}
	s.events = append(s.events, e)
	return uint64(len(s.events)), after
}

func (s *stream) watermark(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.events)), nil
}

// published lists period/number in the order of publication.
func (s *stream) published() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, e := range s.events {
		p := e.Data.(*schemas.Publication)
		list = append(list, fmt.Sprintf("%s/%d", p.Period, p.Number))
	}
	return list
}

// builder builds from an empty ledger, so that models differ by period and S.
type builder struct {
	rules *schemas.Rules
	fails func(schemas.Period) error
	// drafts, when set, have the editors' paragraphs.
	drafts DraftStore
}

func (b *builder) Ledger(_ context.Context, cut schemas.Cut) (*schemas.Ledger, error) {
	return &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq, ReportingMonth: b.rules.ReportingMonth(cut.AsOf)}, nil
}

func (b *builder) Ledgers(ctx context.Context, cuts ...schemas.Cut) ([]*schemas.Ledger, error) {
	var list []*schemas.Ledger
	for _, cut := range cuts {
		ledger, err := b.Ledger(ctx, cut)
		if err != nil {
			return nil, err
		}
		list = append(list, ledger)
	}
	return list, nil
}

func (b *builder) Survey(ctx context.Context, cuts []schemas.Cut, _ func() schemas.Observer) ([]*schemas.Ledger, error) {
	return b.Ledgers(ctx, cuts...)
}

func (b *builder) Build(ctx context.Context, period schemas.Period, known uint64, rulesHash string) (*Draft, error) {
	if b.fails != nil {
		if err := b.fails(period); err != nil {
			return nil, err
		}
	}
	draft, err := bulletin.NewDraft(ctx, b, b.rules, period, known)
	if err != nil {
		return nil, err
	}
	built := &Draft{Draft: *draft, Rules: b.rules}
	if b.drafts != nil {
		if stored, _, err := b.drafts.Draft(ctx, Bulletin(period).ID()); err == nil {
			built.Remarks = render.Remarks(stored.Blocks)
		}
	}
	return built, nil
}

func (b *builder) Assess(ctx context.Context, year int, known uint64, rulesHash string) (*AssessmentDraft, error) {
	if b.fails != nil {
		if err := b.fails(assessment.Period(year)); err != nil {
			return nil, err
		}
	}
	model, err := assessment.Build(ctx, b, b.rules, year, known, nil)
	if err != nil {
		return nil, err
	}
	return &AssessmentDraft{Model: model, Rules: b.rules}, nil
}

// office is a scheduler with all that it stands on, and a clock driven by hand.
type office struct {
	*Scheduler
	t       *testing.T
	config  Config
	stream  *stream
	builder *builder
	dir     string
	now     time.Time
}

func clock(s string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", s, schemas.Location)
	if err != nil {
		panic(err)
	}
	return at
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// monthly is the default job table.
func monthly() []Job {
	return []Job{{Kind: schemas.MonthOf, Schedule: WorkingDayRule{Calendar: NewCalendar(quiet()), After: theTenth, At: 9 * time.Hour}}}
}

// newOffice starts for the first time at start, on a stream of its own or a
// shared one.
func newOffice(t *testing.T, start string, on *stream, change func(*Config)) *office {
	t.Helper()
	o := &office{t: t, stream: on, builder: &builder{rules: schemas.DefaultRules()}, dir: t.TempDir(), now: clock(start)}
	first := o.now
	o.config = Config{
		Jobs: monthly(), Editions: on, Builder: o.builder, Watermark: on.watermark,
		FirstStart: func(context.Context) (time.Time, error) { return first, nil },
		Now:        func() time.Time { return o.now }, Log: quiet(),
	}
	if change != nil {
		change(&o.config)
	}
	o.restart()
	return o
}

// restart forgets everything but the stream and the folder.
func (o *office) restart() {
	o.t.Helper()
	folder, err := NewFolder(o.dir, o.config.Now, quiet())
	if err != nil {
		o.t.Fatal(err)
	}
	if o.config.Shelf == nil {
		o.config.Shelf = folder
	}
	if o.Scheduler, err = New(o.config); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) runAt(at string) error {
	o.now = clock(at)
	return o.RunDue(context.Background())
}

func (o *office) mustRunAt(at string) {
	o.t.Helper()
	if err := o.runAt(at); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) wantPublished(want ...string) {
	o.t.Helper()
	if got := o.stream.published(); !slices.Equal(got, want) {
		o.t.Fatalf("published %v, want %v", got, want)
	}
}

// wantShelved holds the folder against every edition on the stream.
func (o *office) wantShelved() {
	o.t.Helper()
	folder, err := NewFolder(o.dir, o.config.Now, quiet())
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range o.stream.events {
		p := e.Data.(*schemas.Publication)
		subject, files := Subject{Kind: p.Kind, Period: p.Period}, 4
		if p.Kind == schemas.AssessmentKind {
			files = 7 // with the media edition, which a bulletin without details has not
		}
		held, err := folder.Holds(context.Background(), subject, p.Files)
		if err != nil || !held || len(p.Files) != files {
			o.t.Fatalf("%s is not on the shelf: %v", p.Period, err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(o.dir, "*", unfinished+"*"))
	if len(left) > 0 {
		o.t.Fatalf("left behind: %v", left)
	}
}

func (o *office) file(kind, period, name string) string {
	return filepath.Join(o.dir, kind, period, name)
}

func period(s string) schemas.Period {
	p, err := schemas.ParsePeriod(s)
	if err != nil {
		panic(err)
	}
	return p
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var errAway = errors.New("away")
