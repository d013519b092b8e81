package web

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"milepost/schemas"
)

// TestLedgerCSV writes a row with every kind of cell, among them a text that a
// spreadsheet would take for a formula.
func TestLedgerCSV(t *testing.T) {
	t.Parallel()
	rules := schemas.DefaultRules()
	l := &schemas.Ledger{AsOf: schemas.NewDate(2025, 10, 31), Standings: []schemas.Standing{{
		ProjectID: "P-1", Name: `=HYPERLINK("http://x")`, Tags: []string{"省重点", "市重点"}, District: "xiuwu", RegisteredOn: schemas.NewDate(2025, 1, 2),
		TotalInvestment: 123456, Stage: schemas.StageRegistered, Status: schemas.StatusSlow, Light: schemas.Red,
		Investment: schemas.InvestmentStanding{Plan: 100000, Invested: 33333, Known: true}, Method: make([]schemas.Verdict, len(rules.Method)),
	}}}
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	if err := errors.Join(writeLedgerCSV(w, rules, l.AsOf, standings(l.Standings)), w.Flush()); err != nil {
		t.Fatal(err)
	}
	text, bom := strings.CutPrefix(out.String(), "\uFEFF")
	if !bom {
		t.Error("no byte-order mark")
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	row := map[string]string{}
	for i, name := range records[0] {
		row[name] = records[1][i]
	}
	for name, want := range map[string]string{
		"name": `'=HYPERLINK("http://x")`, "tags": "省重点、市重点", "enterprise": "", "total_investment": "1234.56", "rate": "33.3",
		"registered_on": "2025-01-02", "landed_target": "", "landed_late_days": "", "suspended": "false", "open_issues": "0",
		"method": `{"project":null,"lead":null,"department":null,"ledger":null,"schedule":null,"bulletin":null,"closure":null}`,
	} {
		if row[name] != want {
			t.Errorf("%s: %q, want %q", name, row[name], want)
		}
	}
}
