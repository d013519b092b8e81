// Package bulletin builds the model of a 通报 from the ledger: what the
// specification's §6, §8 and §9 count, score, rank and list. It is a pure
// function of the ledger, the rules and the period.
package bulletin

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"milepost/schemas"
)

// Reader gives the ledgers of cuts (the specification, §4 and item 6 of §7). Their
// names of districts, departments and leads are already those of the rules'
// directory.
type Reader interface {
	// Survey shows the rows of the ledgers of cuts that share one KnownSeq, in any
	// order, to observers, each of which is used by one goroutine, and gives the
	// ledgers without their rows.
	Survey(ctx context.Context, cuts []schemas.Cut, observers func() schemas.Observer) ([]*schemas.Ledger, error)
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
	restated  map[string]bool // projects that restatements are about
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
	var restatements []schemas.Restatement
	if o.published != nil {
		now, err := o.rebuild(ctx)
		if err != nil {
			return nil, fmt.Errorf("bulletin %s: building the published %s again: %w", period, o.published.Period, err)
		}
		if restatements, err = Restate(o.published, now); err != nil {
			return nil, fmt.Errorf("bulletin %s: %w", period, err)
		}
		o.restated = segmentsOf(restatements)
	}
	before := period.Previous()
	sameYear := before.End.Year() == period.End.Year()
	periods := []schemas.Period{period}
	switch {
	case o.details:
		periods = append(periods, trendBefore(period)...)
	case sameYear:
		periods = append(periods, before)
	}
	cuts := make([]schemas.Cut, len(periods))
	for i, p := range periods {
		cuts[i] = schemas.BulletinCut(p, known)
	}
	var mu sync.Mutex
	var parts []*survey
	ledgers, err := r.Survey(ctx, cuts, func() schemas.Observer {
		part := newSurvey(rules, periods, &o)
		mu.Lock()
		defer mu.Unlock()
		parts = append(parts, part)
		return part.observe
	})
	if err != nil {
		return nil, fmt.Errorf("ledger as of %s: %w", period.End, err)
	}
	all := newSurvey(rules, periods, &o)
	for _, part := range parts {
		all.merge(part)
	}
	ledger, counts := ledgers[0], all.counters[0].Counts()
	model := &schemas.Bulletin{
		Kind: period.Kind, Period: period.String(), PeriodStart: period.Start, PeriodEnd: period.End,
		ReportingMonth: ledger.ReportingMonth, KnownSeq: ledger.KnownSeq, Title: Title(period),
		Milestones: counts.Whole.MilestoneCounts(), Investment: counts.Whole.Investment(ledger.ReportingMonth),
		Groups: rankedGroups(counts, rules, ledger.ReportingMonth), Restatements: restatements,
	}
	if restatements == nil {
		model.Restatements = []schemas.Restatement{}
	}
	all.digest.fill(model, ledger.Quality, counts.Whole)
	if sameYear {
		setRankChanges(model.Groups, rankedGroups(all.counters[1].Counts(), rules, ledgers[1].ReportingMonth))
	}
	draft := &Draft{Model: model, Projects: all.digest.projects}
	if o.details {
		draft.Details = all.details(model, ledgers, periods)
	}
	return draft, nil
}

// segmentsOf gives the segments of the paths; some of them are projects.
func segmentsOf(restatements []schemas.Restatement) map[string]bool {
	segments := map[string]bool{}
	for _, r := range restatements {
		for segment := range strings.SplitSeq(r.Path, "/") {
			segments[segment] = true
		}
	}
	return segments
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
