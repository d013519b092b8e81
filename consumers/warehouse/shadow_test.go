package warehouse

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

// mixed is a batch with two identities, one of them contested, a repetition and a dead letter.
func mixed(t *testing.T) Batch {
	t.Helper()
	return Batch{
		Deliveries: []Delivery{progress(t, 1, "a", 1), progress(t, 2, "b", 1), progress(t, 4, "a", 2), progress(t, 5, "a", 1)},
		DeadLetters: []DeadLetter{{Sequence: 7, RecordedAt: recordedAt, Raw: []byte("x"),
			Reason: &schemas.Error{Code: schemas.Malformed, Message: "no JSON", Hint: "send JSON"}}},
	}
}

// newShadow gives shadow tables with a mixed batch.
func newShadow(t *testing.T, w *Warehouse) *Shadow {
	t.Helper()
	s, err := w.NewShadow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.stream.(*fakeStream).hold(mixed(t).Deliveries)
	if _, err := s.Write(t.Context(), mixed(t)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShadowTablesAreSwapped(t *testing.T) {
	w := open(t)
	w.stream.(*fakeStream).hold(mixed(t).Deliveries)
	if _, err := w.Write(t.Context(), mixed(t)); err != nil {
		t.Fatal(err)
	}
	s := newShadow(t, w)
	if err := w.conn.Exec(t.Context(), "INSERT INTO events SELECT * REPLACE ('damage' AS id) FROM events LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(t.Context()); err != nil {
		t.Fatal(err)
	}
	changes, err := s.Compare(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	want := []TableChange{{"events", 3, 2, true}, {"content_hashes", 3, 3, false}, {"contested", 2, 2, false}, {"dead_letters", 1, 1, false}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
	// A later conflict brings an earlier delivery into contested, and changes nothing of what was said before.
	write(t, w, progress(t, 8, "b", 2))
	if changes, err = s.Compare(t.Context(), 7); err != nil || changes[2].Changed {
		t.Errorf("%+v, %v", changes, err)
	}
	if err := s.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2"}, rows(t, w, "SELECT [toString(count())] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
}

func TestShadowTablesThatDisagreeAreFound(t *testing.T) {
	w := open(t)
	for _, damage := range []string{
		"TRUNCATE TABLE events_replay", "TRUNCATE TABLE contested_replay", "TRUNCATE TABLE content_hashes_replay",
		"INSERT INTO events_replay SELECT * REPLACE (1 AS stream_seq) FROM events_replay WHERE id = 'b'",
		"ALTER TABLE contested_replay DELETE WHERE stream_seq = 4 SETTINGS mutations_sync = 2",
	} {
		s := newShadow(t, w)
		if err := w.conn.Exec(t.Context(), damage); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); schemas.CodeOf(err) != schemas.Internal {
			t.Errorf("%s: %v", damage, err)
		}
	}
}

func TestShadowTablesAccountForSequences(t *testing.T) {
	s := newShadow(t, open(t))
	for _, c := range []struct {
		after, upTo uint64
		want        string
	}{{0, 9, "3-3 5-6 8-9"}, {0, 2, ""}, {2, 4, "3-3"}, {5, 6, "6-6"}, {7, 9, "8-9"}, {9, 9, ""}} {
		got := ""
		err := s.Unseen(t.Context(), c.after, c.upTo, func(first, last uint64) error {
			if got != "" {
				got += " "
			}
			got += fmt.Sprintf("%d-%d", first, last)
			return nil
		})
		if err != nil || got != c.want {
			t.Errorf("after %d up to %d: %q, want %q (%v)", c.after, c.upTo, got, c.want, err)
		}
	}
	lacking, err := s.Lacking(t.Context(), []Delivery{progress(t, 5, "a", 1), progress(t, 3, "a", 2), progress(t, 6, "b", 9), progress(t, 8, "c", 1), progress(t, 9, "b", 1)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint64{3, 6, 8}, lacking); diff != "" {
		t.Error(diff)
	}
}
