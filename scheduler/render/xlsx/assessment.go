package xlsx

import (
	"fmt"
	"io"
	"slices"

	"milepost/schemas"
)

// Assessment writes the workbook of a year-end assessment: a sheet for each
// group with every item of every row, hints with their reasons, adjustments
// without a row, and the events that each point rests on.
func Assessment(w io.Writer, model *schemas.Assessment, names Names) error {
	if err := names.check(); err != nil {
		return err
	}
	return writeAssessment(w, model, names, rowsInSheet)
}

func writeAssessment(w io.Writer, model *schemas.Assessment, names Names, rows int) error {
	day := schemas.NewDate(model.Year, 12, 31)
	facts := fmt.Sprintf("%s　数据截至%s　金额单位：万元　数据版本：%d", editionName(names.Number), chineseDate(day), model.KnownSeq)
	book, err := newWorkbook(fmt.Sprintf("%d年度重大项目年终考核", model.Year), facts, day)
	if err != nil {
		return fmt.Errorf("assessment %d as XLSX: %w", model.Year, err)
	}
	defer func() { _ = book.file.Close() }() // its temporary files; the workbook is written
	book.rows = rows
	a := assessment{model: model, names: &names, book: book}
	if err := a.sheets(); err != nil {
		return fmt.Errorf("assessment %d as XLSX: %w", model.Year, err)
	}
	if err := book.finish(w); err != nil {
		return fmt.Errorf("assessment %d as XLSX: %w", model.Year, err)
	}
	return nil
}

func editionName(number *int) string {
	switch {
	case number == nil:
		return "草案"
	case *number == 1:
		return "定稿"
	}
	return fmt.Sprintf("定稿（第%d号更正）", *number-1)
}

// assessment is the workbook of an assessment as it is made.
type assessment struct {
	model *schemas.Assessment
	names *Names
	book  *workbook
}

func (a *assessment) sheets() error {
	plan := []*sheet{a.results()}
	for i := range a.model.Groups {
		if g := &a.model.Groups[i]; a.names.ranks(g.Kind) && !a.names.Public {
			plan = append(plan, a.scores(g))
		} else {
			plan = append(plan, a.figures(g))
		}
	}
	if !a.names.Public {
		plan = append(plan, a.hints(), a.unmatched())
	}
	for _, s := range plan {
		if _, err := a.book.add(s); err != nil {
			return err
		}
	}
	if !a.names.Public {
		if err := a.traces(); err != nil {
			return err
		}
	}
	if len(a.names.Notes) == 0 {
		return nil
	}
	_, err := a.book.add(notes(a.names.Notes))
	return err
}

// result is a row of the first sheet.
type result struct {
	group string
	row   *schemas.AssessedRow
}

// results is the first sheet: who stands where. A public one has no parts of the
// final, vetoes and hints.
func (a *assessment) results() *sheet {
	var list []result
	for i := range a.model.Groups {
		g := &a.model.Groups[i]
		if !a.names.ranks(g.Kind) {
			continue
		}
		for _, row := range byRank(g.Rows) {
			list = append(list, result{groupName(g.Kind, g.Group, a.names.Rules), row})
		}
	}
	if a.names.Public {
		return publicResults(list)
	}
	size, rows := rowsOf(list, func(_ int, r *result) []any {
		return []any{r.group, r.row.Rank, r.row.Name, r.row.Projects, r.row.Score, r.row.Bonus, r.row.Penalty, r.row.Adjustment, r.row.Final, grade(r.row), veto(r.row), hintNames(r.row)}
	})
	s := &sheet{name: "考核结果", frozen: 3, notes: []string{"组与组之间不比较。奖惩由会议研究决定，提示只供参考。"},
		blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "组别", kind: words, least: 12}, {name: "名次", kind: count}, {name: "考核对象", kind: words, least: 16},
			{name: "项目数", kind: count}, {name: "得分", kind: points}, {name: "提前加分", kind: points}, {name: "逾期扣分", kind: points}, {name: "调整", kind: points}, {name: "最终得分", kind: points},
			{name: "等次", kind: code}, {name: "一票否决", kind: code}, {name: "提示", kind: words, least: 16}}}}}}
	if len(list) > 0 {
		s.charts = func(at []place) []chart { return []chart{finals(at[0], 9)} }
	}
	return s
}

func publicResults(list []result) *sheet {
	size, rows := rowsOf(list, func(_ int, r *result) []any {
		return []any{r.group, r.row.Rank, r.row.Name, r.row.Projects, r.row.Final, grade(r.row)}
	})
	s := &sheet{name: "考核结果", frozen: 3, notes: []string{"组与组之间不比较。"},
		blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "组别", kind: words, least: 12}, {name: "名次", kind: count}, {name: "考核对象", kind: words, least: 16},
			{name: "项目数", kind: count}, {name: "最终得分", kind: points}, {name: "等次", kind: code}}}}}}
	if len(list) > 0 {
		s.charts = func(at []place) []chart { return []chart{finals(at[0], 5)} }
	}
	return s
}

func grade(r *schemas.AssessedRow) string {
	if r.Grade == nil {
		return unknown
	}
	return string(*r.Grade)
}

func veto(r *schemas.AssessedRow) string {
	if r.Veto {
		return "是"
	}
	return unknown
}

func hintNames(r *schemas.AssessedRow) any {
	if len(r.Hints) == 0 {
		return nil
	}
	text := ""
	for i, h := range r.Hints {
		if i > 0 {
			text += "、"
		}
		text += hintName(h)
	}
	return text
}

// byRank gives the rows with the best first.
func byRank(rows []schemas.AssessedRow) []*schemas.AssessedRow {
	list := make([]*schemas.AssessedRow, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	slices.SortStableFunc(list, func(a, b *schemas.AssessedRow) int {
		if first, second := rankOrLast(a.Rank), rankOrLast(b.Rank); first != second {
			return map[bool]int{true: -1, false: 1}[first < second]
		}
		return unassignedLast(a.Key, b.Key)
	})
	return list
}

// figures is the sheet of a group whose points are not shown.
func (a *assessment) figures(g *schemas.AssessedGroup) *sheet {
	columns := append([]column{{name: rowWord(g.Kind), kind: words, least: 14}, {name: "项目数", kind: count}}, tallyColumns()...)
	columns = append(columns, column{name: "年度计划", kind: money}, column{name: "完成投资", kind: money}, column{name: "投资完成率", kind: percent},
		column{name: "七个一落实率", kind: percent}, column{name: "应报送", kind: count}, column{name: "按时报送", kind: count})
	list := make([]*schemas.AssessedRow, len(g.Rows))
	for i := range g.Rows {
		list[i] = &g.Rows[i]
	}
	slices.SortStableFunc(list, func(a, b *schemas.AssessedRow) int { return unassignedLast(a.Key, b.Key) })
	size, rows := rowsOf(list, func(_ int, at **schemas.AssessedRow) []any {
		r := *at
		row := append([]any{r.Name, r.Projects}, tallies(&r.Milestones)...)
		return append(row, r.Investment.Plan, r.Investment.Invested, r.Investment.Rate, r.Completeness, r.ReportsDue, r.ReportsOnTime)
	})
	var said []string
	if !a.names.ranks(g.Kind) {
		said = []string{"市级领导不排名次、不评等次。"}
	}
	return &sheet{name: groupName(g.Kind, g.Group, a.names.Rules), frozen: 1, notes: said,
		blocks: []block{{table: table{columns: columns, size: size, rows: rows}}}}
}

// hints lists what the rules suggest, each with its reason.
func (a *assessment) hints() *sheet {
	type given struct {
		group  string
		row    *schemas.AssessedRow
		reason *schemas.HintReason
	}
	var list []given
	for _, hint := range []schemas.Hint{schemas.HintReward, schemas.HintExplain, schemas.HintAccountability} {
		for i := range a.model.Groups {
			g := &a.model.Groups[i]
			if !a.names.ranks(g.Kind) {
				continue
			}
			for _, row := range byRank(g.Rows) {
				for r := range row.HintReasons {
					if row.HintReasons[r].Hint == hint {
						list = append(list, given{groupName(g.Kind, g.Group, a.names.Rules), row, &row.HintReasons[r]})
					}
				}
			}
		}
	}
	size, rows := rowsOf(list, func(_ int, h *given) []any {
		return []any{hintName(h.reason.Hint), h.group, h.row.Name, h.row.Rank, h.row.Final, grade(h.row), h.reason.Reason}
	})
	return &sheet{name: "奖惩提示", notes: []string{"按口径得出的提示，奖惩由会议研究决定。"}, blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "提示", kind: words, least: 14},
		{name: "组别", kind: words, least: 12}, {name: "考核对象", kind: words, least: 16}, {name: "名次", kind: count}, {name: "最终得分", kind: points}, {name: "等次", kind: code},
		{name: "理由", kind: words, most: 80}}}}}}
}

// unmatched lists the adjustments that found no row.
func (a *assessment) unmatched() *sheet {
	size, rows := rowsOf(a.model.UnmatchedAdjustments, func(_ int, u *schemas.UnmatchedAdjustment) []any {
		key := u.Key
		if u.Kind == schemas.AdjustDistrict {
			key = a.names.Rules.DistrictName(key)
		}
		return []any{rowWord(string(u.Kind)), key, u.Points, yesNo(u.Veto), u.Reason, u.Document, u.Event.Source, u.Event.ID}
	})
	return &sheet{name: "无对应对象的调整", blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "类别", kind: words, least: 12}, {name: "对象", kind: words, least: 16},
		{name: "分值", kind: points}, {name: "一票否决", kind: code}, {name: "原因", kind: words, most: 60}, {name: "文件", kind: words, most: 40}, {name: "事件来源", kind: words},
		{name: "事件编号", kind: words}}}}}}
}
