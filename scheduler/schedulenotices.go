package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// Notice is something that people are told between bulletins.
type Notice string

// The notices.
const (
	// Reminder asks the offices whose reports are missing for them (催报).
	Reminder Notice = "reminder"
	// LightCheck looks at what changed for the worse since the last one: lights,
	// deadlines, reports.
	LightCheck Notice = "light-check"
)

// NoticeJob is a notice and when it is told.
type NoticeJob struct {
	Notice   Notice
	Schedule cron.Schedule
	// Rule is the schedule in the words of the configuration.
	Rule string
}

// Notifier tells notices to those whom they concern.
type Notifier interface {
	// Notify tells the notice that was due at the instant, and says in a few
	// words what was told to whom. A process that ends while it tells is followed
	// by another that tells it again with the same instant: what went out is
	// remembered by notice, instant and receiver.
	Notify(ctx context.Context, notice Notice, due time.Time) (result string, err error)
}

// noticeDelay is how late a notice is still worth telling.
const noticeDelay = 48 * time.Hour

// tellDue tells of each notice the latest one that is due. Earlier ones that
// passed while no replica ran are not made up for.
func (s *Scheduler) tellDue(ctx context.Context, now time.Time, t *turn) error {
	var failure error
	for _, job := range s.c.Notices {
		if err := s.tell(ctx, job, now, t); err != nil && failure == nil {
			failure = fmt.Errorf("%s: %w", job.Notice, err)
		}
	}
	return failure
}

func (s *Scheduler) tell(ctx context.Context, job NoticeJob, now time.Time, t *turn) error {
	if s.c.Runs == nil {
		return nil // nobody would know what was told before
	}
	runs, err := s.c.Runs.Last(ctx, string(job.Notice))
	if err != nil {
		return err
	}
	since, err := s.c.FirstStart(ctx)
	if err != nil {
		return fmt.Errorf("time of the first start: %w", err)
	}
	if len(runs) > 0 && runs[0].Due.After(since) {
		since = runs[0].Due
		if !runs[0].Result.settled() {
			since = since.Add(-1) // once more
		}
	}
	due, missed := latestFiring(job.Schedule, since, now)
	if due.IsZero() && missed.IsZero() {
		return nil
	}
	if mine, err := t.take(ctx); !mine || err != nil {
		return err
	}
	if due.IsZero() {
		s.record(ctx, Run{Job: string(job.Notice), Due: missed, Started: now, Ended: now, Result: Missed, Replica: s.c.Replica, Tries: 1,
			Reason: "no replica ran when it was due, and it is too late for it now"})
		return nil
	}
	run, _ := s.begin(ctx, string(job.Notice), "", due)
	if s.c.Notifier == nil {
		run.Result, run.Reason = Skipped, "nobody is told: no delivery is configured"
		s.end(ctx, run, nil)
		return nil
	}
	run.Result = Told
	run.Reason, err = s.c.Notifier.Notify(ctx, job.Notice, due)
	s.end(ctx, run, err)
	return err
}

// latestFiring gives the last firing later than since that is not later than
// now, and not too late; or else the first one that was missed.
func latestFiring(schedule cron.Schedule, since, now time.Time) (due, missed time.Time) {
	if first := schedule.Next(since); first.IsZero() || first.After(now) {
		return due, missed
	} else if first.Before(now.Add(-noticeDelay)) {
		missed = first
		since = now.Add(-noticeDelay)
	}
	for at := schedule.Next(since); !at.IsZero() && !at.After(now); at = schedule.Next(at) {
		due = at
	}
	return due, missed
}
