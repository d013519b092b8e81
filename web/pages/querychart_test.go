package pages

import (
	"strings"
	"testing"
)

func TestDrawChoosesColumns(t *testing.T) {
	columns := []resultColumn{{Name: "district", Type: "String"}, {Name: "light", Type: "String"}, {Name: "projects", Type: "UInt64", Number: true}}
	rows := [][]string{{"山阳区", "red", "3"}, {"山阳区", "green", "4"}, {"修武县<", "red", "1.5"}, {"修武县<", "grey", unknown}}
	p := draw(columns, rows, plotWish{})
	if p == nil || p.X != "district" || p.Y != "projects" || p.By != "light" || p.Shape != "bar" || len(p.Legend) != 3 || p.Shown != 2 {
		t.Fatalf("chosen: %+v", p)
	}
	for _, want := range []string{"修武县&lt;", `class="series-5"`, `class="series-2"`, ">7<", ">1.5<"} {
		if !strings.Contains(string(p.Drawing), want) {
			t.Errorf("the drawing lacks %s: %s", want, p.Drawing)
		}
	}
	if p := draw(columns, rows, plotWish{X: "light", Y: "district", By: "light", Shape: "pie"}); p.X != "light" || p.Y != "projects" || p.By != "" || p.Shape != "bar" {
		t.Errorf("a wish that cannot be: %+v", p.plotWish)
	}
	if draw(columns[:2], [][]string{{"a", "b"}}, plotWish{}) != nil || draw(columns, nil, plotWish{}) != nil {
		t.Error("a chart of nothing")
	}
}

func TestDrawOrdersAndBounds(t *testing.T) {
	columns := []resultColumn{{Name: "day", Type: "Date"}, {Name: "v", Type: "Float64", Number: true}}
	rows := [][]string{{"2025-03-01", "-2"}, {"2025-01-01", "1234567.25"}, {"2025-02-01", "nan"}, {"2025-02-02", "inf"}}
	p := draw(columns, rows, plotWish{})
	text := string(p.Drawing)
	if p.Shape != "line" || p.Shown != 2 || strings.Index(text, "2025-01-01") > strings.Index(text, "2025-03-01") || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("%+v", p)
	}
	var many [][]string
	for i := range 900 {
		many = append(many, []string{strings.Repeat("甲", 20) + strings.Repeat("x", i%9), "1"})
	}
	if p := draw(columns, many, plotWish{Shape: "bar"}); p.Shown != maxBars || !p.Cut || strings.Count(string(p.Drawing), "<rect") != 2*maxBars || !strings.Contains(string(p.Drawing), "…") {
		t.Errorf("%d bars, cut %t", p.Shown, p.Cut)
	}
	// More series than colours become one more; nothing of them is lost.
	columns = append(columns, resultColumn{Name: "s", Type: "String"})
	var series [][]string
	for i := range 9 {
		series = append(series, []string{"2025-01-01", "10", string(rune('a' + i))})
	}
	if p := draw(columns, series, plotWish{X: "day", Y: "v", By: "s", Shape: "bar"}); len(p.Legend) != maxSeries+1 || p.Legend[maxSeries].Name != otherSeries || !strings.Contains(string(p.Drawing), ">90<") {
		t.Errorf("series: %+v", p.Legend)
	}
}

func TestInShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 7: "7", -1234567: "-1,234,567", 1.5: "1.5", 0.126: "0.13", 123.456: "123", -0.5: "-0.5"} {
		if got := inShort(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
