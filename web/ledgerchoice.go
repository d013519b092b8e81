package web

import (
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"milepost/schemas"
)

// maxLedgerPage bounds a page of the ledger, which is gathered before it is sent.
const maxLedgerPage = 10_000

// ledgerChoice is which rows of the ledger are asked for.
type ledgerChoice struct {
	format   string
	after    string // a project id; rows up to it are left out
	limit    int    // 0: all
	district string // empty: any, as those below
	status   schemas.Status
	light    schemas.Light
}

// ledgerFormats gives the content types.
func ledgerFormats() map[string]string {
	return map[string]string{"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
}

func (a *api) ledgerChoice(r *http.Request, asOf schemas.Date) (ledgerChoice, error) {
	c := ledgerChoice{
		format: formatOr(r, "json"), after: r.FormValue("after"), district: r.FormValue("district"),
		status: schemas.Status(r.FormValue("status")), light: schemas.Light(r.FormValue("light")),
	}
	if _, ok := ledgerFormats()[c.format]; !ok {
		return c, unknownFormat(c.format, "json, ndjson or csv")
	}
	if given := r.FormValue("limit"); given != "" {
		var err error
		if c.limit, err = strconv.Atoi(given); err != nil || c.limit < 1 || c.limit > maxLedgerPage {
			return c, &schemas.Error{Code: schemas.Invalid, Field: "limit", Value: schemas.Shorten(given), Message: "not a number of rows", Hint: "write a number from 1 to " + strconv.Itoa(maxLedgerPage)}
		}
	}
	districts := a.Rules.On(asOf).DistrictCodes()
	for _, f := range []struct {
		field, given string
		choice       []string
	}{
		{"district", c.district, districts},
		{"status", string(c.status), []string{"completed", "smooth", "slow", "stalled", "suspended"}},
		{"light", string(c.light), []string{"green", "yellow", "red", "grey", "none"}},
	} {
		if f.given != "" && !slices.Contains(f.choice, f.given) {
			return c, &schemas.Error{Code: schemas.Invalid, Field: f.field, Value: schemas.Shorten(f.given), Message: "no such " + f.field, Hint: "choose one of " + strings.Join(f.choice, ", ")}
		}
	}
	return c, nil
}

func (c *ledgerChoice) wants(s *schemas.Standing) bool {
	return (c.district == "" || s.District == c.district) && (c.status == "" || s.Status == c.status) && (c.light == "" || s.Light == c.light)
}

// ledgerPage is what is sent; next is the id to go on behind, empty at the end.
type ledgerPage struct {
	list iter.Seq2[*schemas.Standing, error]
	next string
}

// of chooses rows; with a limit it reads the whole page, so that it knows whether there is another one.
func (c *ledgerChoice) of(all iter.Seq2[*schemas.Standing, error]) (ledgerPage, error) {
	if c.limit > 0 {
		return c.page(all)
	}
	return ledgerPage{list: func(yield func(*schemas.Standing, error) bool) {
		for s, err := range all {
			if (err != nil || c.wants(s)) && !yield(s, err) {
				return
			}
		}
	}}, nil
}

func (c *ledgerChoice) page(all iter.Seq2[*schemas.Standing, error]) (ledgerPage, error) {
	var page ledgerPage
	var rows []*schemas.Standing
	for s, err := range all {
		if err != nil {
			return page, err
		}
		if !c.wants(s) {
			continue
		}
		if len(rows) == c.limit {
			page.next = rows[len(rows)-1].ProjectID
			break
		}
		rows = append(rows, s)
	}
	page.list = func(yield func(*schemas.Standing, error) bool) {
		for _, s := range rows {
			if !yield(s, nil) {
				return
			}
		}
	}
	return page, nil
}
