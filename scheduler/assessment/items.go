package assessment

import (
	"cmp"
	"slices"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// items prints the five items of the score with the events behind them.
func (a *assessor) items(r *counting.Row, exact []counting.Item) []schemas.AssessmentItem {
	items := make([]schemas.AssessmentItem, len(exact))
	for i, e := range exact {
		items[i] = schemas.AssessmentItem{
			Item: e.Key, Weight: e.Weight, Numerator: schemas.Rounded(e.Numerator, 2), Divisor: schemas.Rounded(e.Divisor, 2),
			Fraction: schemas.Rounded(e.Fraction, 4), Points: schemas.Rounded(e.Points, 2), Events: inOrder(a.events(r, e.Key)),
		}
	}
	return items
}

// events names what an item rests on.
func (a *assessor) events(r *counting.Row, item string) []schemas.EventRef {
	var refs []schemas.EventRef
	switch item {
	case counting.LedgerItem:
		for _, s := range r.Held() {
			if s.Trace != nil {
				refs = append(append(refs, s.Trace.Reports...), s.Trace.Method...)
			}
		}
	case counting.InvestmentItem:
		for _, s := range r.Held() {
			if s.Trace == nil || !counting.Invests(s) {
				continue
			}
			refs = append(refs, s.Trace.Plan)
			if s.Investment.Known {
				refs = append(refs, s.Trace.Invested)
			}
		}
	default:
		m, _ := schemas.ParseMilestone(item)
		for _, s := range r.Counted(m) {
			if s.Trace != nil && a.scope.Milestone(s, m).Judged == 1 {
				t := &s.Trace.Milestones[m]
				refs = append(refs, t.Reached, t.Baseline, t.Target)
			}
		}
	}
	return refs
}

// inOrder sorts by sequence, names each event once, and leaves out those that
// are not there.
func inOrder(refs []schemas.EventRef) []schemas.EventRef {
	slices.SortFunc(refs, func(a, b schemas.EventRef) int { return cmp.Compare(a.Seq, b.Seq) })
	refs = slices.CompactFunc(refs, func(a, b schemas.EventRef) bool { return a.Seq == b.Seq })
	if len(refs) > 0 && refs[0].Seq == 0 {
		refs = refs[1:]
	}
	if refs == nil {
		return []schemas.EventRef{}
	}
	return slices.Clip(refs)
}
