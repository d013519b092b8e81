package bulletin

import (
	"slices"
	"strings"

	"milepost/schemas"
)

// trendPeriods bounds how many periods a trend goes back.
const trendPeriods = 12

// Details is what printed editions show beside the model: the projects behind
// its lists, what changed since the period before, and the way up to now.
type Details struct {
	// Ledger is the ledger at the period's end, by project id.
	Ledger *schemas.Ledger
	// Before is the ledger at the end of the period before.
	Before *schemas.Ledger
	// Trend are the periods of the year up to this one, the last ones when they
	// are many. All are seen at the same S, so that they can be compared.
	Trend []TrendPoint
}

// TrendPoint is one period of a trend.
type TrendPoint struct {
	Period     schemas.Period
	Milestones schemas.MilestoneCounts
	Investment schemas.InvestmentCount
	Lights     schemas.LightCounts
}

// Standing gives the project at the period's end; nil when the ledger has none.
func (d *Details) Standing(id string) *schemas.Standing { return projectOf(d.Ledger, id) }

// Earlier gives the project at the end of the period before; nil when the
// ledger of that day had none.
func (d *Details) Earlier(id string) *schemas.Standing { return projectOf(d.Before, id) }

func projectOf(ledger *schemas.Ledger, id string) *schemas.Standing {
	if ledger == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(ledger.Standings, id, func(s schemas.Standing, id string) int { return strings.Compare(s.ProjectID, id) })
	if !found {
		return nil
	}
	return &ledger.Standings[i]
}

// WithDetails also gives the draft its Details; the ledgers that they need are
// read together with those of the model.
func WithDetails() Option { return func(o *options) { o.details = true } }

// trendBefore are the periods of the year before the given one, the latest
// first. The first is there even when it ended in another year: it is the one
// that lights are compared with.
func trendBefore(period schemas.Period) []schemas.Period {
	var periods []schemas.Period
	for p := period.Previous(); len(periods) == 0 || p.End.Year() == period.End.Year() && len(periods) < trendPeriods-1; p = p.Previous() {
		periods = append(periods, p)
	}
	return periods
}

// heldLedgers are those that details hold: that of the period and that of the
// period before.
const heldLedgers = 2

// details gives a draft's Details; the periods are that of the model and those
// before.
func (s *survey) details(model *schemas.Bulletin, ledgers []*schemas.Ledger, periods []schemas.Period) *Details {
	d := &Details{Ledger: s.ledger(0, ledgers[0]), Before: s.ledger(1, ledgers[1])}
	for i, p := range periods[1:] {
		if p.End.Year() != model.PeriodEnd.Year() {
			continue
		}
		whole := s.counters[i+1].Counts().Whole
		d.Trend = append(d.Trend, TrendPoint{Period: p, Milestones: whole.MilestoneCounts(),
			Investment: whole.Investment(ledgers[i+1].ReportingMonth), Lights: s.lights[i+1].ByLight})
	}
	slices.Reverse(d.Trend)
	d.Trend = append(d.Trend, TrendPoint{Period: periods[0], Milestones: model.Milestones, Investment: model.Investment, Lights: model.Totals.ByLight})
	return d
}
