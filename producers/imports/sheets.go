package imports

import (
	"fmt"
	"slices"
	"strings"

	"milepost/schemas"
)

// readWorkbook reads the sheet of projects, then that of issues.
func (s *sheet) readWorkbook(raw []byte, on schemas.Date) {
	book, wrong := openWorkbook(raw)
	if wrong != nil {
		s.reading.refuse([]Fault{*s.fault("", "", wrong.message, wrong.hint)})
		return
	}
	part, ok := s.choose(book)
	if !ok {
		return
	}
	s.place = &place{sheet: part.name}
	rows, wrong := book.openSheet(part)
	if wrong != nil {
		s.reading.refuse([]Fault{*s.fault("", "", wrong.message, wrong.hint)})
		return
	}
	defer rows.close()
	h, rest, wrong := findHeader(rows, s.wish)
	if wrong != nil {
		s.reading.refuse([]Fault{*s.fault("", "", wrong.message, wrong.hint)})
		return
	}
	if s.begin(h, rest, on) {
		s.readRows(rows)
		s.readIssues(book)
	}
}

// choose finds the sheet of projects: the one that the mapping names, else the
// first visible one that has all columns, else the one that has most of them.
func (s *sheet) choose(book *workbook) (sheetPart, bool) {
	var names []string
	for _, part := range book.sheets {
		if part.name == s.mapping.File.Sheet {
			return part, true
		}
		if !part.hidden {
			names = append(names, part.name)
		}
	}
	if s.mapping.File.Sheet != "" && len(s.mapping.Optional) == 0 {
		s.reading.refuse([]Fault{*s.fault("", s.mapping.File.Sheet, "the workbook has no such sheet", "its sheets are "+schemas.Shorten(strings.Join(names, ", ")))})
		return sheetPart{}, false
	}
	best, most := -1, 0
	for i, part := range book.sheets {
		if part.hidden {
			continue
		}
		rows, wrong := book.openSheet(part)
		if wrong != nil {
			continue // another one may do; if none does, this is told below
		}
		h, _, wrong := findHeader(rows, s.wish)
		rows.close()
		if wrong != nil {
			continue
		}
		if found := matches(h.names, s.wish.columns); found > most || best < 0 {
			best, most = i, found
		}
		if most == len(s.wish.columns) {
			break
		}
	}
	if best >= 0 {
		return book.sheets[best], true
	}
	for _, part := range book.sheets {
		if !part.hidden {
			return part, true // its own fault is told when it is read
		}
	}
	s.reading.refuse([]Fault{*s.fault("", "", "every sheet of the workbook is hidden", "show the sheet of projects")})
	return sheetPart{}, false
}

// readIssues reads the sheet of issues, if there is one.
func (s *sheet) readIssues(book *workbook) {
	wanted := s.mapping.Issues
	if wanted == nil {
		return
	}
	for _, part := range book.sheets {
		if part.name != wanted.Sheet {
			continue
		}
		i := &sheet{
			reading: s.reading, mapping: s.mapping, file: s.file, today: s.today, wish: wanted.headerWish(),
			place: &place{sheet: part.name}, issues: true, on: s.on,
		}
		rows, wrong := book.openSheet(part)
		if wrong != nil {
			i.reading.refuse([]Fault{*i.fault("", "", wrong.message, wrong.hint)})
			return
		}
		defer rows.close()
		h, rest, wrong := findHeader(rows, i.wish)
		if wrong != nil {
			i.reading.refuse([]Fault{*i.fault("", "", wrong.message, wrong.hint)})
			return
		}
		if i.begin(h, rest, s.on) {
			i.readRows(rows)
		}
		return
	}
}

// issueClaim is what a row says of a problem.
type issueClaim struct {
	id, title, category, department, resolution string
	raisedOn, dueOn, resolvedOn                 schemas.Date
}

// readIssue reads a row of the sheet of issues. Its snapshot is that of the
// sheet of projects; where each row of that one has its own, it is today's.
func (s *sheet) readIssue(record record) {
	m := s.mapping.Issues
	r := &rowReader{sheet: s, record: record, row: Row{File: s.file, Number: s.row, place: s.place, issue: &issueClaim{}}}
	on := s.on
	if on == 0 {
		on = s.today
	}
	i := r.row.issue
	r.readProject(m.Project)
	if i.id = r.word(m.ID); i.id == "" && len(r.faults) == 0 {
		r.refuse(m.ID, "", "the issue has no id", "number the issues of a project: 1, 2, 3")
	}
	for _, f := range []struct {
		cell *Cell
		into *string
	}{{m.Title, &i.title}, {m.Category, &i.category}, {m.Department, &i.department}, {m.Resolution, &i.resolution}} {
		if f.cell != nil {
			said, _ := r.text(f.cell)
			*f.into = said.value
		}
	}
	past := func(c *Cell, day, first schemas.Date, what string) {
		switch {
		case day == 0:
		case day > on:
			r.refuse(c.Column, day.String(), "lies after the snapshot's date "+on.String(), "a day that is still to come belongs to the deadline")
		case day < first:
			r.refuse(c.Column, day.String(), "lies before the day on which the issue was raised", what)
		}
	}
	i.raisedOn, _, _ = r.date(m.RaisedOn)
	i.dueOn, _, _ = r.date(m.DueOn)
	past(m.RaisedOn, i.raisedOn, 0, "")
	if m.ResolvedOn != nil {
		i.resolvedOn, _, _ = r.date(m.ResolvedOn)
		past(m.ResolvedOn, i.resolvedOn, i.raisedOn, "check both dates")
	}
	if i.dueOn != 0 && i.dueOn < i.raisedOn {
		r.refuse(m.DueOn.Column, i.dueOn.String(), "lies before the day on which the issue was raised", "check both dates")
	}
	if len(r.faults) == 0 {
		r.needIssue(m)
	}
	if len(r.faults) > 0 {
		s.reading.refuse(r.faults)
		return
	}
	s.reading.add(on, r.row)
}

// needIssue refuses an issue that lacks what its event needs.
func (r *rowReader) needIssue(m *IssueSheet) {
	i := r.row.issue
	for _, f := range []struct {
		cell  *Cell
		given bool
		what  string
	}{
		{m.Title, i.title != "", "a title"}, {m.Category, i.category != "", "a category"}, {m.Department, i.department != "", "a department"},
		{m.RaisedOn, i.raisedOn != 0, "the day on which it was raised"}, {m.DueOn, i.dueOn != 0, "a deadline"},
	} {
		if !f.given {
			r.refuse(f.cell.Column, "", "the issue needs "+f.what, "fill in the cell")
		}
	}
	if known := schemas.IssueCategories(); i.category != "" && !slices.Contains(known, i.category) {
		r.refuse(m.Category.Column, i.category, "no category of issues", fmt.Sprintf("choose one of the list, or one of %s", strings.Join(known, ", ")))
	}
}
