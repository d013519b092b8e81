package xlsx

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// The columns of a sheet of scores before and within the items.
const (
	scoreHead   = 3 // rank, name, projects
	perItem     = 5 // numerator, divisor, weight, fraction, points
	pointsPlace = 4
)

// scores is the sheet of a group with every item of every row, and with
// formulas that add the points up again.
func (a *assessment) scores(g *schemas.AssessedGroup) *sheet {
	columns := []column{{name: "名次", kind: count}, {name: rowWord(g.Kind), kind: words, least: 14}, {name: "项目数", kind: count}}
	items := 0
	if len(g.Rows) > 0 {
		items = len(g.Rows[0].Items)
		for i := range g.Rows[0].Items {
			columns = append(columns, itemColumns(&g.Rows[0].Items[i])...)
		}
	}
	columns = append(columns, column{name: "得分", kind: points}, column{name: "提前加分", kind: points}, column{name: "逾期扣分", kind: points}, column{name: "调整", kind: points},
		column{name: "最终得分", kind: points}, column{name: "等次", kind: code}, column{name: "一票否决", kind: code}, column{name: "提示", kind: words, least: 16},
		column{name: "各项合计", kind: points}, column{name: "与得分差", kind: points}, column{name: "重算最终得分", kind: points}, column{name: "与最终差", kind: points})
	s := &sheet{name: groupName(g.Kind, g.Group, a.names.Rules), frozen: 2, spread: 2, notes: []string{
		"各项得分＝100×权重×系数÷适用权重之和；按期完成计1、逾期完成计½。“-”表示不适用。",
		"末四栏为公式：各项得分相加，与得分相比；得分、加分、扣分、调整相加（不低于零），与最终得分相比。各数单独四舍五入，差在0.03以内的是舍入。"}}
	list := byRank(g.Rows)
	first := s.headRows() + 2
	size, rows := rowsOf(list, func(i int, at **schemas.AssessedRow) []any { return scoreRow(*at, items, first+i) })
	s.blocks = []block{{table: table{columns: columns, size: size, rows: rows}}}
	return s
}

// itemColumns are those of an item; its weight is the same in every row.
func itemColumns(item *schemas.AssessmentItem) []column {
	name, amount := milestoneName(item.Item), points
	if item.Item == "investment" {
		amount = money
	}
	return []column{{name: name + "分子", kind: amount}, {name: name + "分母", kind: amount}, {name: name + "权重", kind: count}, {name: name + "系数", kind: share},
		{name: name + "得分", kind: points}}
}

func scoreRow(r *schemas.AssessedRow, items, row int) []any {
	cells := []any{r.Rank, r.Name, r.Projects}
	for i := range items {
		if i >= len(r.Items) {
			cells = append(cells, nil, nil, nil, nil, nil)
			continue
		}
		item := &r.Items[i]
		cells = append(cells, item.Numerator, item.Divisor, item.Weight, item.Fraction, item.Points)
	}
	cells = append(cells, r.Score, r.Bonus, r.Penalty, r.Adjustment, r.Final, grade(r), veto(r), hintNames(r))
	return append(cells, checks(r, items, row)...)
}

// checks are formulas with the values that they have: the sum of the points,
// its difference from the score, the final added up again, and its difference.
func checks(r *schemas.AssessedRow, items, row int) []any {
	if r.Score == nil || r.Final == nil {
		return []any{unknown, unknown, unknown, unknown}
	}
	at := func(column int) string { return fmt.Sprintf("%s%d", letters(column), row) }
	var parts []string
	var sum int64
	for i := range items {
		parts = append(parts, at(scoreHead+i*perItem+pointsPlace+1))
		if i < len(r.Items) {
			sum += hundredths(r.Items[i].Points)
		}
	}
	score := scoreHead + items*perItem + 1
	final, total, again := score+4, score+8, score+10
	added := max(0, hundredths(r.Score)+hundredths(r.Bonus)+hundredths(r.Penalty)+hundredths(r.Adjustment))
	two := func(units int64) float64 { return (&schemas.Figure{Units: units, Decimals: 2}).Float() }
	return []any{
		formula{"ROUND(SUM(" + strings.Join(parts, ",") + "),2)", two(sum)},
		formula{fmt.Sprintf("ROUND(%s-%s,2)", at(total), at(score)), two(sum - hundredths(r.Score))},
		formula{fmt.Sprintf("ROUND(MAX(0,SUM(%s:%s)),2)", at(score), at(score+3)), two(added)},
		formula{fmt.Sprintf("ROUND(%s-%s,2)", at(again), at(final)), two(added - hundredths(r.Final))},
	}
}

// hundredths counts a figure of two decimals in its last place; null is 0, as a
// sum counts it.
func hundredths(f *schemas.Figure) int64 {
	if f == nil {
		return 0
	}
	units := f.Units
	for range 2 - f.Decimals {
		units *= 10
	}
	for range f.Decimals - 2 {
		units /= 10
	}
	return units
}

// finals draws the final points of all that are ranked, in their order, from the
// column in that place.
func finals(p place, final int) chart {
	const name = 3
	c := excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Name: p.head(final), Categories: p.cells(name), Values: p.cells(final),
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"2E9BD6"}}}}}
	c.PlotArea.ShowVal = true
	frame(&c, "最终得分", "各考核对象的最终得分，按组别和名次排列", "0")
	c.Legend.Position = "none"
	return chart{main: &c}
}
