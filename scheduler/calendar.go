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
	log    *slog.Logger
	mu     sync.Mutex
	warned map[int]bool
}

// NewCalendar gives a calendar. It warns once for each year whose holidays are
// not known yet and then counts weekdays: the State Council announces a year's
// holidays late in the year before.
func NewCalendar(log *slog.Logger) *Calendar {
	return &Calendar{log: log, warned: map[int]bool{}}
}

// Working tells whether offices work on the day.
func (c *Calendar) Working(d schemas.Date) bool {
	if c.known(d.Year()) {
		if h := HolidayUtil.GetHoliday(d.String()); h != nil {
			return h.IsWork()
		}
	}
	weekday := d.Time().Weekday()
	return weekday != time.Saturday && weekday != time.Sunday
}

// known looks for the year's National Day: some days of a year come with the
// New Year's holiday of the next, long before the rest of it.
func (c *Calendar) known(year int) bool {
	if HolidayUtil.GetHoliday(fmt.Sprintf("%04d-10-01", year)) != nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.warned[year] {
		c.warned[year] = true
		c.log.Warn("the public holidays of the year are not known; counting weekdays as working days", "year", year)
	}
	return false
}

// FirstWorkingDay is a cron.Schedule that fires once a month, on the first
// working day after a day of the month.
type FirstWorkingDay struct {
	Calendar *Calendar
	// After gives the day by which the reports of the month before are due, the
	// 10th by the specification.
	After func(reported schemas.Month) int
	// At is the time of day in Asia/Shanghai.
	At time.Duration
}

// Next gives the first firing later than t.
func (f FirstWorkingDay) Next(t time.Time) time.Time {
	for month := schemas.DateOf(t).Month() - 1; ; month++ {
		day := month.Day(f.After(month-1) + 1)
		for !f.Calendar.Working(day) {
			day++
		}
		if at := day.Start().Add(f.At); at.After(t) {
			return at
		}
	}
}
