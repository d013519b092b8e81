package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"milepost/schemas"
)

// maxItemEvents bounds the events of an item that a page lists; all are found by
// a query.
const maxItemEvents = 200

type assessmentRowContent struct {
	assessmentContent
	Row   assessedRow
	Group string
	Items []tracedItem
	Query string // finds all events
}

// tracedItem is an item with the events that it rests on.
type tracedItem struct {
	schemas.AssessmentItem
	Name, NumeratorIs, DivisorIs string
	Count                        int
	Traced                       []tracedRow
}

type tracedRow struct {
	TracedEvent
	TypeName, Office string
}

// assessmentRow answers GET /assessment/{year}/{kind}/{key} with the items of a
// row, and the events behind each.
func (p *Pages) assessmentRow(w http.ResponseWriter, r *http.Request) error {
	c := &assessmentRowContent{}
	model, err := p.readAssessment(r.Context(), r.PathValue("year"), &c.assessmentContent)
	if err != nil {
		return err
	}
	c.MayIssue = mayIssue(r)
	kind, key := r.PathValue("kind"), r.PathValue("key")
	found := false
	for _, group := range model.Groups {
		for _, row := range group.Rows {
			if group.Kind == kind && row.Key == key {
				c.Row, c.Group, found = assessedRow{row, kind, p.rowAddress(c.Year, kind, key)}, groupKindNames[kind], true
			}
		}
	}
	if !found {
		return &schemas.Error{Code: schemas.NotFound, Field: "key", Value: schemas.Shorten(key), Message: "no such row"}
	}
	for _, item := range c.Row.Items {
		traced, err := p.trace(r, item)
		if err != nil {
			return err
		}
		c.Items = append(c.Items, traced)
	}
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(key)
	c.Query = "/query?" + url.Values{"sql": {fmt.Sprintf("SELECT item, numerator, divisor, points, e.1 AS source, e.2 AS id\nFROM assessment_items(year = %d, known = %d)\nARRAY JOIN events AS e\nWHERE kind = '%s' AND key = '%s'", c.Year, c.Known, kind, quoted)}}.Encode()
	return p.show(w, r, http.StatusOK, "assessmentrow", fmt.Sprintf("%s · %d 年考核", c.Row.Name, c.Year), c)
}

func (p *Pages) trace(r *http.Request, item schemas.AssessmentItem) (tracedItem, error) {
	words := itemNames[item.Item]
	traced := tracedItem{AssessmentItem: item, Name: words[0], NumeratorIs: words[1], DivisorIs: words[2], Count: len(item.Events)}
	if len(item.Events) == 0 {
		return traced, nil
	}
	events, err := p.Desk.EventsBehind(r.Context(), item.Events[:min(maxItemEvents, len(item.Events))])
	if err != nil {
		return traced, err
	}
	rules := p.Rules.OfYear(schemas.DateOf(p.Now()).Year())
	for _, e := range events {
		row := tracedRow{e, typeNames[schemas.Type(e.Type)], rules.DistrictName(e.District)}
		if e.District == schemas.CityDistrict {
			row.Office = "市级"
		}
		traced.Traced = append(traced.Traced, row)
	}
	return traced, nil
}
