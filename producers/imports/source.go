package imports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"milepost/schemas"
)

// Fault is a row, a file or a cell that was refused. Row counts as a
// spreadsheet does: the first row of the file is 1, and a quoted line break
// starts no new one. Line is the line in a CSV file, which differs then. Cell
// is the place in a workbook, such as F12.
type Fault struct {
	File    string `json:"file"`
	Sheet   string `json:"sheet,omitempty"`
	Row     int    `json:"row,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  string `json:"column,omitempty"`
	Cell    string `json:"cell,omitempty"`
	Value   string `json:"value,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Warning is something that a person should look at and that stops nothing.
type Warning struct {
	File      string `json:"file,omitempty"`
	Sheet     string `json:"sheet,omitempty"`
	Row       int    `json:"row,omitempty"`
	Column    string `json:"column,omitempty"`
	Value     string `json:"value,omitempty"`
	ProjectID string `json:"project_id,omitempty"`
	Message   string `json:"message"`
}

// Limits on what one import reads.
const (
	MaxRows       = 500_000
	maxColumns    = 2000
	maxFaultsKept = 10_000
	// progressStep is how many rows, or events, pass from one word on the
	// progress to the next.
	progressStep = 10_000
)

// Snapshot is what the files of an import say of one day.
type Snapshot struct {
	Date schemas.Date
	Rows []Row
	// Issues are the rows of the sheet of issues.
	Issues []Row
}

// Reading gathers the snapshots of one or several files.
type Reading struct {
	Snapshots []Snapshot
	Faults    []Fault
	// Refused counts the rows (and unreadable files) that have faults.
	Refused  int
	Warnings []Warning
	// Progress, if set, is told the rows that are read, now and then.
	Progress func(rows int)
	// Ignored lists the named columns that the mapping does not read.
	Ignored  []string
	rows     int
	byDate   map[schemas.Date]int
	interned map[string]string
	projects map[string]string // the cell that each project id was made of
}

// Read reads a file in the form that the mapping describes and adds its rows
// to the reading. on is the snapshot's date where neither a column nor the
// file's name tells it, or zero. today bounds the dates of snapshots.
func (r *Reading) Read(m *Mapping, file string, content io.Reader, on, today schemas.Date) {
	if r.byDate == nil {
		r.byDate, r.interned, r.projects = map[schemas.Date]int{}, map[string]string{}, map[string]string{}
	}
	s := &sheet{reading: r, mapping: m, file: file, today: today, wish: m.headerWish()}
	raw, err := io.ReadAll(content)
	if err != nil {
		r.refuse([]Fault{*s.fault("", "", "the file cannot be read: "+err.Error(), "send it again")})
		return
	}
	switch {
	case isOldWorkbook(raw):
		r.refuse([]Fault{*s.fault("", "", "the file is an old Excel workbook (.xls), or one with a password", "save it as .xlsx without a password, or as CSV UTF-8")})
	case isWorkbook(raw):
		s.readWorkbook(raw, on)
	default:
		s.readCSV(raw, on)
	}
}

func (s *sheet) readCSV(raw []byte, on schemas.Date) {
	source, wrong := openCSV(raw, &s.mapping.File, s.wish.columns)
	if wrong != nil {
		s.reading.refuse([]Fault{*s.fault("", "", wrong.message, wrong.hint)})
		return
	}
	s.ragged = true
	h, rest, wrong := findHeader(source, s.wish)
	if wrong != nil {
		s.row, s.line = max(s.wish.row, 1), wrong.line
		s.reading.refuse([]Fault{*s.fault("", "", wrong.message, wrong.hint)})
		return
	}
	if s.begin(h, rest, on) {
		s.readRows(source)
	}
}

func (r *Reading) refuse(faults []Fault) {
	r.Refused++
	if room := maxFaultsKept - len(r.Faults); len(faults) > room {
		faults = faults[:max(room, 0)]
	}
	r.Faults = append(r.Faults, faults...)
}

func (r *Reading) warn(w Warning) {
	if len(r.Warnings) < maxFaultsKept {
		r.Warnings = append(r.Warnings, w)
	}
}

// intern keeps one copy of each text, so that a row does not hold on to the
// whole line that it was cut from.
func (r *Reading) intern(s string) string {
	if kept, ok := r.interned[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	r.interned[s] = s
	return s
}

// release lets go of what only the reading needed.
func (r *Reading) release() { r.interned, r.projects, r.byDate = nil, nil, nil }

func (r *Reading) add(on schemas.Date, row Row) {
	i, ok := r.byDate[on]
	if !ok {
		i = len(r.Snapshots)
		r.byDate[on] = i
		r.Snapshots = append(r.Snapshots, Snapshot{Date: on})
	}
	s := &r.Snapshots[i]
	if row.issue != nil {
		s.Issues = append(s.Issues, row)
		return
	}
	s.Rows = append(s.Rows, row)
}

// sheet is one sheet under the reader; a CSV file is one.
type sheet struct {
	reading *Reading
	mapping *Mapping
	file    string
	today   schemas.Date
	wish    headerWish
	// place is where the rows of the sheet are.
	place *place
	// ragged tells that a row must have as many cells as the header.
	ragged bool
	issues bool // a sheet of issues

	row, line int
	head      *head
	pending   []scanned
	on        schemas.Date // of the whole file; zero: by column
	parsed    map[dateKey]schemas.Date
}

// place tells where the cells of a row are: the name of the sheet, in a
// workbook, and the columns.
type place struct {
	sheet string
	index map[string]int
}

func (s *sheet) fault(column, value, message, hint string) *Fault {
	f := &Fault{File: s.file, Row: s.row, Line: s.line, Column: column, Value: schemas.Shorten(value), Message: message, Hint: hint}
	s.place.locate(f)
	return f
}

// locate names the cell of a fault.
func (p *place) locate(f *Fault) {
	if p == nil {
		return
	}
	f.Sheet = p.sheet
	if i, ok := p.index[f.Column]; ok && i >= 0 && f.Row > 0 {
		f.Cell = cellName(i, f.Row)
	}
}

// begin checks the header and finds the snapshot's date; false when the sheet
// cannot be read.
func (s *sheet) begin(h *head, rest []scanned, on schemas.Date) bool {
	s.head, s.pending, s.row, s.line = h, rest, h.row, h.line
	s.parsed = map[dateKey]schemas.Date{}
	if s.place == nil {
		s.place = &place{}
	}
	if faults := s.locate(); len(faults) > 0 {
		s.reading.refuse(faults)
		return false
	}
	s.place.index = h.index
	s.noteIgnored()
	if !s.issues {
		if err := s.dateOfFile(on); err != nil {
			s.reading.refuse([]Fault{*err})
			return false
		}
	}
	return true
}

// locate finds the mapped columns by their names.
func (s *sheet) locate() (faults []Fault) {
	if given := s.head.given(); len(given) == 1 && s.ragged && matches(given, s.wish.columns) == 0 {
		return []Fault{*s.fault(s.wish.columns[0], given[0], "the first row has a single column", s.delimiterHint(given[0]))}
	}
	if len(s.head.names) > maxColumns {
		return []Fault{*s.fault("", "", "the file has too many columns", fmt.Sprintf("at most %d", maxColumns))}
	}
	s.head.locate(s.wish, func(column, value, message, hint string) {
		faults = append(faults, *s.fault(column, value, message, hint))
	})
	return faults
}

// noteIgnored tells which columns are not read.
func (s *sheet) noteIgnored() {
	used := map[int]bool{}
	for _, i := range s.head.index {
		used[i] = true
	}
	for i, name := range s.head.names {
		if name != "" && !used[i] && len(s.reading.Ignored) < maxColumns && !slices.Contains(s.reading.Ignored, name) {
			s.reading.Ignored = append(s.reading.Ignored, name)
		}
	}
}

func (s *sheet) delimiterHint(first string) string {
	for sign, name := range map[string]string{";": `";"`, "\t": "tab", "|": `"|"`, ",": `","`} {
		if sign != s.mapping.File.Delimiter && strings.Contains(first, sign) {
			return "set file.delimiter: " + name + " in the mapping"
		}
	}
	return "check file.delimiter and file.header_row of the mapping"
}

// readRows reads the rows after the header.
func (s *sheet) readRows(source rowSource) {
	for {
		var r record
		var wrong *flaw
		if len(s.pending) > 0 {
			r, wrong = s.pending[0].record, s.pending[0].wrong
			s.pending = s.pending[1:]
		} else {
			var more bool
			if r, wrong, more = source.next(); !more {
				return
			}
		}
		if wrong != nil {
			s.refuseRow(r, wrong)
			continue
		}
		s.row, s.line = r.number, r.line
		if s.reading.rows++; s.reading.rows > MaxRows {
			s.reading.refuse([]Fault{*s.fault("", "", fmt.Sprintf("more than %d rows; from here on nothing was read", MaxRows), "import fewer files at a time")})
			return
		}
		if s.reading.Progress != nil && s.reading.rows%progressStep == 0 {
			s.reading.Progress(s.reading.rows)
		}
		if r.blank() {
			continue
		}
		if ragged := s.raggedRow(&r); ragged != nil {
			s.reading.refuse([]Fault{*ragged})
			continue
		}
		if s.issues {
			s.readIssue(r)
		} else {
			s.readRow(r)
		}
	}
}

func (s *sheet) refuseRow(r record, wrong *flaw) {
	s.row, s.line = r.number, wrong.line
	s.reading.refuse([]Fault{*s.fault("", "", wrong.message, wrong.hint)})
}

// raggedRow refuses a row with more or fewer cells than the header: its values
// may have slipped into other columns. Empty cells at the end are as none.
func (s *sheet) raggedRow(r *record) *Fault {
	n := len(r.cells)
	for n > len(s.head.names) && strings.TrimSpace(r.cells[n-1].text) == "" {
		n--
	}
	if !s.ragged || n == len(s.head.names) {
		return nil
	}
	return s.fault("", "", fmt.Sprintf("the row has %d cells and the header %d", len(r.cells), len(s.head.names)), "put a cell that contains the delimiter into quotes")
}

// oneLine trims a cell and makes every run of white space one space: a line
// break in a spreadsheet's cell is for its width, not part of a name.
func oneLine(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r != ' ' && isSpace(r) }) < 0 && !strings.Contains(s, "  ") {
		return strings.Trim(s, " ")
	}
	return strings.Join(strings.FieldsFunc(s, isSpace), " ")
}

func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0x85, 0xA0, 0x3000, 0xFEFF:
		return true
	}
	return false
}
