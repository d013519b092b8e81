package imports

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"milepost/schemas"
)

// claim is what a cell says; an empty value says nothing. A fallback is the
// mapping's default, which gives way to anything that was said.
type claim struct {
	value    string
	fallback bool
}

// field is a member of a project's data that a column can give.
type field int

const (
	fieldName field = iota
	fieldEnterprise
	fieldIndustry
	fieldTags // joined by tagSeparator
	fieldTotal
	fieldDistrict
	fieldLead
	fieldDepartment
	fieldInvested
	fieldNote
	fieldCount
)

// tagSeparator cannot stand in a cell: white space and controls are cleaned.
const tagSeparator = "\x1f"

// said is what a row says about a milestone being reached.
type said uint8

const (
	saidNothing said = iota
	saidNo
	saidYes
)

// Row is one project in one snapshot, read and checked.
type Row struct {
	File    string
	Number  int // as a spreadsheet counts
	Project string

	fields       [fieldCount]claim
	plans        []yearClaim
	registeredOn schemas.Date
	// planned holds the plans of each milestone: approved ones at 1.
	planned [schemas.MilestoneCount][2]schemas.Date
	reached [schemas.MilestoneCount]reachedClaim
}

type yearClaim struct {
	year  int // 0: the snapshot's
	value string
}

type reachedClaim struct {
	said said
	on   schemas.Date // of a date column
	word string       // of a column of words
}

// same tells whether two rows say the same.
func (r *Row) same(other *Row) bool {
	return r.fields == other.fields && slices.Equal(r.plans, other.plans) && r.registeredOn == other.registeredOn &&
		r.planned == other.planned && r.reached == other.reached
}

var (
	projectID    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	projectOther = regexp.MustCompile(`[^A-Za-z0-9_-]+`)
)

const maxProjectID = 64

// rowReader reads one record into a row and gathers its faults.
type rowReader struct {
	*sheet
	record []string
	row    Row
	faults []Fault
}

func (s *sheet) readRow(record []string) {
	r := &rowReader{sheet: s, record: record, row: Row{File: s.file, Number: s.row}}
	on := r.snapshotDate()
	r.readProject()
	r.readFields()
	r.readDates(on)
	if len(r.faults) > 0 {
		s.reading.refuse(r.faults)
		return
	}
	s.reading.add(on, r.row)
}

func (r *rowReader) refuse(column, value, message, hint string) {
	r.faults = append(r.faults, *r.fault(column, value, message, hint))
}

// wrong refuses the row, or only warns and reads the cell as blank, as the
// mapping wishes.
func (r *rowReader) wrong(c *Cell, column, value, message, hint string) {
	if c.OnError != "warn" {
		r.refuse(column, value, message, hint)
		return
	}
	r.reading.warn(Warning{
		File: r.file, Row: r.row.Number, Column: column, Value: schemas.Shorten(value), ProjectID: r.row.Project,
		Message: message + "; the cell is read as blank",
	})
}

func (r *rowReader) cell(column string) string {
	text := oneLine(r.record[r.index[column]])
	if r.mapping.blank[text] {
		return ""
	}
	return text
}

func (r *rowReader) snapshotDate() schemas.Date {
	m := &r.mapping.Snapshot
	if m.Column == "" {
		return r.on
	}
	text := r.cell(m.Column)
	if text == "" {
		r.refuse(m.Column, "", "the row has no snapshot date", "")
		return 0
	}
	on, ok := r.parseDate(m.layouts, text)
	switch {
	case !ok:
		r.refuse(m.Column, text, "not a date in the mapping's form", layoutHint(m.layouts))
	case on > r.today:
		r.refuse(m.Column, text, "the snapshot's date lies in the future", "check the order of day and month in snapshot.layouts")
	}
	return on
}

// readProject makes the project's id: prefix and cell, signs that an id cannot
// have written as "-".
func (r *rowReader) readProject() {
	m := &r.mapping.Project
	cell := r.cell(m.Column)
	if cell == "" {
		r.refuse(m.Column, "", "the row has no project id", "")
		return
	}
	id := cell
	if mapped, ok := m.Values[cell]; ok {
		id = mapped
	}
	for _, sign := range id {
		if sign >= 0x80 {
			r.refuse(m.Column, cell, "no project id can be made of this", "ids have A-Z a-z 0-9 _ -; map the cell in project.values or choose another column")
			return
		}
	}
	id = m.Prefix + projectOther.ReplaceAllString(id, "-")
	if !projectID.MatchString(id) || len(id) > maxProjectID {
		r.refuse(m.Column, cell, "no project id can be made of this", "ids have 1 to 64 of A-Z a-z 0-9 _ - and start with a letter or digit")
		return
	}
	if other, ok := r.reading.projects[id]; ok && other != cell {
		r.refuse(m.Column, cell, fmt.Sprintf("gives the project id %s, as %q does", id, schemas.Shorten(other)), "tell them apart in project.values")
		return
	}
	id = r.reading.intern(id)
	r.reading.projects[id] = r.reading.intern(cell)
	r.row.Project = id
}

// text reads a cell as words: other words, several in one, the default.
func (r *rowReader) text(c *Cell) (value claim, column string) {
	for _, column = range []string{c.Column, c.OrColumn} {
		if column == "" {
			continue
		}
		if v := c.meaning(r.cell(column)); v != "" {
			return claim{value: r.reading.intern(v)}, column
		}
	}
	return claim{value: c.Default, fallback: c.Default != ""}, c.Column
}

func (c *Cell) meaning(cell string) string {
	if mapped, ok := c.Values[cell]; ok {
		return mapped
	}
	if c.Several == nil || !strings.Contains(cell, c.Several.Separator) {
		return cell
	}
	var parts []string
	for _, part := range strings.Split(cell, c.Several.Separator) {
		part = strings.TrimSpace(part)
		if mapped, ok := c.Values[part]; ok {
			part = mapped
		}
		if part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	switch {
	case len(parts) == 0:
		return ""
	case len(parts) == 1 || c.Several.Take == "first":
		return parts[0]
	}
	return c.Several.Becomes
}

func (r *rowReader) readFields() {
	m := r.mapping
	for _, f := range []struct {
		field field
		cell  *Cell
	}{
		{fieldName, m.Name}, {fieldEnterprise, m.Enterprise}, {fieldIndustry, m.Industry},
		{fieldLead, m.Lead}, {fieldDepartment, m.Department},
	} {
		if f.cell != nil {
			r.row.fields[f.field], _ = r.text(f.cell)
		}
	}
	if m.Tags != nil {
		tags, _ := r.text(m.Tags)
		r.row.fields[fieldTags] = claim{r.reading.intern(joinTags(tags.value, m.Tags.Separator)), tags.fallback}
	}
	if m.District != nil {
		r.row.fields[fieldDistrict] = r.district(m.District)
	}
	r.row.fields[fieldTotal] = r.amount(m.TotalInvestment)
	for i := range m.AnnualPlan {
		y := &m.AnnualPlan[i]
		if c := r.amount(&y.Cell); c.value != "" {
			r.row.plans = append(r.row.plans, yearClaim{y.year, c.value})
		}
	}
	if m.Progress != nil {
		r.row.fields[fieldInvested] = r.amount(m.Progress.InvestedYTD)
		if m.Progress.Note != nil {
			r.row.fields[fieldNote], _ = r.text(m.Progress.Note)
		}
	}
}

func joinTags(cell, separator string) string {
	var tags []string
	for _, tag := range strings.Split(cell, separator) {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return strings.Join(tags, tagSeparator)
}

func (r *rowReader) district(c *Cell) claim {
	code, column := claim{value: c.Default, fallback: true}, ""
	if c.Column != "" {
		code, column = r.text(c)
	}
	if code.value != "" && !r.mapping.districts[code.value] {
		r.wrong(c, column, code.value, "no configured district", "say in district.values of the mapping which it is")
		return claim{}
	}
	return code
}

func (r *rowReader) amount(c *Cell) claim {
	if c.Column != "" {
		text, column := r.text(c)
		if text.value != "" && !text.fallback {
			amount, err := parseAmount(text.value, c.scale)
			if err == nil {
				return claim{value: r.reading.intern(amount.String())}
			}
			r.wrong(c, column, text.value, err.Error(), "write a number such as 1234.56")
		}
	}
	if c.Default == "" {
		return claim{}
	}
	amount, _ := parseAmount(c.Default, big.NewRat(1, 1)) // checked with the mapping
	return claim{value: amount.String(), fallback: true}
}

// date reads a date cell; zero when it says nothing or is refused.
func (r *rowReader) date(c *Cell) (on schemas.Date, column, text string) {
	said, column := r.text(c)
	if said.value == "" {
		return 0, column, ""
	}
	on, ok := r.parseDate(c.layouts, said.value)
	if !ok {
		r.wrong(c, column, said.value, "not a date in the mapping's form", layoutHint(c.layouts))
		return 0, column, said.value
	}
	return on, column, said.value
}

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
			reached.word = r.reading.intern(r.cell(when.Column))
			switch {
			case slices.Contains(when.In, reached.word):
				reached.said = saidYes
			case reached.word != "":
				reached.said = saidNo
			}
		}
	}
}
