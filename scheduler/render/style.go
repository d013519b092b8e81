package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// Style is how an office words and arranges its documents. What is empty is the
// default.
type Style struct {
	// City is how the text calls the whole: 全市.
	City string `yaml:"city"`
	// Body is the 发文机关署名; Mark the 发文机关标志 above, by default Body with 文件.
	Body string `yaml:"body"`
	Mark string `yaml:"mark"`
	// Reference is the pattern of the 发文字号 with {year} and {number}.
	Reference  string `yaml:"reference"`
	Addressees string `yaml:"addressees"`
	Copies     string `yaml:"copies"`
	Contact    string `yaml:"contact"`
	// RankLeads shows scores, ranks and grades of city leaders.
	RankLeads bool `yaml:"rank_leads"`
	// MediaGrades are the grades that the media edition of an assessment shows; by
	// default 优秀 alone.
	MediaGrades []schemas.Grade `yaml:"media_grades"`
	// RowsInText is how many rows a table may have in the main text; longer ones
	// become annexes.
	RowsInText int `yaml:"rows_in_text"`
	// Sections are the keys of the sections in their order, by edition.
	Sections map[document.Edition][]string `yaml:"sections"`
	// Headings replace the headings of sections, by key.
	Headings map[string]string `yaml:"headings"`
	// Opening and Closing replace the first and the last sentence of an official
	// document.
	Opening string `yaml:"opening"`
	Closing string `yaml:"closing"`
}

// The keys of the sections.
const (
	sectionOverview     = "overview"
	sectionReached      = "reached"
	sectionRankings     = "rankings"
	sectionLagging      = "lagging"
	sectionUnreported   = "unreported"
	sectionIssues       = "issues"
	sectionMethod       = "method"
	sectionUpcoming     = "upcoming"
	sectionInstructions = "instructions"
	sectionCauses       = "causes"
	sectionNext         = "next"
	sectionQuality      = "quality"
	sectionNotes        = "notes"
)

// headingsOf are the default headings.
func headingsOf(edition document.Edition) map[string]string {
	if edition == document.Media {
		return map[string]string{
			sectionOverview: "总体进展", sectionReached: "新落地、新开工、新投产", sectionRankings: "各地进度排名", sectionLagging: "进展偏慢的项目和责任单位",
			sectionMethod: "“七个一”落实情况", sectionUpcoming: "下一步节点", sectionIssues: "问题办理", sectionUnreported: "应报未报",
			sectionCauses: "原因分析", sectionNext: "下步安排", sectionNotes: "数据说明",
		}
	}
	return map[string]string{
		sectionOverview: "总体情况", sectionReached: "本期落地、开工、投产情况", sectionRankings: "进展排名", sectionLagging: "进展缓慢和无进展项目",
		sectionUnreported: "应报未报", sectionIssues: "问题办理", sectionMethod: "“七个一”落实情况", sectionUpcoming: "下期节点",
		sectionInstructions: "领导批示", sectionCauses: "原因分析", sectionNext: "下步要求", sectionQuality: "数据质量与更正", sectionNotes: "口径说明",
	}
}

// sectionsOf are the default sections, in order. Those of an editor are left out
// while they are empty.
func sectionsOf(edition document.Edition) []string {
	if edition == document.Media {
		return []string{sectionOverview, sectionReached, sectionRankings, sectionLagging, sectionCauses, sectionUpcoming, sectionNext, sectionNotes}
	}
	return []string{sectionInstructions, sectionOverview, sectionReached, sectionRankings, sectionLagging, sectionUnreported, sectionIssues, sectionMethod,
		sectionUpcoming, sectionCauses, sectionNext, sectionQuality, sectionNotes}
}

// internal tells whether a section is never part of a media edition.
func internal(key string) bool { return key == sectionInstructions || key == sectionQuality }

const (
	defaultBody       = "市重大项目建设工作领导小组办公室"
	defaultRowsInText = 8
	namesInText       = 5
)

func (s *Style) withDefaults(edition document.Edition) Style {
	t := *s
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&t.City, "全市")
	set(&t.Body, defaultBody)
	set(&t.Mark, t.Body+"文件")
	set(&t.Addressees, "各县（市）区人民政府，市直有关部门")
	set(&t.Closing, "特此通报。")
	if len(t.MediaGrades) == 0 {
		t.MediaGrades = []schemas.Grade{schemas.GradeExcellent}
	}
	if t.RowsInText == 0 {
		t.RowsInText = defaultRowsInText
	}
	headings := headingsOf(edition)
	for key, heading := range s.Headings {
		headings[key] = heading
	}
	t.Headings = headings
	if len(t.Sections[edition]) == 0 {
		t.Sections = map[document.Edition][]string{edition: sectionsOf(edition)}
	}
	return t
}

// Check lists everything that is wrong with the style at once; fields are named
// under the prefix, such as documents.
func (s *Style) Check(prefix string) error {
	var wrong []error
	add := func(field, value, message, hint string) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: prefix + "." + field, Value: value, Message: message, Hint: hint})
	}
	known := headingsOf(document.Official)
	keys := make([]string, 0, len(known))
	for key := range known {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	choose := "choose of " + strings.Join(keys, ", ")
	for edition, sections := range s.Sections {
		if !slices.Contains(document.Editions(), edition) {
			add("sections", string(edition), "no such edition", "official or media")
		}
		seen := map[string]bool{}
		for _, key := range sections {
			switch {
			case known[key] == "":
				add("sections."+string(edition), key, "no such section", choose)
			case seen[key]:
				add("sections."+string(edition), key, "the section stands there twice", "name each once")
			case edition == document.Media && internal(key):
				add("sections."+string(edition), key, "the section is internal", "leave it out of the media edition")
			}
			seen[key] = true
		}
	}
	for key, heading := range s.Headings {
		if known[key] == "" {
			add("headings", key, "no such section", choose)
		}
		if heading == "" || len([]rune(heading)) > 40 {
			add("headings."+key, heading, "not a heading", "write 1 to 40 characters")
		}
	}
	for i, grade := range s.MediaGrades {
		if !slices.Contains([]schemas.Grade{schemas.GradeExcellent, schemas.GradeGood, schemas.GradePass, schemas.GradeFail}, grade) {
			add("media_grades", string(grade), "no such grade", "choose of 优秀, 良好, 合格, 不合格")
		} else if slices.Contains(s.MediaGrades[:i], grade) {
			add("media_grades", string(grade), "the grade stands there twice", "name each once")
		}
	}
	if s.RowsInText < 0 || s.RowsInText > 50 {
		add("rows_in_text", fmt.Sprint(s.RowsInText), "not a number of rows", "write 1 to 50")
	}
	if s.Reference != "" && !strings.Contains(s.Reference, "{number}") {
		add("reference", s.Reference, "the pattern has no {number}", "write it like 重点办〔{year}〕{number}号")
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(wrong...)
}
