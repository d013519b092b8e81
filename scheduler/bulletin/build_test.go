package bulletin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// ledgers by day are a Reader for tests; item 6 of a bulletin sees no edition of
// its own period, so the bound lies before the last day.
type ledgers map[schemas.Date]*schemas.Ledger

func (l ledgers) Ledgers(_ context.Context, cuts ...schemas.Cut) ([]*schemas.Ledger, error) {
	var list []*schemas.Ledger
	for _, cut := range cuts {
		ledger, ok := l[cut.AsOf]
		if !ok || cut.EditionsBefore >= cut.AsOf {
			return nil, fmt.Errorf("no ledger of %+v", cut)
		}
		list = append(list, ledger)
	}
	return list, nil
}

func (l ledgers) Survey(ctx context.Context, cuts []schemas.Cut, observers func() schemas.Observer) ([]*schemas.Ledger, error) {
	list, err := l.Ledgers(ctx, cuts...)
	if err != nil {
		return nil, err
	}
	return list, schemas.Observe(list, observers())
}

func day(s string) schemas.Date {
	if s == "" {
		return 0
	}
	d, err := schemas.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func periodOf(t testing.TB, s string) schemas.Period {
	t.Helper()
	p, err := schemas.ParsePeriod(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// standing is a project with nothing planned and every item satisfied.
func standing(id, district string, change func(*schemas.Standing)) schemas.Standing {
	s := schemas.Standing{
		ProjectID: id, Name: "项目" + id, District: district, RegisteredOn: day("2024-03-01"),
		Stage: schemas.StageRegistered, Status: schemas.StatusSmooth, Light: schemas.NoneOn,
		Holder: schemas.Holder{Lead: "领导甲", Department: "市科技局"},
		Method: slices.Repeat([]schemas.Verdict{schemas.Satisfied}, 7),
	}
	if change != nil {
		change(&s)
	}
	return s
}

func ledgerOf(asOf schemas.Date, standings ...schemas.Standing) *schemas.Ledger {
	return &schemas.Ledger{AsOf: asOf, KnownSeq: 9, ReportingMonth: schemas.DefaultRules().ReportingMonth(asOf), Standings: standings}
}

// build makes the model of a period from standings; the period before is empty.
func build(t testing.TB, period string, standings ...schemas.Standing) *schemas.Bulletin {
	t.Helper()
	p := periodOf(t, period)
	l := ledgers{p.End: ledgerOf(p.End, standings...), p.Previous().End: ledgerOf(p.Previous().End)}
	model, err := Build(context.Background(), l, schemas.DefaultRules(), p, 9)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func rowOf(t testing.TB, model *schemas.Bulletin, kind, key string) schemas.RankedRow {
	t.Helper()
	for _, g := range model.Groups {
		for _, r := range g.Rows {
			if g.Kind == kind && r.Key == key {
				return r
			}
		}
	}
	t.Fatalf("no %s row %s", kind, key)
	return schemas.RankedRow{}
}

func TestNewInPeriodOfAWeekThatStartsInTheYearBefore(t *testing.T) {
	model := build(t, "2026-W01", standing("P-1", "xiuwu", func(s *schemas.Standing) {
		s.Milestones[schemas.Landed] = schemas.MilestoneStanding{Target: day("2025-12-30"), ReachedOn: day("2025-12-30")}
	}))
	if got := model.Milestones.Landed; got.NewInPeriod != 1 || got.Done != 0 || got.DueYear != 0 {
		t.Errorf("got %+v", got)
	}
	if len(model.Reached) != 1 {
		t.Errorf("reached: %v", model.Reached)
	}
}

func TestInvestmentOfASet(t *testing.T) {
	invests := func(plan, invested int64, known bool) func(*schemas.Standing) {
		return func(s *schemas.Standing) {
			s.Investment = schemas.InvestmentStanding{Plan: schemas.MoneyFromWan(plan), Invested: schemas.MoneyFromWan(invested), Known: known}
		}
	}
	suspended := standing("P-3", "xiuwu", invests(500, 400, true))
	suspended.Suspended, suspended.SuspendedOn = true, day("2025-02-01")
	model := build(t, "2025-06", standing("P-1", "xiuwu", invests(100, 60, true)), standing("P-2", "xiuwu", invests(100, 0, false)),
		suspended, standing("P-4", "wuzhi", invests(0, 70, true)), standing("P-5", "boai", invests(80, 0, false)))
	if got := model.Investment; got.Plan != schemas.MoneyFromWan(280) || *got.Invested != schemas.MoneyFromWan(60) || got.Rate.String() != "21.4" || got.VsTime.String() != "-28.6" {
		t.Errorf("whole: %+v rate %s vs %s", got, got.Rate, got.VsTime)
	}
	// Without a plan neither rate nor points; time progress is known all the same.
	if got := rowOf(t, model, counting.DistrictGroup, "wuzhi").Investment; got.Invested != nil || got.Rate != nil || got.VsTime != nil || got.TimeProgress.String() != "50.0" {
		t.Errorf("no plan: %+v", got)
	}
	// Not reporting does not pay: null invested, but a rate of 0.
	if got := rowOf(t, model, counting.DistrictGroup, "boai").Investment; got.Invested != nil || got.Rate.String() != "0.0" || got.VsTime.String() != "-50.0" {
		t.Errorf("not reported: %+v", got)
	}
	if diff := cmp.Diff([]string{"P-4"}, model.DataQuality.NoPlan); diff != "" {
		t.Error(diff)
	}
}

func TestRowsOfHolders(t *testing.T) {
	now := schemas.Holder{Lead: "领导乙", Department: "市商务局"}
	model := build(t, "2025-10", standing("P-1", "xiuwu", func(s *schemas.Standing) {
		s.Holder = now
		s.Milestones[schemas.Landed] = schemas.MilestoneStanding{Target: day("2025-02-01"), ReachedOn: day("2025-02-01"),
			ReachedBy: schemas.Holder{Lead: "领导甲", Department: "市科技局"}}
		s.Milestones[schemas.Started] = schemas.MilestoneStanding{Target: day("2025-05-01"), ReachedOn: day("2025-06-01")} // nobody held it
		s.Milestones[schemas.Producing] = schemas.MilestoneStanding{Target: day("2025-09-01")}
		s.Investment = schemas.InvestmentStanding{Plan: 100, Invested: 50, Known: true, ReportsDue: 10, ReportsOnTime: 5}
	}))
	before, after, nobody := rowOf(t, model, counting.DepartmentGroup, "市科技局"), rowOf(t, model, counting.DepartmentGroup, "市商务局"), rowOf(t, model, counting.DepartmentGroup, counting.Unassigned)
	if before.Projects != 0 || before.Milestones.Landed.OnTime != 1 || before.ReportsDue != 0 || before.Completeness != nil {
		t.Errorf("holder on R: %+v", before)
	}
	if before.Score.String() != "100.00" || before.Rank != nil {
		t.Errorf("a row without projects has a score but no rank: %s, %v", before.Score, before.Rank)
	}
	if after.Projects != 1 || after.Milestones.Landed.Judged != 0 || after.Milestones.Producing.Judged != 1 || after.ReportsDue != 10 {
		t.Errorf("holder on E: %+v", after)
	}
	// (20·0 + 10·1·½ + 10·½) ÷ 40
	if after.Score.String() != "25.00" || *after.Rank != 1 {
		t.Errorf("score %s rank %v", after.Score, after.Rank)
	}
	if nobody.Name != counting.UnassignedName || nobody.Projects != 0 || nobody.Milestones.Started.Late != 1 || nobody.Rank != nil {
		t.Errorf("nobody: %+v", nobody)
	}
	var order []string
	for _, g := range model.Groups {
		order = append(order, groupPath(&g))
	}
	if diff := cmp.Diff([]string{"district/county", "department", "lead"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestDistrictsThatNoGroupHoldsStandLast(t *testing.T) {
	model := build(t, "2025-10", standing("P-1", schemas.CityDistrict, nil), standing("P-2", "shanyang", nil), standing("P-3", "gone", nil))
	var order []string
	for _, g := range model.Groups[:2] {
		for _, r := range g.Rows {
			order = append(order, groupPath(&g)+"/"+r.Key)
		}
	}
	if diff := cmp.Diff([]string{"district/urban/shanyang", "district/city", "district/gone"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestRankChange(t *testing.T) {
	lands := func(id, district, on string) schemas.Standing {
		return standing(id, district, func(s *schemas.Standing) {
			s.Milestones[schemas.Landed] = schemas.MilestoneStanding{Target: day("2025-02-01"), ReachedOn: day(on)}
		})
	}
	feb, jan := periodOf(t, "2025-02"), periodOf(t, "2025-01")
	l := ledgers{
		feb.End: ledgerOf(feb.End, lands("P-1", "xiuwu", "2025-02-01"), lands("P-2", "boai", ""), lands("P-3", "wuzhi", "2025-02-02")),
		jan.End: ledgerOf(jan.End, lands("P-1", "xiuwu", ""), lands("P-2", "boai", "2025-01-05")),
	}
	model, err := Build(context.Background(), l, schemas.DefaultRules(), feb, 9)
	if err != nil {
		t.Fatal(err)
	}
	// In January xiuwu had nothing judged and scored by its ledger alone: both were first.
	if got := rowOf(t, model, counting.DistrictGroup, "xiuwu"); *got.Rank != 1 || *got.RankChange != 0 {
		t.Errorf("xiuwu %d %d", *got.Rank, *got.RankChange)
	}
	if got := rowOf(t, model, counting.DistrictGroup, "boai"); *got.Rank != 3 || *got.RankChange != -2 {
		t.Errorf("boai %d %d", *got.Rank, *got.RankChange)
	}
	if got := rowOf(t, model, counting.DistrictGroup, "wuzhi"); *got.Rank != 2 || got.RankChange != nil {
		t.Errorf("wuzhi is new, its change is not known: %v", got.RankChange)
	}
	// The period before January ends in another year: it is not even read.
	model, err = Build(context.Background(), ledgers{jan.End: l[jan.End]}, schemas.DefaultRules(), jan, 9)
	if err != nil {
		t.Fatal(err)
	}
	if got := rowOf(t, model, counting.DistrictGroup, "boai"); got.RankChange != nil {
		t.Errorf("change over the year's end: %d", *got.RankChange)
	}
}

func TestLists(t *testing.T) {
	lag := func(id string, light schemas.Light, lateDays int, late bool) schemas.Standing {
		return standing(id, "xiuwu", func(s *schemas.Standing) {
			s.Status, s.Light = schemas.StatusSlow, light
			s.Milestones[schemas.Started] = schemas.MilestoneStanding{Target: day("2025-01-01"), Forecast: day("2026-01-01"), LateDays: lateDays, Late: late, OverdueMonths: 2}
			s.Milestones[schemas.Producing] = schemas.MilestoneStanding{Target: day("2025-01-01"), OverdueMonths: 2}
		})
	}
	plan := func(id string, m schemas.Milestone, target string) schemas.Standing {
		return standing(id, "xiuwu", func(s *schemas.Standing) { s.Milestones[m].Target = day(target) })
	}
	suspended := plan("P-9", schemas.Landed, "2025-11-10")
	suspended.Suspended, suspended.SuspendedOn = true, day("2025-01-01")
	stalled := standing("P-4", "xiuwu", func(s *schemas.Standing) {
		s.Status, s.Light, s.StalledMonths = schemas.StatusStalled, schemas.Green, 4
	})
	cancelled := standing("P-8", "xiuwu", func(s *schemas.Standing) {
		s.Cancelled, s.CancelledOn, s.CancelReason = true, day("2025-03-01"), "企业撤资"
		s.Investment.Unreported, s.OutOfOrder = true, true
	})
	longAgo := standing("P-7", "xiuwu", func(s *schemas.Standing) { s.Cancelled, s.CancelledOn = true, day("2024-03-01") })
	issues := standing("P-6", "xiuwu", func(s *schemas.Standing) {
		s.Issues = []schemas.IssueStanding{
			{RaisedOn: day("2025-10-01"), DueOn: day("2025-10-31")},
			{RaisedOn: day("2025-09-01"), DueOn: day("2025-11-01")},
			{RaisedOn: day("2025-10-31"), DueOn: day("2025-10-31"), ResolvedOn: day("2025-10-31")},
			{RaisedOn: day("2025-09-01"), DueOn: day("2025-10-31"), ResolvedOn: day("2025-09-30")},
		}
	})
	model := build(t, "2025-10", lag("P-3", schemas.Yellow, 99, true), lag("P-2", schemas.Red, 10, true), lag("P-1", schemas.Red, 300, true), lag("P-0", schemas.Red, 0, false),
		stalled, cancelled, longAgo, suspended, issues,
		plan("P-5", schemas.Producing, "2025-11-30"), plan("P-50", schemas.Landed, "2025-11-30"), plan("P-51", schemas.Landed, "2025-12-01"), plan("P-52", schemas.Landed, "2025-10-31"))

	var lagging, upcoming []string
	for _, l := range model.Lagging {
		lagging = append(lagging, l.ProjectID)
	}
	for _, u := range model.Upcoming {
		upcoming = append(upcoming, u.ProjectID)
	}
	if diff := cmp.Diff([]string{"P-1", "P-2", "P-0", "P-3", "P-4"}, lagging); diff != "" {
		t.Errorf("lagging: %s", diff)
	}
	if first := model.Lagging[0]; *first.Milestone != "started" || first.Target != day("2025-01-01") || *first.LateDays != 300 {
		t.Errorf("of equally overdue milestones the earlier one counts: %+v", first)
	}
	if last := model.Lagging[4]; last.Milestone != nil || last.LateDays != nil || last.ConsecutiveStalledMonths != 4 {
		t.Errorf("stalled: %+v", last)
	}
	if diff := cmp.Diff([]string{"P-5", "P-50"}, upcoming); diff != "" {
		t.Errorf("upcoming: %s", diff)
	}
	if got := model.Issues; got != (schemas.IssueCounts{Raised: 2, Resolved: 1, Open: 2, Overdue: 1}) {
		t.Errorf("issues: %+v", got)
	}
	if len(model.Cancelled) != 1 || model.Totals.Cancelled != 2 || len(model.Unreported)+len(model.DataQuality.OutOfOrder) != 0 {
		t.Errorf("cancelled %+v, %d; unreported %v; out of order %v", model.Cancelled, model.Totals.Cancelled, model.Unreported, model.DataQuality.OutOfOrder)
	}
}

func TestAnEmptyLedgerHasListsNotNull(t *testing.T) {
	text, err := json.Marshal(build(t, "2025-10"))
	if err != nil {
		t.Fatal(err)
	}
	var model map[string]any
	if err := json.Unmarshal(text, &model); err != nil {
		t.Fatal(err)
	}
	quality := model["data_quality"].(map[string]any)
	for name, list := range map[string]any{"groups": model["groups"], "lagging": model["lagging"], "reached": model["reached"], "upcoming": model["upcoming"],
		"unreported": model["unreported"], "cancelled": model["cancelled"], "restatements": model["restatements"],
		"out_of_order": quality["out_of_order"], "no_plan": quality["no_plan"]} {
		if l, ok := list.([]any); !ok || len(l) != 0 {
			t.Errorf("%s is %v", name, list)
		}
	}
}

func TestErrorsName(t *testing.T) {
	p := periodOf(t, "2025-10")
	if _, err := Build(context.Background(), ledgers{}, schemas.DefaultRules(), p, 9); err == nil {
		t.Error("no ledger, no error")
	}
	broken := standing("P-1", "xiuwu", func(s *schemas.Standing) { s.Method = s.Method[:2] })
	_, err := Build(context.Background(), ledgers{p.End: ledgerOf(p.End, broken)}, schemas.DefaultRules(), p, 9)
	if schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("other rules: %v", err)
	}
	fails := errors.New("engine away")
	_, err = Build(context.Background(), ledgers{p.End: ledgerOf(p.End), p.Previous().End: ledgerOf(p.Previous().End)}, schemas.DefaultRules(), p, 9,
		ComparedWith(&schemas.Bulletin{Period: "2025-09"}, func(context.Context) (*schemas.Bulletin, error) { return nil, fails }))
	if !errors.Is(err, fails) {
		t.Errorf("rebuild: %v", err)
	}
}

func TestTitles(t *testing.T) {
	for period, want := range map[string]string{
		"2025-10": "2025年10月重大项目进展情况通报", "2025-W23": "2025年第23周重大项目进展情况通报", "2025-Q3": "2025年第三季度重大项目进展情况通报",
		"2025-H1": "2025年上半年重大项目进展情况通报", "2025-H2": "2025年下半年重大项目进展情况通报", "2025": "2025年度重大项目进展情况通报",
		"2026-W01": "2026年第1周重大项目进展情况通报",
	} {
		if got := Title(periodOf(t, period)); got != want {
			t.Errorf("%s: %s", period, got)
		}
	}
}
