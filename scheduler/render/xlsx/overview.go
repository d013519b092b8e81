package xlsx

import (
	"fmt"

	"milepost/schemas"
)

// overviewRow is a figure of the whole; check counts it again from the ledger,
// and recounted is what the formula gives.
type overviewRow struct {
	group, name string
	kind        kind
	value       any
	check       string
	recounted   float64
}

// overview is the first sheet. With checks an auditor sees the totals counted
// again from the sheet of the ledger by formulas.
func (b *bulletin) overview(checks bool) *sheet {
	s := &sheet{name: "总览", poster: true}
	if checks {
		s.notes = []string{"“由台账重算”是对本簿“台账”表的公式；进度、比率由未四舍五入的数得出，只在最后四舍五入一次。"}
	}
	// The first table stands below its title and its headings.
	first := s.headRows() + 3
	s.blocks = []block{{"一、总体情况", b.totals(checks, first)}, {"二、节点", b.milestones()}, {"三、问题", b.issueCounts()}, {"四、“七个一”落实情况", b.methodCounts()}}
	return s
}

func (b *bulletin) totals(checks bool, first int) table {
	t, inv := &b.model.Totals, &b.model.Investment
	list := []overviewRow{
		{"总体", "项目数", count, t.Projects, "COUNTA(台账_" + ledgerStatus + ")", float64(len(b.projects))},
		{"总体", "总投资", money, t.TotalInvestment, "ROUND(SUM(台账_" + ledgerTotal + "),2)", b.sum(func(p *schemas.LedgerRow) schemas.Money { return p.TotalInvestment })},
	}
	counted := func(group, column, name string, n int, is func(*schemas.LedgerRow) bool) {
		recounted := 0
		for _, p := range b.projects {
			if is(p) {
				recounted++
			}
		}
		list = append(list, overviewRow{group, name, count, n, fmt.Sprintf(`COUNTIF(台账_%s,"%s")`, column, name), float64(recounted)})
	}
	for _, status := range []struct {
		status schemas.Status
		n      int
	}{{schemas.StatusCompleted, t.ByStatus.Completed}, {schemas.StatusSmooth, t.ByStatus.Smooth}, {schemas.StatusSlow, t.ByStatus.Slow},
		{schemas.StatusStalled, t.ByStatus.Stalled}, {schemas.StatusSuspended, t.ByStatus.Suspended}} {
		counted("进展", ledgerStatus, statusName(status.status), status.n, func(p *schemas.LedgerRow) bool { return p.Status == status.status })
	}
	for _, l := range []struct {
		light schemas.Light
		n     int
	}{{schemas.Green, t.ByLight.Green}, {schemas.Yellow, t.ByLight.Yellow}, {schemas.Red, t.ByLight.Red}, {schemas.Grey, t.ByLight.Grey}, {schemas.NoneOn, t.ByLight.None}} {
		counted("亮灯", ledgerLight, lightName(l.light), l.n, func(p *schemas.LedgerRow) bool { return p.Light == l.light })
	}
	for _, stage := range []struct {
		stage schemas.Stage
		n     int
	}{{schemas.StageRegistered, t.ByStage.Registered}, {schemas.StageLanded, t.ByStage.Landed}, {schemas.StageStarted, t.ByStage.Started}, {schemas.StageProducing, t.ByStage.Producing}} {
		counted("阶段", ledgerStage, stageName(stage.stage), stage.n, func(p *schemas.LedgerRow) bool { return p.Stage == stage.stage })
	}
	// Suspended projects and those without a plan are no part of the investment.
	const counts = `台账_` + ledgerPlan + `,">0",台账_` + ledgerStatus + `,"<>停缓建"`
	judged := func(of func(*schemas.LedgerRow) schemas.Money) float64 {
		return b.sum(func(p *schemas.LedgerRow) schemas.Money {
			if p.Suspended || p.Investment.Plan == 0 {
				return 0
			}
			return of(p)
		})
	}
	list = append(list,
		overviewRow{"投资", "年度计划", money, inv.Plan, "ROUND(SUMIFS(台账_" + ledgerPlan + "," + counts + "),2)", judged(func(p *schemas.LedgerRow) schemas.Money { return p.Investment.Plan })},
		overviewRow{"投资", "完成投资", money, inv.Invested, "ROUND(SUMIFS(台账_" + ledgerInvested + "," + counts + "),2)", judged(invested)},
		overviewRow{"投资", "投资完成率", percent, inv.Rate, "", 0}, overviewRow{"投资", "时序进度", percent, inv.TimeProgress, "", 0},
		overviewRow{"投资", "与时序差百分点", distance, inv.VsTime, "", 0}, overviewRow{"其他", "七个一落实率", percent, b.model.Method.Completeness, "", 0},
		overviewRow{"其他", "已取消（不计入以上各数）", count, t.Cancelled, "", 0})
	columns := []column{{name: "指标", kind: words, least: 30}, {name: "数值", kind: money}}
	if checks {
		columns = append(columns, column{name: "由台账重算", kind: money}, column{name: "核对", kind: code})
	}
	size, rows := rowsOf(list, func(i int, r *overviewRow) []any {
		row := []any{r.group + "·" + r.name, as{r.kind, r.value}}
		if checks {
			row = append(row, recount(r, first+i)...)
		}
		return row
	})
	return table{columns: columns, size: size, rows: rows}
}

// recount gives the formula that counts the figure again, and the one that
// compares.
func recount(r *overviewRow, row int) []any {
	if r.check == "" {
		return []any{as{code, unknown}, unknown}
	}
	verdict := "不符"
	if v, ok := value(r.value, r.kind).(float64); ok && v == r.recounted {
		verdict = "相符"
	} else if n, ok := r.value.(int); ok && float64(n) == r.recounted {
		verdict = "相符"
	} else if value(r.value, r.kind) == unknown && r.recounted == 0 {
		verdict = "相符"
	}
	return []any{as{r.kind, formula{r.check, r.recounted}}, formula{fmt.Sprintf(`IF(ROUND(N(B%d)-C%d,2)=0,"相符","不符")`, row, row), verdict}}
}

func invested(p *schemas.LedgerRow) schemas.Money {
	if p.Investment.Invested == nil {
		return 0
	}
	return *p.Investment.Invested
}

func (b *bulletin) sum(of func(*schemas.LedgerRow) schemas.Money) float64 {
	var total schemas.Money
	for _, p := range b.projects {
		total += of(p)
	}
	return moneyNumber(total)
}

func (b *bulletin) milestones() table {
	milestones := schemas.Milestones()
	size, rows := rowsOf(milestones[:], func(_ int, m *schemas.Milestone) []any {
		t := b.model.Milestones.Of(*m)
		return []any{milestoneName(m.String()), t.DueYear, t.DueToDate, t.Done, t.OnTime, t.Late, t.Judged, t.NewInPeriod, t.RateToDate, t.RateYear}
	})
	return table{size: size, rows: rows, columns: []column{{name: "节点", kind: words}, {name: "全年应完成", kind: count}, {name: "至期末应完成", kind: count}, {name: "今年已完成", kind: count},
		{name: "按期", kind: count}, {name: "逾期", kind: count}, {name: "应考核", kind: count}, {name: "本期新增", kind: count}, {name: "至期末完成率", kind: percent}, {name: "全年完成率", kind: percent}}}
}

func (b *bulletin) issueCounts() table {
	i := &b.model.Issues
	return table{size: 1, rows: func(yield func([]any) bool) { yield([]any{"问题", i.Raised, i.Resolved, i.Open, i.Overdue}) },
		columns: []column{{name: "类别", kind: words}, {name: "本期新提出", kind: count}, {name: "本期销号", kind: count}, {name: "期末未销号", kind: count}, {name: "其中超期", kind: count}}}
}

func (b *bulletin) methodCounts() table {
	size, rows := rowsOf(b.model.Method.Items, func(_ int, item *schemas.MethodTally) []any {
		name := string(item.Key)
		for _, known := range b.names.Rules.Method {
			if known.Key == item.Key {
				name = known.Name
			}
		}
		return []any{name, item.Satisfied, item.Applicable, schemas.Percent(int64(item.Satisfied), int64(item.Applicable))}
	})
	return table{size: size, rows: rows, columns: []column{{name: "内容", kind: words}, {name: "已落实", kind: count}, {name: "应落实", kind: count}, {name: "落实率", kind: percent}}}
}
