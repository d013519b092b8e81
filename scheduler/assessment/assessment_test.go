package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

// fixed is a Reader of one ledger, as an assessment must ask for it.
type fixed struct{ ledger *schemas.Ledger }

func (f fixed) Ledger(_ context.Context, cut schemas.Cut) (*schemas.Ledger, error) {
	year := f.ledger.AsOf.Year()
	want := schemas.Cut{AsOf: schemas.NewDate(year, 12, 31), KnownSeq: 9, EditionsBefore: schemas.NewDate(year, 1, 1), Trace: true}
	if cut != want {
		return nil, fmt.Errorf("asked for the ledger of %+v", cut)
	}
	return f.ledger, nil
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

// standing is a project with nothing planned and every item satisfied.
func standing(id, district string, change func(*schemas.Standing)) schemas.Standing {
	s := schemas.Standing{
		ProjectID: id, Name: "项目" + id, District: district, RegisteredOn: day("2024-03-01"),
		Holder: schemas.Holder{Lead: "领导甲", Department: "市科技局"}, Method: slices.Repeat([]schemas.Verdict{schemas.Satisfied}, 7),
	}
	if change != nil {
		change(&s)
	}
	return s
}

// milestone is planned and perhaps reached, by the holder on E.
func milestone(baseline, target, reached string) schemas.MilestoneStanding {
	return schemas.MilestoneStanding{Baseline: day(baseline), Target: day(target), ReachedOn: day(reached), ReachedBy: schemas.Holder{Lead: "领导甲", Department: "市科技局"}}
}

func ledgerOf(standings ...schemas.Standing) *schemas.Ledger {
	return &schemas.Ledger{AsOf: day("2025-12-31"), KnownSeq: 9, ReportingMonth: schemas.NewMonth(2025, 12), Standings: standings}
}

// failer is what tests and properties have in common.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func build(t failer, rules *schemas.Rules, ledger *schemas.Ledger, last LastYear) *schemas.Assessment {
	t.Helper()
	model, err := Build(context.Background(), fixed{ledger}, rules, 2025, 9, last)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func rowOf(t failer, model *schemas.Assessment, kind, key string) *schemas.AssessedRow {
	t.Helper()
	for i := range model.Groups {
		for j := range model.Groups[i].Rows {
			if r := &model.Groups[i].Rows[j]; model.Groups[i].Kind == kind && r.Key == key {
				return r
			}
		}
	}
	t.Fatalf("no %s row %s", kind, key)
	return nil
}

func TestBonusNeedsBothBaselineAndTarget(t *testing.T) {
	for _, tc := range []struct{ name, baseline, target, reached, want string }{
		{"30 days before both", "2025-07-31", "2025-07-31", "2025-07-01", "3.00"},
		{"29 days before", "2025-07-30", "2025-07-30", "2025-07-01", "0.00"},
		{"early for a target that was moved later", "2025-07-15", "2025-12-31", "2025-07-01", "0.00"},
		{"early for the baseline, not for the target", "2025-12-31", "2025-07-15", "2025-07-01", "0.00"},
		{"due in the next year", "2026-05-01", "2026-05-01", "2025-12-31", "3.00"},
		{"without a target", "", "", "2025-07-01", "0.00"},
		{"reached in the year before", "2025-07-31", "2025-07-31", "2024-12-31", "0.00"},
		{"not reached", "2025-07-31", "2025-07-31", "", "0.00"},
	} {
		s := standing("P-1", "xiuwu", func(s *schemas.Standing) {
			s.Milestones[schemas.Landed] = milestone(tc.baseline, tc.target, tc.reached)
		})
		model := build(t, schemas.DefaultRules(), ledgerOf(s), nil)
		for _, row := range []*schemas.AssessedRow{rowOf(t, model, "district", "xiuwu"), rowOf(t, model, "lead", "领导甲")} {
			if got := row.Bonus.String(); got != tc.want {
				t.Errorf("%s: bonus of %s is %s, want %s", tc.name, row.Key, got, tc.want)
			}
		}
	}
	// One of three done was early: 3 × 1/3.
	model := build(t, schemas.DefaultRules(), ledgerOf(standing("P-1", "xiuwu", func(s *schemas.Standing) {
		s.Milestones[schemas.Landed] = milestone("2025-07-31", "2025-07-31", "2025-07-01")
		s.Milestones[schemas.Started] = milestone("2025-07-31", "2025-07-31", "2025-07-31")
		s.Milestones[schemas.Producing] = milestone("2025-07-31", "2025-07-31", "2025-08-31")
	})), nil)
	if got := rowOf(t, model, "district", "xiuwu").Bonus.String(); got != "1.00" {
		t.Errorf("one of three early: %s", got)
	}
}

func TestPenaltyCountsProjectsByTheHolderOnE(t *testing.T) {
	late := func(id string, months int, suspended bool) schemas.Standing {
		return standing(id, "xiuwu", func(s *schemas.Standing) {
			s.Milestones[schemas.Started].OverdueMonths, s.Suspended = months, suspended
			s.Milestones[schemas.Landed].OverdueMonths = 11 // only the start counts
		})
	}
	model := build(t, schemas.DefaultRules(), ledgerOf(late("P-1", 3, false), late("P-2", 2, false), late("P-3", 9, true)), nil)
	if got := rowOf(t, model, "district", "xiuwu").Penalty.String(); got != "-3.33" {
		t.Errorf("one of three projects: %s", got)
	}
	// A lead without projects on E keeps what was reached under them.
	model = build(t, schemas.DefaultRules(), ledgerOf(standing("P-1", "xiuwu", func(s *schemas.Standing) {
		s.Milestones[schemas.Landed] = milestone("2025-07-31", "2025-07-31", "2025-07-01")
		s.Milestones[schemas.Landed].ReachedBy = schemas.Holder{Lead: "领导乙"}
		s.Milestones[schemas.Started].OverdueMonths = 5
	})), nil)
	before, after := rowOf(t, model, "lead", "领导乙"), rowOf(t, model, "lead", "领导甲")
	if before.Projects != 0 || before.Bonus.String() != "3.00" || before.Penalty.String() != "0.00" || before.Final.String() != "103.00" || before.Rank != nil || before.Grade != nil {
		t.Errorf("holder of the day: %+v", before)
	}
	if after.Bonus.String() != "0.00" || after.Penalty.String() != "-10.00" || after.Final.String() != "90.00" || *after.Grade != schemas.GradeExcellent {
		t.Errorf("holder on E: %+v", after)
	}
}

// TestFinalIsRoundedOnce has a score of 200/3 and a penalty of 10/3: 63.33…; the
// printed parts, 66.67 and −3.33, would make 63.34.
func TestFinalIsRoundedOnce(t *testing.T) {
	rules := schemas.DefaultRules()
	rules.Weights = schemas.Weights{Milestones: [3]int{1, 0, 0}}
	var standings []schemas.Standing
	for i := range 3 {
		standings = append(standings, standing(fmt.Sprintf("P-%d", i), "xiuwu", func(s *schemas.Standing) {
			reached := []string{"2025-05-01", "2025-05-01", ""}[i]
			s.Milestones[schemas.Landed] = milestone("2025-05-01", "2025-05-01", reached)
			if i == 0 {
				s.Milestones[schemas.Started].OverdueMonths = 3
			}
		}))
	}
	row := rowOf(t, build(t, rules, ledgerOf(standings...), nil), "district", "xiuwu")
	if row.Score.String() != "66.67" || row.Penalty.String() != "-3.33" || row.Final.String() != "63.33" {
		t.Errorf("score %s, penalty %s, final %s", row.Score, row.Penalty, row.Final)
	}
}

func recorded(seq uint64, year int, kind schemas.AdjustmentKind, key string, points int64, veto bool) schemas.RecordedAdjustment {
	return schemas.RecordedAdjustment{Event: schemas.EventRef{Source: "/offices/city", ID: fmt.Sprintf("a-%d", seq), Seq: seq},
		Adjustment: schemas.Adjustment{Year: year, Kind: kind, Key: key, Points: points, Veto: veto, Reason: "通报", Document: "1号"}}
}

func TestAdjustments(t *testing.T) {
	ledger := ledgerOf(standing("P-1", "xiuwu", nil))
	ledger.Adjustments = []schemas.RecordedAdjustment{
		recorded(1, 2025, schemas.AdjustDistrict, "xiuwu", -1050, false), recorded(2, 2025, schemas.AdjustDistrict, "xiuwu", 25, false),
		recorded(3, 2024, schemas.AdjustDistrict, "xiuwu", -2000, true), recorded(4, 2025, schemas.AdjustLead, "领导甲", 100, true),
		recorded(5, 2025, schemas.AdjustLead, "市科技局", 500, true), recorded(6, 2025, schemas.AdjustDepartment, "市财政局", -3, false),
		recorded(7, 2025, schemas.AdjustLead, "领导甲", 0, false), // takes no veto back
	}
	model := build(t, schemas.DefaultRules(), ledger, nil)
	if row := rowOf(t, model, "district", "xiuwu"); row.Adjustment.String() != "-10.25" || row.Final.String() != "89.75" || *row.Grade != schemas.GradeGood || row.Veto {
		t.Errorf("sum of a row: %+v", row)
	}
	if row := rowOf(t, model, "lead", "领导甲"); !row.Veto || row.Final.String() != "101.00" || *row.Rank != 1 || *row.Grade != schemas.GradeFail || len(row.Hints) != 0 {
		t.Errorf("veto: %+v", row)
	}
	if row := rowOf(t, model, "department", "市科技局"); row.Adjustment.String() != "0.00" || row.Veto {
		t.Errorf("a lead's adjustment went to a department of that name: %+v", row)
	}
	want := []schemas.UnmatchedAdjustment{
		{Kind: "lead", Key: "市科技局", Points: &schemas.Figure{Units: 500, Decimals: 2}, Veto: true, Reason: "通报", Document: "1号", Event: schemas.EventRef{Source: "/offices/city", ID: "a-5", Seq: 5}},
		{Kind: "department", Key: "市财政局", Points: &schemas.Figure{Units: -3, Decimals: 2}, Reason: "通报", Document: "1号", Event: schemas.EventRef{Source: "/offices/city", ID: "a-6", Seq: 6}},
	}
	if diff := cmp.Diff(want, model.UnmatchedAdjustments); diff != "" {
		t.Error(diff)
	}
	// The floor is 0, and it is a final like others.
	ledger.Adjustments = []schemas.RecordedAdjustment{recorded(1, 2025, schemas.AdjustDistrict, "xiuwu", -2000, false)}
	for range 5 {
		ledger.Adjustments = append(ledger.Adjustments, ledger.Adjustments[0])
	}
	if row := rowOf(t, build(t, schemas.DefaultRules(), ledger, nil), "district", "xiuwu"); row.Final.String() != "0.00" || *row.Rank != 1 {
		t.Errorf("below zero: %s", row.Final)
	}
}

func TestEventsBehindAnItem(t *testing.T) {
	ref := func(seq uint64) schemas.EventRef {
		return schemas.EventRef{Source: "/o", ID: fmt.Sprint(seq), Seq: seq}
	}
	trace := func(n uint64) *schemas.Trace {
		return &schemas.Trace{
			Milestones: [schemas.MilestoneCount]schemas.MilestoneTrace{{Baseline: ref(n), Target: ref(n + 1), Reached: ref(n + 2)}, {Baseline: ref(n), Target: ref(n)}},
			Reports:    []schemas.EventRef{ref(n + 5), ref(n + 4)}, Method: []schemas.EventRef{ref(n), ref(n + 4)}, Plan: ref(n), Invested: ref(n + 5),
		}
	}
	first := standing("P-1", "xiuwu", func(s *schemas.Standing) {
		s.Milestones[schemas.Landed] = milestone("2025-05-01", "2025-06-01", "2025-06-01")
		s.Milestones[schemas.Landed].ReachedBy = schemas.Holder{Lead: "领导乙"}
		s.Milestones[schemas.Started] = milestone("2025-12-31", "2025-12-31", "")
		s.Investment = schemas.InvestmentStanding{Plan: 100, Invested: 30, Known: true, ReportsDue: 12, ReportsOnTime: 2}
		s.Trace = trace(20)
	})
	suspended := standing("P-2", "xiuwu", func(s *schemas.Standing) {
		s.Suspended, s.SuspendedOn = true, day("2025-02-01")
		s.Milestones[schemas.Landed] = milestone("2025-05-01", "2025-06-01", "")
		s.Investment = schemas.InvestmentStanding{Plan: 100, Invested: 30, Known: true}
		s.Trace = trace(10)
	})
	model := build(t, schemas.DefaultRules(), ledgerOf(first, suspended), nil)
	ids := func(row *schemas.AssessedRow) string {
		var items []string
		for _, item := range row.Items {
			var seqs []string
			for _, e := range item.Events {
				seqs = append(seqs, e.ID)
			}
			items = append(items, item.Item+" "+strings.Join(seqs, ","))
		}
		return strings.Join(items, "; ")
	}
	if got, want := ids(rowOf(t, model, "district", "xiuwu")), "landed 20,21,22; started 20; producing ; ledger 10,14,15,20,24,25; investment 20,25"; got != want {
		t.Errorf("the district rests on %s, want %s", got, want)
	}
	if got, want := ids(rowOf(t, model, "lead", "领导乙")), "landed 20,21,22; started ; producing ; ledger ; investment "; got != want {
		t.Errorf("the holder of the day rests on %s, want %s", got, want)
	}
	item := rowOf(t, model, "district", "xiuwu").Items[4]
	if item.Numerator.String() != "0.30" || item.Divisor.String() != "1.00" || item.Fraction.String() != "0.3000" || item.Weight != 10 {
		t.Errorf("investment: %+v", item)
	}
	if empty := rowOf(t, model, "lead", "领导乙").Items[3]; empty.Fraction != nil || empty.Points != nil || empty.Numerator.String() != "0.00" || empty.Events == nil {
		t.Errorf("a ledger without projects: %+v", empty)
	}
}
