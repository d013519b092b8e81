package scheduler

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/6tail/lunar-go/HolidayUtil"

	"milepost/schemas"
)

// Calendar knows the working days of China: weekdays, less the public holidays,
// plus the days that are worked in exchange (调休).
type Calendar struct {
	log *slog.Logger
	// given are the days of an office's own file; they win.
	given map[schemas.Date]DayKind

	mu     sync.Mutex
	warned map[int]bool
	// looked are the days that were looked up: the library searches a text.
	looked map[schemas.Date]bool
}

// NewCalendar gives the calendar of the State Council's announcements, as far
// as they are known; the days of given win over them (see ReadCalendar). In a
// year that is not known it counts weekdays.
func NewCalendar(log *slog.Logger, given ...map[schemas.Date]DayKind) *Calendar {
	c := &Calendar{log: log, given: map[schemas.Date]DayKind{}, warned: map[int]bool{}, looked: map[schemas.Date]bool{}}
	for _, days := range given {
		for day, kind := range days {
			c.given[day] = kind
		}
	}
	return c
}

// Working tells whether offices work on the day.
func (c *Calendar) Working(d schemas.Date) bool {
	if kind, ok := c.given[d]; ok {
		return kind == WorkingDay
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	working, before := c.looked[d]
	if !before {
		working = workingByLaw(d)
		c.looked[d] = working
	}
	return working
}

// workingByLaw goes by the State Council's announcement, or by weekdays.
func workingByLaw(d schemas.Date) bool {
	if announced(d.Year()) {
		if h := HolidayUtil.GetHoliday(d.String()); h != nil {
			return h.IsWork()
		}
	}
	weekday := d.Time().Weekday()
	return weekday != time.Saturday && weekday != time.Sunday
}

// announced looks for the year's National Day: some days of a year come with
// the New Year's holiday of the next, long before the rest of it.
func announced(year int) bool {
	return HolidayUtil.GetHoliday(nationalDay(year).String()) != nil
}

func nationalDay(year int) schemas.Date { return schemas.NewDate(year, time.October, 1) }

// Known tells whether the holidays of the year are known: announced, or in the
// office's own file, which then names the year's National Day.
func (c *Calendar) Known(year int) bool {
	_, own := c.given[nationalDay(year)]
	return own || announced(year)
}

// Missing gives the years whose holidays matter on the day and are not known:
// the day's own, and from November on the next, since the State Council
// announces a year's holidays late in the year before.
func (c *Calendar) Missing(on schemas.Date) []int {
	var years []int
	if !c.Known(on.Year()) {
		years = append(years, on.Year())
	}
	if next := on.Year() + 1; on.Month().Number() >= int(time.November) && !c.Known(next) {
		years = append(years, next)
	}
	return years
}

// warn tells of each missing year once.
func (c *Calendar) warn(on schemas.Date) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, year := range c.Missing(on) {
		if !c.warned[year] {
			c.warned[year] = true
			c.log.Warn("the public holidays of the year are not known; weekdays count as working days",
				"year", year, "hint", fmt.Sprintf("name a file with its holidays by schedule.calendar, %s among them", nationalDay(year)))
		}
	}
}

// WorkingDayRule is a cron.Schedule that fires once a month, on the first
// working day after a day of the month, or that is the day itself.
type WorkingDayRule struct {
	Calendar *Calendar
	// After gives the day of the month that follows the reported one: for the
	// 10th, the rule fires from the 11th on.
	After func(reported schemas.Month) int
	// At is the time of day on the clock of Zone, 09:00 being nine hours; Zone
	// nil stands for Asia/Shanghai.
	At   time.Duration
	Zone *time.Location
}

// Next gives the first firing later than t.
func (f WorkingDayRule) Next(t time.Time) time.Time {
	zone := orShanghai(f.Zone)
	for month := dateIn(t, zone).Month() - 1; ; month++ {
		day := month.Day(f.After(month-1) + 1)
		for !f.Calendar.Working(day) {
			day++
		}
		if at := onClock(day, f.At, zone); at.After(t) {
			return at
		}
	}
}

func orShanghai(zone *time.Location) *time.Location {
	if zone == nil {
		return schemas.Location
	}
	return zone
}

// dateIn gives the day that the instant falls on in the zone.
func dateIn(t time.Time, zone *time.Location) schemas.Date {
	year, month, day := t.In(zone).Date()
	return schemas.NewDate(year, month, day)
}

// onClock gives the instant at which the zone's clocks show the time of day; an
// hour that summer time leaves out is shown an hour later.
func onClock(d schemas.Date, at time.Duration, zone *time.Location) time.Time {
	year, month, day := d.Time().Date()
	shown := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Add(at)
	return fromClock(shown, zone)
}

// fromClock reads the fields of shown, which is in UTC, as those of the zone's
// clocks. Of two instants it takes the earlier; an hour that is left out moves
// on by what the clocks move.
func fromClock(shown time.Time, zone *time.Location) time.Time {
	_, before := shown.Add(-24 * time.Hour).In(zone).Zone()
	_, after := shown.Add(24 * time.Hour).In(zone).Zone()
	early := shown.Add(-time.Duration(before) * time.Second).In(zone)
	late := shown.Add(-time.Duration(after) * time.Second).In(zone)
	if !sameClock(early, shown) && sameClock(late, shown) {
		return late
	}
	return early
}

func sameClock(t, shown time.Time) bool {
	return t.Day() == shown.Day() && t.Hour() == shown.Hour() && t.Minute() == shown.Minute() && t.Second() == shown.Second()
}
