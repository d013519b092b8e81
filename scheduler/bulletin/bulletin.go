// Package bulletin builds the model of a 通报 from the ledger: what the
// specification's §6, §8 and §9 count, score, rank and list. It is a pure
// function of the ledger, the rules and the period.
package bulletin

import (
	"context"
	"fmt"
	"strings"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// Reader gives the ledger of a cut (the specification, §4 and item 6 of §7). Its
// names of districts, departments and leads are already those of the rules'
// directory.
type Reader interface {
	// Ledgers gives the ledgers of cuts that share one KnownSeq.
	Ledgers(ctx context.Context, cuts ...schemas.Cut) ([]*schemas.Ledger, error)
}

// Draft is a bulletin without a number, with the names that its lists of bare
// project ids need in print.
type Draft struct {
	Model *schemas.Bulletin
	// Projects names the projects of Unreported, OutOfOrder and NoPlan, and those
	// that restatements are about.
	Projects map[string]string
	// Details is nil unless WithDetails asks for it.
	Details *Details
}

// Option adds to what Build makes.
type Option func(*options)

type options struct {
	published *schemas.Bulletin
	rebuild   func(context.Context) (*schemas.Bulletin, error)
	details   bool
}

// ComparedWith fills the restatements: published is the latest published model
// of the kind, and rebuild gives the same period at the present S with the rule
// set, districts and directory that published was made with (the specification,
// §9).
func ComparedWith(published *schemas.Bulletin, rebuild func(context.Context) (*schemas.Bulletin, error)) Option {
	return func(o *options) { o.published, o.rebuild = published, rebuild }
}

// Build makes the model of the period at S = known. Equal ledgers give equal
// bytes of JSON, in whatever order their standings come.
func Build(ctx context.Context, r Reader, rules *schemas.Rules, period schemas.Period, known uint64, opts ...Option) (*schemas.Bulletin, error) {
	draft, err := NewDraft(ctx, r, rules, period, known, opts...)
	if err != nil {
		return nil, err
	}
	return draft.Model, nil
}

// NewDraft is Build with the names that the printed editions need.
func NewDraft(ctx context.Context, r Reader, rules *schemas.Rules, period schemas.Period, known uint64, opts ...Option) (*Draft, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	cuts := []schemas.Cut{schemas.BulletinCut(period, known)}
	before := period.Previous()
	var earlierPeriods []schemas.Period
	if o.details {
		var earlierCuts []schemas.Cut
		earlierPeriods, earlierCuts = trendCuts(period, known)
		cuts = append(cuts, earlierCuts...)
	} else if before.End.Year() == period.End.Year() {
		cuts = append(cuts, schemas.BulletinCut(before, known))
	}
	ledgers, err := r.Ledgers(ctx, cuts...)
	if err != nil {
		return nil, fmt.Errorf("ledger as of %s: %w", period.End, err)
	}
	ledger := ledgers[0]
	counts, err := counting.Count(ledger, rules, period)
	if err != nil {
		return nil, err
	}
	model := &schemas.Bulletin{
		Kind: period.Kind, Period: period.String(), PeriodStart: period.Start, PeriodEnd: period.End,
		ReportingMonth: ledger.ReportingMonth, KnownSeq: ledger.KnownSeq, Title: Title(period),
		Milestones: counts.Whole.MilestoneCounts(), Investment: counts.Whole.Investment(ledger.ReportingMonth),
		Groups: rankedGroups(counts, rules, ledger.ReportingMonth), Restatements: []schemas.Restatement{},
	}
	draft := &Draft{Model: model, Projects: map[string]string{}}
	fillTotals(model, ledger)
	fillLists(draft, ledger, period)
	fillMethod(model, rules, ledger, counts.Whole)

	if before.End.Year() == period.End.Year() {
		earlier := ledgers[1]
		earlierCounts, err := counting.Count(earlier, rules, before)
		if err != nil {
			return nil, err
		}
		setRankChanges(model.Groups, rankedGroups(earlierCounts, rules, earlier.ReportingMonth))
	}
	if o.published != nil {
		now, err := o.rebuild(ctx)
		if err != nil {
			return nil, fmt.Errorf("bulletin %s: building the published %s again: %w", period, o.published.Period, err)
		}
		if model.Restatements, err = Restate(o.published, now); err != nil {
			return nil, fmt.Errorf("bulletin %s: %w", period, err)
		}
		draft.nameRestated(ledger)
	}
	if o.details {
		if err := draft.fillDetails(rules, ledgers, earlierPeriods); err != nil {
			return nil, err
		}
	}
	return draft, nil
}

// nameRestated names the projects in the paths of the restatements.
func (d *Draft) nameRestated(ledger *schemas.Ledger) {
	segments := map[string]bool{}
	for _, r := range d.Model.Restatements {
		for segment := range strings.SplitSeq(r.Path, "/") {
			segments[segment] = true
		}
	}
	for i := range ledger.Standings {
		if s := &ledger.Standings[i]; segments[s.ProjectID] {
			d.Projects[s.ProjectID] = s.Name
		}
	}
}

// Title names the period's bulletin, such as 2025年10月重大项目进展情况通报.
func Title(period schemas.Period) string {
	return PeriodName(period) + "重大项目进展情况通报"
}

// PeriodName says a period in Chinese: 2025年第23周, 2025年10月, 2025年第三季度,
// 2025年上半年, 2025年度.
func PeriodName(period schemas.Period) string {
	month := period.Start.Month()
	switch period.Kind {
	case schemas.Week:
		year, week := period.Start.Time().ISOWeek()
		return fmt.Sprintf("%d年第%d周", year, week)
	case schemas.Quarter:
		return fmt.Sprintf("%d年第%s季度", month.Year(), [...]string{"一", "二", "三", "四"}[(month.Number()-1)/3])
	case schemas.Half:
		return fmt.Sprintf("%d年%s半年", month.Year(), [...]string{"上", "下"}[(month.Number()-1)/6])
	case schemas.Year:
		return fmt.Sprintf("%d年度", month.Year())
	}
	return fmt.Sprintf("%d年%d月", month.Year(), month.Number())
}
