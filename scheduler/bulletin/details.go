package bulletin

import (
	"slices"
	"strings"

	"milepost/scheduler/counting"
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

// trendCuts are the cuts of the periods of the year before the given one, the
// latest first. The first is there even when it ended in another year: it is
// the one that lights are compared with.
func trendCuts(period schemas.Period, known uint64) (periods []schemas.Period, cuts []schemas.Cut) {
	for p := period.Previous(); len(periods) == 0 || p.End.Year() == period.End.Year() && len(periods) < trendPeriods-1; p = p.Previous() {
		periods, cuts = append(periods, p), append(cuts, schemas.BulletinCut(p, known))
	}
	return periods, cuts
}

// fillDetails fills the draft's Details. The ledgers are that of the period and
// those of the periods before.
func (d *Draft) fillDetails(rules *schemas.Rules, ledgers []*schemas.Ledger, before []schemas.Period) error {
	d.Details = &Details{Ledger: ledgers[0]}
	for i, p := range before {
		earlier := ledgers[i+1]
		if i == 0 {
			d.Details.Before = earlier
		}
		if p.End.Year() != d.Model.PeriodEnd.Year() {
			continue
		}
		counts, err := counting.Count(earlier, rules, p)
		if err != nil {
			return err
		}
		var totals schemas.Bulletin
		fillTotals(&totals, earlier)
		d.Details.Trend = append(d.Details.Trend, TrendPoint{Period: p, Milestones: counts.Whole.MilestoneCounts(),
			Investment: counts.Whole.Investment(earlier.ReportingMonth), Lights: totals.Totals.ByLight})
	}
	slices.Reverse(d.Details.Trend)
	period := schemas.PeriodContaining(d.Model.Kind, d.Model.PeriodEnd)
	d.Details.Trend = append(d.Details.Trend, TrendPoint{Period: period, Milestones: d.Model.Milestones, Investment: d.Model.Investment, Lights: d.Model.Totals.ByLight})
	return nil
}
