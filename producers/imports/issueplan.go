package imports

import (
	"fmt"
	"strings"

	"milepost/schemas"
)

// planIssue publishes what a row says of a problem: that it was raised, with
// its latest deadline, and that it is resolved (销号).
func (p *planner) planIssue() {
	m, i := p.mapping.Issues, p.current.issue
	if !p.project.known() {
		p.fault = p.current.fault(m.Project, p.current.Project, "no such project is registered, nor in the sheet of projects without a fault", "add the project there, or correct the id")
		return
	}
	raised := &schemas.Raised{IssueID: i.id, Title: i.title, Category: i.category, Department: i.department, RaisedOn: i.raisedOn, DueOn: i.dueOn}
	s := slot{kind: slotRaised, name: i.id}
	if from, differs := p.claimNews(s, raisedValue(raised), m.ID); differs {
		// The ledger goes by the latest day, so a later one that was wrong is
		// taken back.
		wrong := p.project.after(s, i.raisedOn)
		p.emit(schemas.IssueRaised, p.current.Project, raised, "issue-raised", Difference{s.String(), shown(from), shown(raisedValue(raised))})
		for _, k := range wrong {
			p.takeBack(k, fmt.Sprintf("%s as the day on which issue %s was raised", i.raisedOn, schemas.Shorten(i.id)), shown(raisedValue(raised)))
		}
	}
	p.resolveIssue()
}

func (p *planner) resolveIssue() {
	m, i := p.mapping.Issues, p.current.issue
	s := slot{kind: slotResolved, name: i.id}
	if i.resolvedOn == 0 {
		if standing := p.project.standing(s, p.on, nil); standing != nil && standing.on >= i.raisedOn && m.ResolvedOn != nil {
			p.warn(p.current, m.ResolvedOn.Column, fmt.Sprintf("is blank in the snapshot of %s, but the issue is on record as resolved on %s (event %s); revoke that if it was a mistake", p.on, standing.on, standing.id))
		}
		return
	}
	resolved := &schemas.Resolved{IssueID: i.id, ResolvedOn: i.resolvedOn, Resolution: i.resolution}
	value := i.resolvedOn.String() + joined + i.resolution
	if from, differs := p.claimNews(s, value, m.ResolvedOn.Column); differs {
		wrong := p.project.after(s, i.resolvedOn)
		p.emit(schemas.IssueResolved, p.current.Project, resolved, "issue-resolved", Difference{s.String(), shown(from), shown(value)})
		for _, k := range wrong {
			p.takeBack(k, fmt.Sprintf("%s as the day on which issue %s was resolved", i.resolvedOn, schemas.Shorten(i.id)), shown(value))
		}
	}
}

func raisedValue(d *schemas.Raised) string {
	return strings.Join([]string{d.Title, d.Category, d.Department, d.RaisedOn.String(), d.DueOn.String()}, joined)
}

// columnOf gives the column that a member of an event was read from.
func (i *IssueSheet) columnOf(member string) string {
	cells := map[string]*Cell{
		"title": i.Title, "category": i.Category, "department": i.Department, "raised_on": i.RaisedOn, "due_on": i.DueOn,
		"resolved_on": i.ResolvedOn, "resolution": i.Resolution,
	}
	switch member = strings.TrimPrefix(member, "data."); {
	case member == "subject":
		return i.Project
	case member == "issue_id":
		return i.ID
	case cells[member] != nil:
		return cells[member].Column
	}
	return ""
}
