package pages

import (
	"context"

	"milepost/schemas"
)

// boardFigures are what the board shows of a ledger. They are the same for
// whoever asks, and made once.
type boardFigures struct {
	Projects   int
	Total      schemas.Money
	Cancelled  int
	Unreported int
	Open       int
	Overdue    int
	counts     Counts
	byStatus   map[schemas.Status]int
	byStage    map[schemas.Stage]int
	byLight    map[string]map[schemas.Light]int // by district
	due        []due                            // the nearest first, at most maxListed
	allDue     int
	ranks      []schemas.RankedGroup // of the reporting month
	ranksOf    string
}

// due is a milestone that is due soon.
type due struct {
	row       int // in the ledger
	milestone schemas.Milestone
}

// countBoard counts the ledger, and takes the rankings of its reporting month
// from the month's bulletin, of which nothing else is kept.
func (p *Pages) countBoard(ctx context.Context, s *snapshot) (*boardFigures, error) {
	counts, err := p.Figures.Count(s.ledger)
	if err != nil {
		return nil, err
	}
	model, err := p.Figures.Model(ctx, schemas.PeriodContaining(schemas.MonthOf, s.ledger.ReportingMonth.First()), s.known)
	if err != nil {
		return nil, err
	}
	b := &boardFigures{counts: counts, ranks: model.Groups, ranksOf: model.Period}
	b.count(s.ledger)
	return b, nil
}

// count fills the totals, the lights and what is due.
func (b *boardFigures) count(l *schemas.Ledger) {
	b.byStatus, b.byStage, b.byLight = map[schemas.Status]int{}, map[schemas.Stage]int{}, map[string]map[schemas.Light]int{}
	var nearest [dueDays + 1][]due // by how many days ahead; each is in the ledger's order
	for i := range l.Standings {
		s := &l.Standings[i]
		if s.Cancelled {
			b.Cancelled++
			continue
		}
		b.Projects++
		b.Total += s.TotalInvestment
		b.Open += s.OpenIssues()
		b.Overdue += s.OverdueIssues(l.AsOf)
		if s.Investment.Unreported {
			b.Unreported++
		}
		b.byStatus[s.Status]++
		b.byStage[s.Stage]++
		if b.byLight[s.District] == nil {
			b.byLight[s.District] = map[schemas.Light]int{}
		}
		b.byLight[s.District][s.Light]++
		if s.Suspended {
			continue
		}
		for _, m := range schemas.Milestones() {
			ms := &s.Milestones[m]
			if days := int(ms.Target - l.AsOf); ms.ReachedOn == 0 && ms.Target != 0 && days > 0 && days <= dueDays {
				if b.allDue++; len(nearest[days]) < maxListed {
					nearest[days] = append(nearest[days], due{i, m})
				}
			}
		}
	}
	for _, those := range nearest {
		b.due = append(b.due, those[:min(len(those), maxListed-len(b.due))]...)
	}
}
