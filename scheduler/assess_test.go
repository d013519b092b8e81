package scheduler

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"milepost/schemas"
)

// yearEnd is the default job table, with its assessment.
func yearEnd(t *testing.T) func(*Config) {
	t.Helper()
	fifteenth, err := ParseSchedule("0 9 15 1 *")
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) {
		c.Jobs = append(c.Jobs, Job{Kind: schemas.Quarter, Schedule: c.Jobs[0].Schedule})
		c.Assessment = fifteenth
	}
}

func TestTheMonthComesBeforeTheQuarterOfTheSameDay(t *testing.T) {
	o := newOffice(t, "2025-08-01 00:00", new(stream), yearEnd(t))
	o.mustRunAt("2026-01-14 00:00")
	o.wantPublished("2025-08/1", "2025-09/2", "2025-Q3/1", "2025-10/3", "2025-11/4", "2025-12/5", "2025-Q4/2")
	o.wantShelved()
}

func TestTheAssessmentIsDraftedOnceOn15January(t *testing.T) {
	o := newOffice(t, "2025-12-01 00:00", new(stream), yearEnd(t))
	draft := o.file("assessment", "2025-draft", "assessment-2025.md")
	o.mustRunAt("2026-01-15 08:59")
	if _, err := os.Stat(draft); err == nil {
		t.Fatal("drafted before its time")
	}
	o.mustRunAt("2026-01-15 09:00")
	first := read(t, draft)
	if !strings.Contains(first, "草案") || !strings.Contains(read(t, o.file("assessment", "2025-draft", "assessment-2025.json")), `"year": 2025`) {
		t.Errorf("the draft reads\n%s", first)
	}
	published := o.stream.published()
	if slices.ContainsFunc(published, func(p string) bool { return strings.HasPrefix(p, "2025/") }) {
		t.Errorf("a draft is no event: %v", published)
	}
	// Later knowledge, and a restart, leave the draft alone.
	if err := os.WriteFile(draft, []byte("批注"), 0o644); err != nil {
		t.Fatal(err)
	}
	o.restart()
	o.mustRunAt("2026-02-20 09:00")
	if read(t, draft) != "批注" {
		t.Error("a draft that somebody worked on was written anew")
	}
	if err := os.RemoveAll(filepath.Dir(draft)); err != nil {
		t.Fatal(err)
	}
	o.mustRunAt("2026-02-21 09:00")
	if again := read(t, draft); !strings.Contains(again, "草案") {
		t.Error("a missing draft was not made again")
	}
}

func TestDraftsAreCaughtUpAsBulletinsAre(t *testing.T) {
	o := newOffice(t, "2024-01-02 00:00", new(stream), yearEnd(t))
	o.builder.fails = func(p schemas.Period) error {
		if p == period("2024") {
			return errAway
		}
		return nil
	}
	if err := o.runAt("2026-06-01 00:00"); !errors.Is(err, errAway) {
		t.Errorf("the failure is not told: %v", err)
	}
	if _, err := os.Stat(o.file("assessment", "2025-draft", "assessment-2025.json")); err != nil {
		t.Error("another year's failure held up the draft")
	}
	o.builder.fails = nil
	o.mustRunAt("2026-06-01 00:05")
	entries, err := os.ReadDir(filepath.Join(o.dir, "assessment"))
	if err != nil || len(entries) != 2 || entries[0].Name() != "2024-draft" {
		t.Errorf("drafts: %v, %v; 2023 ended before the first start", entries, err)
	}
}

func TestFinaliseOnce(t *testing.T) {
	on := new(stream)
	o := newOffice(t, "2025-12-01 00:00", on, yearEnd(t))
	o.now = clock("2026-01-10 23:59")
	if _, err := o.Finalise(context.Background(), 2025); schemas.CodeOf(err) != schemas.Invalid || !strings.Contains(err.Error(), "2026-01-11") {
		t.Errorf("finalised before December's reports are due: %v", err)
	}
	o.now = clock("2026-01-11 00:00")
	other := newOffice(t, "2025-12-01 00:00", on, yearEnd(t))
	other.now = o.now
	var wait sync.WaitGroup
	for _, replica := range []*office{o, other} {
		wait.Go(func() {
			if e, err := replica.Finalise(context.Background(), 2025); err != nil || e.Number != 1 {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
	wait.Wait()
	o.wantPublished("2025/1")
	e := on.events[0]
	if e.Type != schemas.AssessmentFinalised || e.Subject != "_assessment-2025" || e.ID != "assessment.finalised-2025" || e.District != schemas.CityDistrict {
		t.Errorf("event: %+v", e)
	}
	o.wantShelved()
	other.wantShelved()
	if text := read(t, o.file("assessment", "2025", "assessment-2025.md")); !strings.Contains(text, "定稿") {
		t.Errorf("not marked as final:\n%s", text)
	}
	if text := read(t, o.file("assessment", "2025", "assessment-2025-media.md")); !strings.Contains(text, "定稿") || strings.Contains(text, "奖惩提示") {
		t.Errorf("the media edition:\n%s", text)
	}
	// A finalised year needs no draft.
	o.mustRunAt("2026-03-01 00:00")
	if _, err := os.Stat(o.file("assessment", "2025-draft", "assessment-2025.md")); err == nil {
		t.Error("drafted although it was finalised")
	}
}

func TestACrashAfterFinalisingIsHealed(t *testing.T) {
	o := newOffice(t, "2026-01-02 00:00", new(stream), func(c *Config) { c.Shelf = fullShelf{} })
	o.now = clock("2026-01-20 00:00")
	if _, err := o.Finalise(context.Background(), 2025); !errors.Is(err, errAway) {
		t.Errorf("no error of the shelf: %v", err)
	}
	o.config.Shelf = nil
	o.restart()
	o.mustRunAt("2026-01-21 00:00")
	o.wantPublished("2025/1")
	o.wantShelved()
}

func TestLastYearsResultIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := new(stream)
		another := newOffice(t, "2024-12-01 00:00", on, nil)
		another.now = clock("2025-02-01 00:00")
		if _, err := another.Finalise(context.Background(), 2024); err != nil {
			t.Fatal(err)
		}
		appendedAt := time.Now()
		o := newOffice(t, "2024-12-01 00:00", on, func(c *Config) {
			c.Watermark = func(ctx context.Context) (uint64, error) {
				if time.Since(appendedAt) < 2*time.Second {
					return 0, nil
				}
				return on.watermark(ctx)
			}
		})
		o.now = clock("2026-02-01 00:00")
		edition, err := o.Finalise(context.Background(), 2025)
		if err != nil || edition.KnownSeq != 1 {
			t.Errorf("finalised at S = %d, %v; last year's result has sequence 1", edition.KnownSeq, err)
		}
	})
}

func TestACorrectionHasTheNextNumber(t *testing.T) {
	subject := Assessment(2025)
	issued := Issued{Editions: []Edition{{Publication: schemas.Publication{Period: "2025", Number: 2}}, {Publication: schemas.Publication{Period: "2025", Number: 1}}}}
	if latest, found := issued.of(subject); !found || latest.Number != 2 || issued.next() != 3 {
		t.Errorf("latest %+v, next %d", latest, issued.next())
	}
	if id := publicationEvent(schemas.Publication{Period: "2025", Number: 2}, subject, time.Now()).ID; id != "assessment.finalised-2025-2" {
		t.Errorf("id %s: a correction must not repeat the first one's", id)
	}
}
