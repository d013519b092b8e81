package deploy

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"milepost/scheduler"
	"milepost/schemas"
)

// What the schedules of bulletins may be besides a cron expression.
const (
	// afterReportDay is the first working day after the day on which reports are
	// due; the default of bulletins.monthly and bulletins.quarterly.
	afterReportDay = "after-report-day"
	// scheduleOff leaves it to people.
	scheduleOff = "off"
	// assessmentDraft is the default of bulletins.assessment: 15 January.
	assessmentDraft = "0 9 15 1 *"
)

// schedules are when bulletins are published and assessments drafted.
type schedules struct {
	bulletins  []scheduler.Job
	assessment cron.Schedule // nil: never
}

// schedules reads the configuration; a month comes before a quarter that is due
// at the same instant.
func (c BulletinsConfig) schedules(book *schemas.RuleBook, calendar *scheduler.Calendar) (schedules, error) {
	var s schedules
	for _, job := range []struct {
		kind       schemas.PeriodKind
		key, given string
	}{{schemas.MonthOf, "monthly", c.Monthly}, {schemas.Quarter, "quarterly", c.Quarterly}} {
		schedule, err := scheduleOf(job.key, job.given, scheduler.FirstWorkingDay{After: reportDay(book), At: 9 * time.Hour, Calendar: calendar})
		if err != nil {
			return s, err
		}
		if schedule != nil {
			s.bulletins = append(s.bulletins, scheduler.Job{Kind: job.kind, Schedule: schedule})
		}
	}
	given := c.Assessment
	if given == "" {
		given = assessmentDraft
	}
	var err error
	s.assessment, err = scheduleOf("assessment", given, nil)
	return s, err
}

// scheduleOf reads one key: "off" gives nil; a rule is what the key may name
// instead of a cron expression.
func scheduleOf(key, given string, rule cron.Schedule) (cron.Schedule, error) {
	switch {
	case given == scheduleOff:
		return nil, nil
	case rule != nil && (given == "" || given == afterReportDay):
		return rule, nil
	}
	schedule, err := scheduler.ParseSchedule(given)
	if err != nil {
		return nil, fmt.Errorf("bulletins.%s: %w", key, err)
	}
	return schedule, nil
}

// reportDay gives the day of the following month by which the reports of a
// month are due: by the rules of the month's last day.
func reportDay(book *schemas.RuleBook) func(schemas.Month) int {
	return func(month schemas.Month) int { return book.On(month.Last()).ReportDay }
}
