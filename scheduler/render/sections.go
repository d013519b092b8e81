package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"milepost/schemas"
)

func joined(names []string) string { return strings.Join(names, "、") }

func (c *composer) rankings() {
	s := c.doc.section("三、进展排名")
	if len(c.model.Groups) == 0 {
		s.say(none)
		return
	}
	for i := range c.model.Groups {
		g := &c.model.Groups[i]
		ranked := g.Kind != "lead" || c.names.RankLeads
		s.heading(fmt.Sprintf("（%s）%s", chineseOrdinal(i+1), groupName(g.Kind, g.Group, c.names.Rules)))
		if !ranked {
			s.say("市级领导不排名次。")
		}
		s.table(rankingTable(g, ranked))
	}
}

func chineseOrdinal(n int) string {
	digits := []string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	switch {
	case n < 10:
		return digits[n]
	case n < 20:
		return "十" + digits[n-10]
	case n < 100:
		return digits[n/10] + "十" + digits[n%10]
	}
	return fmt.Sprint(n)
}

// groupName names a group of rows by its kind and, for districts, its code.
func groupName(kind string, group *string, rules *schemas.Rules) string {
	switch {
	case kind == "department":
		return "市直部门"
	case kind == "lead":
		return "市级领导"
	case group == nil:
		return "其他"
	}
	for _, known := range rules.Groups {
		if known.Code == *group {
			return known.Name
		}
	}
	return *group
}

// rowWord says what the rows of a kind are.
func rowWord(kind string) string {
	return map[string]string{"district": "县（市）区", "department": "部门", "lead": "领导"}[kind]
}

func rankingTable(g *schemas.RankedGroup, ranked bool) table {
	t := table{}
	if ranked {
		t.Columns = numbers("名次")
	}
	t.Columns = append(t.Columns, words(rowWord(g.Kind))...)
	if ranked {
		t.Columns = append(t.Columns, numbers("得分", "名次变化")...)
	}
	t.Columns = append(t.Columns, numbers("项目", "落地", "开工", "投产", "计划投资（万元）", "完成投资（万元）", "完成率", "与时序进度差（百分点）", "“七个一”落实率", "按时报送")...)
	rows := slices.Clone(g.Rows)
	slices.SortStableFunc(rows, func(a, b schemas.RankedRow) int {
		return cmp.Or(compareRanks(ranked, a.Rank, b.Rank), isUnassigned(a.Key)-isUnassigned(b.Key))
	})
	for i := range rows {
		r := &rows[i]
		var line []cell
		if ranked {
			line = append(line, text(numberOrUnknown(r.Rank)))
		}
		line = append(line, text(r.Name))
		if ranked {
			line = append(line, text(r.Score.String()), text(rankChange(r.RankChange)))
		}
		m := &r.Milestones
		line = append(line, number(r.Projects), text(doneOfDue(&m.Landed)), text(doneOfDue(&m.Started)), text(doneOfDue(&m.Producing)),
			text(r.Investment.Plan.String()), text(wanOrUnknown(r.Investment.Invested)), text(percent(r.Investment.Rate)), text(signed(r.Investment.VsTime)),
			text(percent(r.Completeness)), text(fmt.Sprintf("%d/%d", r.ReportsOnTime, r.ReportsDue)))
		t.Rows = append(t.Rows, line)
	}
	return t
}

// compareRanks puts rows without a rank last.
func compareRanks(ranked bool, a, b *int) int {
	const last = math.MaxInt
	if !ranked {
		return 0
	}
	first, second := last, last
	if a != nil {
		first = *a
	}
	if b != nil {
		second = *b
	}
	return cmp.Compare(first, second)
}

// isUnassigned is 1 for the row of projects that nobody holds: it is printed
// below the others.
func isUnassigned(key string) int {
	if key == "unassigned" {
		return 1
	}
	return 0
}

func numberOrUnknown(n *int) string {
	if n == nil {
		return unknown
	}
	return fmt.Sprint(*n)
}

// rankChange says ↑2, ↓1, or 持平.
func rankChange(change *int) string {
	switch {
	case change == nil:
		return unknown
	case *change > 0:
		return fmt.Sprintf("↑%d", *change)
	case *change < 0:
		return fmt.Sprintf("↓%d", -*change)
	}
	return "持平"
}

// doneOfDue says what was done of what was due by the period's end.
func doneOfDue(t *schemas.MilestoneTally) string { return fmt.Sprintf("%d/%d", t.Done, t.DueToDate) }

func (c *composer) lagging() {
	s, status := c.doc.section("四、进展缓慢和无进展项目"), &c.model.Totals.ByStatus
	if len(c.model.Lagging) == 0 {
		s.say(none)
		return
	}
	s.say("共%d个：%s。", len(c.model.Lagging), parts("个", part{"进展缓慢", status.Slow}, part{"无进展", status.Stalled}))
	rows := table{Cards: true, Columns: slices.Concat(numbers("序号"), words("项目"), codes("编号"), words("县（市）区", "进展", "亮灯", "逾期节点"),
		codes("目标日期", "预计完成"), words("逾期", "市级领导", "市直部门", "未销号问题"))}
	var first []string
	for i := range c.model.Lagging {
		p := &c.model.Lagging[i]
		milestone, overdue := unknown, unknown
		if p.Milestone != nil {
			milestone, overdue = milestoneName(*p.Milestone), fmt.Sprintf("%d个月", p.OverdueMonths)
			if p.LateDays != nil {
				overdue += fmt.Sprintf("（%d天）", *p.LateDays)
			}
		}
		progress := statusName(p.Status)
		if p.ConsecutiveStalledMonths > 0 {
			progress = fmt.Sprintf("连续%d个月无进展", p.ConsecutiveStalledMonths)
		}
		district := c.names.Rules.DistrictName(p.District)
		rows.Rows = append(rows.Rows, []cell{number(i + 1), text(p.Name), text(p.ProjectID), text(district), text(progress),
			{Text: lightName(p.Light), Light: string(p.Light)}, text(milestone), text(isoDate(p.Target)), text(isoDate(p.Forecast)), text(overdue),
			text(wordOrUnknown(p.Lead)), text(wordOrUnknown(p.Department)), text(count(p.OpenIssues, "个"))})
		named := fmt.Sprintf("%s（%s", p.Name, district)
		if p.Milestone != nil {
			named += "，" + milestone + "逾期" + fmt.Sprintf("%d个月", p.OverdueMonths)
		}
		first = append(first, named+"）")
	}
	c.place(s, "进展缓慢和无进展项目", rows, first, "排在前面的是", "个项目")
}

func (c *composer) unreported() {
	s := c.doc.section("五、应报未报")
	if len(c.model.Unreported) == 0 {
		s.say(none)
		return
	}
	s.say("%s投资进度应报未报的项目共%d个。", chineseMonth(c.model.ReportingMonth), len(c.model.Unreported))
	c.listProjects(s, "应报未报项目", c.model.Unreported)
}

// listProjects lists projects by id and name.
func (c *composer) listProjects(s *section, title string, ids []string) {
	rows := table{Columns: slices.Concat(numbers("序号"), words("项目"), codes("编号"))}
	items := make([]string, len(ids))
	for i, id := range ids {
		name := c.projects[id]
		items[i] = id
		if name != "" {
			items[i] = fmt.Sprintf("%s（%s）", name, id)
		}
		rows.Rows = append(rows.Rows, []cell{number(i + 1), text(cmp.Or(name, unknown)), text(id)})
	}
	if len(ids) <= rowsInText {
		s.say("%s。", joined(items))
		return
	}
	c.place(s, title, rows, items, "按编号依次为", "个项目")
}

func (c *composer) issues() {
	s, i := c.doc.section("六、问题办理"), &c.model.Issues
	if *i == (schemas.IssueCounts{}) {
		s.say(none)
		return
	}
	if i.Raised == 0 && i.Resolved == 0 {
		s.say("%s没有新提出和销号的问题。", thisPeriod(c.model.Kind))
	} else {
		s.say("%s新提出问题%s，销号%s。", thisPeriod(c.model.Kind), count(i.Raised, "个"), count(i.Resolved, "个"))
	}
	if i.Open == 0 {
		s.say("至期末没有未销号的问题。")
		return
	}
	s.say("至期末未销号%d个，其中超期%s。", i.Open, count(i.Overdue, "个"))
}

func (c *composer) method() {
	s, m := c.doc.section("七、“七个一”落实情况"), &c.model.Method
	if m.Completeness == nil {
		s.say(none)
		return
	}
	s.say("项目平均落实率%s。", percent(m.Completeness))
	rows := table{Columns: append(words("内容"), numbers("已落实", "应落实", "落实率")...)}
	for _, item := range m.Items {
		name := string(item.Key)
		for _, known := range c.names.Rules.Method {
			if known.Key == item.Key {
				name = known.Name
			}
		}
		satisfied, applicable := fmt.Sprint(item.Satisfied), fmt.Sprint(item.Applicable)
		if item.Applicable == 0 {
			satisfied, applicable = unknown, unknown
		}
		rows.Rows = append(rows.Rows, []cell{text(name), text(satisfied), text(applicable), text(percent(schemas.Percent(int64(item.Satisfied), int64(item.Applicable))))})
	}
	s.table(rows)
}

func (c *composer) quality() {
	s, q := c.doc.section("九、数据质量与更正"), &c.model.DataQuality
	s.say("未能计入的数据：%s。", parts("件", part{"项目未登记", q.Orphans}, part{"重复报送且内容不一", q.Conflicts}, part{"无权报送", q.Foreign}, part{"退件", q.DeadLetters}))
	s.heading("（一）节点次序颠倒的项目")
	c.projectsOrNone(s, "节点次序颠倒的项目", q.OutOfOrder)
	s.heading("（二）年度计划未下达的项目")
	c.projectsOrNone(s, "年度计划未下达的项目", q.NoPlan)
	s.heading("（三）数据修订")
	if len(c.model.Restatements) == 0 {
		s.say(none)
		return
	}
	s.say("最近一期通报发布后，以下%d处有变化。", len(c.model.Restatements))
	rows := table{Columns: words("内容", "已发布", "现在")}
	var first []string
	for _, r := range c.model.Restatements {
		where := c.restatedPath(r.Path)
		rows.Rows = append(rows.Rows, []cell{text(where), text(c.restatedValue(r.Published)), text(c.restatedValue(r.Now))})
		first = append(first, where)
	}
	c.place(s, "数据修订", rows, first, "其中", "处")
}

func (c *composer) projectsOrNone(s *section, title string, ids []string) {
	if len(ids) == 0 {
		s.say(none)
		return
	}
	s.say("共%d个。", len(ids))
	c.listProjects(s, title, ids)
}
