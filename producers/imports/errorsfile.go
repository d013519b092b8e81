package imports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Limits of an errors file. The office's own workbook is marked only when
// memory holds it with ease; of a larger one, and of CSV files, the refused
// rows are copied.
const (
	maxMarkedFile  = 4 << 20
	maxMarkedParts = 48 << 20
	maxMarks       = 2000
	maxCopiedRows  = 5000
)

// faultSheet lists what was refused.
const faultSheet = "导入问题"

// markAuthor is who comments on cells, so that a later errors file of the same
// workbook begins without the comments of the one before.
const markAuthor = "Milepost 导入"

// WriteErrorsFile writes a workbook for the office to mend: its own one with
// comments on the red cells that were refused, where there is one file and it
// is a workbook; else the refused rows of every file. A sheet lists all faults.
func WriteErrorsFile(w io.Writer, m *Mapping, files []File, faults []Fault) error {
	if len(files) == 1 && markable(files[0].Text) {
		if book, err := excelize.OpenReader(bytes.NewReader(files[0].Text), excelize.Options{UnzipSizeLimit: maxMarkedParts, UnzipXMLSizeLimit: maxMarkedParts}); err == nil {
			defer book.Close()
			if err := (&marker{file: book, words: newFaultWords()}).markAll(faults); err == nil {
				return book.Write(w)
			}
		}
	}
	return copyRefused(w, m, files, faults)
}

func markable(raw []byte) bool {
	if !isWorkbook(raw) || len(raw) > maxMarkedFile {
		return false
	}
	b, wrong := openWorkbook(raw)
	if wrong != nil {
		return false
	}
	total := uint64(0)
	for _, part := range b.parts {
		total += part.UncompressedSize64
	}
	return total <= maxMarkedParts
}

// marker comments on cells of a workbook.
type marker struct {
	file   *excelize.File
	styles map[int]int                  // the red one of each style
	notes  map[string]map[string]string // by sheet and cell: what the office itself had noted
	words  *faultWords
}

func (k *marker) markAll(faults []Fault) error {
	k.styles, k.notes = map[int]int{}, map[string]map[string]string{}
	if err := k.clear(); err != nil {
		return err
	}
	for _, place := range grouped(faults, k.words) {
		if err := k.mark(place); err != nil {
			return err
		}
	}
	return writeFaults(k.file, faults, k.words)
}

// clear takes away what an errors file of before has left, and reads the notes
// of the office.
func (k *marker) clear() error {
	if i, err := k.file.GetSheetIndex(faultSheet); err == nil && i >= 0 {
		if err := k.file.DeleteSheet(faultSheet); err != nil {
			return err
		}
	}
	for _, sheet := range k.file.GetSheetList() {
		comments, err := k.file.GetComments(sheet)
		if err != nil {
			return err
		}
		k.notes[sheet] = map[string]string{}
		for _, c := range comments {
			if c.Author != markAuthor {
				k.notes[sheet][c.Cell] = noteText(c)
				continue
			}
			if err := k.file.DeleteComment(sheet, c.Cell); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteText gives the words of a comment, without their looks.
func noteText(c excelize.Comment) string {
	text := c.Text
	for _, run := range c.Paragraph {
		text += run.Text
	}
	return text
}

// marked is a cell and what is wrong with it.
type marked struct {
	sheet, cell string
	lines       []string
}

// grouped gathers the faults of each cell; one of a whole row goes to its first
// cell.
func grouped(faults []Fault, words *faultWords) []*marked {
	var list []*marked
	at := map[string]*marked{}
	for i := range faults {
		f := &faults[i]
		cell := f.Cell
		if cell == "" && f.Row > 0 {
			cell = cellName(0, f.Row)
		}
		if cell == "" || f.Sheet == "" {
			continue
		}
		place := at[f.Sheet+"!"+cell]
		if place == nil {
			if len(list) == maxMarks {
				return list
			}
			place = &marked{sheet: f.Sheet, cell: cell}
			at[f.Sheet+"!"+cell] = place
			list = append(list, place)
		}
		place.lines = append(place.lines, words.text(f))
	}
	return list
}

func (k *marker) mark(m *marked) error {
	style, err := k.file.GetCellStyle(m.sheet, m.cell)
	if err != nil {
		return err
	}
	red, ok := k.styles[style]
	if !ok {
		look, err := k.file.GetStyle(style)
		if err != nil {
			return err
		}
		look.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFC7CE"}}
		if red, err = k.file.NewStyle(look); err != nil {
			return err
		}
		k.styles[style] = red
	}
	if err := k.file.SetCellStyle(m.sheet, m.cell, m.cell, red); err != nil {
		return err
	}
	if note := k.notes[m.sheet][m.cell]; note != "" {
		m.lines = append(m.lines, note)
		if err := k.file.DeleteComment(m.sheet, m.cell); err != nil {
			return err
		}
	}
	return comment(k.file, m)
}

func comment(file *excelize.File, m *marked) error {
	text := strings.Join(m.lines, "\n")
	return file.AddComment(m.sheet, excelize.Comment{
		Cell: m.cell, Author: markAuthor, Width: 320, Height: uint(40 + 18*(1+len([]rune(text))/24)),
		Paragraph: []excelize.RichTextRun{{Text: text, Font: &excelize.Font{Family: bodyFont, Size: 10}}},
	})
}

// writeFaults adds the sheet that lists all faults, as texts.
func writeFaults(file *excelize.File, faults []Fault, words *faultWords) error {
	if _, err := file.NewSheet(faultSheet); err != nil {
		return err
	}
	format := "@"
	text, err := file.NewStyle(&excelize.Style{CustomNumFmt: &format, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	if err != nil {
		return err
	}
	head, err := file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true, Color: "FFFFFF"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{dark}}})
	if err != nil {
		return err
	}
	w, err := file.NewStreamWriter(faultSheet)
	if err != nil {
		return err
	}
	for i, width := range []float64{24, 12, 10, 8, 22, 24, 50, 50} {
		if err := w.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	row := func(n, style int, words ...string) error {
		cells := make([]any, len(words))
		for i, word := range words {
			cells[i] = excelize.Cell{StyleID: style, Value: word}
		}
		return w.SetRow(cellName(0, n), cells)
	}
	if err := row(1, head, "文件", "工作表", "单元格", "行", "列", "内容", "问题", "办法"); err != nil {
		return err
	}
	for i := range faults {
		f := &faults[i]
		number := ""
		if f.Row > 0 {
			number = fmt.Sprint(f.Row)
		}
		problem, remedy := words.say(f)
		if err := row(i+2, text, f.File, f.Sheet, f.Cell, number, f.Column, f.Value, problem, remedy); err != nil {
			return err
		}
	}
	return w.Flush()
}
