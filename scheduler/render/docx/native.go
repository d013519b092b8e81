package docx

import (
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// ink is how a series is drawn: a pattern or a dash tells it apart where
// colours are not seen.
type ink struct{ colour, pattern, dash, marker string }

// inks are those of series without a light, in order.
func inks() []ink {
	return []ink{
		{"1F4E79", "", "solid", "circle"}, {"2E9BD6", "wdUpDiag", "dash", "square"}, {"9DC3E6", "pct25", "sysDot", "triangle"},
		{"7F6000", "dkHorz", "lgDash", "diamond"}, {"595959", "smGrid", "lgDashDot", "x"},
	}
}

func inkOf(s *document.Series, n int) ink {
	switch s.Light {
	case schemas.Green:
		return ink{"548235", "", "solid", "circle"}
	case schemas.Yellow:
		return ink{"FFC000", "wdUpDiag", "dash", "triangle"}
	case schemas.Red:
		return ink{"C00000", "dkHorz", "sysDot", "square"}
	case schemas.Grey:
		return ink{"7F7F7F", "pct25", "lgDash", "diamond"}
	}
	list := inks()
	return list[n%len(list)]
}

const (
	categoryAxis, valueAxis = 1001, 1002
	chartText               = `<a:latin typeface="Times New Roman"/><a:ea typeface="宋体"/>`
)

// nativeChart is the part of a chart of bars or lines, and how many characters
// were dropped in it. Its values stand in it as they are printed.
func nativeChart(c *document.Chart, p panel) (part []byte, dropped int) {
	var x xmlText
	x.rawf(head+`<c:chartSpace xmlns:c="%s" xmlns:a="%s" xmlns:r="%s"><c:roundedCorners val="0"/><c:chart>`, chartSpace, drawingSpace, relationSpace)
	if p.name != "" {
		x.raw(`<c:title><c:tx><c:rich><a:bodyPr/><a:p><a:pPr><a:defRPr sz="1050" b="0"/></a:pPr><a:r><a:rPr lang="zh-CN" sz="1050" b="0">` + chartText + `</a:rPr><a:t>`)
		x.text(p.name)
		x.raw(`</a:t></a:r></a:p></c:rich></c:tx><c:overlay val="0"/></c:title>`)
	}
	x.rawf(`<c:autoTitleDeleted val="%d"/><c:plotArea><c:layout/>`, map[bool]int{true: 1, false: 0}[p.name == ""])
	bars := c.Kind != document.Lines
	if bars {
		grouping, overlap := "clustered", 0
		if c.Kind == document.StackedBars {
			grouping, overlap = "stacked", 100
		}
		x.rawf(`<c:barChart><c:barDir val="col"/><c:grouping val="%s"/><c:varyColors val="0"/>`, grouping)
		for i := range p.series {
			series(&x, c.Labels, &p.series[i], i, true)
		}
		x.rawf(`<c:gapWidth val="60"/><c:overlap val="%d"/><c:axId val="%d"/><c:axId val="%d"/></c:barChart>`, overlap, categoryAxis, valueAxis)
	}
	lines := p.series
	if bars {
		lines = nil
	}
	if c.Reference != nil && c.Reference.Value != nil {
		reference := document.Series{Name: c.Reference.Name}
		for range c.Labels {
			reference.Values = append(reference.Values, c.Reference.Value)
		}
		lines = append(lines[:len(lines):len(lines)], reference)
	}
	if len(lines) > 0 {
		x.raw(`<c:lineChart><c:grouping val="standard"/><c:varyColors val="0"/>`)
		for i := range lines {
			n := i
			if bars {
				n = len(p.series) + i
			}
			series(&x, c.Labels, &lines[i], n, false)
		}
		x.rawf(`<c:marker val="1"/><c:axId val="%d"/><c:axId val="%d"/></c:lineChart>`, categoryAxis, valueAxis)
	}
	axes(&x)
	x.raw(`</c:plotArea><c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend><c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart>`)
	x.raw(`<c:txPr><a:bodyPr/><a:p><a:pPr><a:defRPr sz="900">` + chartText + `</a:defRPr></a:pPr><a:endParaRPr lang="zh-CN"/></a:p></c:txPr></c:chartSpace>`)
	return []byte(x.String()), x.dropped
}

// series writes a series of bars or of a line.
func series(x *xmlText, labels []string, s *document.Series, n int, bar bool) {
	x.rawf(`<c:ser><c:idx val="%d"/><c:order val="%d"/><c:tx><c:strRef><c:f>%s$1</c:f><c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>`, n, n, seriesColumn(n))
	x.text(s.Name)
	x.raw(`</c:v></c:pt></c:strCache></c:strRef></c:tx><c:spPr>`)
	drawn := inkOf(s, n)
	switch {
	case bar && drawn.pattern == "":
		x.rawf(`<a:solidFill><a:srgbClr val="%s"/></a:solidFill>`, drawn.colour)
	case bar:
		x.rawf(`<a:pattFill prst="%s"><a:fgClr><a:srgbClr val="%s"/></a:fgClr><a:bgClr><a:srgbClr val="FFFFFF"/></a:bgClr></a:pattFill>`, drawn.pattern, drawn.colour)
	}
	if bar {
		x.raw(`<a:ln w="6350"><a:solidFill><a:srgbClr val="404040"/></a:solidFill></a:ln></c:spPr><c:invertIfNegative val="0"/>`)
		valueLabels(x, s, drawn)
	} else {
		x.rawf(`<a:ln w="22225"><a:solidFill><a:srgbClr val="%s"/></a:solidFill><a:prstDash val="%s"/></a:ln></c:spPr><c:marker><c:symbol val="%s"/><c:size val="5"/></c:marker>`, drawn.colour, drawn.dash, drawn.marker)
	}
	x.rawf(`<c:cat><c:strRef><c:f>Sheet1!$A$2:$A$%d</c:f><c:strCache><c:ptCount val="%d"/>`, len(labels)+1, len(labels))
	for i, label := range labels {
		x.rawf(`<c:pt idx="%d"><c:v>`, i)
		x.text(label)
		x.raw(`</c:v></c:pt>`)
	}
	x.rawf(`</c:strCache></c:strRef></c:cat><c:val><c:numRef><c:f>%s$2:$%s$%d</c:f><c:numCache><c:formatCode>General</c:formatCode><c:ptCount val="%d"/>`, seriesColumn(n), seriesLetter(n), len(labels)+1, len(labels))
	for i, value := range s.Values {
		if value != nil {
			x.rawf(`<c:pt idx="%d"><c:v>%s</c:v></c:pt>`, i, value.String())
		}
	}
	x.raw(`</c:numCache></c:numRef></c:val>`)
	if !bar {
		x.raw(`<c:smooth val="0"/>`)
	}
	x.raw(`</c:ser>`)
}

// seriesColumn is where the values of a series would stand, had the chart a
// workbook; they are taken from what stands beside the reference.
func seriesColumn(n int) string { return "Sheet1!$" + seriesLetter(n) }

func seriesLetter(n int) string { return string(rune('B' + n%25)) }

// valueLabels print the values on the bars, but no zeros.
func valueLabels(x *xmlText, s *document.Series, drawn ink) {
	colour := "000000"
	if drawn.pattern == "" {
		colour = "FFFFFF" // a full ground is dark
	}
	format := "0;-0;;"
	for _, v := range s.Values {
		if v != nil && v.Decimals > 0 {
			format = "0.0;-0.0;;"
		}
	}
	x.rawf(`<c:dLbls><c:numFmt formatCode="%s" sourceLinked="0"/>`, format)
	x.raw(`<c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr><c:txPr><a:bodyPr/><a:p><a:pPr><a:defRPr sz="800"><a:solidFill><a:srgbClr val="` + colour + `"/></a:solidFill></a:defRPr></a:pPr><a:endParaRPr lang="zh-CN"/></a:p></c:txPr>` +
		`<c:showLegendKey val="0"/><c:showVal val="1"/><c:showCatName val="0"/><c:showSerName val="0"/><c:showPercent val="0"/><c:showBubbleSize val="0"/></c:dLbls>`)
}

func axes(x *xmlText) {
	x.rawf(`<c:catAx><c:axId val="%d"/><c:scaling><c:orientation val="minMax"/></c:scaling><c:delete val="0"/><c:axPos val="b"/><c:numFmt formatCode="General" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/>`+
		`<c:tickLblPos val="low"/><c:txPr><a:bodyPr rot="0" vert="horz"/><a:p><a:pPr><a:defRPr sz="900"/></a:pPr><a:endParaRPr lang="zh-CN"/></a:p></c:txPr><c:crossAx val="%d"/><c:crosses val="autoZero"/><c:auto val="1"/><c:lblAlgn val="ctr"/><c:lblOffset val="100"/><c:noMultiLvlLbl val="0"/></c:catAx>`, categoryAxis, valueAxis)
	x.rawf(`<c:valAx><c:axId val="%d"/><c:scaling><c:orientation val="minMax"/></c:scaling><c:delete val="0"/><c:axPos val="l"/><c:majorGridlines><c:spPr><a:ln w="6350"><a:solidFill><a:srgbClr val="D9D9D9"/></a:solidFill></a:ln></c:spPr></c:majorGridlines>`+
		`<c:numFmt formatCode="General" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/><c:crossAx val="%d"/><c:crosses val="autoZero"/><c:crossBetween val="between"/></c:valAx>`, valueAxis, categoryAxis)
}
