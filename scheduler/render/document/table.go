package document

import "milepost/schemas"

// Table is a table with one or two rows of header that are repeated on every
// page.
type Table struct {
	// Key names the table for machines, unique in its document: rankings.county.
	Key string
	// Caption is printed above; may be empty.
	Caption string
	// Unit is printed above at the right: 单位：万元; may be empty.
	Unit    string
	Columns []Column
	Rows    []Row
	// Cards lets a narrow screen show each row as a card instead of a line.
	Cards bool
}

// Column is a column of a table. Neighbours with the same Group stand under one
// header cell with that text, their names below.
type Column struct {
	Name  string
	Group string
	Kind  ColumnKind
	// Width is what the column wants, in characters of Chinese; columns share
	// the line in these proportions.
	Width float64
}

// ColumnKind says how the cells of a column are set.
type ColumnKind uint8

// The kinds of columns.
const (
	WordColumn   ColumnKind = iota // at the left, may be broken
	NumberColumn                   // at the right, on one line
	CodeColumn                     // an id or a short word in the middle, on one line
	DateColumn                     // a day, in the middle, on one line
	LightColumn                    // 亮灯, in the middle, on one line
)

// Row is a line of a table.
type Row struct {
	Cells []Cell
	// Strong marks a sum or the like.
	Strong bool
}

// Cell is a cell of a table. Text is what is printed. What it stands for is
// given beside it, for spreadsheets.
type Cell struct {
	Text string
	// Figure is the path of the model's value that the cell prints; may be empty.
	Figure string
	// Light colours the cell of a LightColumn; empty elsewhere.
	Light schemas.Light
	// Value is the number or the day that Text prints: *schemas.Figure,
	// schemas.Money, int or schemas.Date; nil for words and what is not known.
	Value any
	// Percent tells that Value is in per cent.
	Percent bool
}

// Grouped tells whether the table has two rows of header.
func (t *Table) Grouped() bool {
	for _, c := range t.Columns {
		if c.Group != "" {
			return true
		}
	}
	return false
}

// HeadCell is a cell of the header.
type HeadCell struct {
	Text                string
	Column              int // the first column below it
	ColumnSpan, RowSpan int
}

// Head gives the header, row by row.
func (t *Table) Head() [][]HeadCell {
	if !t.Grouped() {
		row := make([]HeadCell, len(t.Columns))
		for i, c := range t.Columns {
			row[i] = HeadCell{Text: c.Name, Column: i, ColumnSpan: 1, RowSpan: 1}
		}
		return [][]HeadCell{row}
	}
	var upper, lower []HeadCell
	for i := 0; i < len(t.Columns); {
		c := t.Columns[i]
		if c.Group == "" {
			upper = append(upper, HeadCell{Text: c.Name, Column: i, ColumnSpan: 1, RowSpan: 2})
			i++
			continue
		}
		first := i
		for i < len(t.Columns) && t.Columns[i].Group == c.Group {
			lower = append(lower, HeadCell{Text: t.Columns[i].Name, Column: i, ColumnSpan: 1, RowSpan: 1})
			i++
		}
		upper = append(upper, HeadCell{Text: c.Group, Column: first, ColumnSpan: i - first, RowSpan: 1})
	}
	return [][]HeadCell{upper, lower}
}
