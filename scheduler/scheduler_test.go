package scheduler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"milepost/schemas"
)

func months(year, from, to int) []string {
	var list []string
	for m := from; m <= to; m++ {
		list = append(list, fmt.Sprintf("%d-%02d/%d", year, m, m))
	}
	return list
}

func TestTwoYearsOfMonths(t *testing.T) {
	o := newOffice(t, "2024-01-01 00:00", new(stream), nil)
	publishedOn := map[string]string{}
	for at := o.now; at.Before(clock("2026-01-20 00:00")); at = at.Add(12 * time.Hour) {
		before := len(o.stream.events)
		o.mustRunAt(at.Format("2006-01-02 15:04"))
		for _, e := range o.stream.events[before:] {
			publishedOn[e.Data.(*schemas.Publication).Period] = at.Format("2006-01-02 15:04")
		}
	}
	o.wantPublished(slices.Concat(months(2024, 1, 12), months(2025, 1, 12))...)
	o.wantShelved()
	for p, want := range map[string]string{"2024-01": "2024-02-18 12:00", "2024-09": "2024-10-11 12:00", "2025-09": "2025-10-11 12:00", "2025-10": "2025-11-11 12:00"} {
		if publishedOn[p] != want {
			t.Errorf("%s was published at %s, want the first look after 09:00: %s", p, publishedOn[p], want)
		}
	}
	e := o.stream.events[21]
	if e.Source != Source || e.ID != "bulletin.published-2025-10" || e.Subject != "_month-2025" || e.District != schemas.CityDistrict || e.Type != schemas.BulletinPublished {
		t.Errorf("event: %+v", e)
	}
	if page := read(t, o.file("month", "2025-10", "bulletin-2025-10.html")); !strings.Contains(page, "第10期") {
		t.Error("the page does not show its number")
	}
	model := read(t, o.file("month", "2025-10", "bulletin-2025-10.json"))
	if !strings.Contains(model, `"issue_no": 10,`) || !strings.Contains(model, `"known_seq": 21,`) {
		t.Error("the model does not hold its number and S")
	}
	if made := read(t, o.file("month", "2025-10", "settings-2025-10.json")); !strings.Contains(made, `"template_version": 5`) || !strings.Contains(made, `"jiefang"`) {
		t.Errorf("settings: %s", made)
	}
}

func TestCronPublishesAtNineAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(clock("2025-10-20 10:00")))
		var at []string
		on := &stream{fails: func(e *schemas.Event) (error, error) {
			at = append(at, e.Time.Format("2006-01-02 15:04:05"))
			return nil, nil
		}}
		o := newOffice(t, "2025-10-20 10:00", on, func(c *Config) { c.Now, c.Retry = time.Now, 13*time.Hour })
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- o.Run(ctx) }()
		time.Sleep(time.Until(clock("2026-02-28 00:00")))
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if want := []string{"2025-11-11 09:00:00", "2025-12-11 09:00:00", "2026-01-12 09:00:00", "2026-02-11 09:00:00"}; !slices.Equal(at, want) {
			t.Errorf("published at %v, want %v", at, want)
		}
		// Numbers belong to the year of the period; the first one found none before it.
		o.wantPublished("2025-10/1", "2025-11/2", "2025-12/3", "2026-01/1")
	})
}

func TestAFailedRunIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(clock("2025-11-01 00:00")))
		o := newOffice(t, "2025-10-20 00:00", new(stream), func(c *Config) { c.Now = time.Now })
		o.builder.fails = func(schemas.Period) error {
			if time.Now().Before(clock("2025-11-11 10:01")) {
				return errAway
			}
			return nil
		}
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		go o.Run(ctx)
		time.Sleep(time.Until(clock("2025-11-11 10:00")))
		o.wantPublished()
		time.Sleep(6 * time.Minute)
		o.wantPublished("2025-10/1")
		stop()
		synctest.Wait()
	})
}

func TestReplicasPublishOnce(t *testing.T) {
	on := new(stream)
	offices := []*office{newOffice(t, "2024-01-01 00:00", on, nil), newOffice(t, "2024-01-01 00:00", on, nil), newOffice(t, "2024-01-01 00:00", on, nil)}
	for at := clock("2024-02-01 12:00"); at.Before(clock("2025-03-01 00:00")); at = at.Add(5 * 24 * time.Hour) {
		var wait sync.WaitGroup
		for _, o := range offices {
			wait.Go(func() {
				if err := o.runAt(at.Format("2006-01-02 15:04")); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	}
	for _, o := range offices {
		o.wantPublished(slices.Concat(months(2024, 1, 12), []string{"2025-01/1"})...)
		o.wantShelved()
	}
}

func TestReplicasThatShareAFolder(t *testing.T) {
	on := new(stream)
	first := newOffice(t, "2024-01-01 00:00", on, nil)
	second := newOffice(t, "2024-01-01 00:00", on, func(c *Config) { c.Shelf = first.config.Shelf })
	var wait sync.WaitGroup
	for _, o := range []*office{first, second} {
		wait.Go(func() {
			if err := o.runAt("2024-12-31 12:00"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	first.wantPublished(months(2024, 1, 11)...)
	first.wantShelved()
	if entries, _ := os.ReadDir(first.dir + "/month"); len(entries) != 11 {
		t.Errorf("the folder holds %v", entries)
	}
}

func TestDowntimeIsCaughtUpOldestFirst(t *testing.T) {
	o := newOffice(t, "2025-01-15 00:00", new(stream), nil)
	o.mustRunAt("2025-02-12 00:00")
	o.restart()
	o.mustRunAt("2025-09-30 00:00")
	o.wantPublished(months(2025, 1, 8)...)
	// Each edition knows the one before it: item 6 and restatements look at it.
	for i, e := range o.stream.events {
		if got := e.Data.(*schemas.Publication).KnownSeq; got != uint64(i) {
			t.Errorf("edition %d was made at S = %d", i+1, got)
		}
	}
}

func TestThePastIsNotCaughtUp(t *testing.T) {
	t.Run("before the first start", func(t *testing.T) {
		o := newOffice(t, "2025-11-01 00:00", new(stream), nil)
		o.mustRunAt("2025-11-30 00:00") // October ended the day before
		o.wantPublished()
		o.mustRunAt("2025-12-12 00:00")
		o.wantPublished("2025-11/1")
	})
	t.Run("started on the last day", func(t *testing.T) {
		o := newOffice(t, "2025-10-31 23:00", new(stream), nil)
		o.mustRunAt("2025-11-30 00:00")
		o.wantPublished("2025-10/1")
	})
	t.Run("since an earlier day", func(t *testing.T) {
		o := newOffice(t, "2025-11-01 00:00", new(stream), func(c *Config) { c.Since = schemas.NewDate(2025, 8, 31) })
		o.mustRunAt("2025-11-30 00:00")
		o.wantPublished("2025-08/1", "2025-09/2", "2025-10/3")
	})
	t.Run("since a later day", func(t *testing.T) {
		o := newOffice(t, "2025-01-01 00:00", new(stream), func(c *Config) { c.Since = schemas.NewDate(2025, 9, 1) })
		o.mustRunAt("2025-11-30 00:00")
		o.wantPublished("2025-09/1", "2025-10/2")
	})
}

func TestAJobTableOfSeveralKinds(t *testing.T) {
	o := newOffice(t, "2025-01-01 00:00", new(stream), func(c *Config) {
		weekly, err := ParseSchedule("0 9 * * 1")
		if err != nil {
			t.Fatal(err)
		}
		c.Jobs = append(c.Jobs, Job{Kind: schemas.Quarter, Schedule: c.Jobs[0].Schedule}, Job{Kind: schemas.Week, Schedule: weekly})
		c.Since = schemas.NewDate(2025, 3, 20)
	})
	o.builder.fails = func(p schemas.Period) error {
		if p == period("2025-W13") {
			return errAway
		}
		return nil
	}
	if err := o.runAt("2025-04-30 00:00"); !errors.Is(err, errAway) {
		t.Errorf("the failure is not told: %v", err)
	}
	// The week that failed holds up later weeks, since their numbers follow, and nothing else.
	o.wantPublished("2025-W12/1", "2025-03/1", "2025-Q1/1")
	o.builder.fails = nil
	o.mustRunAt("2025-04-30 00:05")
	o.wantPublished("2025-W12/1", "2025-03/1", "2025-Q1/1", "2025-W13/2", "2025-W14/3", "2025-W15/4", "2025-W16/5", "2025-W17/6")
}

func TestPublishByHand(t *testing.T) {
	o := newOffice(t, "2025-11-05 00:00", new(stream), nil)
	if _, err := o.Publish(context.Background(), period("2025-10")); schemas.CodeOf(err) != schemas.Invalid || !strings.Contains(err.Error(), "2025-11-11") {
		t.Errorf("published before reports are due: %v", err)
	}
	o.now = clock("2025-11-11 08:00")
	// The period ended before the first start: by hand it may be published all the same.
	first, err := o.Publish(context.Background(), period("2025-10"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.Publish(context.Background(), period("2025-10"))
	if err != nil || again.Seq != first.Seq || again.Number != 1 {
		t.Errorf("a second edition: %+v, %v", again, err)
	}
	o.now = clock("2025-12-11 08:00")
	if _, err := o.Publish(context.Background(), period("2025-11")); err != nil {
		t.Fatal(err)
	}
	o.mustRunAt("2026-01-20 00:00")
	o.wantPublished("2025-10/1", "2025-11/2", "2025-12/3")
	if _, err := o.Publish(context.Background(), period("2025-W50")); err != nil {
		t.Fatal(err)
	}
	o.wantPublished("2025-10/1", "2025-11/2", "2025-12/3", "2025-W50/1")
	o.wantShelved()
}

func TestTheEditionBeforeIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := new(stream)
		lag := 2 * time.Second
		var appendedAt time.Time
		on.fails = func(*schemas.Event) (error, error) { appendedAt = time.Now(); return nil, nil }
		o := newOffice(t, "2025-01-01 00:00", on, func(c *Config) {
			c.Watermark = func(ctx context.Context) (uint64, error) {
				seq, err := on.watermark(ctx)
				if seq > 0 && time.Since(appendedAt) < lag {
					seq--
				}
				return seq, err
			}
		})
		o.mustRunAt("2025-03-30 00:00")
		if got := on.events[1].Data.(*schemas.Publication).KnownSeq; got != 1 {
			t.Errorf("February was made at S = %d, before January's edition was known", got)
		}
		lag = time.Hour
		if err := o.runAt("2025-04-30 00:00"); schemas.CodeOf(err) != schemas.Unavailable {
			t.Errorf("the warehouse never follows: %v", err)
		}
		o.wantPublished("2025-01/1", "2025-02/2")
	})
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("got %v", err)
	}
}
