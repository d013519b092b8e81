package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"milepost/schemas"
)

// Overview is what people want to know of the schedule: what runs next, what
// ran, and why it did or did not.
type Overview struct {
	At       time.Time `json:"at"`
	TimeZone string    `json:"time_zone"`
	// Since is the day whose periods, and later ones, are published by
	// themselves.
	Since schemas.Date `json:"since"`
	// Lease is who runs what is due at this moment.
	Lease *Holding `json:"lease"`
	// MissingHolidays are years that matter now and whose holidays are not
	// known; their weekdays count as working days.
	MissingHolidays []int      `json:"missing_holidays"`
	Jobs            []Schedule `json:"jobs"`
}

// Schedule is what is planned and recorded of one job.
type Schedule struct {
	Job  string `json:"job"`
	Kind string `json:"kind"` // "bulletin", "assessment" or "notice"
	// Rule is the schedule in the words of the configuration.
	Rule string `json:"rule"`
	Mode Mode   `json:"mode"`
	// Next are the next firings, of which only those with a period make
	// something.
	Next []Planned `json:"next"`
	// Waiting is what is due and was not done, oldest first.
	Waiting []Planned `json:"waiting"`
	// Last are the last runs, newest first.
	Last []Run `json:"last"`
}

// Planned is one run to come, or one that is owed.
type Planned struct {
	At     time.Time `json:"at"`
	Period string    `json:"period,omitempty"`
	// Reason tells why it was not done yet.
	Reason string `json:"reason,omitempty"`
}

// How much of a job is shown.
const (
	shownNext    = 2
	shownWaiting = 24
)

// Overview tells what is planned, owed and recorded. Errors are of code
// Unavailable.
func (s *Scheduler) Overview(ctx context.Context) (*Overview, error) {
	now := s.c.Now()
	first, err := s.firstDay(ctx)
	if err != nil {
		return nil, err
	}
	o := &Overview{At: now, TimeZone: orShanghai(s.c.Zone).String(), Since: first, MissingHolidays: []int{}, Jobs: []Schedule{}}
	if s.c.Calendar != nil {
		o.MissingHolidays = append(o.MissingHolidays, s.c.Calendar.Missing(schemas.DateOf(now))...)
	}
	if s.c.Lease != nil {
		held, err := s.c.Lease.Holding(ctx)
		if err != nil {
			return nil, err
		}
		if held.Holder != "" {
			o.Lease = &held
		}
	}
	for _, job := range s.c.Jobs {
		o.Jobs = append(o.Jobs, Schedule{Job: job.Name(), Kind: "bulletin", Rule: job.Rule, Mode: modeOr(job.Mode), Next: s.nextPeriods(job, first, now)})
	}
	if s.c.Assessment != nil {
		yearly := Job{Kind: schemas.Year, Schedule: s.c.Assessment}
		o.Jobs = append(o.Jobs, Schedule{Job: assessmentJob, Kind: "assessment", Rule: s.c.AssessmentRule, Mode: Manual, Next: s.nextPeriods(yearly, first, now)})
	}
	for _, notice := range s.c.Notices {
		o.Jobs = append(o.Jobs, Schedule{Job: string(notice.Notice), Kind: "notice", Rule: notice.Rule, Mode: Auto, Next: nextFirings(notice.Schedule, now)})
	}
	waiting, err := s.waiting(ctx, first, now)
	if err != nil {
		return nil, err
	}
	for i := range o.Jobs {
		job := &o.Jobs[i]
		job.Waiting, job.Last = []Planned{}, []Run{}
		if s.c.Runs != nil {
			runs, err := s.c.Runs.Last(ctx, job.Job)
			if err != nil {
				return nil, err
			}
			job.Last = append(job.Last, runs[:min(len(runs), shownRuns)]...)
		}
		for _, d := range waiting {
			if d.job == job.Job && len(job.Waiting) < shownWaiting {
				job.Waiting = append(job.Waiting, Planned{At: d.at, Period: d.subject.Period, Reason: s.whyWaiting(d, job.Last, o.Lease)})
			}
		}
	}
	return o, nil
}

func modeOr(mode Mode) Mode {
	if mode == "" {
		return Auto
	}
	return mode
}

// nextPeriods gives the periods that are not due yet, with the day they will be.
func (s *Scheduler) nextPeriods(job Job, first schemas.Date, now time.Time) []Planned {
	// What ended before the day of the first start is never published.
	from := max(first, schemas.DateOf(now)-400)
	next := []Planned{}
	for p := schemas.PeriodContaining(job.Kind, from); len(next) < shownNext; p = p.Next() {
		at := job.due(p, s.c.ReportDay)
		if at.IsZero() {
			break
		}
		if at.After(now) {
			next = append(next, Planned{At: at, Period: p.String()})
		}
	}
	return next
}

func nextFirings(schedule cron.Schedule, now time.Time) []Planned {
	next := []Planned{}
	for at := schedule.Next(now); !at.IsZero() && len(next) < shownNext; at = schedule.Next(at) {
		next = append(next, Planned{At: at})
	}
	return next
}

// waiting lists what is due and neither published nor drafted.
func (s *Scheduler) waiting(ctx context.Context, first schemas.Date, now time.Time) ([]duty, error) {
	type numbers struct {
		kind string
		year int
	}
	known := map[numbers]Issued{}
	var waiting []duty
	for _, d := range s.duties(first, now) {
		key := numbers{d.subject.Kind, d.subject.Year}
		issued, read := known[key]
		if !read {
			var err error
			if issued, err = s.c.Editions.Published(ctx, key.kind, key.year); err != nil {
				return nil, err
			}
			known[key] = issued
		}
		if _, published := issued.of(d.subject); !published {
			waiting = append(waiting, d)
		}
	}
	return waiting, nil
}

// whyWaiting says why what is due is not published.
func (s *Scheduler) whyWaiting(d duty, last []Run, lease *Holding) string {
	for _, run := range last {
		if run.Period != d.subject.Period {
			continue
		}
		switch run.Result {
		case Failed:
			return fmt.Sprintf("failed %d times and is tried again every %s: %s", run.Tries, s.c.Retry, run.Reason)
		case Running:
			if lease != nil && lease.Holder == run.Replica {
				return "is running on " + run.Replica
			}
			return "was interrupted on " + run.Replica + "; the next look goes on"
		case Drafted:
			return "drafted; people publish it"
		default:
			return run.Reason
		}
	}
	if lease != nil {
		return "its turn comes: " + lease.Holder + " runs what is due"
	}
	return "an earlier period of the job comes first, or no process runs the scheduler"
}
