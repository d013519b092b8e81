package consumers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/archive"
	"milepost/deploy/embedded/enginetest"
	"milepost/schemas"
)

// editionSubject is that of what publishers read from the stream.
const editionSubject = "milepost.events.city._month-2025.bulletin.published"

// archive archives everything that is applied, in small segments.
func (r *rig) archive(dir string, change func(*ArchiveConfig)) (*ArchiveResult, error) {
	c := ArchiveConfig{JetStream: r.js, Dir: dir, Before: time.Now().Add(time.Hour), SegmentMessages: 100, Version: "test", Now: time.Now}
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	return Archive(ctx, c)
}

func (r *rig) mustArchive(dir string, purge bool) *ArchiveResult {
	r.t.Helper()
	result, err := r.archive(dir, func(c *ArchiveConfig) { c.Purge = purge })
	if err != nil {
		r.t.Fatal(err)
	}
	return result
}

func (r *rig) streamState() jetstream.StreamState {
	r.t.Helper()
	stream, err := r.js.Stream(r.t.Context(), schemas.StreamName)
	if err != nil {
		r.t.Fatal(err)
	}
	return stream.CachedInfo().State
}

func refusedAs(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || schemas.CodeOf(err) != schemas.Conflict || !strings.Contains(err.Error(), word) {
			t.Errorf("%s, no %q: %v", what, word, err)
		}
	}
}

// TestReplayReadsTheArchive purges a stream in two runs, and replays from the segments and what the stream still holds: into
// the same warehouse, into one that was damaged, and into an empty one that no consumer can fill any more.
func TestReplayReadsTheArchive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dir := filepath.Join(t.TempDir(), "archive")
	r.store = r.openStoreWithPast(r.dsn, dir)
	consumer := r.start(Config{})
	r.mixture(400)
	edition := r.publish(&nats.Msg{Subject: editionSubject, Data: []byte("{}")})
	r.applied(edition)
	if result := r.mustArchive(dir, false); result.Archived != edition || result.Purged != 0 || result.Last != edition || len(result.Segments) != 5 {
		t.Fatalf("archived: %+v", result)
	}
	last := r.mixture(300)
	r.applied(last)
	before := r.contents()
	// Events, repetitions and conflicts go, the edition and the message of the watermark stay.
	result := r.mustArchive(dir, true)
	if result.Archived != last-edition || result.Purged != last-2 || result.PurgedTo != last-1 || result.Kept != 2 {
		t.Fatalf("purged: %+v", result)
	}
	if again := r.mustArchive(dir, true); again.Archived != 0 || again.Purged != 0 || again.Last != last || again.Kept != 2 {
		t.Errorf("the same again: %+v", again)
	}
	if state := r.streamState(); state.FirstSeq != edition || state.LastSeq != last || state.Msgs != 2 {
		t.Errorf("the stream: %+v", state)
	}
	refusedAs(t, "without the archive", errorOf(r.replay(nil)), "does not hold everything", "archive_dir")

	withArchive := func(c *ReplayConfig) { c.Archive = dir }
	if result, err := r.replay(withArchive); err != nil || result.Changed || result.Sequence != last || result.Events+result.DeadLetters != last {
		t.Fatalf("from the archive: %+v, %v", result, err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}
	r.exec("ALTER TABLE events DELETE WHERE stream_seq % 3 = 0 SETTINGS mutations_sync = 2")
	r.exec("TRUNCATE TABLE contested")
	// Live messages follow the archived ones, a conflict with an archived event and a repetition of one among them.
	r.publish(progress("m1", 4711))
	last = r.publish(progress("m2", 2))
	r.applied(last)
	if result, err := r.replay(withArchive); err != nil || !result.Changed || result.Sequence != last {
		t.Errorf("a damaged warehouse: %+v, %v", result, err)
	}
	healed := r.contents()
	if diff := cmp.Diff(before["events"], healed["events"]); diff != "" {
		t.Error(diff)
	}
	if len(healed["conflicts"]) != len(before["conflicts"])+1 {
		t.Errorf("%d conflicts, before %d", len(healed["conflicts"]), len(before["conflicts"]))
	}
	consumer.stop()

	// Another warehouse, and nobody knows how far one had come.
	if err := r.js.DeleteStream(t.Context(), PositionStream); err != nil {
		t.Fatal(err)
	}
	empty := &rig{t: t, natsURL: r.natsURL, js: r.js, dsn: enginetest.ClickHouse(t).DSN}
	empty.store = empty.openStoreWithPast(empty.dsn, dir)
	if err := empty.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	empty.sql = sqlConn(t, empty.dsn)
	_, err := empty.newConsumer(Config{}).carryInTurn(t.Context())
	refusedAs(t, "a consumer of what was purged", err, fmt.Sprintf("does not hold %d of the events behind sequence 0", last-4), "milepost replay")
	refusedAs(t, "who asks", NewApplied(r.js).Gone(t.Context()), "milepost replay")
	filling := empty.start(Config{})
	if result, err := empty.replay(withArchive); err != nil || !result.Changed || result.Sequence != last {
		t.Errorf("an empty warehouse: %+v, %v", result, err)
	}
	if err := NewApplied(r.js).Gone(t.Context()); err != nil {
		t.Errorf("behind the replay: %v", err)
	}
	if diff := cmp.Diff(healed, empty.contents()); diff != "" {
		t.Error(diff)
	}
	// A third one is filled by its consumer itself, from the archive and the stream, though a position says that all was done.
	third := &rig{t: t, natsURL: r.natsURL, js: r.js, dsn: enginetest.ClickHouse(t).DSN}
	third.store = third.openStoreWithPast(third.dsn, dir)
	if err := third.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	third.sql = sqlConn(t, third.dsn)
	filling.stop()
	another := third.start(Config{Archive: dir, Stored: third.store.LastStored})
	third.eventually("the empty warehouse is filled", func() bool {
		stored, err := third.store.LastStored(t.Context())
		watermark, failed := another.Watermark(t.Context())
		return err == nil && failed == nil && stored == last && watermark == last
	})
	if err := third.store.SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(healed, third.contents()); diff != "" {
		t.Error(diff)
	}
	another.stop()
	empty.start(Config{})
	empty.applied(empty.publish(progress("after", 1)))
	if diff := cmp.Diff([]string{"after"}, empty.rows("SELECT [id] AS r FROM events FINAL WHERE id = 'after'")); diff != "" {
		t.Error(diff)
	}
}

func errorOf[T any](_ T, err error) error { return err }

// TestArchivesThatAreNotWhole alters, hides and confuses segments: verification, replay and purge refuse each, by name.
func TestArchivesThatAreNotWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dir := filepath.Join(t.TempDir(), "archive")
	r.store = r.openStoreWithPast(r.dsn, dir)
	r.start(Config{})
	last := r.mixture(400)
	r.applied(last)
	segments := r.mustArchive(dir, false).Segments
	if len(segments) != 5 {
		t.Fatalf("%d segments", len(segments))
	}
	middle := segments[2]
	path := func(name string) string { return filepath.Join(dir, name) }
	change := func(name string, at int) func() {
		text, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		altered := append([]byte(nil), text...)
		altered[(len(altered)+at)%len(altered)] ^= 1
		if err := os.WriteFile(path(name), altered, 0o600); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.WriteFile(path(name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	hide := func(names ...string) func() {
		for _, name := range names {
			if err := os.Rename(path(name), path(name)+".hidden"); err != nil {
				t.Fatal(err)
			}
		}
		return func() {
			for _, name := range names {
				if err := os.Rename(path(name)+".hidden", path(name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	verify := func() error {
		held, err := archive.Open(dir)
		if err != nil {
			return err
		}
		return held.Verify(t.Context())
	}
	// What is altered is not purged.
	mend := change(middle.File, 400)
	_, err := r.archive(dir, func(c *ArchiveConfig) { c.Purge = true })
	refusedAs(t, "purge behind an altered segment", err, middle.Name())
	if state := r.streamState(); state.Msgs != last {
		t.Fatalf("purged all the same: %+v", state)
	}
	mend()
	// A replay holds the messages.
	_, release, err := holdLease(t.Context(), r.js, replayLease)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.archive(dir, func(c *ArchiveConfig) { c.Purge = true })
	refusedAs(t, "purge while a replay runs", err, "a replay is running")
	release()
	_, release, err = HoldArchive(t.Context(), r.js)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.archive(dir, nil)
	refusedAs(t, "a second archiving", err, "is running")
	release()
	if _, err := r.archive(dir, func(c *ArchiveConfig) { c.Purge, c.Before = true, time.Time{} }); schemas.CodeOf(err) != schemas.Invalid {
		t.Errorf("purge of nobody knows what: %v", err)
	}
	if result := r.mustArchive(dir, true); result.Archived != 0 || result.Kept != 1 {
		t.Fatalf("%+v", result)
	}
	before := r.contents()
	replay := func() error { return errorOf(r.replay(func(c *ReplayConfig) { c.Archive = dir })) }
	for what, alter := range map[string]func() func(){
		"an altered byte":               func() func() { return change(middle.File, 300) },
		"an altered last byte":          func() func() { return change(middle.File, -1) },
		"an altered manifest":           func() func() { return change(middle.Name()+".json", 60) },
		"a segment without messages":    func() func() { return hide(middle.File) },
		"the messages of another":       func() func() { return swapFiles(t, path(middle.File), path(segments[3].File)) },
		"a manifest of another archive": func() func() { return reseal(t, dir, &middle) },
	} {
		mend := alter()
		refusedAs(t, "verification of "+what, verify(), middle.Name())
		refusedAs(t, "replay of "+what, replay(), middle.Name())
		mend()
	}
	mend = hide(middle.Files()...)
	refusedAs(t, "verification without a segment", verify(), fmt.Sprintf("lacks the sequences %d to %d", middle.First, middle.Last))
	refusedAs(t, "replay without a segment", replay(), fmt.Sprintf("lacks the sequences %d to %d", middle.First, middle.Last))
	mend()
	mend = hide(segments[4].Files()...)
	refusedAs(t, "replay without the last segment", replay(), fmt.Sprintf("sequences %d to %d", segments[4].First, last-1))
	_, err = r.archive(dir, nil)
	refusedAs(t, "archiving behind a gap", err, fmt.Sprintf("lacks the sequences %d to", segments[4].First))
	mend()
	if err := verify(); err != nil {
		t.Error(err)
	}
	if err := replay(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}

	other := newRig(t)
	other.start(Config{})
	other.applied(other.publish(progress("another", 1)))
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	other.mustArchive(elsewhere, false)
	r.applied(r.publish(progress("x", 1)))
	_, err = other.archive(dir, nil)
	refusedAs(t, "the archive of a longer stream", err, "another stream")
	var more []*nats.Msg
	for range 500 {
		more = append(more, progress("y", 1))
	}
	other.publishMany(more)
	_, err = other.archive(dir, nil)
	refusedAs(t, "the archive of another stream", err, "another stream")
}

// TestArchivingThatBreaksOff leaves what a crash leaves at each step; the next run neither loses nor repeats anything. And a
// stream that must not be purged is not.
func TestArchivingThatBreaksOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dir := filepath.Join(t.TempDir(), "archive")
	r.start(Config{})
	last := r.mixture(250)
	r.applied(last)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Archive(ctx, ArchiveConfig{JetStream: r.js, Dir: dir, Now: time.Now}); err == nil {
		t.Error("archived after its end")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	// Half a segment, messages without their manifest, and half a manifest.
	for name, text := range map[string]string{"segment.partial": "half", "000000000001-000000000077.ndjson.zst": "whole", "000000000001-000000000100.json.partial": "{"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	result := r.mustArchive(dir, false)
	if len(result.Segments) != 3 || result.Last != last {
		t.Fatalf("%+v", result)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 6 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	held, err := archive.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	// Every message is there as the stream has it.
	stream, err := r.js.Stream(t.Context(), schemas.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	cursor := held.After(0)
	defer cursor.Close()
	for sequence := uint64(1); sequence <= last; sequence++ {
		want, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cursor.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&archive.Message{Sequence: want.Sequence, Subject: want.Subject, Header: want.Header, Data: want.Data, Time: want.Time}, got); diff != "" {
			t.Fatal(diff)
		}
	}
	// Only what is old goes.
	boundary := held.Segments()[1].First + 20
	message, err := held.After(boundary - 1).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	purged, err := r.archive(dir, func(c *ArchiveConfig) { c.Purge, c.Before = true, message.Time })
	if err != nil || purged.PurgedTo >= boundary || purged.Purged != purged.PurgedTo || r.streamState().FirstSeq != purged.PurgedTo+1 {
		t.Errorf("purged before %d: %+v, %v", boundary, purged, err)
	}
	config := stream.CachedInfo().Config
	config.DenyPurge = true
	if _, err := r.js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	_, err = r.archive(dir, func(c *ArchiveConfig) { c.Purge = true })
	refusedAs(t, "a stream that denies it", err, "refuses to be purged", "--allow-purge")
}
