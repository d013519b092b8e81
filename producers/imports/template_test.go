package imports

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// writtenTemplate writes a template with a list of names that spreadsheets
// would run.
func writtenTemplate(t *testing.T, sender string) *excelize.File {
	t.Helper()
	rules := *schemas.DefaultRules()
	rules.Departments = schemas.NewDirectory([]schemas.Entry{{ID: "a", Name: "=cmd|' /C calc'!A0"}, {ID: "b", Name: "+1"}, {ID: "c", Name: "@x"}, {ID: "d", Name: "-2"}, {ID: "e", Name: "旧单位", To: schemas.NewDate(2020, 1, 1)}})
	rules.LeadsClosed = true
	var b bytes.Buffer
	if err := (Template{Rules: &rules, Sender: sender, On: schemas.NewDate(2026, 3, 31)}).Write(&b); err != nil {
		t.Fatal(err)
	}
	if mark, ok := markOf(b.Bytes()); !ok || mark.version != templateVersion || mark.sender != cmpOr(sender, "city") {
		t.Errorf("mark %+v %t", mark, ok)
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

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestTemplateWorkbook(t *testing.T) {
	t.Parallel()
	f := writtenTemplate(t, "")
	if got := f.GetSheetList(); !slices.Equal(got, []string{"台账", "问题", "填表说明", "选项"}) {
		t.Errorf("sheets %q", got)
	}
	if shown, err := f.GetSheetVisible("选项"); err != nil || shown {
		t.Errorf("the lists are shown, %v", err)
	}
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for k := range row {
				if formula, err := f.GetCellFormula(sheet, cellName(k, i+1)); err != nil || formula != "" {
					t.Errorf("%s!%s is a formula: %s %v", sheet, cellName(k, i+1), formula, err)
				}
			}
		}
	}
	lists, err := f.GetCols("选项")
	if err != nil || len(lists) != 4 || !slices.Equal(lists[2][:6], []string{"责任单位", "=cmd|' /C calc'!A0", "+1", "@x", "-2", ""}) || len(lists[0]) != 12 {
		t.Errorf("lists %q %v", lists, err)
	}
	validations, err := f.GetDataValidations("台账")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, v := range validations {
		style := ""
		if v.ErrorStyle != nil {
			style = *v.ErrorStyle
		}
		found[v.Sqref] = v.Type + " " + style + " " + v.Formula1
	}
	for cells, want := range map[string]string{"F5:F5004": "list stop 选项!$A$2:$A$12", "H5:H5004": "list warning 选项!$C$2:$C$5", "N5:N5004": "date warning 1", "B2": "date stop 1", "J5:J5004": "decimal warning 0"} {
		if found[cells] != want {
			t.Errorf("%s: %q, wanted %q", cells, found[cells], want)
		}
	}
	panes, err := f.GetPanes("台账")
	if err != nil || !panes.Freeze || panes.XSplit != 2 || panes.YSplit != 4 {
		t.Errorf("panes %+v %v", panes, err)
	}
	for cell, format := range map[string]string{"A5": "@", "A6000": "@", "I5": "yyyy-mm-dd", "N6000": "yyyy-mm-dd", "J5": "#,##0.00", "B2": "yyyy-mm-dd"} {
		style, err := f.GetCellStyle("台账", cell)
		if err != nil {
			t.Fatal(err)
		}
		if style == 0 {
			style, err = f.GetColStyle("台账", strings.TrimRight(cell, "0123456789"))
			if err != nil {
				t.Fatal(err)
			}
		}
		look, err := f.GetStyle(style)
		if err != nil || look.CustomNumFmt == nil || *look.CustomNumFmt != format {
			t.Errorf("%s: %+v %v", cell, look, err)
		}
	}
	for _, sheet := range []string{"台账", "问题"} {
		comments, err := f.GetComments(sheet)
		if err != nil || len(comments) < 9 {
			t.Errorf("%s: %d notes, %v", sheet, len(comments), err)
		}
	}
}

// TestTemplateFitsItsMapping: every mapped column stands in the workbook, and
// every column of the workbook is mapped.
func TestTemplateFitsItsMapping(t *testing.T) {
	t.Parallel()
	for _, sender := range []string{"city", "xiuwu"} {
		m, err := ParseMapping(TemplateMapping(sender, ""), schemas.DefaultRules())
		if err != nil {
			t.Fatal(err)
		}
		f := writtenTemplate(t, sender)
		for sheet, want := range map[string]struct {
			row   int
			names []string
		}{"台账": {headRow - 1, m.columnNames()}, "问题": {0, m.Issues.headerWish().columns}} {
			rows, err := f.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			names := slices.Sorted(slices.Values(rows[want.row]))
			if wanted := slices.Sorted(slices.Values(want.names)); !slices.Equal(names, wanted) {
				t.Errorf("%s of %s has\n%q, mapped are\n%q", sheet, sender, names, wanted)
			}
		}
	}
	if err := (Template{Rules: schemas.DefaultRules(), Sender: "atlantis"}).Write(&bytes.Buffer{}); schemas.CodeOf(err) != schemas.Unknown {
		t.Errorf("a district that nobody has: %v", err)
	}
}
