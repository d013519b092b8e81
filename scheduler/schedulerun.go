package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"milepost/schemas"
)

// Drafter takes what jobs in manual mode make: drafts that wait for people.
type Drafter interface {
	// DraftDue makes the draft of the subject at S = known, unless there is one,
	// of this or an earlier call. It tells whether this call made it.
	DraftDue(ctx context.Context, subject Subject, known uint64) (made bool, err error)
}

// maxClockDifference is how far this machine's clock may be from the stream's.
const maxClockDifference = 10 * time.Minute

// checkClock keeps a clock that jumped from publishing what has not happened
// yet, or from drawing the line of what was known in the wrong place.
func (s *Scheduler) checkClock(ctx context.Context, now time.Time) error {
	if s.c.StreamTime == nil {
		return nil
	}
	stream, err := s.c.StreamTime(ctx)
	if err != nil {
		return fmt.Errorf("time of the stream: %w", err)
	}
	if difference := now.Sub(stream); difference.Abs() > maxClockDifference {
		return &schemas.Error{Code: schemas.Unavailable, Message: fmt.Sprintf("the clock of this machine is %s away from that of NATS; nothing is run by it", difference.Round(time.Second)),
			Hint: "set both by the same source of time"}
	}
	return nil
}

// turn is this replica's hold on the lease for one look at what is due: taken at
// the first thing to do, taken again before each, and given up at the end.
type turn struct {
	scheduler *Scheduler
	taken     bool
	// last are the runs of each job as this look found them.
	last map[string][]Run
}

func (t *turn) take(ctx context.Context) (bool, error) {
	lease := t.scheduler.c.Lease
	if lease == nil {
		return true, nil
	}
	held, err := lease.Take(ctx)
	t.taken = held
	return held, err
}

func (t *turn) end(ctx context.Context) error {
	if !t.taken {
		return nil
	}
	ctx, stop := closing(ctx)
	defer stop()
	return t.scheduler.c.Lease.Release(ctx)
}

// closing outlives the end of the process by a moment: what was begun is noted,
// and the lease given up, so that the next replica need not wait.
func closing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

// perform runs what is due, and tells whether it is this replica's turn. An
// edition that is there already only needs its files on this replica's shelf.
func (s *Scheduler) perform(ctx context.Context, d duty, t *turn) (mine bool, err error) {
	issued, err := s.c.Editions.Published(ctx, d.subject.Kind, d.subject.Year)
	if err != nil {
		return true, fmt.Errorf("editions of %s: %w", d.subject, err)
	}
	if _, published := issued.of(d.subject); published {
		_, err := s.issue(ctx, d.subject)
		if s.done[d.subject] {
			s.settle(ctx, d, t)
		}
		return true, err
	}
	if s.drafted[d.subject] {
		return true, nil
	}
	if mine, err := t.take(ctx); !mine || err != nil {
		return false, err
	}
	run, ended := s.begin(ctx, d.job, d.subject.Period, d.at)
	s.under = &d
	defer func() { s.under = nil }()
	switch {
	case d.job == assessmentJob:
		err = s.draft(ctx, d.subject)
		run.Result = Drafted
	case d.mode == Manual:
		err = s.draftManual(ctx, d.subject, &run)
	default:
		var edition Edition
		edition, err = s.issue(ctx, d.subject)
		run.Result, run.Number, run.KnownSeq, run.Seq = Published, edition.Number, edition.KnownSeq, edition.Seq
	}
	if err != nil || !ended {
		s.end(ctx, run, err)
	}
	return true, err
}

// draftManual leaves the period to people, with a draft where somebody takes it.
func (s *Scheduler) draftManual(ctx context.Context, subject Subject, run *Run) error {
	if s.c.Drafts == nil {
		s.drafted[subject] = true
		run.Result, run.Reason = Skipped, "people publish it: the job is manual"
		return nil
	}
	known, err := s.watermarkFor(ctx, subject, 0)
	if err != nil {
		return err
	}
	made, err := s.c.Drafts.DraftDue(ctx, subject, known)
	if err != nil {
		return fmt.Errorf("draft of %s: %w", subject, err)
	}
	s.drafted[subject] = true
	run.Result, run.KnownSeq = Drafted, known
	if !made {
		run.Reason = "the draft was there already"
	}
	return nil
}

// cut gives the S of the run under way: what had been recorded when it was due,
// whenever it runs. What was due before the first start, or before anything was
// recorded, takes what is known now, as does what a person asks for.
func (s *Scheduler) cut(ctx context.Context) (known uint64, fixed bool, err error) {
	if s.under == nil || s.c.SequenceAt == nil {
		return 0, false, nil
	}
	start, err := s.c.FirstStart(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("time of the first start: %w", err)
	}
	if s.under.at.Before(start) {
		return 0, false, nil
	}
	known, err = s.c.SequenceAt(ctx, s.under.at)
	if err != nil {
		return 0, false, fmt.Errorf("what was known at %s: %w", s.under.at.In(schemas.Location).Format(time.DateTime), err)
	}
	return known, known > 0, nil
}

// begin records that a run starts, unless it ended well before: a draft, say,
// that is only looked for again after a restart. The record serves people: when
// it cannot be written the run goes on.
func (s *Scheduler) begin(ctx context.Context, job, period string, due time.Time) (run Run, ended bool) {
	run = Run{Job: job, Period: period, Due: due, Started: s.c.Now(), Result: Running, Replica: s.c.Replica, Tries: 1}
	if earlier, found := s.lastTry(ctx, run); found {
		if earlier.Result.settled() {
			return run, true
		}
		run.Tries = earlier.Tries + 1
		if earlier.Result == Running {
			run.Reason = "an earlier try was interrupted"
		}
	}
	s.record(ctx, run)
	return run, false
}

func (s *Scheduler) end(ctx context.Context, run Run, err error) {
	run.Ended = s.c.Now()
	if err != nil {
		run.Result, run.Reason = Failed, reasonOf(err)
	}
	if ctx.Err() != nil && err != nil {
		run.Reason = "the process ended within the run; the next look goes on"
	}
	ctx, stop := closing(ctx)
	defer stop()
	s.record(ctx, run)
}

// reasonOf says what went wrong, and what to do.
func reasonOf(err error) string {
	reason := err.Error()
	var known *schemas.Error
	if errors.As(err, &known) && known.Hint != "" {
		reason += "; " + known.Hint
	}
	return reason
}

// settle ends the record of a run whose process did not come to it after its
// edition was appended, and of a draft that people published.
func (s *Scheduler) settle(ctx context.Context, d duty, t *turn) {
	if s.c.Runs == nil || s.settled[d.subject] {
		return
	}
	runs, read := t.last[d.job]
	if !read {
		var err error
		if runs, err = s.c.Runs.Last(ctx, d.job); err != nil {
			s.c.Log.Warn("the record of runs cannot be read", "error", err)
			return
		}
		t.last[d.job] = runs
	}
	s.settled[d.subject] = true
	place := slices.IndexFunc(runs, Run{Job: d.job, Period: d.subject.Period}.same)
	if place < 0 || runs[place].Number > 0 {
		return
	}
	issued, err := s.c.Editions.Published(ctx, d.subject.Kind, d.subject.Year)
	edition, published := issued.of(d.subject)
	if err != nil || !published {
		s.settled[d.subject] = false
		return
	}
	run := runs[place]
	if run.Result.settled() {
		run.Reason = "people published it"
	} else {
		run.Reason = "the run was interrupted after it had published, or another replica did it"
	}
	run.Result, run.Number, run.KnownSeq, run.Seq, run.Ended = Published, edition.Number, edition.KnownSeq, edition.Seq, s.c.Now()
	s.record(ctx, run)
}

func (s *Scheduler) lastTry(ctx context.Context, of Run) (Run, bool) {
	if s.c.Runs == nil {
		return Run{}, false
	}
	runs, err := s.c.Runs.Last(ctx, of.Job)
	if err != nil {
		s.c.Log.Warn("the record of runs cannot be read", "error", err)
		return Run{}, false
	}
	for _, run := range runs {
		if run.same(of) {
			return run, true
		}
	}
	return Run{}, false
}

func (s *Scheduler) record(ctx context.Context, run Run) {
	if s.c.Runs == nil {
		return
	}
	if err := s.c.Runs.Record(ctx, run); err != nil {
		s.c.Log.Warn("a run is not recorded", "job", run.Job, "period", run.Period, "result", run.Result, "error", err)
	}
}
