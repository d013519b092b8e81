package pages

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"milepost/schemas"
)

// dueDays is how far ahead the board looks for what is due.
const dueDays = 30

// maxListed bounds the lists of the board; the ledger has the rest.
const maxListed = 30

// boardContent is what the board shows.
type boardContent struct {
	*view
	Projects     int
	Total        schemas.Money
	Cancelled    int
	Unreported   int
	Open         int
	Overdue      int
	Month        schemas.Month
	Statuses     []share
	Stages       []share
	Rates        []rate
	Investment   schemas.InvestmentCount
	Lights       []schemas.Light
	Matrix       []matrixRow
	Rankings     []ranking
	RankingMonth string
	TurnedRed    []listed
	MoreRed      int
	Due          []dueMilestone
	MoreDue      int
}

type rate struct {
	Name string
	schemas.MilestoneTally
}

type matrixRow struct {
	Code, Name string
	Counts     []share
	Projects   int
}

type ranking struct {
	Name string
	Rows []schemas.RankedRow
	Open bool
}

// listed is a project in a list of the board.
type listed struct {
	*schemas.Standing
	DistrictName string
	Was          schemas.Light
}

type dueMilestone struct {
	listed
	Milestone schemas.Milestone
	schemas.MilestoneStanding
	Days int
}

// board answers GET /?as_of=&known=.
func (p *Pages) board(w http.ResponseWriter, r *http.Request) error {
	content, err := p.boardOf(r)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "board", "总览", content)
}

// boardPart answers GET /board?seq= with the board without its frame.
func (p *Pages) boardPart(w http.ResponseWriter, r *http.Request) error {
	content, err := p.boardOf(r)
	if err != nil {
		return err
	}
	return p.write(w, http.StatusOK, "board", "boardpart", content)
}

func (p *Pages) boardOf(r *http.Request) (*boardContent, error) {
	v, err := p.view(r)
	if err != nil {
		return nil, err
	}
	counts, err := p.Figures.Count(v.ledger)
	if err != nil {
		return nil, err
	}
	b := &boardContent{view: v, Month: v.ledger.ReportingMonth, Investment: counts.Investment, Lights: lights()}
	for _, m := range schemas.Milestones() {
		b.Rates = append(b.Rates, rate{milestoneName(m), *counts.Milestones.Of(m)})
	}
	b.count()
	b.list()
	model, err := v.month()
	if err != nil {
		return nil, err
	}
	b.RankingMonth = model.Period
	b.rank(model)
	return b, nil
}

// count fills the totals and the matrix of lights.
func (b *boardContent) count() {
	byStatus, byStage := map[schemas.Status]int{}, map[schemas.Stage]int{}
	byLight := map[string]map[schemas.Light]int{}
	for i := range b.ledger.Standings {
		s := &b.ledger.Standings[i]
		if s.Cancelled {
			b.Cancelled++
			continue
		}
		b.Projects++
		b.Total += s.TotalInvestment
		b.Open += s.OpenIssues()
		b.Overdue += s.OverdueIssues(b.asOf)
		if s.Investment.Unreported {
			b.Unreported++
		}
		byStatus[s.Status]++
		byStage[s.Stage]++
		if byLight[s.District] == nil {
			byLight[s.District] = map[schemas.Light]int{}
		}
		byLight[s.District][s.Light]++
	}
	for _, s := range statuses() {
		b.Statuses = append(b.Statuses, share{"status-" + string(s), statusNames[s], byStatus[s], b.ledgerLink("status", string(s))})
	}
	for _, s := range stages() {
		b.Stages = append(b.Stages, share{"stage-" + string(s), stageNames[s], byStage[s], b.ledgerLink("stage", string(s))})
	}
	for _, d := range b.rules.Districts {
		row := matrixRow{Code: d.Code, Name: d.Name}
		for _, l := range lights() {
			n := byLight[d.Code][l]
			row.Counts = append(row.Counts, share{string(l), lightNames[l], n, b.ledgerLink("district", d.Code, "light", string(l))})
			row.Projects += n
		}
		if row.Projects > 0 {
			b.Matrix = append(b.Matrix, row)
		}
	}
}

// ledgerLink leads to the ledger of the same cut with filters.
func (v *view) ledgerLink(filters ...string) string { return "/ledger?" + v.with(filters...).Encode() }

// with gives the view's own parameters and more.
func (v *view) with(more ...string) url.Values {
	values := url.Values{}
	if v.AsOf != "" {
		values.Set("as_of", v.AsOf)
	}
	if v.Known != "" {
		values.Set("known", v.Known)
	}
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return values
}

// ProjectLink leads to the project's page of the same cut.
func (v *view) ProjectLink(id string) string {
	link := "/projects/" + url.PathEscape(id)
	if q := v.with().Encode(); q != "" {
		link += "?" + q
	}
	return link
}

// AsOfDay, KnownSeq and DistrictName serve the templates.
func (v *view) AsOfDay() schemas.Date { return v.asOf }

// KnownSeq is the sequence that the page knows.
func (v *view) KnownSeq() string { return strconv.FormatUint(v.known, 10) }

// DistrictName gives the name of a district on the view's day.
func (v *view) DistrictName(code string) string { return v.rules.DistrictName(code) }

// list fills what turned red and what is due.
func (b *boardContent) list() {
	was := map[string]schemas.Light{}
	for i := range b.before.Standings {
		was[b.before.Standings[i].ProjectID] = b.before.Standings[i].Light
	}
	for i := range b.ledger.Standings {
		s := &b.ledger.Standings[i]
		if s.Cancelled {
			continue
		}
		one := listed{s, b.DistrictName(s.District), was[s.ProjectID]}
		if s.Light == schemas.Red && one.Was != schemas.Red {
			b.TurnedRed = append(b.TurnedRed, one)
		}
		if s.Suspended {
			continue
		}
		for _, m := range schemas.Milestones() {
			ms := s.Milestones[m]
			if days := int(ms.Target - b.asOf); ms.ReachedOn == 0 && ms.Target != 0 && days > 0 && days <= dueDays {
				b.Due = append(b.Due, dueMilestone{one, m, ms, days})
			}
		}
	}
	slices.SortStableFunc(b.Due, func(x, y dueMilestone) int { return cmp.Compare(x.Days, y.Days) })
	if b.MoreRed = len(b.TurnedRed) - maxListed; b.MoreRed > 0 {
		b.TurnedRed = b.TurnedRed[:maxListed]
	}
	if b.MoreDue = len(b.Due) - maxListed; b.MoreDue > 0 {
		b.Due = b.Due[:maxListed]
	}
}

// rank fills the rankings, the best first and rows without a rank last.
func (b *boardContent) rank(model *schemas.Bulletin) {
	names := map[string]string{}
	for _, g := range b.rules.Groups {
		names[g.Code] = g.Name
	}
	for _, g := range model.Groups {
		one := ranking{Rows: slices.Clone(g.Rows)}
		switch {
		case g.Group != nil:
			one.Name, one.Open = cmp.Or(names[*g.Group], *g.Group), true
		case g.Kind == "department":
			one.Name = "市直部门"
		default:
			one.Name = "市级领导"
		}
		slices.SortStableFunc(one.Rows, func(x, y schemas.RankedRow) int {
			switch {
			case x.Rank == nil && y.Rank == nil:
				return 0
			case x.Rank == nil:
				return 1
			case y.Rank == nil:
				return -1
			}
			return cmp.Compare(*x.Rank, *y.Rank)
		})
		b.Rankings = append(b.Rankings, one)
	}
}
