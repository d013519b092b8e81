package assessment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

func anyStanding(t *rapid.T, id string, seq uint64) schemas.Standing {
	asOf := day("2025-12-31")
	dateOrNone := rapid.OneOf(rapid.Just(schemas.Date(0)), rapid.Custom(func(t *rapid.T) schemas.Date {
		return asOf + schemas.Date(rapid.IntRange(-500, 200).Draw(t, "days"))
	}))
	holder := rapid.SampledFrom([]schemas.Holder{{}, {Lead: "领导甲", Department: "市科技局"}, {Lead: "领导乙", Department: "市商务局"}, {Lead: "领导丙", Department: "市财政局"}})
	s := schemas.Standing{
		ProjectID: id, District: rapid.SampledFrom([]string{"xiuwu", "wuzhi", "boai", "wenxian", "shanyang", "city"}).Draw(t, "district"),
		Holder: holder.Draw(t, "holder"), Cancelled: rapid.IntRange(0, 9).Draw(t, "cancelled") == 0, Trace: &schemas.Trace{},
	}
	if s.Suspended = rapid.IntRange(0, 4).Draw(t, "suspended") == 0; s.Suspended {
		s.SuspendedOn = asOf - schemas.Date(rapid.IntRange(0, 400).Draw(t, "since"))
	}
	for m := range s.Milestones {
		ms := &s.Milestones[m]
		ms.Target, ms.ReachedOn, ms.ReachedBy = dateOrNone.Draw(t, "target"), min(asOf, dateOrNone.Draw(t, "reached")), holder.Draw(t, "reached by")
		if ms.Target != 0 {
			ms.Baseline = ms.Target + schemas.Date(rapid.IntRange(-90, 90).Draw(t, "baseline"))
		}
		ms.OverdueMonths = rapid.IntRange(0, 4).Draw(t, "overdue")
		seq++
		s.Trace.Milestones[m].Target = schemas.EventRef{Source: "/o", ID: fmt.Sprint(seq), Seq: seq}
	}
	s.Investment.Plan = schemas.Money(max(0, rapid.Int64Range(-50, 1000).Draw(t, "plan")))
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

func anyLedger(t *rapid.T) *schemas.Ledger {
	ledger := ledgerOf()
	for i := range rapid.IntRange(0, 14).Draw(t, "projects") {
		ledger.Standings = append(ledger.Standings, anyStanding(t, fmt.Sprintf("P-%02d", i), uint64(10*i)))
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "adjustments") {
		ledger.Adjustments = append(ledger.Adjustments, recorded(uint64(500+i), 2025, schemas.AdjustDepartment, rapid.SampledFrom([]string{"市科技局", "市商务局", "无此部门"}).Draw(t, "key"),
			rapid.Int64Range(-2000, 500).Draw(t, "points"), rapid.Bool().Draw(t, "veto")))
	}
	return ledger
}

func TestPartsMakeTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := anyLedger(t)
		model := build(t, schemas.DefaultRules(), ledger, nil)
		counts, err := counting.Count(ledger, schemas.DefaultRules(), Period(2025))
		if err != nil {
			t.Fatal(err)
		}
		matched := 0
		for i, g := range model.Groups {
			for j := range g.Rows {
				r := &g.Rows[j]
				checkRow(t, r, counts.Groups[i].Rows[j].Items(schemas.DefaultRules().Weights))
				if g.Kind == "department" && (r.Key == "市科技局" || r.Key == "市商务局") {
					for _, a := range ledger.Adjustments {
						if a.Key == r.Key {
							matched++
						}
					}
				}
				if (r.Grade == nil) != (r.Rank == nil) || r.Rank == nil && len(r.Hints) > 0 {
					t.Fatalf("%s: rank %v, grade %v, hints %v", r.Key, r.Rank, r.Grade, r.Hints)
				}
			}
		}
		if matched+len(model.UnmatchedAdjustments) != len(ledger.Adjustments) {
			t.Fatalf("%d adjustments, %d in rows, %d unmatched", len(ledger.Adjustments), matched, len(model.UnmatchedAdjustments))
		}
	})
}

// checkRow holds what is printed against itself and against the exact items.
func checkRow(t *rapid.T, r *schemas.AssessedRow, exact []counting.Item) {
	if (r.Final == nil) != (r.Score == nil) || r.Final != nil && r.Final.Units < 0 {
		t.Fatalf("%s: score %s, final %s", r.Key, r.Score, r.Final)
	}
	if r.Bonus.Units < 0 || r.Bonus.Units > 300 || r.Penalty.Units > 0 || r.Penalty.Units < -1000 {
		t.Fatalf("%s: bonus %s, penalty %s", r.Key, r.Bonus, r.Penalty)
	}
	weights, points, weighted := int64(0), int64(0), new(big.Rat)
	for i, item := range r.Items {
		if (item.Fraction == nil) != (item.Points == nil) {
			t.Fatalf("%s %s: %+v", r.Key, item.Item, item)
		}
		if item.Points == nil {
			continue
		}
		weights += int64(item.Weight)
		points += item.Points.Units
		weighted.Add(weighted, new(big.Rat).Mul(exact[i].Fraction, big.NewRat(int64(item.Weight), 1)))
		if got := schemas.Rounded(exact[i].Fraction, 4); *got != *item.Fraction {
			t.Fatalf("%s %s: printed %s, exactly %s", r.Key, item.Item, item.Fraction, exact[i].Fraction)
		}
	}
	if weights == 0 {
		if r.Score != nil {
			t.Fatalf("%s scores %s without an item", r.Key, r.Score)
		}
		return
	}
	// The fractions give the score exactly; five roundings differ from one by at
	// most three hundredths.
	if got := schemas.Rounded(weighted.Mul(weighted, big.NewRat(100, weights)), 2); *got != *r.Score {
		t.Fatalf("%s: the items give %s, the score is %s", r.Key, got, r.Score)
	}
	if off := points - r.Score.Units; off < -3 || off > 3 {
		t.Fatalf("%s: points add up to %d hundredths, the score is %s", r.Key, points, r.Score)
	}
}

func TestAnyOrderOfStandingsGivesTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := anyLedger(t)
		first, err := json.Marshal(build(t, schemas.DefaultRules(), ledger, nil))
		if err != nil {
			t.Fatal(err)
		}
		shuffled := *ledger
		shuffled.Standings = rapid.Permutation(ledger.Standings).Draw(t, "order")
		second, err := json.Marshal(build(t, schemas.DefaultRules(), &shuffled, nil))
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("order matters: %v\n%s\n%s", err, first, second)
		}
		var read schemas.Assessment
		if err := json.Unmarshal(first, &read); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(&read); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("read and written again: %v\n%s\n%s", err, first, again)
		}
	})
}

// TestFinalsAtTheBoundaryOfRounding brings every k/16 and k/32 of a hundredth
// into a final, by bonus, penalty and score alone.
func TestFinalsAtTheBoundaryOfRounding(t *testing.T) {
	for _, n := range []int{16, 32} {
		for k := range n + 1 {
			want := schemas.Rounded(new(big.Rat).Sub(big.NewRat(100, 1), big.NewRat(int64(10*k), int64(n))), 2)
			var standings []schemas.Standing
			for i := range n {
				standings = append(standings, standing(fmt.Sprintf("P-%02d", i), "xiuwu", func(s *schemas.Standing) {
					if i < k {
						s.Milestones[schemas.Started].OverdueMonths = 3
					}
				}))
			}
			row := rowOf(t, build(t, onlyLedger(), ledgerOf(standings...), nil), "district", "xiuwu")
			if penalty := schemas.Rounded(big.NewRat(int64(-10*k), int64(n)), 2); *row.Final != *want || *row.Penalty != *penalty {
				t.Errorf("%d of %d: penalty %s, final %s, want %s and %s", k, n, row.Penalty, row.Final, penalty, want)
			}
		}
	}
}

func TestErrorsReachTheCaller(t *testing.T) {
	ledger := ledgerOf()
	ledger.AsOf = day("2024-12-31")
	if _, err := Build(context.Background(), fixed{ledger}, schemas.DefaultRules(), 2025, 9, nil); err == nil {
		t.Error("no error of the reader")
	}
	other := standing("P-1", "xiuwu", nil)
	other.Method = other.Method[:3]
	if _, err := Build(context.Background(), fixed{ledgerOf(other)}, schemas.DefaultRules(), 2025, 9, nil); schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("a ledger of other rules: %v", err)
	}
}
