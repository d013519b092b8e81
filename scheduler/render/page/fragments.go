package page

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"

	"milepost/scheduler/render/chart"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// fragments writes blocks as HTML and remembers the sources that their figures
// ask for.
type fragments struct {
	sources document.Sources // nil: figures are not asked
	printed bool             // the page is only printed
	asked   []Source
	ids     map[document.Source]int
	paths   map[string]int
}

func (f *fragments) blocks(blocks []document.Block) ([]template.HTML, error) {
	list := make([]template.HTML, 0, len(blocks))
	for _, block := range blocks {
		var b strings.Builder
		switch block := block.(type) {
		case *document.Heading:
			class := ""
			if block.NewPage {
				class = ` class="new"`
			}
			fmt.Fprintf(&b, "<h%d%s>%s</h%d>", block.Level+1, class, html.EscapeString(block.Text), block.Level+1)
		case *document.Paragraph:
			fmt.Fprintf(&b, "<p%s>", paragraphClass(block))
			f.text(&b, block.Text)
			b.WriteString("</p>")
		case *document.List:
			f.list(&b, block)
		case *document.Table:
			f.table(&b, block)
		case *document.Chart:
			svg, err := chart.SVG(block)
			if err != nil {
				return nil, err
			}
			phone, narrow, err := chart.Phone(block)
			if err != nil {
				return nil, err
			}
			if narrow = narrow && !f.printed; narrow {
				svg = `<div class="usual">` + svg + `</div><div class="phone">` + phone + `</div>`
			}
			fmt.Fprintf(&b, "<figure><figcaption>%s</figcaption>%s<p class=\"alt\">%s</p></figure>", html.EscapeString(block.Title), svg, html.EscapeString(block.Alt))
		}
		list = append(list, template.HTML(b.String()))
	}
	return list, nil
}

func paragraphClass(p *document.Paragraph) string {
	var classes []string
	for _, c := range []struct {
		name string
		is   bool
	}{{"lead", p.Lead}, {"note", p.Note}, {"editor", p.Editor}} {
		if c.is {
			classes = append(classes, c.name)
		}
	}
	if len(classes) == 0 {
		return ""
	}
	return ` class="` + strings.Join(classes, " ") + `"`
}

func (f *fragments) text(b *strings.Builder, t document.Text) {
	for _, span := range t {
		if span.Strong {
			b.WriteString("<b>")
		}
		f.figure(b, span.Text, span.Figure)
		if span.Strong {
			b.WriteString("</b>")
		}
	}
}

// figure writes a text, and as something to ask when it has a source.
func (f *fragments) figure(b *strings.Builder, text, path string) {
	id, ok := f.source(path)
	if !ok {
		b.WriteString(html.EscapeString(text))
		return
	}
	fmt.Fprintf(b, `<a class="f" href="#s%d">%s</a>`, id, html.EscapeString(text))
}

// source gives the number of the path's source; equal sources share one.
func (f *fragments) source(path string) (int, bool) {
	if f.sources == nil || path == "" {
		return 0, false
	}
	if id, known := f.paths[path]; known {
		return id, true
	}
	source, ok := f.sources.Source(path)
	if !ok {
		return 0, false
	}
	id, known := f.ids[source]
	if !known {
		id = len(f.asked) + 1
		f.ids[source] = id
		f.asked = append(f.asked, Source{ID: id, Source: source})
	}
	f.paths[path] = id
	return id, true
}

func (f *fragments) list(b *strings.Builder, l *document.List) {
	element := "ul"
	if l.Numbered {
		element = "ol"
	}
	class := ""
	if l.Note {
		class = ` class="note"`
	}
	fmt.Fprintf(b, "<%s%s>", element, class)
	for _, item := range l.Items {
		b.WriteString("<li>")
		f.text(b, item)
		b.WriteString("</li>")
	}
	fmt.Fprintf(b, "</%s>", element)
}

func columnClass(k document.ColumnKind) string {
	return [...]string{document.WordColumn: "", document.NumberColumn: "n", document.CodeColumn: "w", document.DateColumn: "w", document.LightColumn: "w"}[k]
}

// padding is what a cell needs beside its text, in characters.
const padding = 0.7

func (f *fragments) table(b *strings.Builder, t *document.Table) {
	cards := ""
	if t.Cards {
		cards = " cards"
	}
	total := 0.0
	for _, c := range t.Columns {
		total += c.Width + padding
	}
	fmt.Fprintf(b, `<div class="scroll%s">`, cards)
	if t.Caption != "" || t.Unit != "" {
		fmt.Fprintf(b, `<p class="caption"><span>%s</span><span class="unit">%s</span></p>`, html.EscapeString(t.Caption), html.EscapeString(t.Unit))
	}
	fmt.Fprintf(b, `<table style="--chars:%s"><colgroup>`, strconv.FormatFloat(total, 'f', 1, 64))
	for _, c := range t.Columns {
		fmt.Fprintf(b, `<col style="width:%s%%">`, strconv.FormatFloat(100*(c.Width+padding)/total, 'f', 2, 64))
	}
	b.WriteString("</colgroup><thead>")
	for _, row := range t.Head() {
		b.WriteString("<tr>")
		for _, cell := range row {
			b.WriteString("<th")
			if cell.ColumnSpan > 1 {
				fmt.Fprintf(b, ` colspan="%d"`, cell.ColumnSpan)
			}
			if cell.RowSpan > 1 {
				fmt.Fprintf(b, ` rowspan="%d"`, cell.RowSpan)
			}
			b.WriteString(">")
			b.WriteString(html.EscapeString(cell.Text))
			b.WriteString("</th>")
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</thead><tbody>\n")
	for _, row := range t.Rows {
		b.WriteString("<tr>")
		for i, cell := range row.Cells {
			f.cell(b, &t.Columns[i], &cell, t.Cards)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table></div>")
}

func (f *fragments) cell(b *strings.Builder, c *document.Column, cell *document.Cell, cards bool) {
	b.WriteString("<td")
	if class := columnClass(c.Kind); class != "" {
		fmt.Fprintf(b, ` class="%s"`, class)
	}
	if cards {
		fmt.Fprintf(b, ` data-label="%s"`, html.EscapeString(c.Name))
	}
	b.WriteString(">")
	if cell.Light != "" {
		fmt.Fprintf(b, `<i class="l %s" aria-hidden="true">%s</i>`, lightClass(cell.Light), document.LightShape(cell.Light))
	}
	f.figure(b, cell.Text, cell.Figure)
	b.WriteString("</td>")
}

func lightClass(l schemas.Light) string {
	switch l {
	case schemas.Green, schemas.Yellow, schemas.Red, schemas.Grey:
		return string(l)
	}
	return "unlit"
}
