package chart

import (
	"fmt"
	"math"
	"strings"

	"milepost/scheduler/render/document"
)

// lines draws a line for each series over the labels, apart by colour, dashes
// and the shape of its points.
func (d *drawing) lines(c *document.Chart) {
	colours := [...]string{"#1f4e79", "#c62828", "#2e7d32", "#7a5c00", middle}
	dashes := [...]string{"", "7 3", "2 3", "9 3 2 3", "4 4"}
	style := func(i int) string {
		return fmt.Sprintf(`stroke="%s" stroke-width="2" stroke-dasharray="%s" fill="none"`, colours[i%len(colours)], dashes[i%len(dashes)])
	}
	names := make([]string, len(c.Series))
	for i, s := range c.Series {
		names[i] = s.Name
	}
	top := d.legend(12, names, func(i int, x, y float64) {
		d.line(x, y, x+20, y, style(i))
		d.shape(i, x+10, y, 3.6, colours[i%len(colours)])
	}) + 10
	const left, right, high = 46.0, 30.0, 210.0
	greatest := 1.0
	for _, s := range c.Series {
		for _, v := range s.Values {
			greatest = max(greatest, value(v))
		}
	}
	step := niceStep(greatest / 5)
	full := math.Ceil(greatest/step) * step
	for v := 0.0; v <= full+step/2; v += step {
		y := top + high - v/full*high
		d.line(left, y, d.width-right, y, fmt.Sprintf(`stroke="%s"`, faint))
		d.text(left-6, y+4, small, ends, number(v))
	}
	d.text(left-6, top-10, small, ends, c.Unit)
	place := func(i int) float64 {
		if len(c.Labels) < 2 {
			return left + (d.width-left-right)/2
		}
		return left + 14 + float64(i)*(d.width-left-right-28)/float64(len(c.Labels)-1)
	}
	for i, label := range c.Labels {
		d.text(place(i), top+high+18, small, centred, label)
	}
	for i, s := range c.Series {
		var path strings.Builder
		move := "M"
		for j, v := range s.Values {
			if v == nil {
				move = "M"
				continue
			}
			fmt.Fprintf(&path, "%s%s %s", move, at(place(j)), at(top+high-value(v)/full*high))
			move = "L"
		}
		if path.Len() > 0 {
			fmt.Fprintf(&d.b, `<path d="%s" %s/>`, path.String(), style(i))
		}
		for j, v := range s.Values {
			if v != nil {
				d.shape(i, place(j), top+high-value(v)/full*high, 3.6, colours[i%len(colours)])
			}
		}
	}
	d.height = top + high + 28
}

// niceStep is the least of 1, 2, 5 times a power of ten that is not below.
func niceStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(least, 1))))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*power >= least {
			return m * power
		}
	}
	return 10 * power
}
