package imports

import (
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// copyRefused writes a workbook of the refused rows: a sheet for each file.
func copyRefused(w io.Writer, m *Mapping, files []File, faults []Fault) error {
	book := excelize.NewFile()
	defer book.Close()
	c := &copier{file: book, mapping: m, words: newFaultWords()}
	if err := c.prepare(); err != nil {
		return err
	}
	for i, f := range files {
		var own []Fault
		for _, fault := range faults {
			if fault.File == f.Name && fault.Row > 0 {
				own = append(own, fault)
			}
		}
		if len(own) > 0 {
			if err := c.copy(f, fmt.Sprintf("文件%d", i+1), own); err != nil {
				return err
			}
		}
	}
	if err := writeFaults(book, faults, c.words); err != nil {
		return err
	}
	if err := book.DeleteSheet("Sheet1"); err != nil {
		return err
	}
	return book.Write(w)
}

// copier copies refused rows into a new workbook.
type copier struct {
	file      *excelize.File
	mapping   *Mapping
	text, red int
	words     *faultWords
}

func (c *copier) prepare() (err error) {
	format := "@"
	if c.text, err = c.file.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
		return err
	}
	c.red, err = c.file.NewStyle(&excelize.Style{CustomNumFmt: &format, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFC7CE"}}})
	return err
}

// source opens the sheet of a file that has the faults, and its header.
func (c *copier) source(f File, sheet string) (rowSource, headerWish, func()) {
	wish := c.mapping.headerWish()
	if !isWorkbook(f.Text) {
		source, wrong := openCSV(f.Text, &c.mapping.File, wish.columns)
		if wrong != nil {
			return nil, wish, nil
		}
		return source, wish, func() {}
	}
	book, wrong := openWorkbook(f.Text)
	if wrong != nil {
		return nil, wish, nil
	}
	for _, part := range book.sheets {
		if part.name != sheet {
			continue
		}
		if i := c.mapping.Issues; i != nil && i.Sheet == sheet {
			wish = i.headerWish()
		}
		if rows, wrong := book.openSheet(part); wrong == nil {
			return rows, wish, rows.close
		}
	}
	return nil, wish, nil
}

// copy copies the header and the refused rows of each sheet of a file.
func (c *copier) copy(f File, name string, faults []Fault) error {
	var sheets []string
	byRow := map[string]map[int][]Fault{}
	for _, fault := range faults {
		if byRow[fault.Sheet] == nil {
			byRow[fault.Sheet] = map[int][]Fault{}
			sheets = append(sheets, fault.Sheet)
		}
		byRow[fault.Sheet][fault.Row] = append(byRow[fault.Sheet][fault.Row], fault)
	}
	for _, sheet := range sheets {
		source, wish, done := c.source(f, sheet)
		if source == nil {
			continue // the list of faults says why it cannot be read
		}
		err := c.copyRows(source, wish, strings.TrimSuffix(name+" "+sheet, " "), byRow[sheet])
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) copyRows(source rowSource, wish headerWish, name string, faults map[int][]Fault) error {
	h, rest, wrong := findHeader(source, wish)
	if wrong != nil {
		return nil
	}
	h.locate(wish, func(string, string, string, string) {})
	if runes := []rune(name); len(runes) > excelize.MaxSheetNameLength {
		name = string(runes[:excelize.MaxSheetNameLength])
	}
	if _, err := c.file.NewSheet(name); err != nil {
		return err
	}
	if err := c.row(name, 1, "原行号", h.names); err != nil {
		return err
	}
	written := 1
	take := func(r record) error {
		own := faults[r.number]
		if len(own) == 0 || written > maxCopiedRows {
			return nil
		}
		written++
		words := make([]string, len(r.cells))
		for i := range r.cells {
			words[i] = r.cells[i].text
		}
		if err := c.row(name, written, fmt.Sprint(r.number), words); err != nil {
			return err
		}
		return c.mark(name, written, h, own)
	}
	for _, r := range rest {
		if err := take(r.record); err != nil {
			return err
		}
	}
	for {
		r, _, more := source.next()
		if !more {
			return nil
		}
		if err := take(r); err != nil {
			return err
		}
	}
}

// row writes a row of texts behind the number that it has in the file.
func (c *copier) row(sheet string, row int, number string, words []string) error {
	for i, word := range append([]string{number}, words...) {
		cell := cellName(i, row)
		if err := c.file.SetCellStr(sheet, cell, word); err != nil {
			return err
		}
		if err := c.file.SetCellStyle(sheet, cell, cell, c.text); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) mark(sheet string, row int, h *head, faults []Fault) error {
	at := map[string]*marked{}
	for i := range faults {
		column := -1
		if k, ok := h.index[faults[i].Column]; ok {
			column = k
		}
		cell := cellName(column+1, row)
		if at[cell] == nil {
			at[cell] = &marked{sheet: sheet, cell: cell}
			if err := c.file.SetCellStyle(sheet, cell, cell, c.red); err != nil {
				return err
			}
		}
		at[cell].lines = append(at[cell].lines, c.words.text(&faults[i]))
	}
	if row > maxMarks {
		return nil // the list of faults has them all
	}
	for _, m := range at {
		if err := comment(c.file, m); err != nil {
			return err
		}
	}
	return nil
}
