package deploy

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/deploy/embedded/enginetest"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/scheduler/deliver"
	"milepost/schemas"
)

// TestDoctorOfAnArchive looks at a purged stream with its archive, without it, and with a warehouse that lacks what was
// purged; and at a stream that retention cannot purge.
func TestDoctorOfAnArchive(t *testing.T) {
	t.Parallel()
	conn, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := js.Publish(t.Context(), "milepost.events.shanyang.P-0001.progress.reported", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := consumers.SetPosition(t.Context(), js, 5); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "archive")
	result, err := consumers.Archive(t.Context(), consumers.ArchiveConfig{JetStream: js, Dir: dir, Before: time.Now().Add(time.Hour), Purge: true, Now: time.Now})
	if err != nil || result.Purged != 4 {
		t.Fatalf("%+v, %v", result, err)
	}
	look := func(dir string, keepDays int) (found diagnoses) {
		a := &App{conn: conn, js: js, now: time.Now, config: settings.Config{ArchiveConfig: settings.ArchiveConfig{ArchiveDir: dir, ArchiveKeepDays: keepDays}}}
		a.examineStream(t.Context(), &found)
		return found
	}
	found := look(dir, 30)
	expect(t, found, "stream", healthy, "1 events up to sequence 5")
	expect(t, found, "archive", healthy, "1 segments up to sequence 5", dir)
	if found.worst() == broken {
		t.Errorf("%+v", found)
	}
	found = look(filepath.Join(dir, "elsewhere"), 0)
	expect(t, found, "stream", broken, "begins at 5", "archive_dir")
	expect(t, found, "archive", broken, "sequences 1 to 4", "milepost restore")

	if err := js.DeleteStream(t.Context(), consumers.PositionStream); err != nil {
		t.Fatal(err)
	}
	expect(t, look(dir, 0), "lag", broken, "does not hold 4 of the events behind sequence 0", "milepost replay")

	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{DenyPurge: true}); err != nil {
		t.Fatal(err)
	}
	expect(t, look(dir, 30), "archive", warning, "refuses to be purged", "--allow-purge")
}

// TestOldEventsAreArchived has the scheduler look a month ahead, and while somebody else archives.
func TestOldEventsAreArchived(t *testing.T) {
	t.Parallel()
	conn, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := js.Publish(t.Context(), "milepost.events.shanyang.P-0001.progress.reported", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := consumers.SetPosition(t.Context(), js, 5); err != nil {
		t.Fatal(err)
	}
	a := &App{conn: conn, js: js, now: time.Now, log: slog.New(slog.DiscardHandler), config: settings.Config{ArchiveConfig: settings.ArchiveConfig{ArchiveDir: t.TempDir(), ArchiveKeepDays: 30}}}
	left := func() uint64 {
		stream, err := js.Stream(t.Context(), schemas.StreamName)
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo().State.Msgs
	}
	if wait := a.archiveOld(t.Context()); wait != archiveEvery || left() != 5 {
		t.Errorf("nothing is old: again in %v, %d are left", wait, left())
	}
	a.now = func() time.Time { return time.Now().AddDate(0, 0, 31) }
	_, release, err := consumers.HoldArchive(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	if wait := a.archiveOld(t.Context()); wait != archiveAgain || left() != 5 {
		t.Errorf("a backup runs: again in %v, %d are left", wait, left())
	}
	release()
	if wait := a.archiveOld(t.Context()); wait != archiveEvery || left() != 1 {
		t.Errorf("a month later: again in %v, %d are left", wait, left())
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := a.archiveDaily(ended); err != nil {
		t.Errorf("the end: %v", err)
	}
}

func TestDoctorOfTargets(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, schemas.Location)
	var found diagnoses
	tellTargets([]deliver.TargetHealth{
		{Health: deliver.Health{Target: "hook", Failures: 10, FailingSince: &at, PausedAt: &at, Error: "404"}},
		{Health: deliver.Health{Target: "mail", Failures: 2, FailingSince: &at, Error: "timeout"}},
		{Health: deliver.Health{Target: "folder"}},
	}, &found)
	expect(t, found, "deliveries", broken, "hook is paused after 10 failures: 404", "milepost deliver --again ID --target hook")
	expect(t, found, "deliveries", warning, "mail failed 2 times: timeout")
	if len(found) != 2 {
		t.Errorf("%+v", found)
	}
	found = nil
	tellTargets([]deliver.TargetHealth{{Health: deliver.Health{Target: "folder"}}}, &found)
	expect(t, found, "deliveries", healthy, "1 targets")
	found = nil
	if tellTargets(nil, &found); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}
