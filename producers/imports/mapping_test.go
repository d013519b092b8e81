package imports

import (
	"strings"
	"testing"

	"milepost/schemas"
)

func TestMappingTellsAllItsFaults(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unknown keys and wrong kinds, with lines", "source: /x\nsendr: city\nfile: {header_row: one, delimter: ';'}\nname: [a]\nproject:\n  colum: PID\n", []string{
			"line 2: sendr: unknown key", "line 3: file.header_row: must be a whole number", "line 3: file.delimter: unknown key", "line 4: name: must be a table", "line 6: project.colum: unknown key; known are column, prefix, values",
		}},
		{"not YAML", "a: [", []string{"not YAML"}},
		{"empty", "# nothing\n", []string{"empty"}},
		{"a key twice", "source: a\nsource: b\n", []string{"source"}},
		{"meaning", `source: "a b"
sender: atlantis
file: {encoding: latin-1, delimiter: ab, header_row: 0x}
`, []string{"line 3: file.header_row"}},
		{"meaning of all", `source: "a b"
sender: atlantis
file: {encoding: latin-1, delimiter: ab, header_row: 101}
dates: [DD/MM]
snapshot: {column: d, file_name: YYYY, layouts: [jj]}
project: {prefix: é}
name: {column: n, layouts: [YYYY-MM-DD]}
total_investment: {column: t, divide_by: 0, default: x, several: {separator: ","}}
lead: {column: l}
annual_plan: [{year: 1, column: a}, {year: snapshot, column: b}, {year: snapshot, column: c}]
milestones:
  landed: {reached: {}}
  started: {reached: {when: {column: p, in: [x], order: [y]}}}
  producing: {planned: [{column: a}, {column: b}, {column: c, approved: true, default: 2026-01-01}]}
progress: {month: next}
issues: {sheet: 问题, category: {column: c, values: {甲: none}}}
optional: [x, p]
`, []string{
			"line 1: source:", "line 2: sender:", "line 3: file.encoding:", "line 3: file.delimiter:", "line 3: file.header_row:", "line 4: dates.1:", "line 5: snapshot: has a column and a file_name",
			"line 5: snapshot.layouts.1:", "line 5: snapshot.file_name:", "line 6: project: needs column", "line 6: project.prefix:", "line 7: name.layouts:", "line 8: total_investment.divide_by:",
			"line 8: total_investment.default:", "line 8: total_investment.several:", "line 9: lead:", "line 10: annual_plan.1.year:", "line 10: annual_plan.3.year: stands twice", "line 12: milestones.landed.reached: needs either",
			`line 13: milestones.started.reached.when.order: lacks "x"`, "line 14: milestones.producing.planned.2: there can be one", "line 14: milestones.producing.planned.3.default:",
			"line 15: progress: needs invested_ytd", "line 15: progress.month:", "line 16: issues: needs project", "line 16: issues: needs due_on", `line 16: issues.category.values.甲: "none" is no category`,
			"line 16: issues: needs id", "line 16: issues: needs title", "line 16: issues: needs department", "line 16: issues: needs raised_on", `line 17: optional.1: "x" is no mapped column`,
		}},
		{"the city's districts", "source: /x\nsender: city\nsnapshot: {column: d}\nproject: {column: p}\nname: {column: n}\ntotal_investment: {column: t}\ndistrict: {column: c, values: {甲: nowhere}, default: atlantis}\n", []string{
			"line 7: district.default:", `line 7: district.values.甲: "nowhere"`,
		}},
		{"an office's district", "source: /x\nsender: xiuwu\nproject: {column: p}\nname: {column: n}\ntotal_investment: {column: t}\ndistrict: {column: c, default: xiuwu}\n", []string{"line 6: district.default: has no effect"}},
		{"a table that cannot be read", "source: /x\nsender: xiuwu\nfile: {header_row: -1, header_rows: 9}\nsnapshot: {column: d, label: 截止}\nproject: {column: p}\nname: {column: n, percent_of_plan: true}\ntotal_investment: {column: t}\noptional: [p]\n", []string{
			"line 3: file.header_row:", "line 3: file.header_rows:", "line 4: snapshot: has a column, so label", "line 6: name.percent_of_plan:", "line 8: optional.1: nothing can be read",
		}},
	} {
		_, err := ParseMapping([]byte(c.text), schemas.DefaultRules())
		if schemas.CodeOf(err) != schemas.Invalid {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		lines := strings.Split(err.Error(), "\n")[1:]
		if len(lines) != len(c.want) {
			t.Errorf("%s: %d faults, wanted %d:\n%v", c.name, len(lines), len(c.want), err)
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in\n%v", c.name, want, err)
			}
		}
	}
}

func TestWordsOfAMappingStayWords(t *testing.T) {
	m, err := ParseMapping([]byte(cityMapping+"industry: {column: x, values: {NO: 无, 1.0: 一, null: 空, \"\": 没填}}\n"), schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]string{"NO": "无", "1.0": "一", "null": "空"} {
		if got := m.Industry.meaning(cell); got != want {
			t.Errorf("%s: %q", cell, got)
		}
	}
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		layout, text, want string
		within             bool
	}{
		{"MM/DD/YYYY HH:mm:ss AM", "09/01/2013 12:00:00 AM", "2013-09-01", false},
		{"YYYY年M月D日", "2025年3月7日", "2025-03-07", false},
		{"YYYY-MM-DD", "2025-3-7", "2025-03-07", false},
		{"YYYY-MM-DD", "2025-02-29", "", false},
		{"YYYY-MM-DD", "x2025-02-28", "", false},
		{"YYYYMMDD", "20250307", "2025-03-07", false},
		{"YYYYMMDD", "2025037", "", false},
		{"YYYY.MM", "2024.2", "2024-02-29", false},
		{"YYYYMMDD", "台账-20250307(终).csv", "2025-03-07", true},
		{"YYYYMM", "台账202503.csv", "2025-03-31", true},
		{"YYYYMMDD", "120250307.csv", "", true},
	} {
		l, err := parseLayout(c.layout, c.within)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := l.parse(c.text); ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s of %q: %s %t", c.layout, c.text, got, ok)
		}
	}
	for _, wrong := range []string{"", "YYYY", "MM/DD", "YYYY-MM-YYYY", "2006-01-02", "DD MMM YYYY h", strings.Repeat("-", 70)} {
		if _, err := parseLayout(wrong, false); err == nil {
			t.Errorf("layout %q is taken", wrong)
		}
	}
}

func TestAmountsAreExact(t *testing.T) {
	cell := &Cell{DivideBy: "10000"}
	d := &document{}
	perWan := scaleOf(d, "", cell)
	yi := scaleOf(d, "", &Cell{MultiplyBy: "10000"})
	one := scaleOf(d, "", &Cell{})
	for _, c := range []struct {
		text, want string
		scale      any
	}{
		{"66616435", "6661.64", perWan}, {"63554849.18", "6355.48", perWan}, {"50", "0.01", perWan}, {"49.999999999999999999", "0", perWan}, {"12,345,678.9", "1234.57", perWan},
		{"1.2E+07", "1200", perWan}, {"$ 1,000", "0.1", perWan}, {"1.5", "15000", yi}, {".5", "0.5", one}, {"7.", "7", one}, {"¥3", "3", one}, {"0.005", "0.01", one}, {"10000000000", "10000000000", one},
		{"-1", "", one}, {"(1)", "", one}, {"1,23", "", one}, {"1.2.3", "", one}, {"abc", "", one}, {"10000000000.01", "", one}, {"1e99", "", one}, {"NaN", "", one}, {"0x10", "", one}, {"1/2", "", one}, {"1万", "", one},
	} {
		scale := one
		switch c.scale {
		case perWan:
			scale = perWan
		case yi:
			scale = yi
		}
		got, err := parseAmount(c.text, scale)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("%s: %s %v, wanted %q", c.text, got, err, c.want)
		}
	}
}
