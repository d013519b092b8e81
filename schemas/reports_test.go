package schemas

import (
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func reportSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	compiler, err := newCompiler("reports")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(schemaBase + "reports/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func reportTree(t *testing.T, model any) any {
	t.Helper()
	text, err := json.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	tree, bad := parseTree(text)
	if bad != nil {
		t.Fatal(bad)
	}
	return tree
}

// sampleStandings are a project with everything known and one with nothing.
func sampleStandings() []Standing {
	rich := Standing{
		ProjectID: "P-0012", Name: "年产12万台电机项目", Enterprise: "企业12有限公司", Industry: "装备制造", Tags: []string{"省重点"}, District: "xiuwu",
		Holder: Holder{Lead: "领导甲", Department: "市工业和信息化局"}, RegisteredOn: NewDate(2025, 1, 6), TotalInvestment: MoneyFromWan(120000) + 50,
		Stage: StageLanded, Status: StatusSlow, Light: Red, OutOfOrder: true, StalledMonths: 2,
		Investment: InvestmentStanding{Plan: MoneyFromWan(45000), Invested: MoneyFromWan(46123), Known: true, ReportsDue: 9, ReportsOnTime: 8},
		Issues:     []IssueStanding{{ID: "1", DueOn: NewDate(2025, 5, 31)}, {ID: "2", DueOn: NewDate(2026, 5, 31)}},
		Method:     []Verdict{Satisfied, Satisfied, Satisfied, Unsatisfied, Satisfied, NotApplicable, Unsatisfied},
	}
	rich.Milestones[Landed] = MilestoneStanding{
		Baseline: NewDate(2025, 3, 31), Target: NewDate(2025, 3, 31), Forecast: NewDate(2025, 3, 31), ReachedOn: NewDate(2025, 3, 28), LateDays: -3, Late: true,
	}
	bare := Standing{ProjectID: "P-0013", Name: "储能电站", District: "boai", RegisteredOn: NewDate(2025, 9, 1), Stage: StageRegistered, Status: StatusSmooth, Light: NoneOn, Method: make([]Verdict, 7)}
	return []Standing{rich, bare}
}

func TestLedgerRowsFitTheirSchema(t *testing.T) {
	rules, asOf := DefaultRules(), NewDate(2025, 10, 31)
	rows := []LedgerRow{}
	for _, s := range sampleStandings() {
		rows = append(rows, s.Row(rules, asOf))
	}
	schema := reportSchema(t, "ledger")
	if err := schema.Validate(reportTree(t, rows)); err != nil {
		t.Errorf("%v", err)
	}
	if err := schema.Validate(reportTree(t, []LedgerRow{})); err != nil {
		t.Errorf("an empty ledger: %v", err)
	}
	if rows[0].OpenIssues != 2 || rows[0].OverdueIssues != 1 || rows[0].Method.Completeness.String() != "66.7" || rows[0].Investment.Rate.String() != "102.5" {
		t.Errorf("the row says %+v", rows[0])
	}
	refuseChanges(t, schema, rows, func(tree any) map[string]any { return tree.([]any)[0].(map[string]any) })
}

// refuseChanges holds that the schema is closed: every member of the model is
// required, and no other is allowed.
func refuseChanges(t *testing.T, schema *jsonschema.Schema, model any, object func(any) map[string]any) {
	t.Helper()
	for name := range object(reportTree(t, model)) {
		tree := reportTree(t, model)
		delete(object(tree), name)
		if schema.Validate(tree) == nil {
			t.Errorf("accepted without %s", name)
		}
	}
	tree := reportTree(t, model)
	object(tree)["more"] = true
	if schema.Validate(tree) == nil {
		t.Error("accepted with an unknown member")
	}
}

func sampleBulletin() *Bulletin {
	number, days, change, lead := 10, 31, -2, "领导甲"
	county, milestone, invested := "county", "started", MoneyFromWan(46123)
	tally := MilestoneTally{DueYear: 9, DueToDate: 7, Done: 6, OnTime: 5, Late: 1, Judged: 8, NewInPeriod: 1, RateToDate: Percent(6, 7), RateYear: Percent(6, 9)}
	counts := MilestoneCounts{Landed: tally, Started: tally}
	investment := InvestmentCount{Plan: MoneyFromWan(45000), Invested: &invested, Rate: Percent(46123, 45000), TimeProgress: Percent(10, 12), VsTime: &Figure{Units: -135, Decimals: 1}}
	return &Bulletin{
		Kind: MonthOf, Period: "2025-10", PeriodStart: NewDate(2025, 10, 1), PeriodEnd: NewDate(2025, 10, 31), ReportingMonth: NewMonth(2025, 10), KnownSeq: 1139, IssueNo: &number, Title: "通报",
		Totals:     Totals{Projects: 2, TotalInvestment: MoneyFromWan(120000) + 50, Cancelled: 1},
		Milestones: counts, Investment: investment,
		Groups: []RankedGroup{
			{Kind: "district", Group: &county, Rows: []RankedRow{{Key: "xiuwu", Name: "修武县", Projects: 2, Milestones: counts, Investment: investment, Completeness: Percent(2, 3), ReportsDue: 9, ReportsOnTime: 8, Score: Quotient(8765, 10000, 100, 2), Rank: &number, RankChange: &change}}},
			{Kind: "lead", Rows: []RankedRow{{Key: "unassigned", Name: "未分包"}}},
		},
		Lagging: []LaggingProject{
			{ProjectID: "P-0012", Name: "项目12", District: "xiuwu", Lead: &lead, Status: StatusSlow, Light: Red, Milestone: &milestone, Target: NewDate(2025, 6, 30), OverdueMonths: 5, LateDays: &days, OpenIssues: 1},
			{ProjectID: "P-0013", Name: "项目13", District: "boai", Status: StatusStalled, Light: NoneOn, ConsecutiveStalledMonths: 2},
		},
		Reached:    []ReachedMilestone{{ProjectID: "P-0012", Name: "项目12", Milestone: "landed", ReachedOn: NewDate(2025, 10, 8)}},
		Upcoming:   []UpcomingMilestone{{ProjectID: "P-0012", Name: "项目12", Milestone: "producing", Target: NewDate(2025, 11, 8)}},
		Unreported: []string{"P-0013"}, Issues: IssueCounts{Raised: 1, Open: 2},
		Method:       MethodCount{Items: MethodTallies{{Key: MethodProject, Satisfied: 1, Applicable: 2}}, Completeness: Percent(1, 2)},
		Cancelled:    []CancelledProject{{ProjectID: "P-0014", Name: "项目14", EffectiveOn: NewDate(2025, 4, 1), Reason: "投资主体退出"}},
		DataQuality:  DataQuality{Orphans: 1, OutOfOrder: []string{"P-0012"}, NoPlan: []string{}},
		Restatements: []Restatement{{Path: "lagging/P-0012/light", Published: json.RawMessage(`"yellow"`), Now: json.RawMessage(`null`)}},
	}
}

func TestBulletinFitsItsSchema(t *testing.T) {
	schema := reportSchema(t, "bulletin")
	full := sampleBulletin()
	if err := schema.Validate(reportTree(t, full)); err != nil {
		t.Errorf("%v", err)
	}
	draft := &Bulletin{
		Kind: Week, Period: "2026-W01", PeriodStart: NewDate(2025, 12, 29), PeriodEnd: NewDate(2026, 1, 4), ReportingMonth: NewMonth(2025, 11),
		Groups: []RankedGroup{}, Lagging: []LaggingProject{}, Reached: []ReachedMilestone{}, Upcoming: []UpcomingMilestone{}, Unreported: []string{}, Method: MethodCount{Items: MethodTallies{}},
		Cancelled: []CancelledProject{}, DataQuality: DataQuality{OutOfOrder: []string{}, NoPlan: []string{}}, Restatements: []Restatement{},
	}
	if err := schema.Validate(reportTree(t, draft)); err != nil {
		t.Errorf("a draft of an empty city: %v", err)
	}
	refuseChanges(t, schema, full, func(tree any) map[string]any { return tree.(map[string]any) })
	refuseChanges(t, schema, full, func(tree any) map[string]any {
		return tree.(map[string]any)["lagging"].([]any)[0].(map[string]any)
	})
	draft.Unreported = nil
	if schema.Validate(reportTree(t, draft)) == nil {
		t.Error("a list that is null was accepted")
	}
}
