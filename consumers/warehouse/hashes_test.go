package warehouse

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
	migrations "milepost/schemas/clickhouse"
)

// Two ids of the source /offices/shanyang whose identities have one hash. They were found by trying some ten billion.
const (
	oneOfAHash     = "cbe32edf0b718b3a6"
	anotherOfAHash = "c68bf6adfc3208107"
)

// ofOneHash gives deliveries of the two, among them a repetition, and a conflict of the second.
func ofOneHash(t *testing.T) [4]Delivery {
	t.Helper()
	deliveries := [4]Delivery{
		progress(t, 1, oneOfAHash, 10), progress(t, 2, anotherOfAHash, 20), progress(t, 3, oneOfAHash, 10), progress(t, 4, anotherOfAHash, 30),
	}
	if one, another := deliveries[0].Event, deliveries[1].Event; identityOf(one) != identityOf(another) || one.EventID() == another.EventID() {
		t.Fatalf("%s and %s have the hashes %x and %x", one.EventID(), another.EventID(), identityOf(one), identityOf(another))
	}
	return deliveries
}

// checkOfOneHash expects that both count, and that the conflict is the second's alone.
func checkOfOneHash(t *testing.T, w *Warehouse, what string) {
	t.Helper()
	got := rows(t, w, "SELECT [id, toString(stream_seq)] AS r FROM events FINAL ORDER BY stream_seq")
	if diff := cmp.Diff([]string{oneOfAHash + "\t1", anotherOfAHash + "\t2"}, got); diff != "" {
		t.Errorf("%s: events %s", what, diff)
	}
	got = rows(t, w, "SELECT [id, toString(stream_seq), toString(counted_seq)] AS r FROM conflicts")
	if diff := cmp.Diff([]string{anotherOfAHash + "\t4\t2"}, got); diff != "" {
		t.Errorf("%s: conflicts %s", what, diff)
	}
	if got := rows(t, w, "SELECT [count()] AS r FROM dead_letters"); got[0] != "0" {
		t.Errorf("%s: %s dead letters", what, got[0])
	}
}

// TestIdentitiesOfOneHashAreTwo delivers two identities of one hash in every order, one by one and as a backlog.
func TestIdentitiesOfOneHashAreTwo(t *testing.T) {
	t.Parallel()
	w := open(t)
	deliveries := ofOneHash(t)
	empty := func() {
		for _, table := range []string{"events", "content_hashes", "contested", "conflict_checks"} {
			if err := w.Clear(t.Context(), table); err != nil {
				t.Fatal(err)
			}
		}
	}
	permutations(3, func(order []int) { // 0, 1 and 3; what comes last is the repetition
		for _, i := range order {
			write(t, w, deliveries[i+i/2])
		}
		write(t, w, deliveries[2])
		checkOfOneHash(t, w, fmt.Sprint(order))
		empty()
	})
	for _, i := range []int{1, 3, 0, 2} {
		if _, err := w.Write(t.Context(), Batch{Deliveries: []Delivery{deliveries[i]}, Backlog: true}); err != nil {
			t.Fatal(err)
		}
	}
	mergeAll(t, w)
	if err := w.SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkOfOneHash(t, w, "a backlog")
	empty()
	// Without a conflict nothing is one; the counter is wrong by one, as its description says.
	write(t, w, deliveries[0])
	if got := write(t, w, deliveries[1]); got.Conflicting != 1 || got.Repeated != 0 {
		t.Errorf("%+v", got)
	}
	if got := rows(t, w, "SELECT [toString(count())] AS r FROM conflicts"); got[0] != "0" {
		t.Errorf("%s conflicts", got[0])
	}
}

// TestShadowTablesOfIdentitiesOfOneHash has a replay of such identities accepted, and each of them missed.
func TestShadowTablesOfIdentitiesOfOneHash(t *testing.T) {
	t.Parallel()
	w := open(t)
	deliveries := ofOneHash(t)
	w.stream.(*fakeStream).hold(deliveries[:])
	for _, c := range []struct {
		damage     string
		deliveries []Delivery
	}{
		{"", deliveries[:]}, {"", deliveries[:3]}, // with a conflict, and without
		{"ALTER TABLE events_replay DELETE WHERE id = '" + oneOfAHash + "' SETTINGS mutations_sync = 2", deliveries[:3]},
		{"ALTER TABLE events_replay DELETE WHERE id = '" + anotherOfAHash + "' SETTINGS mutations_sync = 2", deliveries[:3]},
		{"ALTER TABLE events_replay DELETE WHERE id = '" + anotherOfAHash + "' SETTINGS mutations_sync = 2", deliveries[:]},
		{"ALTER TABLE contested_replay DELETE WHERE id = '" + oneOfAHash + "' SETTINGS mutations_sync = 2", deliveries[:3]},
		{"INSERT INTO events_replay SELECT * REPLACE ('more' AS id) FROM events_replay WHERE stream_seq = 2", deliveries[:3]},
	} {
		s, err := w.NewShadow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(t.Context(), Batch{Deliveries: c.deliveries, Backlog: true}); err != nil {
			t.Fatal(err)
		}
		if err := s.RecordConflicts(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := schemas.Code("")
		if c.damage != "" {
			want = schemas.Internal
			if err := w.conn.Exec(t.Context(), c.damage); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Check(t.Context()); schemas.CodeOf(err) != want && (err != nil || want != "") {
			t.Errorf("%q, %d deliveries: %v", c.damage, len(c.deliveries), err)
		}
		lacking, err := s.Lacking(t.Context(), []Delivery{progress(t, 5, anotherOfAHash, 20), progress(t, 6, oneOfAHash, 20)})
		if err != nil || !slices.Equal(lacking, []uint64{6}) {
			t.Errorf("lacking: %v, %v", lacking, err)
		}
	}
}

// TestContentsOfOneHash makes two contents of an identity of which the first halves of the fingerprints agree: the second
// is taken for a repetition, and the first counts, in whatever order they come.
func TestContentsOfOneHash(t *testing.T) {
	t.Parallel()
	w := open(t)
	first, second := progress(t, 1, "a", 1), progress(t, 2, "a", 2)
	second.Fingerprint = first.Fingerprint
	second.Fingerprint[15]++
	for _, order := range [][]Delivery{{first, second}, {second, first}} {
		for _, d := range order {
			write(t, w, d)
		}
		if got := rows(t, w, "SELECT [toString(stream_seq), data] AS r FROM events FINAL"); !slices.Equal(got, []string{"1\t" + string(first.Event.RawData)}) {
			t.Errorf("events %q", got)
		}
		if got := rows(t, w, "SELECT [toString(count())] AS r FROM conflicts"); got[0] != "0" {
			t.Errorf("%s conflicts", got[0])
		}
		for _, table := range []string{"events", "content_hashes", "contested"} {
			if err := w.Clear(t.Context(), table); err != nil {
				t.Fatal(err)
			}
		}
	}
	third := progress(t, 3, "a", 3)
	if got := write(t, w, first, second, third); got.Repeated != 1 || got.Conflicting != 1 {
		t.Errorf("%+v", got)
	}
	if got := rows(t, w, "SELECT [toString(stream_seq), toString(counted_seq)] AS r FROM conflicts"); !slices.Equal(got, []string{"3\t1"}) {
		t.Errorf("conflicts %q", got)
	}
}

// TestContentsBecomeHashes brings tables of the schema before content_hashes up to date, with every migration since run
// twice as one is that was interrupted before it was recorded, and a batch of an older process stored in between.
func TestContentsBecomeHashes(t *testing.T) {
	t.Parallel()
	w := openEmpty(t, freshDSN(t))
	if err := w.MigrateTo(t.Context(), hashesSchema-1); err != nil {
		t.Fatal(err)
	}
	exec := func(sql string) {
		t.Helper()
		if err := w.conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	contents := func(deliveries ...Delivery) {
		t.Helper()
		w.stream.(*fakeStream).hold(deliveries)
		for i := range deliveries {
			d := &deliveries[i]
			exec(fmt.Sprintf("INSERT INTO contents (identity, fingerprint, stream_seq) SELECT substring(SHA256('%s'), 1, 16), unhex('%s'), %d", d.Event.EventID(), d.Fingerprint, d.Sequence))
		}
	}
	events := func(deliveries ...Delivery) {
		t.Helper()
		for i := range deliveries {
			d := &deliveries[i]
			exec(fmt.Sprintf("INSERT INTO events (source, id, type, project_id, stream_seq, data, fingerprint) SELECT '%s', '%s', '%s', '%s', %d, '%s', unhex('%s')",
				d.Event.Source, d.Event.ID, d.Event.Type, d.Event.Subject, d.Sequence, d.Event.RawData, d.Fingerprint))
		}
	}
	// b was used twice, a was repeated, and what a batch stored of c is in events only.
	before := []Delivery{progress(t, 5, "a", 1), progress(t, 6, "b", 1), progress(t, 7, "b", 2), progress(t, 8, "a", 1)}
	between := progress(t, 9, "c", 1)
	events(append(before, between)...)
	contents(before...)
	known, err := readMigrations(migrations.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range known {
		if m.number < hashesSchema {
			continue
		}
		for _, statement := range m.statements {
			exec(statement)
		}
		if m.number == hashesSchema {
			contents(between)
		}
		if err := w.MigrateTo(t.Context(), m.number); err != nil {
			t.Fatalf("%s again: %v", m.name, err)
		}
	}
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"a\t5", "b\t6", "c\t9"}
	if diff := cmp.Diff(want, rows(t, w, "SELECT [id, toString(stream_seq)] AS r FROM events FINAL ORDER BY id")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"5", "6", "7", "9"}, rows(t, w, "SELECT [toString(stream_seq)] AS r FROM content_hashes FINAL ORDER BY stream_seq")); diff != "" {
		t.Error(diff)
	}
	// What comes now finds what came before.
	written := write(t, w, progress(t, 10, "a", 1), progress(t, 11, "c", 2), progress(t, 12, "b", 2))
	if diff := cmp.Diff(Written{Events: 3, Repeated: 1, Conflicting: 2}, written); diff != "" {
		t.Error(diff)
	}
	want = []string{"b\t7\t6", "c\t11\t9"}
	if diff := cmp.Diff(want, rows(t, w, "SELECT [id, toString(stream_seq), toString(counted_seq)] AS r FROM conflicts ORDER BY id")); diff != "" {
		t.Error(diff)
	}
}
