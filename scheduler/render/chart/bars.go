package chart

import (
	"fmt"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// panel is a part of a chart of bars with its own axis.
type panel struct {
	name   string
	series []int // places in the chart's list
	most   float64
}

func panels(c *document.Chart) []panel {
	var list []panel
	for i, s := range c.Series {
		if len(list) == 0 || list[len(list)-1].name != s.Panel {
			list = append(list, panel{name: s.Panel})
		}
		p := &list[len(list)-1]
		p.series = append(p.series, i)
	}
	for i := range list {
		list[i].most = most(c, list[i].series)
	}
	return list
}

// most is the greatest bar of the series.
func most(c *document.Chart, series []int) float64 {
	greatest := 0.0
	for label := range c.Labels {
		sum := 0.0
		for _, s := range series {
			v := value(c.Series[s].Values[label])
			if c.Kind == document.StackedBars {
				sum += v
			} else {
				sum = max(sum, v)
			}
		}
		greatest = max(greatest, sum)
	}
	if c.Reference != nil {
		greatest = max(greatest, value(c.Reference.Value))
	}
	return max(greatest, 1)
}

func value(f *schemas.Figure) float64 {
	if f == nil {
		return 0
	}
	return f.Float()
}

// bars draws lying bars, a line of them for each label, in panels side by side.
func (d *drawing) bars(c *document.Chart) {
	list := panels(c)
	d.height = d.barsOf(c, list, d.barLegend(c, list)+4) + 4
}

// stacked draws the same with one panel below the other.
func (d *drawing) stacked(c *document.Chart) {
	list := panels(c)
	y := d.barLegend(c, list) + 4
	for i := range list {
		if len(list) > 1 {
			d.styled(4, y+10, body, begins, ` font-weight="bold"`, list[i].name)
			y += 22
		}
		y = d.barsOf(c, list[i:i+1], y) + 12
	}
	d.height = y
}

// barsOf draws panels side by side from y on, and gives where they end.
func (d *drawing) barsOf(c *document.Chart, list []panel, y float64) float64 {
	left := min(widest(c.Labels, body)+12, 190, d.width/2.6)
	gap := 18.0
	each := (d.width - left - gap*float64(len(list))) / float64(max(1, len(list)))
	if len(list) > 1 {
		for i, p := range list {
			d.styled(left+float64(i)*(each+gap), y+10, body, begins, ` font-weight="bold"`, p.name)
		}
		y += 22
	}
	rows := 1
	if c.Kind == document.GroupedBars {
		for _, p := range list {
			rows = max(rows, len(p.series))
		}
	}
	step := 9 + 14*float64(rows)
	top := y
	for label, name := range c.Labels {
		d.text(left-8, y+step/2+2, body, ends, shortened(name, left-8, body))
		for i, p := range list {
			d.bar(c, p, label, left+float64(i)*(each+gap), y+2, each-34)
		}
		y += step
	}
	for i := range list {
		x := left + float64(i)*(each+gap)
		d.line(x, top-2, x, y, fmt.Sprintf(`stroke="%s"`, middle))
		if r := c.Reference; r != nil && r.Value != nil {
			at := x + value(r.Value)/list[i].most*(each-34)
			d.line(at, top-4, at, y, fmt.Sprintf(`stroke="%s" stroke-width="1.6" stroke-dasharray="5 3"`, accent))
		}
	}
	return y
}

func (d *drawing) bar(c *document.Chart, p panel, label int, x, y, full float64) {
	end := x
	total := ""
	for place, s := range p.series {
		series := &c.Series[s]
		v := value(series.Values[label])
		w := v / p.most * full
		if c.Kind == document.GroupedBars {
			d.swatch(place, series, x, y+14*float64(place), w, 12)
			d.text(x+w+4, y+14*float64(place)+10, small, begins, series.Values[label].String())
			continue
		}
		d.swatch(place, series, end, y, w, 15)
		if said := series.Values[label].String(); v > 0 && w >= advance(said, small)+6 {
			d.styled(end+w/2, y+11.5, small, centred, d.over(place, series), said)
		}
		end += w
		total = joinTotal(total, series.Values[label])
	}
	if c.Kind == document.StackedBars {
		d.text(end+4, y+11.5, small, begins, total)
	}
}

// swatch draws a piece in the fill of its series.
func (d *drawing) swatch(place int, s *document.Series, x, y, w, h float64) {
	if s.Light == "" {
		d.filled(place, x, y, w, h)
		return
	}
	d.rect(x, y, w, h, fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="0.8"`, lightColour(s.Light), ink))
}

// over is the style of a number upon a fill.
func (d *drawing) over(place int, s *document.Series) string {
	if place == 0 && s.Light == "" {
		return ` fill="#ffffff"`
	}
	return ` stroke="#ffffff" stroke-width="3" paint-order="stroke"`
}

// joinTotal writes the parts of a stack as 3+1+2.
func joinTotal(so string, next *schemas.Figure) string {
	if so == "" {
		return next.String()
	}
	return so + "+" + next.String()
}

func (d *drawing) barLegend(c *document.Chart, list []panel) float64 {
	var names []string
	var styles []func(x, y float64)
	if len(list) > 0 {
		for place, s := range list[0].series {
			series := &c.Series[s]
			names = append(names, series.Name)
			styles = append(styles, func(x, y float64) { d.swatch(place, series, x, y-6, 18, 11) })
		}
	}
	if r := c.Reference; r != nil && r.Value != nil {
		names = append(names, r.Name+" "+r.Value.String()+c.Unit)
		styles = append(styles, func(x, y float64) {
			d.line(x, y, x+18, y, fmt.Sprintf(`stroke="%s" stroke-width="1.6" stroke-dasharray="5 3"`, accent))
		})
	}
	return d.legend(12, names, func(i int, x, y float64) { styles[i](x, y) })
}

// shortened cuts a label that is too wide and marks the cut; the whole name
// stands in the text beside the chart.
func shortened(s string, room, size float64) string {
	if advance(s, size) <= room {
		return s
	}
	cut := []rune(s)
	for len(cut) > 1 && advance(string(cut)+"…", size) > room {
		cut = cut[:len(cut)-1]
	}
	return string(cut) + "…"
}
