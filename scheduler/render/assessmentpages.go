package render

import (
	"fmt"
	"slices"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// pages are those of the rows of a group, one each, in the order of the
// results.
func (c *assessmentComposer) pages(g *schemas.AssessedGroup) []document.Block {
	var blocks []document.Block
	rows := sortedAssessed(g)
	ranked := c.ranked(g)
	if !ranked {
		rows = g.Rows
	}
	for i := range rows {
		blocks = append(blocks, &document.Heading{Level: 2, Text: rows[i].Name, NewPage: i > 0})
		blocks = append(blocks, c.page(g, &rows[i], ranked)...)
	}
	return blocks
}

// page says of a row what was counted, the five items with the events that they
// rest on, how the final comes about, and the hints.
func (c *assessmentComposer) page(g *schemas.AssessedGroup, r *schemas.AssessedRow, ranked bool) []document.Block {
	path := groupPath(g.Kind, g.Group, r.Key)
	var blocks []document.Block
	say := func(parts ...any) { blocks = append(blocks, &document.Paragraph{Text: line(parts...)}) }
	held := line("年末负责项目", things(path+"projects", r.Projects, "个"))
	if r.Completeness != nil {
		held = line(held, "，“七个一”落实率", rate(path+"completeness", r.Completeness))
	}
	if r.ReportsDue > 0 {
		held = line(held, "，应报送月报", count(path+"reports_due", r.ReportsDue), "份、按时报送", things(path+"reports_on_time", r.ReportsOnTime, "份"))
	}
	say(held, "。")
	blocks = append(blocks, c.pageMilestones(g, r), c.pageItems(g, r, ranked))
	if !ranked {
		return blocks
	}
	if r.Final == nil {
		say("各项均不适用，没有得分。")
		return blocks
	}
	said := line("得分", document.Span{Text: r.Score.String(), Figure: path + "score"}, "分")
	for _, step := range []struct {
		name, member string
		value        *schemas.Figure
	}{{"提前加分", "bonus", r.Bonus}, {"逾期扣分", "penalty", r.Penalty}, {"调整", "adjustment", r.Adjustment}} {
		if step.value != nil && step.value.Units != 0 {
			said = line(said, "，", step.name, document.Span{Text: signed(step.value), Figure: path + step.member}, "分")
		}
	}
	said = line(said, "，最终得分", document.Span{Text: r.Final.String(), Figure: path + "final", Strong: true}, "分")
	if r.Rank != nil {
		said = line(said, "，第", count(path+"rank", *r.Rank), "名")
	}
	if r.Grade != nil {
		said = line(said, "，", document.Span{Text: gradeName(r), Figure: path + "grade", Strong: true})
	}
	say(said, "。")
	for _, hint := range r.HintReasons {
		say("提示：", hintName(hint.Hint), "。", strings.TrimSuffix(hint.Reason, "。"), "。")
	}
	return blocks
}

func hintName(h schemas.Hint) string {
	return map[schemas.Hint]string{schemas.HintReward: "建议奖励", schemas.HintExplain: "建议作出说明", schemas.HintAccountability: "建议问责"}[h]
}

func (c *assessmentComposer) pageMilestones(g *schemas.AssessedGroup, r *schemas.AssessedRow) *document.Table {
	path := groupPath(g.Kind, g.Group, r.Key)
	t := &document.Table{Key: "page.milestones." + g.Kind + "." + r.Key, Caption: "节点完成情况", Columns: slices.Concat([]document.Column{words(4, "节点")}, numbers(4, "应完成", "已完成", "按期", "逾期", "完成率"))}
	for _, m := range schemas.Milestones() {
		n, of := r.Milestones.Of(m), path+"milestones/"+m.String()+"/"
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{word(milestoneName(m.String())), number(of+"due_to_date", n.DueToDate), number(of+"done", n.Done), number(of+"on_time", n.OnTime),
			number(of+"late", n.Late), percentage(of+"rate_to_date", n.RateToDate)}})
	}
	return t
}

func (c *assessmentComposer) pageItems(g *schemas.AssessedGroup, r *schemas.AssessedRow, ranked bool) *document.Table {
	t := &document.Table{Key: "page.items." + g.Kind + "." + r.Key, Caption: "考核各项", Columns: slices.Concat([]document.Column{words(4, "内容")}, numbers(3, "权重"), numbers(6, "分子", "分母"), numbers(4, "完成比例"))}
	if ranked {
		t.Columns = append(t.Columns, numbers(4, "得分")...)
	}
	t.Columns = append(t.Columns, numbers(4, "依据事件（件）")...)
	path := groupPath(g.Kind, g.Group, r.Key)
	for _, item := range r.Items {
		of := path + "items/" + item.Item + "/"
		cells := []document.Cell{word(itemName(item.Item)), number(of+"weight", item.Weight), figure(of+"numerator", item.Numerator), figure(of+"divisor", item.Divisor), figure(of+"fraction", item.Fraction)}
		if ranked {
			cells = append(cells, figure(of+"points", item.Points))
		}
		t.Rows = append(t.Rows, document.Row{Cells: append(cells, number(of+"events", len(item.Events)))})
	}
	return t
}

// assessmentSources answers where the figures of an assessment come from.
type assessmentSources struct {
	year  int
	known uint64
}

// Source gives the source of the value at the path groups/kind[/group]/key/….
func (a assessmentSources) Source(path string) (document.Source, bool) {
	segments := strings.Split(path, "/")
	if len(segments) < 4 || segments[0] != "groups" {
		return document.Source{}, false
	}
	kind, at := segments[1], 2
	if kind == "district" {
		at = 3
	}
	key := strings.NewReplacer("~1", "/", "~0", "~").Replace(segments[at])
	where := fmt.Sprintf("kind = %s AND key = %s", quoted(kind), quoted(key))
	last := segments[len(segments)-1]
	s := document.Source{Definition: assessedDefinitions()[last], Select: fmt.Sprintf("SELECT * FROM assessment(year = %d, known = %d) WHERE %s", a.year, a.known, where)}
	items := fmt.Sprintf("FROM assessment_items(year = %d, known = %d) WHERE %s", a.year, a.known, where)
	if len(segments) > at+2 && segments[at+1] == "items" {
		items += " AND item = " + quoted(segments[at+2])
		s.Select = "SELECT item, weight, numerator, divisor, fraction, points " + items
	}
	s.Events = "SELECT stream_seq, type, project_id, business_date, source, id, data FROM events FINAL WHERE (source, id) IN (SELECT arrayJoin(events) " + items + ") ORDER BY stream_seq"
	if s.Definition == "" {
		s.Definition = definition(segments)
	}
	return s, s.Definition != ""
}

// assessedDefinitions are those that only an assessment has.
func assessedDefinitions() map[string]string {
	return map[string]string{
		"bonus": "比基准和目标都提前规定天数以上完成的节点占已完成节点的比例，乘以加分的分值。", "penalty": "开工逾期达到规定月数的项目占项目总数的比例，乘以扣分的分值。",
		"adjustment": "市里发文记录的加分和扣分之和。", "final": "得分、加分、扣分、调整之和，不低于零。", "grade": "按最终得分评定的等次；一票否决的为不合格。",
		"weight": "此项在得分中的权重。", "numerator": "此项完成的数。", "divisor": "此项应完成的数。", "fraction": "此项的完成比例，投资不超过1。", "points": "权重乘以完成比例，再按适用各项的权重折算成百分。",
		"events": "此项所依据的事件数。", "rank": "组内按最终得分从高到低的名次，同分同名次。", "projects": "年末由其负责的项目数。",
	}
}
