package scheduler

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

func theTenth(schemas.Month) int { return 10 }

func TestFirstWorkingDayAfterTheTenth(t *testing.T) {
	schedule := WorkingDayRule{Calendar: NewCalendar(quiet()), After: theTenth, At: 9 * time.Hour}
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

func TestAYearWithoutHolidaysIsToldWhenItMatters(t *testing.T) {
	var log bytes.Buffer
	calendar := NewCalendar(slog.New(slog.NewTextHandler(&log, nil)))
	if calendar.Working(schemas.NewDate(2031, 10, 4)) || !calendar.Working(schemas.NewDate(2031, 10, 1)) {
		t.Error("2031 is not counted by weekdays")
	}
	if calendar.Working(schemas.NewDate(2025, 10, 1)) {
		t.Error("National Day is no working day")
	}
	for _, tc := range []struct {
		on   schemas.Date
		want []int
	}{
		{schemas.NewDate(2025, 12, 31), nil},
		{schemas.NewDate(2030, 10, 31), []int{2030}},
		{schemas.NewDate(2030, 11, 1), []int{2030, 2031}},
	} {
		if got := calendar.Missing(tc.on); !slices.Equal(got, tc.want) {
			t.Errorf("missing on %s: %v, want %v", tc.on, got, tc.want)
		}
		calendar.warn(tc.on)
		calendar.warn(tc.on)
	}
	for text, want := range map[string]int{"year=2025": 0, "year=2030": 1, "year=2031": 1} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%s: warned %d times, want %d:\n%s", text, got, want, &log)
		}
	}
}

func TestACalendarFileWinsOverTheLibrary(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, text := range map[string]string{
		"days.csv":  "\ufeffdate,day\n# 国庆节\n2031-10-01,holiday,国庆节\n2031-10-02,holiday\n2031-10-11,working\n2025-10-09,holiday\n",
		"days.yaml": "2031-10-01: holiday\n2031-10-02: holiday\n2031-10-11: working\n2025-10-09: holiday\n",
	} {
		days, err := ReadCalendar(write(name, text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		calendar := NewCalendar(quiet(), days)
		for day, want := range map[schemas.Date]bool{
			schemas.NewDate(2031, 10, 2): false, schemas.NewDate(2031, 10, 11): true, schemas.NewDate(2031, 10, 13): true,
			schemas.NewDate(2025, 10, 9): false, schemas.NewDate(2025, 10, 10): true, schemas.NewDate(2025, 10, 1): false,
		} {
			if calendar.Working(day) != want {
				t.Errorf("%s: working on %s: %t", name, day, !want)
			}
		}
		if !calendar.Known(2031) || calendar.Known(2032) {
			t.Errorf("%s: the years known are wrong", name)
		}
		rule := WorkingDayRule{Calendar: calendar, After: theTenth, At: 9 * time.Hour}
		if got := rule.Next(clock("2031-10-01 00:00")); !got.Equal(clock("2031-10-11 09:00")) {
			t.Errorf("%s: %s, want the Saturday that is worked", name, got)
		}
	}
	for name, text := range map[string]string{
		"no-day.csv": "1 October,holiday\n", "no-kind.csv": "2031-10-01,closed\n", "one.csv": "2031-10-01\n",
		"twice.csv": "2031-10-01,holiday\n2031-10-01,working\n", "list.yaml": "- 2031-10-01\n", "quotes.csv": "2031-10-01,\"holiday\n",
		"large.csv": strings.Repeat("2031-10-01,holiday\n", 100_000),
	} {
		if _, err := ReadCalendar(write(name, text)); schemas.CodeOf(err) != schemas.Invalid || !strings.Contains(err.Error(), "calendar file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadCalendar(filepath.Join(dir, "nowhere.csv")); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("no file: %v", err)
	}
}

func TestRulesByWorkingDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	words := ScheduleWords{Calendar: NewCalendar(quiet()), ReportDay: theTenth}
	for _, tc := range []struct {
		rule, after, want string
		zone              *time.Location
	}{
		{"after-report-day", "2026-07-01 00:00", "2026-07-13 09:00", nil},
		{"first working day after the 10th", "2026-07-01 00:00", "2026-07-13 09:00", nil},
		{"first  working day after the report day at 8:30", "2026-07-01 00:00", "2026-07-13 08:30", nil},
		{"first working day from the 11th at 17:05", "2025-11-01 00:00", "2025-11-11 17:05", nil},
		{"first working day after the 11th", "2025-11-01 00:00", "2025-11-12 09:00", nil},
		{"first working day from the 1st", "2025-09-30 00:00", "2025-10-09 09:00", nil},
		{"first working day after the 10th", "2026-01-01 00:00", "2026-01-12 16:00", berlin}, // 09:00 in Berlin
		{"first working day after the 10th", "2026-07-01 00:00", "2026-07-13 15:00", berlin},
	} {
		words.Zone = tc.zone
		schedule, err := words.Parse(tc.rule)
		if err != nil {
			t.Errorf("%s: %v", tc.rule, err)
			continue
		}
		if got := schedule.Next(clock(tc.after)); !got.Equal(clock(tc.want)) {
			t.Errorf("%s after %s: %s, want %s", tc.rule, tc.after, got, tc.want)
		}
	}
	for _, bad := range []string{"first working day", "first working day after the 31st", "first working day after the 10th at 25:00", "first Monday after the 10th", "first working day from the 0th"} {
		if _, err := words.Parse(bad); schemas.CodeOf(err) != schemas.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestSummerTime walks through both changes of Europe/Berlin.
func TestSummerTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, tc := range []struct {
		expression, after string
		want              []string
	}{
		{"30 2 30 * *", "2025-03-01T00:00:00+01:00", []string{"2025-03-30T03:30:00+02:00", "2025-04-30T02:30:00+02:00"}}, // left out
		{"30 2 26 * *", "2025-10-01T00:00:00+02:00", []string{"2025-10-26T02:30:00+02:00", "2025-11-26T02:30:00+01:00"}}, // comes twice
		{"30 2 * * *", "2025-10-26T02:10:00+01:00", []string{"2025-10-27T02:30:00+01:00"}},                               // within the second time
		{"30 2 * * *", "2025-03-30T03:10:00+02:00", []string{"2025-03-30T03:30:00+02:00", "2025-03-31T02:30:00+02:00"}},  // started in between
		{"0 * * * *", "2025-03-30T01:30:00+01:00", []string{"2025-03-30T03:00:00+02:00", "2025-03-30T04:00:00+02:00"}},   // every hour
		{"0 9 12 * *", "2025-03-01T00:00:00+01:00", []string{"2025-03-12T09:00:00+01:00", "2025-04-12T09:00:00+02:00"}},  // far from it
		{"0 0 1 1 *", "2025-06-01T00:00:00+02:00", []string{"2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"}},   // over the year
		{"0 12 * * 0", "2025-03-29T13:00:00+01:00", []string{"2025-03-30T12:00:00+02:00", "2025-04-06T12:00:00+02:00"}},  // on the day
		{"0 12 * * 0", "2025-10-25T13:00:00+02:00", []string{"2025-10-26T12:00:00+01:00", "2025-11-02T12:00:00+01:00"}},  // on the other day
	} {
		schedule, err := ScheduleWords{Zone: berlin}.Parse(tc.expression)
		if err != nil {
			t.Fatal(err)
		}
		from := at(tc.after)
		for _, want := range tc.want {
			if from = schedule.Next(from); !from.Equal(at(want)) {
				t.Errorf("%s after %s: %s, want %s", tc.expression, tc.after, from.In(berlin).Format(time.RFC3339), want)
			}
		}
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
