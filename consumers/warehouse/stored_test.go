package warehouse

import (
	"fmt"
	"testing"
	"time"

	"milepost/schemas"
)

// TestLargeLedgersAreStoredInParts stores more rows than one INSERT has.
func TestLargeLedgersAreStoredInParts(t *testing.T) {
	t.Parallel()
	w := open(t)
	day := schemas.NewDate(2025, time.March, 31)
	l := &schemas.Ledger{AsOf: day, KnownSeq: 7, Standings: make([]schemas.Standing, 2*rowsInInsert+3)}
	rules := schemas.DefaultRules()
	for i := range l.Standings {
		l.Standings[i] = schemas.Standing{ProjectID: fmt.Sprintf("P-%06d", i), Name: "项目", RegisteredOn: day, Method: make([]schemas.Verdict, len(rules.Method))}
	}
	if err := NewReader(w, rules).insertLedger(t.Context(), "ledger_current_rows", l); err != nil {
		t.Fatal(err)
	}
	var rows uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT uniqExact(project_id) FROM ledger_current").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows != uint64(len(l.Standings)) {
		t.Errorf("%d rows of %d are stored", rows, len(l.Standings))
	}
	w.mergeNow(t.Context(), "ledger_current_rows")
	var parts uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'ledger_current_rows' AND active").Scan(&parts); err != nil {
		t.Fatal(err)
	}
	if parts != 1 {
		t.Errorf("%d parts are left", parts)
	}
}
