package alerts

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

func tenth(schemas.Month) int { return 10 }

func day(text string) schemas.Date {
	d, err := schemas.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func ledger(asOf, month string, standings ...schemas.Standing) *schemas.Ledger {
	m, err := schemas.ParseMonth(month)
	if err != nil {
		panic(err)
	}
	return &schemas.Ledger{AsOf: day(asOf), ReportingMonth: m, Standings: standings}
}

func project(id string, change func(*schemas.Standing)) schemas.Standing {
	s := schemas.Standing{ProjectID: id, Name: id + "项目", District: "xiuwu", Holder: schemas.Holder{Lead: "领导甲", Department: "市工业和信息化局"}, Light: schemas.Green}
	if change != nil {
		change(&s)
	}
	return s
}

func texts(alerts []Alert) []string {
	list := []string{}
	for i := range alerts {
		list = append(list, alerts[i].Text())
	}
	return list
}

func TestBetween(t *testing.T) {
	t.Parallel()
	late := 12
	red := func(s *schemas.Standing) { s.Light = schemas.Red }
	issue := func(due, resolved string) func(*schemas.Standing) {
		return func(s *schemas.Standing) {
			i := schemas.IssueStanding{ID: "I-1", Title: "用地手续", Department: "市自然资源局", DueOn: day(due)}
			if resolved != "" {
				i.ResolvedOn = day(resolved)
			}
			s.Issues = []schemas.IssueStanding{i}
		}
	}
	silent := func(s *schemas.Standing) { s.Investment.Unreported = true }
	started := func(s *schemas.Standing) {
		s.Milestones[schemas.Started] = schemas.MilestoneStanding{ReachedOn: day("2026-11-04"), Late: true, LateDays: late}
	}
	for _, c := range []struct {
		name          string
		before, after *schemas.Ledger
		want          []string
	}{
		{"nothing", ledger("2026-11-04", "2026-09", project("P-1", nil)), ledger("2026-11-05", "2026-09", project("P-1", nil)), nil},
		{"turns red", ledger("2026-11-04", "2026-09", project("P-1", nil)), ledger("2026-11-05", "2026-09", project("P-1", red)), []string{"【亮红灯】P-1 P-1项目:亮灯转为红灯"}},
		{"stays red", ledger("2026-11-04", "2026-09", project("P-1", red)), ledger("2026-11-05", "2026-09", project("P-1", red)), nil},
		{"is red and new", ledger("2026-11-04", "2026-09"), ledger("2026-11-05", "2026-09", project("P-1", red)), []string{"【亮红灯】P-1 P-1项目:亮灯转为红灯"}},
		{"turns green", ledger("2026-11-04", "2026-09", project("P-1", red)), ledger("2026-11-05", "2026-09", project("P-1", nil)), nil},
		{"red but cancelled", ledger("2026-11-04", "2026-09", project("P-1", nil)), ledger("2026-11-05", "2026-09", project("P-1", func(s *schemas.Standing) { red(s); s.Cancelled = true })), nil},
		{"deadline ends", ledger("2026-11-04", "2026-09", project("P-1", issue("2026-11-05", ""))), ledger("2026-11-05", "2026-09", project("P-1", issue("2026-11-05", ""))),
			[]string{"【问题逾期】P-1 P-1项目:“用地手续”限 2026-11-05 前解决,尚未销号"}},
		{"deadline ended before", ledger("2026-11-05", "2026-09", project("P-1", issue("2026-11-05", ""))), ledger("2026-11-06", "2026-09", project("P-1", issue("2026-11-05", ""))), nil},
		{"resolved in time", ledger("2026-11-04", "2026-09", project("P-1", issue("2026-11-05", ""))), ledger("2026-11-05", "2026-09", project("P-1", issue("2026-11-05", "2026-11-05"))), nil},
		{"raised when it was late already", ledger("2026-11-04", "2026-09", project("P-1", nil)), ledger("2026-11-05", "2026-09", project("P-1", issue("2026-10-01", ""))),
			[]string{"【问题逾期】P-1 P-1项目:“用地手续”限 2026-10-01 前解决,尚未销号"}},
		{"the 9th", ledger("2026-11-08", "2026-09", project("P-1", nil)), ledger("2026-11-09", "2026-09", project("P-1", silent)), nil},
		{"the 10th", ledger("2026-11-09", "2026-09", project("P-1", nil)), ledger("2026-11-10", "2026-10", project("P-1", silent)), []string{"【应报未报】P-1 P-1项目:2026-10 进度未按期报送"}},
		{"the 11th", ledger("2026-11-10", "2026-10", project("P-1", silent)), ledger("2026-11-11", "2026-10", project("P-1", silent)), nil},
		{"over days without a check", ledger("2026-11-05", "2026-09", project("P-1", nil)), ledger("2026-11-20", "2026-10", project("P-1", silent)), []string{"【应报未报】P-1 P-1项目:2026-10 进度未按期报送"}},
		{"reaches", ledger("2026-11-04", "2026-09", project("P-1", nil)), ledger("2026-11-05", "2026-09", project("P-1", started)), []string{"【节点完成】P-1 P-1项目:开工 于 2026-11-04 完成,晚于目标 12 天"}},
		{"reached before", ledger("2026-11-04", "2026-09", project("P-1", started)), ledger("2026-11-05", "2026-09", project("P-1", started)), nil},
		{"by kind, then project", ledger("2026-11-04", "2026-09"), ledger("2026-11-05", "2026-09", project("P-1", started), project("P-2", red), project("P-3", red)),
			[]string{"【亮红灯】P-2 P-2项目:亮灯转为红灯", "【亮红灯】P-3 P-3项目:亮灯转为红灯", "【节点完成】P-1 P-1项目:开工 于 2026-11-04 完成,晚于目标 12 天"}},
	} {
		if got := texts(Between(c.before, c.after, tenth)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s", c.name, cmp.Diff(c.want, got))
		}
	}
}

func TestCheckDayIsNoMonthEnd(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"2026-10-30": "2026-10-30", "2026-10-31": "2026-10-30", "2026-11-01": "2026-11-01", "2026-02-28": "2026-02-27"} {
		if got := CheckDay(day(given)); got != day(want) {
			t.Errorf("%s: %s", given, got)
		}
	}
}

// TestWhoIsTold holds the grouping against a configuration with an alias, a
// department that answers for an issue only, and somebody who wants red lights
// alone.
func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	rules := *schemas.DefaultRules()
	rules.Departments = schemas.NewDirectory([]schemas.Entry{{ID: "gxj", Name: "市工业和信息化局", Aliases: []string{"市工信局"}}})
	contacts := Contacts{
		Leads:       map[string]Contact{"领导甲": {Kinds: []Kind{TurnedRed}}},
		Departments: map[string]Contact{"gxj": {}, "市自然资源局": {}},
		Districts:   map[string]Contact{"xiuwu": {}},
	}
	found := Between(ledger("2026-11-04", "2026-09"), ledger("2026-11-05", "2026-09",
		project("P-1", func(s *schemas.Standing) { s.Light = schemas.Red }),
		project("P-2", func(s *schemas.Standing) {
			s.Issues = []schemas.IssueStanding{{ID: "I-1", Title: "用地手续", Department: "市自然资源局", DueOn: day("2026-11-05")}}
			s.Holder, s.District = schemas.Holder{Lead: "领导乙", Department: "市工业和信息化局"}, "shanyang"
		})), tenth)
	got := map[string]int{}
	for _, m := range contacts.group(found, &rules, day("2026-11-05")) {
		got[m.name] = len(m.alerts)
	}
	want := map[string]int{"领导甲": 1, "市工业和信息化局": 2, "市自然资源局": 1, districtName(&rules, "xiuwu"): 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
