// Package chart draws the charts of documents as SVG. They are read in grey
// print and by readers who do not tell colours apart: what a colour says is also
// said by a pattern, a shape or a word, and every chart has a text that says the
// same.
package chart

import (
	"fmt"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// The widths of charts, in their own units; pages scale them. On a phone a chart
// of the usual width could only be read through a slit.
const (
	usualWidth = 680.0
	phoneWidth = 360.0
)

// SVG draws the chart as an svg element that needs nothing from its page. Equal
// charts give equal bytes. It fails with schemas.Internal for a chart whose
// values do not fit its labels.
func SVG(c *document.Chart) (string, error) {
	if err := check(c); err != nil {
		return "", err
	}
	d := drawing{width: usualWidth}
	switch c.Kind {
	case document.StackedBars, document.GroupedBars:
		d.bars(c)
	case document.Lines:
		d.lines(c)
	case document.Timeline:
		d.timeline(c)
	case document.LightMatrix:
		d.lights(c)
	default:
		return "", &schemas.Error{Code: schemas.Internal, Message: "no such kind of chart", Field: "kind", Value: string(c.Kind)}
	}
	return d.finish(c), nil
}

// Phone draws bars for a narrow screen, their panels one below the other; false
// for charts of other kinds, which need their width.
func Phone(c *document.Chart) (svg string, ok bool, err error) {
	if c.Kind != document.StackedBars && c.Kind != document.GroupedBars {
		return "", false, nil
	}
	if err := check(c); err != nil {
		return "", false, err
	}
	d := drawing{width: phoneWidth}
	d.stacked(c)
	return d.finish(c), true, nil
}

func check(c *document.Chart) error {
	wrong := func(format string, args ...any) error {
		return &schemas.Error{Code: schemas.Internal, Message: fmt.Sprintf(format, args...), Field: "chart", Value: c.Key}
	}
	for _, s := range c.Series {
		if len(s.Values) != len(c.Labels) {
			return wrong("series %s has %d values for %d labels", s.Name, len(s.Values), len(c.Labels))
		}
	}
	for _, row := range c.Matrix {
		if len(row.Cells) != len(c.Columns) {
			return wrong("row %s has %d cells for %d columns", row.Label, len(row.Cells), len(c.Columns))
		}
	}
	if c.Kind == document.Timeline && c.To <= c.From {
		return wrong("a timeline ends after it begins")
	}
	return nil
}
