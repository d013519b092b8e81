package render

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

func loadAssessment(t *testing.T) *schemas.Assessment {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "assessment.json"))
	if err != nil {
		t.Fatal(err)
	}
	var model schemas.Assessment
	if err := json.Unmarshal(raw, &model); err != nil {
		t.Fatal(err)
	}
	return &model
}

func assessed(t *testing.T, model *schemas.Assessment, number *int, names Names) string {
	t.Helper()
	var b strings.Builder
	if err := AssessmentMarkdown(&b, model, number, names); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The golden file is a draft; a difference means that an assessment finalised
// before can no longer be made again: raise TemplateVersion with it.
func TestGoldenAssessment(t *testing.T) {
	names := Names{Rules: schemas.DefaultRules()}
	got := assessed(t, loadAssessment(t), nil, names)
	if again := assessed(t, loadAssessment(t), nil, names); again != got {
		t.Error("the same model gave other bytes")
	}
	path := filepath.Join("testdata", "assessment.golden.md")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestAssessmentJSONIsReadBackToTheSameBytes(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "assessment.json"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := AssessmentJSON(&b, loadAssessment(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(raw), b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestLeadersAreAssessedOnlyWhenConfigured(t *testing.T) {
	model, names := loadAssessment(t), Names{Rules: schemas.DefaultRules()}
	leads := &model.Groups[3]
	for i := range leads.Rows {
		if r := &leads.Rows[i]; r.Key == "领导戊" && (len(r.Hints) == 0 || *r.Rank != 1) {
			t.Fatal("the example has no hint for a lead")
		}
	}
	if text := assessed(t, model, nil, names); strings.Contains(text, "69.89") || strings.Contains(text, "领导戊（") {
		t.Errorf("points or hints of leads are shown:\n%s", text)
	}
	names.RankLeads = true
	if text := assessed(t, model, nil, names); !strings.Contains(text, "| 1 | 领导戊 |") || !strings.Contains(text, "- 领导戊（市级领导）：") {
		t.Errorf("points and hints of leads are not shown:\n%s", text)
	}
}

func TestAssessmentSaysWhichEditionItIs(t *testing.T) {
	one, three := 1, 3
	for want, number := range map[string]*int{"**草案**": nil, "**定稿**": &one, "**定稿（第2号更正）**": &three} {
		if text := assessed(t, loadAssessment(t), number, Names{Rules: schemas.DefaultRules()}); !strings.Contains(text, want) {
			t.Errorf("missing %s", want)
		}
	}
}

func TestAssessmentNotesFollowTheRules(t *testing.T) {
	rules := schemas.DefaultRules()
	rules.Assessment = &schemas.AssessmentRules{BonusPoints: 4, BonusDays: 45, PenaltyPoints: 12, PenaltyMonths: 6, Excellent: 95, Good: 85, Pass: 65}
	rules.Weights.Ledger = 17
	text := assessed(t, loadAssessment(t), nil, Names{Rules: rules})
	for _, want := range []string{"提前45天以上", "乘以4分", "逾期6个月以上", "乘以12分", "95分以上优秀，85分以上良好，65分以上合格", "台账17分", "台账（权重17）"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %s", want)
		}
	}
}

func TestAnEmptyAssessment(t *testing.T) {
	text := assessed(t, &schemas.Assessment{Year: 2025, Groups: []schemas.AssessedGroup{}}, nil, Names{Rules: schemas.DefaultRules()})
	if strings.Count(text, "\n"+none) != 5 {
		t.Errorf("an empty city:\n%s", text)
	}
}

func TestAssessmentErrorsReachTheCaller(t *testing.T) {
	model := loadAssessment(t)
	if err := AssessmentMarkdown(io.Discard, model, nil, Names{}); schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("without rules: %v", err)
	}
	if AssessmentMarkdown(fullDisk{}, model, nil, Names{Rules: schemas.DefaultRules()}) == nil || AssessmentJSON(fullDisk{}, model) == nil {
		t.Error("no error from a full disk")
	}
}
