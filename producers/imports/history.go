package imports

import (
	"iter"
	"math"
	"slices"
	"strings"

	"milepost/schemas"
)

// PublishedEvent is an event that the import's source has on the stream.
// Revoked tells that a revocation that counts names it.
type PublishedEvent struct {
	Seq     uint64
	Event   *schemas.Event
	Revoked bool
}

// slotKind is one thing that can be known of a project.
type slotKind uint8

const (
	slotExists     slotKind = iota
	slotField               // key: the field
	slotAnnualPlan          // key: the year
	slotHome                // the district of a registration
	slotMove                // a move to another district
	slotHolders             // lead and department, joined
	slotPlanned             // key: the milestone
	slotReached             // key: the milestone
	slotProgress            // key: the month; amount and note, joined
	slotRaised              // name: the issue's id; what its event says, joined
	slotResolved            // name: the issue's id; day and resolution, joined
)

type slot struct {
	kind slotKind
	key  int32
	name string
}

// joined is between the parts of a value; it cannot stand in a cell.
const joined = "\x1e"

// fact is what one event says of one slot.
type fact struct {
	slot     slot
	value    string
	on       schemas.Date // business date
	claimed  schemas.Date // the snapshot's day
	approved bool         // of a plan
	// revoked: by a person. Superseded: by an import that corrected it.
	revoked, superseded bool
	id                  string
}

// project holds the facts of a project in the order of the stream; those that
// are planned now follow those that are published.
type project struct {
	facts []fact
	ids   map[string]bool // of its events; an id has the project in it
}

func (p *project) use(id string) {
	if p.ids == nil {
		p.ids = map[string]bool{}
	}
	p.ids[id] = true
}

// standing gives the latest fact of a slot on a day, by (business date,
// order), among those that stand and that the filter lets through.
func (p *project) standing(s slot, day schemas.Date, filter func(*fact) bool) *fact {
	var latest *fact
	for i := range p.facts {
		f := &p.facts[i]
		if f.slot == s && !f.revoked && !f.superseded && f.on <= day && (filter == nil || filter(f)) && (latest == nil || f.on >= latest.on) {
			latest = f
		}
	}
	return latest
}

// lastClaim gives what the latest snapshot up to a day said of a slot. A
// corrected fact still is what its snapshot said.
func (p *project) lastClaim(s slot, day schemas.Date) *fact {
	var latest *fact
	for i := range p.facts {
		f := &p.facts[i]
		if f.slot == s && !f.revoked && f.claimed <= day && (latest == nil || f.claimed >= latest.claimed) {
			latest = f
		}
	}
	return latest
}

// revokedClaim gives a fact that says the same of the slot up to a day, that a
// person revoked, and that no later different word has outdated: the file
// claims on what the person has taken back.
func (p *project) revokedClaim(s slot, value string, day schemas.Date, dateOf func(*fact) schemas.Date) *fact {
	var taken *fact
	var changed schemas.Date
	for i := range p.facts {
		f := &p.facts[i]
		if f.slot != s || dateOf(f) > day {
			continue
		}
		switch {
		case f.revoked && f.value == value:
			if taken == nil || dateOf(f) >= dateOf(taken) {
				taken = f
			}
		case !f.revoked && f.value != value:
			changed = max(changed, dateOf(f))
		}
	}
	if taken == nil || changed > dateOf(taken) {
		return nil
	}
	return taken
}

func byBusinessDate(f *fact) schemas.Date { return f.on }
func byClaim(f *fact) schemas.Date        { return f.claimed }

// later gives a standing fact of the slot after a day, or nil.
func (p *project) later(s slot, day schemas.Date, dateOf func(*fact) schemas.Date) *fact {
	for i := range p.facts {
		if f := &p.facts[i]; f.slot == s && !f.revoked && !f.superseded && dateOf(f) > day {
			return f
		}
	}
	return nil
}

// after gives the places of the standing facts of a slot with a business date
// after a day.
func (p *project) after(s slot, day schemas.Date) (places []int) {
	for i := range p.facts {
		if f := &p.facts[i]; f.slot == s && !f.revoked && !f.superseded && f.on > day {
			places = append(places, i)
		}
	}
	return places
}

// district gives where the project is on a day: the latest move, else the
// district of the first registration, whatever its date (specification §5).
func (p *project) district(day schemas.Date) string {
	if move := p.standing(slot{kind: slotMove}, day, nil); move != nil {
		return move.value
	}
	for i := range p.facts {
		if f := &p.facts[i]; f.slot.kind == slotHome && !f.revoked {
			return f.value
		}
	}
	return ""
}

// known tells whether a registration stands, on whatever day.
func (p *project) known() bool {
	return p.standing(slot{kind: slotExists}, math.MaxInt32, nil) != nil
}

// history is what a source has published.
type history struct {
	source   string
	projects map[string]*project
	// newest is the latest snapshot that was imported.
	newest schemas.Date
}

func (h *history) project(id string) *project {
	p, ok := h.projects[id]
	if !ok {
		p = &project{}
		h.projects[id] = p
	}
	return p
}

// load reads the published events, in the order of the stream.
func (h *history) load(published iter.Seq2[PublishedEvent, error]) error {
	h.projects = map[string]*project{}
	corrected := map[string]bool{}
	for e, err := range published {
		if err != nil {
			return err
		}
		p := h.project(e.Event.Subject)
		p.use(e.Event.ID)
		imported := madeByImport(e.Event)
		if imported {
			h.newest = max(h.newest, schemas.DateOf(e.Event.Time))
		}
		if r, ok := e.Event.Data.(*schemas.Revoked); ok {
			if imported && r.Source == h.source && !e.Revoked {
				corrected[r.ID] = true
			}
			continue
		}
		first := len(p.facts)
		p.learn(e.Event)
		for i := first; i < len(p.facts); i++ {
			p.facts[i].revoked = e.Revoked
		}
	}
	if len(corrected) == 0 {
		return nil
	}
	for _, p := range h.projects {
		for i := range p.facts {
			if f := &p.facts[i]; corrected[f.id] {
				f.revoked, f.superseded = false, true
			}
		}
	}
	return nil
}

// madeByImport tells an import's events by their ids, which begin with the
// snapshot's date.
func madeByImport(e *schemas.Event) bool {
	return strings.HasPrefix(e.ID, schemas.DateOf(e.Time).String()+".")
}

// learn adds the facts that an event states.
func (p *project) learn(e *schemas.Event) {
	claimed := schemas.DateOf(e.Time)
	on := e.BusinessDate()
	add := func(kind slotKind, key int32, value string, approved bool) {
		p.facts = append(p.facts, fact{slot: slot{kind: kind, key: key}, value: value, on: on, claimed: claimed, approved: approved, id: e.ID})
	}
	text := func(f field, value *string) {
		if value != nil {
			add(slotField, int32(f), *value, false)
		}
	}
	tags := func(tags []string) {
		if tags != nil {
			add(slotField, int32(fieldTags), strings.Join(tags, tagSeparator), false)
		}
	}
	years := func(plan map[int]schemas.Money) {
		for year, amount := range plan {
			add(slotAnnualPlan, int32(year), amount.String(), false)
		}
	}
	fromCity := e.District == schemas.CityDistrict
	switch d := e.Data.(type) {
	case *schemas.Registered:
		approved := fromCity || !slices.ContainsFunc(p.facts, func(f fact) bool { return f.slot.kind == slotExists && !f.revoked })
		add(slotExists, 0, "", false)
		text(fieldName, &d.Name)
		text(fieldEnterprise, d.Enterprise)
		text(fieldIndustry, d.Industry)
		tags(d.Tags)
		total := d.TotalInvestment.String()
		text(fieldTotal, &total)
		years(d.AnnualPlan)
		home := e.District
		if fromCity {
			home = d.District
		}
		add(slotHome, 0, home, false)
		for _, m := range schemas.Milestones() {
			if d.Targets[m] != 0 {
				add(slotPlanned, int32(m), d.Targets[m].String(), approved)
			}
		}
	case *schemas.Amended:
		text(fieldName, d.Name)
		text(fieldEnterprise, d.Enterprise)
		text(fieldIndustry, d.Industry)
		tags(d.Tags)
		if d.TotalInvestment != nil {
			total := d.TotalInvestment.String()
			text(fieldTotal, &total)
		}
		years(d.AnnualPlan)
		if d.District != "" && fromCity {
			add(slotMove, 0, d.District, false)
		}
	case *schemas.Assigned:
		add(slotHolders, 0, d.Lead+joined+d.Department, false)
	case *schemas.Planned:
		add(slotPlanned, int32(d.Milestone), d.PlannedOn.String(), d.Approved && fromCity)
	case *schemas.Reached:
		add(slotReached, int32(d.Milestone), d.ReachedOn.String(), false)
	case *schemas.Raised:
		p.facts = append(p.facts, fact{slot: slot{kind: slotRaised, name: d.IssueID}, value: raisedValue(d), on: on, claimed: claimed, id: e.ID})
	case *schemas.Resolved:
		p.facts = append(p.facts, fact{slot: slot{kind: slotResolved, name: d.IssueID}, value: d.ResolvedOn.String() + joined + d.Resolution, on: on, claimed: claimed, id: e.ID})
	case *schemas.Progress:
		add(slotProgress, int32(d.Month), d.InvestedYTD.String()+joined+d.Note, false)
	}
}
