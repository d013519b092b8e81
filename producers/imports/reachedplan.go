package imports

import (
	"fmt"
	"slices"

	"milepost/schemas"
)

// reachMilestone publishes that a milestone is reached.
func (p *planner) reachMilestone(m schemas.Milestone) {
	columns := p.mapping.Milestones.of(m)
	switch {
	case columns.Reached == nil:
	case columns.Reached.When != nil:
		p.reachByWord(m, columns.Reached.When)
	default:
		p.reachByDate(m, columns.Reached.Date)
	}
}

// reachByWord: the first snapshot that says so dates the milestone.
func (p *planner) reachByWord(m schemas.Milestone, when *When) {
	s := slot{kind: slotReached, key: int32(m)}
	claim := p.current.reached[m]
	standing := p.project.standing(s, p.on, nil)
	p.watchOrder(m, when, standing)
	if claim.said != saidYes || standing != nil {
		return
	}
	// Whatever its day, a reached milestone that a person took back is the
	// same claim as long as the column says so.
	for i := range p.project.facts {
		if f := &p.project.facts[i]; f.slot == s && f.revoked && f.on <= p.on {
			p.warn(p.current, when.Column, fmt.Sprintf("%s was revoked (event %s) and the file still claims it; it is not sent again", s, f.id))
			return
		}
	}
	if later := p.project.later(s, p.on, byBusinessDate); later != nil {
		p.warn(p.current, when.Column, fmt.Sprintf("%s is added as of %s, but the ledger goes by the later date %s until event %s is revoked", s, p.on, later.on, later.id))
	}
	p.emitReached(m, p.on, "")
}

// watchOrder warns of a step back: of a word that comes before the one in the
// snapshot before, or of a milestone on record that the file no longer claims.
func (p *planner) watchOrder(m schemas.Milestone, when *When, standing *fact) {
	now := p.current.reached[m]
	if now.said == saidNothing {
		return
	}
	words := p.words[p.current.Project]
	before := words[m]
	words[m] = now.word
	p.words[p.current.Project] = words
	was, is := slices.Index(when.Order, before), slices.Index(when.Order, now.word)
	switch {
	case was >= 0 && is >= 0 && is < was:
		p.warn(p.current, when.Column, fmt.Sprintf("went back from %q to %q in the snapshot of %s", before, now.word, p.on))
	case now.said == saidNo && standing != nil && (before == "" || slices.Contains(when.In, before)):
		p.warn(p.current, when.Column, fmt.Sprintf("is %q in the snapshot of %s, but %s is on record since %s (event %s); revoke that if it was a mistake", now.word, p.on, standing.slot, standing.on, standing.id))
	}
}

// reachByDate: the column gives the day. A day that is corrected to an earlier
// one takes the source's later ones back, since the ledger goes by the latest. An
// older snapshot that comes late takes nothing back.
func (p *planner) reachByDate(m schemas.Milestone, c *Cell) {
	s := slot{kind: slotReached, key: int32(m)}
	claim := p.current.reached[m]
	if claim.said != saidYes {
		if standing := p.project.standing(s, p.on, nil); standing != nil {
			p.warn(p.current, c.Column, fmt.Sprintf("is blank in the snapshot of %s, but %s is on record since %s (event %s); revoke that if it was a mistake", p.on, s, standing.on, standing.id))
		}
		return
	}
	from, differs := p.claimNews(s, claim.on.String(), c.Column)
	if !differs {
		return
	}
	if from != "" && p.on < p.history.newest {
		p.warn(p.current, c.Column, fmt.Sprintf("says %s of %s, but %s is on record and the snapshot of %s, imported before, left it so; that stays", claim.on, s, from, p.history.newest))
		return
	}
	wrong := p.project.after(s, claim.on)
	p.emitReached(m, claim.on, from)
	for _, i := range wrong {
		p.takeBack(i, fmt.Sprintf("%s instead of %s", claim.on, p.project.facts[i].value), claim.on.String())
	}
}

// takeBack revokes an own event that a snapshot has corrected.
func (p *planner) takeBack(i int, instead, to string) {
	f := &p.project.facts[i]
	p.emit(schemas.EventRevoked, p.current.Project, &schemas.Revoked{
		Source: p.mapping.Source, ID: f.id, DecidedOn: p.on, Reason: fmt.Sprintf("the snapshot of %s gives %s", p.on, instead),
	}, "revoked", Difference{f.slot.String(), shown(f.value), to})
	p.superseded = append(p.superseded, i)
}

func (p *planner) emitReached(m schemas.Milestone, on schemas.Date, from string) {
	p.emit(schemas.MilestoneReached, p.current.Project, &schemas.Reached{Milestone: m, ReachedOn: on}, "reached-"+m.String(),
		Difference{m.String() + " reached", from, on.String()})
}
