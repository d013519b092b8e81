package assessment

import (
	"math/big"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// bonus is for the share of the milestones done that were done early enough
// before both baseline and target; a milestone without a target has nothing to
// be early for.
func (a *assessor) bonus(r *counting.Row) *big.Rat {
	done, early := 0, 0
	for _, m := range schemas.Milestones() {
		done += r.Milestones[m].Done
		for _, s := range r.Counted(m) {
			ms := &s.Milestones[m]
			if a.scope.Milestone(s, m).Done == 1 && ms.Target != 0 && min(ms.Baseline, ms.Target)-ms.ReachedOn >= schemas.Date(a.numbers.BonusDays) {
				early++
			}
		}
	}
	return share(a.numbers.BonusPoints, early, done)
}

// penalty is for the share of the projects whose start is long overdue.
func (a *assessor) penalty(r *counting.Row) *big.Rat {
	overdue := 0
	for _, s := range r.Held() {
		if !s.Suspended && s.Milestones[schemas.Started].OverdueMonths >= a.numbers.PenaltyMonths {
			overdue++
		}
	}
	return share(-a.numbers.PenaltyPoints, overdue, r.Projects)
}

// share is points × part ÷ whole, 0 when the whole is.
func share(points, part, whole int) *big.Rat {
	if whole == 0 {
		return new(big.Rat)
	}
	return big.NewRat(int64(points)*int64(part), int64(whole))
}

// final adds the exact parts; never below 0, and not capped above. It is nil
// without a score.
func final(score *big.Rat, parts ...*big.Rat) *big.Rat {
	if score == nil {
		return nil
	}
	sum := new(big.Rat).Set(score)
	for _, part := range parts {
		sum.Add(sum, part)
	}
	if sum.Sign() < 0 {
		sum.SetInt64(0)
	}
	return sum
}

// adjustment is the sum of what was recorded for a row.
type adjustment struct {
	hundredths int64
	veto       bool
}

func (a adjustment) points() *big.Rat { return big.NewRat(a.hundredths, 100) }

func (a adjustment) figure() *schemas.Figure {
	return &schemas.Figure{Units: a.hundredths, Decimals: 2}
}

// adjustments are those recorded for a year.
type adjustments struct {
	recorded []schemas.RecordedAdjustment // by sequence
	sums     map[RowKey]adjustment
	matched  map[RowKey]bool
}

func adjustmentsOf(recorded []schemas.RecordedAdjustment, year int) *adjustments {
	a := &adjustments{sums: map[RowKey]adjustment{}, matched: map[RowKey]bool{}}
	for _, r := range recorded {
		if r.Year != year {
			continue
		}
		key := RowKey{string(r.Kind), r.Key}
		sum := a.sums[key]
		sum.hundredths += r.Points
		sum.veto = sum.veto || r.Veto
		a.sums[key] = sum
		a.recorded = append(a.recorded, r)
	}
	return a
}

// take gives what was recorded for a row, and remembers that the row is there.
func (a *adjustments) take(key RowKey) adjustment {
	a.matched[key] = true
	return a.sums[key]
}

// unmatched lists what was recorded for keys that no row has.
func (a *adjustments) unmatched() []schemas.UnmatchedAdjustment {
	list := []schemas.UnmatchedAdjustment{}
	for _, r := range a.recorded {
		if a.matched[RowKey{string(r.Kind), r.Key}] {
			continue
		}
		list = append(list, schemas.UnmatchedAdjustment{Kind: r.Kind, Key: r.Key, Points: &schemas.Figure{Units: r.Points, Decimals: 2},
			Veto: r.Veto, Reason: r.Reason, Document: r.Document, Event: r.Event})
	}
	return list
}
