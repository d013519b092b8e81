package pages

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"milepost/schemas"
)

// office is who reports on the page: the district of its events, and the
// projects that it reports for.
type office struct {
	District string // of the events
	Name     string
	Source   string
	admits   func(*schemas.Standing) bool
}

// reportContent is what the pages of reports show.
type reportContent struct {
	Office  office
	Offices []schemas.District // among which the sender chooses; one is no choice
	Menu    []formLink
	Month   schemas.Month
	Months  []schemas.Month
	Rows    []*progressRow
	// Page of Pages shows the rows of the table from First on; Count is how many
	// projects there are.
	Page, Pages, First, Count int
	Today                     schemas.Date
	Nonce                     string
	Given                     map[string]string
	Wrong                     map[string]*schemas.Error // by the name of the field
	Form                      string                    // that was sent
	Done                      []sentEvent
	Failed                    int
	// Shown is the form of a page that has one.
	Shown *shownForm

	known       uint64              // what the ledger of the page knows
	projects    []*schemas.Standing // of the office
	districts   []schemas.District
	departments []string
	leads       []string
	department  bool         // the sender is one
	kept        []StoredFile // evidence that was uploaded
	fields      []formField  // of the form that was sent
}

// Departments and Leads are offered where a form names one.
func (c *reportContent) Departments() []string { return c.departments }

// Leads are the leads that are offered.
func (c *reportContent) Leads() []string { return c.leads }

// Districts are the districts that are offered as rows of the assessment.
func (c *reportContent) Districts() []schemas.District { return c.districts }

// formLink is an entry of the menu of forms.
type formLink struct {
	Group, Name, Address string
	Current              bool
}

// progressRow is a project in the table of a month.
type progressRow struct {
	*schemas.Standing
	Plan     schemas.Money  // of the month's year
	Before   *schemas.Money // the latest of the year before the month
	Missing  bool           // a report is due and not there
	Reported bool           // for the month, at the value of Invested
	Invested string
	Note     string
	Error    *schemas.Error
}

// sentEvent is an event with its receipt, in the words of the page.
type sentEvent struct {
	What, ProjectID string
	Receipt
}

// reportMonths is how many months the form offers.
const reportMonths = 12

// report answers GET /report?district=&month= with the month's progress.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	c, err := p.reportOf(r, "progress")
	if err != nil {
		return err
	}
	if err := p.fillProgress(r, c); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "report", "填报", c)
}

// reportOf finds the office that the request names, and what it may fill in;
// form is the page's own.
func (p *Pages) reportOf(r *http.Request, form string) (*reportContent, error) {
	if p.Publisher == nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "this process takes no events", Hint: "use a server with the producers role"}
	}
	today := schemas.DateOf(p.Now())
	s, err := p.now(r.Context(), 0)
	if err != nil {
		return nil, err
	}
	c := newReport(today, s.rules)
	c.known = s.known
	if err := c.choose(schemas.PrincipalOf(r.Context()), r.FormValue("district"), s.rules, today); err != nil {
		return nil, err
	}
	c.fillMenu(form)
	for i := range s.ledger.Standings {
		if one := &s.ledger.Standings[i]; !one.Cancelled && c.Office.admits(one) {
			c.projects = append(c.projects, one)
		}
	}
	c.departments, c.leads = namesOf(s)
	return c, nil
}

func newReport(today schemas.Date, rules *schemas.Rules) *reportContent {
	return &reportContent{Today: today, Nonce: rand.Text(), Given: map[string]string{}, Wrong: map[string]*schemas.Error{}, districts: rules.Districts}
}

// namesOf gives the departments and leads of the ledger and of the directory.
func namesOf(s *snapshot) (departments, leads []string) {
	choices := s.index().choices
	named := func(names []string, directory schemas.Directory) []string {
		names = slices.Clone(names) // those of the filters stay as they are
		for _, e := range directory.Entries() {
			if !slices.Contains(names, e.Name) {
				names = append(names, e.Name)
			}
		}
		return slices.DeleteFunc(names, func(name string) bool { return name == unassigned })
	}
	return named(choices.Departments, s.rules.Departments), named(choices.Leads, s.rules.Leads)
}

// fillMenu lists the forms that the office sends.
func (c *reportContent) fillMenu(current string) {
	query := "?district=" + url.QueryEscape(c.Office.District)
	c.Menu = []formLink{{"进度", "本月进度", "/report" + query, current == "progress"}}
	if !c.department {
		c.Menu = append(c.Menu, formLink{"进度", "表格导入", "/report/import" + query, current == importForm})
	}
	for _, f := range eventForms() {
		if f.sentBy(c.City(), c.department) {
			c.Menu = append(c.Menu, formLink{f.Group, f.Name, "/report/" + f.Key + query, current == f.Key})
		}
	}
}

// City tells whether the city office reports.
func (c *reportContent) City() bool {
	return c.Office.District == schemas.CityDistrict && !c.department
}

// progressRowsPerPage bounds the rows of a page of the month's table.
const progressRowsPerPage = 100

// fillProgress makes a page of the table of the month. What a form sent has the
// rows of the form, wherever they stand by now.
func (p *Pages) fillProgress(r *http.Request, c *reportContent) error {
	if err := c.chooseMonth(r.FormValue("month"), c.Today); err != nil {
		return err
	}
	var all []*progressRow
	for _, one := range c.projects {
		if !one.Completed() || one.Investment.Plan > 0 {
			all = append(all, &progressRow{Standing: one})
		}
	}
	c.Count = len(all)
	c.Pages = max(1, (c.Count+progressRowsPerPage-1)/progressRowsPerPage)
	n, _ := strconv.Atoi(r.FormValue("page")) // anything else is the first page
	c.Page = min(max(1, n), c.Pages)
	begin := (c.Page - 1) * progressRowsPerPage
	c.First, c.Rows = begin+1, all[begin:min(begin+progressRowsPerPage, c.Count)]
	if r.Method == http.MethodPost {
		c.Rows = slices.DeleteFunc(all, func(row *progressRow) bool { return !r.Form.Has("invested-" + row.ProjectID) })
		if len(c.Rows) > progressRowsPerPage {
			return &schemas.Error{Code: schemas.TooLarge, Message: "the body is too large", Hint: "send it in several goes"}
		}
	}
	return p.fillReported(r, c)
}

// PageLink is the address of another page of the table.
func (c *reportContent) PageLink(page int) string {
	return "/report?" + url.Values{"district": {c.Office.District}, "month": {c.Month.String()}, "page": {strconv.Itoa(page)}}.Encode()
}

// Previous and Following are the pages beside this one, 0 for none.
func (c *reportContent) Previous() int { return c.Page - 1 }

// Following is the page behind this one.
func (c *reportContent) Following() int {
	if c.Page == c.Pages {
		return 0
	}
	return c.Page + 1
}

// Last is the number of the last row of the page.
func (c *reportContent) Last() int { return c.First + len(c.Rows) - 1 }

// choose finds the office: an office token's own districts, a department's
// projects, or any district for who may everything.
func (c *reportContent) choose(p *schemas.Principal, wanted string, rules *schemas.Rules, today schemas.Date) error {
	all := append(slices.Clone(rules.Districts), schemas.District{Code: schemas.CityDistrict, Name: "市级"})
	if p != nil && p.Role == schemas.RoleDepartment {
		c.department = true
		c.Office = office{District: p.Districts[0], Name: strings.Join(p.Departments, "、"), Source: p.SourcePrefix, admits: func(s *schemas.Standing) bool {
			return p.Named(s.Holder.Department, today, rules.Departments)
		}}
		return nil
	}
	for _, d := range all {
		if p == nil || p.Role == schemas.RoleAdmin || slices.Contains(p.Districts, d.Code) {
			c.Offices = append(c.Offices, d)
		}
	}
	if wanted == "" && len(c.Offices) > 0 {
		wanted = c.Offices[0].Code
	}
	i := slices.IndexFunc(c.Offices, func(d schemas.District) bool { return d.Code == wanted })
	if i < 0 {
		return &schemas.Error{Code: schemas.Forbidden, Field: "district", Value: schemas.Shorten(wanted), Message: "the token does not speak for this district", Hint: "choose one of its own"}
	}
	chosen := c.Offices[i]
	c.Office = office{District: chosen.Code, Name: chosen.Name, Source: schemas.SourceOf(chosen.Code), admits: func(s *schemas.Standing) bool {
		return chosen.Code == schemas.CityDistrict || s.District == chosen.Code
	}}
	if p != nil && p.SourcePrefix != "" {
		c.Office.Source = p.SourcePrefix
	}
	return nil
}

// chooseMonth takes the month before this one, whose reports are due, unless
// another is named.
func (c *reportContent) chooseMonth(wanted string, today schemas.Date) error {
	this := today.Month()
	c.Month = this - 1
	if wanted != "" {
		month, err := schemas.ParseMonth(wanted)
		if err != nil || month > this {
			return &schemas.Error{Code: schemas.Invalid, Field: "month", Value: schemas.Shorten(wanted), Message: "not a month", Hint: "write 2025-10"}
		}
		c.Month = month
	}
	for m := this; m > this-reportMonths; m-- {
		c.Months = append(c.Months, m)
	}
	if !slices.Contains(c.Months, c.Month) {
		c.Months = append(c.Months, c.Month)
	}
	return nil
}

// reportedMonths are the standings at the ends of a month and of the one before.
type reportedMonths struct{ at, before map[string]*schemas.Standing }

// readMonths reads both in one go for the projects of the page, by the rules of
// the month's last day.
func (p *Pages) readMonths(ctx context.Context, c *reportContent) (*reportedMonths, error) {
	projects := make([]string, len(c.Rows))
	for i, row := range c.Rows {
		projects[i] = row.ProjectID
	}
	ledgers, err := p.Ledgers.LedgersOf(ctx, projects, schemas.LedgerCut(c.Month.Last(), c.known), schemas.LedgerCut((c.Month-1).Last(), c.known))
	if err != nil {
		return nil, err
	}
	byID := func(l *schemas.Ledger) map[string]*schemas.Standing {
		standings := make(map[string]*schemas.Standing, len(l.Standings))
		for i := range l.Standings {
			standings[l.Standings[i].ProjectID] = &l.Standings[i]
		}
		return standings
	}
	return &reportedMonths{byID(ledgers[0]), byID(ledgers[1])}, nil
}

// fillReported shows what the ledger knows of the month and of the one before.
func (p *Pages) fillReported(r *http.Request, c *reportContent) error {
	if len(c.Rows) == 0 {
		return nil
	}
	months, err := p.readMonths(r.Context(), c)
	if err != nil {
		return err
	}
	for _, row := range c.Rows {
		if s := months.before[row.ProjectID]; s != nil && s.Investment.Known && c.Month.Number() > 1 {
			invested := s.Investment.Invested
			row.Before = &invested
		}
		s := months.at[row.ProjectID]
		if s == nil {
			continue
		}
		// At the month's last day the month itself is judged: of whom a report
		// is due, and who is not missing, has reported.
		row.Plan, row.Missing = s.Investment.Plan, s.Investment.Unreported
		if s.Investment.Known && s.Investment.Plan > 0 && !s.Investment.Unreported && !s.Suspended && !s.Completed() {
			row.Reported, row.Invested = true, s.Investment.Invested.String()
		}
	}
	return nil
}

// sendProgress answers POST /report/progress.
func (p *Pages) sendProgress(w http.ResponseWriter, r *http.Request) error {
	c, err := p.reportOf(r, "progress")
	if err != nil {
		return err
	}
	if err := p.fillProgress(r, c); err != nil {
		return err
	}
	c.Form = "progress"
	if err := p.sendDrafts(r, c, c.progressDrafts(r)); err != nil {
		return err
	}
	return p.show(w, r, c.status(), "report", "填报", c)
}

// sendDrafts publishes what a form says, once: a form that is sent twice, by a
// second click or by going back, counts once.
func (p *Pages) sendDrafts(r *http.Request, c *reportContent, drafts []draft) error {
	nonce := r.FormValue("nonce")
	if len(nonce) != len(c.Nonce) || strings.ContainsFunc(nonce, func(c rune) bool { return (c < 'A' || c > 'Z') && (c < '2' || c > '7') }) {
		return &schemas.Error{Code: schemas.Invalid, Field: "nonce", Message: "no such form", Hint: "begin at the report page"}
	}
	raws, err := c.events(p.Now(), nonce, drafts)
	if err != nil {
		return err
	}
	digest, err := c.digest(drafts...)
	if err != nil {
		return err
	}
	sent, first := p.forms.begin(nonce + " " + digest)
	if first {
		sent.receipts = p.publishDrafts(r, drafts, raws)
		close(sent.done)
	} else {
		<-sent.done
	}
	c.tell(drafts, sent.receipts)
	return nil
}

// publishDrafts publishes events, up to the first that waits for one which was
// refused.
func (p *Pages) publishDrafts(r *http.Request, drafts []draft, raws [][]byte) []Receipt {
	var receipts []Receipt
	for begin := 0; begin < len(raws); {
		end := begin + 1
		for end < len(raws) && !drafts[end].only {
			end++
		}
		got := p.publish(r, raws[begin:end])
		receipts = append(receipts, got...)
		if len(got) < end-begin || got[len(got)-1].Error != nil && end < len(raws) {
			break
		}
		begin = end
	}
	return receipts
}

// status is that of the page that answers a form.
func (c *reportContent) status() int {
	if c.Failed > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// publish publishes events, and waits until the pages' ledger knows them.
func (p *Pages) publish(r *http.Request, raws [][]byte) []Receipt {
	receipts := p.Publisher.Publish(r.Context(), raws)
	var last uint64
	for _, one := range receipts {
		last = max(last, one.Seq)
	}
	p.followed(r, last)
	return receipts
}

// followed waits until the pages' ledger knows the sequence.
func (p *Pages) followed(r *http.Request, seq uint64) {
	if seq == 0 {
		return
	}
	err := p.waitApplied(r.Context(), seq)
	if err == nil {
		_, err = p.now(r.Context(), seq)
	}
	if err != nil {
		p.Log.WarnContext(r.Context(), "what a form sent is not in the ledger yet", "error", err)
	}
}

// tell puts receipts and refusals beside what was filled in.
func (c *reportContent) tell(drafts []draft, receipts []Receipt) {
	for i, receipt := range receipts {
		if i >= len(drafts) {
			break
		}
		d := drafts[i]
		if receipt.Error == nil {
			if d.row != nil {
				d.row.Reported = true
			}
			c.Done = append(c.Done, sentEvent{d.what, d.subject, receipt})
			continue
		}
		c.Failed++
		said := inChinese(receipt.Error)
		if d.row != nil {
			d.row.Error = said
			continue
		}
		c.Wrong[fieldOf(c.fields, c.Today, said.Field)] = said
	}
	if c.Failed == 0 {
		clear(c.Given)
		c.kept = nil
	}
}
