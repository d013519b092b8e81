package settings

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"milepost/scheduler"
	"milepost/schemas"
)

func TestSchedulesOfTheConfiguration(t *testing.T) {
	t.Parallel()
	book, log := schemas.UndatedRules(schemas.DefaultRules()), slog.New(slog.DiscardHandler)
	from := schemas.NewDate(2026, 1, 1).Start()
	holidays := filepath.Join(t.TempDir(), "days.yaml")
	if err := os.WriteFile(holidays, []byte("2026-01-12: holiday\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		config Config
		want   string // the first firing in 2026 of each job
	}{
		{"defaults", Config{}, "monthly 01-12 09:00, quarterly 01-12 09:00, half-yearly 01-12 09:00, assessment 01-15 09:00, reminder 01-08 09:00, light-check 01-01 08:00"},
		{"cron expressions", Config{Bulletins: BulletinsConfig{Weekly: "0 9 * * 1", Monthly: "30 8 12 * *", Quarterly: "0 10 20 1,4,7,10 *", HalfYearly: "off", Assessment: "0 9 20 1 *"}},
			"weekly 01-05 09:00, monthly 01-12 08:30, quarterly 01-20 10:00, assessment 01-20 09:00, reminder 01-08 09:00, light-check 01-01 08:00"},
		{"off", Config{Bulletins: BulletinsConfig{Monthly: "off", Quarterly: "off", HalfYearly: "off", Assessment: "off"}, Schedule: ScheduleConfig{Reminder: "off", LightCheck: "off"}}, ""},
		{"rules, modes, holidays", Config{Bulletins: BulletinsConfig{Monthly: "first working day from the 12th at 08:30", Quarterly: "off", HalfYearly: "off", Assessment: "off", Modes: map[string]string{"monthly": "manual"}},
			Schedule: ScheduleConfig{Calendar: holidays, Reminder: "off", LightCheck: "off"}}, "monthly 01-13 08:30 manual"},
		{"another zone", Config{Schedule: ScheduleConfig{TimeZone: "Europe/Berlin"}},
			"monthly 01-12 16:00, quarterly 01-12 16:00, half-yearly 01-12 16:00, assessment 01-15 16:00, reminder 01-08 16:00, light-check 01-01 15:00"},
	} {
		s, err := tc.config.Schedules(book, log)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var got []string
		add := func(name string, next time.Time) {
			got = append(got, name+" "+next.In(schemas.Location).Format("01-02 15:04"))
		}
		for _, job := range s.Bulletins {
			add(job.Name(), job.Schedule.Next(from))
			if job.Mode == scheduler.Manual {
				got[len(got)-1] += " manual"
			}
		}
		if s.Assessment != nil {
			add("assessment", s.Assessment.Next(from))
		}
		for _, notice := range s.Notices {
			add(string(notice.Notice), notice.Schedule.Next(from))
		}
		if text := strings.Join(got, ", "); text != tc.want {
			t.Errorf("%s:\n%s, want\n%s", tc.name, text, tc.want)
		}
	}
}

func TestSchedulesThatAreWrong(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{
		"bulletins.monthly":       {Bulletins: BulletinsConfig{Monthly: "never"}},
		"bulletins.quarterly":     {Bulletins: BulletinsConfig{Quarterly: "0 9 31 2 *"}},
		"bulletins.assessment":    {Bulletins: BulletinsConfig{Assessment: "first Monday"}},
		"schedule.reminder":       {Schedule: ScheduleConfig{Reminder: "TZ=UTC 0 9 8 * *"}},
		"schedule.time_zone":      {Schedule: ScheduleConfig{TimeZone: "Mars/Olympus"}},
		"schedule.calendar":       {Schedule: ScheduleConfig{Calendar: "/nowhere/days.csv"}},
		"bulletins.modes":         {Bulletins: BulletinsConfig{Modes: map[string]string{"daily": "auto"}}},
		"bulletins.modes.monthly": {Bulletins: BulletinsConfig{Modes: map[string]string{"monthly": "half"}}},
	} {
		err := config.WithDefaults().Check()
		if code := schemas.CodeOf(err); code != schemas.Invalid && code != schemas.NotFound || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Config{}).WithDefaults().Check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
