package counting

import (
	"cmp"
	"math/big"
	"slices"

	"milepost/schemas"
)

// The items of a score that are no milestone.
const (
	LedgerItem     = "ledger"
	InvestmentItem = "investment"
)

// Item is one of the five items of a score (§8), exact. Fraction is not always
// Numerator ÷ Divisor: investment is capped at 1, and without reports due the
// ledger is the mean completeness.
type Item struct {
	Key                string
	Weight             int
	Numerator, Divisor *big.Rat
	Fraction           *big.Rat // nil: not applicable
	Points             *big.Rat // of the 100; nil: not applicable
}

// Items gives the five items in the order of §8, with the points that they
// bring.
func (t *Tally) Items(w schemas.Weights) []Item {
	items := make([]Item, 0, schemas.MilestoneCount+2)
	for _, m := range schemas.Milestones() {
		c := &t.Milestones[m]
		items = append(items, Item{Key: m.String(), Weight: w.Milestones[m], Numerator: big.NewRat(int64(c.OnTime+c.Done), 2), Divisor: whole(c.Judged), Fraction: c.fraction()})
	}
	kept := new(big.Rat)
	if mean := t.mean(); mean != nil {
		kept.Mul(mean, whole(t.ReportsOnTime))
	}
	items = append(items,
		Item{Key: LedgerItem, Weight: w.Ledger, Numerator: kept, Divisor: whole(t.ReportsDue), Fraction: t.ledgerFraction()},
		Item{Key: InvestmentItem, Weight: w.Investment, Numerator: wan(t.Invested), Divisor: wan(t.Plan), Fraction: t.investmentFraction()})
	weights := 0
	for i := range items {
		if items[i].Fraction != nil {
			weights += items[i].Weight
		}
	}
	for i := range items {
		if item := &items[i]; item.Fraction != nil && weights > 0 {
			item.Points = new(big.Rat).Mul(item.Fraction, big.NewRat(int64(100*item.Weight), int64(weights)))
		}
	}
	return items
}

// Score adds the points of the items, from 0 to 100; nil when nothing applies.
func Score(items []Item) *big.Rat {
	var score *big.Rat
	for i := range items {
		if items[i].Points == nil {
			continue
		}
		if score == nil {
			score = new(big.Rat)
		}
		score.Add(score, items[i].Points)
	}
	return score
}

func whole(n int) *big.Rat { return big.NewRat(int64(n), 1) }

func wan(m schemas.Money) *big.Rat { return big.NewRat(int64(m), 100) }

// fraction is (on_time + ½·late) ÷ judged.
func (t *MilestoneTally) fraction() *big.Rat {
	if t.Judged == 0 {
		return nil
	}
	return big.NewRat(int64(t.OnTime+t.Done), int64(2*t.Judged))
}

// ledgerFraction is the mean completeness × reports on time ÷ reports due.
func (t *Tally) ledgerFraction() *big.Rat {
	mean := t.mean()
	if mean == nil || t.ReportsDue == 0 {
		return mean
	}
	return mean.Mul(mean, big.NewRat(int64(t.ReportsOnTime), int64(t.ReportsDue)))
}

func (t *Tally) investmentFraction() *big.Rat {
	rate, one := t.Rate(), whole(1)
	if rate != nil && rate.Cmp(one) > 0 {
		return one
	}
	return rate
}

// Ranks numbers the figures, descending: equal figures share a rank (1, 2, 2,
// 4). A nil figure has none.
func Ranks(figures []*schemas.Figure) []*int {
	ranks := make([]*int, len(figures))
	var order []int
	for i, f := range figures {
		if f != nil {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(figures[b].Units, figures[a].Units) })
	for n, i := range order {
		place := n + 1
		if n > 0 && figures[i].Units == figures[order[n-1]].Units {
			place = *ranks[order[n-1]]
		}
		ranks[i] = &place
	}
	return ranks
}
