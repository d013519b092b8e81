package deploy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"
	_ "time/tzdata" // zones by name, whatever the machine has

	"github.com/nats-io/nats.go/jetstream"
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

// schedules are when bulletins are published, assessments drafted and notices
// told.
type schedules struct {
	calendar       *scheduler.Calendar
	zone           *time.Location
	bulletins      []scheduler.Job
	assessment     cron.Schedule // nil: never
	assessmentRule string
	notices        []scheduler.NoticeJob
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

// schedules reads the configuration, and names everything that is wrong with it
// at once.
func (c Config) schedules(book *schemas.RuleBook, log *slog.Logger) (schedules, error) {
	s := schedules{zone: schemas.Location, assessmentRule: orText(c.Bulletins.Assessment, assessmentDraft)}
	var wrong []error
	if name := c.Schedule.TimeZone; name != "" && name != schemas.Location.String() {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: "schedule.time_zone", Value: schemas.Shorten(name), Message: "no time zone", Hint: "write its IANA name, such as Asia/Shanghai or Europe/Berlin", Err: err})
		} else {
			s.zone = zone
		}
	}
	var days map[schemas.Date]scheduler.DayKind
	if path := c.Schedule.Calendar; path != "" {
		var err error
		if days, err = scheduler.ReadCalendar(path); err != nil {
			wrong = append(wrong, err)
		}
	}
	s.calendar = scheduler.NewCalendar(log, days)
	words := scheduler.ScheduleWords{Calendar: s.calendar, ReportDay: reportDay(book), Zone: s.zone}
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
			s.bulletins = append(s.bulletins, scheduler.Job{Kind: job.kind, Schedule: schedule, Mode: mode, Rule: job.given})
		}
	}
	for _, unknown := range slices.Sorted(maps.Keys(modes)) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: "bulletins.modes", Value: schemas.Shorten(unknown), Message: "no such job", Hint: "weekly, monthly, quarterly or half_yearly"})
	}
	s.assessment = read("bulletins.assessment", s.assessmentRule)
	for _, notice := range []struct {
		notice     scheduler.Notice
		key, given string
	}{
		{scheduler.Reminder, "reminder", orText(c.Schedule.Reminder, reminderDay)},
		{scheduler.LightCheck, "light_check", orText(c.Schedule.LightCheck, lightCheckTime)},
	} {
		if schedule := read("schedule."+notice.key, notice.given); schedule != nil {
			s.notices = append(s.notices, scheduler.NoticeJob{Notice: notice.notice, Schedule: schedule, Rule: notice.given})
		}
	}
	return s, errors.Join(wrong...)
}

// reportDay gives the day of the following month by which the reports of a
// month are due: by the rules of the month's last day.
func reportDay(book *schemas.RuleBook) func(schemas.Month) int {
	return func(month schemas.Month) int { return book.On(month.Last()).ReportDay }
}

// scheduleBucket keeps the lease and the record of runs.
const scheduleBucket = "MILEPOST_SCHEDULE"

// planned fills in when and by whom what is due is run.
func (a *App) planned(ctx context.Context, c *scheduler.Config) error {
	s, err := a.config.schedules(a.book, a.log)
	if err != nil {
		return err
	}
	bucket, err := scheduleStore(ctx, a.js)
	if err != nil {
		return err
	}
	c.Jobs, c.Assessment, c.AssessmentRule, c.Notices = s.bulletins, s.assessment, s.assessmentRule, s.notices
	c.Calendar, c.Zone, c.ReportDay, c.Now, c.Log = s.calendar, s.zone, reportDay(a.book), a.now, a.log
	c.Replica, c.Notifier = replicaName(), a.notifier()
	c.Lease = scheduler.NewLease(bucket, c.Replica, 0, a.now)
	c.Runs = scheduler.NewRunLog(bucket)
	c.SequenceAt = knowledge{a}.SequenceAt
	c.StreamTime = a.streamTime
	return nil
}

func scheduleStore(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	bucket, err := js.KeyValue(ctx, scheduleBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: scheduleBucket, Description: "Milepost: who runs what is due, and what ran", MaxValueSize: 64 << 10})
	}
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "the record of the schedule cannot be opened", Hint: "check that NATS runs with JetStream", Err: err}
	}
	return bucket, nil
}

// streamTime gives the time of the NATS server's clock.
func (a *App) streamTime(ctx context.Context) (time.Time, error) {
	stream, err := a.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return time.Time{}, &schemas.Error{Code: schemas.Unavailable, Message: "the stream cannot be read", Hint: "check that NATS runs", Err: err}
	}
	return stream.CachedInfo().TimeStamp, nil
}

// replicaName names this process among those that share a stream.
func replicaName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
