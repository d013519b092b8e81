package schemas

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func sampleAssessment() *Assessment {
	county, rank, grade, figure := "county", 2, GradeFail, &Figure{Units: 5273, Decimals: 2}
	invested := MoneyFromWan(46123)
	row := AssessedRow{
		Key: "xiuwu", Name: "修武县", Projects: 2, Investment: InvestmentCount{Plan: MoneyFromWan(45000), Invested: &invested, Rate: Percent(46123, 45000), TimeProgress: Percent(12, 12)},
		Completeness: Percent(2, 3), ReportsDue: 12, ReportsOnTime: 8, Score: figure, Bonus: figure, Penalty: &Figure{Units: -333, Decimals: 2}, Adjustment: &Figure{Units: -250, Decimals: 2},
		Veto: true, Final: figure, Rank: &rank, Grade: &grade, Hints: []Hint{HintExplain, HintAccountability},
		HintReasons: HintReasons{{HintExplain, "列第2名"}, {HintAccountability, `连续两年"不合格"`}},
	}
	for _, item := range []string{"landed", "started", "producing", "ledger", "investment"} {
		row.Items = append(row.Items, AssessmentItem{Item: item, Weight: 30, Numerator: figure, Divisor: figure, Fraction: &Figure{Units: 3333, Decimals: 4}, Points: figure,
			Events: []EventRef{{Source: "/offices/xiuwu", ID: "e-1", Seq: 7}}})
	}
	bare := AssessedRow{Key: "unassigned", Name: "未分包", Bonus: figure, Penalty: &Figure{Decimals: 2}, Adjustment: &Figure{Decimals: 2}, Hints: []Hint{}, HintReasons: HintReasons{}}
	for _, item := range row.Items {
		bare.Items = append(bare.Items, AssessmentItem{Item: item.Item, Numerator: &Figure{Decimals: 2}, Divisor: &Figure{Decimals: 2}, Events: []EventRef{}})
	}
	return &Assessment{
		Year: 2025, KnownSeq: 2278,
		Groups:               []AssessedGroup{{Kind: "district", Group: &county, Rows: []AssessedRow{row}}, {Kind: "lead", Rows: []AssessedRow{bare}}},
		UnmatchedAdjustments: []UnmatchedAdjustment{{Kind: AdjustLead, Key: "领导辛", Points: figure, Reason: "通报", Document: "1号", Event: EventRef{Source: "/offices/city", ID: "a-1"}}},
	}
}

func TestAssessmentFitsItsSchema(t *testing.T) {
	schema, full := reportSchema(t, "assessment"), sampleAssessment()
	if err := schema.Validate(reportTree(t, full)); err != nil {
		t.Errorf("%v", err)
	}
	if err := schema.Validate(reportTree(t, &Assessment{Year: 2025, Groups: []AssessedGroup{}, UnmatchedAdjustments: []UnmatchedAdjustment{}})); err != nil {
		t.Errorf("an empty city: %v", err)
	}
	group := func(tree any) map[string]any {
		return tree.(map[string]any)["groups"].([]any)[0].(map[string]any)
	}
	row := func(tree any) map[string]any { return group(tree)["rows"].([]any)[0].(map[string]any) }
	item := func(tree any) map[string]any { return row(tree)["items"].([]any)[0].(map[string]any) }
	for _, object := range []func(any) map[string]any{
		func(tree any) map[string]any { return tree.(map[string]any) }, group, row, item,
		func(tree any) map[string]any { return item(tree)["events"].([]any)[0].(map[string]any) },
		func(tree any) map[string]any {
			return tree.(map[string]any)["unmatched_adjustments"].([]any)[0].(map[string]any)
		},
	} {
		refuseChanges(t, schema, full, object)
	}
	for _, spoil := range []func(*AssessedRow){
		func(r *AssessedRow) { r.Items = r.Items[:4] },
		func(r *AssessedRow) { r.Hints = []Hint{"praise"} },
		func(r *AssessedRow) { r.Final = &Figure{Units: -1, Decimals: 2} },
		func(r *AssessedRow) { r.Items[0].Fraction = &Figure{Units: 10001, Decimals: 4} },
		func(r *AssessedRow) { r.Items[0].Events = nil },
	} {
		model := sampleAssessment()
		spoil(&model.Groups[0].Rows[0])
		if schema.Validate(reportTree(t, model)) == nil {
			t.Errorf("accepted: %+v", model.Groups[0].Rows[0])
		}
	}
}

// TestExpectedAssessmentsFitTheSchema holds the schema against the golden rows,
// whose members it must know.
func TestExpectedAssessmentsFitTheSchema(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "testdata", "golden", "city", "assessment-2025.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected Assessment
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	for g := range expected.Groups {
		for i := range expected.Groups[g].Rows {
			r := &expected.Groups[g].Rows[i]
			r.HintReasons, r.Items = HintReasons{}, sampleAssessment().Groups[0].Rows[0].Items
		}
	}
	expected.UnmatchedAdjustments = []UnmatchedAdjustment{}
	if err := reportSchema(t, "assessment").Validate(reportTree(t, &expected)); err != nil {
		t.Errorf("%v", err)
	}
}

func TestHintReasonsAreReadBackInOrder(t *testing.T) {
	reasons := sampleAssessment().Groups[0].Rows[0].HintReasons
	text, err := json.Marshal(reasons)
	if err != nil {
		t.Fatal(err)
	}
	var read HintReasons
	if err := json.Unmarshal(text, &read); err != nil || len(read) != 2 || read[0] != reasons[0] || read[1] != reasons[1] {
		t.Errorf("%s: %v, %v", text, read, err)
	}
	for _, bad := range []string{`[]`, `{"explain": 3}`, `"x"`} {
		if err := json.Unmarshal([]byte(bad), &read); err == nil {
			t.Errorf("%s was read as %v", bad, read)
		}
	}
}

// TestAssessingKeepsOldHashes: rules that were kept before there was an
// assessment have their hash still, and are read with the defaults.
func TestAssessingKeepsOldHashes(t *testing.T) {
	text, err := json.Marshal(DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	if _, written := members["assessment"]; written {
		t.Error("the defaults are written, which changes the hash of every edition's rules")
	}
	if n := DefaultRules().Assessing(); n.BonusPoints != 3 || n.BonusDays != 30 || n.PenaltyPoints != 10 || n.PenaltyMonths != 3 || n.Excellent != 90 || n.Good != 80 || n.Pass != 60 || !n.Accountability {
		t.Errorf("defaults: %+v", n)
	}
	changed := DefaultRules()
	changed.Assessment = &AssessmentRules{Pass: 61}
	if changed.Assessing().Pass != 61 {
		t.Error("what is configured does not hold")
	}
}

func TestParseYear(t *testing.T) {
	if year, err := ParseYear("2025"); err != nil || year != 2025 {
		t.Errorf("%d, %v", year, err)
	}
	for _, bad := range []string{"", "25", "2025-10", "2025-W01", "1800", "20250", "二〇二五"} {
		if _, err := ParseYear(bad); CodeOf(err) != Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
