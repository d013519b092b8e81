package imports_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"milepost/producers/imports"
	"milepost/schemas"
)

// officeRules have a directory, with a name that a spreadsheet would run.
func officeRules() *schemas.Rules {
	rules := *schemas.DefaultRules()
	rules.Departments = schemas.NewDirectory([]schemas.Entry{{ID: "gxj", Name: "市工业和信息化局", Aliases: []string{"市工信局"}}, {ID: "x", Name: "=HYPERLINK(\"x\")"}})
	rules.Leads = schemas.NewDirectory([]schemas.Entry{{ID: "a", Name: "领导甲"}, {ID: "b", Name: "领导乙"}})
	return &rules
}

// filled writes the template, fills cells of its sheets in, and gives its path.
func (o *office) filled(t *testing.T, name, sender string, cells map[string]any) string {
	t.Helper()
	var b bytes.Buffer
	if err := (imports.Template{Rules: o.importer.Rules, Sender: sender, On: schemas.NewDate(2025, 11, 30)}).Write(&b); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for place, value := range cells {
		sheet, cell, _ := strings.Cut(place, "!")
		if err := f.SetCellValue(sheet, cell, value); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(o.dir, name)
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func day(year int, month time.Month, n int) time.Time {
	return time.Date(year, month, n, 0, 0, 0, 0, time.UTC)
}

// twoProjects are the cells of a sheet of two projects and an issue.
func twoProjects() map[string]any {
	return map[string]any{
		"台账!A5": "0007", "台账!B5": "年产20万台电机项目", "台账!C5": "企业12有限公司", "台账!D5": "装备制造", "台账!E5": "省重点、专精特新", "台账!F5": "修武县", "台账!G5": "领导甲", "台账!H5": "市工业和信息化局",
		"台账!I5": day(2025, 1, 8), "台账!J5": 36000, "台账!K5": 12000, "台账!L5": day(2025, 3, 31), "台账!M5": "2025年4月", "台账!N5": "2025.4.18", "台账!O5": "2025年9月", "台账!R5": "2026-12-31", "台账!U5": "80%", "台账!V5": "主体厂房封顶",
		"台账!A6": "0008", "台账!B6": "=SUM(1,2)项目", "台账!F6": "wenxian", "台账!J6": "1.2亿元",
		"问题!A2": "0007", "问题!B2": "1", "问题!C2": "用地指标不足", "问题!D2": "用地", "问题!E2": "市工业和信息化局", "问题!F2": day(2025, 10, 10), "问题!G2": day(2025, 12, 31),
	}
}

func with(cells map[string]any, more map[string]any) map[string]any {
	for place, value := range more {
		cells[place] = value
	}
	return cells
}

func changes(p *imports.Preview) string {
	var b strings.Builder
	for _, project := range p.Changes {
		for _, e := range project.Events {
			fmt.Fprintf(&b, "%s %s %s", e.Snapshot, project.ProjectID, e.Type)
			for _, d := range e.Changes {
				fmt.Fprintf(&b, " %s:%s>%s", d.What, d.From, d.To)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// TestTemplateRoundTrip is a year of an office in short: template, filled,
// previewed, confirmed, the same again, changed.
func TestTemplateRoundTrip(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	send := func(path string) (*imports.Preview, *imports.Result) {
		t.Helper()
		p, err := imports.UploadPreview(t.Context(), o.client, "", []string{path}, imports.UploadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := imports.Confirm(t.Context(), o.client, p.ID, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Refused) > 0 || r.Failed > 0 || r.Published != p.Planned {
			t.Fatalf("%+v\n%+v", p, r)
		}
		return p, r
	}
	first, result := send(o.filled(t, "台账.xlsx", "", twoProjects()))
	want := `2025-11-30 0007 project.registered.v1 registered_on:>2025-01-08 name:>年产20万台电机项目 enterprise:>企业12有限公司 industry:>装备制造 tags:>省重点, 专精特新 total_investment:>36000 annual_plan 2025:>12000 landed target:>2025-03-31 started target:>2025-09-30 producing target:>2026-12-31
2025-11-30 0007 project.assigned.v1 lead:>领导甲 department:>市工业和信息化局
2025-11-30 0007 milestone.planned.v1 landed forecast:2025-03-31>2025-04-30
2025-11-30 0007 milestone.reached.v1 landed reached:>2025-04-18
2025-11-30 0007 progress.reported.v1 invested_ytd 2025-11:>9600
2025-11-30 0007 issue.raised.v1 issue 1:>用地指标不足 / land / 市工业和信息化局 / 2025-10-10 / 2025-12-31
2025-11-30 0008 project.registered.v1 registered_on:>2025-11-30 name:>=SUM(1,2)项目 total_investment:>12000
`
	if got := changes(first); got != want || first.Added != 2 || first.Source != "/offices/city" || first.Sender != "city" || result.Published != 7 {
		t.Errorf("first\n%s%+v", got, result)
	}
	again, result := send(o.filled(t, "台账.xlsx", "", twoProjects()))
	if again.Planned != 0 || again.Unchanged != 2 || result.Published != 0 {
		t.Errorf("the same again: %s%+v", changes(again), result)
	}
	for _, c := range []struct{ name, cell, to, want string }{
		{"the approved plan", "台账!O5", "2025-10-31", "2025-11-30 0007 milestone.planned.v1 started target:2025-09-30>2025-10-31\n"},
		{"a lead", "台账!G5", "领导乙", "2025-11-30 0007 project.assigned.v1 lead:领导甲>领导乙 department:市工业和信息化局>市工业和信息化局\n"},
		{"the issue's deadline", "问题!G2", "2026-01-31", "2025-11-30 0007 issue.raised.v1 issue 1:用地指标不足 / land / 市工业和信息化局 / 2025-10-10 / 2025-12-31>用地指标不足 / land / 市工业和信息化局 / 2025-10-10 / 2026-01-31\n"},
		{"resolved", "问题!H2", "2025-11-20", "2025-11-30 0007 issue.resolved.v1 resolution of issue 1:>2025-11-20\n"},
		{"resolved earlier", "问题!H2", "2025-11-18", "2025-11-30 0007 issue.resolved.v1 resolution of issue 1:2025-11-20>2025-11-18\n2025-11-30 0007 event.revoked.v1 resolution of issue 1:2025-11-20>2025-11-18\n"},
		{"the total", "台账!J6", "1.25亿元", "2025-11-30 0008 project.amended.v1 total_investment:12000>12500\n"},
	} {
		cells := with(twoProjects(), map[string]any{"台账!O5": "2025-10-31"})
		switch c.name {
		case "the approved plan":
		case "a lead":
			cells[c.cell] = c.to
		default:
			cells["台账!G5"] = "领导乙"
			cells["问题!G2"] = "2026-01-31"
			if c.name == "the total" {
				cells["问题!H2"] = "2025-11-18"
			}
			cells[c.cell] = c.to
		}
		p, _ := send(o.filled(t, "台账.xlsx", "", cells))
		if got := changes(p); got != c.want || p.Changed != 1 || p.Unchanged != 1 {
			t.Errorf("%s: %d changed\n%swanted\n%s", c.name, p.Changed, got, c.want)
		}
	}
}

// TestOfficesOwnSheet: an office approves no plan, lowers no plan of a year
// that has begun, and has no projects of other districts.
func TestOfficesOwnSheet(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	own := func() map[string]any {
		cells := twoProjects()
		delete(cells, "台账!F6")
		return cells
	}
	r, err := imports.Upload(t.Context(), o.client, "", []string{o.filled(t, "修武.xlsx", "xiuwu", own())}, imports.UploadOptions{})
	if err != nil || !r.OK() || r.Published != 7 || r.Sender != "xiuwu" || r.Source != "/offices/xiuwu" {
		t.Fatalf("%+v %v", r, err)
	}
	p, err := imports.UploadPreview(t.Context(), o.client, "", []string{o.filled(t, "修武.xlsx", "xiuwu", with(own(), map[string]any{
		"台账!O5": "2025-10-31", "台账!F6": "温县", "台账!A7": "0009", "台账!B7": "新项目", "台账!J7": 1, "问题!A3": "0404", "问题!B3": "1", "问题!C3": "x", "问题!D3": "金融", "问题!E3": "市工信局", "问题!F3": "2025-11-01", "问题!G3": "2025-10-01",
		"问题!A4": "0404", "问题!B4": "1", "问题!C4": "x", "问题!D4": "资金", "问题!E4": "市工信局", "问题!F4": "2025-11-01", "问题!G4": "2025-12-01",
	}))}, imports.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := "2025-11-30 0007 milestone.planned.v1 started forecast:2025-09-30>2025-10-31\n2025-11-30 0009 project.registered.v1 registered_on:>2025-11-30 name:>新项目 total_investment:>1\n"
	if got := changes(p); got != want || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0].Message, "only the city office changes an approved plan") {
		t.Errorf("%s%+v", got, p.Warnings)
	}
	var faults []string
	for _, f := range p.Refused {
		faults = append(faults, fmt.Sprintf("%s!%s %s: %s", f.Sheet, f.Cell, f.Value, f.Message))
	}
	wanted := "台账!F6 温县: another district than that of the office that sends the sheet\n问题!G3 2025-10-01: lies before the day on which the issue was raised\n问题!A4 0404: no such project is registered, nor in the sheet of projects without a fault"
	if got := strings.Join(faults, "\n"); got != wanted || p.RefusedRows != 3 {
		t.Errorf("refused\n%s\nwanted\n%s", got, wanted)
	}
	lower, err := imports.UploadPreview(t.Context(), o.client, "", []string{o.filled(t, "修武.xlsx", "xiuwu", with(own(), map[string]any{"台账!K5": 11000}))}, imports.UploadOptions{})
	if err != nil || len(lower.Refused) != 1 || lower.Refused[0].Cell != "K5" || !strings.Contains(lower.Refused[0].Message, "cannot lower the plan of 2025") {
		t.Errorf("%+v %v", lower, err)
	}
	for _, c := range []struct {
		name     string
		files    []string
		district string
		code     schemas.Code
	}{
		{"another district than the template's", []string{o.filled(t, "a.xlsx", "xiuwu", nil)}, "wenxian", schemas.Invalid},
		{"templates of two offices", []string{o.filled(t, "b.xlsx", "xiuwu", nil), o.filled(t, "c.xlsx", "wenxian", nil)}, "", schemas.Invalid},
		{"a district that nobody has", []string{o.filled(t, "d.xlsx", "", nil)}, "atlantis", schemas.Unknown},
		{"a mapping and a district", []string{o.filled(t, "e.xlsx", "", nil)}, "xiuwu", schemas.Invalid},
	} {
		mapping := ""
		if c.name == "a mapping and a district" {
			mapping = o.write(t, "mapping.yaml", xiuwuMapping)
		}
		if _, err := imports.Upload(t.Context(), o.client, mapping, c.files, imports.UploadOptions{District: c.district}); schemas.CodeOf(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestTemplateAsCSV: the same columns in a CSV file, in the encodings and with
// the delimiters that offices have.
func TestTemplateAsCSV(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	const rows = "项目编号,项目名称,总投资(亿元),备注\n0007,电机,\"1.5\",x\n"
	r, err := imports.Upload(t.Context(), o.client, "", []string{o.write(t, "台账-20251130.csv", rows)}, imports.UploadOptions{District: "xiuwu"})
	if err != nil || !r.OK() || r.Published != 1 || fmt.Sprint(r.Ignored) != "[备注]" || fmt.Sprint(r.Snapshots) != "[2025-11-30]" {
		t.Fatalf("%+v %v", r, err)
	}
	gbk := string([]byte{0xCF, 0xEE, 0xC4, 0xBF, 0xB1, 0xE0, 0xBA, 0xC5, ',', 0xCF, 0xEE, 0xC4, 0xBF, 0xC3, 0xFB, 0xB3, 0xC6, ',', 0xD7, 0xDC, 0xCD, 0xB6, 0xD7, 0xCA, '\n', '0', '0', '0', '7', ',', 0xB5, 0xE7, 0xBB, 0xFA, ',', '1', '5', '0', '0', '0', '\n'})
	for name, text := range map[string]string{"GB18030": gbk, "tabs": strings.ReplaceAll("项目编号,项目名称,总投资\n0007,电机,15000\n", ",", "\t"), "semicolons": "台账;;\n项目编号;项目名称;总投资\n0007;电机;15000\n"} {
		r, err := imports.Upload(t.Context(), o.client, "", []string{o.write(t, "台账-20251130.csv", text)}, imports.UploadOptions{District: "xiuwu"})
		if err != nil || !r.OK() || r.Unchanged != 1 || r.Planned != 0 {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
	r, err = imports.Upload(t.Context(), o.client, "", []string{o.write(t, "台账.csv", "项目编号,项目名称,总投资\n0007,电机,15000\n")}, imports.UploadOptions{District: "xiuwu"})
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Message, "does not say of which day it is; 2025-12-01 is taken") {
		t.Errorf("no date: %+v %v", r, err)
	}
}

func TestErrorsFiles(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	get := func(files ...string) *excelize.File {
		t.Helper()
		p, err := imports.UploadPreview(t.Context(), o.client, "", files, imports.UploadOptions{})
		if err != nil || !p.HasErrorsFile {
			t.Fatalf("%+v %v", p, err)
		}
		var b bytes.Buffer
		if err := imports.DownloadErrors(t.Context(), o.client, p.ID, &b); err != nil {
			t.Fatal(err)
		}
		f, err := excelize.OpenReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
		return f
	}
	marks := func(f *excelize.File, sheet string) (places []string) {
		t.Helper()
		comments, err := f.GetComments(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range comments {
			if c.Author != "Milepost" {
				style, err := f.GetCellStyle(sheet, c.Cell)
				if err != nil {
					t.Fatal(err)
				}
				look, err := f.GetStyle(style)
				if err != nil || len(look.Fill.Color) == 0 || look.Fill.Color[0] != "FFC7CE" {
					t.Errorf("%s is not red: %+v %v", c.Cell, look, err)
				}
				text := c.Text
				for _, run := range c.Paragraph {
					text += run.Text
				}
				places = append(places, c.Cell+": "+text)
			}
		}
		return places
	}
	bad := with(twoProjects(), map[string]any{"台账!J5": "很多", "台账!N5": "2025-02-30", "台账!F6": "火星"})
	path := o.filled(t, "台账.xlsx", "", bad)
	f := get(path)
	got := strings.Join(marks(f, "台账"), "\n")
	for _, want := range []string{"J5: 不是金额\uff08很多\uff09\uff1b写成数字", "N5: 不是日期\uff0c或没有这一天\uff082025-02-30\uff09", "F6: 没有这个县\uff08市\uff09区\uff08火星\uff09"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if rows, err := f.GetRows("导入问题"); err != nil || len(rows) != 5 || rows[1][2] != "J5" {
		t.Errorf("the list: %v %v", rows, err)
	}
	if name, err := f.GetCellValue("台账", "B6"); err != nil || name != "=SUM(1,2)项目" {
		t.Errorf("%s %v", name, err)
	}

	// The file that came back with all but one mended: the comments of before
	// are gone, and the rest of the office's workbook stays.
	for cell, value := range map[string]any{"J5": 36000, "N5": "2025-04-18"} {
		if err := f.SetCellValue("台账", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	back := filepath.Join(o.dir, "back.xlsx")
	if err := f.SaveAs(back); err != nil {
		t.Fatal(err)
	}
	if got := marks(get(back), "台账"); len(got) != 1 || !strings.HasPrefix(got[0], "F6: ") {
		t.Errorf("again: %q", got)
	}

	csv := o.write(t, "台账-20251130.csv", "项目编号,项目名称,总投资,县(市)区\n1,\"=1+1\",x,修武县\n2,乙,2,修武县\n,丙,3,修武县\n")
	f = get(csv, o.filled(t, "台账2.xlsx", "", bad))
	sheet := "文件1"
	if got := marks(f, sheet); len(got) != 2 || !strings.HasPrefix(got[0], "D2: ") || !strings.HasPrefix(got[1], "B3: ") {
		t.Errorf("of CSV: %q", got)
	}
	rows, err := f.GetRows(sheet)
	if err != nil || len(rows) != 3 || fmt.Sprint(rows[1]) != "[2 1 =1+1 x 修武县]" {
		t.Errorf("%v %v", rows, err)
	}
	if formula, err := f.GetCellFormula(sheet, "C2"); err != nil || formula != "" {
		t.Errorf("a formula got out: %q %v", formula, err)
	}
	if got := marks(f, "文件2 台账"); len(got) != 3 {
		t.Errorf("of the workbook beside it: %q", got)
	}
}

func TestProgressIsTold(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	var b strings.Builder
	b.WriteString("项目编号,项目名称,总投资\n")
	for n := range 10_000 {
		fmt.Fprintf(&b, "%d,甲,1\n", n)
	}
	var told []string
	r, err := imports.Upload(t.Context(), o.client, "", []string{o.write(t, "台账-20251130.csv", b.String())}, imports.UploadOptions{District: "xiuwu", Progress: func(p imports.Progression) {
		told = append(told, fmt.Sprintf("%s %d/%d", p.Stage, p.Done, p.Total))
	}})
	if err != nil || r.Published != 10_000 || strings.Join(told, " ") != "read 10000/0 planned 10000/10000 published 10000/10000" {
		t.Errorf("%q %+v %v", told, r, err)
	}
}
