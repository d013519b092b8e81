package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func (c *composer) rankings() {
	if len(c.model.Groups) == 0 {
		c.sayNone()
		return
	}
	var full []document.Block
	for i := range c.model.Groups {
		g := &c.model.Groups[i]
		ranked := g.Kind != "lead" || c.names.rankLeads()
		c.heading(groupName(g.Kind, g.Group, c.names.Rules))
		t := c.rankingTable(g, ranked)
		switch {
		case !ranked:
			c.say(fmt.Sprintf("包联项目的市级领导共%d名，不排名次。", held(g)))
		case len(t.Rows) <= c.style.RowsInText:
			c.add(t)
		default:
			c.bestAndLast(g)
		}
		full = append(full, &document.Heading{Level: 3, Text: groupName(g.Kind, g.Group, c.names.Rules)}, c.fullRanking(g, ranked))
	}
	c.say("各项明细见", c.annex("rankings", "进展排名明细", true, full...), "。")
}

// held counts the rows that are somebody.
func held(g *schemas.RankedGroup) int {
	n := 0
	for i := range g.Rows {
		n += 1 - isUnassigned(g.Rows[i].Key)
	}
	return n
}

// bestAndLast names the ends of a long group, whose table is in the annex.
func (c *composer) bestAndLast(g *schemas.RankedGroup) {
	rows := sortedRows(g, true)
	var best, last []document.Text
	var rankedRows []*schemas.RankedRow
	for i := range rows {
		if rows[i].Rank != nil {
			rankedRows = append(rankedRows, &rows[i])
		}
	}
	said := func(r *schemas.RankedRow) document.Text {
		path := rowPath(g, r.Key)
		return line(fmt.Sprintf("%s（第", r.Name), count(path+"rank", *r.Rank), "名，", document.Span{Text: r.Score.String(), Figure: path + "score"}, "分）")
	}
	for i, r := range rankedRows {
		if i < 3 {
			best = append(best, said(r))
		} else if i >= len(rankedRows)-3 {
			last = append(last, said(r))
		}
	}
	c.say(fmt.Sprintf("参加排名的共%d个。排在前面的是", len(rankedRows)), joinTexts(best), "；排在后面的是", joinTexts(last), "。")
}

func joinTexts(list []document.Text) document.Text {
	var t document.Text
	for i, item := range list {
		if i > 0 {
			t = append(t, document.Span{Text: "、"})
		}
		t = append(t, item...)
	}
	return t
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

// groupKey names a group for machines: district.county, department.
func groupKey(kind string, group *string) string {
	if group == nil {
		return kind
	}
	return kind + "." + *group
}

// rowPath is the path of a row's values.
func rowPath(g *schemas.RankedGroup, key string) string { return groupPath(g.Kind, g.Group, key) }

func groupPath(kind string, group *string, key string) string {
	path := "groups/" + kind + "/"
	if group != nil {
		path += schemas.PathPart(*group) + "/"
	}
	return path + schemas.PathPart(key) + "/"
}

// nameWidth is what the names of the rows want, up to a limit after which they
// are broken.
func nameWidth(rows []schemas.RankedRow) float64 {
	wide := 5.2
	for i := range rows {
		wide = max(wide, float64(len([]rune(rows[i].Name))))
	}
	return min(wide, 10)
}

// rankingTable is the group as the main text shows it.
func (c *composer) rankingTable(g *schemas.RankedGroup, ranked bool) *document.Table {
	t := &document.Table{Key: "rankings." + groupKey(g.Kind, g.Group)}
	if ranked {
		t.Columns = numbers(2.4, "名次")
	}
	t.Columns = append(t.Columns, words(nameWidth(g.Rows), rowWord(g.Kind)))
	if ranked {
		t.Columns = append(t.Columns, slices.Concat(numbers(3.4, "得分"), numbers(4, "名次变化"))...)
	}
	t.Columns = slices.Concat(t.Columns, numbers(2.6, "项目"), under("已完成/应完成", numbers(3, "落地", "开工", "投产")...), under("投资", numbers(4, "完成率", "较时序")...))
	for _, r := range sortedRows(g, ranked) {
		if c.doc.Edition == document.Media && isUnassigned(r.Key) == 1 {
			continue
		}
		path, m := rowPath(g, r.Key), &r.Milestones
		var cells []document.Cell
		if ranked {
			cells = append(cells, numberOrNone(path+"rank", r.Rank))
		}
		cells = append(cells, word(r.Name))
		if ranked {
			cells = append(cells, figure(path+"score", r.Score), rankChange(path+"rank_change", r.RankChange))
		}
		cells = append(cells, number(path+"projects", r.Projects), doneOfDue(path, "landed", &m.Landed), doneOfDue(path, "started", &m.Started), doneOfDue(path, "producing", &m.Producing),
			percentage(path+"investment/rate", r.Investment.Rate), signedFigure(path+"investment/vs_time", r.Investment.VsTime))
		t.Rows = append(t.Rows, document.Row{Cells: cells})
	}
	return t
}

// fullRanking is the group with everything that is counted of it.
func (c *composer) fullRanking(g *schemas.RankedGroup, ranked bool) *document.Table {
	t := c.rankingTable(g, ranked)
	t.Key, t.Unit = "full."+t.Key, "投资单位：万元"
	last := len(t.Columns) - 2
	t.Columns = slices.Concat(t.Columns[:last], under("投资", numbers(6, "计划", "完成")...), under("投资", numbers(4, "完成率", "较时序")...), numbers(4, "“七个一”落实率", "按时报送"))
	for i, r := range sortedRows(g, ranked) {
		path, cells := rowPath(g, r.Key), t.Rows[i].Cells
		end := len(cells) - 2
		plan := r.Investment.Plan
		t.Rows[i].Cells = slices.Concat(cells[:end], []document.Cell{wan(path+"investment/plan", &plan), wan(path+"investment/invested", r.Investment.Invested)}, cells[end:],
			[]document.Cell{percentage(path+"completeness", r.Completeness), {Text: fmt.Sprintf("%d/%d", r.ReportsOnTime, r.ReportsDue), Figure: path + "reports_on_time"}})
	}
	return t
}

func sortedRows(g *schemas.RankedGroup, ranked bool) []schemas.RankedRow {
	rows := slices.Clone(g.Rows)
	slices.SortStableFunc(rows, func(a, b schemas.RankedRow) int {
		return cmp.Or(compareRanks(ranked, a.Rank, b.Rank), isUnassigned(a.Key)-isUnassigned(b.Key))
	})
	return rows
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

// rankChange says ↑2, ↓1, or 持平.
func rankChange(path string, change *int) document.Cell {
	cell := document.Cell{Text: unknown, Figure: path}
	if change == nil {
		return cell
	}
	cell.Value = *change
	switch {
	case *change > 0:
		cell.Text = fmt.Sprintf("↑%d", *change)
	case *change < 0:
		cell.Text = fmt.Sprintf("↓%d", -*change)
	default:
		cell.Text = "持平"
	}
	return cell
}

// doneOfDue says what was done of what was due by the period's end.
func doneOfDue(path, milestone string, t *schemas.MilestoneTally) document.Cell {
	return document.Cell{Text: fmt.Sprintf("%d/%d", t.Done, t.DueToDate), Figure: path + "milestones/" + milestone + "/done"}
}
