package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func (c *composer) lagging() {
	status := &c.model.Totals.ByStatus
	if len(c.model.Lagging) == 0 {
		c.sayNone()
		return
	}
	c.say(fmt.Sprintf("共%d个：", len(c.model.Lagging)), parts("个", part{"进展缓慢", "totals/by_status/slow", status.Slow}, part{"无进展", "totals/by_status/stalled", status.Stalled}), "。")
	short, first := c.laggingTable()
	annex := c.annex("lagging", "进展缓慢和无进展项目", true, c.fullLagging())
	if len(short.Rows) <= c.style.RowsInText {
		c.add(short)
		c.say("基准、目标、预计日期和原因见", annex, "。")
		return
	}
	c.say("排在前面的是", joinTexts(first[:min(namesInText, len(first))]), fmt.Sprintf("等。全部%d个项目见%s。", len(short.Rows), annex))
}

// laggingTable is the plan, the fact and who answers for each lagging project
// that the edition may show, with the names for the text.
func (c *composer) laggingTable() (*document.Table, []document.Text) {
	t := &document.Table{Key: "lagging", Cards: true, Columns: slices.Concat(numbers(2.2, "序号"), []document.Column{words(10, "项目"), words(5.2, "县（市）区"),
		words(5.6, "计划"), words(6.4, "实际"), {Name: "亮灯", Kind: document.LightColumn, Width: 3.4}, words(4.4, "市级领导"), words(7, "市直部门")})}
	var named []document.Text
	for i := range c.model.Lagging {
		p := &c.model.Lagging[i]
		if !c.visible(p.ProjectID) {
			continue
		}
		path := laggingPath(p)
		district := c.names.Rules.DistrictName(p.District)
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{number("", len(t.Rows)+1), word(p.Name), word(district), {Text: planOf(p), Figure: path + "target"},
			{Text: c.factOf(p), Figure: path + factMember(p)}, light(path+"light", p.Light), word(wordOrUnknown(p.Lead)), word(wordOrUnknown(p.Department))}})
		name := line(fmt.Sprintf("%s（%s", p.Name, district))
		if p.Milestone != nil {
			name = line(name, "，", milestoneName(*p.Milestone), "逾期", count(path+"overdue_months", p.OverdueMonths), "个月")
		}
		named = append(named, line(name, "）"))
	}
	return t, named
}

func laggingPath(p *schemas.LaggingProject) string {
	return "lagging/" + schemas.PathPart(p.ProjectID) + "/"
}

// planOf says what should have been reached and when.
func planOf(p *schemas.LaggingProject) string {
	if p.Milestone == nil {
		return "节点未逾期"
	}
	return isoDate(p.Target) + milestoneName(*p.Milestone)
}

// factMember is the member that the fact is told by.
func factMember(p *schemas.LaggingProject) string {
	switch {
	case p.ConsecutiveStalledMonths > 0:
		return "consecutive_stalled_months"
	case p.Milestone != nil:
		return "overdue_months"
	}
	return "status"
}

// factOf says how it stands: overdue, without progress, or behind in
// investment.
func (c *composer) factOf(p *schemas.LaggingProject) string {
	var said []string
	if p.Milestone != nil {
		said = append(said, fmt.Sprintf("逾期%d个月", p.OverdueMonths))
	}
	if p.ConsecutiveStalledMonths > 0 {
		said = append(said, fmt.Sprintf("连续%d个月无进展", p.ConsecutiveStalledMonths))
	}
	if len(said) > 0 {
		return strings.Join(said, "，")
	}
	if c.names.Details != nil {
		if s := c.names.Details.Standing(p.ProjectID); s != nil && s.Investment.Plan > 0 && s.Investment.Known {
			return "投资完成" + percent(schemas.Percent(int64(s.Investment.Invested), int64(s.Investment.Plan)))
		}
	}
	return "投资进度落后"
}

// fullLagging is the list with baseline, target, forecast, variances, movement
// of the light and causes.
func (c *composer) fullLagging() *document.Table {
	t := &document.Table{Key: "full.lagging", Columns: slices.Concat(numbers(2.2, "序号"), []document.Column{words(10.4, "项目"), codes(3.8, "编号"), words(5.2, "县（市）区"), words(5.6, "进展"),
		{Name: "亮灯", Kind: document.LightColumn, Width: 3.2}, words(3, "上期"), codes(2.4, "节点")},
		under("计划与预计", days("基准"), days("目标"), days("预计完成")), under("偏差（天）", numbers(3, "目标较基准", "预计较目标", "逾期")...),
		[]document.Column{words(4.4, "市级领导"), words(8, "市直部门"), words(5, "未销号问题")})}
	for i := range c.model.Lagging {
		p := &c.model.Lagging[i]
		path := laggingPath(p)
		milestone, before, causes, baseline := unknown, unknown, countOrNone(p.OpenIssues), schemas.Date(0)
		progress := statusName(p.Status)
		switch {
		case p.ConsecutiveStalledMonths > 0:
			progress = fmt.Sprintf("连续%d个月无进展", p.ConsecutiveStalledMonths)
		case p.Milestone == nil: // no date says why
			progress += "，" + strings.Replace(c.factOf(p), "投资完成", "投资", 1) // two lines of the column
		}
		if p.Milestone != nil {
			milestone = milestoneName(*p.Milestone)
		}
		if d := c.names.Details; d != nil {
			if s := d.Standing(p.ProjectID); s != nil {
				causes = causesOf(s)
				if p.Milestone != nil {
					m, _ := schemas.ParseMilestone(*p.Milestone)
					baseline = s.Milestones[m].Baseline
				}
			}
			if s := d.Earlier(p.ProjectID); s != nil {
				before = document.LightName(s.Light)
			}
		}
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{number("", i+1), word(p.Name), word(p.ProjectID), word(c.names.Rules.DistrictName(p.District)),
			{Text: progress, Figure: path + "status"}, light(path+"light", p.Light), word(before), word(milestone), day("", baseline), day(path+"target", p.Target), day(path+"forecast", p.Forecast),
			daysBetween(baseline, p.Target), daysBetween(p.Target, p.Forecast), numberOrNone(path+"late_days", p.LateDays),
			word(wordOrUnknown(p.Lead)), word(wordOrUnknown(p.Department)), word(causes)}})
	}
	return t
}

func countOrNone(n int) string {
	if n == 0 {
		return "无"
	}
	return fmt.Sprintf("%d个", n)
}

func daysBetween(from, to schemas.Date) document.Cell {
	if from == 0 || to == 0 {
		return word(unknown)
	}
	n := int(to - from)
	cell := document.Cell{Text: fmt.Sprint(n), Value: n}
	if n > 0 {
		cell.Text = "+" + cell.Text
	}
	return cell
}

// categories of issues in the order of the events' schema, with their words.
func categories() []struct{ key, name string } {
	return []struct{ key, name string }{{"land", "土地"}, {"finance", "资金"}, {"approval", "审批"}, {"environment", "环保"}, {"utilities", "配套"}, {"labour", "用工"}, {"other", "其他"}}
}

// causesOf counts the open issues of a project by category: 土地2个、资金1个.
func causesOf(s *schemas.Standing) string {
	counts := map[string]int{}
	for i := range s.Issues {
		if s.Issues[i].Open() {
			counts[s.Issues[i].Category]++
		}
	}
	var said []string
	for _, category := range categories() {
		if n := counts[category.key]; n > 0 {
			said = append(said, fmt.Sprintf("%s%d个", category.name, n))
		}
	}
	return cmp.Or(strings.Join(said, "、"), "无")
}

// openByCategory says what the open issues are about.
func (c *composer) openByCategory() document.Text {
	d := c.names.Details
	if d == nil {
		return nil
	}
	counts := map[string]int{}
	for i := range d.Ledger.Standings {
		s := &d.Ledger.Standings[i]
		for j := range s.Issues {
			if !s.Cancelled && s.Issues[j].Open() {
				counts[s.Issues[j].Category]++
			}
		}
	}
	var list []part
	for _, category := range categories() {
		if n := counts[category.key]; n > 0 {
			list = append(list, part{category.name, "", n})
		}
	}
	if len(list) == 0 {
		return nil
	}
	return line("按类别分，", parts("个", list...), "。")
}
