package warehouse

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConflictsOfABacklogAreSettledLater(t *testing.T) {
	w := open(t)
	deliveries := []Delivery{
		progress(t, 1, "a", 1), progress(t, 2, "b", 1), progress(t, 3, "a", 2), progress(t, 4, "b", 1), progress(t, 5, "a", 3), progress(t, 6, "c", 1),
	}
	w.stream.(*fakeStream).hold(deliveries)
	conflicts := func() []string {
		return rows(t, w, "SELECT [id, toString(stream_seq), toString(counted_seq)] AS r FROM conflicts ORDER BY stream_seq")
	}
	for _, part := range [][]Delivery{deliveries[3:], deliveries[:3]} {
		if _, err := w.Write(t.Context(), Batch{Deliveries: part, Backlog: true}); err != nil {
			t.Fatal(err)
		}
	}
	mergeAll(t, w) // the merges of events drop what does not count
	if got := conflicts(); len(got) != 0 {
		t.Errorf("before the check: %v", got)
	}
	want := []string{"a\t3\t1", "a\t5\t1"}
	for range 2 {
		if err := w.SettleConflicts(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, conflicts()); diff != "" {
			t.Error(diff)
		}
	}
	checks := rows(t, w, "SELECT [toString(kind), toString(stream_seq)] AS r FROM conflict_checks ORDER BY kind, stream_seq")
	if diff := cmp.Diff([]string{"owed\t3", "owed\t6", "done\t6"}, checks); diff != "" {
		t.Error("the second time there was nothing to do:", diff)
	}
	// A batch that comes after the check is owed another.
	late := progress(t, 7, "c", 2)
	w.stream.(*fakeStream).hold([]Delivery{late})
	if _, err := w.Write(t.Context(), Batch{Deliveries: []Delivery{late}, Backlog: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(want, "c\t7\t6"), conflicts()); diff != "" {
		t.Error(diff)
	}
}
