package docx

import (
	"fmt"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// lights writes a table of lights: shape, number and ground say the same.
func (b *body) lights(c *document.Chart) {
	const size = 21
	label := 6.0
	for _, row := range c.Matrix {
		label = max(label, textEms(row.Label))
	}
	widths := gridWidths(b.width, int(min(label+1, 14)*size/2*twipsPerPoint), len(c.Columns))
	b.openTable(widths, c.Title)
	b.gridHead(widths, append([]string{""}, c.Columns...), size)
	for _, row := range c.Matrix {
		b.xml.raw(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
		b.tableCell(cellOf{width: widths[0], style: "TableText", align: "left", size: size}, row.Label)
		for i, cell := range row.Cells {
			words := ""
			if cell.Light != "" {
				words = document.LightShape(cell.Light) + " " + cell.Text
			}
			b.tableCell(cellOf{width: widths[i+1], style: "TableText", align: "center", size: size, fill: lightFill(cell.Light)}, words)
		}
		b.xml.raw(`</w:tr>`)
	}
	b.closeTable()
}

// gridWidths gives the first column its width and shares the rest.
func gridWidths(total, first, columns int) []int {
	widths := []int{first}
	for i := range columns {
		widths = append(widths, (total-first)*(i+1)/columns-(total-first)*i/columns)
	}
	return widths
}

func (b *body) gridHead(widths []int, names []string, size int) {
	b.xml.raw(`<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>`)
	for i, name := range names {
		b.tableCell(cellOf{width: widths[i], style: "TableHead", align: "center", size: size, fill: "EDEDED"}, name)
	}
	b.xml.raw(`</w:tr>`)
}

// timeline writes a row for each project with the days of its milestones:
// target, day reached or else in brackets the forecast, and how many days fact
// lies from target.
func (b *body) timeline(c *document.Chart) {
	var t document.Table
	t.Columns = []document.Column{{Name: "项目", Kind: document.WordColumn, Width: 8}}
	for i := range c.Timeline {
		row := &c.Timeline[i]
		cells := []document.Cell{{Text: row.Label}}
		for p := range row.Points {
			point := &row.Points[p]
			if i == 0 {
				t.Columns = append(t.Columns, document.Column{Group: point.Name, Name: "目标", Kind: document.DateColumn}, document.Column{Group: point.Name, Name: "实际（预计）", Kind: document.DateColumn},
					document.Column{Group: point.Name, Name: "相差", Kind: document.NumberColumn})
			}
			cells = append(cells, document.Cell{Text: day(point.Target)}, document.Cell{Text: reached(point)}, document.Cell{Text: variance(point, c.Today)})
		}
		if len(cells) <= len(t.Columns) {
			t.Rows = append(t.Rows, document.Row{Cells: cells})
		}
	}
	t.Unit = "相差：天"
	b.table(&t)
}

// reached is the day reached, or in brackets the forecast.
func reached(p *document.TimelinePoint) string {
	switch {
	case p.Reached != 0:
		return p.Reached.String()
	case p.Forecast != 0:
		return "（" + p.Forecast.String() + "）"
	}
	return unknown
}

const unknown = "-"

func day(d schemas.Date) string {
	if d == 0 {
		return unknown
	}
	return d.String()
}

// variance counts the days from the target to the day reached, or for what is
// not reached and overdue to today.
func variance(p *document.TimelinePoint, today schemas.Date) string {
	switch {
	case p.Target == 0:
		return unknown
	case p.Reached != 0:
		return signed(int(p.Reached - p.Target))
	case today != 0 && p.Target <= today:
		return signed(int(today - p.Target))
	}
	return unknown
}

func signed(n int) string {
	if n > 0 {
		return fmt.Sprintf("+%d", n)
	}
	return fmt.Sprint(n)
}
