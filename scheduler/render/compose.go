package render

import (
	"fmt"
	"slices"
	"strings"

	"milepost/schemas"
)

// How many rows a table may have in the main text; longer ones become annexes,
// and the main text names the first few.
const (
	rowsInText  = 15
	namesInText = 5
)

type composer struct {
	model *schemas.Bulletin
	names Names
	// projects names every project that the model or Names name.
	projects map[string]string
	doc      document
}

// compose says the model in words.
func compose(model *schemas.Bulletin, names Names) (*document, error) {
	if names.Rules == nil {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "a bulletin is printed with the rules that it was built with", Field: "rules"}
	}
	c := composer{model: model, names: names, projects: projectNames(model, names)}
	c.doc.Title = model.Title
	c.doc.Number = "草案"
	if model.IssueNo != nil {
		c.doc.Number = fmt.Sprintf("第%d期", *model.IssueNo)
	}
	c.doc.Facts = []string{
		fmt.Sprintf("通报期：%s至%s", chineseDate(model.PeriodStart), chineseDate(model.PeriodEnd)),
		fmt.Sprintf("数据截至：%s", chineseDate(model.PeriodEnd)),
		fmt.Sprintf("投资进度报告月：%s", chineseMonth(model.ReportingMonth)),
		fmt.Sprintf("数据版本：%d", model.KnownSeq),
	}
	c.overview()
	c.reached()
	c.rankings()
	c.lagging()
	c.unreported()
	c.issues()
	c.method()
	c.upcoming()
	c.quality()
	c.notes()
	return &c.doc, nil
}

func (c *composer) overview() {
	s, t := c.doc.section("一、总体情况"), &c.model.Totals
	if t.Projects == 0 {
		s.say("截至%s，台账内没有重大项目。", chineseDate(c.model.PeriodEnd))
	} else {
		s.say("截至%s，台账内重大项目共%d个，总投资%s。", chineseDate(c.model.PeriodEnd), t.Projects, money(t.TotalInvestment))
		s.say("按进展情况分：%s。", parts("个", part{"已完成", t.ByStatus.Completed}, part{"进展顺利", t.ByStatus.Smooth},
			part{"进展缓慢", t.ByStatus.Slow}, part{"无进展", t.ByStatus.Stalled}, part{"停缓建", t.ByStatus.Suspended}))
		s.say("按亮灯分：%s。", parts("个", part{"绿灯", t.ByLight.Green}, part{"黄灯", t.ByLight.Yellow}, part{"红灯", t.ByLight.Red},
			part{"灰灯", t.ByLight.Grey}, part{"未亮灯", t.ByLight.None}))
		s.say("按所处阶段分：%s。", parts("个", part{"未落地", t.ByStage.Registered}, part{"已落地未开工", t.ByStage.Landed},
			part{"已开工未投产", t.ByStage.Started}, part{"已投产", t.ByStage.Producing}))
	}
	if t.Cancelled > 0 {
		year := c.model.PeriodEnd.Year()
		thisYear := fmt.Sprintf("%d年没有取消的项目", year)
		if n := len(c.model.Cancelled); n > 0 {
			thisYear = fmt.Sprintf("其中%d年取消%d个", year, n)
		}
		s.say("另有%d个项目已取消，不计入以上各数；%s。", t.Cancelled, thisYear)
		if len(c.model.Cancelled) > 0 {
			s.list(cancelledItems(c.model.Cancelled)...)
		}
	}
	s.heading("（一）节点")
	c.milestones(s)
	s.heading("（二）投资")
	c.investment(s)
}

func cancelledItems(list []schemas.CancelledProject) []string {
	items := make([]string, len(list))
	for i, p := range list {
		items[i] = fmt.Sprintf("%s（%s）：%s取消，%s。", p.Name, p.ProjectID, chineseDate(p.EffectiveOn), strings.TrimSuffix(p.Reason, "。"))
	}
	return items
}

func (c *composer) milestones(s *section) {
	rows := table{Columns: append(words("节点"), numbers("全年应完成", "至期末应完成", "今年已完成", "按期", "逾期", thisPeriod(c.model.Kind)+"新增", "至期末完成率", "全年完成率")...)}
	for _, m := range schemas.Milestones() {
		t, name := c.model.Milestones.Of(m), milestoneName(m.String())
		rows.Rows = append(rows.Rows, []cell{text(name), number(t.DueYear), number(t.DueToDate), number(t.Done), number(t.OnTime), number(t.Late),
			number(t.NewInPeriod), text(percent(t.RateToDate)), text(percent(t.RateYear))})
		if t.DueYear == 0 && t.Done == 0 {
			s.say("%s：今年没有应%s的项目。", name, name)
			continue
		}
		done := "今年尚无" + name
		if t.Done > 0 {
			done = fmt.Sprintf("今年已%s%d个（%s）", name, t.Done, punctuality(t))
		}
		due := fmt.Sprintf("至期末没有应%s的项目", name)
		if t.DueToDate > 0 {
			due = fmt.Sprintf("至期末应%s%d个", name, t.DueToDate)
		}
		rates := ""
		if t.RateToDate != nil {
			rates += "，完成率" + percent(t.RateToDate)
		}
		if t.RateYear != nil {
			rates += fmt.Sprintf("；全年应%s%d个，全年完成率%s", name, t.DueYear, percent(t.RateYear))
		}
		s.say("%s：%s，%s%s。", name, due, done, rates)
	}
	s.table(rows)
}

func punctuality(t *schemas.MilestoneTally) string {
	switch {
	case t.Late == 0:
		return "均按期"
	case t.OnTime == 0:
		return "均逾期"
	}
	return fmt.Sprintf("按期%d个、逾期%d个", t.OnTime, t.Late)
}

func (c *composer) investment(s *section) {
	i, month := &c.model.Investment, c.model.ReportingMonth
	if i.Plan == 0 {
		s.say("%d年没有下达投资计划的项目（停缓建项目不计）。", month.Year())
		return
	}
	invested := "尚无项目报送完成投资"
	if i.Invested != nil {
		invested = "完成投资" + money(*i.Invested)
	}
	against := "与时序进度（" + percent(i.TimeProgress) + "）持平"
	if i.VsTime != nil && i.VsTime.Units != 0 {
		word, points := "高于", *i.VsTime
		if points.Units < 0 {
			word, points.Units = "低于", -points.Units
		}
		against = fmt.Sprintf("%s时序进度（%s）%s个百分点", word, percent(i.TimeProgress), points.String())
	}
	s.say("%d年计划投资%s，%s%s，占年度计划的%s，%s。", month.Year(), money(i.Plan), months(month), invested, percent(i.Rate), against)
}

func (c *composer) reached() {
	s := c.doc.section("二、本期落地、开工、投产")
	m := &c.model.Milestones
	if len(c.model.Reached) == 0 {
		s.say("%s无新增落地、开工、投产。", thisPeriod(c.model.Kind))
		return
	}
	s.say("%s新增：%s。", thisPeriod(c.model.Kind), parts("个", part{"落地", m.Landed.NewInPeriod}, part{"开工", m.Started.NewInPeriod}, part{"投产", m.Producing.NewInPeriod}))
	rows := table{Columns: slices.Concat(numbers("序号"), words("项目"), codes("编号", "节点", "达到日期", "目标日期", "与目标相比"))}
	var first []string
	for i, r := range c.model.Reached {
		rows.Rows = append(rows.Rows, []cell{number(i + 1), text(r.Name), text(r.ProjectID), text(milestoneName(r.Milestone)),
			text(isoDate(r.ReachedOn)), text(isoDate(r.Target)), text(lateness(r.LateDays))})
		first = append(first, r.Name+milestoneName(r.Milestone))
	}
	c.place(s, "本期落地、开工、投产节点", rows, first, "其中", "个节点")
}

func (c *composer) upcoming() {
	s, end := c.doc.section("八、下期节点"), chineseDate(c.horizon())
	if len(c.model.Upcoming) == 0 {
		s.say("%s（至%s）没有到期的节点。", nextPeriod(c.model.Kind), end)
		return
	}
	counts := map[string]int{}
	rows := table{Columns: slices.Concat(numbers("序号"), words("项目"), codes("编号", "节点", "目标日期", "预计完成"))}
	var first []string
	for i, u := range c.model.Upcoming {
		counts[u.Milestone]++
		rows.Rows = append(rows.Rows, []cell{number(i + 1), text(u.Name), text(u.ProjectID), text(milestoneName(u.Milestone)), text(isoDate(u.Target)), text(isoDate(u.Forecast))})
		first = append(first, u.Name+milestoneName(u.Milestone))
	}
	s.say("%s（至%s）应完成的节点：%s。", nextPeriod(c.model.Kind), end, parts("个", part{"落地", counts["landed"]}, part{"开工", counts["started"]}, part{"投产", counts["producing"]}))
	c.place(s, "下期节点", rows, first, "最先到期的是", "个节点")
}

// horizon is the last day of the next period of the kind.
func (c *composer) horizon() schemas.Date {
	return schemas.PeriodContaining(c.model.Kind, c.model.PeriodEnd).Next().End
}

// place puts a short table in the text, and a long one into an annex with its
// first names in the text.
func (c *composer) place(s *section, title string, rows table, names []string, introduction, things string) {
	if len(rows.Rows) <= rowsInText {
		s.table(rows)
		return
	}
	annex := c.doc.annex(title, rows)
	s.say("%s：%s等。全部%d%s见%s。", introduction, joined(names[:namesInText]), len(rows.Rows), things, annex)
}

func projectNames(model *schemas.Bulletin, names Names) map[string]string {
	all := make(map[string]string, len(names.Projects)+len(model.Lagging))
	for id, name := range names.Projects {
		all[id] = name
	}
	for i := range model.Lagging {
		all[model.Lagging[i].ProjectID] = model.Lagging[i].Name
	}
	for i := range model.Reached {
		all[model.Reached[i].ProjectID] = model.Reached[i].Name
	}
	for i := range model.Upcoming {
		all[model.Upcoming[i].ProjectID] = model.Upcoming[i].Name
	}
	for i := range model.Cancelled {
		all[model.Cancelled[i].ProjectID] = model.Cancelled[i].Name
	}
	return all
}
