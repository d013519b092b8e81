package web

import (
	"fmt"
	"iter"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

func standings(list []schemas.Standing) iter.Seq2[*schemas.Standing, error] {
	return func(yield func(*schemas.Standing, error) bool) {
		for i := range list {
			if !yield(&list[i], nil) {
				return
			}
		}
	}
}

// TestPagesOfTheLedgerAreTheLedger pages through ledgers with and without filters, by every size of page.
func TestPagesOfTheLedgerAreTheLedger(t *testing.T) {
	t.Parallel()
	var all []schemas.Standing
	lights := []schemas.Light{schemas.Green, schemas.Red, schemas.Red, schemas.NoneOn}
	for i := range 23 {
		all = append(all, schemas.Standing{ProjectID: fmt.Sprintf("P-%02d", i), Light: lights[i%len(lights)], District: []string{"xiuwu", "boai"}[i%2], Status: schemas.StatusSlow})
	}
	for _, filter := range []ledgerChoice{{}, {light: schemas.Red}, {light: schemas.Red, district: "boai"}, {status: schemas.StatusSlow}, {status: schemas.StatusStalled}} {
		var want []string
		for i := range all {
			if filter.wants(&all[i]) {
				want = append(want, all[i].ProjectID)
			}
		}
		for limit := range 25 {
			choice := filter
			choice.limit = limit
			var got []string
			for pages := 0; ; pages++ {
				if pages > len(all) {
					t.Fatalf("limit %d does not end", limit)
				}
				first := slices.IndexFunc(all, func(s schemas.Standing) bool { return s.ProjectID > choice.after })
				page, err := choice.of(standings(all[max(first, 0):]))
				if err != nil {
					t.Fatal(err)
				}
				rows := 0
				for s, err := range page.list {
					if err != nil {
						t.Fatal(err)
					}
					got, rows = append(got, s.ProjectID), rows+1
				}
				if limit > 0 && rows > limit {
					t.Errorf("%d rows of at most %d", rows, limit)
				}
				if choice.after = page.next; page.next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v, limit %d: %v, want %v", filter, limit, got, want)
			}
		}
	}
}

// TestLedgerChoicesAreChecked names the field of each wrong parameter.
func TestLedgerChoicesAreChecked(t *testing.T) {
	t.Parallel()
	a := &api{Config: Config{Rules: schemas.UndatedRules(schemas.DefaultRules())}}
	for _, given := range []string{"limit=0", "limit=-1", "limit=10001", "limit=many", "district=nowhere", "status=late", "light=blue", "format=pdf"} {
		field, _, _ := strings.Cut(given, "=")
		_, err := a.ledgerChoice(httptest.NewRequest("GET", "/v1/ledger?"+given, nil), schemas.NewDate(2025, time.March, 31))
		if e, ok := err.(*schemas.Error); !ok || e.Field != field || e.Hint == "" {
			t.Errorf("%s: %v", given, err)
		}
	}
}
