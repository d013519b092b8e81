package schemas

// LedgerColumn is one column of the flat ledger, as analysts and spreadsheets
// get it: the rows of the model with their nested parts spread out.
type LedgerColumn struct {
	Name    string
	Chinese string
	English string
	// Value gives the cell: string, *string, []string, Date, Money, *Money,
	// *Figure, bool, int, *int or OrderedVerdicts.
	Value func(row *LedgerRow) any
}

// LedgerColumns lists the columns in their order.
func LedgerColumns() []LedgerColumn {
	columns := []LedgerColumn{
		{"project_id", "项目编号", "project id", func(r *LedgerRow) any { return r.ProjectID }},
		{"name", "项目名称", "name", func(r *LedgerRow) any { return r.Name }},
		{"enterprise", "企业", "enterprise", func(r *LedgerRow) any { return r.Enterprise }},
		{"industry", "行业", "industry", func(r *LedgerRow) any { return r.Industry }},
		{"tags", "标签", "tags", func(r *LedgerRow) any { return r.Tags }},
		{"district", "县(市)区", "district code", func(r *LedgerRow) any { return r.District }},
		{"lead", "市级领导", "lead on E", func(r *LedgerRow) any { return r.Lead }},
		{"department", "市直部门", "department on E", func(r *LedgerRow) any { return r.Department }},
		{"registered_on", "入库日期", "registered on", func(r *LedgerRow) any { return r.RegisteredOn }},
		{"total_investment", "总投资(万元)", "total investment, 万元", func(r *LedgerRow) any { return r.TotalInvestment }},
		{"stage", "阶段", "highest milestone reached", func(r *LedgerRow) any { return string(r.Stage) }},
		{"status", "进展状态", "status", func(r *LedgerRow) any { return string(r.Status) }},
		{"light", "亮灯", "light", func(r *LedgerRow) any { return string(r.Light) }},
		{"suspended", "停缓建", "suspended", func(r *LedgerRow) any { return r.Suspended }},
		{"cancelled", "已取消", "cancelled", func(r *LedgerRow) any { return r.Cancelled }},
		{"unreported", "应报未报", "report for M* missing", func(r *LedgerRow) any { return r.Unreported }},
	}
	names := [MilestoneCount]string{"落地", "开工", "投产"}
	for _, m := range Milestones() {
		of := func(r *LedgerRow) *LedgerMilestone { return r.Milestones.Of(m) }
		word, chinese := m.String(), names[m]
		columns = append(columns,
			LedgerColumn{word + "_baseline", chinese + "基准", word + ": first plan", func(r *LedgerRow) any { return of(r).Baseline }},
			LedgerColumn{word + "_target", chinese + "目标", word + ": latest approved plan", func(r *LedgerRow) any { return of(r).Target }},
			LedgerColumn{word + "_forecast", chinese + "预计", word + ": latest plan", func(r *LedgerRow) any { return of(r).Forecast }},
			LedgerColumn{word + "_reached_on", chinese + "日期", word + ": reached on", func(r *LedgerRow) any { return of(r).ReachedOn }},
			LedgerColumn{word + "_late_days", chinese + "延误天数", word + ": days after the target", func(r *LedgerRow) any { return of(r).LateDays }},
			LedgerColumn{word + "_overdue_months", chinese + "逾期月数", word + ": month ends missed", func(r *LedgerRow) any { return of(r).OverdueMonths }},
		)
	}
	return append(columns,
		LedgerColumn{"plan", "年度计划(万元)", "plan of the year of M*, 万元", func(r *LedgerRow) any { return r.Investment.Plan }},
		LedgerColumn{"invested", "累计完成投资(万元)", "invested in that year up to M*, 万元", func(r *LedgerRow) any { return r.Investment.Invested }},
		LedgerColumn{"rate", "投资完成率(%)", "invested ÷ plan, per cent", func(r *LedgerRow) any { return r.Investment.Rate }},
		LedgerColumn{"method", "七个一", "the seven items: satisfied, not, or not applicable", func(r *LedgerRow) any { return r.Method.Items }},
		LedgerColumn{"completeness", "七个一完成度(%)", "satisfied ÷ applicable, per cent", func(r *LedgerRow) any { return r.Method.Completeness }},
		LedgerColumn{"open_issues", "未销号问题", "issues not resolved", func(r *LedgerRow) any { return r.OpenIssues }},
		LedgerColumn{"overdue_issues", "逾期问题", "issues past their deadline", func(r *LedgerRow) any { return r.OverdueIssues }},
	)
}
