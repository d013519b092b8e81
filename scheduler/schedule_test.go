package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"milepost/schemas"
)

// runRecord keeps runs in memory.
type runRecord map[string][]Run

func (r runRecord) Last(_ context.Context, job string) ([]Run, error) {
	return slices.Clone(r[job]), nil
}

func (r runRecord) Record(_ context.Context, run Run) error {
	r[run.Job] = withRun(r[run.Job], run)
	return nil
}

// results lists what was recorded of a job, oldest first.
func (r runRecord) results(job string) []string {
	var list []string
	for _, run := range slices.Backward(r[job]) {
		what := run.Period
		if what == "" {
			what = run.Due.In(schemas.Location).Format("01-02 15:04")
		}
		list = append(list, fmt.Sprintf("%s %s %d", what, run.Result, run.Tries))
	}
	return list
}

func wantResults(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

// drafter is a Drafter that remembers.
type drafter struct {
	made map[Subject]uint64
}

func (d *drafter) DraftDue(_ context.Context, subject Subject, known uint64) (bool, error) {
	if _, there := d.made[subject]; there {
		return false, nil
	}
	d.made[subject] = known
	return true, nil
}

// seqByMinute gives as many sequences as minutes have passed since a day.
func seqByMinute(from string) func(context.Context, time.Time) (uint64, error) {
	start := clock(from)
	return func(_ context.Context, at time.Time) (uint64, error) {
		return uint64(max(0, at.Sub(start)/time.Minute)), nil
	}
}

func TestTheCutIsThatOfTheMomentItWasDue(t *testing.T) {
	t.Parallel()
	known := seqByMinute("2025-01-01 00:00")
	o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) {
		c.SequenceAt = known
		c.Watermark = func(context.Context) (uint64, error) { return 1 << 40, nil }
	})
	want := func(due ...string) {
		t.Helper()
		for i, e := range o.stream.events {
			at, _ := known(t.Context(), clock(due[i]))
			if got := e.Data.(*schemas.Publication).KnownSeq; got != at {
				t.Errorf("edition %d was made at S = %d, want %d, as of %s", i+1, got, at, due[i])
			}
		}
	}
	o.mustRunAt("2025-02-11 09:00") // on time
	o.restart()
	o.mustRunAt("2025-05-06 10:00") // after two months of silence
	o.wantPublished(months(2025, 1, 3)...)
	want("2025-02-11 09:00", "2025-03-11 09:00", "2025-04-11 09:00")
	// What a person asks for takes what is known now.
	o.now = clock("2025-05-20 09:00")
	o.config.Jobs = nil
	o.restart()
	if e, err := o.Publish(t.Context(), period("2025-04")); err != nil || e.KnownSeq != 1<<40 {
		t.Errorf("by hand: %+v, %v", e, err)
	}
}

func TestWhatWasDueBeforeTheFirstStartTakesWhatIsKnown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "2025-05-01 00:00", new(stream), func(c *Config) {
		c.Since = schemas.NewDate(2025, 3, 1)
		c.SequenceAt = seqByMinute("2025-05-12 10:00") // the past was sent in afterwards
		c.Watermark = func(context.Context) (uint64, error) { return 1 << 40, nil }
	})
	o.mustRunAt("2025-06-11 09:00")
	var cuts []uint64
	for _, e := range o.stream.events {
		cuts = append(cuts, e.Data.(*schemas.Publication).KnownSeq)
	}
	// March was due in April; April before anything was recorded; May after.
	if want := []uint64{1 << 40, 1 << 40, 30*24*60 - 60}; !slices.Equal(cuts, want) {
		t.Errorf("cuts %v, want %v", cuts, want)
	}
}

func TestAManualJobDraftsOnce(t *testing.T) {
	t.Parallel()
	runs, drafts := runRecord{}, &drafter{made: map[Subject]uint64{}}
	o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) {
		c.Jobs[0].Mode, c.Drafts, c.Runs, c.SequenceAt = Manual, drafts, runs, seqByMinute("2025-01-01 00:00")
	})
	o.mustRunAt("2025-03-20 00:00")
	o.mustRunAt("2025-03-20 00:05")
	o.restart()
	o.mustRunAt("2025-03-20 00:10")
	o.wantPublished()
	january, february := Bulletin(period("2025-01")), Bulletin(period("2025-02"))
	if len(drafts.made) != 2 || drafts.made[january] != 41*24*60+9*60 || drafts.made[february] != 69*24*60+9*60 {
		t.Errorf("drafts: %v", drafts.made)
	}
	wantResults(t, runs.results("monthly"), "2025-01 drafted 1", "2025-02 drafted 1")
	if e, err := o.Publish(t.Context(), period("2025-01")); err != nil || e.Number != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	o.mustRunAt("2025-03-21 00:00")
	wantResults(t, runs.results("monthly"), "2025-01 published 1", "2025-02 drafted 1")
	overview, err := o.Overview(t.Context())
	if err != nil || len(overview.Jobs[0].Waiting) != 1 || overview.Jobs[0].Waiting[0].Period != "2025-02" || !strings.Contains(overview.Jobs[0].Waiting[0].Reason, "people publish it") {
		t.Errorf("waiting: %+v, %v", overview, err)
	}

	// Without anyone who takes drafts the period is left to people, which is told.
	o.config.Drafts = nil
	o.restart()
	o.mustRunAt("2025-04-20 00:00")
	wantResults(t, runs.results("monthly"), "2025-01 published 1", "2025-02 drafted 1", "2025-03 skipped 1")

	// The job becomes automatic while its periods are due.
	o.config.Jobs[0].Mode = Auto
	o.restart()
	o.mustRunAt("2025-04-21 00:00")
	o.wantPublished("2025-01/1", "2025-02/2", "2025-03/3")
}

func TestAJobChangedWhileItIsDue(t *testing.T) {
	t.Parallel()
	at := func(expression string) []Job {
		schedule, err := ParseSchedule(expression)
		if err != nil {
			t.Fatal(err)
		}
		return []Job{{Kind: schemas.MonthOf, Schedule: schedule, Rule: expression}}
	}
	o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) { c.Jobs = at("0 9 12 * *") })
	o.builder.fails = func(schemas.Period) error { return errAway }
	if err := o.runAt("2025-02-12 09:00"); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	o.builder.fails = nil
	o.config.Jobs = at("0 9 20 * *") // later: what failed is not due any more
	o.restart()
	o.mustRunAt("2025-02-19 00:00")
	o.wantPublished()
	o.config.Jobs = at("0 9 15 * *") // earlier: it is due at once
	o.restart()
	o.mustRunAt("2025-02-19 00:05")
	o.wantPublished("2025-01/1")
	o.config.Jobs = at("0 9 25 * *") // what was published stays the only one
	o.restart()
	o.mustRunAt("2025-02-28 00:00")
	o.config.Jobs = nil
	o.restart()
	o.mustRunAt("2025-12-01 00:00")
	o.wantPublished("2025-01/1")
}

func TestAClockThatJumpedRunsNothing(t *testing.T) {
	t.Parallel()
	right := clock("2025-02-11 08:55")
	o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) {
		c.StreamTime = func(context.Context) (time.Time, error) { return right, nil }
	})
	for _, wrong := range []string{"2030-01-01 00:00", "2025-02-11 09:06", "2020-01-01 00:00"} {
		if err := o.runAt(wrong); schemas.CodeOf(err) != schemas.Unavailable || !strings.Contains(err.Error(), "clock") {
			t.Errorf("at %s: %v", wrong, err)
		}
	}
	o.wantPublished()
	o.mustRunAt("2025-02-11 09:04") // within what clocks differ
	o.wantPublished("2025-01/1")
	// Back again, over the moment it was due: nothing comes twice.
	right = clock("2025-02-11 08:50")
	o.mustRunAt("2025-02-11 08:50")
	o.restart()
	o.mustRunAt("2025-02-11 08:51")
	right = clock("2025-02-11 09:00")
	o.mustRunAt("2025-02-11 09:00")
	o.wantPublished("2025-01/1")
}

// TestALeaderThatPausesPastItsLease stops a replica within its build, as a
// process is stopped, until another one has taken over.
func TestALeaderThatPausesPastItsLease(t *testing.T) {
	t.Parallel()
	kv, on, runs := bucket(t), new(stream), runRecord{}
	offices := map[string]*office{}
	for _, name := range []string{"a", "b"} {
		offices[name] = newOffice(t, "2025-01-15 00:00", on, func(c *Config) { c.Runs, c.Replica = runs, name })
		o := offices[name]
		o.config.Lease = NewLease(kv, name, time.Minute, func() time.Time { return o.now })
		o.restart()
	}
	a, b := offices["a"], offices["b"]
	a.builder.fails = func(schemas.Period) error {
		a.builder.fails = nil
		// While a is stopped: b finds the lease held, then run out.
		b.mustRunAt("2025-02-11 09:00")
		on.mu.Lock()
		early := len(on.events)
		on.mu.Unlock()
		if early != 0 {
			t.Error("b did not rest while a held the lease")
		}
		b.mustRunAt("2025-02-11 09:02")
		b.wantPublished("2025-01/1")
		return nil
	}
	a.mustRunAt("2025-02-11 09:00")
	a.wantPublished("2025-01/1")
	a.wantShelved()
	b.wantShelved()
	if run := runs["monthly"][0]; run.Result != Published || run.Number != 1 {
		t.Errorf("recorded %+v", run)
	}
}

func TestAnInterruptedRunGoesOn(t *testing.T) {
	t.Parallel()
	runs := runRecord{}
	o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) { c.Runs, c.Replica = runs, "a" })
	o.mustRunAt("2025-02-11 08:59")
	// A process that ends within a run leaves the record as it stood.
	if err := runs.Record(t.Context(), Run{Job: "monthly", Period: "2025-01", Due: clock("2025-02-11 09:00"), Started: clock("2025-02-11 09:00"), Result: Running, Tries: 1}); err != nil {
		t.Fatal(err)
	}
	o.mustRunAt("2025-02-11 09:10")
	wantResults(t, runs.results("monthly"), "2025-01 published 2")
	if reason := runs["monthly"][0].Reason; !strings.Contains(reason, "interrupted") {
		t.Errorf("reason %q", reason)
	}
	// One that ends after its edition was appended is completed, not repeated.
	o.mustRunAt("2025-03-11 09:00")
	broken := runs["monthly"][0]
	broken.Result, broken.Number, broken.Ended = Running, 0, time.Time{}
	if err := runs.Record(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	o.restart()
	o.mustRunAt("2025-03-11 09:10")
	wantResults(t, runs.results("monthly"), "2025-01 published 2", "2025-02 published 1")
	if run := runs["monthly"][0]; run.Number != 2 || !strings.Contains(run.Reason, "interrupted after it had published") {
		t.Errorf("recorded %+v", run)
	}
	o.wantPublished("2025-01/1", "2025-02/2")
}

// TestARunLongerThanItsInterval wakes every five minutes while one takes an hour.
func TestARunLongerThanItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(clock("2025-02-11 08:50")))
		builds := 0
		runs := runRecord{}
		o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) { c.Now, c.Runs = time.Now, runs })
		o.builder.fails = func(schemas.Period) error {
			builds++
			time.Sleep(time.Hour)
			return nil
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- o.Run(ctx) }()
		time.Sleep(3 * time.Hour)
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		o.wantPublished("2025-01/1")
		if builds != 1 {
			t.Errorf("built %d times", builds)
		}
		wantResults(t, runs.results("monthly"), "2025-01 published 1")
	})
}

// notifier remembers what was told.
type notifier struct {
	told  []string
	fails error
}

func (n *notifier) Notify(_ context.Context, notice Notice, due time.Time) (string, error) {
	n.told = append(n.told, fmt.Sprintf("%s %s", notice, due.In(schemas.Location).Format("01-02 15:04")))
	return "告知3家单位", n.fails
}

func TestNotices(t *testing.T) {
	t.Parallel()
	runs, told := runRecord{}, &notifier{}
	notice := func(name Notice, expression string) NoticeJob {
		schedule, err := ParseSchedule(expression)
		if err != nil {
			t.Fatal(err)
		}
		return NoticeJob{Notice: name, Schedule: schedule, Rule: expression}
	}
	o := newOffice(t, "2025-02-01 10:00", new(stream), func(c *Config) {
		c.Jobs, c.Runs, c.Replica = nil, runs, "a"
		c.Notices = []NoticeJob{notice(Reminder, "0 9 8 * *"), notice(LightCheck, "0 8 * * *")}
	})
	want := func(list ...string) {
		t.Helper()
		if !slices.Equal(told.told, list) {
			t.Errorf("told %q, want %q", told.told, list)
		}
		told.told = nil
	}
	o.mustRunAt("2025-02-01 12:00")
	wantResults(t, runs.results("light-check")) // the day's had passed before the first start
	o.mustRunAt("2025-02-02 08:00")
	wantResults(t, runs.results("light-check"), "02-02 08:00 skipped 1") // nobody to tell it
	o.config.Notifier = told
	o.restart()
	o.mustRunAt("2025-02-02 09:00")
	want()
	o.mustRunAt("2025-02-08 09:30") // after days of silence the latest of each
	want("reminder 02-08 09:00", "light-check 02-08 08:00")
	o.mustRunAt("2025-02-08 09:35")
	want()
	told.fails = errAway
	if err := o.runAt("2025-02-09 08:00"); !errors.Is(err, errAway) {
		t.Error(err)
	}
	o.restart()
	told.fails = nil
	o.mustRunAt("2025-02-09 08:05") // once more, as the same
	want("light-check 02-09 08:00", "light-check 02-09 08:00")
	if run := runs["light-check"][0]; run.Result != Told || run.Tries != 2 || run.Reason != "告知3家单位" {
		t.Errorf("recorded %+v", run)
	}
	o.mustRunAt("2025-03-20 00:00") // the reminder of March is of no use any more
	want("light-check 03-19 08:00")
	o.mustRunAt("2025-03-20 00:05")
	want()
	wantResults(t, runs.results("reminder"), "02-08 09:00 told 1", "03-08 09:00 missed 1")
	// A clock that goes back tells nothing again.
	o.mustRunAt("2025-03-10 00:00")
	want()
}

func TestOverview(t *testing.T) {
	t.Parallel()
	runs := runRecord{}
	o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) {
		c.Runs, c.Replica, c.Calendar = runs, "a", NewCalendar(quiet())
		c.Jobs = append(c.Jobs, Job{Kind: schemas.Quarter, Schedule: c.Jobs[0].Schedule, Rule: afterReportDay})
		c.Assessment, c.AssessmentRule = c.Jobs[0].Schedule, afterReportDay
	})
	o.builder.fails = func(p schemas.Period) error {
		if p.Kind == schemas.MonthOf && p.Start.Month().Number() >= 2 {
			return errAway
		}
		return nil
	}
	for _, at := range []string{"2025-02-11 09:00", "2025-04-11 09:00", "2025-04-11 09:05"} {
		if err := o.runAt(at); err != nil && !errors.Is(err, errAway) {
			t.Fatal(err)
		}
	}
	overview, err := o.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	monthly, quarterly, assessment := overview.Jobs[0], overview.Jobs[1], overview.Jobs[2]
	if overview.TimeZone != "Asia/Shanghai" || overview.Since != schemas.NewDate(2025, 1, 15) || len(overview.MissingHolidays) != 0 {
		t.Errorf("overview: %+v", overview)
	}
	if len(monthly.Next) != 2 || monthly.Next[0].Period != "2025-04" || !monthly.Next[0].At.Equal(clock("2025-05-12 09:00")) || monthly.Next[1].Period != "2025-05" {
		t.Errorf("next: %+v", monthly.Next)
	}
	if len(monthly.Waiting) != 2 || monthly.Waiting[0].Period != "2025-02" || !strings.HasPrefix(monthly.Waiting[0].Reason, "failed 2 times") || !strings.Contains(monthly.Waiting[0].Reason, "away") ||
		!strings.Contains(monthly.Waiting[1].Reason, "an earlier period") {
		t.Errorf("waiting: %+v", monthly.Waiting)
	}
	wantResults(t, runs.results("monthly"), "2025-01 published 1", "2025-02 failed 2")
	wantResults(t, runs.results("quarterly"), "2025-Q1 published 1")
	if len(quarterly.Waiting) != 0 || len(quarterly.Last) != 1 || quarterly.Rule != afterReportDay || quarterly.Mode != Auto {
		t.Errorf("quarterly: %+v", quarterly)
	}
	if assessment.Kind != "assessment" || assessment.Mode != Manual || assessment.Next[0].Period != "2025" {
		t.Errorf("assessment: %+v", assessment)
	}
}

func TestAProcessThatEndsWithinARunGivesTheLeaseUp(t *testing.T) {
	t.Parallel()
	kv := bucket(t)
	runs := NewRunLog(kv)
	o := newOffice(t, "2025-01-15 00:00", new(stream), func(c *Config) { c.Runs, c.Replica = runs, "a" })
	o.config.Lease = NewLease(kv, "a", time.Minute, func() time.Time { return o.now })
	o.restart()
	ctx, end := context.WithCancel(t.Context())
	o.builder.fails = func(schemas.Period) error { end(); return ctx.Err() }
	o.now = clock("2025-02-11 09:00")
	if err := o.RunDue(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if held, err := o.config.Lease.Holding(t.Context()); err != nil || held.Holder != "" {
		t.Errorf("the lease is still held: %+v, %v", held, err)
	}
	last, err := runs.Last(t.Context(), "monthly")
	if err != nil || len(last) != 1 || last[0].Result != Failed || !strings.Contains(last[0].Reason, "process ended") {
		t.Errorf("recorded %+v, %v", last, err)
	}
}
