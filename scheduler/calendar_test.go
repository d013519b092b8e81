package scheduler

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

func theTenth(schemas.Month) int { return 10 }

func TestFirstWorkingDayAfterTheTenth(t *testing.T) {
	schedule := FirstWorkingDay{Calendar: NewCalendar(quiet()), After: theTenth, At: 9 * time.Hour}
	for _, tc := range []struct{ after, want, why string }{
		{"2025-11-01 00:00", "2025-11-11 09:00", "a Tuesday"},
		{"2025-11-11 08:59", "2025-11-11 09:00", "still to come"},
		{"2025-11-11 09:00", "2025-12-11 09:00", "later, not at"},
		{"2025-10-01 00:00", "2025-10-11 09:00", "a Saturday worked in exchange for National Day"},
		{"2024-10-01 00:00", "2024-10-11 09:00", "a Friday"},
		{"2024-02-01 00:00", "2024-02-18 09:00", "Spring Festival to the 17th, the Sunday after is worked"},
		{"2021-02-01 00:00", "2021-02-18 09:00", "Spring Festival from the 11th to the 17th"},
		{"2026-10-01 00:00", "2026-10-12 09:00", "the 11th is a Sunday"},
		{"2026-07-01 00:00", "2026-07-13 09:00", "the 11th is a Saturday"},
		{"2019-12-31 00:00", "2020-01-13 09:00", "over the year's end"},
		{"2031-05-01 00:00", "2031-05-12 09:00", "a year without data: weekdays"},
	} {
		if got := schedule.Next(clock(tc.after)); !got.Equal(clock(tc.want)) {
			t.Errorf("after %s: %s, want %s (%s)", tc.after, got, tc.want, tc.why)
		}
	}
}

func TestAYearWithoutHolidaysWarnsOnce(t *testing.T) {
	var log bytes.Buffer
	calendar := NewCalendar(slog.New(slog.NewTextHandler(&log, nil)))
	if calendar.Working(schemas.NewDate(2031, 10, 4)) || !calendar.Working(schemas.NewDate(2031, 10, 1)) {
		t.Error("2031 is not counted by weekdays")
	}
	if got := strings.Count(log.String(), "year=2031"); got != 1 {
		t.Errorf("warned %d times:\n%s", got, &log)
	}
	if calendar.Working(schemas.NewDate(2025, 10, 1)) {
		t.Error("National Day is no working day")
	}
	if strings.Contains(log.String(), "year=2025") {
		t.Error("2025 is known")
	}
}

func TestParseSchedule(t *testing.T) {
	schedule, err := ParseSchedule("30 8 12 * *")
	if err != nil {
		t.Fatal(err)
	}
	if got := schedule.Next(clock("2025-11-12 08:30")); !got.Equal(clock("2025-12-12 08:30")) {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", "TZ=Asia/Tokyo", "CRON_TZ=UTC 0 9 12 * *", "@monthly", "0 9 31 2 *", "0 9 12 *", "0 0 9 12 * *", "0 99 12 * *", "每月"} {
		if _, err := ParseSchedule(bad); schemas.CodeOf(err) != schemas.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestPeriodsAreNeverDueBeforeTheirReports(t *testing.T) {
	schedule := func(expression string) Job {
		s, err := ParseSchedule(expression)
		if err != nil {
			t.Fatal(err)
		}
		return Job{Schedule: s}
	}
	for _, tc := range []struct{ expression, period, want string }{
		{"0 9 12 * *", "2025-10", "2025-11-12 09:00"},
		{"0 0 11 * *", "2025-10", "2025-11-11 00:00"},
		{"0 9 5 * *", "2025-10", "2025-12-05 09:00"}, // reports are due on the 10th
		{"0 9 12 1,4,7,10 *", "2025-Q4", "2026-01-12 09:00"},
		{"0 9 12 * *", "2025-H1", "2025-07-12 09:00"},
		{"0 9 12 * *", "2025", "2026-01-12 09:00"},
		{"0 9 * * 1", "2025-W23", "2025-06-09 09:00"},
	} {
		if got := schedule(tc.expression).due(period(tc.period), theTenth); !got.Equal(clock(tc.want)) {
			t.Errorf("%s of %s: %s, want %s", tc.period, tc.expression, got, tc.want)
		}
	}
}
