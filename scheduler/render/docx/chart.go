package docx

import (
	"fmt"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// chart writes a chart under its title with its text below. Bars and lines are
// native charts, one for each part; lights and timelines are tables, which are
// read in grey print and by those who do not see.
func (b *body) chart(c *document.Chart) error {
	for _, s := range c.Series {
		if len(s.Values) != len(c.Labels) {
			return &schemas.Error{Code: schemas.Internal, Message: fmt.Sprintf("series %s has %d values for %d labels", s.Name, len(s.Values), len(c.Labels)), Field: "chart", Value: c.Key}
		}
	}
	title := c.Title
	if c.Unit != "" {
		title += "（单位：" + c.Unit + "）"
	}
	b.paragraph("Caption", "", title)
	switch c.Kind {
	case document.StackedBars, document.GroupedBars, document.Lines:
		list := panels(c)
		for i, panel := range list {
			b.drawing(c, panel, i == len(list)-1)
		}
	case document.LightMatrix:
		b.lights(c)
	case document.Timeline:
		b.timeline(c)
	default:
		return &schemas.Error{Code: schemas.Internal, Message: "no such kind of chart", Field: "kind", Value: string(c.Kind)}
	}
	b.paragraph("Note", "", c.Alt)
	return nil
}

// panel is a part of a chart with an axis of its own.
type panel struct {
	name   string
	series []document.Series
}

func panels(c *document.Chart) []panel {
	var list []panel
	for _, s := range c.Series {
		if n := len(list); n == 0 || list[n-1].name != s.Panel {
			list = append(list, panel{name: s.Panel})
		}
		last := &list[len(list)-1]
		last.series = append(last.series, s)
	}
	return list
}

// drawing puts a native chart on a line of its own; the last one stays with
// the text below.
func (b *body) drawing(c *document.Chart, p panel, last bool) {
	const shortTwips, tallTwips = 3000, 3700
	height := tallTwips
	if p.name != "" {
		height = shortTwips
	}
	b.drawings++
	alt := xmlText{}
	alt.text(c.Alt)
	name := xmlText{}
	name.text(c.Title + p.name)
	part, dropped := nativeChart(c, p)
	b.charts = append(b.charts, part)
	b.xml.dropped += dropped + alt.dropped + name.dropped
	keep := ""
	if last {
		keep = `<w:keepNext/>`
	}
	b.xml.rawf(`<w:p><w:pPr><w:pStyle w:val="Figure"/>%s</w:pPr><w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="%d" cy="%d"/><wp:effectExtent l="0" t="0" r="0" b="0"/>`+
		`<wp:docPr id="%d" name="%s" descr="%s"/><wp:cNvGraphicFramePr/><a:graphic xmlns:a="%s"><a:graphicData uri="%s"><c:chart xmlns:c="%s" r:id="%s"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`,
		keep, (b.width-100)*emuPerTwip, height*emuPerTwip, b.drawings, name.String(), alt.String(), drawingSpace, chartSpace, chartSpace, chartRelation(len(b.charts)))
}
