package imports

import (
	"fmt"
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

// Row is one project in one snapshot, or one of its issues, read and checked.
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

	issue *issueClaim
	place *place
}

// fault makes a fault of a cell of the row.
func (r *Row) fault(column, value, message, hint string) *Fault {
	f := &Fault{File: r.File, Row: r.Number, Column: column, Value: schemas.Shorten(value), Message: message, Hint: hint}
	r.place.locate(f)
	return f
}

// sheet names the sheet of a workbook, or none.
func (r *Row) sheet() string {
	if r.place == nil {
		return ""
	}
	return r.place.sheet
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
	if r.issue != nil {
		return *r.issue == *other.issue
	}
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
	record record
	row    Row
	faults []Fault
}

func (s *sheet) readRow(record record) {
	r := &rowReader{sheet: s, record: record, row: Row{File: s.file, Number: s.row, place: s.place}}
	on := r.snapshotDate()
	r.readProject(s.mapping.Project.Column)
	r.readFields(on)
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
		File: r.file, Sheet: r.place.sheet, Row: r.row.Number, Column: column, Value: schemas.Shorten(value), ProjectID: r.row.Project,
		Message: message + "; the cell is read as blank",
	})
}

// at gives a cell as it stands, blank where the mapping says so.
func (r *rowReader) at(column string) cell {
	i, ok := r.place.index[column]
	if !ok {
		return cell{}
	}
	c := r.record.at(i)
	c.text = oneLine(c.text)
	if r.mapping.blank[c.text] && (c.text != "" || c.kind != brokenCell) {
		return cell{}
	}
	return c
}

// word gives the text of a cell that must be one; what cannot be read is
// refused.
func (r *rowReader) word(column string) string {
	c := r.at(column)
	if c.kind == brokenCell {
		r.refuse(column, c.text, c.flaw, c.remedy)
		return ""
	}
	return c.text
}

func (r *rowReader) snapshotDate() schemas.Date {
	m := &r.mapping.Snapshot
	if m.Column == "" {
		return r.on
	}
	c := r.at(m.Column)
	if c.text == "" && c.kind != brokenCell {
		r.refuse(m.Column, "", "the row has no snapshot date", "")
		return 0
	}
	on, wrong := r.dayOf(&c, m.layouts)
	switch {
	case wrong != nil:
		r.refuse(m.Column, c.text, wrong.message, wrong.hint)
	case on > r.today:
		r.refuse(m.Column, c.text, "the snapshot's date lies in the future", "check the order of day and month in snapshot.layouts")
	}
	return on
}

// readProject makes the project's id: prefix and cell, signs that an id cannot
// have written as "-".
func (r *rowReader) readProject(column string) {
	m := &r.mapping.Project
	given := r.at(column)
	cell := given.text
	switch {
	case given.kind == brokenCell:
		r.refuse(column, cell, given.flaw, given.remedy)
		return
	case cell == "":
		r.refuse(column, "", "the row has no project id", "fill it in, or clear the row")
		return
	case given.spread && r.row.issue == nil:
		r.refuse(column, cell, "the project id is merged over several cells", "give each project a row and an id of its own")
		return
	case given.kind == numberCell && (strings.ContainsAny(cell, "eE.") || len(cell) > sureDigits):
		r.refuse(column, cell, "the spreadsheet has made a number of this id", "format the column as text and type the id again")
		return
	}
	cell = narrow(cell)
	id := cell
	if mapped, ok := m.Values[cell]; ok {
		id = mapped
	}
	for _, sign := range id {
		if sign >= 0x80 {
			r.refuse(column, cell, "no project id can be made of this", "ids have A-Z a-z 0-9 _ -; map the cell in project.values or choose another column")
			return
		}
	}
	id = m.Prefix + projectOther.ReplaceAllString(id, "-")
	if !projectID.MatchString(id) || len(id) > maxProjectID {
		r.refuse(column, cell, "no project id can be made of this", "ids have 1 to 64 of A-Z a-z 0-9 _ - and start with a letter or digit")
		return
	}
	if other, ok := r.reading.projects[id]; ok && other != cell {
		r.refuse(column, cell, fmt.Sprintf("gives the project id %s, as %q does", id, schemas.Shorten(other)), "tell them apart in project.values")
		return
	}
	id = r.reading.intern(id)
	r.reading.projects[id] = r.reading.intern(cell)
	r.row.Project = id
}

// sureDigits is how many digits of a number a spreadsheet keeps.
const sureDigits = 15

// text reads a cell as words: other words, several in one, the default.
func (r *rowReader) text(c *Cell) (value claim, column string) {
	for _, column = range []string{c.Column, c.OrColumn} {
		if column == "" {
			continue
		}
		given := r.at(column)
		if given.kind == brokenCell {
			r.wrong(c, column, given.text, given.flaw, given.remedy)
			return claim{}, column
		}
		if v := c.meaning(given.text); v != "" {
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

func (r *rowReader) readFields(on schemas.Date) {
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
		r.row.fields[fieldInvested] = r.invested(m.Progress, on)
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

// district gives the code of the project's district, which a cell may call by
// its configured name. In an office's sheet it can only be the office's own.
func (r *rowReader) district(c *Cell) claim {
	code, column := claim{value: c.Default, fallback: true}, ""
	if c.Column != "" {
		code, column = r.text(c)
	}
	if code.value == "" {
		return claim{}
	}
	known, ok := r.mapping.districts[code.value]
	office := r.mapping.Sender != schemas.CityDistrict
	switch {
	case !ok:
		r.wrong(c, column, code.value, "no configured district", "choose one of the list, or say in district.values of the mapping which it is")
		return claim{}
	case office && known != r.mapping.Sender:
		r.wrong(c, column, code.value, "another district than that of the office that sends the sheet", "only the city office sends projects of all districts")
		return claim{}
	case office:
		return claim{}
	}
	code.value = known
	return code
}
