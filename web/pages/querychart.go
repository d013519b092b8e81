package pages

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a chart; the table under it has everything.
const (
	maxBars   = 40
	maxPoints = 500
	maxSeries = 6 // with colours that can be told apart; the rest is one more
)

// plotWish says which columns a chart shows; what names no column of the result
// is chosen from it.
type plotWish struct {
	X, Y, By string
	Shape    string // bar or line
}

// plot is a result as a chart.
type plot struct {
	plotWish
	Drawing template.HTML
	Legend  []share
	Labels  []string // columns that may stand along the chart
	Numbers []string // columns that may be its values
	Shown   int
	Cut     bool
}

// bar is one label with a value for each series.
type bar struct {
	label  string
	values []float64
	known  []bool
}

// otherSeries is the name of what has no colour of its own.
const otherSeries = "其他"

// draw makes a chart of the result; nil when it has no number or no row.
func draw(columns []resultColumn, rows [][]string, wish plotWish) *plot {
	p := &plot{plotWish: wish}
	for _, c := range columns {
		p.Labels = append(p.Labels, c.Name)
		if c.Number {
			p.Numbers = append(p.Numbers, c.Name)
		}
	}
	if len(p.Numbers) == 0 || len(rows) == 0 {
		return nil
	}
	x, y, by := p.choose(columns, rows)
	bars, names := collect(rows, x, y, by)
	p.Shown, p.Cut = len(bars), false
	most := maxBars
	if p.Shape == "line" {
		most = maxPoints
		if ordered(columns[x]) {
			slices.SortStableFunc(bars, func(a, b bar) int { return compareLabels(a.label, b.label, columns[x].Number) })
		}
	}
	if len(bars) > most {
		bars, p.Shown, p.Cut = bars[:most], most, true
	}
	label := fmt.Sprintf("%s按%s的图，%d 项，数值见下表", p.Y, p.X, len(bars))
	if p.Shape == "line" {
		p.Drawing = forScreens(func(width float64) template.HTML { return drawLines(bars, seriesOf(names), label, width) })
	} else {
		p.Drawing = forScreens(func(width float64) template.HTML { return drawBars(bars, seriesOf(names), label, width) })
	}
	if by >= 0 {
		for i, name := range names {
			p.Legend = append(p.Legend, share{Class: fmt.Sprintf("series-%d", seriesOf(names)[i]), Name: name})
		}
	}
	return p
}

// choose settles the columns and the shape, and gives the columns' places; by is
// -1 for one series.
func (p *plot) choose(columns []resultColumn, rows [][]string) (x, y, by int) {
	place := func(name string) int {
		return slices.IndexFunc(columns, func(c resultColumn) bool { return c.Name == name })
	}
	x, y, by = place(p.X), place(p.Y), place(p.By)
	asked := x >= 0
	if x < 0 {
		x = max(0, slices.IndexFunc(columns, func(c resultColumn) bool { return !c.Number }))
	}
	if y < 0 || !columns[y].Number {
		y = slices.IndexFunc(columns, func(c resultColumn) bool { return c.Number && (c.Name != columns[x].Name || len(columns) == 1) })
		if y < 0 {
			y = place(p.Numbers[0])
		}
	}
	if !asked && by < 0 && repeats(rows, x) {
		by = slices.IndexFunc(columns, func(c resultColumn) bool { return !c.Number && c.Name != columns[x].Name })
	}
	if by == x || by == y {
		by = -1
	}
	if p.Shape != "bar" && p.Shape != "line" {
		p.Shape = "bar"
		if strings.Contains(columns[x].Type, "Date") && len(rows) > 2 {
			p.Shape = "line"
		}
	}
	p.X, p.Y, p.By = columns[x].Name, columns[y].Name, ""
	if by >= 0 {
		p.By = columns[by].Name
	}
	return x, y, by
}

func repeats(rows [][]string, column int) bool {
	seen := map[string]bool{}
	for _, row := range rows {
		if seen[row[column]] {
			return true
		}
		seen[row[column]] = true
	}
	return false
}

func ordered(c resultColumn) bool { return c.Number || strings.Contains(c.Type, "Date") }

func compareLabels(a, b string, numbers bool) int {
	if x, y, ok := twoNumbers(a, b); ok && numbers {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	return strings.Compare(a, b)
}

func twoNumbers(a, b string) (x, y float64, ok bool) {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return x, y, errX == nil && errY == nil
}

// collect gathers the values by label, and by series when there are several;
// values of the same place are added up. Without series each row is a bar.
func collect(rows [][]string, x, y, by int) (bars []bar, names []string) {
	if by < 0 {
		for _, row := range rows {
			if value, ok := valueOf(row[y]); ok {
				bars = append(bars, bar{row[x], []float64{value}, []bool{true}})
			}
		}
		return bars, []string{""}
	}
	series := map[string]int{}
	for _, row := range rows {
		if _, found := series[row[by]]; found {
			continue
		}
		if len(names) == maxSeries {
			names = append(names, otherSeries)
		}
		if len(names) > maxSeries {
			series[row[by]] = maxSeries
			continue
		}
		series[row[by]] = len(names)
		names = append(names, row[by])
	}
	places := map[string]int{}
	for _, row := range rows {
		value, ok := valueOf(row[y])
		if !ok {
			continue
		}
		at, found := places[row[x]]
		if !found {
			at = len(bars)
			places[row[x]] = at
			bars = append(bars, bar{row[x], make([]float64, len(names)), make([]bool, len(names))})
		}
		bars[at].values[series[row[by]]] += value
		bars[at].known[series[row[by]]] = true
	}
	return bars, names
}

func valueOf(text string) (float64, bool) {
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil && !math.IsNaN(value) && !math.IsInf(value, 0)
}

// lightSeries are the colours of lights.
var lightSeries = map[string]int{"green": 2, "yellow": 1, "red": 5, "grey": 6, "none": 4}

// seriesOf gives the colour of each series; lights keep theirs.
func seriesOf(names []string) []int {
	colours := make([]int, len(names))
	lights := true
	for i, name := range names {
		colour, found := lightSeries[name]
		colours[i], lights = colour, lights && found
	}
	for i := range names {
		if !lights {
			colours[i] = min(i, maxSeries)
		}
	}
	return colours
}

// reach gives the least and the greatest sum that a bar reaches, or a point of a
// line; both have the zero between them.
func reach(bars []bar, added bool) (low, high float64) {
	for _, b := range bars {
		down, up := 0.0, 0.0
		for _, v := range b.values {
			if !added {
				low, high = min(low, v), max(high, v)
			}
			down, up = down+min(0, v), up+max(0, v)
		}
		if added {
			low, high = min(low, down), max(high, up)
		}
	}
	if low == high {
		high = low + 1
	}
	return low, high
}

const (
	plotRow    = 26.0
	labelRunes = 14 // Chinese characters
)

func drawBars(bars []bar, colours []int, label string, width float64) template.HTML {
	low, high := reach(bars, true)
	labels := 0.0
	for _, b := range bars {
		labels = max(labels, roomFor(shortened(b.label, width)))
	}
	room := width - labels - 90
	at := func(v float64) float64 { return labels + room*(v-low)/(high-low) }
	height := plotRow*float64(len(bars)) + 10
	s := newSVG(int(width), int(height), "chart", label)
	for i, b := range bars {
		y := 5 + plotRow*float64(i)
		s.text("name", "end", labels-8, y+plotRow/2+4, shortened(b.label, width))
		down, up, sum := 0.0, 0.0, 0.0
		for k, v := range b.values {
			sum += v
			if v >= 0 {
				s.rect(fmt.Sprintf("series-%d", colours[k]), at(up), y+4, at(up+v)-at(up), plotRow-8)
				up += v
			} else {
				s.rect(fmt.Sprintf("series-%d", colours[k]), at(down+v), y+4, at(down)-at(down+v), plotRow-8)
				down += v
			}
		}
		s.text("axis", "start", at(up)+6, y+plotRow/2+4, inShort(sum))
	}
	s.line("rail", at(0), 0, at(0), height)
	return s.end()
}

func drawLines(bars []bar, colours []int, label string, width float64) template.HTML {
	low, high := reach(bars, false)
	const left, bottom = 80.0, 30.0
	const height = 280.0
	x := func(i int) float64 {
		return left + (width-left-chartRight)*float64(i)/float64(max(1, len(bars)-1))
	}
	y := func(v float64) float64 { return height - bottom - (height-bottom-14)*(v-low)/(high-low) }
	s := newSVG(int(width), int(height), "chart", label)
	for i := range 5 {
		v := low + (high-low)*float64(i)/4
		s.line("grid", left, y(v), width-chartRight, y(v))
		s.text("axis", "end", left-6, y(v)+4, inShort(v))
	}
	step := 1 + (len(bars)-1)/max(2, int(width/120))
	for i := 0; i < len(bars); i += step {
		anchor := "middle"
		if i == 0 {
			anchor = "start"
		}
		s.text("axis", anchor, x(i), height-8, shortened(bars[i].label, width))
	}
	for k, colour := range colours {
		var points []string
		for i, b := range bars {
			if b.known[k] {
				points = append(points, fmt.Sprintf("%.1f,%.1f", x(i), y(b.values[k])))
			}
		}
		fmt.Fprintf(s, `<polyline class="line-%d" points="%s"/>`, colour, strings.Join(points, " "))
		if len(points) <= 60 {
			for _, at := range points {
				cx, cy, _ := strings.Cut(at, ",")
				fmt.Fprintf(s, `<circle class="series-%d" cx="%s" cy="%s" r="3.5"/>`, colour, cx, cy)
			}
		}
	}
	return s.end()
}

// roomFor gives the width of a label beside a bar: Chinese characters are as wide
// as high.
func roomFor(label string) float64 {
	width := 16.0
	for _, c := range label {
		if c < 0x2e80 {
			width += 8
		} else {
			width += 13.5
		}
	}
	return width
}

// shortened cuts a label that is too long for a chart of the width.
func shortened(label string, width float64) string {
	most := labelRunes
	if width < chartWidth {
		most = labelRunes / 2
	}
	room := roomFor(strings.Repeat("字", most))
	if roomFor(label) <= room {
		return label
	}
	runes := []rune(label)
	for len(runes) > 1 && roomFor(string(runes)+"字") > room {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// inShort writes a number for a chart: thousands apart, and no more decimals
// than tell something.
func inShort(v float64) string {
	decimals := 0
	if math.Abs(v) < 100 && v != math.Trunc(v) {
		decimals = 2
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	if decimals > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if v < 0 {
		text = "-" + text
	}
	return apart(text)
}

// apart writes the thousands of a number apart.
func apart(text string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "-", rest
	}
	whole, fraction, broken := strings.Cut(text, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if broken {
		b.WriteString("." + fraction)
	}
	return b.String()
}
