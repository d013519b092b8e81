package imports

import (
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"

	"milepost/schemas"
)

// Mapping says what the columns of a spreadsheet mean. Zero values are "not
// mapped". It is read from YAML by ParseMapping.
type Mapping struct {
	// Source is the CloudEvents source of every event of the import; it must
	// stay the same from one import to the next.
	Source string `yaml:"source"`
	// Sender is the district code of the office that answers for the sheet,
	// or "city".
	Sender string `yaml:"sender"`
	// File is how the file is written.
	File FileFormat `yaml:"file"`
	// Dates are the layouts of all date columns that name none of their own.
	Dates []string `yaml:"dates"`
	// Snapshot says where the date of a row's snapshot stands.
	Snapshot SnapshotDate `yaml:"snapshot"`
	Project  ProjectID    `yaml:"project"`

	Name            *Cell      `yaml:"name"`
	Enterprise      *Cell      `yaml:"enterprise"`
	Industry        *Cell      `yaml:"industry"`
	Tags            *Cell      `yaml:"tags"`
	TotalInvestment *Cell      `yaml:"total_investment"`
	AnnualPlan      []YearCell `yaml:"annual_plan"`
	District        *Cell      `yaml:"district"`
	RegisteredOn    *Cell      `yaml:"registered_on"`
	Lead            *Cell      `yaml:"lead"`
	Department      *Cell      `yaml:"department"`
	Milestones      Milestones `yaml:"milestones"`
	Progress        *Progress  `yaml:"progress"`
	// Issues is the sheet of problems (问题) beside the ledger, in a workbook.
	Issues *IssueSheet `yaml:"issues"`
	// Optional lists the columns that a file may lack.
	Optional []string `yaml:"optional"`

	dates     []*layout
	blank     map[string]bool
	districts map[string]string // codes by code and by name
}

// FileFormat is how a file is written.
type FileFormat struct {
	// Sheet of a workbook; by default the first one that has the columns.
	Sheet string `yaml:"sheet"`
	// Encoding of a CSV file: utf-8 or gb18030. By default UTF-8, UTF-16 with a
	// byte order mark, or GB18030 where Chinese column names prove it.
	Encoding   string   `yaml:"encoding"`
	Delimiter  string   `yaml:"delimiter"`   // one sign, tab or auto; default ","
	HeaderRow  int      `yaml:"header_row"`  // the row that names the columns; by default it is found
	HeaderRows int      `yaml:"header_rows"` // how many rows, up to that one, name them together: 落地/计划日期
	Blank      []string `yaml:"blank"`       // cells that say as much as an empty one
}

// SnapshotDate is a column; or a labelled cell over the column names, else a
// date in the file's name, else today.
type SnapshotDate struct {
	Column   string   `yaml:"column"`
	Layouts  []string `yaml:"layouts"`
	Label    string   `yaml:"label"`     // the date stands to its right
	FileName string   `yaml:"file_name"` // the form of the date
	Today    bool     `yaml:"today"`     // where nothing else tells, with a warning

	layouts  []*layout
	fileName *layout
}

// ProjectID makes a project's id out of a column.
type ProjectID struct {
	Column string            `yaml:"column"`
	Prefix string            `yaml:"prefix"`
	Values map[string]string `yaml:"values"`
}

// Cell is where a value stands and how it is read.
type Cell struct {
	Column   string            `yaml:"column"`
	OrColumn string            `yaml:"or_column"` // used where the first is blank
	Values   map[string]string `yaml:"values"`    // other words, misspellings
	Several  *Several          `yaml:"several"`
	Default  string            `yaml:"default"`  // as long as no row said anything
	OnError  string            `yaml:"on_error"` // refuse (default) the row, or warn and read the cell as blank
	// Separator divides the tags of a cell, by default ",".
	Separator string `yaml:"separator"`
	// Layouts are those of a date column.
	Layouts []string `yaml:"layouts"`
	// MultiplyBy and DivideBy turn an amount into 万元.
	MultiplyBy string `yaml:"multiply_by"`
	DivideBy   string `yaml:"divide_by"`
	// Approved tells that the plans of the column are approved ones. An office
	// approves nothing but by its registration: a later date in its column is
	// sent as a plan that nobody has approved.
	Approved bool `yaml:"approved"`
	// PercentOfPlan lets a percentage stand for that part of the year's plan.
	PercentOfPlan bool `yaml:"percent_of_plan"`

	layouts []*layout
	scale   *big.Rat
}

// Several says what a cell with several different values means.
type Several struct {
	Separator string `yaml:"separator"`
	Becomes   string `yaml:"becomes"` // this value
	Take      string `yaml:"take"`    // first
}

// YearCell is where an annual plan stands: that of a year, or of the year of
// the snapshot's date.
type YearCell struct {
	Year string `yaml:"year"` // 2026, or snapshot
	Cell

	year int // 0: the snapshot's
}

// Milestones are the columns about the three.
type Milestones struct {
	Landed    *MilestoneColumns `yaml:"landed"`
	Started   *MilestoneColumns `yaml:"started"`
	Producing *MilestoneColumns `yaml:"producing"`
}

// MilestoneColumns say when a milestone is planned and when it is reached.
type MilestoneColumns struct {
	Planned []*Cell  `yaml:"planned"`
	Reached *Reached `yaml:"reached"`
}

// Reached is a date column, or the words of a column that mean "reached":
// then the date is that of the first snapshot that says so.
type Reached struct {
	Date *Cell `yaml:"date"`
	When *When `yaml:"when"`
}

// When is a column and the words in it that mean "reached". Order lists its
// words from first to last, so that a step back is noticed.
type When struct {
	Column string   `yaml:"column"`
	In     []string `yaml:"in"`
	Order  []string `yaml:"order"`
}

// Progress are the columns of the monthly report.
type Progress struct {
	InvestedYTD *Cell  `yaml:"invested_ytd"`
	Note        *Cell  `yaml:"note"`
	Month       string `yaml:"month"` // snapshot (default), or previous: the month before the snapshot's
}

// of gives the columns of a milestone, never nil.
func (m *Milestones) of(milestone schemas.Milestone) *MilestoneColumns {
	columns := [...]*MilestoneColumns{m.Landed, m.Started, m.Producing}[milestone]
	if columns == nil {
		return &MilestoneColumns{}
	}
	return columns
}

// IssueSheet is a sheet of problems with a deadline, and what its columns mean.
type IssueSheet struct {
	Sheet      string `yaml:"sheet"`
	Project    string `yaml:"project"` // column of the project's id
	ID         string `yaml:"id"`      // column that tells a project's issues apart
	Title      *Cell  `yaml:"title"`
	Category   *Cell  `yaml:"category"`
	Department *Cell  `yaml:"department"`
	RaisedOn   *Cell  `yaml:"raised_on"`
	DueOn      *Cell  `yaml:"due_on"`
	ResolvedOn *Cell  `yaml:"resolved_on"`
	Resolution *Cell  `yaml:"resolution"`
}

// headerWish is what the table of projects must have.
func (m *Mapping) headerWish() headerWish {
	w := headerWish{columns: m.columnNames(), row: m.File.HeaderRow, rows: m.File.HeaderRows, optional: map[string]bool{}}
	for _, name := range m.Optional {
		w.optional[name] = true
	}
	return w
}

// headerWish is what the table of issues must have.
func (i *IssueSheet) headerWish() headerWish {
	columns := []string{i.Project, i.ID}
	for _, c := range []*Cell{i.Title, i.Category, i.Department, i.RaisedOn, i.DueOn, i.ResolvedOn, i.Resolution} {
		if c != nil && c.Column != "" {
			columns = append(columns, c.Column)
		}
	}
	return headerWish{columns: columns}
}

// columnNames lists the columns that the mapping reads, each once.
func (m *Mapping) columnNames() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	cell := func(c *Cell) {
		if c != nil {
			add(c.Column)
			add(c.OrColumn)
		}
	}
	add(m.Snapshot.Column)
	add(m.Project.Column)
	for _, c := range []*Cell{m.Name, m.Enterprise, m.Industry, m.Tags, m.TotalInvestment, m.District, m.RegisteredOn, m.Lead, m.Department} {
		cell(c)
	}
	for i := range m.AnnualPlan {
		cell(&m.AnnualPlan[i].Cell)
	}
	for _, milestone := range schemas.Milestones() {
		columns := m.Milestones.of(milestone)
		for _, c := range columns.Planned {
			cell(c)
		}
		if r := columns.Reached; r != nil {
			cell(r.Date)
			if r.When != nil {
				add(r.When.Column)
			}
		}
	}
	if m.Progress != nil {
		cell(m.Progress.InvestedYTD)
		cell(m.Progress.Note)
	}
	return names
}

// MaxMappingBytes bounds a mapping.
const MaxMappingBytes = 1 << 20

// ParseMapping reads a mapping and checks it against the rules (districts).
// The error, of code Invalid, tells everything that is wrong, with lines.
func ParseMapping(text []byte, rules *schemas.Rules) (*Mapping, error) {
	if len(text) > MaxMappingBytes {
		return nil, &schemas.Error{Code: schemas.TooLarge, Message: "the mapping is larger than 1 MiB"}
	}
	m := &Mapping{}
	d := decodeYAML(text, m)
	if len(d.faults) == 0 {
		m.check(d, rules)
	}
	if len(d.faults) == 0 {
		return m, nil
	}
	sort.SliceStable(d.faults, func(i, k int) bool { return d.faults[i].line < d.faults[k].line })
	var b strings.Builder
	fmt.Fprintf(&b, "the mapping has %d faults", len(d.faults))
	if len(d.faults) == 1 {
		b.Reset()
		b.WriteString("the mapping has a fault")
	}
	for i, f := range d.faults {
		if i == maxFaults {
			b.WriteString("\n  …")
			break
		}
		b.WriteString("\n  ")
		if f.line > 0 {
			fmt.Fprintf(&b, "line %d: ", f.line)
		}
		if f.path != "" {
			fmt.Fprintf(&b, "%s: ", schemas.Shorten(f.path))
		}
		b.WriteString(f.message)
	}
	return nil, &schemas.Error{Code: schemas.Invalid, Message: b.String(), Field: "mapping"}
}

// maxFaults is how many faults of a mapping are told.
const maxFaults = 50
