package alerts

import (
	"cmp"
	"slices"
	"strings"

	"milepost/schemas"
)

// CheckDay gives the day whose ledger is compared: the day itself, but the day
// before when it is the last of a month. On that day the reporting month is one
// whose reports are not due yet (the specification, §5), so that lights show
// what nobody could have reported.
func CheckDay(day schemas.Date) schemas.Date {
	if day.IsMonthEnd() {
		return day - 1
	}
	return day
}

// Between gives what happened from the one ledger to the other, by kind and
// project. Cancelled projects give no alerts. reportDay is the day of the
// following month by which reports are due: who has not reported is told once,
// by the first pair of ledgers between which that day ended.
func Between(before, after *schemas.Ledger, reportDay func(schemas.Month) int) []Alert {
	earlier := make(map[string]*schemas.Standing, len(before.Standings))
	for i := range before.Standings {
		earlier[before.Standings[i].ProjectID] = &before.Standings[i]
	}
	month := after.ReportingMonth
	due := (month + 1).Day(reportDay(month))
	reportsEnded := before.AsOf < due && due <= after.AsOf
	var alerts []Alert
	for i := range after.Standings {
		now := &after.Standings[i]
		if now.Cancelled {
			continue
		}
		was := earlier[now.ProjectID]
		if was == nil {
			was = &schemas.Standing{}
		}
		if now.Light == schemas.Red && was.Light != schemas.Red {
			alerts = append(alerts, about(TurnedRed, now))
		}
		alerts = append(alerts, overdueIssues(was, now, before.AsOf, after.AsOf)...)
		if reportsEnded && now.Investment.Unreported {
			a := about(Unreported, now)
			a.Month = month
			alerts = append(alerts, a)
		}
		alerts = append(alerts, reached(was, now)...)
	}
	slices.SortStableFunc(alerts, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind)), strings.Compare(a.ProjectID, b.ProjectID))
	})
	return alerts
}

func about(kind Kind, s *schemas.Standing) Alert {
	return Alert{Kind: kind, ProjectID: s.ProjectID, Name: s.Name, District: s.District, Holder: s.Holder}
}

func overdueIssues(was, now *schemas.Standing, before, after schemas.Date) []Alert {
	var alerts []Alert
	for i := range now.Issues {
		issue := &now.Issues[i]
		known := slices.ContainsFunc(was.Issues, func(old schemas.IssueStanding) bool { return old.ID == issue.ID && old.Overdue(before) })
		if known || !issue.Overdue(after) {
			continue
		}
		a := about(Overdue, now)
		a.IssueID, a.Issue, a.Department, a.DueOn = issue.ID, issue.Title, issue.Department, issue.DueOn
		alerts = append(alerts, a)
	}
	return alerts
}

func reached(was, now *schemas.Standing) []Alert {
	var alerts []Alert
	for _, m := range schemas.Milestones() {
		if now.Milestones[m].ReachedOn == 0 || was.Milestones[m].ReachedOn != 0 {
			continue
		}
		a := about(Reached, now)
		a.Milestone, a.ReachedOn, a.LateDays = m, now.Milestones[m].ReachedOn, now.Milestones[m].LateDaysOrNull()
		alerts = append(alerts, a)
	}
	return alerts
}

// MissingReports gives the reports of the ledger's reporting month that have
// not come (应报未报). Give it the ledger of the month's last day with what is
// known now.
func MissingReports(ledger *schemas.Ledger) []Alert {
	var alerts []Alert
	for i := range ledger.Standings {
		if s := &ledger.Standings[i]; !s.Cancelled && s.Investment.Unreported {
			a := about(Missing, s)
			a.Month = ledger.ReportingMonth
			alerts = append(alerts, a)
		}
	}
	return alerts
}
