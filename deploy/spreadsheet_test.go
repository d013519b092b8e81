package deploy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// fillIn writes cells of a workbook and gives the path of the changed one.
func fillIn(t *testing.T, from, to string, cells map[string]any) string {
	t.Helper()
	f, err := excelize.OpenFile(from)
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
	path := filepath.Join(filepath.Dir(from), to)
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// importResult is what milepost import prints with --format json.
type importResult struct {
	Added, Changed, Unchanged, Refused, Planned, Published int
	PreviewID                                              string `json:"preview_id"`
	Events                                                 map[string]int
	Errors                                                 []struct {
		Sheet, Cell, Column, Value, Message, Hint string
		Row                                       int
	}
}

func importJSON(t *testing.T, p *process, code int, args ...string) (r importResult) {
	t.Helper()
	out := p.run(nil, append([]string{"import", "--format", "json"}, args...)...)
	if out.code != code {
		t.Fatalf("import %v: exit %d\n%s%s\nserver:\n%s", args, out.code, out.out, out.err, p.log)
	}
	if err := json.Unmarshal([]byte(out.out), &r); err != nil {
		t.Fatalf("%v in %s", err, out.out)
	}
	return r
}

// TestOfficeWorkbookRoundTrip: template, filled in, previewed, confirmed, in the
// ledger; the same file again publishes nothing, a changed cell one event.
func TestOfficeWorkbookRoundTrip(t *testing.T) {
	t.Parallel()
	p := serve(t)
	template := filepath.Join(t.TempDir(), "台账.xlsx")
	if r := runCommand(t, nil, "template", template); r.code != 0 {
		t.Fatal(r.err)
	}
	if r := runCommand(t, nil, "template", template); r.code == 0 || !strings.Contains(r.err, "--force") {
		t.Errorf("a file was replaced: %+v", r)
	}
	day := time.Date(2025, 1, 8, 0, 0, 0, 0, time.UTC)
	filled := fillIn(t, template, "十月.xlsx", map[string]any{
		"台账!B2": "2025年10月31日", "台账!A5": "0007", "台账!B5": "年产20万台电机项目", "台账!F5": "修武县", "台账!G5": "领导甲", "台账!H5": "市工业和信息化局", "台账!I5": day, "台账!J5": "3.6亿元", "台账!K5": 12000,
		"台账!L5": "2025-03-31", "台账!N5": "2025.4.18", "台账!U5": 9600, "台账!V5": "主体厂房封顶", "台账!A6": "0008", "台账!B6": "坏的一行", "台账!F6": "修武县", "台账!J6": "很多",
		"问题!A2": "0007", "问题!B2": "1", "问题!C2": "用地指标不足", "问题!D2": "用地", "问题!E2": "市自然资源和规划局", "问题!F2": "2025-10-10", "问题!G2": "2025-10-20",
	})
	back := filepath.Join(t.TempDir(), "退回.xlsx")
	dry := importJSON(t, p, 1, filled, "--dry-run", "--errors", back)
	if dry.Planned != 5 || dry.Added != 1 || dry.Refused != 1 || dry.PreviewID == "" || len(dry.Errors) != 1 || dry.Errors[0].Cell != "J6" || dry.Errors[0].Sheet != "台账" || dry.Errors[0].Row != 6 {
		t.Fatalf("%+v", dry)
	}
	f, err := excelize.OpenFile(back)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	comments, err := f.GetComments("台账")
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, c := range comments {
		if c.Cell == "J6" {
			marked++
		}
	}
	if marked != 1 {
		t.Errorf("comments %+v", comments)
	}
	if r := importJSON(t, p, 1, "--confirm", dry.PreviewID, "--wait"); r.Published != 5 {
		t.Errorf("%+v", r)
	}
	out := p.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	want := []any{map[string]any{
		"project_id": "0007", "name": "年产20万台电机项目", "district": "xiuwu", "lead": "领导甲", "department": "市工业和信息化局", "total_investment": 36000.0, "registered_on": "2025-01-08",
		"stage": "landed", "milestones": map[string]any{"landed": map[string]any{"baseline": "2025-03-31", "target": "2025-03-31", "reached_on": "2025-04-18", "late_days": 18.0}},
		"investment": map[string]any{"plan": 12000.0, "invested": 9600.0, "rate": 80.0}, "open_issues": 1.0, "overdue_issues": 1.0,
	}}
	got := make([]any, len(rows))
	for i := range rows {
		got[i] = rows[i]
	}
	for _, d := range differences("ledger", want, got) {
		t.Error(d)
	}
	if again := importJSON(t, p, 1, filled); again.Planned != 0 || again.Published != 0 || again.Unchanged != 1 {
		t.Errorf("again %+v", again)
	}
	changed := importJSON(t, p, 0, fillIn(t, filled, "改.xlsx", map[string]any{"台账!J6": 500, "台账!J5": "3.7亿元"}), "--wait")
	if changed.Published != 2 || changed.Changed != 1 || changed.Added != 1 || changed.Events["project.amended.v1"] != 1 || changed.Events["project.registered.v1"] != 1 {
		t.Errorf("changed %+v", changed)
	}
	for name, args := range map[string][]string{"an unknown preview": {"--confirm", "none"}, "a preview with a file": {"--confirm", "x", filled}, "no file": {}} {
		if r := p.run(nil, append([]string{"import"}, args...)...); r.code != 1 || r.err == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := runCommand(t, nil, "template", filepath.Join(t.TempDir(), "x.doc")); r.code == 0 {
		t.Errorf("a template of no kind: %+v", r)
	}
	mapping := filepath.Join(t.TempDir(), "mapping.yaml")
	if r := runCommand(t, nil, "template", mapping, "--district", "xiuwu", "--server", p.HTTP); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if text, err := os.ReadFile(mapping); err != nil || !strings.Contains(string(text), `sender: "xiuwu"`) {
		t.Errorf("%s %v", text, err)
	}
}

// TestBadSpreadsheetsOverHTTP: what cannot be read is told with its cell, and
// nothing is published.
func TestBadSpreadsheetsOverHTTP(t *testing.T) {
	t.Parallel()
	p := serve(t)
	post := func(path string, parts map[string]string) (int, string) {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for name, text := range parts {
			field, file, isFile := strings.Cut(name, "=")
			var w io.Writer
			var err error
			if isFile {
				w, err = form.CreateFormFile(field, file)
			} else {
				w, err = form.CreateFormField(field)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		response, err := http.Post(p.HTTP+path, form.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	for _, c := range []struct {
		name  string
		parts map[string]string
		want  int
		part  string
	}{
		{"an old workbook", map[string]string{"file=台账.xls": "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"}, 201, `"message":"the file is an old Excel workbook (.xls), or one with a password"`},
		{"a damaged workbook", map[string]string{"file=台账.xlsx": "PK\x03\x04"}, 201, `"message":"the workbook is damaged or cut short"`},
		{"a picture", map[string]string{"file=台账.csv": "\x89PNG\r\n\x1a\n\x00"}, 201, `"message":"the file is not UTF-8"`},
		{"columns twice", map[string]string{"file=台账.csv": "项目编号,项目名称,总投资,总投资(亿元)\n"}, 201, `"message":"the file has this column twice"`},
		{"no file", map[string]string{"snapshot_date": "2025-10-31"}, 422, `"message":"no file to import"`},
		{"a district that nobody has", map[string]string{"file=台账.csv": "x", "district": "atlantis"}, 422, `"message":"no configured district"`},
		{"a good row and a bad one", map[string]string{"file=台账-20251031.csv": "项目编号,项目名称,总投资\nA,甲,1\nB,乙,#N/A\n", "district": "xiuwu"}, 201, `"cell":"C3","value":"#N/A","message":"the formula of this cell has failed"`},
	} {
		status, text := post("/v1/imports/previews", c.parts)
		if status != c.want || !strings.Contains(text, c.part) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
	if out := p.mustRun(nil, "query", "SELECT count() FROM events FINAL", "--format", "tsv"); !strings.HasSuffix(strings.TrimSpace(out), "\n0") {
		t.Errorf("published: %s", out)
	}
	for path, want := range map[string]int{"/v1/imports/previews/none": 404, "/v1/imports/previews/none/errors.xlsx": 404, "/v1/imports/previews/..%2f..%2fetc": 404, "/v1/imports/template.xlsx?district=atlantis": 422} {
		if status, text := p.get(p.HTTP + path); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}
