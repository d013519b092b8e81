package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"milepost/scheduler/render/document"
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
	doc, err := Assessment(model, number, names)
	if err != nil {
		return err
	}
	return WriteMarkdown(w, doc)
}

type assessmentComposer struct {
	composer // blocks, annexes and style; its bulletin is not used
	model    *schemas.Assessment
}

// Assessment composes the 考核结果通报 with its annexes, or its media edition. number is that of the
// finalised edition: 1, or more for a correction; nil is a draft.
func Assessment(model *schemas.Assessment, number *int, names Names) (*document.Document, error) {
	if names.Rules == nil {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "an assessment is printed with the rules that it was built with", Field: "rules"}
	}
	c := &assessmentComposer{model: model, composer: composer{names: names, style: names.Style.withDefaults(names.edition())}}
	c.doc.Edition, c.doc.Name = names.edition(), fmt.Sprintf("assessment-%d", model.Year)
	c.doc.Title = []string{fmt.Sprintf("%d年度重大项目", model.Year), "年终考核结果通报"}
	switch {
	case number == nil:
		c.doc.Number = "草案"
	case *number == 1:
		c.doc.Number = "定稿"
	default:
		c.doc.Number = fmt.Sprintf("定稿（第%d号更正）", *number-1)
	}
	if c.doc.Edition == document.Media {
		c.mediaDocument()
		return &c.doc, nil
	}
	c.doc.Facts = []string{fmt.Sprintf("考核年度%d年", model.Year), "数据截至" + chineseDate(schemas.NewDate(model.Year, 12, 31)), fmt.Sprintf("数据版本%d", model.KnownSeq)}
	c.doc.Head = &document.Head{Mark: c.style.Mark, Addressees: c.style.Addressees}
	c.section("results", "考核结果", c.results)
	c.section("hints", "奖惩提示", c.hints)
	c.section("unmatched", "没有对应考核对象的调整", c.unmatched)
	c.section("notes", "口径说明", c.notes)
	c.blocks = nil
	c.say(c.style.Closing)
	c.doc.Sections = append(c.doc.Sections, document.Section{Key: "closing", Blocks: c.blocks})
	c.sign()
	c.doc.Sources = assessmentSources{year: model.Year, known: model.KnownSeq}
	var data bytes.Buffer
	if err := writeJSON(&data, model); err != nil {
		return nil, fmt.Errorf("assessment %d: machine-readable annex: %w", model.Year, err)
	}
	c.doc.Data = data.Bytes()
	return &c.doc, nil
}

func (c *assessmentComposer) section(key, heading string, write func()) {
	c.blocks, c.headings = nil, 0
	write()
	c.doc.Sections = append(c.doc.Sections, document.Section{Key: key, Heading: chineseOrdinal(len(c.doc.Sections)+1) + "、" + heading, Blocks: c.blocks})
}

// ranked tells whether the edition shows points, ranks, grades and hints of the
// group: those of city leaders only where it is configured.
func (c *assessmentComposer) ranked(g *schemas.AssessedGroup) bool {
	return g.Kind != "lead" || c.names.rankLeads()
}

func (c *assessmentComposer) results() {
	if len(c.model.Groups) == 0 {
		c.sayNone()
		return
	}
	for i := range c.model.Groups {
		g := &c.model.Groups[i]
		name := groupName(g.Kind, g.Group, c.names.Rules)
		c.heading(name)
		var full *document.Table
		if c.ranked(g) {
			c.grades(g)
			c.addOrAnnex(g, c.finalTable(g))
			full = c.itemsTable(g)
		} else {
			c.say("市级领导不排名次、不评等次。")
			c.addOrAnnex(g, figuresTable(g))
			continue
		}
		c.say("各项得分见", c.annex("items."+groupKey(g.Kind, g.Group), name+"各项得分", true, full), "。")
	}
	for i := range c.model.Groups {
		if g := &c.model.Groups[i]; g.Kind != "district" && len(g.Rows) > 0 {
			name := groupName(g.Kind, g.Group, c.names.Rules)
			c.say("每个", rowWord(g.Kind), "的明细见", c.annex("pages."+g.Kind, name+"考核明细", false, c.pages(g)...), "。")
		}
	}
}

// grades says who is in which grade.
func (c *assessmentComposer) grades(g *schemas.AssessedGroup) {
	names := map[schemas.Grade][]string{}
	for _, r := range sortedAssessed(g) {
		if r.Grade != nil {
			names[*r.Grade] = append(names[*r.Grade], r.Name)
		}
	}
	var said []string
	for _, grade := range []schemas.Grade{schemas.GradeExcellent, schemas.GradeGood, schemas.GradePass, schemas.GradeFail} {
		if len(names[grade]) > 0 {
			said = append(said, string(grade)+"："+strings.Join(names[grade], "、"))
		}
	}
	if len(said) == 0 {
		c.say("没有评定等次。")
		return
	}
	c.say(strings.Join(said, "；"), "。")
}

func (c *assessmentComposer) addOrAnnex(g *schemas.AssessedGroup, t *document.Table) {
	if len(t.Rows) <= 2*c.style.RowsInText {
		c.add(t)
		return
	}
	c.say(fmt.Sprintf("共%d个，见", len(t.Rows)), c.annex(t.Key, groupName(g.Kind, g.Group, c.names.Rules)+"考核结果", false, t), "。")
}

func sortedAssessed(g *schemas.AssessedGroup) []schemas.AssessedRow {
	rows := slices.Clone(g.Rows)
	slices.SortStableFunc(rows, func(a, b schemas.AssessedRow) int {
		return cmp.Or(compareRanks(true, a.Rank, b.Rank), isUnassigned(a.Key)-isUnassigned(b.Key))
	})
	return rows
}

func assessedNameWidth(g *schemas.AssessedGroup) float64 {
	wide := 5.2
	for i := range g.Rows {
		wide = max(wide, float64(len([]rune(g.Rows[i].Name))))
	}
	return min(wide, 10)
}

// finalTable shows how the final of each row comes about, the best first.
func (c *assessmentComposer) finalTable(g *schemas.AssessedGroup) *document.Table {
	t := &document.Table{Key: "final." + groupKey(g.Kind, g.Group), Columns: slices.Concat(numbers(2.4, "名次"), []document.Column{words(assessedNameWidth(g), rowWord(g.Kind))},
		numbers(3.6, "得分", "提前加分", "逾期扣分", "调整", "最终得分"), []document.Column{words(4, "等次")})}
	for _, r := range sortedAssessed(g) {
		path := groupPath(g.Kind, g.Group, r.Key)
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{numberOrNone(path+"rank", r.Rank), word(r.Name), figure(path+"score", r.Score), signedFigure(path+"bonus", r.Bonus),
			signedFigure(path+"penalty", r.Penalty), signedFigure(path+"adjustment", r.Adjustment), figure(path+"final", r.Final), {Text: gradeName(&r), Figure: path + "grade"}}})
	}
	return t
}

func itemName(item string) string {
	if name := milestoneName(item); name != item {
		return name
	}
	return map[string]string{"ledger": "台账", "investment": "投资"}[item]
}

// itemsTable shows every item of each row: what was achieved of what was due,
// and the points.
func (c *assessmentComposer) itemsTable(g *schemas.AssessedGroup) *document.Table {
	t := &document.Table{Key: "items." + groupKey(g.Kind, g.Group), Unit: "投资单位：万元", Columns: slices.Concat(numbers(2.4, "名次"), []document.Column{words(assessedNameWidth(g), rowWord(g.Kind))})}
	w := c.names.Rules.Weights
	for i, weight := range []int{w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment} {
		width := 3.2
		if i == 4 {
			width = 6
		}
		name := [...]string{"落地", "开工", "投产", "台账", "投资"}[i]
		t.Columns = slices.Concat(t.Columns, under(fmt.Sprintf("%s（权重%d）", name, weight), slices.Concat(numbers(width, "分子", "分母"), numbers(3.2, "得分"))...))
	}
	t.Columns = append(t.Columns, numbers(3.4, "合计")...)
	for _, r := range sortedAssessed(g) {
		path := groupPath(g.Kind, g.Group, r.Key)
		cells := []document.Cell{numberOrNone(path+"rank", r.Rank), word(r.Name)}
		for _, item := range r.Items {
			of := path + "items/" + item.Item + "/"
			cells = append(cells, figure(of+"numerator", item.Numerator), figure(of+"divisor", item.Divisor), figure(of+"points", item.Points))
		}
		t.Rows = append(t.Rows, document.Row{Cells: append(cells, figure(path+"score", r.Score))})
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
func figuresTable(g *schemas.AssessedGroup) *document.Table {
	t := &document.Table{Key: "figures." + groupKey(g.Kind, g.Group), Unit: "投资单位：万元", Columns: slices.Concat([]document.Column{words(assessedNameWidth(g), rowWord(g.Kind))}, numbers(2.6, "项目"),
		under("已完成/应完成", numbers(3, "落地", "开工", "投产")...), under("投资", slices.Concat(numbers(5.4, "计划", "完成"), numbers(4, "完成率"))...), numbers(4, "“七个一”落实率", "按时报送"))}
	rows := slices.Clone(g.Rows)
	slices.SortStableFunc(rows, func(a, b schemas.AssessedRow) int { return isUnassigned(a.Key) - isUnassigned(b.Key) })
	for i := range rows {
		r := &rows[i]
		path, m, plan := groupPath(g.Kind, g.Group, r.Key), &r.Milestones, r.Investment.Plan
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{word(r.Name), number(path+"projects", r.Projects), doneOfDue(path, "landed", &m.Landed), doneOfDue(path, "started", &m.Started),
			doneOfDue(path, "producing", &m.Producing), wan(path+"investment/plan", &plan), wan(path+"investment/invested", r.Investment.Invested), percentage(path+"investment/rate", r.Investment.Rate),
			percentage(path+"completeness", r.Completeness), {Text: fmt.Sprintf("%d/%d", r.ReportsOnTime, r.ReportsDue), Figure: path + "reports_on_time"}}})
	}
	return t
}

// hints lists what the rules suggest, by hint and in the order of the model.
func (c *assessmentComposer) hints() {
	c.say("以下为按口径得出的提示，奖惩由会议研究决定。")
	for _, hint := range []struct {
		hint schemas.Hint
		name string
	}{{schemas.HintReward, "建议奖励"}, {schemas.HintExplain, "建议作出说明"}, {schemas.HintAccountability, "建议问责"}} {
		c.heading(hint.name)
		list := &document.List{}
		for g := range c.model.Groups {
			if group := &c.model.Groups[g]; c.ranked(group) {
				list.Items = append(list.Items, c.reasons(group, hint.hint)...)
			}
		}
		if len(list.Items) == 0 {
			c.sayNone()
		} else {
			c.add(list)
		}
	}
}

func (c *assessmentComposer) reasons(g *schemas.AssessedGroup, hint schemas.Hint) []document.Text {
	var said []document.Text
	for i := range g.Rows {
		for _, r := range g.Rows[i].HintReasons {
			if r.Hint == hint {
				said = append(said, document.Words(fmt.Sprintf("%s（%s）：%s", g.Rows[i].Name, groupName(g.Kind, g.Group, c.names.Rules), r.Reason)))
			}
		}
	}
	return said
}

func (c *assessmentComposer) unmatched() {
	if len(c.model.UnmatchedAdjustments) == 0 {
		c.sayNone()
		return
	}
	t := &document.Table{Key: "unmatched", Cards: true, Columns: slices.Concat([]document.Column{words(4, "类别"), words(6, "对象")}, numbers(3, "分值"), []document.Column{words(3, "一票否决"), words(8, "原因"), words(8, "文件"), words(8, "事件")})}
	for i := range c.model.UnmatchedAdjustments {
		u := &c.model.UnmatchedAdjustments[i]
		veto, key := unknown, u.Key
		if u.Veto {
			veto = "是"
		}
		if u.Kind == schemas.AdjustDistrict {
			key = c.names.Rules.DistrictName(key)
		}
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{word(rowWord(string(u.Kind))), word(key), signedFigure("", u.Points), word(veto), word(u.Reason), word(u.Document),
			word(strings.TrimSpace(u.Event.Source + " " + u.Event.ID))}})
	}
	c.add(t)
}

// notes explains the figures with the numbers of the rules in force.
func (c *assessmentComposer) notes() {
	c.add(&document.List{Note: true, Numbered: true, Items: assessmentNotes(c.names.Rules)})
}

func assessmentNotes(rules *schemas.Rules) []document.Text {
	w, n := rules.Weights, rules.Assessing()
	return []document.Text{
		document.Words(fmt.Sprintf("得分：落地%d分、开工%d分、投产%d分（按期计1、逾期计½）、台账%d分、投资%d分，不适用的项目不计（表中记“-”），按适用部分折算成百分；表中各项为折算后的分数。各数只在最后四舍五入一次。",
			w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment)),
		document.Words("各项的分子、分母：落地、开工、投产为按期数加逾期数的一半、应考核数；台账为“七个一”平均落实率乘以按时报送月数、应报送月数；投资为完成投资、年度计划。投资完成率超过100%的按100%计分；没有应报送月份的，台账按“七个一”平均落实率计分。"),
		document.Words(fmt.Sprintf("提前加分：比基准日期和目标日期都提前%d天以上完成的节点占今年已完成节点的比例，乘以%d分。", n.BonusDays, n.BonusPoints)),
		document.Words(fmt.Sprintf("逾期扣分：开工逾期%d个月以上的项目（停缓建的除外）占项目总数的比例，乘以%d分。", n.PenaltyMonths, n.PenaltyPoints)),
		document.Words("调整：市里发文记录的加分和扣分之和；有一票否决的，等次为不合格。"),
		document.Words("最终得分：得分、加分、扣分、调整之和，不低于零，不设上限。按最终得分在组内排名，同分同名次；组与组之间不比较。未分包和没有项目的不排名次。"),
		document.Words(fmt.Sprintf("等次：%d分以上优秀，%d分以上良好，%d分以上合格，其余不合格（“以上”含本数）。", n.Excellent, n.Good, n.Pass)),
		document.Words("节点算在达到之日的分包领导和部门名下；项目、投资和台账算在年末的分包领导和部门名下。每一项的依据事件列在同名的JSON文件中，并可按网页版所附语句查询。"),
	}
}
