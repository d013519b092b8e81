package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func (c *composer) reached() {
	m := &c.model.Milestones
	if len(c.model.Reached) == 0 {
		c.say(thisPeriod(c.model.Kind), "无新增落地、开工、投产。")
		return
	}
	c.say(thisPeriod(c.model.Kind), "新增：", parts("个", part{"落地", "milestones/landed/new_in_period", m.Landed.NewInPeriod},
		part{"开工", "milestones/started/new_in_period", m.Started.NewInPeriod}, part{"投产", "milestones/producing/new_in_period", m.Producing.NewInPeriod}), "。")
	t, first := c.reachedTable()
	c.place("本期落地、开工、投产节点", t, first, "其中", "个节点")
}

// reachedTable lists what was reached, in the model's order.
func (c *composer) reachedTable() (*document.Table, []document.Text) {
	t := &document.Table{Key: "reached", Cards: true, Columns: slices.Concat(numbers(2.4, "序号"), []document.Column{words(12, "项目"), codes(4.2, "编号"), codes(2.6, "节点"), days("达到日期"), days("目标日期"), codes(5, "与目标相比")})}
	var first []document.Text
	for _, r := range c.model.Reached {
		if !c.visible(r.ProjectID) {
			continue
		}
		path := "reached/" + schemas.PathPart(r.ProjectID) + "/" + r.Milestone + "/"
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{number("", len(t.Rows)+1), word(r.Name), word(r.ProjectID), word(milestoneName(r.Milestone)),
			day(path+"reached_on", r.ReachedOn), day(path+"target", r.Target), {Text: lateness(r.LateDays), Figure: path + "late_days"}}})
		first = append(first, document.Words(r.Name+milestoneName(r.Milestone)))
	}
	return t, first
}

func (c *composer) upcoming() {
	end := chineseDate(c.horizon())
	t, first, counts := c.upcomingTable()
	if len(t.Rows) == 0 {
		c.say(nextPeriod(c.model.Kind), "（至", end, "）没有到期的节点。")
		return
	}
	c.say(nextPeriod(c.model.Kind), "（至", end, "）应完成的节点：", parts("个", part{"落地", "", counts["landed"]}, part{"开工", "", counts["started"]}, part{"投产", "", counts["producing"]}), "。")
	c.place("下期节点", t, first, "最先到期的是", "个节点")
}

func (c *composer) upcomingTable() (*document.Table, []document.Text, map[string]int) {
	counts := map[string]int{}
	t := &document.Table{Key: "upcoming", Cards: true, Columns: slices.Concat(numbers(2.4, "序号"), []document.Column{words(12, "项目"), codes(4.2, "编号"), codes(2.6, "节点"), days("目标日期"), days("预计完成"), codes(5, "预计偏差")})}
	var first []document.Text
	for _, u := range c.model.Upcoming {
		if !c.visible(u.ProjectID) {
			continue
		}
		counts[u.Milestone]++
		path := "upcoming/" + schemas.PathPart(u.ProjectID) + "/" + u.Milestone + "/"
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{number("", len(t.Rows)+1), word(u.Name), word(u.ProjectID), word(milestoneName(u.Milestone)),
			day(path+"target", u.Target), day(path+"forecast", u.Forecast), word(variance(u.Target, u.Forecast))}})
		first = append(first, document.Words(u.Name+milestoneName(u.Milestone)))
	}
	return t, first, counts
}

// variance says the days from one plan to a later one: 推后31天.
func variance(from, to schemas.Date) string {
	switch {
	case from == 0 || to == 0:
		return unknown
	case to > from:
		return fmt.Sprintf("推后%d天", to-from)
	case to < from:
		return fmt.Sprintf("提前%d天", from-to)
	}
	return "无偏差"
}

// horizon is the last day of the next period of the kind.
func (c *composer) horizon() schemas.Date {
	return schemas.PeriodContaining(c.model.Kind, c.model.PeriodEnd).Next().End
}

func (c *composer) unreported() {
	if len(c.model.Unreported) == 0 {
		c.sayNone()
		return
	}
	c.say(chineseMonth(c.model.ReportingMonth), fmt.Sprintf("投资进度应报未报的项目共%d个。", len(c.model.Unreported)))
	c.listProjects("unreported", "应报未报项目", c.model.Unreported)
}

// listProjects lists projects by id and name.
func (c *composer) listProjects(key, title string, ids []string) {
	t, items := c.projectTable(key, ids)
	if len(items) <= namesInText {
		c.say(joinTexts(items), "。")
		return
	}
	c.place(title, t, items, "按编号依次为", "个项目")
}

// projectTable lists projects with who answers for them, and their names for the
// text.
func (c *composer) projectTable(key string, ids []string) (*document.Table, []document.Text) {
	t := &document.Table{Key: key, Cards: true, Columns: slices.Concat(numbers(2.4, "序号"), []document.Column{words(14, "项目"), codes(4.6, "编号")})}
	detailed := c.names.Details != nil
	if detailed {
		t.Columns = append(t.Columns, words(6, "县（市）区"), words(6, "市级领导"), words(10, "市直部门"))
	}
	items := make([]document.Text, len(ids))
	for i, id := range ids {
		name := c.projects[id]
		items[i] = document.Words(id)
		if name != "" {
			items[i] = document.Words(fmt.Sprintf("%s（%s）", name, id))
		}
		cells := []document.Cell{number("", i+1), word(cmp.Or(name, unknown)), word(id)}
		if detailed {
			district, lead, department := unknown, unknown, unknown
			if s := c.names.Details.Standing(id); s != nil {
				district, lead, department = c.names.Rules.DistrictName(s.District), cmp.Or(s.Holder.Lead, unknown), cmp.Or(s.Holder.Department, unknown)
			}
			cells = append(cells, word(district), word(lead), word(department))
		}
		t.Rows = append(t.Rows, document.Row{Cells: cells})
	}
	return t, items
}

func (c *composer) issues() {
	i := &c.model.Issues
	if *i == (schemas.IssueCounts{}) {
		c.sayNone()
		return
	}
	if i.Raised == 0 && i.Resolved == 0 {
		c.say(thisPeriod(c.model.Kind), "没有新提出和销号的问题。")
	} else {
		c.say(thisPeriod(c.model.Kind), "新提出问题", things("issues/raised", i.Raised, "个"), "，销号", things("issues/resolved", i.Resolved, "个"), "。")
	}
	if i.Open == 0 {
		c.say("至期末没有未销号的问题。")
		return
	}
	c.say("至期末未销号", count("issues/open", i.Open), "个，其中超期", things("issues/overdue", i.Overdue, "个"), "。", c.openByCategory())
}

func (c *composer) method() {
	m := &c.model.Method
	if m.Completeness == nil {
		c.sayNone()
		return
	}
	var shares []document.Text
	var idle []string
	for _, item := range m.Items {
		path, name := "method/items/"+schemas.PathPart(string(item.Key))+"/", c.methodName(string(item.Key))
		if item.Applicable == 0 {
			idle = append(idle, name)
			continue
		}
		share := percent(schemas.Percent(int64(item.Satisfied), int64(item.Applicable)))
		shares = append(shares, line(name, count(path+"satisfied", item.Satisfied), "/", count(path+"applicable", item.Applicable), "（"+share+"）"))
	}
	said := line("项目平均落实率", rate("method/completeness", m.Completeness))
	if len(shares) > 0 {
		said = line(said, "。各项已落实/应落实：", joinTexts(shares))
	}
	if len(idle) > 0 {
		said = line(said, "；", strings.Join(idle, "、"), "本期不适用")
	}
	c.say(said, "。")
}

// quality says what could not be used and what was corrected. It is brief: the
// lists are in annexes.
func (c *composer) quality() {
	q := &c.model.DataQuality
	c.say("未能计入的数据：", parts("件", part{"项目未登记", "data_quality/orphans", q.Orphans}, part{"重复报送且内容不一", "data_quality/conflicts", q.Conflicts},
		part{"无权报送", "data_quality/foreign", q.Foreign}, part{"退件", "data_quality/dead_letters", q.DeadLetters}), "。")
	var lists []document.Block
	outOfOrder, noPlan := c.briefly("out_of_order", "节点次序颠倒的项目", q.OutOfOrder, &lists), c.briefly("no_plan", "年度计划未下达的项目", q.NoPlan, &lists)
	c.say(outOfOrder, "；", noPlan, "。")
	if len(lists) > 0 {
		c.say("名单见", c.annex("quality", "数据质量", false, lists...), "。")
	}
	restated := c.restated()
	if len(restated) == 0 {
		c.say("更正（数据修订）：无。")
		return
	}
	c.say(fmt.Sprintf("更正（数据修订）：最近一期通报发布后，以下%d处有变化。", len(restated)))
	t := &document.Table{Key: "restatements", Cards: true, Columns: []document.Column{words(18, "内容"), words(6, "已发布"), words(6, "现在")}}
	var first []document.Text
	for _, r := range restated {
		where := c.restatedPath(r.Path)
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{word(where), word(c.restatedValue(r.Published)), word(c.restatedValue(r.Now))}})
		first = append(first, document.Words(where))
	}
	c.place("数据修订", t, first, "其中", "处")
}

// briefly names few projects, and counts many, whose list goes to lists.
func (c *composer) briefly(key, title string, ids []string, lists *[]document.Block) document.Text {
	if len(ids) == 0 {
		return document.Words(title + "：无")
	}
	t, items := c.projectTable(key, ids)
	if len(items) <= namesInText {
		return line(title, fmt.Sprintf("%d个：", len(ids)), joinTexts(items))
	}
	*lists = append(*lists, &document.Heading{Level: 3, Text: title}, t)
	return line(title, fmt.Sprintf("%d个", len(ids)))
}
