package imports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"milepost/schemas"
)

// PlannedEvent is an event that an import would publish, with the row that it
// comes from.
type PlannedEvent struct {
	Raw       []byte
	ID        string
	Type      schemas.Type
	ProjectID string
	Snapshot  schemas.Date
	File      string
	Sheet     string
	Row       int
	Changes   []Difference
}

// Difference is a value before and after; empty means none.
type Difference struct {
	What string `json:"what"`
	From string `json:"from,omitempty"`
	To   string `json:"to"`
}

// Plan is what an import would do.
type Plan struct {
	// Events are in the order in which they are published: by snapshot, then
	// by row. A plan that hands its events on has none.
	Events []PlannedEvent
	// Count is the number of events, Kinds of each type.
	Count int
	Kinds map[schemas.Type]int
	// Dates are the snapshots' days, in order.
	Dates []schemas.Date
	// Added, Changed and Unchanged count the projects of the files: new ones,
	// known ones with events, known ones without.
	Added, Changed, Unchanged int
	// Faults are rows whose values make no valid event.
	Faults   []Fault
	Refused  int
	Warnings []Warning
}

// timeOfDay is the last second of the snapshot's day: a date in the snapshot
// never lies after the event's time.
const timeOfDay = 24*time.Hour - time.Second

// MakePlan compares snapshots with what the source has published and gives the
// events that are missing. Snapshots may come in any order. The only errors
// are those of published.
func MakePlan(m *Mapping, rules *schemas.Rules, snapshots []Snapshot, published iter.Seq2[PublishedEvent, error]) (*Plan, error) {
	var events []PlannedEvent
	plan, err := makePlan(m, rules, snapshots, published, planOptions{take: func(some []PlannedEvent) error {
		events = append(events, some...)
		return nil
	}})
	if err == nil {
		plan.Events = events
	}
	return plan, err
}

// planOptions are the choices of makePlan.
type planOptions struct {
	// take is given the events of one row after the other.
	take func([]PlannedEvent) error
	// admit, if set, says whether the sender may send an event; a row with one
	// that it refuses is refused whole.
	admit func(*schemas.Event) ([]schemas.Warning, error)
	// progress, if set, is told the rows that are planned, now and then.
	progress func(rows int)
}

// makePlan is MakePlan for a plan that need not fit in memory: of a project
// nothing is kept once its last row is planned.
func makePlan(m *Mapping, rules *schemas.Rules, snapshots []Snapshot, published iter.Seq2[PublishedEvent, error], o planOptions) (*Plan, error) {
	p := &planner{
		mapping: m, validator: schemas.NewValidator(rules), history: history{source: m.Source}, plan: &Plan{Kinds: map[schemas.Type]int{}}, planOptions: o,
		words: map[string][schemas.MilestoneCount]string{}, seen: map[string]*tally{}, warned: map[string]bool{}, left: map[string]int{},
	}
	if err := p.history.load(published); err != nil {
		return nil, err
	}
	ordered := slices.Clone(snapshots)
	slices.SortStableFunc(ordered, func(a, b Snapshot) int { return cmp.Compare(a.Date, b.Date) })
	tables := make([][2][]*Row, len(ordered))
	for i, s := range ordered {
		p.plan.Dates = append(p.plan.Dates, s.Date)
		tables[i] = [2][]*Row{p.unique(s.Date, s.Rows), p.unique(s.Date, s.Issues)}
		for _, rows := range tables[i] {
			for _, row := range rows {
				p.left[row.Project]++
			}
		}
	}
	for i, s := range ordered {
		for _, rows := range tables[i] {
			for _, row := range rows {
				if err := p.row(s.Date, row); err != nil {
					return nil, err
				}
			}
		}
	}
	p.finish()
	return p.plan, nil
}

// planner works through the snapshots in the order of their dates.
type planner struct {
	planOptions
	mapping   *Mapping
	validator *schemas.Validator
	history   history
	plan      *Plan
	seen      map[string]*tally
	words     map[string][schemas.MilestoneCount]string
	warned    map[string]bool
	late      []lateFact
	left      map[string]int // rows of a project that are still to come
	rows      int

	// of the row at hand
	on         schemas.Date
	current    *Row
	project    *project
	fault      *Fault
	superseded []int
	events     []PlannedEvent
}

// tally is what the import does to one project.
type tally struct {
	known  bool
	events int
	newest schemas.Date // the latest snapshot of this import that has it
}

// lateFact was added before the newest snapshot that had been imported.
type lateFact struct {
	row  *Row
	slot slot
	on   schemas.Date
	what string
}

// unique gives one row a project, or an issue: of equal rows one, of different
// ones the last.
func (p *planner) unique(on schemas.Date, all []Row) []*Row {
	rows := make([]*Row, 0, len(all))
	at := make(map[string]int, len(all))
	for i := range all {
		row := &all[i]
		key, what, column := row.Project, "project", p.mapping.Project.Column
		if row.issue != nil {
			key, what, column = row.Project+joined+row.issue.id, "issue", p.mapping.Issues.ID
		}
		k, repeated := at[key]
		if !repeated {
			at[key] = len(rows)
			rows = append(rows, row)
			continue
		}
		if first := rows[k]; !first.same(row) {
			p.warn(row, column, fmt.Sprintf("the %s stands twice in the snapshot of %s, differently, first in row %d of %s; this row counts", what, on, first.Number, first.File))
		}
		rows[k] = row
	}
	return rows
}

func (p *planner) warn(row *Row, column, message string) {
	key := row.Project + joined + message
	if p.warned[key] || len(p.plan.Warnings) >= maxFaultsKept {
		return
	}
	p.warned[key] = true
	p.plan.Warnings = append(p.plan.Warnings, Warning{File: row.File, Sheet: row.sheet(), Row: row.Number, Column: column, ProjectID: row.Project, Message: message})
}

// row plans the events of one row; if one of them is invalid, the row is
// refused whole.
func (p *planner) row(on schemas.Date, row *Row) error {
	p.on, p.current, p.project = on, row, p.history.project(row.Project)
	p.fault, p.superseded, p.events = nil, p.superseded[:0], p.events[:0]
	known := p.project.known()
	facts, late := len(p.project.facts), len(p.late)

	switch {
	case row.issue != nil:
		p.planIssue()
	case p.register():
		p.amend()
		p.assign()
		for _, m := range schemas.Milestones() {
			p.planMilestone(m)
			p.reachMilestone(m)
		}
		p.report()
	}
	p.rows++
	if p.progress != nil && p.rows%progressStep == 0 {
		p.progress(p.rows)
	}
	defer p.forget(row.Project)
	if p.fault != nil {
		for _, e := range p.events {
			delete(p.project.ids, e.ID)
		}
		p.project.facts, p.late = p.project.facts[:facts], p.late[:late]
		if len(p.plan.Faults) < maxFaultsKept {
			p.plan.Faults = append(p.plan.Faults, *p.fault)
		}
		p.plan.Refused++
		return nil
	}
	for _, i := range p.superseded {
		p.project.facts[i].superseded = true
	}
	t := p.seen[row.Project]
	if t == nil {
		t = &tally{known: known}
		p.seen[row.Project] = t
	}
	t.newest = on
	t.events += len(p.events)
	p.plan.Count += len(p.events)
	for i := range p.events {
		p.plan.Kinds[p.events[i].Type]++
	}
	if len(p.events) == 0 {
		return nil
	}
	return p.take(p.events)
}

// forget lets go of a project after its last row.
func (p *planner) forget(project string) {
	if p.left[project]--; p.left[project] == 0 {
		delete(p.left, project)
		delete(p.history.projects, project)
		delete(p.words, project)
	}
}

// emit adds an event, unless it is invalid, and the facts that it states.
func (p *planner) emit(t schemas.Type, subject string, data schemas.Data, word string, changes ...Difference) {
	if p.fault != nil {
		return
	}
	encoded, err := schemas.EncodeData(data)
	if err != nil {
		p.refuse(err)
		return
	}
	event, err := schemas.NewEvent(schemas.Event{
		Source: p.mapping.Source, ID: p.identity(word, encoded), Type: t, Subject: subject, District: p.mapping.Sender,
		Time: p.on.Start().Add(timeOfDay), Data: data,
	})
	if err != nil {
		p.refuse(err)
		return
	}
	decoded, warnings, err := p.validator.Decode(event.Raw)
	if err == nil && p.admit != nil {
		var more []schemas.Warning
		more, err = p.admit(decoded)
		warnings = append(warnings, more...)
	}
	if err != nil {
		p.refuse(err)
		return
	}
	for _, w := range warnings {
		p.warnOnce(w)
	}
	p.project.use(event.ID)
	first := len(p.project.facts)
	p.project.learn(event)
	for _, f := range p.project.facts[first:] {
		p.noteLate(f)
	}
	p.events = append(p.events, PlannedEvent{
		Raw: event.Raw, ID: event.ID, Type: t, ProjectID: subject, Snapshot: p.on,
		File: p.current.File, Sheet: p.current.sheet(), Row: p.current.Number, Changes: changes,
	})
}

// identity makes an event's id: the same content on the same date has the same
// id, and gets a number when it is said anew after something else was.
func (p *planner) identity(word string, data []byte) string {
	sum := sha256.Sum256(append([]byte(word+joined), data...))
	base := fmt.Sprintf("%s.%s.%s.%s", p.on, p.current.Project, word, hex.EncodeToString(sum[:6]))
	id := base
	for n := 2; p.project.ids[id]; n++ {
		id = fmt.Sprintf("%s.%d", base, n)
	}
	return id
}

// warnOnce passes on what the validator wonders at, once for each message.
func (p *planner) warnOnce(w schemas.Warning) {
	key := w.Field + joined + w.Message
	if p.warned[key] || len(p.plan.Warnings) >= maxFaultsKept {
		return
	}
	p.warned[key] = true
	p.plan.Warnings = append(p.plan.Warnings, Warning{
		File: p.current.File, Sheet: p.current.sheet(), Row: p.current.Number, Column: p.columnOf(w.Field), ProjectID: p.current.Project, Message: w.Field + ": " + w.Message,
	})
}

func (p *planner) refuse(err error) {
	e := asContractError(err)
	p.fault = p.current.fault(p.columnOf(e.Field), e.Value, strings.TrimPrefix(e.Field+": "+e.Message, ": "), e.Hint)
}

// columnOf gives the column that a member of an event was read from.
func (p *planner) columnOf(member string) string {
	if p.current.issue != nil {
		return p.mapping.Issues.columnOf(member)
	}
	return p.mapping.columnOf(member)
}

// noteLate remembers a fact of the past of which the newest snapshot says
// nothing: until that one is imported again, the fact passes for the latest.
func (p *planner) noteLate(f fact) {
	if p.on >= p.history.newest || f.slot.kind == slotExists || f.slot.kind == slotHome || f.slot.kind == slotReached || f.slot.kind == slotProgress {
		return
	}
	if p.project.later(f.slot, p.on, byBusinessDate) == nil {
		p.late = append(p.late, lateFact{row: p.current, slot: f.slot, on: p.on, what: f.slot.String()})
	}
}

// finish counts, and warns of late facts that no snapshot of this import
// brings up to date.
func (p *planner) finish() {
	for _, l := range p.late {
		if p.seen[l.row.Project].newest > l.on {
			continue
		}
		p.warn(l.row, "", fmt.Sprintf("%s is added as of %s, and the snapshot of %s, imported before, brought no other; import the newer snapshot again to have it checked", l.what, l.on, p.history.newest))
	}
	for _, t := range p.seen {
		switch {
		case t.events == 0:
			p.plan.Unchanged++
		case t.known:
			p.plan.Changed++
		default:
			p.plan.Added++
		}
	}
}
