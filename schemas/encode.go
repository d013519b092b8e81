package schemas

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// encoder writes a JSON object whose members keep their order.
type encoder struct {
	b    []byte
	open bool // a member was written already
}

func (w *encoder) begin() { w.b, w.open = append(w.b, '{'), false }
func (w *encoder) end()   { w.b, w.open = append(w.b, '}'), true }

func (w *encoder) name(name string) {
	if w.open {
		w.b = append(w.b, ',')
	}
	w.open = true
	w.b = append(appendString(w.b, name), ':')
}

func (w *encoder) text(name, value string) {
	w.name(name)
	w.b = appendString(w.b, value)
}

// textGiven leaves an empty text out: it says as much as none.
func (w *encoder) textGiven(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *encoder) pointer(name string, value *string) {
	if value != nil {
		w.text(name, *value)
	}
}

func (w *encoder) date(name string, day Date) {
	if day != 0 {
		w.text(name, day.String())
	}
}

func (w *encoder) bare(name, value string) {
	w.name(name)
	w.b = append(w.b, value...)
}

func (w *encoder) flag(name string, value bool) { w.bare(name, strconv.FormatBool(value)) }

func (w *encoder) list(name string, n int, element func(i int)) {
	w.name(name)
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		element(i)
	}
	w.b, w.open = append(w.b, ']'), true
}

func (w *encoder) tags(tags []string) {
	if tags != nil {
		w.list("tags", len(tags), func(i int) { w.b = appendString(w.b, tags[i]) })
	}
}

func (w *encoder) annualPlan(plan map[int]Money) {
	if plan == nil {
		return
	}
	w.name("annual_plan")
	w.begin()
	for _, year := range slices.Sorted(maps.Keys(plan)) {
		w.bare(fmt.Sprintf("%04d", year), plan[year].String())
	}
	w.end()
}

// EncodeData writes the JSON of an event's data: the members that are given,
// in the order of the specification §3. Equal data give equal bytes.
func EncodeData(data Data) ([]byte, error) {
	w := new(encoder)
	w.begin()
	switch d := data.(type) {
	case *Registered:
		w.registered(d)
	case *Amended:
		w.amended(d)
	case *Assigned:
		w.text("lead", d.Lead)
		w.text("department", d.Department)
		w.date("effective_on", d.EffectiveOn)
	case *Planned:
		w.text("milestone", d.Milestone.String())
		w.date("planned_on", d.PlannedOn)
		w.date("decided_on", d.DecidedOn)
		w.flag("approved", d.Approved)
		w.textGiven("document", d.Document)
		w.textGiven("reason", d.Reason)
	case *Reached:
		w.reached(d)
	case *Progress:
		w.text("month", d.Month.String())
		w.bare("invested_ytd", d.InvestedYTD.String())
		w.textGiven("note", d.Note)
	case *Raised:
		w.text("issue_id", d.IssueID)
		w.text("title", d.Title)
		w.text("category", d.Category)
		w.text("department", d.Department)
		w.date("raised_on", d.RaisedOn)
		w.date("due_on", d.DueOn)
	case *Resolved:
		w.text("issue_id", d.IssueID)
		w.date("resolved_on", d.ResolvedOn)
		w.textGiven("resolution", d.Resolution)
	case *StatusChange:
		w.date("effective_on", d.EffectiveOn)
		w.textGiven("reason", d.Reason)
		w.textGiven("document", d.Document)
	case *Revoked:
		w.name("revokes")
		w.begin()
		w.text("source", d.Source)
		w.text("id", d.ID)
		w.end()
		w.text("reason", d.Reason)
		w.date("decided_on", d.DecidedOn)
	case *Adjustment:
		w.adjustment(d)
	case *Publication:
		w.publication(d)
	default:
		return nil, &Error{Code: Internal, Message: fmt.Sprintf("no event carries a %T", data)}
	}
	w.end()
	return w.b, nil
}

func (w *encoder) registered(d *Registered) {
	w.text("name", d.Name)
	w.pointer("enterprise", d.Enterprise)
	w.pointer("industry", d.Industry)
	w.tags(d.Tags)
	w.bare("total_investment", d.TotalInvestment.String())
	w.annualPlan(d.AnnualPlan)
	if d.Targets != (Targets{}) {
		w.name("targets")
		w.begin()
		for _, m := range Milestones() {
			w.date(m.String(), d.Targets[m])
		}
		w.end()
	}
	w.date("registered_on", d.RegisteredOn)
	w.textGiven("district", d.District)
}

func (w *encoder) amended(d *Amended) {
	w.date("effective_on", d.EffectiveOn)
	w.pointer("name", d.Name)
	w.pointer("enterprise", d.Enterprise)
	w.pointer("industry", d.Industry)
	w.tags(d.Tags)
	if d.TotalInvestment != nil {
		w.bare("total_investment", d.TotalInvestment.String())
	}
	w.annualPlan(d.AnnualPlan)
	w.textGiven("district", d.District)
	if d.Withheld != nil {
		w.flag("withheld", *d.Withheld)
	}
}

func (w *encoder) reached(d *Reached) {
	w.text("milestone", d.Milestone.String())
	w.date("reached_on", d.ReachedOn)
	if d.Evidence == nil {
		return
	}
	w.list("evidence", len(d.Evidence), func(i int) {
		w.begin()
		w.text("uri", d.Evidence[i].URI)
		w.textGiven("sha256", d.Evidence[i].SHA256)
		w.textGiven("note", d.Evidence[i].Note)
		w.end()
	})
}

func (w *encoder) adjustment(d *Adjustment) {
	w.bare("year", strconv.Itoa(d.Year))
	w.name("target")
	w.begin()
	w.text("kind", string(d.Kind))
	w.text("key", d.Key)
	w.end()
	w.bare("points", fixed(d.Points, 2, true))
	w.flag("veto", d.Veto)
	w.text("reason", d.Reason)
	w.text("document", d.Document)
	w.date("decided_on", d.DecidedOn)
}

func (w *encoder) publication(d *Publication) {
	w.text("kind", d.Kind)
	w.text("period", d.Period)
	if d.Number != 0 {
		w.bare("number", strconv.Itoa(d.Number))
	}
	w.bare("known_seq", strconv.FormatUint(d.KnownSeq, 10))
	w.textGiven("rules_hash", d.RulesHash)
	if d.Files != nil {
		w.list("files", len(d.Files), func(i int) {
			w.begin()
			w.text("name", d.Files[i].Name)
			w.text("sha256", d.Files[i].SHA256)
			w.end()
		})
	}
	w.textGiven("remarks", d.Remarks)
}

// NewEvent completes an event made of typed values: it writes RawData from
// Data, and Raw, the CloudEvent that is published, in a fixed order of
// members. It does not judge the event: Validator.Decode(event.Raw) does.
func NewEvent(e Event) (*Event, error) {
	data, err := EncodeData(e.Data)
	if err != nil {
		return nil, err
	}
	w := new(encoder)
	w.begin()
	w.text("specversion", "1.0")
	w.text("id", e.ID)
	w.text("source", e.Source)
	w.text("type", string(e.Type))
	w.text("subject", e.Subject)
	w.text("time", e.Time.In(Location).Format(time.RFC3339Nano))
	w.text("district", e.District)
	w.text("datacontenttype", "application/json")
	if len(e.Extensions) > len("{}") {
		w.b = append(append(w.b, ','), e.Extensions[1:len(e.Extensions)-1]...)
	}
	w.bare("data", string(data))
	w.end()
	e.Raw = w.b
	e.RawData = e.Raw[len(e.Raw)-1-len(data) : len(e.Raw)-1 : len(e.Raw)-1]
	return &e, nil
}
