package xlsx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// example is a bulletin of a city with its groups and lists, whose totals are
// those of a made-up ledger of n projects.
func example(t testing.TB, n int) (*schemas.Bulletin, []schemas.LedgerRow, Names) {
	t.Helper()
	var read struct {
		Model    *schemas.Bulletin `json:"model"`
		Projects map[string]string `json:"projects"`
	}
	readJSON(t, "city.json", &read)
	names := Names{Rules: schemas.DefaultRules(), Projects: read.Projects, Notes: []string{"“-”表示没有数据，不等于零。"}}
	ledger := madeLedger(n, names.Rules)
	countInto(read.Model, ledger)
	return read.Model, ledger, names
}

// madeLedger has every status, light and stage, missing words and amounts, and
// each seventeenth project cancelled.
func madeLedger(n int, rules *schemas.Rules) []schemas.LedgerRow {
	lead, department, enterprise, industry := "领导甲", "市科技局", "企业12有限公司", "装备制造"
	statuses := []schemas.Status{schemas.StatusCompleted, schemas.StatusSmooth, schemas.StatusSlow, schemas.StatusStalled, schemas.StatusSuspended}
	lights := []schemas.Light{schemas.Green, schemas.NoneOn, schemas.Yellow, schemas.Red, schemas.Grey}
	stages := []schemas.Stage{schemas.StageRegistered, schemas.StageLanded, schemas.StageStarted, schemas.StageProducing}
	rows := make([]schemas.LedgerRow, n)
	for i := range rows {
		late, invested := i%60-30, schemas.Money(i*137+1)
		r := schemas.LedgerRow{ProjectID: fmt.Sprintf("P-%06d", i), Name: fmt.Sprintf("项目%d（年产%d万台新能源汽车零部件）", i, i), District: rules.Districts[i%len(rules.Districts)].Code,
			RegisteredOn: schemas.NewDate(2025, 1, 1+i%200), TotalInvestment: schemas.Money(i*1013 + 50), Status: statuses[i%5], Light: lights[i%5], Stage: stages[i%4],
			Suspended: i%5 == 4, Cancelled: i%17 == 16, Unreported: i%11 == 0, OpenIssues: i % 3, OverdueIssues: i % 2}
		if i%7 != 0 {
			r.Lead, r.Department, r.Enterprise, r.Industry = &lead, &department, &enterprise, &industry
			r.Investment = schemas.LedgerInvestment{Plan: schemas.Money(i * 400), Invested: &invested, Rate: schemas.Percent(int64(invested), int64(i*400))}
		}
		r.Milestones.Landed = schemas.LedgerMilestone{Baseline: r.RegisteredOn, Target: r.RegisteredOn + 30, Forecast: r.RegisteredOn + 60, LateDays: &late, OverdueMonths: i % 4}
		for _, item := range rules.Method {
			r.Method.Items = append(r.Method.Items, schemas.KeyedVerdict{Key: item.Key, Verdict: schemas.Verdict(i % 3)})
		}
		rows[i] = r
	}
	return rows
}

// countInto gives the model the totals of the ledger.
func countInto(model *schemas.Bulletin, ledger []schemas.LedgerRow) {
	t, inv := schemas.Totals{}, schemas.InvestmentCount{Invested: new(schemas.Money)}
	for i := range ledger {
		p := &ledger[i]
		if p.Cancelled {
			t.Cancelled++
			continue
		}
		t.Projects++
		t.TotalInvestment += p.TotalInvestment
		*map[schemas.Status]*int{schemas.StatusCompleted: &t.ByStatus.Completed, schemas.StatusSmooth: &t.ByStatus.Smooth, schemas.StatusSlow: &t.ByStatus.Slow,
			schemas.StatusStalled: &t.ByStatus.Stalled, schemas.StatusSuspended: &t.ByStatus.Suspended}[p.Status]++
		*map[schemas.Light]*int{schemas.Green: &t.ByLight.Green, schemas.Yellow: &t.ByLight.Yellow, schemas.Red: &t.ByLight.Red, schemas.Grey: &t.ByLight.Grey, schemas.NoneOn: &t.ByLight.None}[p.Light]++
		*map[schemas.Stage]*int{schemas.StageRegistered: &t.ByStage.Registered, schemas.StageLanded: &t.ByStage.Landed, schemas.StageStarted: &t.ByStage.Started, schemas.StageProducing: &t.ByStage.Producing}[p.Stage]++
		if !p.Suspended && p.Investment.Plan > 0 {
			inv.Plan += p.Investment.Plan
			*inv.Invested += *p.Investment.Invested
		}
	}
	model.Totals, model.Investment = t, inv
}

func bulletinFile(t testing.TB, model *schemas.Bulletin, ledger []schemas.LedgerRow, names Names) *excelize.File {
	t.Helper()
	var b bytes.Buffer
	if err := Bulletin(&b, model, ledger, names); err != nil {
		t.Fatal(err)
	}
	return open(t, b.Bytes())
}

func open(t testing.TB, content []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(content), excelize.Options{RawCellValue: true})
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

func rowsIn(t testing.TB, f *excelize.File, sheet string) [][]string {
	t.Helper()
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTheLedgerHoldsRealNumbersAndDays(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	f := bulletinFile(t, model, ledger, names)
	rows := rowsIn(t, f, ledgerSheet)
	const heading = 4 // below title, facts, note and sums
	place := map[string]int{}
	for i, name := range rows[heading] {
		place[name] = i
	}
	second := rows[heading+2]
	want := map[string]string{"编号": "P-000001", "项目名称": "项目1（年产1万台新能源汽车零部件）", "亮灯": "未亮灯", "进展": "进展顺利", "阶段": "已落地未开工", "登记日期": "45659",
		"总投资": "10.63", "年度计划": "4", "完成投资": "1.38", "完成率": "0.345", "落地目标": "45689", "落地偏差天数": "-29", "开工目标": "-", "应报未报": "否"}
	for name, value := range want {
		if second[place[name]] != value {
			t.Errorf("%s: %q, not %q", name, second[place[name]], value)
		}
	}
	for _, name := range []string{"登记日期", "总投资", "落地偏差天数"} {
		at := fmt.Sprintf("%s%d", letters(place[name]+1), heading+3)
		if kind, err := f.GetCellType(ledgerSheet, at); err != nil || kind != excelize.CellTypeUnset {
			t.Errorf("%s is no number: %v %v", name, kind, err)
		}
	}
	cancelled := 0
	for i := range ledger {
		if ledger[i].Cancelled {
			cancelled++
		}
	}
	if got := len(rows) - heading - 1; got != len(ledger)-cancelled {
		t.Errorf("%d projects, not %d", got, len(ledger)-cancelled)
	}
}

// What is set after the cells are streamed is lost without a word.
func TestWhatSurroundsTheCellsIsKept(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	f := bulletinFile(t, model, ledger, names)
	formats, err := f.GetConditionalFormats(ledgerSheet)
	if err != nil || len(formats) < 4 {
		t.Errorf("%d conditional formats, %v", len(formats), err)
	}
	panes, err := f.GetPanes(ledgerSheet)
	if err != nil || !panes.Freeze || panes.XSplit != 2 || panes.YSplit != 5 {
		t.Errorf("panes %+v, %v", panes, err)
	}
	if width, err := f.GetColWidth(ledgerSheet, "B"); err != nil || width < 30 {
		t.Errorf("a name has a width of %v, %v", width, err)
	}
	layout, err := f.GetPageLayout(ledgerSheet)
	if err != nil || *layout.Orientation != "landscape" || *layout.FitToWidth != 2 || *layout.FitToHeight != 0 {
		t.Errorf("page %+v, %v", layout, err)
	}
	if props, err := f.GetSheetProps(ledgerSheet); err != nil || props.FitToPage == nil || !*props.FitToPage {
		t.Errorf("the page is not fitted: %v", err)
	}
	defined := map[string]string{}
	for _, name := range f.GetDefinedName() {
		defined[name.Scope+" "+name.Name] = name.RefersTo
	}
	if got := defined["台账 _xlnm.Print_Titles"]; got != "'台账'!$A:$B,'台账'!$5:$5" {
		t.Errorf("print titles %q in %v", got, defined)
	}
	if got := defined["台账 _xlnm._FilterDatabase"]; !strings.HasPrefix(got, "'台账'!$A$5:") {
		t.Errorf("filter %q", got)
	}
	if got := defined["Workbook 台账_总投资"]; !strings.HasPrefix(got, "'台账'!$M$6:$M$") {
		t.Errorf("name %q", got)
	}
	parts := unzip(t, model, ledger, names)
	for _, chart := range []string{"xl/charts/chart1.xml", "xl/charts/chart2.xml", "xl/charts/chart3.xml"} {
		if len(parts[chart]) == 0 {
			t.Errorf("no %s", chart)
		}
	}
	if !strings.Contains(parts["xl/worksheets/sheet3.xml"], `<autoFilter ref="$A$5:`) {
		t.Error("the ledger has no filter")
	}
}

// An auditor's formulas give what the workbook says that they give.
func TestFormulasAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	f := bulletinFile(t, model, ledger, names)
	compareFormulas(t, f, "总览", 36)
	compareFormulas(t, f, ledgerSheet, 4)
	for _, row := range rowsIn(t, f, "总览") {
		if slices.Contains(row, "不符") {
			t.Errorf("does not add up: %v", row)
		}
	}
}

// compareFormulas calculates every formula of the sheet and wants at least so
// many of them.
func compareFormulas(t testing.TB, f *excelize.File, sheet string, least int) {
	t.Helper()
	found := 0
	for r, row := range rowsIn(t, f, sheet) {
		for c, cached := range row {
			at := fmt.Sprintf("%s%d", letters(c+1), r+1)
			text, err := f.GetCellFormula(sheet, at)
			if err != nil {
				t.Fatal(err)
			}
			if text == "" {
				continue
			}
			found++
			if got, err := f.CalcCellValue(sheet, at); err != nil || got != cached {
				t.Errorf("%s %s: %s is %q, the file says %q, %v", sheet, at, text, got, cached, err)
			}
		}
	}
	if found < least {
		t.Errorf("%s has %d formulas", sheet, found)
	}
}

func TestTextsNeverBecomeFormulas(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	hostile := []string{`=HYPERLINK("http://x","y")`, "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1", "a\x00\x0b\ufffe<&>_x0041_"}
	for i, text := range hostile {
		ledger[i].Name, ledger[i].Tags = text, []string{text}
		ledger[i].Enterprise, ledger[i].Lead, ledger[i].Department = &hostile[i], &hostile[i], &hostile[i]
		model.Lagging[i].Name, model.Lagging[i].Lead = text, &hostile[i]
	}
	model.Groups[0].Rows[0].Name, model.Title = hostile[0], hostile[0]
	names.Notes = append(names.Notes, hostile...)
	f := bulletinFile(t, model, ledger, names)
	ours := regexp.MustCompile(`^(COUNTA\(台账_|COUNTIF\(台账_|ROUND\(SUMI?F?S?\(台账_|IF\(ROUND\(N\(B|SUBTOTAL\()`)
	for _, sheet := range f.GetSheetList() {
		for r, row := range rowsIn(t, f, sheet) {
			for c := range row {
				at := fmt.Sprintf("%s%d", letters(c+1), r+1)
				text, err := f.GetCellFormula(sheet, at)
				if err != nil {
					t.Fatal(err)
				}
				if text != "" && !ours.MatchString(text) {
					t.Errorf("%s %s is the formula %q", sheet, at, text)
				}
			}
		}
	}
	row := rowsIn(t, f, ledgerSheet)[5:]
	for i, text := range hostile[:5] {
		if row[i][1] != text {
			t.Errorf("%q became %q", text, row[i][1])
		}
	}
}

func TestTheSameModelGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 300)
	var first bytes.Buffer
	if err := Bulletin(&first, model, ledger, names); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		var again bytes.Buffer
		if err := Bulletin(&again, model, ledger, names); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Fatal("other bytes")
		}
	}
}

func TestEditionsShowWhatTheyMay(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	internal := bulletinFile(t, model, ledger, names).GetSheetList()
	for _, sheet := range []string{"总览", "图表", "台账", "排名·县(市)组", "排名·责任单位", "包联领导", "进展缓慢和无进展", "本期节点", "下期节点", "应报未报", "问题", "七个一", "取消项目", "数据质量", "数据修订", "口径说明"} {
		if !slices.Contains(internal, sheet) {
			t.Errorf("no sheet %s in %v", sheet, internal)
		}
	}
	names.Public, names.RankLeads = true, true
	public := bulletinFile(t, model, ledger[:20], names)
	list := public.GetSheetList()
	if slices.Contains(list, "数据质量") || slices.Contains(list, "数据修订") || !slices.Contains(list, "排名·包联领导") {
		t.Errorf("a public edition has %v", list)
	}
	for _, row := range rowsIn(t, public, "总览") {
		if slices.Contains(row, "由台账重算") {
			t.Error("a public ledger lacks projects and cannot be counted again")
		}
	}
	withoutLedger := bulletinFile(t, model, nil, names).GetSheetList()
	if slices.Contains(withoutLedger, "台账") || !slices.Contains(withoutLedger, "图表") {
		t.Errorf("without a ledger: %v", withoutLedger)
	}
}

func TestAnEmptyBulletin(t *testing.T) {
	t.Parallel()
	var read struct {
		Model *schemas.Bulletin `json:"model"`
	}
	readJSON(t, "empty.json", &read)
	f := bulletinFile(t, read.Model, []schemas.LedgerRow{}, Names{Rules: schemas.DefaultRules()})
	rows := rowsIn(t, f, ledgerSheet)
	if last := rows[len(rows)-1]; last[0] != "无" {
		t.Errorf("an empty ledger says %v", last)
	}
}

func TestWhatCannotBeRightIsRefused(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	var refused *schemas.Error
	if err := Bulletin(io.Discard, model, ledger[:30], names); !errors.As(err, &refused) || refused.Field != "ledger" {
		t.Errorf("a ledger of other projects: %v", err)
	}
	if err := Bulletin(io.Discard, model, ledger, Names{}); !errors.As(err, &refused) || refused.Field != "rules" {
		t.Errorf("no rules: %v", err)
	}
	if err := Bulletin(brokenWriter{}, model, ledger, names); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func BenchmarkBulletin(b *testing.B) {
	model, ledger, names := example(b, 1000)
	var size int
	for b.Loop() {
		var file bytes.Buffer
		if err := Bulletin(&file, model, ledger, names); err != nil {
			b.Fatal(err)
		}
		size = file.Len()
	}
	b.ReportMetric(float64(size), "file-bytes")
}

// TestAWeekSaysNothingOfMissingReports looks for the word in every cell.
func TestAWeekSaysNothingOfMissingReports(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	says := func(kind schemas.PeriodKind) (cells []string) {
		given := *model
		given.Kind, given.Restatements = kind, []schemas.Restatement{{Path: "unreported/P-000001"}}
		names.Path = func(path string) string { return strings.ReplaceAll(path, "unreported", "应报未报") }
		f := bulletinFile(t, &given, ledger, names)
		for _, sheet := range f.GetSheetList() {
			for _, row := range rowsIn(t, f, sheet) {
				for _, cell := range row {
					if strings.Contains(cell, "应报未报") {
						cells = append(cells, sheet+": "+cell)
					}
				}
			}
			if strings.Contains(sheet, "应报未报") {
				cells = append(cells, sheet)
			}
		}
		return cells
	}
	if len(says(schemas.MonthOf)) < 4 {
		t.Fatal("a month says nothing: the test proves nothing")
	}
	if found := says(schemas.Week); len(found) > 0 {
		t.Errorf("a week says %q", found)
	}
	given := *model
	given.Kind = schemas.Week
	rows := rowsIn(t, bulletinFile(t, &given, ledger, names), ledgerSheet)
	at := slices.Index(rows[4], "七个一落实率")
	month := rowsIn(t, bulletinFile(t, model, ledger, names), ledgerSheet)
	was := slices.Index(month[4], "七个一落实率")
	for i := 5; i < len(rows); i++ {
		if rows[i][at] != month[i][was] {
			t.Fatalf("row %d: %q under the heading, not %q", i, rows[i][at], month[i][was])
		}
	}
}
