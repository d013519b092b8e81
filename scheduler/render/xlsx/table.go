package xlsx

import (
	"iter"
	"strings"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// column is a column of a table. Its name is unique in the table, so that it
// can become a field of a pivot table.
type column struct {
	name string
	kind kind
	// least and most bound its width, in digits; 0 for the usual.
	least, most float64
}

// table is a list with a heading. A row has a value for each column: string,
// int, uint64, schemas.Money, schemas.Date, their pointers, *schemas.Figure, formula,
// or nil for an empty cell.
type table struct {
	columns []column
	// size is the number of rows.
	size int
	rows iter.Seq[[]any]
	// sum is a row of formulas above the heading; may be nil.
	sum []any
	// wide tells that the widths are known without reading the rows.
	wide bool
}

// formula is an Excel formula with the value that it has now: a float64 or a
// string.
type formula struct {
	text  string
	value any
}

// as is a value of another kind than its column's.
type as struct {
	kind  kind
	value any
}

// rowsOf makes the rows of a list.
func rowsOf[T any](list []T, row func(i int, item *T) []any) (int, iter.Seq[[]any]) {
	return len(list), func(yield func([]any) bool) {
		for i := range list {
			if !yield(row(i, &list[i])) {
				return
			}
		}
	}
}

// excelDay is the serial number of 1970-01-01 in a workbook. Days before March
// 1900 are text: the format counts a 29 February 1900 that never was.
const excelDay = 25569

func firstExcelDay() schemas.Date { return schemas.NewDate(1900, 3, 1) }

// value turns what a row holds into what a cell holds.
func value(v any, k kind) any {
	switch v := v.(type) {
	case *string:
		return optional(v)
	case *int:
		if v == nil {
			return unknown
		}
		return *v
	case schemas.Money:
		return moneyNumber(v)
	case *schemas.Money:
		if v == nil {
			return unknown
		}
		return moneyNumber(*v)
	case *schemas.Figure:
		if v == nil {
			return unknown
		}
		if k == percent {
			return (&schemas.Figure{Units: v.Units, Decimals: v.Decimals + 2}).Float()
		}
		return v.Float()
	case schemas.Date:
		switch {
		case v == 0:
			return unknown
		case v < firstExcelDay():
			return v.String()
		}
		return int(v.UnixDays()) + excelDay
	}
	return v
}

// moneyNumber is the nearest binary number, whose shortest form is the amount
// as it stands in the model.
func moneyNumber(m schemas.Money) float64 {
	return (&schemas.Figure{Units: int64(m), Decimals: 2}).Float()
}

// cell gives the cell of a value in the style of its kind.
func cell(v any, k kind, styles *[kinds]int) any {
	if other, ok := v.(as); ok {
		v, k = other.value, other.kind
	}
	style := styles[k]
	if v == nil {
		return excelize.Cell{StyleID: style}
	}
	if f, ok := v.(formula); ok {
		return excelize.Cell{StyleID: style, Formula: f.text, Value: f.value}
	}
	return excelize.Cell{StyleID: style, Value: value(v, k)}
}

// usualWidth are the least and the greatest width of a column by kind.
func usualWidth(k kind) (least, most float64) {
	switch k {
	case words:
		return 8, 36
	case code:
		return 8, 24
	case money:
		return 14, 20
	case day:
		return 12, 12
	case points, share, distance, percent:
		return 9, 12
	case count, change:
		return 7, 12
	}
	return 8, 12
}

// widths gives the width of each column: as wide as its widest text, within
// bounds. Headings may be broken once.
func (t *table) widths() []float64 {
	wide := make([]float64, len(t.columns))
	most := make([]float64, len(t.columns))
	for i, c := range t.columns {
		least, greatest := usualWidth(c.kind)
		if c.least > 0 {
			least = c.least
		}
		if c.most > 0 {
			greatest = c.most
		}
		most[i] = max(greatest, least)
		// Half a heading, and the button of the filter.
		wide[i] = min(max(least, displayWidth(c.name)/2+3), most[i])
	}
	if t.wide {
		return wide
	}
	for row := range t.rows {
		for i, v := range row {
			beside := 2.0
			if t.columns[i].kind == words {
				beside += indent
			}
			switch text := v.(type) {
			case string:
				wide[i] = min(max(wide[i], displayWidth(text)+beside), most[i])
			case *string:
				wide[i] = min(max(wide[i], displayWidth(optional(text))+beside), most[i])
			case schemas.Money:
				// Groups of three figures.
				wide[i] = min(max(wide[i], float64(len(text.String()))*4/3+5), most[i])
			}
		}
	}
	return wide
}

const lineHeight = 15.0

// indent is how far words stand from the edge of a cell, in digits: a number may
// stand on its other side.
const indent = 1.5

// height gives the height of a row, or 0 for the usual.
func height(row []any, columns []column, widths []float64) float64 {
	lines := 1
	for i, v := range row {
		if i >= len(columns) || columns[i].kind != words {
			continue
		}
		switch text := v.(type) {
		case string:
			lines = max(lines, quickLines(text, widths[i]-indent))
		case *string:
			lines = max(lines, quickLines(optional(text), widths[i]-indent))
		}
	}
	if lines == 1 {
		return 0
	}
	return min(float64(lines)*lineHeight, excelize.MaxRowHeight)
}

// quickLines is linesIn for texts that mostly take one line.
func quickLines(s string, width float64) int {
	if float64(len(s)) <= width-1 && !strings.Contains(s, "\n") {
		return 1
	}
	return linesIn(s, width)
}
