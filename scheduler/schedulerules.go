package scheduler

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"milepost/schemas"
)

// ScheduleWords is what schedules are made of besides their text.
type ScheduleWords struct {
	Calendar *Calendar
	// ReportDay gives the day by which the reports of a month are due.
	ReportDay func(schemas.Month) int
	// Zone is whose clocks schedules follow; nil stands for Asia/Shanghai.
	Zone *time.Location
}

// ParseSchedule reads a cron expression of five fields (minute, hour, day of
// month, month, day of week) on the clocks of Asia/Shanghai.
func ParseSchedule(expression string) (cron.Schedule, error) {
	return ScheduleWords{}.cron(expression)
}

// workingDayRule is the rule by working days. The 10th itself is left out after
// "after", and counts after "from".
var workingDayRule = regexp.MustCompile(`^first working day (after|from) (?:the (\d{1,2})(?:st|nd|rd|th)|the (report day))(?: at (\d{1,2}):(\d{2}))?$`)

// afterReportDay is the rule that most bulletins follow, in one word.
const afterReportDay = "after-report-day"

// Parse reads a schedule: a cron expression; "first working day after the 10th",
// "first working day from the 8th" (the 8th, or the next working day) or "first
// working day after the report day", each with " at 08:30" when 09:00 is not
// meant; or "after-report-day". Errors are of code Invalid.
func (w ScheduleWords) Parse(text string) (cron.Schedule, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == afterReportDay {
		text = "first working day after the report day"
	}
	if !strings.HasPrefix(text, "first ") {
		return w.cron(text)
	}
	refuse := func(message string) error {
		return &schemas.Error{Code: schemas.Invalid, Message: message, Value: schemas.Shorten(text),
			Hint: "write such as: first working day after the 10th at 09:00"}
	}
	parts := workingDayRule.FindStringSubmatch(text)
	if parts == nil {
		return nil, refuse("not a rule by working days")
	}
	rule := WorkingDayRule{Calendar: w.Calendar, After: w.ReportDay, At: 9 * time.Hour, Zone: w.Zone}
	back := 0
	if parts[1] == "from" {
		back = 1
	}
	if parts[3] != "" {
		rule.After = func(m schemas.Month) int { return w.ReportDay(m) - back }
	} else {
		day, err := strconv.Atoi(parts[2])
		if err != nil || day < 1 || day > 28 {
			return nil, refuse("a day that not every month has")
		}
		rule.After = func(schemas.Month) int { return day - back }
	}
	if parts[4] != "" {
		hour, _ := strconv.Atoi(parts[4])
		minute, _ := strconv.Atoi(parts[5])
		if hour > 23 || minute > 59 {
			return nil, refuse("no time of day")
		}
		rule.At = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	}
	return rule, nil
}

func (w ScheduleWords) cron(expression string) (cron.Schedule, error) {
	zone := orShanghai(w.Zone)
	refuse := func(message string, cause error) error {
		return &schemas.Error{Code: schemas.Invalid, Message: message, Value: schemas.Shorten(expression), Err: cause,
			Hint: fmt.Sprintf("write minute, hour, day of month, month and day of week on the clocks of %s, such as 0 9 12 * *", zone)}
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
	return onClocks{schedule, zone}, nil
}

// onClocks fires when the clocks of the zone show what a cron expression says.
// An hour that summer time leaves out is made up for, and one that comes twice
// counts once: cron by itself would skip the first until the day comes again, in
// the next month perhaps.
type onClocks struct {
	schedule cron.Schedule
	zone     *time.Location
}

// Next gives the first firing later than t, and zero when there is none.
func (c onClocks) Next(t time.Time) time.Time {
	local := t.In(c.zone)
	shown := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)
	// What the clocks left out lies behind what they show now, when t is
	// within the hour after.
	shown = shown.Add(-clockChange)
	for {
		shown = c.schedule.Next(shown)
		if shown.IsZero() {
			return time.Time{}
		}
		if at := fromClock(shown, c.zone); at.After(t) {
			return at
		}
	}
}

// clockChange is at least what any clocks move at once for summer time.
const clockChange = 2 * time.Hour
