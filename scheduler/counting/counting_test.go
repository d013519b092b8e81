package counting

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

func day(t *testing.T, s string) schemas.Date {
	t.Helper()
	if s == "" {
		return 0
	}
	d, err := schemas.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func october() schemas.Period {
	return schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, 10, 1))
}

func TestMilestoneCounts(t *testing.T) {
	suspended := "2025-06-15"
	for _, tc := range []struct {
		name, target, reached, suspended string
		want                             MilestoneTally
	}{
		{name: "nothing planned, nothing reached"},
		{name: "due later this year", target: "2025-11-01", want: MilestoneTally{DueYear: 1}},
		{name: "due on the last day", target: "2025-10-31", want: MilestoneTally{DueYear: 1, DueToDate: 1, Judged: 1}},
		{name: "due on 31 December", target: "2025-12-31", want: MilestoneTally{DueYear: 1}},
		{name: "due next year", target: "2026-01-01"},
		{name: "due in an earlier year and open", target: "2023-05-01", want: MilestoneTally{DueYear: 1, DueToDate: 1, Judged: 1}},
		{name: "reached in an earlier year", target: "2025-05-01", reached: "2024-12-31"},
		{name: "reached on 1 January", target: "2024-12-31", reached: "2025-01-01", want: MilestoneTally{DueYear: 1, DueToDate: 1, Done: 1, Judged: 1}},
		{name: "reached on its day", target: "2025-05-01", reached: "2025-05-01", want: MilestoneTally{DueYear: 1, DueToDate: 1, Done: 1, OnTime: 1, Judged: 1}},
		{name: "reached a day late", target: "2025-05-01", reached: "2025-05-02", want: MilestoneTally{DueYear: 1, DueToDate: 1, Done: 1, Judged: 1}},
		{name: "reached before it is due", target: "2026-05-01", reached: "2025-10-01", want: MilestoneTally{Done: 1, OnTime: 1, Judged: 1, NewInPeriod: 1}},
		{name: "reached without a target", reached: "2025-10-31", want: MilestoneTally{Done: 1, OnTime: 1, Judged: 1, NewInPeriod: 1}},
		{name: "suspended before the target", target: "2025-07-01", suspended: suspended},
		{name: "suspended on the target", target: suspended, suspended: suspended},
		{name: "suspended after the target", target: "2025-06-14", suspended: suspended, want: MilestoneTally{DueYear: 1, DueToDate: 1, Judged: 1}},
		{name: "suspended, but reached", target: "2025-07-01", reached: "2025-05-01", suspended: suspended, want: MilestoneTally{DueYear: 1, DueToDate: 1, Done: 1, OnTime: 1, Judged: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := schemas.Standing{ProjectID: "P-1", District: "xiuwu", Suspended: tc.suspended != "", SuspendedOn: day(t, tc.suspended)}
			s.Milestones[schemas.Started] = schemas.MilestoneStanding{Target: day(t, tc.target), ReachedOn: day(t, tc.reached)}
			c := NewScope(october())
			if got := c.Milestone(&s, schemas.Started); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// Rates and points that published bulletins print, from the addresses named.
func TestPublishedFigures(t *testing.T) {
	for _, tc := range []struct {
		source         string
		month          schemas.Month
		invested, plan string // 亿元 × 10⁴ = 万元
		rate, vsTime   string
	}{
		{"rajayuj.com/bmpd/jmsfzhggj/zdlyxxgk/zdjsxmxxgk/zdxmjz/content/post_1860276.html", schemas.NewMonth(2021, 10), "6290000", "6474000", "97.2", "13.8"},
		{"456150.com.cn/bmpd/jmsfzhggj/zdlyxxgk/zdjsxmxxgk/zdxmjz/content/post_2314420.html", schemas.NewMonth(2022, 3), "3136400", "10150000", "30.9", "5.9"},
		{"hmfv.cn/cs/20210729/91492.html", schemas.NewMonth(2021, 6), "643000", "1373000", "46.8", "-3.2"},
	} {
		t.Run(tc.source, func(t *testing.T) {
			invested, _ := schemas.ParseMoney(tc.invested)
			plan, _ := schemas.ParseMoney(tc.plan)
			sum := Tally{Plan: plan, Invested: invested, InvestedKnown: true}
			got := sum.Investment(tc.month)
			if got.Rate.String() != tc.rate || got.VsTime.String() != tc.vsTime {
				t.Errorf("rate %s, against time %s; printed %s, %s", got.Rate, got.VsTime, tc.rate, tc.vsTime)
			}
		})
	}
	for _, tc := range []struct {
		source        string
		started, plan int
		rate          string
	}{
		{"rajayuj.com/bmpd/jmsfzhggj/zdlyxxgk/zdjsxmxxgk/zdxmjz/content/post_1860276.html", 206, 255, "80.8"},
		{"hmfv.cn/cs/20210729/91492.html", 188, 225, "83.6"},
		{"www.hanzhong.gov.cn/hzszf/zwgk/zdjsxm/201809/t20180919_538245.shtml", 122, 124, "98.4"},
		{"www.zhumadian.gov.cn/html/site_gov/articles/202303/174812.html", 30, 42, "71.4"},
	} {
		t.Run(fmt.Sprintf("%s starts", tc.source), func(t *testing.T) {
			var sum Tally
			sum.Milestones[schemas.Started] = MilestoneTally{DueYear: tc.plan, Done: tc.started}
			if got := sum.MilestoneCounts().Started.RateYear.String(); got != tc.rate {
				t.Errorf("got %s, printed %s", got, tc.rate)
			}
		})
	}
}

func TestScoreSharesOneRoundingAndRanks(t *testing.T) {
	figure := func(units int64) *schemas.Figure { return &schemas.Figure{Units: units, Decimals: 2} }
	var got []int
	for _, rank := range Ranks([]*schemas.Figure{figure(5000), figure(9000), nil, figure(5000), figure(-100)}) {
		if rank == nil {
			got = append(got, 0)
		} else {
			got = append(got, *rank)
		}
	}
	if diff := cmp.Diff([]int{2, 1, 0, 2, 4}, got); diff != "" {
		t.Error(diff)
	}
	for _, r := range []Row{{Key: "f", Tally: &Tally{}}, {Key: Unassigned, Tally: &Tally{Projects: 4}}} {
		if r.Ranked(figure(9900)) {
			t.Errorf("%s with %d projects is ranked", r.Key, r.Projects)
		}
	}
	// 100 × (30·(1 + ½)/2 + 10·(5/6 · 2/3) + 10·1) ÷ 50 = 76.111…
	sum := Tally{Plan: 100, Invested: 250, InvestedKnown: true, measured: 1, satisfied: []int{6: 5}, ReportsDue: 3, ReportsOnTime: 2, Projects: 1}
	sum.Milestones[schemas.Landed] = MilestoneTally{Done: 2, OnTime: 1, Judged: 2}
	if got := schemas.Rounded(Score(sum.Items(schemas.DefaultRules().Weights)), 2).String(); got != "76.11" {
		t.Errorf("score %s", got)
	}
	if got := Score((&Tally{}).Items(schemas.DefaultRules().Weights)); got != nil {
		t.Errorf("a row to which nothing applies scored %s", got)
	}
}

// TestEveryBoundaryOfRounding looks at every k/16 and k/32 that a percentage or
// a score can be: what stands between two printed figures goes away from zero,
// also below zero, and nothing is rounded twice. A half of the last decimal
// needs a divisor with enough factors of 2, as 16 and 32 have.
func TestEveryBoundaryOfRounding(t *testing.T) {
	for _, den := range []int64{16, 32} {
		for num := int64(-40 * den); num <= 40*den; num++ {
			if num != 0 && num%2 == 0 {
				continue // num/16 comes with its own divisor
			}
			for _, decimals := range []int{1, 2, 4} {
				if got, want := schemas.Rounded(big.NewRat(num, den), decimals).String(), awayFromZero(num, den, decimals); got != want {
					t.Fatalf("%d/%d with %d decimals: %s, want %s", num, den, decimals, got, want)
				}
			}
		}
		for k := range den + 1 {
			tally := Tally{Milestones: [schemas.MilestoneCount]MilestoneTally{{DueYear: int(den), DueToDate: int(den), Done: int(k), OnTime: int(k), Judged: int(den)}}}
			if got, want := tally.MilestoneCounts().Landed.RateToDate.String(), awayFromZero(100*k, den, 1); got != want {
				t.Errorf("rate %d/%d: %s, want %s", k, den, got, want)
			}
			items := tally.Items(schemas.DefaultRules().Weights)
			if got, want := schemas.Rounded(Score(items), 2).String(), awayFromZero(100*k, den, 2); got != want {
				t.Errorf("score %d/%d: %s, want %s", k, den, got, want)
			}
			if got, want := schemas.Rounded(items[0].Fraction, 4).String(), awayFromZero(k, den, 4); got != want {
				t.Errorf("fraction %d/%d: %s, want %s", k, den, got, want)
			}
			reported := Tally{Plan: schemas.Money(den), Invested: schemas.Money(k), InvestedKnown: true}
			invested := reported.Investment(schemas.NewMonth(2025, 12))
			if got, want := invested.VsTime.String(), awayFromZero(100*(k-den), den, 1); got != want {
				t.Errorf("against time %d/%d: %s, want %s", k, den, got, want)
			}
		}
	}
}

// awayFromZero rounds num/den by long division in decimal digits.
func awayFromZero(num, den int64, decimals int) string {
	sign := ""
	if num < 0 {
		sign, num = "-", -num
	}
	units := num / den
	rest := num % den
	var digits strings.Builder
	fmt.Fprintf(&digits, "%d", units)
	for range decimals {
		rest *= 10
		fmt.Fprintf(&digits, "%d", rest/den)
		rest %= den
	}
	whole := []byte(digits.String())
	if 2*rest >= den { // add one to the last digit
		i := len(whole) - 1
		for ; i >= 0 && whole[i] == '9'; i-- {
			whole[i] = '0'
		}
		if i < 0 {
			whole = append([]byte("1"), whole...)
		} else {
			whole[i]++
		}
	}
	printed := string(whole[:len(whole)-decimals]) + "." + string(whole[len(whole)-decimals:])
	if strings.Trim(printed, "0.") == "" {
		sign = ""
	}
	return sign + printed
}

func TestItemsSayWhatTheyRestOn(t *testing.T) {
	tally := Tally{Projects: 2, Plan: 100, Invested: 250, InvestedKnown: true, measured: 2, satisfied: []int{4: 3, 6: 5}, ReportsDue: 3, ReportsOnTime: 2}
	tally.Milestones[schemas.Started] = MilestoneTally{Done: 3, OnTime: 2, Judged: 4}
	var got []string
	for _, item := range tally.Items(schemas.DefaultRules().Weights) {
		line := fmt.Sprintf("%s %d %s/%s", item.Key, item.Weight, item.Numerator.RatString(), item.Divisor.RatString())
		if item.Fraction != nil {
			line += " " + item.Fraction.RatString() + " " + item.Points.RatString()
		}
		got = append(got, line)
	}
	// The mean completeness is (3/4 + 5/6) ÷ 2 = 19/24.
	want := []string{"landed 30 0/0", "started 30 5/2/4 5/8 75/2", "producing 20 0/0", "ledger 10 19/12/3 19/36 95/9", "investment 10 5/2/1 1 20"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	tally.ReportsDue, tally.ReportsOnTime = 0, 0
	if ledger := tally.Items(schemas.DefaultRules().Weights)[3]; ledger.Numerator.Sign() != 0 || ledger.Divisor.Sign() != 0 || ledger.Fraction.RatString() != "19/24" {
		t.Errorf("without reports due: %+v", ledger)
	}
}

func TestALedgerOfOtherRulesIsRefused(t *testing.T) {
	ledger := &schemas.Ledger{Standings: []schemas.Standing{{ProjectID: "P-1", Method: make([]schemas.Verdict, 3)}}}
	if _, err := Count(ledger, schemas.DefaultRules(), october()); schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("got %v", err)
	}
}
