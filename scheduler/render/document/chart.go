package document

import "milepost/schemas"

// Chart is a picture as data; package chart draws it as SVG and PNG, and a
// spreadsheet may draw its own from the same values.
type Chart struct {
	// Key names the chart for machines, unique in its document.
	Key   string
	Kind  ChartKind
	Title string
	// Unit is that of the values: 个, %, 万元.
	Unit string
	// Alt says the same in words, for those who do not see the picture.
	Alt string

	// Labels are the categories of bars and lines, in order.
	Labels []string
	// Series are the bars or lines; each has a value for each label.
	Series []Series
	// Reference is a line across the bars, such as time progress; may be nil.
	Reference *Reference

	// From and To are the first and last day of a timeline, Today its mark.
	From, To, Today schemas.Date
	// Timeline are the rows of a timeline.
	Timeline []TimelineRow

	// Columns and Matrix are a table of lights.
	Columns []string
	Matrix  []MatrixRow
}

// ChartKind is the form of a chart.
type ChartKind string

// The forms of charts.
const (
	StackedBars ChartKind = "stacked" // one bar a label, the series laid end to end
	GroupedBars ChartKind = "grouped" // the series side by side
	Lines       ChartKind = "lines"   // a line a series over the labels
	Timeline    ChartKind = "timeline"
	LightMatrix ChartKind = "lights"
)

// Series is a row of values of one meaning.
type Series struct {
	Name string
	// Panel names the part of the chart that the series stands in; series of one
	// panel share its axis. Empty when the chart has one part.
	Panel string
	// Values has one value for each label; nil is not known.
	Values []*schemas.Figure
	// Light colours the series as that light; empty for another colour.
	Light schemas.Light
}

// Reference is a value that the bars are held against.
type Reference struct {
	Name  string
	Value *schemas.Figure
}

// TimelineRow is a project's milestones, planned and in fact.
type TimelineRow struct {
	Label  string
	Points []TimelinePoint
}

// TimelinePoint is a milestone: zero days are not known.
type TimelinePoint struct {
	Name                                string // 落地
	Baseline, Target, Forecast, Reached schemas.Date
}

// MatrixRow is a row of lights, a cell for each column.
type MatrixRow struct {
	Label string
	Cells []MatrixCell
}

// MatrixCell is a number of things with a light, or a light alone.
type MatrixCell struct {
	Light schemas.Light
	// Text is printed beside the light's shape; may be empty.
	Text string
}
