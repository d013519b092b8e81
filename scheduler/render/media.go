package render

import (
	"fmt"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// mediaDocument writes the article: what happened first, then how it stands,
// and the explanations last.
func (c *composer) mediaDocument() {
	c.doc.Title = clauses(c.headline())
	c.doc.Facts = []string{periodWords(c.model) + "重大项目进展", "数据截至" + chineseDate(c.model.PeriodEnd)}
	c.writeSections(map[string]func(){
		sectionOverview: c.mediaOverview, sectionReached: c.mediaReached, sectionRankings: c.mediaRankings, sectionLagging: c.mediaLagging,
		sectionUnreported: c.mediaUnreported, sectionIssues: c.issues, sectionMethod: c.method, sectionUpcoming: c.upcoming, sectionNotes: c.notes,
	}, false)
	if len(c.doc.Sections) > 0 && c.doc.Sections[0].Key == sectionOverview {
		c.doc.Sections[0].Heading = "" // the lead has none
	}
	c.doc.Signature = &document.Signature{Body: c.style.Body, Day: signedDay(c.names.Signed)}
}

// periodWords says the period without the year: 10月, 第三季度.
func periodWords(model *schemas.Bulletin) string {
	title, _, _ := strings.Cut(model.Title, "重大项目")
	_, period, found := strings.Cut(title, "年")
	if !found || period == "" || period == "度" {
		return title
	}
	return period
}

// seen counts the milestones reached in the period that the edition shows.
func (c *composer) seen() map[string]int {
	counts := map[string]int{}
	for _, r := range c.model.Reached {
		if c.visible(r.ProjectID) {
			counts[r.Milestone]++
		}
	}
	return counts
}

// clauses tells where a headline may be broken: behind a comma, not within a word.
func clauses(headline string) []string {
	var list []string
	for headline != "" {
		end := len(headline)
		if at := strings.IndexAny(headline, "、，"); at >= 0 {
			end = at + len("、")
		}
		list, headline = append(list, headline[:end]), headline[end:]
	}
	return list
}

// headline is the news of the period in one line.
func (c *composer) headline() string {
	counts := c.seen()
	var said []string
	for _, m := range []schemas.Milestone{schemas.Producing, schemas.Started, schemas.Landed} {
		if n := counts[m.String()]; n > 0 {
			measure := "个"
			if len(said) == 0 {
				measure = "个重大项目"
			}
			said = append(said, fmt.Sprintf("%d%s%s", n, measure, milestoneName(m.String())))
		}
	}
	if len(said) > 0 {
		return periodWords(c.model) + c.style.City + strings.Join(said, "、")
	}
	if i := &c.model.Investment; i.Rate != nil {
		return c.style.City + "重大项目完成年度投资计划的" + percent(i.Rate)
	}
	return c.style.City + "重大项目" + periodWords(c.model) + "进展"
}

func (c *composer) mediaOverview() {
	t, i, counts := &c.model.Totals, &c.model.Investment, c.seen()
	if t.Projects == 0 {
		c.say("截至", chineseDate(c.model.PeriodEnd), "，", c.style.City, "没有在册的重大项目。")
		return
	}
	var news document.Text
	if len(counts) > 0 {
		var some []part
		for _, m := range schemas.Milestones() {
			if n := counts[m.String()]; n > 0 {
				some = append(some, part{milestoneName(m.String()), "", n})
			}
		}
		news = line("新增", parts("个", some...))
	} else {
		news = document.Words("没有新增落地、开工、投产项目")
	}
	c.add(&document.Paragraph{Lead: true, Text: line(periodWords(c.model), "，", c.style.City, "重大项目", news, "。截至", chineseDate(c.model.PeriodEnd), "，在册重大项目",
		count("totals/projects", t.Projects), "个，总投资", amount("totals/total_investment", t.TotalInvestment), "。")})
	if i.Plan > 0 && i.Invested != nil {
		c.say(months(c.model.ReportingMonth), "完成投资", amount("investment/invested", *i.Invested), "，占年度计划的", rate("investment/rate", i.Rate), "，", againstTime("investment/", i), "。")
	}
	var rates []document.Text
	for _, m := range schemas.Milestones() {
		n, path := c.model.Milestones.Of(m), "milestones/"+m.String()+"/"
		if n.DueToDate > 0 && n.Done > 0 {
			name := milestoneName(m.String())
			rates = append(rates, line("应", name, count(path+"due_to_date", n.DueToDate), "个、已", name, count(path+"done", n.Done), "个，完成率", rate(path+"rate_to_date", n.RateToDate)))
		}
	}
	if len(rates) > 0 {
		text := line("今年以来，", rates[0])
		for _, r := range rates[1:] {
			text = line(text, "；", r)
		}
		c.say(text, "。")
	}
	c.say("从进展看，", byStatus(t), "。")
	if chart := c.milestoneChart(); chart != nil {
		c.add(chart)
	}
}

// mediaReached tells what landed, started and opened, by milestone.
func (c *composer) mediaReached() {
	names := map[string][]string{}
	for _, r := range c.model.Reached {
		if !c.visible(r.ProjectID) {
			continue
		}
		said := r.Name
		if s := c.names.Details.Standing(r.ProjectID); s != nil {
			said += "（" + c.names.Rules.DistrictName(s.District) + "）"
		}
		names[r.Milestone] = append(names[r.Milestone], said)
	}
	if len(names) == 0 {
		c.say(periodWords(c.model), "没有新增落地、开工、投产项目。")
		return
	}
	for _, m := range []schemas.Milestone{schemas.Producing, schemas.Started, schemas.Landed} {
		list := names[m.String()]
		if len(list) == 0 {
			continue
		}
		shown, more := list, ""
		if limit := 2 * c.style.RowsInText; len(list) > limit {
			shown, more = list[:limit], "等"
		}
		c.say(document.Span{Text: milestoneName(m.String()), Strong: true}, fmt.Sprintf("%d个：", len(list)), strings.Join(shown, "、"), more, "。")
	}
}

func (c *composer) mediaRankings() {
	for i := range c.model.Groups {
		g := &c.model.Groups[i]
		ranked := g.Kind != "lead" || c.names.rankLeads()
		if !ranked {
			continue // leads are named with their projects
		}
		c.heading(groupName(g.Kind, g.Group, c.names.Rules))
		t := c.rankingTable(g, ranked)
		if len(t.Rows) <= c.style.RowsInText {
			c.add(t)
		} else {
			c.bestAndLast(g)
		}
	}
	if chart := c.investmentChart(); chart != nil {
		c.add(chart)
	}
}

func (c *composer) mediaLagging() {
	t, _ := c.laggingTable()
	if len(t.Rows) == 0 {
		c.say("没有进展缓慢和无进展的项目。")
		return
	}
	slow, stalled := 0, 0
	for i := range c.model.Lagging {
		p := &c.model.Lagging[i]
		if !c.visible(p.ProjectID) {
			continue
		}
		if p.Status == schemas.StatusStalled {
			stalled++
		} else {
			slow++
		}
	}
	c.say(fmt.Sprintf("共有%d个项目进展偏慢：", len(t.Rows)), parts("个", part{"进展缓慢", "", slow}, part{"无进展", "", stalled}), "。每个项目由一名市级领导、一个市直部门负责到投产为止。")
	c.place("进展偏慢的项目", t, nil, "", "个项目")
}

func (c *composer) mediaUnreported() {
	var ids []string
	for _, id := range c.model.Unreported {
		if c.visible(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		c.sayNone()
		return
	}
	c.say(fmt.Sprintf("%s投资进度应报未报的项目共%d个。", chineseMonth(c.model.ReportingMonth), len(ids)))
	c.listProjects("unreported", "应报未报项目", ids)
}
