package assessment

import (
	"fmt"
	"strings"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// hint suggests what a person may decide about a ranked row, with the numbers
// that speak for it; n is how many rows of the group are ranked.
func (a *assessor) hint(key RowKey, row *schemas.AssessedRow, r *counting.Row, n int) {
	if row.Rank == nil {
		return
	}
	give := func(hint schemas.Hint, format string, args ...any) {
		row.Hints = append(row.Hints, hint)
		row.HintReasons = append(row.HintReasons, schemas.HintReason{Hint: hint, Reason: fmt.Sprintf(format, args...)})
	}
	failed := *row.Grade == schemas.GradeFail
	place := fmt.Sprintf("最终得分%s分，在本组%d个参加排名的对象中列第%d名", row.Final, n, *row.Rank)
	if best := min(3, max(1, n/3)); *row.Rank <= best && !failed {
		give(schemas.HintReward, "%s（前%d名），等次%s。", place, best, *row.Grade)
	}
	if missed := missedPlans(row, r); n >= 4 && *row.Rank > n-2 && len(missed) > 0 {
		give(schemas.HintExplain, "%s（第%d名及以后），且计划没有完成：%s。", place, n-1, strings.Join(missed, "；"))
	}
	if a.numbers.Accountability && failed && a.last[key] == schemas.GradeFail {
		veto := ""
		if row.Veto {
			veto = "，一票否决"
		}
		give(schemas.HintAccountability, "%d年度考核结果为%s，%d年度为%s（最终得分%s分%s），连续两年%s。",
			a.year-1, schemas.GradeFail, a.year, schemas.GradeFail, row.Final, veto, schemas.GradeFail)
	}
}

// missedPlans says which plans of the year were not met. Amounts, not rates:
// 99.96% of a plan would be printed as 100.0%.
func missedPlans(row *schemas.AssessedRow, r *counting.Row) []string {
	var missed []string
	for i, name := range []string{"落地", "开工", "投产"} {
		t := row.Milestones.Of(schemas.Milestone(i))
		switch {
		case t.Done >= t.DueToDate:
		case t.Done == 0:
			missed = append(missed, fmt.Sprintf("应%s%d个，均未%s", name, t.DueToDate, name))
		default:
			missed = append(missed, fmt.Sprintf("应%s%d个，已%s%d个", name, t.DueToDate, name, t.Done))
		}
	}
	if r.Plan > 0 && r.Invested < r.Plan {
		invested := "没有报送完成投资"
		if r.InvestedKnown {
			invested = fmt.Sprintf("完成投资%s万元", r.Invested)
		}
		missed = append(missed, fmt.Sprintf("计划投资%s万元，%s", r.Plan, invested))
	}
	return missed
}
