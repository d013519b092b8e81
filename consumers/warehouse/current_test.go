package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"milepost/schemas"
)

// currentRows is what analysts see of the current ledger and of ignored events.
func currentRows(t *testing.T, w *Warehouse) []string {
	t.Helper()
	return slices.Concat(
		rows(t, w, "SELECT [toString(tuple(* REPLACE mapSort(method) AS method))] AS r FROM ledger_current ORDER BY project_id"),
		rows(t, w, "SELECT [toString(tuple(* EXCEPT known_seq))] AS r FROM ignored_events ORDER BY id, source, part, reason"),
	)
}

// TestCurrentByDifferenceIsThatOfTheWhole refreshes the current ledger after each of some batches of random histories, and
// compares it with one that was judged as a whole.
func TestCurrentByDifferenceIsThatOfTheWhole(t *testing.T) {
	w, whole := open(t), open(t)
	clock := time.Date(2026, 3, 20, 9, 0, 0, 0, schemas.Location)
	w.now = func() time.Time { clock = clock.Add(time.Second); return clock }
	w.stream, whole.stream = &fakeStream{}, &fakeStream{}
	rules := schemas.DefaultRules()
	reader := NewReader(whole, rules)
	histories := rapid.Custom(func(rt *rapid.T) []Delivery { return drawHistory(rt, 9) })
	byDifference := 0
	for seed := 1; seed <= 1; seed++ {
		for _, table := range []string{"events", "content_hashes", "contested", "conflict_checks", "ledger_current_rows", "ignored_rows", "ledger_current_known"} {
			for _, one := range []*Warehouse{w, whole} {
				if err := one.conn.Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
					t.Fatal(err)
				}
			}
		}
		current := NewCurrent(w)
		history := histories.Example(seed)
		day := schemas.NewDate(2021, time.March, 20) + schemas.Date(211*seed)
		for part := range slices.Chunk(history, 15) {
			for batch := range slices.Chunk(part, 3) {
				store(t, w, batch)
				before := current.knows
				if err := current.Refresh(t.Context(), rules, schemas.LedgerCut(day, batch[len(batch)-1].Sequence)); err != nil {
					t.Fatal(err)
				}
				if before != nil && current.knows.whole.Equal(before.whole) {
					byDifference++
				}
			}
			store(t, whole, part)
			cut := schemas.LedgerCut(day, part[len(part)-1].Sequence)
			if err := reader.RefreshCurrent(t.Context(), cut); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(currentRows(t, whole), currentRows(t, w)); diff != "" {
				t.Fatalf("seed %d, known %d: %s", seed, cut.KnownSeq, diff)
			}
		}
	}
	if byDifference < 10 {
		t.Errorf("only %d refreshes were by difference", byDifference)
	}
}

// store writes as the consumers do behind a backlog.
func store(t *testing.T, w *Warehouse, deliveries []Delivery) {
	t.Helper()
	if _, err := w.Write(t.Context(), Batch{Deliveries: deliveries, Backlog: true}); err != nil {
		t.Fatal(err)
	}
}

// TestCurrentFollowsWhatConcernsOthers refreshes after a revocation of another project's registration, and after a
// publication, which item 6 of 七个一 looks at for all projects.
func TestCurrentFollowsWhatConcernsOthers(t *testing.T) {
	w := open(t)
	current := NewCurrent(w)
	event := func(seq uint64, kind, subject, district, data string) Delivery {
		return delivery(t, seq, fmt.Sprintf(`{"specversion":"1.0","id":"e%d","source":"/offices/%s","type":%q,"subject":%q,
"time":"2025-03-09T10:00:00+08:00","district":%q,"datacontenttype":"application/json","data":%s}`, seq, district, kind, subject, district, data))
	}
	const registration = `{"name":"项目","enterprise":"企业1有限公司","total_investment":1200,"registered_on":"2025-01-08"}`
	for _, step := range []struct {
		arrives Delivery
		want    []string
	}{
		{event(1, "project.registered.v1", "P-1", "shanyang", registration), []string{"P-1\tfalse\t\t1"}},
		{event(2, "project.registered.v1", "P-2", "shanyang", registration), []string{"P-1\tfalse\t\t2", "P-2\tfalse\t\t2"}},
		{event(3, "event.revoked.v1", "P-1", "shanyang", `{"revokes":{"source":"/offices/shanyang","id":"e2"},"reason":"重复","decided_on":"2025-03-09"}`), []string{"P-1\tfalse\t\t3"}},
		{event(4, "bulletin.published.v1", "_month-2025", "city", `{"kind":"month","period":"2025-01","number":1,"known_seq":2,"rules_hash":"`+strings.Repeat("a", 64)+`","files":[]}`), []string{"P-1\tfalse\ttrue\t4"}},
		{event(5, "project.suspended.v1", "P-1", "city", `{"effective_on":"2025-03-01","reason":"停建"}`), []string{"P-1\ttrue\ttrue\t5"}},
	} {
		store(t, w, []Delivery{step.arrives})
		if err := current.Refresh(t.Context(), schemas.DefaultRules(), schemas.LedgerCut(schemas.NewDate(2025, time.March, 20), step.arrives.Sequence)); err != nil {
			t.Fatal(err)
		}
		got := rows(t, w, "SELECT [project_id, toString(suspended), ifNull(toString(method['bulletin']), ''), toString(known_seq)] AS r FROM ledger_current ORDER BY project_id")
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("sequence %d: %s", step.arrives.Sequence, diff)
		}
	}
}
