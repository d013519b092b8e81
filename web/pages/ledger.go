package pages

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"milepost/schemas"
)

// rowsPerPage is how many projects a page of the ledger has.
const rowsPerPage = 50

// maxSearch bounds the text of a search.
const maxSearch = 100

// ledgerContent is what the ledger's page shows.
type ledgerContent struct {
	*view
	filter
	Choices
	Rows      []ledgerRow
	Found     int
	Page      int
	Pages     int
	From, To  int
	Headings  []heading
	Columns   []columnChoice
	CSV, XLSX string
	Next      string
	Previous  string
	named     bool // the address names the columns
}

type ledgerRow struct {
	*schemas.Standing
	DistrictName string
	Rate         *schemas.Figure
	Next         string // of the next milestone
	NextTarget   schemas.Date
	OverdueMonth int
	Open, Late   int
	Extra        []extraCell
}

// heading is a column's head; a click sorts by it.
type heading struct {
	Name, Link string
	Sorted     string // "ascending", "descending" or ""
	Class      string
}

// Choices are what filters offer.
type Choices struct {
	Districts   []schemas.District
	Leads       []string
	Departments []string
	Tags        []string
	Lights      []schemas.Light
	Statuses    []schemas.Status
	Stages      []schemas.Stage
}

// filter says which projects are shown, and in what order.
type filter struct {
	Q, District, Lead, Department, Light, Status, Stage, Tag string
	Sort                                                     string
	Descending                                               bool
	Cancelled                                                bool
}

func readFilter(r *http.Request) filter {
	f := filter{
		Q: strings.TrimSpace(r.FormValue("q")), District: r.FormValue("district"), Lead: r.FormValue("lead"), Department: r.FormValue("department"),
		Light: r.FormValue("light"), Status: r.FormValue("status"), Stage: r.FormValue("stage"), Tag: r.FormValue("tag"), Cancelled: r.FormValue("cancelled") != "",
	}
	if len(f.Q) > maxSearch {
		f.Q = strings.ToValidUTF8(f.Q[:maxSearch], "")
	}
	f.Sort, f.Descending = strings.CutPrefix(r.FormValue("sort"), "-")
	if sorters[f.Sort] == nil {
		f.Sort = "id"
	}
	return f
}

// parameters gives the filter as it stands in an address.
func (f *filter) parameters(v *view) url.Values {
	values := v.with()
	for name, value := range map[string]string{
		"q": f.Q, "district": f.District, "lead": f.Lead, "department": f.Department, "light": f.Light, "status": f.Status, "stage": f.Stage, "tag": f.Tag,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if f.Cancelled {
		values.Set("cancelled", "1")
	}
	return values
}

// parameters also name the columns where the address did.
func (c *ledgerContent) parameters(v *view) url.Values {
	values := c.filter.parameters(v)
	if c.named {
		values.Add("col", "-")
		for _, one := range c.Columns {
			if one.Shown {
				values.Add("col", one.Key)
			}
		}
	}
	return values
}

func (f *filter) sortWord() string {
	if f.Descending {
		return "-" + f.Sort
	}
	return f.Sort
}

// unassigned is how the filters name nobody.
const unassigned = "未分包"

// nextMilestone is the first that was not reached.
func nextMilestone(s *schemas.Standing) (schemas.Milestone, bool) {
	for _, m := range schemas.Milestones() {
		if s.Milestones[m].ReachedOn == 0 {
			return m, true
		}
	}
	return 0, false
}

// ledger answers GET /ledger with filters, order and page.
func (p *Pages) ledger(w http.ResponseWriter, r *http.Request) error {
	v, err := p.view(r)
	if err != nil {
		return err
	}
	content := &ledgerContent{view: v, filter: readFilter(r), Choices: v.index().choices}
	content.Columns, content.named = chooseColumns(r)
	if content.named {
		rememberColumns(w, content.Columns)
	}
	content.fill(r.FormValue("page"))
	if isPart(r) {
		return p.write(w, http.StatusOK, "ledger", "ledgerrows", content)
	}
	return p.show(w, r, http.StatusOK, "ledger", "台账", content)
}

func (c *ledgerContent) fill(page string) {
	found := c.find(&c.filter)
	c.Found = found.count
	c.Pages = max(1, (c.Found+rowsPerPage-1)/rowsPerPage)
	c.Page = 1
	if n, err := strconv.Atoi(page); err == nil {
		c.Page = min(max(1, n), c.Pages)
	}
	c.From, c.To = (c.Page-1)*rowsPerPage, min(c.Page*rowsPerPage, c.Found)
	for _, row := range found.page(c.From, c.To) {
		c.Rows = append(c.Rows, c.row(&c.snapshot.ledger.Standings[row]))
	}
	c.From = min(c.From+1, c.Found)
	pageLink := func(n int) string {
		values := c.parameters(c.view)
		values.Set("sort", c.sortWord())
		values.Set("page", strconv.Itoa(n))
		return "/ledger?" + values.Encode()
	}
	if c.Page > 1 {
		c.Previous = pageLink(c.Page - 1)
	}
	if c.Page < c.Pages {
		c.Next = pageLink(c.Page + 1)
	}
	values := c.parameters(c.view)
	values.Set("sort", c.sortWord())
	values.Set("as_of", c.asOf.String())
	values.Set("known", c.KnownSeq())
	values.Set("format", "csv")
	c.CSV = "/ledger/export?" + values.Encode()
	values.Set("format", "xlsx")
	c.XLSX = "/ledger/export?" + values.Encode()
	c.Headings = append(c.Headings, c.heading("id", "项目", ""))
	for _, one := range c.Columns {
		switch {
		case one.Shown && one.Sorts:
			c.Headings = append(c.Headings, c.heading(one.Key, one.Name, one.Class))
		case one.Shown:
			c.Headings = append(c.Headings, heading{Name: one.Name, Class: one.Class})
		}
	}
}

func (c *ledgerContent) heading(word, name, class string) heading {
	h := heading{Name: name, Class: class}
	values := c.parameters(c.view)
	values.Set("sort", word)
	if c.Sort == word {
		h.Sorted = "ascending"
		if c.Descending {
			h.Sorted = "descending"
		} else {
			values.Set("sort", "-"+word)
		}
	}
	h.Link = "/ledger?" + values.Encode()
	return h
}

func (c *ledgerContent) row(s *schemas.Standing) ledgerRow {
	row := ledgerRow{Standing: s, DistrictName: c.DistrictName(s.District), Open: s.OpenIssues(), Late: s.OverdueIssues(c.asOf)}
	if s.Investment.Known {
		row.Rate = schemas.Percent(int64(s.Investment.Invested), int64(s.Investment.Plan))
	}
	if m, ok := nextMilestone(s); ok {
		row.Next, row.NextTarget, row.OverdueMonth = milestoneName(m), s.Milestones[m].Target, s.Milestones[m].OverdueMonths
	}
	row.Extra = c.extra(&row)
	return row
}
