package imports

import (
	"regexp"
	"slices"
	"strings"

	"milepost/schemas"
)

// date reads a date cell; zero when it says nothing or is refused.
func (r *rowReader) date(c *Cell) (on schemas.Date, column, text string) {
	said, column := r.text(c)
	if said.value == "" {
		return 0, column, ""
	}
	given := r.at(column)
	if given.text != said.value { // other words for it
		given = cell{text: said.value}
	}
	on, wrong := r.dayOf(&given, c.layouts)
	if wrong != nil {
		r.wrong(c, column, said.value, wrong.message, wrong.hint)
		return 0, column, said.value
	}
	return on, column, said.value
}

// dayOf reads a date: a real one, or a text in one of the layouts.
func (s *sheet) dayOf(c *cell, layouts []*layout) (schemas.Date, *flaw) {
	switch c.kind {
	case dateCell:
		return c.day, nil
	case brokenCell:
		return 0, &flaw{message: c.flaw, hint: c.remedy}
	case percentCell:
		return 0, &flaw{message: "a percentage, not a date", hint: "format the cell as a date"}
	case numberCell:
		if len(c.text) != len("20260305") {
			return 0, &flaw{message: "a number, not a date", hint: "format the cell as a date, or type it as 2026-03-05"}
		}
	}
	text := narrow(c.text)
	if strings.ContainsRune(text, '年') {
		text = strings.ReplaceAll(text, " ", "")
	}
	on, ok := s.parseDate(layouts, text)
	switch {
	case ok && (on < schemas.FirstDate || on > schemas.LastDate):
		return 0, &flaw{message: "not a day from 1900 to 2299"}
	case !ok && serialLooking.MatchString(c.text):
		return 0, &flaw{message: "not a date: it looks like the number by which spreadsheets count days", hint: "format the column as dates before saving it"}
	case !ok:
		return 0, &flaw{message: "not a date in the mapping's form, or no such day", hint: layoutHint(layouts)}
	}
	return on, nil
}

var serialLooking = regexp.MustCompile(`^[2-6]\d{4}(\.\d+)?$`)

func layoutHint(layouts []*layout) string {
	texts := make([]string, len(layouts))
	for i, l := range layouts {
		texts[i] = l.text
	}
	return "write it as " + strings.Join(texts, " or ")
}

// dateKey names a text read by a list of layouts, which its first stands for.
type dateKey struct {
	first *layout
	text  string
}

// maxParsed bounds the dates that are remembered.
const maxParsed = 1 << 16

func (s *sheet) parseDate(layouts []*layout, text string) (schemas.Date, bool) {
	key := dateKey{layouts[0], text}
	if on, ok := s.parsed[key]; ok {
		return on, on != 0
	}
	var on schemas.Date
	for _, l := range layouts {
		if found, ok := l.parse(text); ok {
			on = found
			break
		}
	}
	if len(s.parsed) < maxParsed {
		key.text = strings.Clone(text)
		s.parsed[key] = on
	}
	return on, on != 0
}

func (r *rowReader) readDates(snapshot schemas.Date) {
	m := r.mapping
	past := func(c *Cell) schemas.Date {
		on, column, text := r.date(c)
		if on > snapshot && snapshot != 0 {
			r.wrong(c, column, text, "lies after the snapshot's date "+snapshot.String(), "a date that is still to come belongs to a planned column")
			return 0
		}
		return on
	}
	if m.RegisteredOn != nil {
		r.row.registeredOn = past(m.RegisteredOn)
	}
	for _, milestone := range schemas.Milestones() {
		columns := m.Milestones.of(milestone)
		for _, c := range columns.Planned {
			kind := 0
			if c.Approved {
				kind = 1
			}
			r.row.planned[milestone][kind], _, _ = r.date(c)
		}
		reached := &r.row.reached[milestone]
		switch {
		case columns.Reached == nil:
		case columns.Reached.Date != nil:
			if reached.on = past(columns.Reached.Date); reached.on != 0 {
				reached.said = saidYes
			}
		default:
			when := columns.Reached.When
			reached.word = r.reading.intern(r.word(when.Column))
			switch {
			case slices.Contains(when.In, reached.word):
				reached.said = saidYes
			case reached.word != "":
				reached.said = saidNo
			}
		}
	}
}
