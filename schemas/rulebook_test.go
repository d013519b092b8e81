package schemas

import (
	"testing"
	"time"
)

func TestRuleBookByDay(t *testing.T) {
	sets := make([]DatedRules, 3)
	for i, from := range []Date{0, NewDate(2025, 7, 1), NewDate(2026, 1, 1)} {
		sets[i] = DatedRules{From: from, Rules: DefaultRules()}
		sets[i].Rules.ReportDay = 10 + i
	}
	book, err := NewRuleBook(sets, map[int]Date{2024: NewDate(2026, 3, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[Date]int{
		0: 10, NewDate(1950, 1, 1): 10, NewDate(2025, 6, 30): 10, NewDate(2025, 7, 1): 11, NewDate(2025, 12, 31): 11, NewDate(2026, 1, 1): 12, NewDate(2040, 1, 1): 12,
	} {
		if got := book.On(day).ReportDay; got != want {
			t.Errorf("on %s rule set %d, want %d", day, got, want)
		}
	}
	for year, want := range map[int]int{2023: 10, 2024: 12, 2025: 11, 2026: 12} {
		if got := book.OfYear(year).ReportDay; got != want {
			t.Errorf("of %d rule set %d, want %d", year, got, want)
		}
	}
	// Half past eleven at night in UTC is the next day in Shanghai.
	if got := book.Current(time.Date(2025, 12, 31, 23, 30, 0, 0, time.UTC)).ReportDay; got != 12 {
		t.Errorf("at the turn of the year rule set %d, want 12", got)
	}
	if len(book.Sets()) != 3 {
		t.Errorf("%d sets", len(book.Sets()))
	}
}

func TestRuleBookRefusesDaysOutOfOrder(t *testing.T) {
	rules := DefaultRules()
	for _, from := range []Date{NewDate(2025, 1, 1), NewDate(2024, 12, 31)} {
		_, err := NewRuleBook([]DatedRules{{Rules: rules}, {From: NewDate(2025, 1, 1), Rules: rules}, {From: from, Rules: rules}}, nil)
		refusal, ok := err.(*Error)
		if !ok || refusal.Field != "rule_sets[1].from" || refusal.Value != from.String() || refusal.Hint == "" {
			t.Errorf("a set from %s after one from 2025-01-01: %v", from, err)
		}
	}
	if _, err := NewRuleBook(nil, nil); err == nil {
		t.Error("a book without rules")
	}
}

// Events are accepted when any rule set knows what they name.
func TestRuleBookUnitesDistrictsAndNames(t *testing.T) {
	before, after := DefaultRules(), DefaultRules()
	before.Departments, before.DepartmentsClosed = NewDirectory([]Entry{{ID: "a", Name: "甲局"}, {ID: "b", Name: "乙局"}}), true
	before.Leads, before.LeadsClosed = NewDirectory([]Entry{{Name: "领导甲"}}), true
	after.Departments, after.DepartmentsClosed = NewDirectory([]Entry{{ID: "a", Name: "甲局"}, {ID: "b", Name: "丙局", Aliases: []string{"乙局"}}}), true
	after.Leads = before.Leads
	after.Groups = []Group{{"all", "全市"}}
	after.Districts = []District{{"xiuwu", "修武区", "all"}, {"new", "新区", "all"}}
	book, err := NewRuleBook([]DatedRules{{Rules: before}, {From: NewDate(2026, 1, 1), Rules: after}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	union := book.Any()
	if len(union.Districts) != 12 || union.DistrictName("xiuwu") != "修武区" || !union.KnownDistrict("boai") || !union.KnownDistrict("new") || len(union.Groups) != 3 {
		t.Errorf("districts %v of groups %v", union.Districts, union.Groups)
	}
	if got := union.Departments.Entries(); len(got) != 3 || union.DepartmentName("乙局", NewDate(2026, 1, 1)) != "丙局" {
		t.Errorf("departments %v", got)
	}
	if !union.DepartmentsClosed || union.LeadsClosed || len(union.Leads.Entries()) != 1 {
		t.Errorf("closed: departments %t, leads %t of %v", union.DepartmentsClosed, union.LeadsClosed, union.Leads.Entries())
	}
	if len(before.Districts) != 11 || len(after.Districts) != 2 {
		t.Error("a rule set was changed")
	}
	v := NewBookValidator(book)
	for _, code := range []string{"boai", "new"} {
		if _, _, err := v.Decode(changed(t, ProgressReported, "district", `"`+code+`"`)); err != nil {
			t.Errorf("district %s: %v", code, err)
		}
	}
	if _, _, err := v.Decode(changed(t, ProgressReported, "district", `"atlantis"`)); CodeOf(err) != Unknown {
		t.Errorf("district atlantis: %v", err)
	}
	if one := UndatedRules(before); one.Any() != before || one.On(NewDate(2030, 1, 1)) != before || one.OfYear(2020) != before {
		t.Error("a book of one set has other rules")
	}
}
