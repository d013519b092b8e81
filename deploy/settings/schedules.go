package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
	_ "time/tzdata" // zones by name, whatever the machine has

	"github.com/robfig/cron/v3"

	"milepost/scheduler"
	"milepost/schemas"
)

// ScheduleConfig says by whose clocks and calendar schedules run, and when
// notices are told.
type ScheduleConfig struct {
	// TimeZone is whose clocks schedules follow, by its IANA name; by default
	// Asia/Shanghai. The days of events and periods stay those of Asia/Shanghai.
	TimeZone string `yaml:"time_zone"`
	// Calendar is a file of holidays and of days worked in exchange (调休), which
	// win over the announced ones that the program knows.
	Calendar string `yaml:"calendar"`
	// Reminder is when offices are asked for missing reports (催报), by default the
	// 8th at 09:00; "off" asks nobody.
	Reminder string `yaml:"reminder"`
	// LightCheck is when changes for the worse are looked for, by default every
	// day at 08:00; "off" never.
	LightCheck string `yaml:"light_check"`
}

// What the schedules are by default, and what they may be besides a cron
// expression or a rule by working days.
const (
	// afterReportDay is the first working day after the day on which reports are
	// due.
	afterReportDay = "after-report-day"
	// scheduleOff leaves it to people.
	scheduleOff = "off"
	// assessmentDraft is 15 January.
	assessmentDraft = "0 9 15 1 *"
	// reminderDay is the 8th, two days before reports are due.
	reminderDay = "0 9 8 * *"
	// lightCheckTime is every morning.
	lightCheckTime = "0 8 * * *"
)

// Schedules are when bulletins are published, assessments drafted and notices
// told.
type Schedules struct {
	Calendar       *scheduler.Calendar
	Zone           *time.Location
	Bulletins      []scheduler.Job
	Assessment     cron.Schedule // nil: never
	AssessmentRule string
	Notices        []scheduler.NoticeJob
	// ReportDay gives the day of the following month by which the reports of a
	// month are due: by the rules of the month's last day.
	ReportDay func(schemas.Month) int
}

// bulletinJobs are the jobs of bulletins; of those due at the same instant the
// first comes first.
func (c BulletinsConfig) jobs() []struct {
	kind       schemas.PeriodKind
	key, given string
} {
	return []struct {
		kind       schemas.PeriodKind
		key, given string
	}{
		{schemas.Week, "weekly", orText(c.Weekly, scheduleOff)},
		{schemas.MonthOf, "monthly", orText(c.Monthly, afterReportDay)},
		{schemas.Quarter, "quarterly", orText(c.Quarterly, afterReportDay)},
		{schemas.Half, "half_yearly", orText(c.HalfYearly, afterReportDay)},
	}
}

func orText(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}

// Schedules reads the configuration, and names everything that is wrong with it
// at once.
func (c Config) Schedules(book *schemas.RuleBook, log *slog.Logger) (Schedules, error) {
	s := Schedules{Zone: schemas.Location, ReportDay: func(month schemas.Month) int { return book.On(month.Last()).ReportDay }, AssessmentRule: orText(c.Bulletins.Assessment, assessmentDraft)}
	var wrong []error
	if name := c.Schedule.TimeZone; name != "" && name != schemas.Location.String() {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: "schedule.time_zone", Value: schemas.Shorten(name), Message: "no time zone", Hint: "write its IANA name, such as Asia/Shanghai or Europe/Berlin", Err: err})
		} else {
			s.Zone = zone
		}
	}
	var days map[schemas.Date]scheduler.DayKind
	if path := c.Schedule.Calendar; path != "" {
		var err error
		if days, err = scheduler.ReadCalendar(path); err != nil {
			wrong = append(wrong, err)
		}
	}
	s.Calendar = scheduler.NewCalendar(log, days)
	words := scheduler.ScheduleWords{Calendar: s.Calendar, ReportDay: s.ReportDay, Zone: s.Zone}
	read := func(key, given string) cron.Schedule {
		if given == scheduleOff {
			return nil
		}
		schedule, err := words.Parse(given)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", key, err))
			return nil
		}
		return schedule
	}
	modes := maps.Clone(c.Bulletins.Modes)
	for _, job := range c.Bulletins.jobs() {
		mode := scheduler.Mode(orText(modes[job.key], string(scheduler.Auto)))
		if mode != scheduler.Auto && mode != scheduler.Manual {
			wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: "bulletins.modes." + job.key, Value: schemas.Shorten(string(mode)), Message: "no such mode", Hint: "auto publishes, manual drafts and waits for people"})
		}
		delete(modes, job.key)
		if schedule := read("bulletins."+job.key, job.given); schedule != nil {
			s.Bulletins = append(s.Bulletins, scheduler.Job{Kind: job.kind, Schedule: schedule, Mode: mode, Rule: job.given})
		}
	}
	for _, unknown := range slices.Sorted(maps.Keys(modes)) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: "bulletins.modes", Value: schemas.Shorten(unknown), Message: "no such job", Hint: "weekly, monthly, quarterly or half_yearly"})
	}
	s.Assessment = read("bulletins.assessment", s.AssessmentRule)
	for _, notice := range []struct {
		notice     scheduler.Notice
		key, given string
	}{
		{scheduler.Reminder, "reminder", orText(c.Schedule.Reminder, reminderDay)},
		{scheduler.LightCheck, "light_check", orText(c.Schedule.LightCheck, lightCheckTime)},
	} {
		if schedule := read("schedule."+notice.key, notice.given); schedule != nil {
			s.Notices = append(s.Notices, scheduler.NoticeJob{Notice: notice.notice, Schedule: schedule, Rule: notice.given})
		}
	}
	return s, errors.Join(wrong...)
}
