package xlsx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

const ledgerSheet = "台账"

// The columns of the ledger that formulas and defined names refer to.
const (
	ledgerTotal    = "总投资"
	ledgerStage    = "阶段"
	ledgerStatus   = "进展"
	ledgerLight    = "亮灯"
	ledgerPlan     = "年度计划"
	ledgerInvested = "完成投资"

	ledgerUnreported = "应报未报"
)

// ledgerColumns are the columns of the ledger; reports are due by the month, and
// a week says nothing of them.
func ledgerColumns(weekly bool) []column {
	list := []column{{name: "编号", kind: code}, {name: "项目名称", kind: words, least: 16, most: 32}, {name: ledgerLight, kind: light}, {name: ledgerStatus, kind: code, least: 10},
		{name: ledgerStage, kind: code, least: 13}, {name: "企业", kind: words, most: 24}, {name: "行业", kind: words, most: 14}, {name: "标签", kind: words, most: 18},
		{name: "县（市）区", kind: words, most: 18}, {name: "包联领导", kind: words, most: 14}, {name: "责任单位", kind: words, most: 20}, {name: "登记日期", kind: day},
		{name: ledgerTotal, kind: money},
		{name: ledgerPlan, kind: money}, {name: ledgerInvested, kind: money}, {name: "完成率", kind: percent}, {name: ledgerUnreported, kind: code}, {name: "七个一落实率", kind: percent},
		{name: "未销号问题", kind: count}, {name: "超期问题", kind: count}}
	if weekly {
		list = slices.DeleteFunc(list, func(c column) bool { return c.name == ledgerUnreported })
	}
	for _, m := range schemas.Milestones() {
		name := milestoneName(m.String())
		list = append(list, column{name: name + "基准", kind: day}, column{name: name + "目标", kind: day}, column{name: name + "预计", kind: day},
			column{name: name + "达到", kind: day}, column{name: name + "偏差天数", kind: days}, column{name: name + "逾期月数", kind: count})
	}
	return list
}

func (b *bulletin) ledgerRow(p *schemas.LedgerRow) []any {
	tags := unknown
	if len(p.Tags) > 0 {
		tags = strings.Join(p.Tags, "、")
	}
	row := []any{p.ProjectID, p.Name, lightName(p.Light), statusName(p.Status), stageName(p.Stage), p.Enterprise, p.Industry, tags,
		b.names.Rules.DistrictName(p.District), p.Lead, p.Department, p.RegisteredOn, p.TotalInvestment,
		p.Investment.Plan, p.Investment.Invested, p.Investment.Rate}
	if !b.weekly() {
		row = append(row, yesNo(p.Unreported))
	}
	row = append(row, p.Method.Completeness, p.OpenIssues, p.OverdueIssues)
	for _, m := range schemas.Milestones() {
		of := p.Milestones.Of(m)
		row = append(row, of.Baseline, of.Target, of.Forecast, of.ReachedOn, of.LateDays, of.OverdueMonths)
	}
	return row
}

// ledger is the sheet of all projects that are not cancelled, with sums that
// follow the filter.
func (b *bulletin) ledger() *sheet {
	columns := ledgerColumns(b.weekly())
	size, rows := rowsOf(b.projects, func(_ int, p **schemas.LedgerRow) []any { return b.ledgerRow(*p) })
	s := &sheet{name: ledgerSheet, frozen: 2, spread: 2,
		notes:  []string{"“偏差”为达到日期（未达到的为期末）减目标日期，正数为晚；“-”表示没有数据，不等于零。合计随筛选变化。已取消的项目另列。"},
		blocks: []block{{table: table{columns: columns, size: size, rows: rows}}}}
	if size > 0 {
		s.blocks[0].table.sum = b.ledgerSums(columns, s.headRows()+3, size)
	}
	return s
}

// ledgerSums are formulas over the rows that a filter leaves.
func (b *bulletin) ledgerSums(columns []column, first, size int) []any {
	var total, plan, invested schemas.Money
	for _, p := range b.projects {
		total += p.TotalInvestment
		plan += p.Investment.Plan
		if p.Investment.Invested != nil {
			invested += *p.Investment.Invested
		}
	}
	sums := map[string]schemas.Money{ledgerTotal: total, ledgerPlan: plan, ledgerInvested: invested}
	line := make([]any, len(columns))
	for i, c := range columns {
		cells := area(i+1, first, i+1, first+size-1)
		if sum, ok := sums[c.name]; ok {
			line[i] = formula{"SUBTOTAL(109," + cells + ")", moneyNumber(sum)}
		}
	}
	line[0] = "合计"
	line[1] = formula{fmt.Sprintf(`SUBTOTAL(103,%s)&"个项目"`, area(1, first, 1, first+size-1)), fmt.Sprintf("%d个项目", size)}
	return line
}

// nameLedger names the ledger and its columns, for the formulas of the overview
// and for those who calculate on.
func (b *bulletin) nameLedger(at place) error {
	names := []*excelize.DefinedName{{Name: "台账", RefersTo: fmt.Sprintf("'%s'!$A$%d:$%s$%d", at.sheet, at.heading, letters(len(at.columns)), at.last)}}
	for i, c := range at.columns {
		switch c.name {
		case ledgerTotal, ledgerStage, ledgerStatus, ledgerLight, ledgerPlan, ledgerInvested:
			names = append(names, &excelize.DefinedName{Name: "台账_" + c.name, RefersTo: at.cells(i + 1)})
		}
	}
	for _, name := range names {
		if err := b.book.file.SetDefinedName(name); err != nil {
			return fmt.Errorf("name %s: %w", name.Name, err)
		}
	}
	return nil
}

// issues lists the projects with open issues; the model counts them only.
func (b *bulletin) issues() *sheet {
	open := filter(b.projects, func(p *schemas.LedgerRow) bool { return p.OpenIssues > 0 })
	size, rows := rowsOf(open, func(i int, at **schemas.LedgerRow) []any {
		p := *at
		return []any{i + 1, p.ProjectID, p.Name, b.names.Rules.DistrictName(p.District), p.Lead, p.Department, lightName(p.Light), p.OpenIssues, p.OverdueIssues}
	})
	return &sheet{name: "问题", frozen: 3, blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "序号", kind: count}, {name: "编号", kind: code},
		{name: "项目名称", kind: words}, {name: "县（市）区", kind: words}, {name: "包联领导", kind: words}, {name: "责任单位", kind: words}, {name: ledgerLight, kind: light},
		{name: "未销号问题", kind: count}, {name: "超期问题", kind: count}}}}}}
}

// method shows which of the seven items each project satisfies.
func (b *bulletin) method() *sheet {
	columns := []column{{name: "编号", kind: code}, {name: "项目名称", kind: words}, {name: "县（市）区", kind: words}, {name: "包联领导", kind: words}, {name: "责任单位", kind: words}}
	for _, item := range b.names.Rules.Method {
		columns = append(columns, column{name: item.Name, kind: code, least: displayWidth(item.Name) + 4})
	}
	columns = append(columns, column{name: "落实率", kind: percent})
	size, rows := rowsOf(b.projects, func(_ int, at **schemas.LedgerRow) []any {
		p := *at
		row := []any{p.ProjectID, p.Name, b.names.Rules.DistrictName(p.District), p.Lead, p.Department}
		for _, item := range b.names.Rules.Method {
			row = append(row, verdictSign(p.Method.Items, item.Key))
		}
		return append(row, p.Method.Completeness)
	})
	return &sheet{name: "七个一", frozen: 2, notes: []string{"√ 已落实　× 未落实　- 不适用"}, blocks: []block{{table: table{columns: columns, size: size, rows: rows}}}}
}

func verdictSign(items schemas.OrderedVerdicts, key schemas.MethodKey) string {
	i := slices.IndexFunc(items, func(v schemas.KeyedVerdict) bool { return v.Key == key })
	switch {
	case i >= 0 && items[i].Verdict == schemas.Satisfied:
		return "√"
	case i >= 0 && items[i].Verdict == schemas.Unsatisfied:
		return "×"
	}
	return unknown
}

func filter[T any](list []T, keep func(T) bool) []T {
	var kept []T
	for _, item := range list {
		if keep(item) {
			kept = append(kept, item)
		}
	}
	return kept
}
