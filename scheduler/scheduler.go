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
	// AssessmentRule is Assessment in the words of the configuration.
	AssessmentRule string
	// Drafts takes what jobs in manual mode make; nil leaves their periods to
	// people.
	Drafts Drafter
	// Notices are told between bulletins, by Notifier; while that is nil they are
	// recorded as skipped.
	Notices  []NoticeJob
	Notifier Notifier
	// Lease lets one replica work at a time; nil lets all of them, which makes
	// the same editions at more expense.
	Lease *Lease
	// Runs keeps the record of runs; nil keeps none.
	Runs Runs
	// Replica names this process in the record of runs.
	Replica string
	// SequenceAt gives the last sequence recorded by a time, once all up to it
	// is in the warehouse: the S of what was due then. nil stands for what is
	// known when it is made.
	SequenceAt func(context.Context, time.Time) (uint64, error)
	// StreamTime gives the time of the stream's own clock. A clock of this
	// machine that is far from it does not start anything; nil trusts it.
	StreamTime func(context.Context) (time.Time, error)
	// Calendar, when given, is asked for years whose holidays are missing.
	Calendar *Calendar
	// Zone is whose clocks the schedules follow, for those who read them; nil
	// stands for Asia/Shanghai.
	Zone     *time.Location
	Editions Editions
	Builder  Builder
	Shelf    Shelf
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
	// drafted are the subjects known to wait for people.
	drafted map[Subject]bool
	// settled are the published subjects whose record of runs was looked at.
	settled map[Subject]bool
	// healed tells whether the shelf was compared with the stream.
	healed bool
	// appended is the last sequence that this process appended.
	appended uint64
	// under is the duty of the run under way, nil while a person publishes.
	under *duty
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
	return &Scheduler{c: c, done: map[Subject]bool{}, drafted: map[Subject]bool{}, settled: map[Subject]bool{}}, nil
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
	clock := cron.New(cron.WithLocation(orShanghai(s.c.Zone)), cron.WithLogger(cronLog{s.c.Log}))
	clock.Schedule(wakes{s.schedules(), s.c.Retry}, cron.NewChain(cron.SkipIfStillRunning(cronLog{s.c.Log})).Then(cron.FuncJob(run)))
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

// schedules are those of all jobs.
func (s *Scheduler) schedules() []cron.Schedule {
	var all []cron.Schedule
	for _, job := range s.c.Jobs {
		all = append(all, job.Schedule)
	}
	for _, notice := range s.c.Notices {
		all = append(all, notice.Schedule)
	}
	if s.c.Assessment != nil {
		all = append(all, s.c.Assessment)
	}
	return all
}

// RunDue publishes or drafts every period that is due and missing, oldest
// first, drafts the assessments that are due, and tells the notices. When one
// period fails, later ones of its job wait for it, since their numbers follow;
// other jobs go on. What another replica is at is left to it.
func (s *Scheduler) RunDue(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.c.Now()
	if err := s.checkClock(ctx, now); err != nil {
		return err
	}
	if s.c.Calendar != nil {
		s.c.Calendar.warn(schemas.DateOf(now))
	}
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
	turn := &turn{scheduler: s, last: map[string][]Run{}}
	waiting := map[string]bool{}
	for _, d := range s.duties(first, now) {
		if s.done[d.subject] {
			s.settle(ctx, d, turn)
			continue
		}
		if waiting[d.job] {
			continue
		}
		if err := ctx.Err(); err != nil {
			failures = append(failures, err)
			break
		}
		mine, err := s.perform(ctx, d, turn)
		if err != nil {
			failures = append(failures, err)
		}
		numbered := d.job != assessmentJob
		waiting[d.job] = !mine || numbered && err != nil && !s.done[d.subject]
	}
	if err := s.tellDue(ctx, now, turn); err != nil {
		failures = append(failures, err)
	}
	if err := turn.end(ctx); err != nil {
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
