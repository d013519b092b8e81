package imports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// sheetMapping reads the sheets of the tests below.
const sheetMapping = `
source: /city/office
sender: city
snapshot: {label: 截止日期, file_name: YYYYMMDD}
project: {column: 编号}
name: {column: 名称}
total_investment: {column: 总投资}
district: {column: 县区}
registered_on: {column: 登记日期}
annual_plan: [{year: snapshot, column: 年计划}]
progress: {invested_ytd: {column: 累计投资, percent_of_plan: true}}
optional: [登记日期, 年计划, 累计投资]
`

// book makes a workbook out of rows that begin at A1 of the first sheet.
func book(t testing.TB, rows [][]any, more ...func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", cellName(0, i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range more {
		change(f)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// styled gives cells a number format.
func styled(t testing.TB, from, to, format string) func(*excelize.File) {
	return func(f *excelize.File) {
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellStyle("Sheet1", from, to, style); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFaultsInTheOfficesWords: what was found is told, with what the message
// said in its place; what is not of cells stays as it is.
func TestFaultsInTheOfficesWords(t *testing.T) {
	words := newFaultWords()
	for _, c := range []struct{ message, value, want string }{
		{"lies after the snapshot's date 2026-03-31", "2026-04-01", "晚于数据截止日期 2026-03-31\uff082026-04-01\uff09\uff1b更正日期\uff1b尚未发生的填在计划或预计列"},
		{"an office cannot lower the plan of 2026, which has begun: it is 12000", "", "2026 年已开始\uff0c县\uff08市\uff09区单位不得调低本年计划投资\uff08现为 12000\uff09\uff1b确需调整的\uff0c请市级单位办理"},
		{"an amount above 10000000000 万元", "", "金额超过 10000000000 万元\uff1b更正金额或单位"},
		{"the server is away", "", "the server is away\uff1btry again"},
	} {
		if got := words.text(&Fault{Message: c.message, Value: c.value, Hint: "try again"}); got != c.want {
			t.Errorf("%s: %s, wanted %s", c.message, got, c.want)
		}
	}
}

func must(t testing.TB, steps ...func(*excelize.File) error) func(*excelize.File) {
	return func(f *excelize.File) {
		for _, step := range steps {
			if err := step(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// readBook reads a workbook and gives its rows in a few words, and its faults.
func readBook(t testing.TB, mapping, file string, raw []byte) (rows, faults []string) {
	t.Helper()
	m, err := ParseMapping([]byte(mapping), schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	r := &Reading{}
	r.Read(m, file, bytes.NewReader(raw), 0, today)
	for _, s := range r.Snapshots {
		for _, row := range s.Rows {
			text := fmt.Sprintf("%s %d:%s|%s|%s|%s|%s", s.Date, row.Number, row.Project, row.fields[fieldName].value, row.fields[fieldTotal].value, row.fields[fieldDistrict].value, row.registeredOn)
			for _, y := range row.plans {
				text += "|" + y.value
			}
			rows = append(rows, text+"|"+row.fields[fieldInvested].value)
		}
	}
	words := newFaultWords()
	for _, f := range r.Faults {
		if problem, _ := words.say(&f); f.Cell != "" && problem == f.Message {
			t.Errorf("no Chinese words for %q", f.Message)
		}
		faults = append(faults, fmt.Sprintf("%s!%s %d:%s:%s: %s; %s", f.Sheet, f.Cell, f.Row, f.Column, f.Value, f.Message, f.Hint))
	}
	return rows, faults
}

var sheetHeader = []any{"编号", "名称", "总投资", "县区", "登记日期", "年计划", "累计投资"}

func TestWorkbooksAsOfficesKeepThem(t *testing.T) {
	day := time.Date(2025, 3, 5, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		file   string
		rows   [][]any
		more   []func(*excelize.File)
		want   []string
		faults []string // part of each
	}{
		{name: "titles, a labelled date, numbers and a unit in the names", rows: [][]any{
			{"山阳区重大项目台账"}, {"截止日期", day},
			{"编号", "名称", "总投资(亿元)", "县区", "登记日期", "年计划(元)", "累计投资"},
			{"0007", "甲", 1.2, "山阳区", day, 12000000, 300.25}, {"B", "乙", "3500万", "xiuwu", "2025-3-4", "1,000,000.00", "0.5"},
		}, more: []func(*excelize.File){styled(t, "B2", "B2", "yyyy/m/d"), styled(t, "E4", "E4", `yyyy"年"m"月"d"日"`)},
			want: []string{"2025-03-05 4:0007|甲|12000|shanyang|2025-03-05|1200|300.25", "2025-03-05 5:B|乙|3500|xiuwu|2025-03-04|100|0.5"}},
		{name: "a unit in a title, percentages, full-width signs", rows: [][]any{
			{"单位:亿元"}, sheetHeader, {"A-1", "甲", 2, "shanyang", nil, 1, 0.125}, {"B", "乙", "1.5", "shanyang", nil, "1 ", "30%"}, {"C", "丙", "1", "shanyang", nil, nil, "30%"},
		}, more: []func(*excelize.File){styled(t, "G3", "G3", "0.0%")},
			want:   []string{"2025-03-31 3:A-1|甲|20000|shanyang||10000|1250", "2025-03-31 4:B|乙|15000|shanyang||10000|3000"},
			faults: []string{"Sheet1!G5 5:累计投资:30%: a percentage, and the row has no plan of 2025"}},
		{name: "dates of all forms in one column", rows: [][]any{
			sheetHeader, {"A", "甲", 1, "xiuwu", "2025-03-05"}, {"B", "甲", 1, "xiuwu", "2025/3/5"}, {"C", "甲", 1, "xiuwu", "2025年3月5日"}, {"D", "甲", 1, "xiuwu", "2025.3.5"},
			{"E", "甲", 1, "xiuwu", day}, {"F", "甲", 1, "xiuwu", 20250305}, {"G", "甲", 1, "xiuwu", "2025年 3 月 5 日"}, {"H", "甲", 1, "xiuwu", 45721}, {"I", "甲", 1, "xiuwu", "2025-02-30"}, {"J", "甲", 1, "xiuwu", "45721"}, {"K", "甲", 1, "xiuwu", 0.5},
		}, more: []func(*excelize.File){styled(t, "E12", "E12", "yyyy-mm-dd hh:mm")},
			want: []string{
				"2025-03-31 2:A|甲|1|xiuwu|2025-03-05|", "2025-03-31 3:B|甲|1|xiuwu|2025-03-05|", "2025-03-31 4:C|甲|1|xiuwu|2025-03-05|", "2025-03-31 5:D|甲|1|xiuwu|2025-03-05|",
				"2025-03-31 6:E|甲|1|xiuwu|2025-03-05|", "2025-03-31 7:F|甲|1|xiuwu|2025-03-05|", "2025-03-31 8:G|甲|1|xiuwu|2025-03-05|",
			},
			faults: []string{"Sheet1!E9 9:登记日期:45721: a number, not a date", "Sheet1!E10 10:登记日期:2025-02-30: not a date in the mapping's form, or no such day", "Sheet1!E11 11:登记日期:45721: not a date: it looks like the number", "Sheet1!E12 12:登记日期:0.5: the cell is shown as a date and is no day"}},
		{name: "the system of 1904", rows: [][]any{sheetHeader, {"A", "甲", 1, "xiuwu", 44259}}, more: []func(*excelize.File){styled(t, "E2", "E2", "yyyy-mm-dd"), must(t, func(f *excelize.File) error {
			since1904 := true
			return f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &since1904})
		})}, want: []string{"2025-03-31 2:A|甲|1|xiuwu|2025-03-05|"}},
		{name: "merged names in two rows, merged row labels", rows: [][]any{
			{"编号", "名称", "投资", nil, "县区"}, {nil, nil, "总投资(万元)", "年计划(万元)"}, {"A", "甲", 1, 2, "修武县"}, {"B", "乙", 3, 4}, {"C", "丙", 5, 6, "温县"},
		}, more: []func(*excelize.File){must(t,
			func(f *excelize.File) error { return f.MergeCell("Sheet1", "A1", "A2") }, func(f *excelize.File) error { return f.MergeCell("Sheet1", "B1", "B2") },
			func(f *excelize.File) error { return f.MergeCell("Sheet1", "C1", "D1") }, func(f *excelize.File) error { return f.MergeCell("Sheet1", "E1", "E2") },
			func(f *excelize.File) error { return f.MergeCell("Sheet1", "E3", "E4") },
		)}, want: []string{"2025-03-31 3:A|甲|1|xiuwu||2|", "2025-03-31 4:B|乙|3|xiuwu||4|", "2025-03-31 5:C|丙|5|wenxian||6|"}},
		{name: "merged amounts and ids", rows: [][]any{sheetHeader, {"A", "甲", 1, "xiuwu"}, {"B", "乙", nil, "xiuwu"}, {"C", "丙", 1, "xiuwu"}, {nil, "丁", 1, "xiuwu"}}, more: []func(*excelize.File){must(t,
			func(f *excelize.File) error { return f.MergeCell("Sheet1", "C2", "C3") }, func(f *excelize.File) error { return f.MergeCell("Sheet1", "A4", "A5") },
		)}, faults: []string{"C2 2:总投资:1: one amount is merged over several cells", "C3 3:总投资:1: one amount is merged", "A4 4:编号:C: the project id is merged", "A5 5:编号:C: the project id is merged"}},
		{name: "formulas: their results, their errors, none at all", rows: [][]any{sheetHeader, {"A", "甲", nil, "xiuwu"}, {"B", "乙", nil, "xiuwu"}, {"C", "丙", "#N/A", "xiuwu"}}, more: []func(*excelize.File){must(t,
			func(f *excelize.File) error { return f.SetCellFormula("Sheet1", "C3", "1+1") },
			func(f *excelize.File) error {
				if err := f.SetCellFormula("Sheet1", "C2", "40+2"); err != nil {
					return err
				}
				return f.SetCellDefault("Sheet1", "C2", "42")
			},
		)}, faults: []string{"C3 3:总投资:: the formula of this cell has no stored result; open the file in Excel or WPS", "C4 4:总投资:#N/A: the formula of this cell has failed"}},
		{name: "an id that became a number", rows: [][]any{sheetHeader, {1.5e19, "甲", 1, "xiuwu"}, {12, "乙", 1, "xiuwu"}}, want: []string{"2025-03-31 3:12|乙|1|xiuwu||"}, faults: []string{"A2 2:编号:15000000000000000000: the spreadsheet has made a number"}},
		{name: "amounts that are none", rows: [][]any{sheetHeader, {"A", "甲", "85%", "xiuwu"}, {"B", "乙", -1, "xiuwu"}, {"C", "丙", "约3亿", "xiuwu"}, {"D", "丁", 1, "火星"}},
			faults: []string{"C2 2:总投资:85%: not an amount; a percentage is no amount", "C3 3:总投资:-1: an amount below zero", "C4 4:总投资:约3亿: not an amount", "D5 5:县区:火星: no configured district"}},
		{name: "a column twice, known by one name", rows: [][]any{{"编号", "名称", "总投资(万元)", "总投资(亿元)", "县区"}, {"A", "甲", 1, 1, "xiuwu"}}, faults: []string{"1:总投资:: the file has this column twice; rename one of columns C and D"}},
		{name: "a column twice, once by its very name", rows: [][]any{{"编号", "名称", "总投资", "总投资(亿元)", "县区"}, {"A", "甲", 1, 1, "xiuwu"}}, faults: []string{"1:总投资:: the file has this column twice; rename one of columns C and D"}},
		{name: "columns that are missing", rows: [][]any{{"编号", "名称"}, {"A", "甲"}}, faults: []string{"1:总投资:: the file has no such column; its columns are 编号, 名称", "1:县区:: the file has no such column"}},
		{name: "no sheet with anything", rows: nil, faults: []string{"the file has no row of column names"}},
		{name: "no date anywhere", file: "台账.xlsx", rows: [][]any{{"截止日期"}, sheetHeader, {"A", "甲", 1, "xiuwu"}}, faults: []string{"Sheet1!B1 0::: nothing tells the snapshot's date; fill it in beside 截止日期"}},
		{name: "a date to come", rows: [][]any{{"截止日期:2027年1月1日"}, sheetHeader, {"A", "甲", 1, "xiuwu"}}, faults: []string{"Sheet1!A1 0::2027-01-01: the snapshot's date lies in the future"}},
		{name: "hidden sheets and others before", rows: [][]any{{"说明"}}, more: []func(*excelize.File){must(t,
			func(f *excelize.File) error { _, err := f.NewSheet("台账"); return err },
			func(f *excelize.File) error { return f.SetSheetRow("台账", "A1", &sheetHeader) },
			func(f *excelize.File) error { return f.SetSheetRow("台账", "A2", &[]any{"A", "甲", 1, "xiuwu"}) },
		)}, want: []string{"2025-03-31 2:A|甲|1|xiuwu||"}},
		{name: "cells that are only formatted", rows: [][]any{sheetHeader, {"A", "甲", 1, "xiuwu"}}, more: []func(*excelize.File){styled(t, "A3", "Z50", "@")}, want: []string{"2025-03-31 2:A|甲|1|xiuwu||"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.file == "" {
				c.file = "台账-20250331.xlsx"
			}
			rows, faults := readBook(t, sheetMapping, c.file, book(t, c.rows, c.more...))
			if c.name == "formulas: their results, their errors, none at all" {
				c.want = []string{"2025-03-31 2:A|甲|42|xiuwu||"}
			}
			if !slices.Equal(rows, c.want) {
				t.Errorf("rows\n%s\nwanted\n%s", strings.Join(rows, "\n"), strings.Join(c.want, "\n"))
			}
			if len(faults) != len(c.faults) {
				t.Fatalf("faults\n%s", strings.Join(faults, "\n"))
			}
			for i := range faults {
				if !strings.Contains(faults[i], c.faults[i]) {
					t.Errorf("fault %s\nwanted %s", faults[i], c.faults[i])
				}
			}
		})
	}
}

func TestDaysOfSerials(t *testing.T) {
	for _, c := range []struct {
		n         float64
		since1904 bool
		want      string
	}{
		{1, false, "1900-01-01"}, {59, false, "1900-02-28"}, {60, false, ""}, {61, false, "1900-03-01"}, {45721.99, false, "2025-03-05"}, {0.5, false, ""}, {-1, false, ""},
		{0, true, "1904-01-01"}, {44259, true, "2025-03-05"}, {146098, false, "2299-12-31"}, {146099, false, ""}, {1e300, false, ""},
	} {
		day, ok := dayOfSerial(c.n, c.since1904)
		if ok != (c.want != "") || ok && day.String() != c.want {
			t.Errorf("%v (1904: %t): %s %t, wanted %s", c.n, c.since1904, day, ok, c.want)
		}
	}
}

func TestNumberFormats(t *testing.T) {
	for format, want := range map[string]numberStyle{
		"General": plainStyle, "0.00": plainStyle, "#,##0.00": plainStyle, `"日期"0`: plainStyle, "[Red]0": plainStyle, "0.00E+00": plainStyle, "@": plainStyle, `\d0`: plainStyle, "G/通用格式": plainStyle,
		"yyyy-mm-dd": dateStyle, `yyyy"年"m"月"d"日"`: dateStyle, "[$-804]yyyy/m/d;@": dateStyle, "m/d/yy h:mm": dateStyle, "0%": percentStyle, "0.00%": percentStyle, `0"%"`: plainStyle, "": plainStyle, `"open`: plainStyle, `\`: plainStyle,
	} {
		if got := styleOf(format); got != want {
			t.Errorf("%s: %d, wanted %d", format, got, want)
		}
	}
}

// FuzzWorkbook: whatever stands in a sheet, nothing panics and each row is read
// or refused.
func FuzzWorkbook(f *testing.F) {
	raw := book(f, [][]any{{"编号"}})
	f.Add(headCells + dataRow(2))
	f.Add(headCells + `<row r="2"><c r="A2" t="s"><v>0</v></c><c t="e"><v>#REF!</v></c><c s="1"><f>A1</f></c></row></sheetData><mergeCells><mergeCell ref="A1:B9"/></mergeCells>`)
	f.Add(`<row r="x"/>`)
	f.Fuzz(func(t *testing.T, rows string) {
		changed := rezip(t, raw, map[string]func(io.Writer){sheetPath: text(`<worksheet><sheetData>`, rows, `</sheetData></worksheet>`)})
		m, err := ParseMapping([]byte(sheetMapping), schemas.DefaultRules())
		if err != nil {
			t.Fatal(err)
		}
		r := &Reading{}
		r.Read(m, "台账-20250331.xlsx", bytes.NewReader(changed), 0, today)
		if (r.Refused == 0) != (len(r.Faults) == 0) {
			t.Fatalf("%d refused and faults %v", r.Refused, r.Faults)
		}
	})
}
