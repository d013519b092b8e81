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
	*boardFigures
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
	figures, err := v.snapshot.board.get()
	if err != nil {
		return nil, err
	}
	b := &boardContent{view: v, boardFigures: figures, Month: v.ledger.ReportingMonth, Investment: figures.counts.Investment, Lights: lights(), RankingMonth: figures.ranksOf}
	for _, m := range schemas.Milestones() {
		b.Rates = append(b.Rates, rate{milestoneName(m), *figures.counts.Milestones.Of(m)})
	}
	b.share()
	b.list()
	b.rank()
	return b, nil
}

// share fills what leads to the projects that are counted.
func (b *boardContent) share() {
	for _, s := range statuses() {
		b.Statuses = append(b.Statuses, share{"status-" + string(s), statusNames[s], b.byStatus[s], b.ledgerLink("status", string(s))})
	}
	for _, s := range stages() {
		b.Stages = append(b.Stages, share{"stage-" + string(s), stageNames[s], b.byStage[s], b.ledgerLink("stage", string(s))})
	}
	for _, d := range b.rules.Districts {
		row := matrixRow{Code: d.Code, Name: d.Name}
		for _, l := range lights() {
			n := b.byLight[d.Code][l]
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
	one := func(row int, was schemas.Light) listed {
		s := &b.ledger.Standings[row]
		return listed{s, b.DistrictName(s.District), was}
	}
	for _, t := range b.turned {
		b.TurnedRed = append(b.TurnedRed, one(t.row, t.was))
	}
	for _, d := range b.due {
		due := dueMilestone{listed: one(d.row, ""), Milestone: d.milestone}
		due.MilestoneStanding = due.Standing.Milestones[d.milestone]
		due.Days = int(due.Target - b.asOf)
		b.Due = append(b.Due, due)
	}
	b.MoreRed, b.MoreDue = b.allTurned-len(b.TurnedRed), b.allDue-len(b.Due)
}

// rank fills the rankings, the best first and rows without a rank last.
func (b *boardContent) rank() {
	names := map[string]string{}
	for _, g := range b.rules.Groups {
		names[g.Code] = g.Name
	}
	for _, g := range b.ranks {
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
