package pages

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	Forms      []formLink
	planFrom   int // month from which the year's plan counts
}

type methodItem struct {
	Name, Verdict, Class, Proof string
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
	Lead, Department string
	Since, Until     schemas.Date // Until is zero for who answers now
	Now              bool
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
	standing := v.standing(id)
	if standing == nil {
		return &schemas.Error{Code: schemas.NotFound, Field: "id", Value: schemas.Shorten(id), Message: "no such project", Hint: "the ledger lists them"}
	}
	events, err := p.Archive.History(r.Context(), id, v.known)
	if err != nil {
		return err
	}
	c := &projectContent{view: v, Standing: standing, District: v.DistrictName(standing.District)}
	c.fill(events)
	c.Forms = p.formsFor(r, standing)
	return p.show(w, r, http.StatusOK, "project", standing.Name, c)
}

func (c *projectContent) fill(events []StoredEvent) {
	s := c.Standing
	if s.Investment.Known {
		c.Rate = schemas.Percent(int64(s.Investment.Invested), int64(s.Investment.Plan))
	}
	for i, verdict := range s.Method {
		words := [...][2]string{schemas.NotApplicable: {"不适用", "none"}, schemas.Unsatisfied: {"缺", "red"}, schemas.Satisfied: {"有", "green"}}[verdict]
		c.Method = append(c.Method, methodItem{Name: c.rules.Method[i].Name, Verdict: words[0], Class: words[1]})
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
	c.prove(facts)
	c.Timeline = forScreens(func(width float64) template.HTML { return timeline(s, c.asOf, width) })
	for month := 1; month <= 12; month++ {
		if invested, ok := facts.invested[month]; ok {
			c.Points = append(c.Points, point{month, invested})
		}
	}
	c.planFrom = 1
	if s.RegisteredOn.Year() == c.ledger.ReportingMonth.Year() {
		c.planFrom = s.RegisteredOn.Month().Number()
	}
	c.Curve = forScreens(func(width float64) template.HTML { return curve(c.Points, s.Investment.Plan, c.planFrom, width) })
	slices.Reverse(c.History)
	if c.More = len(c.History) - maxHistory; c.More > 0 {
		c.History = c.History[:maxHistory]
	}
}

// facts are what the page takes from the events beside the ledger's row.
type facts struct {
	evidence map[schemas.Milestone][]schemas.Evidence
	invested map[int]schemas.Money
	reported schemas.Month // the latest report
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
	f := facts{evidence: map[schemas.Milestone][]schemas.Evidence{}, invested: map[int]schemas.Money{}}
	for _, e := range events {
		var data eventData
		_ = json.Unmarshal(e.Data, &data) // members of another type stay empty, and are not shown
		t := schemas.Type(e.Type)
		row := historyRow{StoredEvent: e, Name: typeNames[t], What: saying(t, &data), Revoked: revoked[schemas.EventID(e.Source, e.ID)]}
		row.Office = officeName(c.rules, e.District)
		c.History = append(c.History, row)
		if row.Revoked || e.BusinessDate > c.asOf.String() {
			continue
		}
		switch t {
		case schemas.ProjectAssigned:
			c.Holders = append(c.Holders, holder{Lead: data.Lead, Department: data.Department, Since: data.EffectiveOn})
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
			f.reported = max(f.reported, data.Month)
		}
	}
	c.Holders = inTime(c.Holders)
	return f
}

// inTime puts who answers in order, with the day that each ended: of one day
// the latest assignment counts.
func inTime(holders []holder) []holder {
	slices.SortStableFunc(holders, func(x, y holder) int { return cmp.Compare(x.Since, y.Since) })
	var list []holder
	for _, one := range holders {
		if n := len(list); n > 0 && list[n-1].Since == one.Since {
			list = list[:n-1]
		} else if n > 0 {
			list[n-1].Until = one.Since - 1
		}
		list = append(list, one)
	}
	if len(list) > 0 {
		list[len(list)-1].Now = true
	}
	slices.Reverse(list)
	return list
}

// prove says what the verdict on each of the seven items stands on
// (specification §7).
func (c *projectContent) prove(f facts) {
	s := c.Standing
	for i := range c.Method {
		proof := ""
		switch c.rules.Method[i].Key {
		case schemas.MethodProject:
			proof = cmp.Or(s.Enterprise, "企业未填")
		case schemas.MethodLead:
			proof = cmp.Or(s.Holder.Lead, "未明确")
		case schemas.MethodDepartment:
			proof = cmp.Or(s.Holder.Department, "未明确")
		case schemas.MethodLedger:
			proof = "还没有进度填报"
			if f.reported != 0 {
				proof = "最近填报 " + f.reported.String()
			}
		case schemas.MethodSchedule:
			var missing []string
			for _, m := range schemas.Milestones() {
				if s.Milestones[m].Target == 0 {
					missing = append(missing, milestoneName(m))
				}
			}
			proof = "三个节点都有目标"
			if len(missing) > 0 {
				proof = "缺" + strings.Join(missing, "、") + "目标"
			}
		case schemas.MethodBulletin:
			proof = map[string]string{"green": "列入最近一期通报", "red": "未列入最近一期通报", "none": "入库后还没有通报"}[c.Method[i].Class]
		case schemas.MethodClosure:
			proof = "没有逾期问题"
			if n := s.OverdueIssues(c.asOf); n > 0 {
				proof = fmt.Sprintf("%d 件问题逾期", n)
			}
		}
		c.Method[i].Proof = proof
	}
}

// formsFor lists the forms that the one who asks fills in for the project.
func (p *Pages) formsFor(r *http.Request, s *schemas.Standing) []formLink {
	principal := schemas.PrincipalOf(r.Context())
	if p.Publisher == nil || principal == nil || !principal.Role.May(schemas.MayPublish) || principal.Role == schemas.RoleDepartment {
		return nil
	}
	district := s.District
	if principal.Role != schemas.RoleAdmin && !slices.Contains(principal.Districts, district) {
		if !slices.Contains(principal.Districts, schemas.CityDistrict) {
			return nil
		}
		district = schemas.CityDistrict
	}
	var links []formLink
	for _, f := range eventForms() {
		from := district
		if f.Type.CityOnly() {
			if principal.Role != schemas.RoleAdmin && !slices.Contains(principal.Districts, schemas.CityDistrict) {
				continue
			}
			from = schemas.CityDistrict
		}
		if f.Subject == ofProject {
			query := url.Values{"district": {from}, "subject": {s.ProjectID}}
			links = append(links, formLink{Group: f.Group, Name: f.Name, Address: "/report/" + f.Key + "?" + query.Encode()})
		}
	}
	return links
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
