package warehouse

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

// TestSomeProjectsAreJudgedAsInTheWholeLedger reads the projects of a golden
// history together and apart, also where an identity was used for two projects.
func TestSomeProjectsAreJudgedAsInTheWholeLedger(t *testing.T) {
	t.Parallel()
	w := open(t)
	text, err := os.ReadFile("../../testdata/golden/small/events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	rules := schemas.DefaultRules()
	validator := schemas.NewValidator(rules)
	var deliveries []Delivery
	seq := uint64(0)
	for line := range bytes.Lines(text) {
		if _, _, err := validator.Decode(bytes.TrimSpace(line)); err != nil {
			continue // the history has some that are no events
		}
		seq++
		deliveries = append(deliveries, delivery(t, seq, string(bytes.TrimSpace(line))))
	}
	// The first delivery is about the one project, a later one about another.
	const registered = `{"specversion":"1.0","id":"twice","source":"/offices/shanyang","type":"project.registered.v1","subject":"SUBJECT","time":"2025-03-08T10:00:00+08:00","district":"shanyang",
"datacontenttype":"application/json","data":{"name":"项目","total_investment":1000,"registered_on":"2025-01-02"}}`
	for _, project := range []string{"T-1", "T-2"} {
		seq++
		deliveries = append(deliveries, delivery(t, seq, strings.ReplaceAll(registered, "SUBJECT", project)))
	}
	write(t, w, deliveries...)
	reader := NewReader(w, rules)
	for _, known := range []uint64{seq, seq / 2} {
		cuts := []schemas.Cut{schemas.LedgerCut(day(t, "2025-10-31"), known), schemas.LedgerCut(day(t, "2025-09-30"), known)}
		whole, err := reader.Ledgers(t.Context(), cuts...)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, s := range whole[0].Standings {
			ids = append(ids, s.ProjectID)
		}
		if len(ids) < 3 {
			t.Fatalf("only %v", ids)
		}
		for _, some := range [][]string{ids, ids[1:2], {"T-2", "nowhere"}} {
			got, err := reader.LedgersOf(t.Context(), some, cuts...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range cuts {
				var want []schemas.Standing
				for _, s := range whole[i].Standings {
					for _, id := range some {
						if s.ProjectID == id {
							want = append(want, s)
						}
					}
				}
				if difference := cmp.Diff(want, got[i].Standings, cmp.Exporter(func(reflect.Type) bool { return true })); len(want)+len(got[i].Standings) > 0 && difference != "" {
					t.Errorf("known %d, %v: %s", known, some, difference)
				}
			}
		}
	}
}

func day(t *testing.T, text string) schemas.Date {
	t.Helper()
	d, err := schemas.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
