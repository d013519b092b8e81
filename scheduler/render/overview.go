package render

import (
	"fmt"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func (c *composer) overview() {
	t, end := &c.model.Totals, chineseDate(c.model.PeriodEnd)
	if c.style.Opening != "" {
		c.say(c.style.Opening)
	}
	if t.Projects == 0 {
		c.say("截至", end, "，台账内没有重大项目。")
	} else {
		c.say("截至", end, "，台账内重大项目共", count("totals/projects", t.Projects), "个，总投资", amount("totals/total_investment", t.TotalInvestment), "。",
			"按进展情况分，", byStatus(t), "；按亮灯分，", byLight(t), "；按所处阶段分，", byStage(t), "。")
		c.movements()
	}
	c.cancelledProjects()
	c.heading("节点")
	c.milestones()
	c.heading("投资")
	c.investment()
}

func byStatus(t *schemas.Totals) document.Text {
	s := &t.ByStatus
	return parts("个", part{"已完成", "totals/by_status/completed", s.Completed}, part{"进展顺利", "totals/by_status/smooth", s.Smooth},
		part{"进展缓慢", "totals/by_status/slow", s.Slow}, part{"无进展", "totals/by_status/stalled", s.Stalled}, part{"停缓建", "totals/by_status/suspended", s.Suspended})
}

func byLight(t *schemas.Totals) document.Text {
	l := &t.ByLight
	return parts("个", part{"绿灯", "totals/by_light/green", l.Green}, part{"黄灯", "totals/by_light/yellow", l.Yellow}, part{"红灯", "totals/by_light/red", l.Red},
		part{"灰灯", "totals/by_light/grey", l.Grey}, part{"未亮灯", "totals/by_light/none", l.None})
}

func byStage(t *schemas.Totals) document.Text {
	s := &t.ByStage
	return parts("个", part{"未落地", "totals/by_stage/registered", s.Registered}, part{"已落地未开工", "totals/by_stage/landed", s.Landed},
		part{"已开工未投产", "totals/by_stage/started", s.Started}, part{"已投产", "totals/by_stage/producing", s.Producing})
}

func (c *composer) cancelledProjects() {
	t := &c.model.Totals
	if t.Cancelled == 0 {
		return
	}
	year := c.model.PeriodEnd.Year()
	thisYear := document.Words(fmt.Sprintf("%d年没有取消的项目", year))
	if n := len(c.model.Cancelled); n > 0 {
		thisYear = line(fmt.Sprintf("其中%d年取消%d个", year, n))
	}
	c.say("另有", count("totals/cancelled", t.Cancelled), "个项目已取消，不计入以上各数；", thisYear, "。")
	if len(c.model.Cancelled) == 0 {
		return
	}
	items := make([]string, len(c.model.Cancelled))
	for i, p := range c.model.Cancelled {
		items[i] = fmt.Sprintf("%s（%s，%s取消，%s）", p.Name, p.ProjectID, chineseDate(p.EffectiveOn), strings.TrimSuffix(p.Reason, "。"))
	}
	if len(items) <= namesInText {
		c.say("取消的是：", strings.Join(items, "、"), "。")
		return
	}
	list := &document.List{Numbered: true}
	for _, item := range items {
		list.Items = append(list.Items, document.Words(item))
	}
	c.say("名单见", c.annex("cancelled", "取消的项目", false, list), "。")
}

// milestoneTable shows the three milestones.
func (c *composer) milestoneTable() *document.Table {
	columns := []document.Column{words(3.2, "节点")}
	columns = append(columns, under("全年", numbers(3.6, "应完成", "完成率")...)...)
	columns = append(columns, under("至期末", numbers(3.6, "应完成", "完成率")...)...)
	columns = append(columns, under("今年已完成", numbers(3, "合计", "按期", "逾期")...)...)
	columns = append(columns, numbers(4.2, thisPeriod(c.model.Kind)+"新增")...)
	t := &document.Table{Key: "milestones", Caption: "三类节点完成情况", Unit: "单位：个", Columns: columns}
	for _, m := range schemas.Milestones() {
		n, path := c.model.Milestones.Of(m), "milestones/"+m.String()+"/"
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{word(milestoneName(m.String())), number(path+"due_year", n.DueYear), percentage(path+"rate_year", n.RateYear),
			number(path+"due_to_date", n.DueToDate), percentage(path+"rate_to_date", n.RateToDate),
			number(path+"done", n.Done), number(path+"on_time", n.OnTime), number(path+"late", n.Late), number(path+"new_in_period", n.NewInPeriod)}})
	}
	return t
}

func (c *composer) milestones() {
	var said document.Text
	for _, m := range schemas.Milestones() {
		said = line(said, c.milestone(m))
	}
	c.say(said)
	c.add(c.milestoneTable())
}

// milestone says of one milestone what was due, what was done, and the rates.
func (c *composer) milestone(m schemas.Milestone) document.Text {
	t, name, path := c.model.Milestones.Of(m), milestoneName(m.String()), "milestones/"+m.String()+"/"
	if t.DueYear == 0 && t.Done == 0 {
		return document.Words(name + "：今年没有应" + name + "的项目。")
	}
	done := document.Words("今年尚无" + name)
	if t.Done > 0 {
		done = line("今年已", name, count(path+"done", t.Done), "个（", punctuality(path, t), "）")
	}
	due := document.Words("至期末没有应" + name + "的项目")
	if t.DueToDate > 0 {
		due = line("至期末应", name, count(path+"due_to_date", t.DueToDate), "个")
	}
	var rates document.Text
	if t.RateToDate != nil {
		rates = line("，完成率", rate(path+"rate_to_date", t.RateToDate))
	}
	if t.RateYear != nil {
		rates = line(rates, "；全年应", name, count(path+"due_year", t.DueYear), "个，全年完成率", rate(path+"rate_year", t.RateYear))
	}
	return line(name, "：", due, "，", done, rates, "。")
}

func punctuality(path string, t *schemas.MilestoneTally) document.Text {
	switch {
	case t.Late == 0:
		return document.Words("均按期")
	case t.OnTime == 0:
		return document.Words("均逾期")
	}
	return line("按期", count(path+"on_time", t.OnTime), "个、逾期", count(path+"late", t.Late), "个")
}

func (c *composer) investment() {
	i, month := &c.model.Investment, c.model.ReportingMonth
	if i.Plan == 0 {
		c.say(fmt.Sprintf("%d年没有下达投资计划的项目（停缓建项目不计）。", month.Year()))
		return
	}
	invested := document.Words("尚无项目报送完成投资")
	if i.Invested != nil {
		invested = line("完成投资", amount("investment/invested", *i.Invested))
	}
	c.say(fmt.Sprintf("%d年计划投资", month.Year()), amount("investment/plan", i.Plan), "，", months(month), invested, "，占年度计划的", rate("investment/rate", i.Rate), "，", againstTime("investment/", i), "。")
}

// againstTime says how far investment is before or behind time progress.
func againstTime(path string, i *schemas.InvestmentCount) document.Text {
	progress := rate(path+"time_progress", i.TimeProgress)
	if i.VsTime == nil || i.VsTime.Units == 0 {
		return line("与时序进度（", progress, "）持平")
	}
	verb, points := "高于", *i.VsTime
	if points.Units < 0 {
		verb, points.Units = "低于", -points.Units
	}
	return line(verb, "时序进度（", progress, "）", document.Span{Text: points.String(), Figure: path + "vs_time"}, "个百分点")
}
