package imports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"milepost/schemas"
)

// Fault is a row, a file or a cell that was refused. Row counts as a
// spreadsheet does: the first row of the file is 1, and a quoted line break
// starts no new one. Line is the line in the file, which differs then.
type Fault struct {
	File    string `json:"file"`
	Row     int    `json:"row,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  string `json:"column,omitempty"`
	Value   string `json:"value,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Warning is something that a person should look at and that stops nothing.
type Warning struct {
	File      string `json:"file,omitempty"`
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
)

// Snapshot is what the files of an import say of one day.
type Snapshot struct {
	Date schemas.Date
	Rows []Row
}

// Reading gathers the snapshots of one or several files.
type Reading struct {
	Snapshots []Snapshot
	Faults    []Fault
	// Refused counts the rows (and unreadable files) that have faults.
	Refused  int
	Warnings []Warning
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
	sheet := &sheet{reading: r, mapping: m, file: file, today: today}
	if err := sheet.open(content); err != nil {
		r.refuse([]Fault{*err})
		return
	}
	if faults := sheet.locate(); len(faults) > 0 {
		r.refuse(faults)
		return
	}
	if err := sheet.dateOfFile(on); err != nil {
		r.refuse([]Fault{*err})
		return
	}
	sheet.readRows()
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

func (r *Reading) add(on schemas.Date, row Row) {
	i, ok := r.byDate[on]
	if !ok {
		i = len(r.Snapshots)
		r.byDate[on] = i
		r.Snapshots = append(r.Snapshots, Snapshot{Date: on})
	}
	r.Snapshots[i].Rows = append(r.Snapshots[i].Rows, row)
}

// sheet is one file under the reader.
type sheet struct {
	reading *Reading
	mapping *Mapping
	file    string
	today   schemas.Date

	csv    *csv.Reader
	row    int
	header []string
	index  map[string]int
	on     schemas.Date // of the whole file; zero: by column
	parsed map[dateKey]schemas.Date
	width  int
}

func (s *sheet) fault(column, value, message, hint string) *Fault {
	f := &Fault{File: s.file, Row: s.row, Column: column, Value: schemas.Shorten(value), Message: message, Hint: hint}
	if s.width > 0 && s.row > 0 {
		f.Line, _ = s.csv.FieldPos(0)
	}
	return f
}

func (s *sheet) open(content io.Reader) *Fault {
	if s.mapping.File.Encoding == "gb18030" {
		content = transform.NewReader(content, simplifiedchinese.GB18030.NewDecoder())
	}
	text, err := io.ReadAll(content)
	switch {
	case err != nil:
		return s.fault("", "", "the file cannot be read: "+err.Error(), "check file.encoding of the mapping")
	case bytes.HasPrefix(text, []byte{0xFF, 0xFE}) || bytes.HasPrefix(text, []byte{0xFE, 0xFF}):
		return s.fault("", "", "the file is UTF-16", "save it as CSV UTF-8")
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return s.fault("", "", "the file is a workbook, not CSV", "save it as CSV UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return s.fault("", "", "the file is not UTF-8", "set file.encoding: gb18030 in the mapping, or save it as CSV UTF-8")
	}
	s.csv = csv.NewReader(bytes.NewReader(text))
	s.csv.Comma, _ = utf8.DecodeRuneInString(s.mapping.File.Delimiter)
	s.csv.FieldsPerRecord = -1
	s.csv.ReuseRecord = true
	for s.row < s.mapping.File.HeaderRow {
		s.row++
		record, err := s.csv.Read()
		if err != nil {
			s.width = 0
			return s.fault("", "", "the file has no row of column names", fmt.Sprintf("row %d must name the columns (file.header_row of the mapping)", s.mapping.File.HeaderRow))
		}
		s.width = len(record)
		s.header = slices.Clone(record)
	}
	if len(s.header) > maxColumns {
		return s.fault("", "", "the file has too many columns", fmt.Sprintf("at most %d", maxColumns))
	}
	return nil
}

// locate finds the mapped columns by their names.
func (s *sheet) locate() (faults []Fault) {
	s.index = map[string]int{}
	twice := map[string]bool{}
	for i, name := range s.header {
		name = oneLine(name)
		s.header[i] = name
		if _, seen := s.index[name]; seen {
			twice[name] = true
			continue
		}
		s.index[name] = i
	}
	for _, name := range s.mapping.columnNames() {
		_, found := s.index[name]
		switch {
		case !found && len(s.header) == 1:
			return []Fault{*s.fault(name, s.header[0], "the first row has a single column", s.delimiterHint())}
		case !found:
			faults = append(faults, *s.fault(name, "", "the file has no such column", "its columns are "+schemas.Shorten(strings.Join(s.header, ", "))))
		case twice[name]:
			faults = append(faults, *s.fault(name, "", "the file has this column twice", "rename one of the two"))
		}
	}
	return faults
}

func (s *sheet) delimiterHint() string {
	for sign, name := range map[string]string{";": `";"`, "\t": "tab", "|": `"|"`, ",": `","`} {
		if sign != s.mapping.File.Delimiter && strings.Contains(s.header[0], sign) {
			return "set file.delimiter: " + name + " in the mapping"
		}
	}
	return "check file.delimiter and file.header_row of the mapping"
}

func (s *sheet) dateOfFile(on schemas.Date) *Fault {
	s.row = 0
	m := s.mapping.Snapshot
	switch {
	case m.Column != "":
		return nil
	case on != 0:
		s.on = on
	case m.fileName == nil:
		return s.fault("", "", "nothing tells the snapshot's date", "set snapshot in the mapping: a column, or file_name: YYYY-MM-DD")
	default:
		found, ok := m.fileName.parse(s.file)
		if !ok {
			return s.fault("", s.file, "the file's name has no date", "name it with a date in the form "+m.FileName)
		}
		s.on = found
	}
	if s.on > s.today {
		return s.fault("", s.on.String(), "the snapshot's date lies in the future", "")
	}
	s.row = s.mapping.File.HeaderRow
	return nil
}

// readRows reads the rows after the header.
func (s *sheet) readRows() {
	s.parsed = map[dateKey]schemas.Date{}
	s.row = s.mapping.File.HeaderRow
	for {
		record, err := s.csv.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		s.row++
		if err != nil {
			s.width = 0 // of a broken record no position is known
			var parse *csv.ParseError
			f := s.fault("", "", "the row cannot be read", "a quote inside a quoted cell is written twice")
			if errors.As(err, &parse) {
				f.Line = parse.StartLine
				if parse.Line > parse.StartLine {
					f.Message = fmt.Sprintf("a quoted cell that begins in line %d is not closed; what follows was not read", parse.StartLine)
				}
			}
			s.reading.refuse([]Fault{*f})
			continue
		}
		if s.reading.rows++; s.reading.rows > MaxRows {
			s.reading.refuse([]Fault{*s.fault("", "", fmt.Sprintf("more than %d rows; from here on nothing was read", MaxRows), "import fewer files at a time")})
			return
		}
		s.width = len(record)
		if blankRecord(record) {
			continue
		}
		if ragged := s.ragged(record); ragged != nil {
			s.reading.refuse([]Fault{*ragged})
			continue
		}
		s.readRow(record)
	}
}

// ragged refuses a row with more or fewer cells than the header: its values
// may have slipped into other columns. Empty cells at the end are as none.
func (s *sheet) ragged(record []string) *Fault {
	n := len(record)
	for n > len(s.header) && strings.TrimSpace(record[n-1]) == "" {
		n--
	}
	if n == len(s.header) {
		return nil
	}
	return s.fault("", "", fmt.Sprintf("the row has %d cells and the header %d", len(record), len(s.header)), "put a cell that contains the delimiter into quotes")
}

func blankRecord(record []string) bool {
	for _, cell := range record {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
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
