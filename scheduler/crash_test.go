package scheduler

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

func TestCrashPoints(t *testing.T) {
	const at = "2025-11-11 09:00"
	t.Run("before the append nothing happened", func(t *testing.T) {
		o := newOffice(t, "2025-10-01 00:00", new(stream), nil)
		o.stream.fails = func(*schemas.Event) (error, error) { return errAway, nil }
		if err := o.runAt(at); err == nil {
			t.Error("no error")
		}
		o.wantPublished()
		if left, _ := filepath.Glob(filepath.Join(o.dir, "*", "*")); len(left) > 0 {
			t.Errorf("files of what was not published: %v", left)
		}
		o.stream.fails = nil
		o.restart()
		o.mustRunAt("2025-11-12 09:00")
		o.wantPublished("2025-10/1")
		o.wantShelved()
	})
	t.Run("the append happened, its answer was lost", func(t *testing.T) {
		o := newOffice(t, "2025-10-01 00:00", new(stream), nil)
		o.stream.fails = func(*schemas.Event) (error, error) { return nil, errAway }
		if err := o.runAt(at); err == nil {
			t.Error("no error")
		}
		o.stream.fails = nil
		o.mustRunAt("2025-11-11 09:05") // without a restart
		o.wantPublished("2025-10/1")
		o.wantShelved()
	})
	t.Run("between the append and the shelf", func(t *testing.T) {
		o := newOffice(t, "2025-10-01 00:00", new(stream), func(c *Config) { c.Shelf = fullShelf{} })
		if err := o.runAt(at); err == nil {
			t.Error("no error")
		}
		o.wantPublished("2025-10/1")
		o.config.Shelf = nil
		o.restart()
		o.mustRunAt("2025-12-25 00:00")
		o.wantPublished("2025-10/1", "2025-11/2")
		o.wantShelved()
	})
	t.Run("an edition published by hand, of a kind without a job", func(t *testing.T) {
		o := newOffice(t, "2025-10-01 00:00", new(stream), func(c *Config) { c.Shelf = fullShelf{} })
		o.now = clock("2026-01-12 00:00")
		if _, err := o.Publish(context.Background(), period("2025-Q4")); err == nil {
			t.Error("no error")
		}
		o.config.Shelf, o.config.Jobs = nil, nil
		o.restart()
		o.mustRunAt("2026-02-01 00:00")
		o.wantPublished("2025-Q4/1")
		o.wantShelved()
	})
	t.Run("while writing files", func(t *testing.T) {
		o := newOffice(t, "2025-10-01 00:00", new(stream), nil)
		old, fresh := filepath.Join(o.dir, "month", unfinished+"1"), filepath.Join(o.dir, "month", unfinished+"2")
		for path, changed := range map[string]string{old: "2025-11-09 00:00", fresh: "2025-11-11 08:00"} {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, clock(changed), clock(changed)); err != nil {
				t.Fatal(err)
			}
		}
		o.now = clock(at)
		o.config.Shelf = nil
		o.restart()
		if _, err := os.Stat(old); err == nil {
			t.Error("what a crash left behind is still there after a day")
		}
		if _, err := os.Stat(fresh); err != nil {
			t.Error("what another replica may be writing was removed")
		}
	})
}

type fullShelf struct{}

func (fullShelf) Holds(context.Context, Subject, []schemas.PublishedFile) (bool, error) {
	return false, nil
}
func (fullShelf) Has(context.Context, Subject, ...string) (bool, error) { return false, nil }
func (fullShelf) Put(context.Context, Subject, []File) error            { return errAway }

func TestChangedFilesAreKeptAsideAndMadeAgain(t *testing.T) {
	o := newOffice(t, "2025-10-01 00:00", new(stream), nil)
	o.mustRunAt("2025-11-11 09:00")
	page := o.file("month", "2025-10", "bulletin-2025-10.md")
	published := read(t, page)
	for _, changed := range []string{"改过", "又改过"} {
		if err := os.WriteFile(page, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		o.restart()
		o.mustRunAt("2025-11-12 09:00")
		if read(t, page) != published {
			t.Error("the published file was not made again")
		}
	}
	o.wantShelved()
	if got := read(t, o.file("month", "2025-10.changed-1", "bulletin-2025-10.md")); got != "改过" {
		t.Errorf("kept aside: %s", got)
	}
	if got := read(t, o.file("month", "2025-10.changed-2", "bulletin-2025-10.md")); got != "又改过" {
		t.Errorf("kept aside: %s", got)
	}
}

func TestFilesThatCannotBeMadeAgainAreToldOnce(t *testing.T) {
	o := newOffice(t, "2025-10-01 00:00", new(stream), nil)
	o.mustRunAt("2025-11-11 09:00")
	if err := os.RemoveAll(filepath.Join(o.dir, "month")); err != nil {
		t.Fatal(err)
	}
	o.builder.rules.Groups[0].Name = "县组"
	o.restart()
	err := o.runAt("2025-11-12 09:00")
	if err == nil || !strings.Contains(err.Error(), "restore the configuration") {
		t.Errorf("other rules: %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.dir, "month", "2025-10")); err == nil {
		t.Error("files that are not the published ones were put on the shelf")
	}
	o.mustRunAt("2025-12-11 09:00") // told once; the next period goes on
	o.wantPublished("2025-10/1", "2025-11/2")
}

func TestAFolderThatCannotBeUsed(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFolder(blocked, time.Now, quiet()); schemas.CodeOf(err) != schemas.Unavailable {
		t.Errorf("got %v", err)
	}
	folder, err := NewFolder(t.TempDir(), time.Now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Holds(context.Background(), Bulletin(period("2025-10")), []schemas.PublishedFile{{Name: "../secret"}}); err == nil {
		t.Error("a name that leaves the folder was read")
	}
}
