package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"milepost/schemas"
)

// AssessmentJSON writes the model, indented by two spaces, with a line feed at
// the end.
func AssessmentJSON(w io.Writer, model *schemas.Assessment) error {
	if err := writeJSON(w, model); err != nil {
		return fmt.Errorf("assessment %d as JSON: %w", model.Year, err)
	}
	return nil
}

// AssessmentMarkdown writes the assessment as one Markdown text with tables.
// number is that of the finalised edition: 1, or more for a correction; nil is a
// draft.
func AssessmentMarkdown(w io.Writer, model *schemas.Assessment, number *int, names Names) error {
	doc, err := composeAssessment(model, number, names)
	if err != nil {
		return err
	}
	if err := writeMarkdownDocument(w, doc); err != nil {
		return fmt.Errorf("assessment %d as Markdown: %w", model.Year, err)
	}
	return nil
}

type assessmentComposer struct {
	model *schemas.Assessment
	names Names
	doc   document
}

// composeAssessment says the model in words.
func composeAssessment(model *schemas.Assessment, number *int, names Names) (*document, error) {
	if names.Rules == nil {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "an assessment is printed with the rules that it was built with", Field: "rules"}
	}
	c := assessmentComposer{model: model, names: names}
	c.doc.Title = fmt.Sprintf("%d年度重大项目年终考核结果", model.Year)
	switch {
	case number == nil:
		c.doc.Number = "草案"
	case *number == 1:
		c.doc.Number = "定稿"
	default:
		c.doc.Number = fmt.Sprintf("定稿（第%d号更正）", *number-1)
	}
	c.doc.Facts = []string{
		fmt.Sprintf("考核年度：%d年", model.Year),
		fmt.Sprintf("数据截至：%s", chineseDate(schemas.NewDate(model.Year, 12, 31))),
		fmt.Sprintf("数据版本：%d", model.KnownSeq),
	}
	c.results()
	c.hints()
	c.unmatched()
	c.notes()
	return &c.doc, nil
}

// ranked tells whether the edition shows points, ranks, grades and hints of the
// group: those of city leaders only where it is configured.
func (c *assessmentComposer) ranked(g *schemas.AssessedGroup) bool {
	return g.Kind != "lead" || c.names.RankLeads
}

func (c *assessmentComposer) results() {
	s := c.doc.section("一、考核结果")
	if len(c.model.Groups) == 0 {
		s.say(none)
		return
	}
	for i := range c.model.Groups {
		g := &c.model.Groups[i]
		s.heading(fmt.Sprintf("（%s）%s", chineseOrdinal(i+1), groupName(g.Kind, g.Group, c.names.Rules)))
		if c.ranked(g) {
			s.table(c.pointsTable(g))
		} else {
			s.say("市级领导不排名次、不评等次。")
			s.table(figuresTable(g))
		}
	}
}

// pointsTable shows how the final of each row comes about, the best first.
func (c *assessmentComposer) pointsTable(g *schemas.AssessedGroup) table {
	w := c.names.Rules.Weights
	t := table{Columns: append(numbers("名次"), words(rowWord(g.Kind))...)}
	for i, weight := range []int{w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment} {
		t.Columns = append(t.Columns, numbers(fmt.Sprintf("%s（%d）", [...]string{"落地", "开工", "投产", "台账", "投资"}[i], weight))...)
	}
	t.Columns = append(t.Columns, numbers("得分", "提前加分", "逾期扣分", "调整", "最终得分")...)
	t.Columns = append(t.Columns, words("等次")...)
	rows := slices.Clone(g.Rows)
	slices.SortStableFunc(rows, func(a, b schemas.AssessedRow) int {
		return cmp.Or(compareRanks(true, a.Rank, b.Rank), isUnassigned(a.Key)-isUnassigned(b.Key))
	})
	for i := range rows {
		r := &rows[i]
		line := []cell{text(numberOrUnknown(r.Rank)), text(r.Name)}
		for _, item := range r.Items {
			line = append(line, text(item.Points.String()))
		}
		line = append(line, text(r.Score.String()), text(signed(r.Bonus)), text(signed(r.Penalty)), text(signed(r.Adjustment)), text(r.Final.String()), text(gradeName(r)))
		t.Rows = append(t.Rows, line)
	}
	return t
}

func gradeName(r *schemas.AssessedRow) string {
	if r.Grade == nil {
		return unknown
	}
	if r.Veto {
		return string(*r.Grade) + "（一票否决）"
	}
	return string(*r.Grade)
}

// figuresTable shows what was counted, without points.
func figuresTable(g *schemas.AssessedGroup) table {
	t := table{Columns: append(words(rowWord(g.Kind)), numbers("项目", "落地", "开工", "投产", "计划投资（万元）", "完成投资（万元）", "完成率", "“七个一”落实率", "按时报送")...)}
	rows := slices.Clone(g.Rows)
	slices.SortStableFunc(rows, func(a, b schemas.AssessedRow) int { return isUnassigned(a.Key) - isUnassigned(b.Key) })
	for i := range rows {
		r := &rows[i]
		m := &r.Milestones
		t.Rows = append(t.Rows, []cell{text(r.Name), number(r.Projects), text(doneOfDue(&m.Landed)), text(doneOfDue(&m.Started)), text(doneOfDue(&m.Producing)),
			text(r.Investment.Plan.String()), text(wanOrUnknown(r.Investment.Invested)), text(percent(r.Investment.Rate)), text(percent(r.Completeness)),
			text(fmt.Sprintf("%d/%d", r.ReportsOnTime, r.ReportsDue))})
	}
	return t
}

// hints lists what the rules suggest, by hint and in the order of the model.
func (c *assessmentComposer) hints() {
	s := c.doc.section("二、奖惩提示")
	s.say("以下为按口径得出的提示，奖惩由会议研究决定。")
	for i, hint := range []struct {
		hint schemas.Hint
		name string
	}{{schemas.HintReward, "建议奖励"}, {schemas.HintExplain, "建议作出说明"}, {schemas.HintAccountability, "建议问责"}} {
		s.heading(fmt.Sprintf("（%s）%s", chineseOrdinal(i+1), hint.name))
		var said []string
		for g := range c.model.Groups {
			if group := &c.model.Groups[g]; c.ranked(group) {
				said = append(said, c.reasons(group, hint.hint)...)
			}
		}
		if len(said) == 0 {
			s.say(none)
		} else {
			s.list(said...)
		}
	}
}

func (c *assessmentComposer) reasons(g *schemas.AssessedGroup, hint schemas.Hint) []string {
	var said []string
	for i := range g.Rows {
		for _, r := range g.Rows[i].HintReasons {
			if r.Hint == hint {
				said = append(said, fmt.Sprintf("%s（%s）：%s", g.Rows[i].Name, groupName(g.Kind, g.Group, c.names.Rules), r.Reason))
			}
		}
	}
	return said
}

func (c *assessmentComposer) unmatched() {
	s := c.doc.section("三、没有对应考核对象的调整")
	if len(c.model.UnmatchedAdjustments) == 0 {
		s.say(none)
		return
	}
	rows := table{Columns: slices.Concat(words("类别", "对象"), numbers("分值"), words("一票否决", "原因", "文件"), codes("事件"))}
	for i := range c.model.UnmatchedAdjustments {
		u := &c.model.UnmatchedAdjustments[i]
		veto := unknown
		if u.Veto {
			veto = "是"
		}
		key := u.Key
		if u.Kind == schemas.AdjustDistrict {
			key = c.names.Rules.DistrictName(key)
		}
		rows.Rows = append(rows.Rows, []cell{text(rowWord(string(u.Kind))), text(key), text(signed(u.Points)), text(veto), text(u.Reason), text(u.Document),
			text(strings.TrimSpace(u.Event.Source + " " + u.Event.ID))})
	}
	s.table(rows)
}

// notes explains the figures with the numbers of the rules in force.
func (c *assessmentComposer) notes() {
	s, w, n := c.doc.section("口径说明"), c.names.Rules.Weights, c.names.Rules.Assessing()
	s.list(
		fmt.Sprintf("得分：落地%d分、开工%d分、投产%d分（按期计1、逾期计½）、台账%d分、投资%d分，不适用的项目不计（表中记“-”），按适用部分折算成百分；表中各项为折算后的分数。各数只在最后四舍五入一次。",
			w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment),
		fmt.Sprintf("提前加分：比基准日期和目标日期都提前%d天以上完成的节点占今年已完成节点的比例，乘以%d分。", n.BonusDays, n.BonusPoints),
		fmt.Sprintf("逾期扣分：开工逾期%d个月以上的项目（停缓建的除外）占项目总数的比例，乘以%d分。", n.PenaltyMonths, n.PenaltyPoints),
		"调整：市里发文记录的加分和扣分之和；有一票否决的，等次为不合格。",
		"最终得分：得分、加分、扣分、调整之和，不低于零，不设上限。按最终得分在组内排名，同分同名次；组与组之间不比较。未分包和没有项目的不排名次。",
		fmt.Sprintf("等次：%d分以上优秀，%d分以上良好，%d分以上合格，其余不合格（“以上”含本数）。", n.Excellent, n.Good, n.Pass),
		"节点算在达到之日的分包领导和部门名下；项目、投资和台账算在年末的分包领导和部门名下。每一项的依据事件列在同名的JSON文件中。",
	)
}
