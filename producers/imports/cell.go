package imports

import (
	"strings"

	"milepost/schemas"
)

// cellKind is what a cell is to the program that wrote the sheet.
type cellKind uint8

const (
	textCell    cellKind = iota // words, as typed; every cell of a CSV file
	numberCell                  // a number of a workbook that has no other form
	percentCell                 // a number shown as percent: its text ends with "%"
	dateCell                    // a real date
	brokenCell                  // nothing that could be read; flaw and remedy say why
)

// cell is what a sheet holds in one place.
type cell struct {
	text string
	kind cellKind
	day  schemas.Date // of a date cell
	// spread tells that the value stands for several cells: the cell is merged
	// over several rows, or is not the first of its range.
	spread       bool
	flaw, remedy string
}

// maxCellText is the most that a spreadsheet program keeps in one cell.
const maxCellText = 32767

// broken makes a cell that is refused where it is needed.
func broken(text, flaw, remedy string) cell {
	return cell{text: text, kind: brokenCell, flaw: flaw, remedy: remedy}
}

// formulaErrors are the values of formulas that failed. A file in CSV has them
// as words.
var formulaErrors = []string{"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"}

func isFormulaError(text string) bool {
	if !strings.HasPrefix(text, "#") {
		return false
	}
	for _, e := range formulaErrors {
		if text == e {
			return true
		}
	}
	return false
}

func failedFormula(text string) cell {
	return broken(text, "the formula of this cell has failed", "mend the formula, or type the value")
}

// textOf makes the cell of a text, which may be a formula's error or too long.
func textOf(text string) cell {
	if len(text) > maxCellText {
		if n := len([]rune(text)); n > maxCellText {
			return broken(schemas.Shorten(text), "the cell has more than 32,767 characters", "shorten it")
		}
	}
	if isFormulaError(text) {
		return failedFormula(text)
	}
	return cell{text: text}
}

// narrow writes full-width digits, letters and signs (as Chinese input methods
// make them) in their ordinary form: 1.5 is 1.5.
func narrow(s string) string {
	if strings.IndexFunc(s, isWide) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == 0x3000:
			return ' '
		case r == '。':
			return '.'
		case isWide(r):
			return r - 0xFEE0
		}
		return r
	}, s)
}

func isWide(r rune) bool { return r >= 0xFF01 && r <= 0xFF5E || r == 0x3000 || r == '。' }

// record is one row of a sheet.
type record struct {
	// number is the row as a spreadsheet counts, line the line of a CSV file.
	number, line int
	cells        []cell
}

// at gives a cell, blank beyond the row's end.
func (r *record) at(i int) cell {
	if i < 0 || i >= len(r.cells) {
		return cell{}
	}
	return r.cells[i]
}

func (r *record) blank() bool {
	for i := range r.cells {
		if strings.TrimSpace(r.cells[i].text) != "" {
			return false
		}
	}
	return true
}

// rowSource gives the rows of one sheet, from the top.
type rowSource interface {
	// next gives the next row, or what is wrong with it; false at the end. The
	// cells hold until the next call.
	next() (record, *flaw, bool)
}

// flaw is what is wrong with a file, a sheet or a row as a whole.
type flaw struct {
	line          int
	message, hint string
}

// Error gives message and hint.
func (f *flaw) Error() string { return f.message + "; " + f.hint }
