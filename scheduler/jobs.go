package scheduler

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"milepost/schemas"
)

// Job is a line of the job table: the bulletins of one kind, and when they are
// published.
type Job struct {
	Kind     schemas.PeriodKind
	Schedule cron.Schedule
}

// ParseSchedule reads a cron expression of five fields (minute, hour, day of
// month, month, day of week) in Asia/Shanghai.
func ParseSchedule(expression string) (cron.Schedule, error) {
	refuse := func(message string, cause error) error {
		return &schemas.Error{Code: schemas.Invalid, Message: message, Value: schemas.Shorten(expression), Err: cause,
			Hint: "write minute, hour, day of month, month and day of week in Asia/Shanghai, such as 0 9 12 * *"}
	}
	// The parser would also take a zone of the machine's files, and panics when
	// nothing follows it.
	if strings.Contains(expression, "TZ=") {
		return nil, refuse("a cron expression names no time zone", nil)
	}
	schedule, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expression)
	if err != nil {
		return nil, refuse("not a cron expression", err)
	}
	if schedule.Next(schemas.NewDate(2024, 1, 1).Start()).IsZero() {
		return nil, refuse("a cron expression that never fires", nil)
	}
	return schedule, nil
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

// duePeriods lists the periods that end on or after the first day and are due
// by now, oldest first; at one instant in the order of the job table.
func duePeriods(jobs []Job, first schemas.Date, now time.Time, reportDay func(schemas.Month) int) []schemas.Period {
	type duty struct {
		at     time.Time
		period schemas.Period
	}
	var duties []duty
	for _, job := range jobs {
		for p := schemas.PeriodContaining(job.Kind, first); ; p = p.Next() {
			at := job.due(p, reportDay)
			if at.IsZero() || at.After(now) {
				break
			}
			duties = append(duties, duty{at, p})
		}
	}
	slices.SortStableFunc(duties, func(a, b duty) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.period.End, b.period.End)) })
	periods := make([]schemas.Period, len(duties))
	for i, d := range duties {
		periods[i] = d.period
	}
	return periods
}

// wakes fires whenever a job does, and after each retry interval: a run that
// failed, or a machine that slept through a firing, is made up for.
type wakes struct {
	jobs  []Job
	retry time.Duration
}

func (w wakes) Next(t time.Time) time.Time {
	next := cron.Every(w.retry).Next(t)
	for _, job := range w.jobs {
		if at := job.Schedule.Next(t); !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}
