package xlsx

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

// write streams the cells of the sheet.
func (b *workbook) write(s *sheet, name string, places []place) error {
	stream, err := b.file.NewStreamWriter(name)
	if err != nil {
		return err
	}
	widths := s.widths()
	for i, width := range widths {
		if err := stream.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	if len(places) == 1 {
		if err := freeze(stream, s.frozen, places[0].heading); err != nil {
			return err
		}
	}
	w := writer{stream: stream, styles: b.styles}
	w.row([]any{excelize.Cell{StyleID: b.styles.title, Value: s.name + "　" + b.title}}, 27)
	w.row([]any{excelize.Cell{StyleID: b.styles.note, Value: b.facts}}, 0)
	for _, note := range s.notes {
		w.row([]any{excelize.Cell{StyleID: b.styles.note, Value: note}}, 0)
	}
	for i := range s.blocks {
		w.block(&s.blocks[i], widths)
		if len(s.blocks) > 1 {
			w.row(nil, 0)
		}
	}
	if s.charts != nil {
		// A program may think another height usual; the charts cover rows.
		w.row(nil, chartRow)
		for _, c := range s.charts(places) {
			for range c.rows() {
				w.row(nil, chartRow)
			}
		}
	}
	if w.failed != nil {
		return w.failed
	}
	return stream.Flush()
}

// widths are those of the columns over all tables of the sheet.
func (s *sheet) widths() []float64 {
	var wide []float64
	for i := range s.blocks {
		for c, width := range s.blocks[i].table.widths() {
			if c == len(wide) {
				wide = append(wide, width)
			}
			wide[c] = max(wide[c], width)
		}
	}
	return wide
}

func freeze(stream *excelize.StreamWriter, columns, rows int) error {
	pane, corner := "bottomLeft", fmt.Sprintf("%s%d", letters(columns+1), rows+1)
	if columns > 0 {
		pane = "bottomRight"
	}
	return stream.SetPanes(&excelize.Panes{Freeze: true, XSplit: columns, YSplit: rows, TopLeftCell: corner, ActivePane: pane,
		Selection: []excelize.Selection{{SQRef: corner, ActiveCell: corner, Pane: pane}}})
}

// writer writes rows one after another and keeps the first error.
type writer struct {
	stream *excelize.StreamWriter
	styles *styles
	n      int
	failed error
}

func (w *writer) row(cells []any, height float64) {
	if w.n++; w.failed != nil {
		return
	}
	w.failed = w.stream.SetRow(fmt.Sprintf("A%d", w.n), cells, excelize.RowOpts{Height: height})
}

func (w *writer) block(b *block, widths []float64) {
	if b.title != "" {
		w.row([]any{excelize.Cell{StyleID: w.styles.block, Value: b.title}}, 21)
	}
	t := &b.table
	cells := make([]any, len(t.columns))
	if t.sum != nil {
		for i, v := range t.sum {
			cells[i] = cell(v, t.columns[i].kind, &w.styles.strong)
		}
		w.row(cells, 0)
	}
	lines := 1
	for i, c := range t.columns {
		cells[i] = excelize.Cell{StyleID: w.styles.heading, Value: c.name}
		// The button of the filter takes the width of two figures.
		lines = max(lines, linesIn(c.name, widths[i]-2))
	}
	w.row(cells, float64(max(lines, 2))*lineHeight)
	if t.size == 0 {
		for i, c := range t.columns {
			cells[i] = excelize.Cell{StyleID: w.styles.cell[c.kind]}
		}
		cells[0] = excelize.Cell{StyleID: w.styles.cell[code], Value: "无"}
		w.row(cells, 0)
		return
	}
	for row := range t.rows {
		for i, v := range row {
			cells[i] = cell(v, t.columns[i].kind, &w.styles.cell)
		}
		if w.row(cells, height(row, t.columns, widths)); w.failed != nil {
			return
		}
	}
}
