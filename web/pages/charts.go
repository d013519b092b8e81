package pages

import (
	"fmt"
	"html/template"
	"strings"

	"milepost/schemas"
)

// svg writes a drawing whose colours come from the style sheet by class. Its
// text is escaped.
type svg struct{ strings.Builder }

func newSVG(width, height int, class, label string) *svg {
	s := &svg{}
	fmt.Fprintf(s, `<svg class="%s" viewBox="0 0 %d %d" role="img" aria-label="%s" preserveAspectRatio="none">`, class, width, height, template.HTMLEscapeString(label))
	return s
}

func (s *svg) rect(class string, x, y, w, h float64) {
	fmt.Fprintf(s, `<rect class="%s" x="%.2f" y="%.2f" width="%.2f" height="%.2f"/>`, class, x, y, w, h)
}

func (s *svg) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(s, `<line class="%s" x1="%.2f" y1="%.2f" x2="%.2f" y2="%.2f"/>`, class, x1, y1, x2, y2)
}

func (s *svg) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(s, `<text class="%s" text-anchor="%s" x="%.2f" y="%.2f">%s</text>`, class, anchor, x, y, template.HTMLEscapeString(text))
}

func (s *svg) shape(class, points string) {
	fmt.Fprintf(s, `<polygon class="%s" points="%s"/>`, class, points)
}

func (s *svg) end() template.HTML {
	s.WriteString("</svg>")
	return template.HTML(s.String()) //nolint:gosec // every text was escaped
}

// share is a part of a whole with the class of its colour.
type share struct {
	Class, Name string
	Count       int
	Link        string
}

// stacked draws the shares beside each other in one bar.
func stacked(label string, shares []share) template.HTML {
	total := 0
	for _, one := range shares {
		total += one.Count
	}
	s := newSVG(1000, 24, "bar", label)
	s.rect("track", 0, 0, 1000, 24)
	x := 0.0
	for _, one := range shares {
		if one.Count == 0 {
			continue
		}
		w := 1000 * float64(one.Count) / float64(total)
		s.rect(one.Class, x, 0, w, 24)
		x += w
	}
	return s.end()
}

// gauge draws a rate in per cent, and a mark where it ought to be.
func gauge(label string, rate, mark *schemas.Figure) template.HTML {
	s := newSVG(1000, 24, "bar", label)
	s.rect("track", 0, 0, 1000, 24)
	if rate != nil {
		s.rect("fill", 0, 0, 10*min(100, max(0, rate.Float())), 24)
	}
	if mark != nil {
		s.rect("mark", 10*min(99.5, max(0, mark.Float())), 0, 5, 24)
	}
	return s.end()
}

// Size of the drawings that have text; they are shown in this size and scroll
// where the screen is narrower.
const (
	chartWidth  = 720.0
	phoneWidth  = 340.0 // of a chart on a telephone, where it is drawn at its size
	chartLeft   = 60.0
	chartRight  = 20.0
	rowHeight   = 44.0
	chartHeight = 220.0
)

// forScreens draws a chart twice, for wide screens and for telephones; the style
// shows the one that fits.
func forScreens(draw func(width float64) template.HTML) template.HTML {
	return template.HTML(`<div class="usual">` + string(draw(chartWidth)) + `</div><div class="phone">` + string(draw(phoneWidth)) + `</div>`) //nolint:gosec // both are drawings
}

// timeline draws the milestones: a line for each, with what was first planned,
// what is approved, what is expected, and the fact.
func timeline(standing *schemas.Standing, asOf schemas.Date, width float64) template.HTML {
	first, last := standing.RegisteredOn, asOf
	for _, m := range standing.Milestones {
		for _, d := range []schemas.Date{m.Baseline, m.Target, m.Forecast, m.ReachedOn} {
			if d != 0 {
				first, last = min(first, d), max(last, d)
			}
		}
	}
	first, last = first.Month().First(), last.Month().Last()
	at := func(d schemas.Date) float64 {
		return chartLeft + (width-chartLeft-chartRight)*float64(d-first)/float64(max(1, last-first))
	}
	most := int(width / 72) // months that have room for their names
	height := rowHeight*schemas.MilestoneCount + 40
	s := newSVG(int(width), int(height), "chart", "三个节点的基准、目标、预计与完成日期，数值见下表")
	for i, month := 0, first.Month(); month <= last.Month(); i, month = i+1, month+1 {
		if step := 1 + int(last.Month()-first.Month())/(most-1); i%step == 0 {
			s.line("grid", at(month.First()), 10, at(month.First()), height-26)
			s.text("axis", "start", at(month.First())+2, height-10, fmt.Sprintf("%d-%02d", month.Year()%100, month.Number()))
		}
	}
	for _, m := range schemas.Milestones() {
		y := 10 + rowHeight*(float64(m)+0.5)
		ms := &standing.Milestones[m]
		s.text("label", "end", chartLeft-10, y+5, milestoneName(m))
		s.line("rail", chartLeft, y, width-chartRight, y)
		if ms.Target != 0 && ms.ReachedOn != 0 && ms.ReachedOn > ms.Target {
			s.line("late", at(ms.Target), y, at(ms.ReachedOn), y)
		}
		if ms.Target != 0 && ms.ReachedOn == 0 && asOf > ms.Target {
			s.line("late", at(ms.Target), y, at(asOf), y)
		}
		if ms.Baseline != 0 {
			s.rect("baseline", at(ms.Baseline)-1.5, y-13, 3, 26)
		}
		if ms.Forecast != 0 && ms.ReachedOn == 0 {
			x := at(ms.Forecast)
			s.shape("forecast", fmt.Sprintf("%.1f,%.1f %.1f,%.1f %.1f,%.1f", x-7, y+7, x+7, y+7, x, y-7))
		}
		if ms.Target != 0 {
			x := at(ms.Target)
			s.shape("target", fmt.Sprintf("%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f", x-8, y, x, y-8, x+8, y, x, y+8))
		}
		if ms.ReachedOn != 0 {
			fmt.Fprintf(s, `<circle class="fact" cx="%.2f" cy="%.2f" r="6.5"/>`, at(ms.ReachedOn), y)
		}
	}
	s.line("today", at(asOf), 4, at(asOf), height-26)
	return s.end()
}

// point is what was invested by the end of a month of the year.
type point struct {
	Month    int
	Invested schemas.Money
}

// curve draws what was invested in a year against the plan in time, which begins
// with the month from: January, or that of the registration.
func curve(points []point, plan schemas.Money, from int, width float64) template.HTML {
	top := plan
	for _, p := range points {
		top = max(top, p.Invested)
	}
	x := func(month int) float64 { return chartLeft + (width-chartLeft-chartRight)*float64(month)/12 }
	y := func(m schemas.Money) float64 {
		return chartHeight - 26 - (chartHeight-46)*float64(m)/float64(max(1, top))
	}
	s := newSVG(int(width), int(chartHeight), "chart", "本年累计完成投资与时序计划，数值见下表")
	step := 1
	if width < chartWidth {
		step = 3
	}
	for month := step; month <= 12; month += step {
		s.text("axis", "middle", x(month)-2, chartHeight-8, fmt.Sprintf("%d月", month))
	}
	for _, part := range []schemas.Money{0, top / 2, top} {
		s.line("grid", chartLeft, y(part), width-chartRight, y(part))
		s.text("axis", "end", chartLeft-6, y(part)+4, wan(part/100*100))
	}
	if plan > 0 {
		s.line("plan", x(from-1), y(0), x(12), y(plan))
	}
	if len(points) > 0 {
		path := fmt.Sprintf("%.1f,%.1f", x(0), y(0))
		for _, p := range points {
			path += fmt.Sprintf(" %.1f,%.1f", x(p.Month), y(p.Invested))
		}
		fmt.Fprintf(s, `<polyline class="invested" points="%s"/>`, path)
		for _, p := range points {
			fmt.Fprintf(s, `<circle class="fact" cx="%.2f" cy="%.2f" r="4"/>`, x(p.Month), y(p.Invested))
		}
	}
	return s.end()
}
