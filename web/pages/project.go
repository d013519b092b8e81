package pages

import (
	"encoding/json"
	"net/http"
	"slices"

	"milepost/schemas"
)

// projectContent is what a project's page shows.
type projectContent struct {
	*view
	*schemas.Standing
	District   string
	Rate       *schemas.Figure
	Method     []methodItem
	Complete   *schemas.Figure
	Milestones []milestoneRow
	Timeline   any
	Curve      any
	Points     []point
	Issues     []issueRow
	Holders    []holder
	History    []historyRow
	More       int // events that are not listed
}

type methodItem struct {
	Name, Verdict, Class string
}

type milestoneRow struct {
	Name string
	schemas.MilestoneStanding
	Lateness *int
	Evidence []schemas.Evidence
}

type issueRow struct {
	schemas.IssueStanding
	IsOverdue bool
}

type holder struct {
	Lead, Department, Since string
}

type historyRow struct {
	StoredEvent
	Name, What string
	Office     string
	Revoked    bool
}

// maxHistory bounds the events that a page lists, the latest first.
const maxHistory = 200

// project answers GET /projects/{id}?as_of=&known=.
func (p *Pages) project(w http.ResponseWriter, r *http.Request) error {
	v, err := p.view(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	standing, found := v.byID[id]
	if !found {
		return &schemas.Error{Code: schemas.NotFound, Field: "id", Value: schemas.Shorten(id), Message: "no such project", Hint: "the ledger lists them"}
	}
	events, err := p.Archive.History(r.Context(), id, v.known)
	if err != nil {
		return err
	}
	c := &projectContent{view: v, Standing: standing, District: v.DistrictName(standing.District)}
	c.fill(events)
	return p.show(w, r, http.StatusOK, "project", standing.Name, c)
}

func (c *projectContent) fill(events []StoredEvent) {
	s := c.Standing
	if s.Investment.Known {
		c.Rate = schemas.Percent(int64(s.Investment.Invested), int64(s.Investment.Plan))
	}
	for i, verdict := range s.Method {
		words := [...][2]string{schemas.NotApplicable: {"不适用", "none"}, schemas.Unsatisfied: {"缺", "red"}, schemas.Satisfied: {"有", "green"}}[verdict]
		c.Method = append(c.Method, methodItem{c.rules.Method[i].Name, words[0], words[1]})
	}
	satisfied, applicable := s.Completeness()
	c.Complete = schemas.Percent(int64(satisfied), int64(applicable))
	for i := range s.Issues {
		c.Issues = append(c.Issues, issueRow{s.Issues[i], s.Issues[i].Overdue(c.asOf)})
	}
	revoked := revokedBy(events)
	facts := c.read(events, revoked)
	for _, m := range schemas.Milestones() {
		ms := s.Milestones[m]
		row := milestoneRow{Name: milestoneName(m), MilestoneStanding: ms, Lateness: ms.LateDaysOrNull()}
		if ms.ReachedOn != 0 {
			row.Evidence = facts.evidence[m]
		}
		c.Milestones = append(c.Milestones, row)
	}
	c.Timeline = timeline(s, c.asOf)
	for month := 1; month <= 12; month++ {
		if invested, ok := facts.invested[month]; ok {
			c.Points = append(c.Points, point{month, invested})
		}
	}
	c.Curve = curve(c.Points, s.Investment.Plan)
	slices.Reverse(c.History)
	if c.More = len(c.History) - maxHistory; c.More > 0 {
		c.History = c.History[:maxHistory]
	}
}

// facts are what the page takes from the events beside the ledger's row.
type facts struct {
	evidence map[schemas.Milestone][]schemas.Evidence
	invested map[int]schemas.Money
}

// eventData are the members that the page reads of any event.
type eventData struct {
	Lead        string        `json:"lead"`
	Department  string        `json:"department"`
	EffectiveOn schemas.Date  `json:"effective_on"`
	Milestone   string        `json:"milestone"`
	ReachedOn   schemas.Date  `json:"reached_on"`
	PlannedOn   schemas.Date  `json:"planned_on"`
	Approved    bool          `json:"approved"`
	Month       schemas.Month `json:"month"`
	InvestedYTD schemas.Money `json:"invested_ytd"`
	Note        string        `json:"note"`
	IssueID     string        `json:"issue_id"`
	Title       string        `json:"title"`
	Resolution  string        `json:"resolution"`
	Reason      string        `json:"reason"`
	Name        string        `json:"name"`
	Evidence    []struct {
		URI  string `json:"uri"`
		Note string `json:"note"`
	} `json:"evidence"`
	Revokes struct {
		Source string `json:"source"`
		ID     string `json:"id"`
	} `json:"revokes"`
}

// revokedBy gives the identities that revocations which count name: those of
// the same source, or of the city (specification §3).
func revokedBy(events []StoredEvent) map[string]bool {
	revoked := map[string]bool{}
	for _, e := range events {
		var data eventData
		if schemas.Type(e.Type) != schemas.EventRevoked || json.Unmarshal(e.Data, &data) != nil {
			continue
		}
		if data.Revokes.Source == e.Source || e.District == schemas.CityDistrict {
			revoked[schemas.EventID(data.Revokes.Source, data.Revokes.ID)] = true
		}
	}
	return revoked
}

func (c *projectContent) read(events []StoredEvent, revoked map[string]bool) facts {
	f := facts{map[schemas.Milestone][]schemas.Evidence{}, map[int]schemas.Money{}}
	for _, e := range events {
		var data eventData
		_ = json.Unmarshal(e.Data, &data) // members of another type stay empty, and are not shown
		t := schemas.Type(e.Type)
		row := historyRow{StoredEvent: e, Name: typeNames[t], What: saying(t, &data), Office: c.DistrictName(e.District), Revoked: revoked[schemas.EventID(e.Source, e.ID)]}
		if e.District == schemas.CityDistrict {
			row.Office = "市级"
		}
		c.History = append(c.History, row)
		if row.Revoked || e.BusinessDate > c.asOf.String() {
			continue
		}
		switch t {
		case schemas.ProjectAssigned:
			c.Holders = append(c.Holders, holder{data.Lead, data.Department, data.EffectiveOn.String()})
		case schemas.MilestoneReached:
			if m, ok := schemas.ParseMilestone(data.Milestone); ok {
				f.evidence[m] = nil
				for _, one := range data.Evidence {
					f.evidence[m] = append(f.evidence[m], schemas.Evidence{URI: one.URI, Note: one.Note})
				}
			}
		case schemas.ProgressReported:
			if reporting := c.ledger.ReportingMonth; data.Month.Year() == reporting.Year() && data.Month <= reporting {
				f.invested[data.Month.Number()] = data.InvestedYTD
			}
		}
	}
	slices.SortStableFunc(c.Holders, func(x, y holder) int {
		switch {
		case x.Since < y.Since:
			return -1
		case x.Since > y.Since:
			return 1
		}
		return 0
	})
	return f
}

// saying says in a line what an event says.
func saying(t schemas.Type, d *eventData) string {
	switch t {
	case schemas.ProjectRegistered, schemas.ProjectAmended:
		return d.Name
	case schemas.ProjectAssigned:
		return d.Lead + " · " + d.Department
	case schemas.MilestonePlanned:
		said := milestoneWord(d.Milestone) + "计划 " + date(d.PlannedOn)
		if d.Approved {
			said += "（已批准）"
		}
		return said
	case schemas.MilestoneReached:
		return milestoneWord(d.Milestone) + " " + date(d.ReachedOn)
	case schemas.ProgressReported:
		said := month(d.Month) + "累计 " + wan(d.InvestedYTD) + " 万元"
		if d.Note != "" {
			said += "，" + d.Note
		}
		return said
	case schemas.IssueRaised:
		return d.IssueID + " " + d.Title
	case schemas.IssueResolved:
		return d.IssueID + " " + d.Resolution
	}
	return d.Reason
}
