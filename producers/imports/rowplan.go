package imports

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"milepost/schemas"
)

// register registers the project when none was registered by the snapshot's
// day; false when nothing of the row may be said.
func (p *planner) register() bool {
	exists := slot{kind: slotExists}
	if found := p.project.standing(exists, p.on, nil); found != nil {
		if r := p.current.registeredOn; r != 0 && r < found.on {
			p.warn(p.current, p.mapping.RegisteredOn.Column, fmt.Sprintf("is %s here, but the project is on record as registered on %s; that is not changed", r, found.on))
		}
		return true
	}
	if taken := p.project.revokedClaim(exists, "", p.on, byBusinessDate); taken != nil {
		p.warn(p.current, p.mapping.Project.Column, fmt.Sprintf("the registration %s was revoked and the file still has the project; nothing of it is sent", taken.id))
		return false
	}
	row := p.current
	d := &schemas.Registered{Name: row.fields[fieldName].value, RegisteredOn: p.on, District: row.fields[fieldDistrict].value}
	if row.registeredOn != 0 {
		d.RegisteredOn = row.registeredOn
	}
	changes := []Difference{{What: "registered_on", To: d.RegisteredOn.String()}, {What: "name", To: d.Name}}
	for _, required := range []struct {
		field field
		cell  *Cell
		given bool
	}{
		{fieldName, p.mapping.Name, d.Name != ""},
		{fieldTotal, p.mapping.TotalInvestment, row.fields[fieldTotal].value != ""},
		{fieldDistrict, p.mapping.District, d.District != "" || p.mapping.District == nil || !p.fromCity()},
	} {
		if !required.given {
			p.fault = row.fault(required.cell.Column, "", "a new project needs its "+required.field.String(), "fill in the cell, or give the mapping a default")
			return false
		}
	}
	a := &schemas.Amended{}
	for f := fieldEnterprise; f <= fieldTotal; f++ {
		if v := row.fields[f].value; v != "" {
			set(a, f, v)
			changes = append(changes, Difference{What: f.String(), To: shown(v)})
		}
	}
	d.Enterprise, d.Industry, d.Tags, d.TotalInvestment = a.Enterprise, a.Industry, a.Tags, *a.TotalInvestment
	for _, y := range row.plans {
		d.AnnualPlan = p.addYear(d.AnnualPlan, y)
		changes = append(changes, Difference{What: p.yearName(y), To: y.value})
	}
	for _, m := range schemas.Milestones() {
		d.Targets[m] = row.planned[m][1]
		if d.Targets[m] == 0 {
			d.Targets[m] = row.planned[m][0]
		}
		if d.Targets[m] != 0 {
			changes = append(changes, Difference{What: m.String() + " target", To: d.Targets[m].String()})
		}
	}
	p.emit(schemas.ProjectRegistered, row.Project, d, "registered", changes...)
	return p.fault == nil
}

func (p *planner) year(y yearClaim) int {
	if y.year == 0 {
		return p.on.Year()
	}
	return y.year
}

func (p *planner) yearName(y yearClaim) string { return "annual_plan " + strconv.Itoa(p.year(y)) }

func (p *planner) addYear(plan map[int]schemas.Money, y yearClaim) map[int]schemas.Money {
	if plan == nil {
		plan = map[int]schemas.Money{}
	}
	plan[p.year(y)] = money(y.value)
	return plan
}

// money gives an amount that was written by Money.String.
func money(text string) schemas.Money {
	amount, _ := schemas.ParseMoney(text)
	return amount
}

// set gives a field of an amendment its value.
func set(a *schemas.Amended, f field, value string) {
	switch f {
	case fieldName:
		a.Name = &value
	case fieldEnterprise:
		a.Enterprise = &value
	case fieldIndustry:
		a.Industry = &value
	case fieldTags:
		a.Tags = strings.Split(value, tagSeparator)
	case fieldTotal:
		amount := money(value)
		a.TotalInvestment = &amount
	}
}

// news tells whether a claim differs from what stands on the snapshot's day,
// and what that is. A claim that a person has revoked is no news but a warning.
func (p *planner) news(s slot, c claim, column string) (from string, differs bool) {
	standing := p.project.standing(s, p.on, nil)
	switch {
	case c.value == "" || c.fallback && standing != nil:
		return "", false
	case standing != nil && standing.value == c.value:
		return "", false
	case p.takenBack(s, c.value, column, byBusinessDate):
		return "", false
	case standing == nil:
		return "", true
	}
	return standing.value, true
}

func (p *planner) fromCity() bool { return p.mapping.Sender == schemas.CityDistrict }

// mayPlan refuses what the ledger would ignore: an office cannot lower the plan
// of a year that has begun (specification §3).
func (p *planner) mayPlan(y yearClaim, from string) bool {
	if p.fromCity() || from == "" || p.year(y) > p.on.Year() || money(y.value) >= money(from) {
		return true
	}
	i := slices.IndexFunc(p.mapping.AnnualPlan, func(c YearCell) bool { return c.year == y.year })
	p.fault = p.current.fault(p.mapping.AnnualPlan[i].Column, y.value,
		fmt.Sprintf("an office cannot lower the plan of %d, which has begun: it is %s", p.year(y), from), "ask the city office to change it")
	return false
}

func (p *planner) takenBack(s slot, value, column string, dateOf func(*fact) schemas.Date) bool {
	taken := p.project.revokedClaim(s, value, p.on, dateOf)
	if taken != nil {
		p.warn(p.current, column, fmt.Sprintf("%s %s was revoked (event %s) and the file still claims it; it is not sent again", s, shown(value), taken.id))
	}
	return taken != nil
}

// amend publishes the members that have changed, as one event.
func (p *planner) amend() {
	row := p.current
	a := &schemas.Amended{EffectiveOn: p.on}
	var changes []Difference
	for f := fieldName; f <= fieldTotal; f++ {
		c := row.fields[f]
		if from, differs := p.news(slot{kind: slotField, key: int32(f)}, c, p.mapping.cellOf(f)); differs {
			set(a, f, c.value)
			changes = append(changes, Difference{f.String(), shown(from), shown(c.value)})
		}
	}
	for _, y := range row.plans {
		if from, differs := p.news(slot{kind: slotAnnualPlan, key: int32(p.year(y))}, claim{value: y.value}, ""); differs {
			if !p.mayPlan(y, from) {
				return
			}
			a.AnnualPlan = p.addYear(a.AnnualPlan, y)
			changes = append(changes, Difference{p.yearName(y), from, y.value})
		}
	}
	if c := row.fields[fieldDistrict]; c.value != "" && !c.fallback {
		if from := p.project.district(p.on); from != c.value && !p.takenBack(slot{kind: slotMove}, c.value, p.mapping.District.Column, byBusinessDate) {
			a.District = c.value
			changes = append(changes, Difference{"district", from, c.value})
		}
	}
	if len(changes) > 0 {
		p.emit(schemas.ProjectAmended, row.Project, a, "amended", changes...)
	}
}

// assign publishes lead and department when one of them has changed.
func (p *planner) assign() {
	if p.mapping.Lead == nil {
		return
	}
	s := slot{kind: slotHolders}
	var now [2]string
	if standing := p.project.standing(s, p.on, nil); standing != nil {
		now[0], now[1], _ = strings.Cut(standing.value, joined)
	}
	want, said := now, false
	for i, f := range []field{fieldLead, fieldDepartment} {
		if c := p.current.fields[f]; c.value != "" && !(c.fallback && now[i] != "") {
			want[i] = c.value
			said = said || !c.fallback
		}
	}
	if want == now || !said && want[0] == "" {
		return
	}
	for i, cell := range []*Cell{p.mapping.Lead, p.mapping.Department} {
		if want[i] == "" {
			if said {
				p.warn(p.current, cell.Column, "is blank, so the project is not assigned to anyone yet")
			}
			return
		}
	}
	value := want[0] + joined + want[1]
	if p.takenBack(s, value, p.mapping.Lead.Column, byBusinessDate) {
		return
	}
	p.emit(schemas.ProjectAssigned, p.current.Project, &schemas.Assigned{Lead: want[0], Department: want[1], EffectiveOn: p.on}, "assigned",
		Difference{"lead", now[0], want[0]}, Difference{"department", now[1], want[1]})
}

// planMilestone publishes an approved plan, then the forecast: on one day the
// later of the two is the forecast of the ledger.
func (p *planner) planMilestone(m schemas.Milestone) {
	for approved := 1; approved >= 0; approved-- {
		on := p.current.planned[m][approved]
		if on == 0 {
			continue
		}
		var filter func(*fact) bool
		what := m.String() + " forecast"
		if approved == 1 {
			filter = func(f *fact) bool { return f.approved }
			what = m.String() + " target"
		}
		s := slot{kind: slotPlanned, key: int32(m)}
		from := ""
		if standing := p.project.standing(s, p.on, filter); standing != nil {
			from = standing.value
		}
		if from == on.String() {
			continue
		}
		column := p.mapping.plannedColumn(m, approved == 1)
		counts := approved == 1
		if counts && !p.fromCity() {
			if !p.wishes(m, s, on, from, column) {
				continue
			}
			counts, what = false, m.String()+" forecast"
		}
		if p.takenBack(s, on.String(), column, byBusinessDate) {
			continue
		}
		p.emit(schemas.MilestonePlanned, p.current.Project,
			&schemas.Planned{Milestone: m, PlannedOn: on, DecidedOn: p.on, Approved: counts}, "planned-"+m.String(), Difference{what, from, on.String()})
	}
}

// wishes tells whether an office's other date in the column of approved plans
// is to be sent, as a plan that nobody has approved: the forecast of the same
// row goes before it.
func (p *planner) wishes(m schemas.Milestone, s slot, on schemas.Date, approved, column string) bool {
	if approved != "" {
		p.warn(p.current, column, fmt.Sprintf("says %s, and the plan of this sheet that is approved says %s; only the city office changes an approved plan", on, approved))
	}
	latest := p.project.standing(s, p.on, nil)
	return p.current.planned[m][0] == 0 && (latest == nil || latest.value != on.String())
}

// report publishes the month's investment when it is new or has changed.
func (p *planner) report() {
	invested := p.current.fields[fieldInvested].value
	if invested == "" {
		if p.current.fields[fieldNote].value != "" {
			p.warn(p.current, p.mapping.Progress.Note.Column, "is not sent: a progress goes with its amount, and "+p.mapping.Progress.InvestedYTD.Column+" is blank")
		}
		return
	}
	month := p.on.Month()
	if p.mapping.Progress.Month == "previous" {
		month--
	}
	s := slot{kind: slotProgress, key: int32(month)}
	note := p.current.fields[fieldNote].value
	value := invested + joined + note
	column := p.mapping.Progress.InvestedYTD.Column
	from, differs := p.claimNews(s, value, column)
	if !differs {
		return
	}
	was, _, _ := strings.Cut(from, joined)
	p.emit(schemas.ProgressReported, p.current.Project, &schemas.Progress{Month: month, InvestedYTD: money(invested), Note: note}, "progress-"+month.String(),
		Difference{"invested_ytd " + month.String(), was, invested})
}

// claimNews is news for what has a business date of its own, so that the
// order of snapshots does not show in it: a newer snapshot's word stays.
func (p *planner) claimNews(s slot, value, column string) (from string, differs bool) {
	if last := p.project.lastClaim(s, p.on); last != nil {
		if last.value == value {
			return "", false
		}
		from = last.value
	}
	if p.takenBack(s, value, column, byClaim) {
		return "", false
	}
	if newer := p.project.later(s, p.on, byClaim); newer != nil {
		if newer.value != value {
			p.warn(p.current, column, fmt.Sprintf("says %s of %s, but the newer snapshot of %s says %s; that stays", shown(value), s, newer.claimed, shown(newer.value)))
		}
		return "", false
	}
	return from, true
}

// shown writes a value for people.
func shown(value string) string {
	value = strings.ReplaceAll(strings.TrimSuffix(value, joined), joined, " / ")
	return schemas.Shorten(strings.ReplaceAll(value, tagSeparator, ", "))
}

// String names the slot as the specification does.
func (s slot) String() string {
	switch s.kind {
	case slotField:
		return field(s.key).String()
	case slotAnnualPlan:
		return "annual_plan " + strconv.Itoa(int(s.key))
	case slotHome, slotMove:
		return "district"
	case slotHolders:
		return "lead / department"
	case slotPlanned:
		return schemas.Milestone(s.key).String() + " planned"
	case slotReached:
		return schemas.Milestone(s.key).String() + " reached"
	case slotProgress:
		return "invested_ytd " + schemas.Month(s.key).String()
	case slotRaised:
		return "issue " + s.name
	case slotResolved:
		return "resolution of issue " + s.name
	}
	return "registration"
}

// String names the field as the specification does.
func (f field) String() string {
	return [...]string{"name", "enterprise", "industry", "tags", "total_investment", "district", "lead", "department", "invested_ytd", "note"}[f]
}

// cellOf gives the column of a field, for messages.
func (m *Mapping) cellOf(f field) string {
	c := [...]*Cell{m.Name, m.Enterprise, m.Industry, m.Tags, m.TotalInvestment, m.District, m.Lead, m.Department}[f]
	if c == nil {
		return ""
	}
	return c.Column
}

func (m *Mapping) plannedColumn(milestone schemas.Milestone, approved bool) string {
	columns := m.Milestones.of(milestone).Planned
	i := slices.IndexFunc(columns, func(c *Cell) bool { return c.Approved == approved })
	if i < 0 {
		return ""
	}
	return columns[i].Column
}

// columnOf gives the column that a member of an event was read from, as far as
// it comes from one.
func (m *Mapping) columnOf(member string) string {
	member = strings.TrimPrefix(member, "data.")
	for f := fieldName; f <= fieldDepartment; f++ {
		if member == f.String() || strings.HasPrefix(member, f.String()+"[") {
			return m.cellOf(f)
		}
	}
	switch {
	case member == "subject":
		return m.Project.Column
	case member == "invested_ytd" && m.Progress != nil:
		return m.Progress.InvestedYTD.Column
	case member == "note" && m.Progress != nil && m.Progress.Note != nil:
		return m.Progress.Note.Column
	}
	return ""
}

func asContractError(err error) *schemas.Error {
	var e *schemas.Error
	if errors.As(err, &e) {
		return e
	}
	return &schemas.Error{Code: schemas.Internal, Message: err.Error(), Err: err}
}
