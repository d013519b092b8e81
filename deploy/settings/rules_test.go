package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

// configured reads a configuration file with the text.
func configured(t *testing.T, text string) Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "milepost.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c.WithDefaults()
}

func TestRulesConfigurationNamesEveryMistake(t *testing.T) {
	const late = "rule_sets:\n  - from: 2026-01-01\n    "
	const districts = "groups: [{code: g, name: 组}]\ndistricts: "
	const twice = "departments: [{id: a, name: 甲局, aliases: [甲], to: 2020-12-31}, {id: b, name: 乙局, aliases: [甲], from: 2020-12-31}]"
	for text, want := range map[string]string{
		"report_day: 29":              "report_day: out of range (got 29); from 1 to 28",
		"report_day: 0":               "report_day: out of range (got 0); from 1 to 28",
		"yellow_months: 0":            "yellow_months: out of range (got 0); from 1 to 120",
		"yellow_months: 4":            "red_months: out of range (got 3); from 4 to 120",
		"red_months: 121":             "red_months: out of range (got 121); from 1 to 120",
		"yellow_lag: -1":              "yellow_lag: out of range (got -1); from 0 to 100",
		"red_lag: 5":                  "red_lag: out of range (got 5); from 10 to 100",
		"stalled_months: 25":          "stalled_months: out of range (got 25); from 1 to 24",
		"weights: {landed: -1}":       "weights.landed: out of range (got -1); from 0 to 1000",
		"weights: {investment: 1001}": "weights.investment: out of range (got 1001); from 0 to 1000",
		"weights: {landed: 0, started: 0, producing: 0, ledger: 0, investment: 0}": "weights: all weights are 0; give at least one item a weight above 0",
		"method: []":                                    "method: a method without items (got []); choose of project, lead, department, ledger, schedule, bulletin, closure",
		"method: [{key: leader}]":                       "method[0].key: no such item (got leader); choose of project, lead, department, ledger, schedule, bulletin, closure",
		"method: [{key: lead}, {key: lead}]":            "method[1].key: the item is listed twice (got lead); list each item once",
		"assessment: {bonus_points: 101}":               "assessment.bonus_points: out of range (got 101); from 0 to 100",
		"assessment: {penalty_months: 0}":               "assessment.penalty_months: out of range (got 0); from 1 to 120",
		"assessment: {good: 95}":                        "assessment.excellent: out of range (got 90); from 95 to 100",
		"assessment: {pass: 81}":                        "assessment.good: out of range (got 80); from 81 to 100",
		districts + "[{code: A, name: 甲, group: g}]":    "districts[0].code: not a district code (got A); use 1 to 40 of a-z, 0-9, _ and -",
		districts + "[{code: city, name: 甲, group: g}]": `districts[0].code: the code is taken (got city); give each district its own; "city" is the city office`,
		districts + "[{code: a, group: g}]":             "districts[0].name: a district needs a name",
		districts + "[{code: a, name: 甲, group: h}]":    "districts[0].group: no such group (got h); name one of groups",
		"groups: [{code: county, name: 组}, {code: urban, name: 组}, {code: urban, name: 组}]": "groups[2]: a group needs its own code and a name (got urban)",
		"leads: [{id: l1}]":                                        "leads[0].name: an entry needs a name",
		"leads: [{name: 领导甲, aliases: ['']}]":                      "leads[0].aliases: an alias without text; leave it out",
		"leads: [{name: 领导甲, from: 2025-02-30}]":                   "leads[0].from: not a date (got 2025-02-30); write YYYY-MM-DD, or leave it out",
		"leads: [{name: 领导甲, from: 2025-02-02, to: 2025-02-01}]":   "leads[0].to: before from (got 2025-02-01); an entry ends on or after the day on which it begins",
		"leads: [{name: " + strings.Repeat("甲", 301) + "}]":        "leads[0]: too long for a name (got " + strings.Repeat("甲", 80) + "…); at most 300 characters",
		"leads: [{id: l1, name: 领导甲}, {name: 领导乙, aliases: [l1]}]": "leads[1]: stands for leads[0] as well on the same day (got l1); give one of them another name, or days that do not overlap",
		twice:                           "departments[1]: stands for departments[0] as well on the same day (got 甲); give one of them another name, or days that do not overlap",
		"departments_closed: true":      "departments_closed: a closed list without names would refuse every name (got true); list departments, or leave it open",
		"leads_closed: true":            "leads_closed: a closed list without names would refuse every name (got true); list leads, or leave it open",
		"rule_sets: [{report_day: 12}]": "rule_sets[0].from: not a date; write the day from which the rule set holds as YYYY-MM-DD",
		"rule_sets: [{from: 2026-01-01}, {from: 2026-01-01}]": "rule_sets[1].from: not after the day of the rule set before (got 2026-01-01); order the rule sets by day, each with its own",
		late + "report_day: 31":                               "rule_sets[0].report_day: out of range (got 31); from 1 to 28",
		late + "red_months: 2\n    yellow_months: 3":          "rule_sets[0].red_months: out of range (got 2); from 3 to 120",
		late + "districts: [{code: a, name: 甲, group: h}]":    "rule_sets[0].districts[0].group: no such group (got h); name one of groups",
		late + "leads: [{name: ''}]":                          "rule_sets[0].leads[0].name: an entry needs a name",
		"year_rules: {2025: july}":                            "year_rules.2025: not a date (got july); write a day of the rules that the year follows as YYYY-MM-DD",
		"year_rules: {25: 2025-07-01}":                        "year_rules.25: not a year (got 2025-07-01); write a year from 1900 to 2299",
	} {
		c := configured(t, text)
		err := c.Check()
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestRulesConfigurationListsMistakesTogether(t *testing.T) {
	c := configured(t, "report_day: 40\nweights: {ledger: -5}\nrule_sets:\n  - {from: never, stalled_months: 0}\nyear_rules: {2026: x, 2025: y}\nlisten: nowhere\n")
	err := c.Check()
	var fields []string
	for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
		var wrong *schemas.Error
		if !errors.As(one, &wrong) || wrong.Code != schemas.Invalid || wrong.Hint == "" {
			t.Errorf("%v", one)
			continue
		}
		fields = append(fields, wrong.Field)
	}
	want := []string{"listen", "report_day", "weights.ledger", "rule_sets[0].from", "rule_sets[0].stalled_months", "year_rules.2025", "year_rules.2026"}
	if difference := cmp.Diff(want, fields); difference != "" {
		t.Error(difference)
	}
}

func TestRuleSetsKeepWhatTheyDoNotName(t *testing.T) {
	c := configured(t, `
report_day: 12
leads: [{id: l1, name: 领导甲}]
departments:
  - {id: gxw, name: 市工信委, to: 2018-12-31}
  - {id: gxj, name: 市工信局, aliases: [市工信委], from: 2019-01-01}
method: [{key: lead}, {key: closure, name: 包到底}]
rule_sets:
  - from: 2025-07-01
    weights: {landed: 40}
    assessment: {bonus_points: 5}
  - from: 2026-01-01
    report_day: 8
    leads_closed: true
    assessment: {accountability: false}
    method: [{key: project, name: 项目}]
year_rules: {2025: 2025-06-30}
`)
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	book, err := c.RuleBook()
	if err != nil {
		t.Fatal(err)
	}
	want := schemas.DefaultRules()
	want.ReportDay = 12
	want.Leads = schemas.NewDirectory([]schemas.Entry{{ID: "l1", Name: "领导甲"}})
	want.Departments = schemas.NewDirectory([]schemas.Entry{
		{ID: "gxw", Name: "市工信委", To: schemas.NewDate(2018, 12, 31)}, {ID: "gxj", Name: "市工信局", Aliases: []string{"市工信委"}, From: schemas.NewDate(2019, 1, 1)},
	})
	want.Method = []schemas.MethodItem{{Key: "lead", Name: "一名市级领导"}, {Key: "closure", Name: "包到底"}}
	first := *want
	want.Weights.Milestones[schemas.Landed] = 40
	numbers := want.Assessing()
	numbers.BonusPoints = 5
	want.Assessment = &numbers
	second := *want
	want.ReportDay, want.LeadsClosed, want.Method = 8, true, []schemas.MethodItem{{Key: "project", Name: "项目"}}
	last := numbers
	last.Accountability = false
	want.Assessment = &last
	for _, c := range []struct {
		name string
		got  *schemas.Rules
		want schemas.Rules
	}{
		{"before", book.On(schemas.NewDate(2025, 6, 30)), first},
		{"2025-07-01", book.On(schemas.NewDate(2025, 7, 1)), second},
		{"2025-12-31", book.On(schemas.NewDate(2025, 12, 31)), second},
		{"2026-01-01", book.On(schemas.NewDate(2026, 1, 1)), *want},
		{"the year 2024", book.OfYear(2024), first},
		{"the year 2025", book.OfYear(2025), first},
		{"the year 2026", book.OfYear(2026), *want},
	} {
		if difference := cmp.Diff(&c.want, c.got); difference != "" {
			t.Errorf("%s: %s", c.name, difference)
		}
	}
}

// The sample with every line of its rules taken out of the comments is a
// configuration that holds.
func TestSampleConfigurationReads(t *testing.T) {
	sample, err := os.ReadFile("../examples/milepost.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, found := strings.Cut(string(sample), "# The rules of judgment")
	if !found {
		t.Fatal("no rules in the sample")
	}
	var text strings.Builder
	for _, line := range strings.Split(rules, "\n")[1:] {
		if bare, commented := strings.CutPrefix(line, "# "); commented && !strings.HasPrefix(bare, "The ") && !strings.HasPrefix(bare, "Rules ") {
			text.WriteString(bare + "\n")
		}
	}
	c := configured(t, text.String())
	if err := c.Check(); err != nil {
		t.Fatalf("%s\n%v", text.String(), err)
	}
	if len(c.RuleSets) == 0 || len(c.YearRules) == 0 || c.DepartmentsClosed == nil || c.Weights.Landed == nil || c.Assessment.Pass == nil || len(c.Method) == 0 {
		t.Errorf("the sample does not show every key:\n%s", text.String())
	}
}
