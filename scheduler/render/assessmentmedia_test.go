package render

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func mediaAssessment(t *testing.T, model *schemas.Assessment, names Names) *document.Document {
	t.Helper()
	names.Edition = document.Media
	doc, err := Assessment(model, nil, names)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// words are all that the document says.
func wordsOf(doc *document.Document) string {
	said := strings.Builder{}
	said.WriteString(doc.Plain())
	eachPiece(doc, func(text, _ string) { said.WriteString(text + "\n") })
	return said.String()
}

// TestEveryFigureOfTheMediaAssessmentStandsInTheModel holds each figure that
// names its path against the value there, and every other number against the
// districts added up and the rules.
func TestEveryFigureOfTheMediaAssessmentStandsInTheModel(t *testing.T) {
	t.Parallel()
	model, names := loadAssessment(t), Names{Rules: schemas.DefaultRules(), RankLeads: true}
	names.Style.MediaGrades = []schemas.Grade{schemas.GradeExcellent, schemas.GradeGood, schemas.GradePass, schemas.GradeFail}
	doc := mediaAssessment(t, model, names)
	values := map[string]json.RawMessage{}
	var projects, plan, invested int64
	counts := map[string][3]int{}
	for _, g := range model.Groups {
		for _, r := range g.Rows {
			raw, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			flatten(t, groupPath(g.Kind, g.Group, r.Key), raw, values)
			if g.Kind != "district" {
				continue
			}
			projects, plan = projects+int64(r.Projects), plan+int64(r.Investment.Plan)
			if r.Investment.Invested != nil {
				invested += int64(*r.Investment.Invested)
			}
			for _, m := range schemas.Milestones() {
				n, sum := r.Milestones.Of(m), counts[m.String()]
				counts[m.String()] = [3]int{sum[0] + n.DueToDate, sum[1] + n.Done, sum[2] + n.Judged}
			}
		}
	}
	known := map[string]bool{fmt.Sprint(projects): true, strings.TrimSuffix(money(schemas.Money(plan)), "亿元"): true, strings.TrimSuffix(money(schemas.Money(invested)), "亿元"): true,
		schemas.Percent(invested, plan).String(): true, "100.0": true, "100": true, "8": true}
	for _, sum := range counts {
		known[fmt.Sprint(sum[0])], known[fmt.Sprint(sum[1])], known[schemas.Percent(int64(sum[1]), int64(sum[0])).String()] = true, true, true
	}
	rates := map[string]bool{}
	for path, value := range values {
		if strings.HasSuffix(path, "investment/rate") {
			rates[string(value)] = true // those of the chart's text
		}
	}
	for _, g := range model.Groups {
		known[fmt.Sprint(len(g.Rows))] = true
	}
	w, limits := names.Rules.Weights, names.Rules.Assessing()
	for _, n := range []int{w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment, limits.Excellent, limits.Good, limits.Pass} {
		known[fmt.Sprint(n)] = true
	}
	held := 0
	dates := regexp.MustCompile(`\d{4}年(\d+月\d+日)?`)
	eachPiece(doc, func(text, path string) {
		if path != "" {
			value, there := values[path]
			if !there || !prints(text, value) {
				t.Errorf("%q stands for %s = %s", text, path, value)
			}
			held++
			return
		}
		for _, number := range regexp.MustCompile(`\d+(?:\.\d+)?`).FindAllString(dates.ReplaceAllString(text, " "), -1) {
			if !known[number] && !rates[number] && !chartSum(number, model) {
				t.Errorf("%s stands nowhere: %q", number, text)
			}
		}
	})
	if held < 60 {
		t.Errorf("only %d figures name their path", held)
	}
}

// chartSum tells whether the number is one of those that the chart's text adds
// up over the districts.
func chartSum(number string, model *schemas.Assessment) bool {
	for _, m := range schemas.Milestones() {
		var onTime, late, open int
		for _, g := range model.Groups {
			for _, r := range g.Rows {
				if n := r.Milestones.Of(m); g.Kind == "district" {
					onTime, late, open = onTime+n.OnTime, late+n.Late, open+n.Judged-n.Done
				}
			}
		}
		if number == fmt.Sprint(onTime) || number == fmt.Sprint(late) || number == fmt.Sprint(open) {
			return true
		}
	}
	return false
}

// flatten puts every value of the object under its path; items go by their name.
func flatten(t *testing.T, path string, raw json.RawMessage, values map[string]json.RawMessage) {
	t.Helper()
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		values[strings.TrimSuffix(path, "/")] = raw
		return
	}
	for name, value := range object {
		flatten(t, path+name+"/", value, values)
	}
}

func TestTheMediaAssessmentHasNothingInternal(t *testing.T) {
	t.Parallel()
	model, names := loadAssessment(t), Names{Rules: schemas.DefaultRules()}
	model.UnmatchedAdjustments = []schemas.UnmatchedAdjustment{{Kind: schemas.AdjustLead, Key: "领导辛", Reason: "内部原因", Document: "内部文件"}}
	first := &model.Groups[0].Rows[0]
	first.HintReasons = schemas.HintReasons{{Hint: schemas.HintExplain, Reason: "内部理由"}}
	doc := mediaAssessment(t, model, names)
	public, err := json.Marshal(PublicAssessment(model, names))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the article": wordsOf(doc), "the model": string(public)} {
		for _, word := range []string{"内部", "建议问责", "提示", "领导甲", "领导戊", "领导辛", "未分包", "不合格（", "附件", "数据版本", model.Groups[0].Rows[0].Items[0].Events[0].ID} {
			if strings.Contains(text, word) {
				t.Errorf("%s says %s", what, word)
			}
		}
	}
	if doc.Data != nil || doc.Sources != nil || doc.Imprint != nil || len(doc.Annexes) > 0 {
		t.Error("the article has parts of the official document")
	}
	if len(first.HintReasons) == 0 || len(first.Items[0].Events) == 0 || first.Grade == nil {
		t.Error("the model itself was changed")
	}
	if doc.Name != "assessment-2025-media" {
		t.Errorf("its files are named %s", doc.Name)
	}
}

func TestTheMediaAssessmentShowsTheGradesThatAreConfigured(t *testing.T) {
	t.Parallel()
	model, names := loadAssessment(t), Names{Rules: schemas.DefaultRules()}
	good, excellent := schemas.GradeGood, schemas.GradeExcellent
	model.Groups[0].Rows[0].Grade, model.Groups[0].Rows[1].Grade = &excellent, &good
	bestName, goodName := model.Groups[0].Rows[0].Name, model.Groups[0].Rows[1].Name
	said := func() string {
		doc := mediaAssessment(t, model, names)
		var b strings.Builder
		for _, s := range doc.Sections {
			if s.Key == "grades" {
				for _, block := range s.Blocks {
					b.WriteString(block.(*document.Paragraph).Text.String() + "\n")
				}
			}
		}
		return b.String()
	}
	if text := said(); !strings.Contains(text, "优秀："+bestName) || strings.Contains(text, goodName) {
		t.Errorf("by default: %s", text)
	}
	names.Style.MediaGrades = []schemas.Grade{schemas.GradeExcellent, schemas.GradeGood}
	if text := said(); !strings.Contains(text, "良好："+goodName) {
		t.Errorf("as configured: %s", text)
	}
	names.RankLeads = true
	if text := wordsOf(mediaAssessment(t, model, names)); !strings.Contains(text, "领导戊") {
		t.Error("leads are not ranked although it is configured")
	}
	names.Style.MediaGrades = []schemas.Grade{"很好", schemas.GradeGood, schemas.GradeGood}
	if err := names.Style.Check("documents"); err == nil || strings.Count(err.Error(), "documents.media_grades") != 2 {
		t.Errorf("wrong grades: %v", err)
	}
}

func TestTheHeadlineOfAnAssessment(t *testing.T) {
	t.Parallel()
	model, names := loadAssessment(t), Names{Rules: schemas.DefaultRules()}
	title := mediaAssessment(t, model, names).Title
	if len(title) < 2 || title[0] != "2025年全市重大项目年终考核，" || !strings.HasSuffix(title[len(title)-1], "居各组首位") {
		t.Errorf("it says %q", title)
	}
	rows := model.Groups[0].Rows
	first := slices.IndexFunc(rows, func(r schemas.AssessedRow) bool { return r.Rank != nil && *r.Rank == 1 })
	rows[first].Veto = true
	const plain = "2025年全市重大项目年终考核结果"
	if got := mediaAssessment(t, model, names).Plain(); got != plain {
		t.Errorf("with a veto it says %s", got)
	}
	empty := mediaAssessment(t, &schemas.Assessment{Year: 2025, Groups: []schemas.AssessedGroup{}}, names)
	if empty.Plain() != plain || !strings.Contains(wordsOf(empty), "没有参加考核的重大项目。") {
		t.Errorf("of an empty city: %s", wordsOf(empty))
	}
}
