package scheduler

import (
	"cmp"
	"slices"
	"time"

	"github.com/robfig/cron/v3"

	"milepost/schemas"
)

// Mode says who publishes what a job makes.
type Mode string

// The modes of a job.
const (
	// Auto publishes.
	Auto Mode = "auto"
	// Manual drafts, and leaves the publication to people.
	Manual Mode = "manual"
)

// Job is a line of the job table: the bulletins of one kind, and when they are
// published.
type Job struct {
	Kind     schemas.PeriodKind
	Schedule cron.Schedule
	// Mode is Auto when empty.
	Mode Mode
	// Rule is the schedule in the words of the configuration.
	Rule string
}

// assessmentJob names the job that drafts assessments, as people and the record
// of runs know it.
const assessmentJob = "assessment"

// Name names the job after its kind.
func (j Job) Name() string {
	return map[schemas.PeriodKind]string{schemas.Week: "weekly", schemas.MonthOf: "monthly", schemas.Quarter: "quarterly",
		schemas.Half: "half-yearly", schemas.Year: "yearly"}[j.Kind]
}

// publishable gives the instant from which a period's bulletin may be
// published: when the period has ended, and for months and longer periods when
// the reports of its last month were due (the specification, §5).
func publishable(p schemas.Period, reportDay func(schemas.Month) int) time.Time {
	if p.Kind == schemas.Week {
		return (p.End + 1).Start()
	}
	return (p.End.Month() + 1).Day(reportDay(p.End.Month()) + 1).Start()
}

// due gives the instant at which the job publishes the period's bulletin: the
// first firing from which it may be published. It is zero when there is none.
func (j Job) due(p schemas.Period, reportDay func(schemas.Month) int) time.Time {
	return j.Schedule.Next(publishable(p, reportDay).Add(-1))
}

// duty is one run that a job owes: of a period, from an instant on.
type duty struct {
	job     string
	at      time.Time
	subject Subject
	mode    Mode
	period  schemas.Period
}

// dutiesOf lists what the jobs owe by now for periods that end on or after the
// first day, oldest first; at one instant in the order of the job table.
func dutiesOf(jobs []Job, first schemas.Date, now time.Time, reportDay func(schemas.Month) int) []duty {
	var duties []duty
	for _, job := range jobs {
		for p := schemas.PeriodContaining(job.Kind, first); ; p = p.Next() {
			at := job.due(p, reportDay)
			if at.IsZero() || at.After(now) {
				break
			}
			duties = append(duties, duty{job: job.Name(), at: at, subject: Bulletin(p), mode: job.Mode, period: p})
		}
	}
	slices.SortStableFunc(duties, func(a, b duty) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.period.End, b.period.End))
	})
	return duties
}

// duties lists what is owed by now: bulletins, and drafts of assessments.
func (s *Scheduler) duties(first schemas.Date, now time.Time) []duty {
	duties := dutiesOf(s.c.Jobs, first, now, s.c.ReportDay)
	if s.c.Assessment == nil {
		return duties
	}
	for _, d := range dutiesOf([]Job{{Kind: schemas.Year, Schedule: s.c.Assessment}}, first, now, s.c.ReportDay) {
		d.job, d.subject, d.mode = assessmentJob, Assessment(d.period.End.Year()), Manual
		duties = append(duties, d)
	}
	slices.SortStableFunc(duties, func(a, b duty) int { return a.at.Compare(b.at) })
	return duties
}

// wakes fires whenever a job does, and after each retry interval: a run that
// failed, or a machine that slept through a firing, is made up for.
type wakes struct {
	schedules []cron.Schedule
	retry     time.Duration
}

func (w wakes) Next(t time.Time) time.Time {
	next := cron.Every(w.retry).Next(t)
	for _, schedule := range w.schedules {
		if at := schedule.Next(t); !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}
