package docx

import (
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// table writes a table as wide as the type area, with a heading that is
// repeated on every page and rows that no page divides.
func (b *body) table(t *document.Table) {
	if t.Caption != "" {
		b.paragraph("Caption", "", t.Caption)
	}
	if t.Unit != "" {
		b.paragraph("Unit", "", t.Unit)
	}
	fit := fitTable(t, b.width)
	b.openTable(fit.widths, t.Caption)
	b.tableHead(t, fit)
	// A short table stays on one page, and no page has a single row of a long
	// one.
	const short = 6
	for i := range t.Rows {
		last := len(t.Rows) - 1
		b.tableRow(t, &t.Rows[i], fit, i < last && (len(t.Rows) <= short || i == 0 || i == last-1))
	}
	if len(t.Rows) == 0 {
		b.xml.raw(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
		b.tableCell(cellOf{width: sum(fit.widths), span: len(fit.widths), style: "TableText", align: "center", size: fit.size}, "无")
		b.xml.raw(`</w:tr>`)
	}
	b.closeTable()
}

// openTable begins a table; alt says what it holds.
func (b *body) openTable(widths []int, alt string) {
	b.xml.rawf(`<w:tbl><w:tblPr><w:tblStyle w:val="MilepostTable"/><w:tblW w:w="%d" w:type="dxa"/><w:jc w:val="center"/><w:tblLayout w:type="fixed"/>`+
		`<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>`, sum(widths))
	if alt != "" {
		b.xml.raw(`<w:tblCaption w:val="`)
		b.xml.text(alt)
		b.xml.raw(`"/>`)
	}
	b.xml.raw(`</w:tblPr><w:tblGrid>`)
	for _, width := range widths {
		b.xml.rawf(`<w:gridCol w:w="%d"/>`, width)
	}
	b.xml.raw(`</w:tblGrid>`)
}

// closeTable ends a table; two tables with nothing between them would become
// one.
func (b *body) closeTable() {
	b.xml.raw(`</w:tbl><w:p><w:pPr><w:pStyle w:val="SectionEnd"/><w:spacing w:line="120" w:lineRule="exact"/></w:pPr></w:p>`)
}

// cellOf says how a cell is set.
type cellOf struct {
	width, span int
	// merge is "restart" or "continue" for cells that span rows.
	merge        string
	style, align string
	// size is that of the type in half points.
	size   int
	strong bool
	fill   string
	// single keeps the cell on one line, and keep its row with the next.
	single, keep bool
}

func (b *body) tableCell(c cellOf, words string) {
	b.xml.rawf(`<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/>`, c.width)
	if c.span > 1 {
		b.xml.rawf(`<w:gridSpan w:val="%d"/>`, c.span)
	}
	if c.merge != "" {
		b.xml.rawf(`<w:vMerge w:val="%s"/>`, c.merge)
	}
	if c.fill != "" {
		b.xml.rawf(`<w:shd w:val="clear" w:color="auto" w:fill="%s"/>`, c.fill)
	}
	if c.single {
		b.xml.raw(`<w:noWrap/>`)
	}
	b.xml.rawf(`<w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr><w:pStyle w:val="%s"/>`, c.style)
	if c.keep {
		b.xml.raw(`<w:keepNext/>`)
	}
	b.xml.rawf(`<w:jc w:val="%s"/></w:pPr>`, c.align)
	if words != "" {
		b.xml.raw(`<w:r><w:rPr>`)
		if c.strong {
			b.xml.raw(`<w:b/><w:bCs/>`)
		}
		b.xml.rawf(`<w:sz w:val="%d"/><w:szCs w:val="%d"/></w:rPr><w:t xml:space="preserve">`, c.size, c.size)
		b.xml.text(words)
		b.xml.raw(`</w:t></w:r>`)
	}
	b.xml.raw(`</w:p></w:tc>`)
}

// tableHead writes the heading; a cell over two rows is merged downwards.
func (b *body) tableHead(t *document.Table, fit fitted) {
	const shade = "EDEDED"
	rows := t.Head()
	for r, cells := range rows {
		b.xml.raw(`<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>`)
		cell := func(h document.HeadCell, merge, words string) {
			b.tableCell(cellOf{width: sum(fit.widths[h.Column : h.Column+h.ColumnSpan]), span: h.ColumnSpan, merge: merge, style: "TableHead", align: "center", size: fit.size, fill: shade}, words)
		}
		next := 0
		// What the row above spans is named again in every row.
		above := func(until int) {
			for ; next < until; next++ {
				cell(document.HeadCell{Column: next, ColumnSpan: 1}, "continue", "")
			}
		}
		for _, h := range cells {
			if r > 0 {
				above(h.Column)
			}
			merge := ""
			if h.RowSpan > 1 {
				merge = "restart"
			}
			cell(h, merge, h.Text)
			next = h.Column + h.ColumnSpan
		}
		if r > 0 {
			above(len(t.Columns))
		}
		b.xml.raw(`</w:tr>`)
	}
}

func (b *body) tableRow(t *document.Table, row *document.Row, fit fitted, keep bool) {
	b.xml.raw(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
	for i, cell := range row.Cells {
		of := cellOf{width: fit.widths[i], style: "TableText", size: fit.size, strong: row.Strong, align: "left", keep: keep}
		switch t.Columns[i].Kind {
		case document.NumberColumn:
			of.align, of.single = "right", true
		case document.CodeColumn, document.DateColumn:
			of.align, of.single = "center", true
		case document.LightColumn:
			of.align, of.single, of.fill, of.strong = "center", true, lightFill(cell.Light), true
		}
		b.tableCell(of, cell.Text)
	}
	b.xml.raw(`</w:tr>`)
}

// lightFill is the ground of a light; its word or shape stands on it.
func lightFill(l schemas.Light) string {
	switch l {
	case schemas.Green:
		return "C6EFCE"
	case schemas.Yellow:
		return "FFEB9C"
	case schemas.Red:
		return "FFC7CE"
	case schemas.Grey:
		return "D9D9D9"
	}
	return ""
}

func sum(list []int) int {
	total := 0
	for _, n := range list {
		total += n
	}
	return total
}
