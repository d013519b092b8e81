package chart

import (
	"fmt"

	"milepost/scheduler/render/document"
)

// lights draws a table of lights: each has its own shape beside its colour.
func (d *drawing) lights(c *document.Chart) {
	labels := make([]string, len(c.Matrix))
	for i, row := range c.Matrix {
		labels[i] = row.Label
	}
	left := min(widest(labels, body)+12, 220)
	each := min((d.width-left-4)/float64(max(1, len(c.Columns))), 96)
	const head, step = 26.0, 24.0
	for i, column := range c.Columns {
		d.styled(left+each*(float64(i)+0.5), 17, small, centred, ` font-weight="bold"`, column)
	}
	y := head
	for _, row := range c.Matrix {
		d.line(4, y, left+each*float64(len(c.Columns)), y, fmt.Sprintf(`stroke="%s"`, faint))
		d.text(left-8, y+step/2+5, body, ends, shortened(row.Label, left-8, body))
		for i, cell := range row.Cells {
			x := left + each*(float64(i)+0.5)
			if cell.Light == "" {
				d.styled(x, y+step/2+5, body, centred, fmt.Sprintf(` fill="%s"`, middle), "–")
				continue
			}
			if cell.Text == "" {
				d.shape(lightForm(cell.Light), x, y+step/2, 6, lightColour(cell.Light))
				continue
			}
			d.shape(lightForm(cell.Light), x-10, y+step/2, 6, lightColour(cell.Light))
			d.text(x+3, y+step/2+5, body, begins, cell.Text)
		}
		y += step
	}
	d.line(4, y, left+each*float64(len(c.Columns)), y, fmt.Sprintf(`stroke="%s"`, faint))
	d.height = y + 4
}
