package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"milepost/schemas"
)

// Config is what a Scheduler is made of.
type Config struct {
	// Jobs is the job table; without a job bulletins are published by hand only.
	Jobs []Job
	// Assessment says when the assessment of the year that ended is drafted; nil
	// drafts none.
	Assessment cron.Schedule
	Editions   Editions
	Builder    Builder
	Shelf      Shelf
	// Watermark gives S: the greatest sequence up to which everything is in the
	// warehouse.
	Watermark func(context.Context) (uint64, error)
	// FirstStart gives the time of the very first start of this installation.
	FirstStart func(context.Context) (time.Time, error)
	// Since moves the day from which periods are published away from the day of
	// the first start; zero leaves it.
	Since schemas.Date
	// ReportDay gives the day of the following month by which the reports of a
	// month are due; nil stands for the 10th.
	ReportDay func(schemas.Month) int
	// RankLeads prints ranks of city leaders.
	RankLeads bool
	Now       func() time.Time
	// Retry is how long after a run that failed the next one starts; 0 stands
	// for five minutes.
	Retry time.Duration
	Log   *slog.Logger
}

// Scheduler publishes bulletins, and drafts and finalises assessments. It may be used from several goroutines.
type Scheduler struct {
	c Config

	mu sync.Mutex
	// done are the subjects known to be published and on the shelf, or beyond
	// help until a restart.
	done map[Subject]bool
	// healed tells whether the shelf was compared with the stream.
	healed bool
	// appended is the last sequence that this process appended.
	appended uint64
}

// New checks the configuration and gives a Scheduler.
func New(c Config) (*Scheduler, error) {
	for name, missing := range map[string]bool{"Editions": c.Editions == nil, "Builder": c.Builder == nil, "Shelf": c.Shelf == nil,
		"Watermark": c.Watermark == nil, "FirstStart": c.FirstStart == nil, "Now": c.Now == nil, "Log": c.Log == nil} {
		if missing {
			return nil, &schemas.Error{Code: schemas.Internal, Message: "the scheduler needs " + name}
		}
	}
	if c.ReportDay == nil {
		c.ReportDay = func(schemas.Month) int { return 10 }
	}
	c.Retry = cmp.Or(c.Retry, 5*time.Minute)
	return &Scheduler{c: c, done: map[Subject]bool{}}, nil
}

// Run publishes what is due at once and then whenever cron wakes it, until the
// context ends. Failures are logged and tried again.
func (s *Scheduler) Run(ctx context.Context) error {
	run := func() {
		if err := s.RunDue(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.Error("what is due was not published; trying again", "error", err, "again_in", s.c.Retry.String())
		}
	}
	run()
	clock := cron.New(cron.WithLocation(schemas.Location), cron.WithLogger(cronLog{s.c.Log}))
	clock.Schedule(wakes{s.allJobs(), s.c.Retry}, cron.NewChain(cron.SkipIfStillRunning(cronLog{s.c.Log})).Then(cron.FuncJob(run)))
	clock.Start()
	<-ctx.Done()
	<-clock.Stop().Done()
	return nil
}

// cronLog passes on what cron has to say of faults; its routine is of no
// interest.
type cronLog struct{ log *slog.Logger }

func (cronLog) Info(string, ...any) {}

func (l cronLog) Error(err error, message string, more ...any) {
	l.log.Error("cron: "+message, append(more, "error", err)...)
}

// RunDue publishes every period that is due and missing, oldest first, and then
// drafts the assessments that are due. When one fails, later ones of its kind
// wait for it, since their numbers follow; other kinds go on.
func (s *Scheduler) RunDue(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, err := s.firstDay(ctx)
	if err != nil {
		return err
	}
	var failures []error
	if !s.healed {
		if err := s.heal(ctx, first); err != nil {
			failures = append(failures, err)
		}
	}
	waiting := map[schemas.PeriodKind]bool{}
	for _, period := range duePeriods(s.c.Jobs, first, s.c.Now(), s.c.ReportDay) {
		subject := Bulletin(period)
		if s.done[subject] || waiting[period.Kind] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return errors.Join(append(failures, err)...)
		}
		if _, err := s.issue(ctx, subject); err != nil {
			failures = append(failures, err)
			waiting[period.Kind] = !s.done[subject]
		}
	}
	if err := s.draftDue(ctx, first); err != nil {
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// firstDay bounds the past: periods that ended before it are never published
// by themselves.
func (s *Scheduler) firstDay(ctx context.Context) (schemas.Date, error) {
	if s.c.Since != 0 {
		return s.c.Since, nil
	}
	start, err := s.c.FirstStart(ctx)
	if err != nil {
		return 0, fmt.Errorf("time of the first start: %w", err)
	}
	return schemas.DateOf(start), nil
}

// Publish publishes one period by hand, in the same way as a run does. A period
// that was published already gives that edition.
func (s *Scheduler) Publish(ctx context.Context, period schemas.Period) (Edition, error) {
	if from := publishable(period, s.c.ReportDay); s.c.Now().Before(from) {
		return Edition{}, &schemas.Error{Code: schemas.Invalid, Message: "the period's reports are not due yet", Field: "period", Value: period.String(),
			Hint: fmt.Sprintf("publish it from %s on; without publishing, a draft is made at any time", schemas.DateOf(from))}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(ctx, Bulletin(period))
}
