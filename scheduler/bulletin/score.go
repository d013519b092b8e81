package bulletin

import (
	"cmp"
	"math/big"
	"slices"

	"milepost/schemas"
)

// score gives the exact points of a row from 0 to 100, nil when nothing applies
// (the specification, §8).
func (t *tally) score(w schemas.Weights) *big.Rat {
	points, weights := new(big.Rat), int64(0)
	apply := func(weight int, fraction *big.Rat) {
		if fraction == nil || weight == 0 {
			return
		}
		weights += int64(weight)
		points.Add(points, new(big.Rat).Mul(fraction, big.NewRat(int64(weight), 1)))
	}
	for _, m := range schemas.Milestones() {
		apply(w.Milestones[m], t.milestones[m].fraction())
	}
	apply(w.Ledger, t.ledgerFraction())
	apply(w.Investment, t.investmentFraction())
	if weights == 0 {
		return nil
	}
	return points.Mul(points, big.NewRat(100, weights))
}

// fraction is (on_time + ½·late) ÷ judged.
func (t *milestoneTally) fraction() *big.Rat {
	if t.judged == 0 {
		return nil
	}
	return big.NewRat(int64(t.onTime+t.done), int64(2*t.judged))
}

// ledgerFraction is the mean completeness × reports on time ÷ reports due.
func (t *tally) ledgerFraction() *big.Rat {
	completeness := t.completeness()
	if completeness == nil || t.reportsDue == 0 {
		return completeness
	}
	return completeness.Mul(completeness, big.NewRat(int64(t.reportsOnTime), int64(t.reportsDue)))
}

func (t *tally) investmentFraction() *big.Rat {
	rate, whole := t.rate(), big.NewRat(1, 1)
	if rate != nil && rate.Cmp(whole) > 0 {
		return whole
	}
	return rate
}

// rank numbers the rows by score, descending: equal rounded scores share a
// rank (1, 2, 2, 4). Rows without a score, without projects or without a
// holder have none.
func rank(rows []schemas.RankedRow) {
	var ranked []*schemas.RankedRow
	for i := range rows {
		if r := &rows[i]; r.Score != nil && r.Projects > 0 && r.Key != Unassigned {
			ranked = append(ranked, r)
		}
	}
	slices.SortStableFunc(ranked, func(a, b *schemas.RankedRow) int { return cmp.Compare(b.Score.Units, a.Score.Units) })
	for i, r := range ranked {
		place := i + 1
		if i > 0 && r.Score.Units == ranked[i-1].Score.Units {
			place = *ranked[i-1].Rank
		}
		r.Rank = &place
	}
}

// setRankChanges compares with the groups of one period before.
func setRankChanges(groups, before []schemas.RankedGroup) {
	type place struct{ group, key string }
	ranks := map[place]int{}
	for i := range before {
		for _, r := range before[i].Rows {
			if r.Rank != nil {
				ranks[place{groupPath(&before[i]), r.Key}] = *r.Rank
			}
		}
	}
	for i := range groups {
		rows := groups[i].Rows
		for j := range rows {
			old, ok := ranks[place{groupPath(&groups[i]), rows[j].Key}]
			if ok && rows[j].Rank != nil {
				change := old - *rows[j].Rank
				rows[j].RankChange = &change
			}
		}
	}
}
