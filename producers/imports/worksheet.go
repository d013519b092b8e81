package imports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"milepost/schemas"
)

// worksheet reads the rows of one sheet of a workbook that have content; a
// million empty rows after the last of them are not even looked at.
type worksheet struct {
	book   *workbook
	part   io.ReadCloser
	xml    *xml.Decoder
	end    int64 // where the last cell with content ends
	merges *merges
	number int
	cells  []cell
	failed bool
}

// openSheet opens a sheet; close ends the reading.
func (b *workbook) openSheet(s sheetPart) (*worksheet, *flaw) {
	found, ok := b.surveyed[s.path]
	if !ok {
		found.end, found.merged, found.err = b.survey(s.path)
		b.surveyed[s.path] = found
	}
	if found.err != nil {
		return nil, unreadable(found.err)
	}
	part, err := b.open(s.path, maxSheetPart)
	if err != nil {
		return nil, unreadable(err)
	}
	return &worksheet{book: b, part: part, xml: xml.NewDecoder(part), end: found.end, merges: &merges{list: found.merged}}, nil
}

// survey is what is known of a sheet before its rows are read.
type survey struct {
	end    int64
	merged []merge
	err    error
}

func (w *worksheet) close() { _ = w.part.Close() } // what was read was checked as it came

// survey passes over a sheet once, without parsing its rows: it finds where the
// content ends, and the merged ranges, which a sheet lists after its rows.
func (b *workbook) survey(name string) (end int64, merged []merge, err error) {
	part, err := b.open(name, maxSheetPart)
	if err != nil {
		return 0, nil, err
	}
	defer part.Close()
	const overlap = 16
	buffer := make([]byte, 0, 1<<16)
	base := int64(0) // of the buffer's begin
	for {
		n, err := io.ReadAtLeast(part, buffer[len(buffer):cap(buffer)], 1)
		buffer = buffer[:len(buffer)+n]
		if at := rowsEnd(buffer); at >= 0 {
			if found := contentEnd(buffer[:at]); found > 0 {
				end = base + found
			}
			merged, err = readMerges(io.MultiReader(bytes.NewReader(bytes.Clone(buffer[at:])), part))
			return end, merged, err
		}
		if found := contentEnd(buffer); found > 0 {
			end = base + found
		}
		switch {
		case errors.Is(err, io.EOF):
			return end, nil, nil // a sheet without rows, or cut short: the reading tells
		case err != nil:
			return 0, nil, err
		}
		if cut := len(buffer) - overlap; cut > 0 {
			base += int64(cut)
			buffer = buffer[:copy(buffer, buffer[cut:])]
		}
	}
}

// rowsEnd finds the end of the rows: </sheetData>, with a prefix or without.
func rowsEnd(b []byte) int {
	const name = "sheetData>"
	for from := 0; ; {
		at := bytes.Index(b[from:], []byte(name))
		if at < 0 {
			return -1
		}
		at += from
		if start := bytes.LastIndexByte(b[:at], '<'); start >= 0 && b[start+1] == '/' {
			return at
		}
		from = at + len(name)
	}
}

// contentEnd finds the end of the last value, text or formula; 0 for none.
func contentEnd(b []byte) int64 {
	end := 0
	for _, closing := range []string{"v>", "is>", "f>"} {
		if i := bytes.LastIndex(b, []byte(closing)); i >= 0 {
			end = max(end, i+len(closing))
		}
	}
	return int64(end)
}

// next gives the next row with content.
func (w *worksheet) next() (record, *flaw, bool) {
	for !w.failed && w.xml.InputOffset() < w.end {
		token, err := w.xml.RawToken()
		if err != nil {
			return record{}, w.fail(err, w.number+1), true
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "row" {
			continue
		}
		w.number++
		if text := attribute(start, "r"); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < w.number || n > maxSheetRows {
				return record{}, w.fail(fmt.Errorf("row %s is out of order", schemas.Shorten(text)), w.number), true
			}
			w.number = n
		}
		if err := w.readCells(); err != nil {
			return record{}, w.fail(err, w.number), true
		}
		r := record{number: w.number, cells: w.cells}
		own := !r.blank()
		r.cells = w.merges.fill(w.number, w.cells)
		w.cells = r.cells
		if own {
			return r, nil, true
		}
	}
	return record{}, nil, false
}

// maxSheetRows is what a spreadsheet program can hold.
const maxSheetRows = 1_048_576

// fail ends the reading at a row.
func (w *worksheet) fail(err error, row int) *flaw {
	w.failed = true
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it breaks off")
	}
	wrong := unreadable(err)
	wrong.message += fmt.Sprintf("; from row %d on nothing was read", row)
	return wrong
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// readCells reads the cells up to the end of the row.
func (w *worksheet) readCells() error {
	w.cells = w.cells[:0]
	column := -1
	for {
		token, err := w.xml.RawToken()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.EndElement:
			if t.Name.Local == "row" {
				return nil
			}
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			column++
			if ref := attribute(t, "r"); ref != "" {
				column = columnOfRef(ref)
			}
			c, err := w.readCell(t)
			if err != nil {
				return err
			}
			if column < 0 || column >= maxColumns || c.text == "" && c.kind == textCell {
				continue // beyond every table, or blank
			}
			for len(w.cells) <= column {
				w.cells = append(w.cells, cell{})
			}
			w.cells[column] = c
		}
	}
}

// columnOfRef gives the column of a reference such as C7, from 0; -1 for none.
func columnOfRef(ref string) int {
	column := 0
	for i := 0; i < len(ref); i++ {
		letter := ref[i] &^ 0x20
		if letter < 'A' || letter > 'Z' || i == 3 {
			break
		}
		column = column*26 + int(letter-'A') + 1
	}
	return column - 1
}

// readCell reads value, text and formula of a cell up to its end.
func (w *worksheet) readCell(start xml.StartElement) (cell, error) {
	kind, style := attribute(start, "t"), attribute(start, "s")
	var value, inline strings.Builder
	var into *strings.Builder
	formula, stored, ruby := false, false, false
	for {
		token, err := w.xml.RawToken()
		if err != nil {
			return cell{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				into, stored = &value, true
			case "f":
				formula = true
			case "rPh":
				ruby = true
			case "t":
				if !ruby {
					into = &inline
				}
			}
		case xml.CharData:
			if into != nil && into.Len() <= maxTextRun {
				into.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v", "t":
				into = nil
			case "rPh":
				ruby = false
			case "c":
				if formula && !stored {
					return broken("", "the formula of this cell has no stored result", "open the file in Excel or WPS, save it, and send it again"), nil
				}
				return w.cellOf(kind, style, value.String(), inline.String()), nil
			}
		}
	}
}

func (w *worksheet) cellOf(kind, style, value, inline string) cell {
	switch kind {
	case "inlineStr":
		return textOf(unescape(inline))
	case "str":
		return textOf(unescape(value))
	}
	if value == "" {
		return cell{}
	}
	switch kind {
	case "s":
		i, err := strconv.Atoi(value)
		if err != nil || i < 0 || i >= len(w.book.shared) {
			return broken(schemas.Shorten(value), "the cell refers to a text that the workbook does not have", "open the file in Excel or WPS and save it again")
		}
		return textOf(w.book.shared[i])
	case "b":
		return cell{text: map[bool]string{true: "TRUE", false: "FALSE"}[value == "1"]}
	case "e":
		return failedFormula(schemas.Shorten(value))
	case "d":
		if day, err := schemas.ParseDate(value[:min(len(value), 10)]); err == nil {
			return cell{text: day.String(), kind: dateCell, day: day}
		}
		return broken(schemas.Shorten(value), "not a day from 1900 to 2299", "")
	}
	return w.numeric(style, value)
}

// numeric reads a number by its style.
func (w *worksheet) numeric(style, value string) cell {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return broken(schemas.Shorten(value), "the cell holds a number that does not read", "type it again")
	}
	shown := plainStyle
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(w.book.styles) {
		shown = w.book.styles[i]
	}
	switch shown {
	case dateStyle:
		day, ok := dayOfSerial(n, w.book.date1904)
		if !ok {
			return broken(schemas.Shorten(value), "the cell is shown as a date and is no day from 1900 to 2299", "type the date as 2026-03-05")
		}
		return cell{text: day.String(), kind: dateCell, day: day}
	case percentStyle:
		if exact, ok := parseDecimal(value); ok {
			return cell{text: strings.TrimSuffix(strings.TrimRight(exact.Mul(exact, big.NewRat(100, 1)).FloatString(10), "0"), ".") + "%", kind: percentCell}
		}
	}
	return cell{text: value, kind: numberCell}
}

// dayOfSerial gives the day of a spreadsheet's date, which counts from 1900 or
// from 1904. In the system of 1900 there is a 29 February 1900, number 60, that
// never was. A time of day without a day is none.
func dayOfSerial(n float64, since1904 bool) (schemas.Date, bool) {
	if n < 0 || n > 3_000_000 {
		return 0, false
	}
	serial := schemas.Date(math.Floor(n))
	day := schemas.NewDate(1904, 1, 1) + serial
	if !since1904 {
		if serial < 1 || serial == 60 {
			return 0, false
		}
		day = schemas.NewDate(1899, 12, 30) + serial
		if serial < 60 {
			day++
		}
	}
	return day, day >= schemas.FirstDate && day <= schemas.LastDate
}
