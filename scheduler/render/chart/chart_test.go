package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func values(list ...int64) []*schemas.Figure {
	out := make([]*schemas.Figure, len(list))
	for i, v := range list {
		out[i] = &schemas.Figure{Units: v}
	}
	return out
}

func charts() []*document.Chart {
	day := func(s string) schemas.Date {
		d, err := schemas.ParseDate(s)
		if err != nil {
			panic(err)
		}
		return d
	}
	return []*document.Chart{
		{Key: "stacked", Kind: document.StackedBars, Title: "节点", Alt: "甲区3个。", Labels: []string{"甲区", "<乙>&区"},
			Series: []document.Series{{Name: "按期", Panel: "落地", Values: values(3, 0)}, {Name: "逾期", Panel: "落地", Values: values(1, 2)}, {Name: "按期", Panel: "开工", Values: values(0, 0)}, {Name: "逾期", Panel: "开工", Values: values(4, 5)}}},
		{Key: "grouped", Kind: document.GroupedBars, Title: "投资", Unit: "%", Labels: []string{"甲区"}, Series: []document.Series{{Name: "完成率", Values: []*schemas.Figure{nil}}},
			Reference: &document.Reference{Name: "时序", Value: &schemas.Figure{Units: 833, Decimals: 1}}},
		{Key: "lines", Kind: document.Lines, Title: "趋势", Unit: "%", Labels: []string{"1月", "2月", "3月"}, Series: []document.Series{{Name: "落地", Values: []*schemas.Figure{{Units: 10}, nil, {Units: 120}}}}},
		{Key: "timeline", Kind: document.Timeline, Title: "计划与实际", From: day("2025-01-01"), To: day("2025-12-31"), Today: day("2025-10-31"),
			Timeline: []document.TimelineRow{{Label: strings.Repeat("很长的项目名称", 8), Points: []document.TimelinePoint{{Name: "落地", Target: day("2025-02-01"), Reached: day("2025-03-01")}, {Name: "开工", Target: day("2025-06-01"), Forecast: day("2025-11-01")}, {Name: "投产"}}}}},
		{Key: "lights", Kind: document.LightMatrix, Title: "亮灯", Columns: []string{"绿", "红"}, Matrix: []document.MatrixRow{{Label: "甲区", Cells: []document.MatrixCell{{Light: schemas.Green, Text: "3"}, {}}}}},
	}
}

// Every chart is well-formed XML with a text for those who do not see it, draws
// the same bytes again, and refers to nothing outside.
func TestChartsAreWholeAndTheSameAgain(t *testing.T) {
	t.Parallel()
	for _, c := range charts() {
		svg, err := SVG(c)
		if err != nil {
			t.Fatalf("%s: %v", c.Key, err)
		}
		if again, _ := SVG(c); again != svg {
			t.Errorf("%s: other bytes", c.Key)
		}
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", c.Key, err)
			}
		}
		if !strings.Contains(svg, `role="img" aria-label="`+c.Title) || strings.Contains(svg, "url(") || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %s", c.Key, svg)
		}
	}
}

// On a narrow screen bars stand one panel below the other, with every value that
// the usual chart has.
func TestBarsAreDrawnForAPhone(t *testing.T) {
	t.Parallel()
	texts := regexp.MustCompile(`<text x="([0-9.]+)"[^>]*>([^<]*)</text>`)
	for _, c := range charts() {
		phone, drawn, err := Phone(c)
		if bars := c.Kind == document.StackedBars || c.Kind == document.GroupedBars; err != nil || drawn != bars {
			t.Fatalf("%s: drawn %v, %v", c.Key, drawn, err)
		}
		if !drawn {
			continue
		}
		usual, err := SVG(c)
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]bool{}
		for _, text := range texts.FindAllStringSubmatch(phone, -1) {
			said[text[2]] = true
			if x, _ := strconv.ParseFloat(text[1], 64); x > phoneWidth {
				t.Errorf("%s: %s stands at %v", c.Key, text[2], x)
			}
		}
		for _, text := range texts.FindAllStringSubmatch(usual, -1) {
			if !said[text[2]] {
				t.Errorf("%s: %s is missing", c.Key, text[2])
			}
		}
	}
	if _, _, err := Phone(&document.Chart{Kind: document.StackedBars, Labels: []string{"甲"}, Series: []document.Series{{Name: "乙"}}}); schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("values that do not fit: %v", err)
	}
}

// What a colour says is also said by a shape or a pattern.
func TestLightsHaveTheirOwnShapes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, l := range []schemas.Light{schemas.Green, schemas.Yellow, schemas.Red, schemas.Grey} {
		shape := document.LightShape(l)
		if seen[shape] {
			t.Errorf("%s has the shape of another light", l)
		}
		seen[shape] = true
	}
	forms := map[int]bool{}
	for _, l := range []schemas.Light{schemas.Green, schemas.Yellow, schemas.Red, schemas.Grey, schemas.NoneOn} {
		forms[lightForm(l)] = true
	}
	if len(forms) != 5 {
		t.Errorf("only %d forms", len(forms))
	}
}

func TestChartsThatDoNotFitAreErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*document.Chart{
		"values":   {Kind: document.Lines, Labels: []string{"甲"}, Series: []document.Series{{Name: "乙"}}},
		"cells":    {Kind: document.LightMatrix, Columns: []string{"绿"}, Matrix: []document.MatrixRow{{Label: "甲"}}},
		"timeline": {Kind: document.Timeline},
		"kind":     {Kind: "pie"},
	} {
		if _, err := SVG(c); schemas.CodeOf(err) != schemas.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}
