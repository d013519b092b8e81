package chart

import (
	"fmt"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// timeline draws plan against fact: for each project a line from the first to
// the last milestone, its targets as open marks, forecasts as marks with a tail
// of the days between, and what was reached as filled marks.
func (d *drawing) timeline(c *document.Chart) {
	labels := make([]string, len(c.Timeline))
	for i, row := range c.Timeline {
		labels[i] = row.Label
	}
	left := min(widest(labels, small)+10, 230)
	full := d.width - left - 14
	place := func(day schemas.Date) float64 {
		return left + full*float64(min(max(day, c.From), c.To)-c.From)/float64(c.To-c.From)
	}
	y := d.legend(12, []string{"目标（空心）", "已达到（实心）", "预计完成", "落地○　开工△　投产□", "期末"}, func(i int, x, y float64) {
		switch i {
		case 0:
			d.shape(0, x+10, y, 4.2, "#ffffff")
		case 1:
			d.shape(0, x+10, y, 4.2, fillColours[0])
		case 2:
			d.line(x, y, x+20, y, fmt.Sprintf(`stroke="%s" stroke-width="2" stroke-dasharray="3 2"`, accent))
		case 3:
		case 4:
			d.line(x+10, y-7, x+10, y+7, fmt.Sprintf(`stroke="%s" stroke-width="1.4"`, accent))
		}
	}) + 12
	const step = 20.0
	bottom := y + step*float64(len(c.Timeline))
	quarter := full * 90 / float64(c.To-c.From)
	for year := c.From.Year(); year <= c.To.Year(); year++ {
		for month := 1; month <= 12; month += 3 {
			day := schemas.NewMonth(year, 1).First()
			if month > 1 {
				day = (schemas.NewMonth(year, 1) + schemas.Month(month-1)).First()
			}
			if day < c.From || day > c.To {
				continue
			}
			x := place(day)
			d.line(x, y-4, x, bottom, fmt.Sprintf(`stroke="%s"`, faint))
			name := fmt.Sprintf("%d年%d月", year, month)
			if month > 1 && quarter < advance("2025年10月", small)+6 {
				name = fmt.Sprintf("%d月", month)
				if quarter < (advance("2025年1月", small)+advance("10月", small))/2+6 {
					continue // the year is told, its quarters are counted
				}
			}
			d.text(min(max(x, advance(name, small)/2), d.width-advance(name, small)/2), y-8, small, centred, name)
		}
	}
	if c.Today != 0 {
		d.line(place(c.Today), y-6, place(c.Today), bottom+2, fmt.Sprintf(`stroke="%s" stroke-width="1.4"`, accent))
	}
	for i, row := range c.Timeline {
		middleOf := y + step*float64(i) + step/2
		d.text(left-8, middleOf+4, small, ends, shortened(row.Label, left-8, small))
		d.timelineRow(row, middleOf, place)
	}
	d.height = bottom + 8
}

func (d *drawing) timelineRow(row document.TimelineRow, y float64, place func(schemas.Date) float64) {
	var first, last schemas.Date
	for _, p := range row.Points {
		for _, day := range []schemas.Date{p.Target, p.Reached} {
			if day != 0 && (first == 0 || day < first) {
				first = day
			}
			last = max(last, day)
		}
	}
	if first != 0 {
		d.line(place(first), y, place(last), y, fmt.Sprintf(`stroke="%s" stroke-width="1"`, middle))
	}
	for form, p := range row.Points {
		if p.Reached == 0 && p.Target != 0 && p.Forecast > p.Target {
			d.line(place(p.Target), y, place(p.Forecast), y, fmt.Sprintf(`stroke="%s" stroke-width="2" stroke-dasharray="3 2"`, accent))
			d.line(place(p.Forecast), y-5, place(p.Forecast), y+5, fmt.Sprintf(`stroke="%s" stroke-width="2"`, accent))
		}
		if p.Target != 0 {
			d.shape(form, place(p.Target), y, 4.6, "#ffffff")
		}
		if p.Reached != 0 {
			d.shape(form, place(p.Reached), y, 4.2, fillColours[0])
		}
	}
}
