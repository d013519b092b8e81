package assessment

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"milepost/schemas"
)

// cityOf makes one department per final, in 0.01 points from 0 to 100: a whole
// year's adjustments bring a row of 100 points there.
func cityOf(missed bool, finals ...int64) *schemas.Ledger {
	ledger := ledgerOf()
	for i, final := range finals {
		department := fmt.Sprintf("部门%02d", i)
		ledger.Standings = append(ledger.Standings, standing(fmt.Sprintf("P-%02d", i), "xiuwu", func(s *schemas.Standing) {
			s.Holder = schemas.Holder{Department: department}
			if missed { // the investment alone, by a hair
				s.Investment = schemas.InvestmentStanding{Plan: 1_000_000, Invested: 999_999, Known: true}
			}
		}))
		ledger.Adjustments = append(ledger.Adjustments, recorded(uint64(i+1), 2025, schemas.AdjustDepartment, department, final-10000, false))
	}
	return ledger
}

// onlyLedger lets a row with every item of 七个一 satisfied score 100.
func onlyLedger() *schemas.Rules {
	rules := schemas.DefaultRules()
	rules.Weights = schemas.Weights{Ledger: 10}
	return rules
}

func hinted(t *testing.T, model *schemas.Assessment, hint schemas.Hint) []int {
	t.Helper()
	var rows []int
	for _, g := range model.Groups {
		for i, r := range g.Rows {
			if g.Kind == "department" && slices.Contains(r.Hints, hint) {
				rows = append(rows, i)
			}
			if len(r.Hints) != len(r.HintReasons) {
				t.Errorf("%s: hints %v, reasons %v", r.Key, r.Hints, r.HintReasons)
			}
		}
	}
	return rows
}

func TestHowManyAreRewardedAndAsked(t *testing.T) {
	for n := 1; n <= 12; n++ {
		finals := make([]int64, n)
		for i := range finals {
			finals[i] = 9900 - int64(i)*100 // all at least 合格
		}
		model := build(t, onlyLedger(), cityOf(true, finals...), nil)
		rewarded, asked := hinted(t, model, schemas.HintReward), hinted(t, model, schemas.HintExplain)
		wantRewarded, wantAsked := []int{1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3}[n-1], 0
		if n >= 4 {
			wantAsked = 2
		}
		if len(rewarded) != wantRewarded || len(asked) != wantAsked {
			t.Errorf("of %d rows %v are rewarded and %v asked, want %d and %d", n, rewarded, asked, wantRewarded, wantAsked)
		}
		if wantAsked > 0 && asked[0] != n-2 {
			t.Errorf("of %d rows %v are asked", n, asked)
		}
		if asked := hinted(t, build(t, onlyLedger(), cityOf(false, finals...), nil), schemas.HintExplain); len(asked) != 0 {
			t.Errorf("of %d rows %v are asked although no plan was missed", n, asked)
		}
	}
}

func TestHintsAtTheirBorders(t *testing.T) {
	for _, tc := range []struct {
		name            string
		finals          []int64
		rewarded, asked []int
	}{
		{"ties at rank 3 are all rewarded", []int64{9900, 9800, 9700, 9700, 9700, 9000, 9000, 8900, 8800}, []int{0, 1, 2, 3, 4}, []int{7, 8}},
		{"a tie before pushes the third out", []int64{9900, 9800, 9700, 9700, 9600, 9500}, []int{0, 1}, []int{4, 5}},
		{"a tie at n − 2 is not last", []int64{9900, 9800, 9800, 9700}, []int{0}, []int{3}},
		{"a tie at n − 1", []int64{9900, 9800, 9700, 9700}, []int{0}, []int{2, 3}},
		{"all alike: rank 1", []int64{9000, 9000, 9000, 9000}, []int{0, 1, 2, 3}, nil},
		{"59.99 is not 合格", []int64{5999}, nil, nil},
		{"60.00 is", []int64{6000}, []int{0}, nil},
	} {
		model := build(t, onlyLedger(), cityOf(true, tc.finals...), nil)
		if got := hinted(t, model, schemas.HintReward); !slices.Equal(got, tc.rewarded) {
			t.Errorf("%s: rewarded %v, want %v", tc.name, got, tc.rewarded)
		}
		if got := hinted(t, model, schemas.HintExplain); !slices.Equal(got, tc.asked) {
			t.Errorf("%s: asked %v, want %v", tc.name, got, tc.asked)
		}
	}
}

func TestGradesAtTheirBorders(t *testing.T) {
	finals := []int64{9000, 8999, 8000, 7999, 6000, 5999}
	want := []schemas.Grade{schemas.GradeExcellent, schemas.GradeGood, schemas.GradeGood, schemas.GradePass, schemas.GradePass, schemas.GradeFail}
	model := build(t, onlyLedger(), cityOf(false, finals...), nil)
	for i, grade := range want {
		if got := rowOf(t, model, "department", fmt.Sprintf("部门%02d", i)); *got.Grade != grade {
			t.Errorf("%s is %s, want %s", got.Final, *got.Grade, grade)
		}
	}
}

func TestAccountability(t *testing.T) {
	ledger := cityOf(true, 9900, 5000, 4000)
	failed, passed := schemas.GradeFail, schemas.GradePass
	last := Grades(&schemas.Assessment{Groups: []schemas.AssessedGroup{{Kind: "department", Rows: []schemas.AssessedRow{
		{Key: "部门00", Grade: &failed}, {Key: "部门01", Grade: &failed}, {Key: "部门02", Grade: &passed}, {Key: "部门03"}}},
		{Kind: "lead", Rows: []schemas.AssessedRow{{Key: "部门02", Grade: &failed}}}}})
	if got := hinted(t, build(t, onlyLedger(), ledger, last), schemas.HintAccountability); !slices.Equal(got, []int{1}) {
		t.Errorf("failed now and before: %v", got)
	}
	if got := hinted(t, build(t, onlyLedger(), ledger, nil), schemas.HintAccountability); len(got) != 0 {
		t.Errorf("nothing was finalised: %v", got)
	}
	rules, numbers := onlyLedger(), schemas.DefaultRules().Assessing()
	numbers.Accountability = false
	rules.Assessment = &numbers
	if got := hinted(t, build(t, rules, ledger, last), schemas.HintAccountability); len(got) != 0 {
		t.Errorf("switched off: %v", got)
	}
	// A veto fails the best row, too; the reason says so.
	ledger.Adjustments = append(ledger.Adjustments, recorded(9, 2025, schemas.AdjustDepartment, "部门00", 0, true))
	row := rowOf(t, build(t, onlyLedger(), ledger, last), "department", "部门00")
	if len(row.Hints) != 1 || row.HintReasons[0].Reason != "2024年度考核结果为不合格，2025年度为不合格（最终得分99.00分，一票否决），连续两年不合格。" {
		t.Errorf("hints %v, %v", row.Hints, row.HintReasons)
	}
}

func TestReasonsNameTheNumbers(t *testing.T) {
	ledger := cityOf(true, 9900, 9800, 9700, 5000)
	ledger.Standings[3].Milestones[schemas.Started] = milestone("2025-05-01", "2025-05-01", "")
	ledger.Standings[2].Investment.Known, ledger.Standings[2].Investment.Invested = false, 0
	model := build(t, onlyLedger(), ledger, nil)
	var got []string
	for i := range 4 {
		for _, r := range rowOf(t, model, "department", fmt.Sprintf("部门%02d", i)).HintReasons {
			got = append(got, r.Reason)
		}
	}
	want := []string{
		"最终得分99.00分，在本组4个参加排名的对象中列第1名（前1名），等次优秀。",
		"最终得分97.00分，在本组4个参加排名的对象中列第3名（第3名及以后），且计划没有完成：计划投资10000万元，没有报送完成投资。",
		"最终得分50.00分，在本组4个参加排名的对象中列第4名（第3名及以后），且计划没有完成：应开工1个，均未开工；计划投资10000万元，完成投资9999.99万元。",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
