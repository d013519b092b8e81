package bulletin

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// digest is what a bulletin lists and counts of the projects at its end, which
// it is shown one by one and in any order.
type digest struct {
	period   schemas.Period
	horizon  schemas.Date
	restated map[string]bool // projects that restatements are about, by id
	model    schemas.Bulletin
	method   []schemas.MethodTally
	projects map[string]string
	words    map[string]string
}

func newDigest(rules *schemas.Rules, period schemas.Period, restated map[string]bool) *digest {
	d := &digest{
		period: period, horizon: period.Next().End, restated: restated,
		method: make(schemas.MethodTallies, len(rules.Method)), projects: map[string]string{}, words: map[string]string{},
	}
	for i := range d.method {
		d.method[i].Key = rules.Method[i].Key
	}
	return d
}

// word keeps one copy of a word that many projects share.
func (d *digest) word(text string) string {
	word, known := d.words[text]
	if !known {
		word = strings.Clone(text)
		d.words[word] = word
	}
	return word
}

func (d *digest) wordOrNull(text string) *string { return textOrNull(d.word(text)) }

// add takes a project in; of its texts it keeps copies.
func (d *digest) add(s *schemas.Standing) {
	if d.restated[s.ProjectID] {
		d.projects[strings.Clone(s.ProjectID)] = strings.Clone(s.Name)
	}
	addTotals(&d.model.Totals, s)
	if s.Cancelled {
		if s.CancelledOn.Year() == d.period.End.Year() {
			d.model.Cancelled = append(d.model.Cancelled, schemas.CancelledProject{
				ProjectID: strings.Clone(s.ProjectID), Name: strings.Clone(s.Name), EffectiveOn: s.CancelledOn, Reason: strings.Clone(s.CancelReason)})
		}
		return
	}
	if s.Status == schemas.StatusSlow || s.Status == schemas.StatusStalled {
		d.model.Lagging = append(d.model.Lagging, d.laggingProject(s))
	}
	for _, m := range schemas.Milestones() {
		d.addMilestone(s, m)
	}
	nameOnly := func(list *[]string) {
		id := strings.Clone(s.ProjectID)
		*list = append(*list, id)
		d.projects[id] = strings.Clone(s.Name)
	}
	if s.Investment.Unreported {
		nameOnly(&d.model.Unreported)
	}
	if s.OutOfOrder {
		nameOnly(&d.model.DataQuality.OutOfOrder)
	}
	if s.Investment.Plan == 0 && !s.Completed() && !s.Suspended {
		nameOnly(&d.model.DataQuality.NoPlan)
	}
	countIssues(&d.model.Issues, s, d.period)
	for j, verdict := range s.Method {
		d.method[j].Satisfied += oneIf(verdict == schemas.Satisfied)
		d.method[j].Applicable += oneIf(verdict != schemas.NotApplicable)
	}
}

// merge takes in what another digest of the same period was shown.
func (d *digest) merge(o *digest) {
	to, from := &d.model, &o.model
	mergeTotals(&to.Totals, &from.Totals)
	to.Cancelled = append(to.Cancelled, from.Cancelled...)
	to.Lagging = append(to.Lagging, from.Lagging...)
	to.Reached = append(to.Reached, from.Reached...)
	to.Upcoming = append(to.Upcoming, from.Upcoming...)
	to.Unreported = append(to.Unreported, from.Unreported...)
	to.DataQuality.OutOfOrder = append(to.DataQuality.OutOfOrder, from.DataQuality.OutOfOrder...)
	to.DataQuality.NoPlan = append(to.DataQuality.NoPlan, from.DataQuality.NoPlan...)
	to.Issues.Raised += from.Issues.Raised
	to.Issues.Resolved += from.Issues.Resolved
	to.Issues.Open += from.Issues.Open
	to.Issues.Overdue += from.Issues.Overdue
	for j := range d.method {
		d.method[j].Satisfied += o.method[j].Satisfied
		d.method[j].Applicable += o.method[j].Applicable
	}
	maps.Copy(d.projects, o.projects)
}

// fill puts everything but the names into a model, in the orders of §9. No list
// is nil: an empty one is [] in JSON.
func (d *digest) fill(model *schemas.Bulletin, quality schemas.Quality, whole *counting.Tally) {
	model.Totals, model.Issues = d.model.Totals, d.model.Issues
	model.Method = schemas.MethodCount{Items: d.method, Completeness: whole.Completeness()}
	model.Lagging = sorted(d.model.Lagging, compareLagging)
	model.Reached = sorted(d.model.Reached, func(a, b schemas.ReachedMilestone) int {
		return cmp.Or(cmp.Compare(a.ReachedOn, b.ReachedOn), cmp.Compare(a.ProjectID, b.ProjectID), compareMilestones(a.Milestone, b.Milestone))
	})
	model.Upcoming = sorted(d.model.Upcoming, func(a, b schemas.UpcomingMilestone) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.ProjectID, b.ProjectID), compareMilestones(a.Milestone, b.Milestone))
	})
	model.Cancelled = sorted(d.model.Cancelled, func(a, b schemas.CancelledProject) int { return cmp.Compare(a.ProjectID, b.ProjectID) })
	model.Unreported = sorted(d.model.Unreported, strings.Compare)
	model.DataQuality = schemas.DataQuality{
		Orphans: quality.Orphans, Conflicts: quality.Conflicts, Foreign: quality.Foreign, DeadLetters: quality.DeadLetters,
		OutOfOrder: sorted(d.model.DataQuality.OutOfOrder, strings.Compare), NoPlan: sorted(d.model.DataQuality.NoPlan, strings.Compare),
	}
}

func sorted[T any](list []T, compare func(a, b T) int) []T {
	if list == nil {
		return []T{}
	}
	slices.SortFunc(list, compare)
	return list
}

func addTotals(t *schemas.Totals, s *schemas.Standing) {
	if s.Cancelled {
		t.Cancelled++
		return
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

func mergeTotals(t, o *schemas.Totals) {
	t.Projects += o.Projects
	t.TotalInvestment += o.TotalInvestment
	t.Cancelled += o.Cancelled
	t.ByStatus.Completed += o.ByStatus.Completed
	t.ByStatus.Smooth += o.ByStatus.Smooth
	t.ByStatus.Slow += o.ByStatus.Slow
	t.ByStatus.Stalled += o.ByStatus.Stalled
	t.ByStatus.Suspended += o.ByStatus.Suspended
	t.ByLight.Green += o.ByLight.Green
	t.ByLight.Yellow += o.ByLight.Yellow
	t.ByLight.Red += o.ByLight.Red
	t.ByLight.Grey += o.ByLight.Grey
	t.ByLight.None += o.ByLight.None
	t.ByStage.Registered += o.ByStage.Registered
	t.ByStage.Landed += o.ByStage.Landed
	t.ByStage.Started += o.ByStage.Started
	t.ByStage.Producing += o.ByStage.Producing
}

func (d *digest) laggingProject(s *schemas.Standing) schemas.LaggingProject {
	row := schemas.LaggingProject{
		ProjectID: strings.Clone(s.ProjectID), Name: strings.Clone(s.Name), District: d.word(s.District), Lead: d.wordOrNull(s.Holder.Lead),
		Department: d.wordOrNull(s.Holder.Department), Status: schemas.Status(d.word(string(s.Status))), Light: schemas.Light(d.word(string(s.Light))),
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

func (d *digest) addMilestone(s *schemas.Standing, m schemas.Milestone) {
	standing := &s.Milestones[m]
	if d.period.Contains(standing.ReachedOn) {
		d.model.Reached = append(d.model.Reached, schemas.ReachedMilestone{ProjectID: strings.Clone(s.ProjectID), Name: strings.Clone(s.Name), Milestone: m.String(),
			ReachedOn: standing.ReachedOn, Target: standing.Target, LateDays: standing.LateDaysOrNull()})
	}
	if !s.Suspended && standing.ReachedOn == 0 && standing.Target > d.period.End && standing.Target <= d.horizon {
		d.model.Upcoming = append(d.model.Upcoming, schemas.UpcomingMilestone{ProjectID: strings.Clone(s.ProjectID), Name: strings.Clone(s.Name), Milestone: m.String(),
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
