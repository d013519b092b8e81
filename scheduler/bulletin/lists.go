package bulletin

import (
	"cmp"
	"slices"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

func fillTotals(model *schemas.Bulletin, ledger *schemas.Ledger) {
	t := &model.Totals
	for i := range ledger.Standings {
		s := &ledger.Standings[i]
		if s.Cancelled {
			t.Cancelled++
			continue
		}
		t.Projects++
		t.TotalInvestment += s.TotalInvestment
		switch s.Status {
		case schemas.StatusCompleted:
			t.ByStatus.Completed++
		case schemas.StatusSmooth:
			t.ByStatus.Smooth++
		case schemas.StatusSlow:
			t.ByStatus.Slow++
		case schemas.StatusStalled:
			t.ByStatus.Stalled++
		case schemas.StatusSuspended:
			t.ByStatus.Suspended++
		}
		switch s.Light {
		case schemas.Green:
			t.ByLight.Green++
		case schemas.Yellow:
			t.ByLight.Yellow++
		case schemas.Red:
			t.ByLight.Red++
		case schemas.Grey:
			t.ByLight.Grey++
		case schemas.NoneOn:
			t.ByLight.None++
		}
		switch s.Stage {
		case schemas.StageRegistered:
			t.ByStage.Registered++
		case schemas.StageLanded:
			t.ByStage.Landed++
		case schemas.StageStarted:
			t.ByStage.Started++
		case schemas.StageProducing:
			t.ByStage.Producing++
		}
	}
}

// fillLists fills every list of §9 and the counts of issues. No list is nil:
// an empty one is [] in JSON.
func fillLists(draft *Draft, ledger *schemas.Ledger, period schemas.Period) {
	model := draft.Model
	model.Lagging, model.Unreported = []schemas.LaggingProject{}, []string{}
	model.Reached, model.Upcoming = []schemas.ReachedMilestone{}, []schemas.UpcomingMilestone{}
	model.Cancelled = []schemas.CancelledProject{}
	quality := schemas.DataQuality{
		Orphans: ledger.Quality.Orphans, Conflicts: ledger.Quality.Conflicts, Foreign: ledger.Quality.Foreign,
		DeadLetters: ledger.Quality.DeadLetters, OutOfOrder: []string{}, NoPlan: []string{},
	}
	nameOnly := func(list *[]string, s *schemas.Standing) {
		*list = append(*list, s.ProjectID)
		draft.Projects[s.ProjectID] = s.Name
	}
	horizon := period.Next().End
	for i := range ledger.Standings {
		s := &ledger.Standings[i]
		if s.Cancelled {
			if s.CancelledOn.Year() == period.End.Year() {
				model.Cancelled = append(model.Cancelled, schemas.CancelledProject{
					ProjectID: s.ProjectID, Name: s.Name, EffectiveOn: s.CancelledOn, Reason: s.CancelReason})
			}
			continue
		}
		if s.Status == schemas.StatusSlow || s.Status == schemas.StatusStalled {
			model.Lagging = append(model.Lagging, laggingProject(s))
		}
		for _, m := range schemas.Milestones() {
			addMilestone(model, s, m, period, horizon)
		}
		if s.Investment.Unreported {
			nameOnly(&model.Unreported, s)
		}
		if s.OutOfOrder {
			nameOnly(&quality.OutOfOrder, s)
		}
		if s.Investment.Plan == 0 && !s.Completed() && !s.Suspended {
			nameOnly(&quality.NoPlan, s)
		}
		countIssues(&model.Issues, s, period)
	}
	slices.SortFunc(model.Lagging, compareLagging)
	slices.SortFunc(model.Reached, func(a, b schemas.ReachedMilestone) int {
		return cmp.Or(cmp.Compare(a.ReachedOn, b.ReachedOn), cmp.Compare(a.ProjectID, b.ProjectID), compareMilestones(a.Milestone, b.Milestone))
	})
	slices.SortFunc(model.Upcoming, func(a, b schemas.UpcomingMilestone) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.ProjectID, b.ProjectID), compareMilestones(a.Milestone, b.Milestone))
	})
	slices.SortFunc(model.Cancelled, func(a, b schemas.CancelledProject) int { return cmp.Compare(a.ProjectID, b.ProjectID) })
	slices.Sort(model.Unreported)
	slices.Sort(quality.OutOfOrder)
	slices.Sort(quality.NoPlan)
	model.DataQuality = quality
}

func laggingProject(s *schemas.Standing) schemas.LaggingProject {
	row := schemas.LaggingProject{
		ProjectID: s.ProjectID, Name: s.Name, District: s.District, Lead: textOrNull(s.Holder.Lead),
		Department: textOrNull(s.Holder.Department), Status: s.Status, Light: s.Light,
		OpenIssues: s.OpenIssues(), ConsecutiveStalledMonths: s.StalledMonths,
	}
	for _, m := range schemas.Milestones() {
		standing := &s.Milestones[m]
		if standing.OverdueMonths > row.OverdueMonths {
			word := m.String()
			row.Milestone, row.Target, row.Forecast = &word, standing.Target, standing.Forecast
			row.OverdueMonths, row.LateDays = standing.OverdueMonths, standing.LateDaysOrNull()
		}
	}
	return row
}

// compareLagging orders by light, then by late days (not known as 0), the most
// first, then by id (§9).
func compareLagging(a, b schemas.LaggingProject) int {
	return cmp.Or(cmp.Compare(lightOrder(a.Light), lightOrder(b.Light)), cmp.Compare(orZero(b.LateDays), orZero(a.LateDays)),
		cmp.Compare(a.ProjectID, b.ProjectID))
}

func lightOrder(l schemas.Light) int {
	return slices.Index([]schemas.Light{schemas.Red, schemas.Yellow, schemas.Green, schemas.NoneOn}, l)
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func compareMilestones(a, b string) int {
	first, _ := schemas.ParseMilestone(a)
	second, _ := schemas.ParseMilestone(b)
	return cmp.Compare(first, second)
}

func addMilestone(model *schemas.Bulletin, s *schemas.Standing, m schemas.Milestone, period schemas.Period, horizon schemas.Date) {
	standing := &s.Milestones[m]
	if period.Contains(standing.ReachedOn) {
		model.Reached = append(model.Reached, schemas.ReachedMilestone{ProjectID: s.ProjectID, Name: s.Name, Milestone: m.String(),
			ReachedOn: standing.ReachedOn, Target: standing.Target, LateDays: standing.LateDaysOrNull()})
	}
	if !s.Suspended && standing.ReachedOn == 0 && standing.Target > period.End && standing.Target <= horizon {
		model.Upcoming = append(model.Upcoming, schemas.UpcomingMilestone{ProjectID: s.ProjectID, Name: s.Name, Milestone: m.String(),
			Target: standing.Target, Forecast: standing.Forecast})
	}
}

// countIssues needs no list of resolutions: of those dated in the period, whose
// end is E, the latest is always among them.
func countIssues(counts *schemas.IssueCounts, s *schemas.Standing, period schemas.Period) {
	for i := range s.Issues {
		issue := &s.Issues[i]
		counts.Raised += oneIf(period.Contains(issue.RaisedOn))
		counts.Resolved += oneIf(period.Contains(issue.ResolvedOn))
		counts.Open += oneIf(issue.Open())
		counts.Overdue += oneIf(issue.Overdue(period.End))
	}
}

func fillMethod(model *schemas.Bulletin, rules *schemas.Rules, ledger *schemas.Ledger, whole *counting.Tally) {
	items := make(schemas.MethodTallies, len(rules.Method))
	for i := range items {
		items[i].Key = rules.Method[i].Key
	}
	for i := range ledger.Standings {
		s := &ledger.Standings[i]
		if s.Cancelled {
			continue
		}
		for j, verdict := range s.Method {
			items[j].Satisfied += oneIf(verdict == schemas.Satisfied)
			items[j].Applicable += oneIf(verdict != schemas.NotApplicable)
		}
	}
	model.Method = schemas.MethodCount{Items: items, Completeness: whole.Completeness()}
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func oneIf(condition bool) int {
	if condition {
		return 1
	}
	return 0
}
