package xlsx

import (
	"fmt"
	"slices"
	"strings"

	"milepost/schemas"
)

// lagging lists the slow and the stalled projects as the model orders them.
func (b *bulletin) lagging() *sheet {
	size, rows := rowsOf(b.model.Lagging, func(i int, p *schemas.LaggingProject) []any {
		milestone := unknown
		if p.Milestone != nil {
			milestone = milestoneName(*p.Milestone)
		}
		return []any{i + 1, p.ProjectID, p.Name, lightName(p.Light), statusName(p.Status), b.names.Rules.DistrictName(p.District), p.Lead, p.Department, milestone,
			p.Target, p.Forecast, p.OverdueMonths, p.LateDays, p.ConsecutiveStalledMonths, p.OpenIssues}
	})
	return &sheet{name: "进展缓慢和无进展", frozen: 3, blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "序号", kind: count}, {name: "编号", kind: code},
		{name: "项目名称", kind: words}, {name: "亮灯", kind: light}, {name: "进展", kind: code, least: 10}, {name: "县（市）区", kind: words}, {name: "包联领导", kind: words},
		{name: "责任单位", kind: words}, {name: "逾期节点", kind: code}, {name: "目标日期", kind: day}, {name: "预计完成", kind: day}, {name: "逾期月数", kind: count},
		{name: "偏差天数", kind: days}, {name: "连续无进展月数", kind: count}, {name: "未销号问题", kind: count}}}}}}
}

// reached lists the milestones of the period, with who holds the project now.
func (b *bulletin) reached() *sheet {
	size, rows := rowsOf(b.model.Reached, func(i int, r *schemas.ReachedMilestone) []any {
		return append([]any{i + 1, r.ProjectID, r.Name, milestoneName(r.Milestone), r.ReachedOn, r.Target, r.LateDays}, b.holders(r.ProjectID)...)
	})
	return &sheet{name: "本期节点", frozen: 3, blocks: []block{{table: table{size: size, rows: rows, columns: append([]column{{name: "序号", kind: count}, {name: "编号", kind: code},
		{name: "项目名称", kind: words}, {name: "节点", kind: code}, {name: "达到日期", kind: day}, {name: "目标日期", kind: day}, {name: "偏差天数", kind: days}}, b.holderColumns()...)}}}}
}

// upcoming lists the milestones due by the end of the next period.
func (b *bulletin) upcoming() *sheet {
	size, rows := rowsOf(b.model.Upcoming, func(i int, u *schemas.UpcomingMilestone) []any {
		return append([]any{i + 1, u.ProjectID, u.Name, milestoneName(u.Milestone), u.Target, u.Forecast}, b.holders(u.ProjectID)...)
	})
	end := schemas.PeriodContaining(b.model.Kind, b.model.PeriodEnd).Next().End
	return &sheet{name: "下期节点", frozen: 3, notes: []string{fmt.Sprintf("目标日期在%s以后、不晚于%s的节点。", chineseDate(b.model.PeriodEnd), chineseDate(end))},
		blocks: []block{{table: table{size: size, rows: rows, columns: append([]column{{name: "序号", kind: count}, {name: "编号", kind: code},
			{name: "项目名称", kind: words}, {name: "节点", kind: code}, {name: "目标日期", kind: day}, {name: "预计完成", kind: day}}, b.holderColumns()...)}}}}
}

// unreported lists the projects whose report is due and missing.
func (b *bulletin) unreported() *sheet {
	size, rows := rowsOf(b.model.Unreported, func(i int, id *string) []any {
		return append([]any{i + 1, *id, b.project(*id)}, b.holders(*id)...)
	})
	return &sheet{name: "应报未报", frozen: 3, notes: []string{fmt.Sprintf("%d年%d月的投资进度应报未报。", b.model.ReportingMonth.Year(), b.model.ReportingMonth.Number())},
		blocks: []block{{table: table{size: size, rows: rows, columns: append([]column{{name: "序号", kind: count}, {name: "编号", kind: code}, {name: "项目名称", kind: words}}, b.holderColumns()...)}}}}
}

// holderColumns are those of holders; without a ledger nobody knows them.
func (b *bulletin) holderColumns() []column {
	if len(b.byID) == 0 {
		return nil
	}
	return []column{{name: "县（市）区", kind: words}, {name: "包联领导", kind: words}, {name: "责任单位", kind: words}}
}

func (b *bulletin) holders(id string) []any {
	if len(b.byID) == 0 {
		return nil
	}
	p := b.byID[id]
	if p == nil {
		return []any{unknown, unknown, unknown}
	}
	return []any{b.names.Rules.DistrictName(p.District), p.Lead, p.Department}
}

// cancelledProjects lists those cancelled in the year; those of earlier years
// stand in the ledger only.
func (b *bulletin) cancelledProjects() *sheet {
	size, rows := rowsOf(b.model.Cancelled, func(i int, p *schemas.CancelledProject) []any {
		return append([]any{i + 1, p.ProjectID, p.Name, p.EffectiveOn, p.Reason}, b.holders(p.ProjectID)...)
	})
	s := &sheet{name: "取消项目", frozen: 3, blocks: []block{{table: table{size: size, rows: rows, columns: append([]column{{name: "序号", kind: count}, {name: "编号", kind: code},
		{name: "项目名称", kind: words}, {name: "取消日期", kind: day}, {name: "原因", kind: words, most: 60}}, b.holderColumns()...)}}}}
	if before := b.model.Totals.Cancelled - len(b.model.Cancelled); before > 0 {
		s.notes = []string{fmt.Sprintf("本年取消的项目；以前年度取消的还有%d个。", before)}
	}
	return s
}

type qualityRow struct {
	name  string
	count *int
	id    string
	means string
}

// quality says what could not be counted, and what contradicts itself.
func (b *bulletin) quality() *sheet {
	q := &b.model.DataQuality
	list := []qualityRow{
		{"项目未登记", &q.Orphans, "", "事件所指的项目到期末没有登记"},
		{"重复报送且内容不一", &q.Conflicts, "", "同一事件编号先后内容不同，以先到的为准"},
		{"无权报送", &q.Foreign, "", "报送单位不是项目所在县（市）区，也不是市里"},
		{"退件", &q.DeadLetters, "", "格式或内容不合规定，没有接收"},
	}
	for _, ids := range []struct {
		name, means string
		ids         []string
	}{{"节点次序颠倒", "后面的节点已达到，前面的节点没有达到", q.OutOfOrder}, {"年度计划未下达", "未完成、未停缓建，本年没有投资计划", q.NoPlan}} {
		n := len(ids.ids)
		list = append(list, qualityRow{ids.name, &n, "", ids.means})
		for _, id := range ids.ids {
			list = append(list, qualityRow{ids.name, nil, id, ""})
		}
	}
	size, rows := rowsOf(list, func(_ int, r *qualityRow) []any {
		if r.count != nil {
			return []any{r.name, *r.count, nil, nil, r.means}
		}
		return []any{r.name, nil, r.id, b.project(r.id), nil}
	})
	return &sheet{name: "数据质量", blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "类别", kind: words}, {name: "数量", kind: count}, {name: "编号", kind: code},
		{name: "项目名称", kind: words}, {name: "说明", kind: words, most: 60}}}}}}
}

// restatements lists what the latest published bulletin of the kind said
// otherwise.
func (b *bulletin) restatements() *sheet {
	restated := b.model.Restatements
	if b.weekly() {
		restated = filter(restated, func(r schemas.Restatement) bool { return !strings.HasPrefix(r.Path, "unreported") })
	}
	size, rows := rowsOf(restated, func(i int, r *schemas.Restatement) []any {
		return []any{i + 1, b.names.path(r.Path), b.names.value(r.Published), b.names.value(r.Now), r.Path}
	})
	s := &sheet{name: "数据修订", notes: []string{"最近一期同类通报发布以后有变化的数。"}, blocks: []block{{table: table{size: size, rows: rows, columns: []column{{name: "序号", kind: count},
		{name: "内容", kind: words, most: 60}, {name: "已发布", kind: words}, {name: "现在", kind: words}, {name: "路径", kind: words, most: 60}}}}}}
	if b.names.Path == nil {
		t := &s.blocks[0].table
		t.columns, t.rows = slices.Delete(t.columns, 4, 5), func(yield func([]any) bool) {
			for row := range rows {
				if !yield(row[:4]) {
					return
				}
			}
		}
	}
	return s
}
