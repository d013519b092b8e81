package deploy

import (
	"log/slog"
	"strings"
	"testing"

	"milepost/scheduler"
	"milepost/schemas"
)

func TestSchedulesOfTheConfiguration(t *testing.T) {
	calendar := scheduler.NewCalendar(slog.New(slog.DiscardHandler))
	book := schemas.UndatedRules(schemas.DefaultRules())
	from := schemas.NewDate(2026, 1, 1).Start()
	for _, tc := range []struct {
		name                           string
		config                         BulletinsConfig
		monthly, quarterly, assessment string // the first firing in 2026; empty: never
	}{
		{"defaults", BulletinsConfig{}, "2026-01-12 09:00", "2026-01-12 09:00", "2026-01-15 09:00"},
		{"cron expressions", BulletinsConfig{Monthly: "30 8 12 * *", Quarterly: "0 10 20 1,4,7,10 *", Assessment: "0 9 20 1 *"}, "2026-01-12 08:30", "2026-01-20 10:00", "2026-01-20 09:00"},
		{"off", BulletinsConfig{Monthly: "off", Quarterly: "off", Assessment: "off"}, "", "", ""},
		{"named rules", BulletinsConfig{Monthly: afterReportDay, Quarterly: afterReportDay}, "2026-01-12 09:00", "2026-01-12 09:00", "2026-01-15 09:00"},
	} {
		s, err := tc.config.schedules(book, calendar)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		got := map[schemas.PeriodKind]string{}
		for _, job := range s.bulletins {
			got[job.Kind] = job.Schedule.Next(from).In(schemas.Location).Format("2006-01-02 15:04")
		}
		if s.assessment != nil {
			got[schemas.Year] = s.assessment.Next(from).In(schemas.Location).Format("2006-01-02 15:04")
		}
		if got[schemas.MonthOf] != tc.monthly || got[schemas.Quarter] != tc.quarterly || got[schemas.Year] != tc.assessment {
			t.Errorf("%s: %v", tc.name, got)
		}
		if len(s.bulletins) == 2 && s.bulletins[0].Kind != schemas.MonthOf {
			t.Errorf("%s: a quarter comes before the month of its day", tc.name)
		}
	}
	for key, config := range map[string]BulletinsConfig{
		"bulletins.monthly": {Monthly: "never"}, "bulletins.quarterly": {Quarterly: "0 9 31 2 *"}, "bulletins.assessment": {Assessment: afterReportDay},
	} {
		if _, err := config.schedules(book, calendar); schemas.CodeOf(err) != schemas.Invalid || !strings.Contains(err.Error(), key) {
			t.Errorf("%+v: %v", config, err)
		}
	}
}
