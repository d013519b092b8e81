package render

import (
	"fmt"
	"slices"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// PublicAssessment gives a copy of the model for a media edition: without hints,
// adjustments and the events behind the points, which are for the offices alone
// and may speak of withheld projects. Leads stand in it only where they are
// ranked, grades only those that the style shows; of a row whose grade is not
// shown, nothing tells a veto.
func PublicAssessment(model *schemas.Assessment, names Names) *schemas.Assessment {
	shown := names.Style.withDefaults(document.Media).MediaGrades
	public := *model
	public.Groups = []schemas.AssessedGroup{}
	public.UnmatchedAdjustments = []schemas.UnmatchedAdjustment{}
	for _, g := range model.Groups {
		if g.Kind == "lead" && !names.rankLeads() {
			continue
		}
		rows := make([]schemas.AssessedRow, 0, len(g.Rows))
		for _, r := range g.Rows {
			if isUnassigned(r.Key) == 1 {
				continue
			}
			r.Hints, r.HintReasons, r.Bonus, r.Penalty, r.Adjustment = []schemas.Hint{}, schemas.HintReasons{}, nil, nil, nil
			if r.Grade != nil && !slices.Contains(shown, *r.Grade) {
				r.Grade, r.Veto = nil, false
			}
			r.Items = slices.Clone(r.Items)
			for i := range r.Items {
				r.Items[i].Events = []schemas.EventRef{}
			}
			rows = append(rows, r)
		}
		g.Rows = rows
		public.Groups = append(public.Groups, g)
	}
	return &public
}

// cityOf adds the districts up: every project belongs to one.
func cityOf(model *schemas.Assessment) (city *schemas.Bulletin, projects int) {
	city = &schemas.Bulletin{Kind: schemas.Year, PeriodEnd: schemas.NewDate(model.Year, 12, 31), ReportingMonth: schemas.NewMonth(model.Year, 12)}
	all := &city.Investment
	for _, g := range model.Groups {
		if g.Kind != "district" {
			continue
		}
		shown := schemas.RankedGroup{Kind: g.Kind, Group: g.Group}
		for _, r := range g.Rows {
			projects += r.Projects
			shown.Rows = append(shown.Rows, schemas.RankedRow{Key: r.Key, Name: r.Name, Milestones: r.Milestones, Investment: r.Investment})
			for _, m := range schemas.Milestones() {
				sum, n := city.Milestones.Of(m), r.Milestones.Of(m)
				sum.DueToDate, sum.Done, sum.OnTime, sum.Late, sum.Judged = sum.DueToDate+n.DueToDate, sum.Done+n.Done, sum.OnTime+n.OnTime, sum.Late+n.Late, sum.Judged+n.Judged
			}
			all.Plan += r.Investment.Plan
			if r.Investment.Invested != nil {
				invested := *r.Investment.Invested
				if all.Invested != nil {
					invested += *all.Invested
				}
				all.Invested = &invested
			}
			if r.Investment.TimeProgress != nil {
				all.TimeProgress = r.Investment.TimeProgress
			}
		}
		city.Groups = append(city.Groups, shown)
	}
	for _, m := range schemas.Milestones() {
		n := city.Milestones.Of(m)
		n.RateToDate = schemas.Percent(int64(n.Done), int64(n.DueToDate))
	}
	if all.Invested != nil {
		all.Rate = schemas.Percent(int64(*all.Invested), int64(all.Plan))
	}
	return city, projects
}

// namesOnLine is how many characters of names a headline keeps on one line, even
// on a phone.
const namesOnLine = 14

// mediaDocument writes the article on the year: the city's figures, who did well,
// and how the groups stand.
func (c *assessmentComposer) mediaDocument() {
	headline := c.mediaHeadline() // of the whole model: it knows of vetoes
	c.model = PublicAssessment(c.model, c.names)
	city, projects := cityOf(c.model)
	c.composer.model = city
	c.doc.Name += "-" + string(document.Media)
	c.doc.Title = clauses(headline)
	if news, names, found := strings.Cut(headline, "，"); found && len([]rune(names)) <= namesOnLine {
		c.doc.Title = []string{news + "，", names}
	}
	c.doc.Facts = []string{fmt.Sprintf("%d年度重大项目年终考核", c.model.Year), "数据截至" + chineseDate(city.PeriodEnd)}
	section := func(key, heading string, write func()) {
		c.blocks = nil
		write()
		c.doc.Sections = append(c.doc.Sections, document.Section{Key: key, Heading: heading, Blocks: c.blocks})
	}
	section("overview", "", func() { c.mediaYear(city, projects) })
	if len(c.model.Groups) > 0 {
		section("grades", "考核等次", c.mediaGrades)
		section("results", "各组考核结果", c.mediaResults)
	}
	section("notes", "数据说明", c.mediaRules)
	c.doc.Signature = &document.Signature{Body: c.style.Body, Day: signedDay(c.names.Signed)}
}

// firsts are the names of the first in each group of districts; none when one of
// them was vetoed: it is no news to boast of.
func (c *assessmentComposer) firsts() []string {
	var names []string
	for _, g := range c.model.Groups {
		for _, r := range g.Rows {
			if g.Kind != "district" || r.Rank == nil || *r.Rank != 1 {
				continue
			}
			if r.Veto {
				return nil
			}
			names = append(names, r.Name)
		}
	}
	return names
}

func (c *assessmentComposer) mediaHeadline() string {
	whole := fmt.Sprintf("%d年%s重大项目年终考核", c.model.Year, c.style.City)
	if first := c.firsts(); len(first) > 0 && len(first) <= 4 {
		return whole + "，" + strings.Join(first, "、") + "居各组首位"
	}
	return whole + "结果"
}

// mediaYear says the city's figures of the year.
func (c *assessmentComposer) mediaYear(city *schemas.Bulletin, projects int) {
	if projects == 0 {
		c.say(fmt.Sprintf("%d年，%s没有参加考核的重大项目。", c.model.Year, c.style.City))
		return
	}
	lead := line(fmt.Sprintf("%d年，%s参加考核的重大项目%d个", c.model.Year, c.style.City, projects))
	if i := &city.Investment; i.Plan > 0 && i.Invested != nil {
		lead = line(lead, "，完成投资", money(*i.Invested), "，占年度计划", money(i.Plan), "的", percent(i.Rate))
	}
	c.add(&document.Paragraph{Lead: true, Text: line(lead, "。")})
	var said []string
	for _, m := range schemas.Milestones() {
		n, name := city.Milestones.Of(m), milestoneName(m.String())
		switch {
		case n.DueToDate > 0 && n.Done > 0:
			said = append(said, fmt.Sprintf("应%s%d个、已%s%d个，完成率%s", name, n.DueToDate, name, n.Done, percent(n.RateToDate)))
		case n.DueToDate > 0:
			said = append(said, fmt.Sprintf("应%s%d个、尚无%s", name, n.DueToDate, name))
		case n.Done > 0:
			said = append(said, fmt.Sprintf("已%s%d个", name, n.Done))
		}
	}
	if len(said) > 0 {
		c.say("全年", strings.Join(said, "；"), "。")
	}
	if chart := c.milestoneChart(); chart != nil {
		c.add(chart)
	}
}

// mediaGrades says who is in the grades that the edition shows.
func (c *assessmentComposer) mediaGrades() {
	for _, grade := range c.style.MediaGrades {
		var said document.Text
		for i := range c.model.Groups {
			g := &c.model.Groups[i]
			for _, r := range sortedAssessed(g) {
				if r.Grade == nil || *r.Grade != grade {
					continue
				}
				if said != nil {
					said = line(said, "、")
				}
				said = line(said, r.Name, "（", document.Span{Text: r.Final.String(), Figure: groupPath(g.Kind, g.Group, r.Key) + "final"}, "分）")
			}
		}
		if said == nil {
			c.say("没有评为", string(grade), "的单位。")
			continue
		}
		c.say(document.Span{Text: string(grade), Strong: true}, "：", said, "。")
	}
}

// mediaResults shows each group: all of a short one, the best of a long one.
func (c *assessmentComposer) mediaResults() {
	for i := range c.model.Groups {
		g := &c.model.Groups[i]
		name := groupName(g.Kind, g.Group, c.names.Rules)
		c.heading(name)
		if len(g.Rows) == 0 {
			c.sayNone()
			continue
		}
		c.place(name, c.mediaTable(g), nil, "", "个"+rowWord(g.Kind))
	}
	if !c.names.rankLeads() {
		c.say("市级领导不排名次、不评等次。")
	}
	if chart := c.investmentChart(); chart != nil {
		c.add(chart)
	}
}

func (c *assessmentComposer) mediaTable(g *schemas.AssessedGroup) *document.Table {
	t := &document.Table{Key: "final." + groupKey(g.Kind, g.Group), Columns: slices.Concat(numbers(2.4, "名次"), []document.Column{words(assessedNameWidth(g), rowWord(g.Kind))},
		numbers(3.6, "最终得分"), numbers(2.6, "项目"), under("已完成/应完成", numbers(3, "落地", "开工", "投产")...), numbers(4, "投资完成率"))}
	graded := slices.ContainsFunc(g.Rows, func(r schemas.AssessedRow) bool { return r.Grade != nil })
	if graded {
		t.Columns = append(t.Columns, codes(3, "等次"))
	}
	for _, r := range sortedAssessed(g) {
		path, m := groupPath(g.Kind, g.Group, r.Key), &r.Milestones
		cells := []document.Cell{numberOrNone(path+"rank", r.Rank), word(r.Name), figure(path+"final", r.Final), number(path+"projects", r.Projects), doneOfDue(path, "landed", &m.Landed),
			doneOfDue(path, "started", &m.Started), doneOfDue(path, "producing", &m.Producing), percentage(path+"investment/rate", r.Investment.Rate)}
		if graded {
			cells = append(cells, document.Cell{Text: gradeName(&r), Figure: path + "grade"})
		}
		t.Rows = append(t.Rows, document.Row{Cells: cells})
	}
	return t
}

// mediaRules says what readers need to judge the figures.
func (c *assessmentComposer) mediaRules() {
	c.add(&document.Paragraph{Note: true, Text: document.Words(PublicAssessmentNotes(c.model.Year, c.names)[0])})
}

// PublicAssessmentNotes gives the 数据说明 of a media edition as plain paragraphs.
func PublicAssessmentNotes(year int, names Names) []string {
	w, n := names.Rules.Weights, names.Rules.Assessing()
	return []string{fmt.Sprintf("数据截至%s。得分按落地%d分、开工%d分、投产%d分、台账%d分、投资%d分综合计算，加上提前完成的加分，减去逾期扣分，并计入市里发文记录的加分和扣分。按最终得分在组内排名，组与组之间不比较。%d分以上为优秀，%d分以上为良好，%d分以上为合格；有一票否决的为不合格。完成率包括提前完成的节点，可以超过100%%。",
		chineseDate(schemas.NewDate(year, 12, 31)), w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment, n.Excellent, n.Good, n.Pass)}
}
