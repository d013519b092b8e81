package bulletin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// anyStanding draws a project whose parts agree with each other.
func anyStanding(t *rapid.T, id string, asOf schemas.Date) schemas.Standing {
	dateOrNone := rapid.OneOf(rapid.Just(schemas.Date(0)), rapid.Custom(func(t *rapid.T) schemas.Date {
		return asOf + schemas.Date(rapid.IntRange(-700, 400).Draw(t, "days"))
	}))
	holder := rapid.SampledFrom([]schemas.Holder{{}, {Lead: "领导甲", Department: "市科技局"}, {Lead: "领导乙", Department: "市科技局"}, {Lead: "领导甲", Department: "市商务局"}})
	s := schemas.Standing{
		ProjectID: id, Name: "项目" + id,
		District:  rapid.SampledFrom([]string{"xiuwu", "wuzhi", "boai", "shanyang", "macun", "city"}).Draw(t, "district"),
		Holder:    holder.Draw(t, "holder"),
		Stage:     rapid.SampledFrom([]schemas.Stage{schemas.StageRegistered, schemas.StageLanded, schemas.StageStarted, schemas.StageProducing}).Draw(t, "stage"),
		Status:    rapid.SampledFrom([]schemas.Status{schemas.StatusCompleted, schemas.StatusSmooth, schemas.StatusSlow, schemas.StatusStalled, schemas.StatusSuspended}).Draw(t, "status"),
		Light:     rapid.SampledFrom([]schemas.Light{schemas.Green, schemas.Yellow, schemas.Red, schemas.NoneOn}).Draw(t, "light"),
		Cancelled: rapid.IntRange(0, 9).Draw(t, "cancelled") == 0, CancelledOn: asOf - 3, CancelReason: "企业撤资",
		TotalInvestment: schemas.Money(rapid.Int64Range(0, int64(schemas.MaxMoney)).Draw(t, "total")),
	}
	if s.Status == schemas.StatusSuspended {
		s.Suspended, s.SuspendedOn, s.Light = true, asOf-schemas.Date(rapid.IntRange(0, 400).Draw(t, "suspended")), schemas.Grey
	}
	for m := range s.Milestones {
		reached := dateOrNone.Draw(t, "reached")
		if reached > asOf {
			reached = 0
		}
		s.Milestones[m] = schemas.MilestoneStanding{Target: dateOrNone.Draw(t, "target"), ReachedOn: reached, ReachedBy: holder.Draw(t, "reached by"),
			OverdueMonths: rapid.IntRange(0, 3).Draw(t, "overdue")}
	}
	s.Investment.Plan = schemas.Money(rapid.Int64Range(-5, 1000).Draw(t, "plan"))
	s.Investment.Plan = max(0, s.Investment.Plan)
	if s.Investment.Known = rapid.Bool().Draw(t, "known"); s.Investment.Known {
		s.Investment.Invested = schemas.Money(rapid.Int64Range(0, 1500).Draw(t, "invested"))
	}
	s.Investment.ReportsDue = rapid.IntRange(0, 12).Draw(t, "due")
	s.Investment.ReportsOnTime = rapid.IntRange(0, s.Investment.ReportsDue).Draw(t, "on time")
	for range 7 {
		s.Method = append(s.Method, schemas.Verdict(rapid.IntRange(0, 2).Draw(t, "verdict")))
	}
	return s
}

func anyLedger(t *rapid.T, asOf schemas.Date) *schemas.Ledger {
	ledger := ledgerOf(asOf)
	for i := range rapid.IntRange(0, 14).Draw(t, "projects") {
		ledger.Standings = append(ledger.Standings, anyStanding(t, fmt.Sprintf("P-%02d", i), asOf))
	}
	return ledger
}

func anyPeriod(t *rapid.T) schemas.Period {
	kind := rapid.SampledFrom([]schemas.PeriodKind{schemas.Week, schemas.MonthOf, schemas.Quarter, schemas.Half, schemas.Year}).Draw(t, "kind")
	return schemas.PeriodContaining(kind, schemas.NewDate(2025, 1, 1)+schemas.Date(rapid.IntRange(0, 500).Draw(t, "day")))
}

func TestCountsAgreeWithEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPeriod(t)
		l := ledgers{p.End: anyLedger(t, p.End), p.Previous().End: anyLedger(t, p.Previous().End)}
		model, err := Build(context.Background(), l, schemas.DefaultRules(), p, 9)
		if err != nil {
			t.Fatal(err)
		}
		whole := sums{}
		whole.add(model.Totals.Projects, model.Milestones, model.Investment)
		byKind := map[string]*sums{counting.DistrictGroup: {}, counting.DepartmentGroup: {}, counting.LeadGroup: {}}
		for _, g := range model.Groups {
			for _, r := range g.Rows {
				byKind[g.Kind].add(r.Projects, r.Milestones, r.Investment)
				checkTallies(t, g.Kind+" "+r.Key, r.Milestones)
				if r.Score != nil && (r.Score.Units < 0 || r.Score.Units > 10000) {
					t.Fatalf("%s scores %s", r.Key, r.Score)
				}
				if r.Rank != nil && (r.Key == counting.Unassigned || r.Projects == 0 || r.Score == nil) {
					t.Fatalf("%s is ranked", r.Key)
				}
			}
			checkRanks(t, g.Rows)
		}
		checkTallies(t, "whole", model.Milestones)
		for kind, got := range byKind {
			if *got != whole {
				t.Fatalf("rows by %s add up to %+v, the whole is %+v", kind, *got, whole)
			}
		}
		s, lights, stages := model.Totals.ByStatus, model.Totals.ByLight, model.Totals.ByStage
		for _, n := range []int{s.Completed + s.Smooth + s.Slow + s.Stalled + s.Suspended, lights.Green + lights.Yellow + lights.Red + lights.Grey + lights.None,
			stages.Registered + stages.Landed + stages.Started + stages.Producing} {
			if n != model.Totals.Projects {
				t.Fatalf("parts of %d projects add up to %d", model.Totals.Projects, n)
			}
		}
		if len(model.Lagging) != s.Slow+s.Stalled {
			t.Fatalf("%d lagging, %d slow, %d stalled", len(model.Lagging), s.Slow, s.Stalled)
		}
		news := model.Milestones.Landed.NewInPeriod + model.Milestones.Started.NewInPeriod + model.Milestones.Producing.NewInPeriod
		if len(model.Reached) != news {
			t.Fatalf("%d reached, %d new in the period", len(model.Reached), news)
		}
	})
}

// dealt shows each row to one of several observers, in an order of its own.
type dealt struct {
	ledgers
	t *rapid.T
}

func (d dealt) Survey(ctx context.Context, cuts []schemas.Cut, observers func() schemas.Observer) ([]*schemas.Ledger, error) {
	list, err := d.Ledgers(ctx, cuts...)
	if err != nil {
		return nil, err
	}
	indexes := func(n int) []int {
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		return list
	}
	hands := []schemas.Observer{observers(), observers(), observers()}
	for i, l := range list {
		for _, k := range rapid.Permutation(indexes(len(l.Standings))).Draw(d.t, "order") {
			s := l.Standings[k].Clone()
			if err := hands[rapid.IntRange(0, 2).Draw(d.t, "hand")](i, &s); err != nil {
				return nil, err
			}
			s.Method[0], s.Milestones = 9, [schemas.MilestoneCount]schemas.MilestoneStanding{} // it holds no longer
		}
	}
	return list, nil
}

func TestManyObserversMakeOneBulletin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPeriod(t)
		l := ledgers{p.End: anyLedger(t, p.End)}
		for _, before := range trendBefore(p) {
			l[before.End] = anyLedger(t, before.End)
		}
		options := []Option{WithDetails()}
		if rapid.Bool().Draw(t, "without details") {
			options = nil
		}
		one, err := NewDraft(context.Background(), l, schemas.DefaultRules(), p, 9, options...)
		if err != nil {
			t.Fatal(err)
		}
		many, err := NewDraft(context.Background(), dealt{l, t}, schemas.DefaultRules(), p, 9, options...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one, many); diff != "" {
			t.Fatal(diff)
		}
	})
}

// sums are the counts that add up over rows.
type sums struct {
	projects   int
	plan       schemas.Money
	invested   schemas.Money
	milestones [schemas.MilestoneCount][7]int
}

func (s *sums) add(projects int, counts schemas.MilestoneCounts, investment schemas.InvestmentCount) {
	s.projects += projects
	s.plan += investment.Plan
	if investment.Invested != nil {
		s.invested += *investment.Invested
	}
	for _, m := range schemas.Milestones() {
		c := counts.Of(m)
		for i, n := range []int{c.DueYear, c.DueToDate, c.Done, c.OnTime, c.Late, c.Judged, c.NewInPeriod} {
			s.milestones[m][i] += n
		}
	}
}

func checkTallies(t *rapid.T, name string, counts schemas.MilestoneCounts) {
	for _, m := range schemas.Milestones() {
		c := counts.Of(m)
		if c.Done != c.OnTime+c.Late || c.DueToDate > c.DueYear || c.Judged > c.DueToDate+c.Done || c.Judged < max(c.DueToDate, c.Done) {
			t.Fatalf("%s, %s: %+v", name, m, *c)
		}
		if (c.RateToDate == nil) != (c.DueToDate == 0) || (c.RateYear == nil) != (c.DueYear == 0) {
			t.Fatalf("%s, %s: rates %s, %s of %+v", name, m, c.RateToDate, c.RateYear, *c)
		}
	}
}

// checkRanks: a rank is one more than the number of better ranked rows.
func checkRanks(t *rapid.T, rows []schemas.RankedRow) {
	for _, r := range rows {
		if r.Rank == nil {
			continue
		}
		better := 0
		for _, o := range rows {
			if o.Rank != nil && o.Score.Units > r.Score.Units {
				better++
			}
		}
		if *r.Rank != better+1 {
			t.Fatalf("%s has rank %d, %d rows are better", r.Key, *r.Rank, better)
		}
	}
}

func TestAnyOrderOfStandingsGivesTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPeriod(t)
		ledger, before := anyLedger(t, p.End), anyLedger(t, p.Previous().End)
		first := marshalled(t, ledgers{p.End: ledger, p.Previous().End: before}, p)
		shuffled := *ledger
		shuffled.Standings = rapid.Permutation(ledger.Standings).Draw(t, "order")
		if second := marshalled(t, ledgers{p.End: &shuffled, p.Previous().End: before}, p); !bytes.Equal(first, second) {
			t.Fatalf("order matters:\n%s\n%s", first, second)
		}
		var read schemas.Bulletin
		if err := json.Unmarshal(first, &read); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(&read); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("read and written again: %v\n%s\n%s", err, first, again)
		}
	})
}

func marshalled(t *rapid.T, l ledgers, p schemas.Period) []byte {
	model, err := Build(context.Background(), l, schemas.DefaultRules(), p, 9)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMovingADeadlineLaterNeverLowersTheScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, 10, 1))
		s := anyStanding(t, "P-1", p.End)
		s.Cancelled, s.Suspended = false, false
		s.Milestones[schemas.Landed] = schemas.MilestoneStanding{Target: p.Start, ReachedOn: p.Start + schemas.Date(rapid.IntRange(-40, 30).Draw(t, "reached"))}
		early := scoreOf(t, p, s)
		s.Milestones[schemas.Landed].Target += schemas.Date(rapid.IntRange(0, 30).Draw(t, "later"))
		if late := scoreOf(t, p, s); early.Cmp(late) > 0 {
			t.Fatalf("%s, with a later target %s", early.FloatString(4), late.FloatString(4))
		}
	})
}

func scoreOf(t *rapid.T, p schemas.Period, s schemas.Standing) *big.Rat {
	rules := schemas.DefaultRules()
	counts, err := counting.Count(ledgerOf(p.End, s), rules, p)
	if err != nil {
		t.Fatal(err)
	}
	return counting.Score(counts.Whole.Items(rules.Weights))
}

func BenchmarkBuild100000(b *testing.B) {
	p := schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, 10, 1))
	big := func(asOf schemas.Date) *schemas.Ledger {
		ledger := ledgerOf(asOf)
		districts := []string{"xiuwu", "wuzhi", "boai", "shanyang"}
		for i := range 100_000 {
			s := standing(fmt.Sprintf("P-%06d", i), districts[i%4], nil)
			s.Holder = schemas.Holder{Lead: fmt.Sprintf("领导%d", i%40), Department: fmt.Sprintf("部门%d", i%60)}
			for m := range s.Milestones {
				s.Milestones[m] = schemas.MilestoneStanding{Target: asOf - 300 + schemas.Date(i%900), ReachedBy: s.Holder}
				if i%3 == 0 {
					s.Milestones[m].ReachedOn = asOf - schemas.Date(i%365)
				}
			}
			if i%4 == 0 {
				s.Status, s.Light = schemas.StatusSlow, schemas.Red
			}
			s.Investment = schemas.InvestmentStanding{Plan: schemas.Money(i), Invested: schemas.Money(i / 2), Known: i%5 > 0, ReportsDue: 10, ReportsOnTime: i % 10}
			ledger.Standings = append(ledger.Standings, s)
		}
		return ledger
	}
	l := ledgers{p.End: big(p.End), p.Previous().End: big(p.Previous().End)}
	for b.Loop() {
		if _, err := Build(context.Background(), l, schemas.DefaultRules(), p, 9); err != nil {
			b.Fatal(err)
		}
	}
}
