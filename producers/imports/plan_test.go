package imports

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"milepost/schemas"
)

// cityMapping is that of a sheet with everything in it, kept by the city.
const cityMapping = `
source: /city/sheet
sender: city
snapshot: {column: 日期}
project: {column: 编号, prefix: P-}
name: {column: 名称}
total_investment: {column: 总投资, default: 0}
district:
  column: 县区
  values: {山阳: shanyang, 修武: xiuwu}
  several: {separator: 、, becomes: jiefang}
  default: macun
lead: {column: 领导}
department: {column: 部门}
annual_plan: [{year: snapshot, column: 年计划}]
milestones:
  landed: {reached: {date: {column: 落地日}}}
  started: {reached: {when: {column: 阶段, in: [开工, 完工], order: [前期, 开工, 完工]}}}
  producing: {planned: [{column: 目标, approved: true}, {column: 预计}]}
progress: {invested_ytd: {column: 完成投资}}
`

const cityHeader = "日期,编号,名称,总投资,县区,领导,部门,年计划,落地日,阶段,目标,预计,完成投资\n"

// desk is an office that imports into a stream kept in memory.
type desk struct {
	t         testing.TB
	mapping   *Mapping
	header    string
	published []PublishedEvent
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	m, err := ParseMapping([]byte(cityMapping), schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, mapping: m, header: cityHeader}
}

var today = schemas.NewDate(2026, 1, 31)

// plan says what an import of rows would do.
func (d *desk) plan(rows ...string) (*Plan, *Reading) {
	d.t.Helper()
	r := &Reading{}
	r.Read(d.mapping, "台账.csv", strings.NewReader(d.header+strings.Join(rows, "\n")), 0, today)
	plan, err := MakePlan(d.mapping, schemas.DefaultRules(), r.Snapshots, d.all)
	if err != nil {
		d.t.Fatal(err)
	}
	return plan, r
}

func (d *desk) all(yield func(PublishedEvent, error) bool) {
	for _, e := range d.published {
		if !yield(e, nil) {
			return
		}
	}
}

// publish puts a plan's events on the stream; an id that is used up changes
// nothing.
func (d *desk) publish(plan *Plan) {
	d.t.Helper()
	check := schemas.NewValidator(schemas.DefaultRules())
	for _, e := range plan.Events {
		event, _, err := check.Decode(e.Raw)
		if err != nil {
			d.t.Fatalf("%v in %s", err, e.Raw)
		}
		if slices.ContainsFunc(d.published, func(p PublishedEvent) bool { return p.Event.ID == event.ID }) {
			continue
		}
		d.published = append(d.published, PublishedEvent{Seq: uint64(len(d.published) + 1), Event: event})
		if r, ok := event.Data.(*schemas.Revoked); ok {
			d.revoke(r.ID)
		}
	}
}

func (d *desk) revoke(id string) {
	d.t.Helper()
	for i := range d.published {
		if d.published[i].Event.ID == id {
			d.published[i].Revoked = true
			return
		}
	}
	d.t.Fatalf("no event %s", id)
}

// idOf finds the published event of a kind on a day.
func (d *desk) idOf(prefix string) string {
	d.t.Helper()
	for _, e := range d.published {
		if strings.HasPrefix(e.Event.ID, prefix) {
			return e.Event.ID
		}
	}
	d.t.Fatalf("no event %s…", prefix)
	return ""
}

// brief writes the events of a plan: the id without its hash, and data.
func brief(plan *Plan) string {
	var lines []string
	for _, e := range plan.Events {
		_, data, _ := strings.Cut(string(e.Raw), `"data":`)
		parts := strings.Split(e.ID, ".")
		lines = append(lines, strings.Join(parts[:3], ".")+" "+strings.TrimSuffix(data, "}"))
	}
	return strings.Join(lines, "\n")
}

// imported imports rows and compares the events and the words of the warnings.
func (d *desk) imported(name, rows, want string, warnings ...string) {
	d.t.Helper()
	plan, r := d.plan(strings.Split(strings.TrimSpace(rows), "\n")...)
	if len(r.Faults)+len(plan.Faults) > 0 {
		d.t.Errorf("%s: refused %+v %+v", name, r.Faults, plan.Faults)
	}
	if got := brief(plan); got != strings.TrimSpace(want) {
		d.t.Errorf("%s: events\n%s\nwanted\n%s", name, got, strings.TrimSpace(want))
	}
	all := append(r.Warnings, plan.Warnings...)
	if len(all) != len(warnings) {
		d.t.Errorf("%s: warnings %+v", name, all)
	}
	for i := range min(len(all), len(warnings)) {
		if !strings.Contains(all[i].Message, warnings[i]) {
			d.t.Errorf("%s: warning %q, wanted %q", name, all[i].Message, warnings[i])
		}
	}
	d.publish(plan)
	again, _ := d.plan(strings.Split(strings.TrimSpace(rows), "\n")...)
	if len(again.Events) > 0 {
		d.t.Errorf("%s: the same file again publishes\n%s", name, brief(again))
	}
}

func TestSnapshotsOfAYear(t *testing.T) {
	d := newDesk(t)
	d.imported("a new project", `2025-03-31,0012,新能源电池基地,12000.5,山阳,领导甲,市工信局,5000,,前期,2026-06-30,2026-06-30,300`, `
2025-03-31.P-0012.registered {"name":"新能源电池基地","total_investment":12000.5,"annual_plan":{"2025":5000},"targets":{"producing":"2026-06-30"},"registered_on":"2025-03-31","district":"shanyang"}
2025-03-31.P-0012.assigned {"lead":"领导甲","department":"市工信局","effective_on":"2025-03-31"}
2025-03-31.P-0012.progress-2025-03 {"month":"2025-03","invested_ytd":300}`)
	d.imported("nothing new but the month", `2025-04-30,0012,新能源电池基地,12000.50,山阳,领导甲,市工信局,5000,,前期,2026-06-30,2026-06-30,300`, `
2025-04-30.P-0012.progress-2025-04 {"month":"2025-04","invested_ytd":300}`)
	d.imported("a slip, a start, a landing and a new lead", `2025-05-31,0012,新能源电池基地,12000.5,山阳,领导乙,市工信局,5000,2025-05-06,开工,2026-06-30,2026-09-30,900`, `
2025-05-31.P-0012.assigned {"lead":"领导乙","department":"市工信局","effective_on":"2025-05-31"}
2025-05-31.P-0012.reached-landed {"milestone":"landed","reached_on":"2025-05-06"}
2025-05-31.P-0012.reached-started {"milestone":"started","reached_on":"2025-05-31"}
2025-05-31.P-0012.planned-producing {"milestone":"producing","planned_on":"2026-09-30","decided_on":"2025-05-31","approved":false}
2025-05-31.P-0012.progress-2025-05 {"month":"2025-05","invested_ytd":900}`)
	d.imported("blank cells say nothing", `2025-06-30,0012,,,,,,,,,,,`, ``, "is blank in the snapshot")
	d.imported("values return", `2025-07-31,0012,新能源电池基地,12000.5,山阳,领导甲,市工信局,5000,2025-05-06,开工,2026-06-30,2026-06-30,`, `
2025-07-31.P-0012.assigned {"lead":"领导甲","department":"市工信局","effective_on":"2025-07-31"}
2025-07-31.P-0012.planned-producing {"milestone":"producing","planned_on":"2026-06-30","decided_on":"2025-07-31","approved":false}`)
	d.imported("a new target that is approved, the forecast as it was", `2025-08-31,0012,,,,,,,2025-05-06,,2026-12-31,2026-06-30,`, `
2025-08-31.P-0012.planned-producing {"milestone":"producing","planned_on":"2026-12-31","decided_on":"2025-08-31","approved":true}
2025-08-31.P-0012.planned-producing {"milestone":"producing","planned_on":"2026-06-30","decided_on":"2025-08-31","approved":false}`)
	d.imported("a move and a phase that goes back", `2025-09-30,0012,,,修武,,,6000,2025-05-06,前期,,,`, `
2025-09-30.P-0012.amended {"effective_on":"2025-09-30","annual_plan":{"2025":6000},"district":"xiuwu"}`, "started reached is on record")
	d.imported("a landing that was earlier", `2025-10-31,0012,,,修武,,,6000,2025-04-28,,,,`, `
2025-10-31.P-0012.reached-landed {"milestone":"landed","reached_on":"2025-04-28"}
2025-10-31.P-0012.revoked {"revokes":{"source":"/city/sheet","id":"`+d.idOf("2025-05-31.P-0012.reached-landed")+`"},"reason":"the snapshot of 2025-10-31 gives 2025-04-28 instead of 2025-05-06","decided_on":"2025-10-31"}`)
}

func TestOneImportOfAllIsAsOneByOne(t *testing.T) {
	rows := []string{
		`2025-04-30,1,甲,10,山阳,领导甲,部门甲,5,,前期,,2026-01-01,1`,
		`2025-03-31,1,甲,11,山阳,领导甲,部门甲,5,,前期,,2026-02-01,1`,
		`2025-05-31,1,甲,10,修武,领导乙,部门甲,6,2025-05-01,开工,,2026-01-01,2`,
		`2025-05-31,2,乙,10,"山阳、修武",领导乙,部门乙,6,,开工,,,2`,
	}
	together := newDesk(t)
	plan, _ := together.plan(rows...)
	together.publish(plan)
	apart := newDesk(t)
	for _, i := range []int{1, 0, 2, 3} {
		p, _ := apart.plan(rows[i])
		apart.publish(p)
	}
	list := func(d *desk) (ids []string) {
		for _, e := range d.published {
			ids = append(ids, e.Event.ID)
		}
		return ids
	}
	if a, b := list(together), list(apart); len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("together\n%s\napart\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	if plan.Added != 2 || plan.Changed != 0 {
		t.Errorf("added %d changed %d", plan.Added, plan.Changed)
	}
	if again, _ := together.plan(rows...); len(again.Events) != 0 || again.Unchanged != 2 {
		t.Errorf("again: %s", brief(again))
	}
}

func TestCorrectedReissueOfADate(t *testing.T) {
	d := newDesk(t)
	row := func(total, forecast, invested string) string {
		return "2025-03-31,1,甲," + total + ",山阳,,,,,,," + forecast + "," + invested
	}
	d.publish(first(d.plan(row("10", "2026-01-01", "1"))))
	b := `
2025-03-31.P-1.amended {"effective_on":"2025-03-31","total_investment":20}
2025-03-31.P-1.planned-producing {"milestone":"producing","planned_on":"2026-05-01","decided_on":"2025-03-31","approved":false}
2025-03-31.P-1.progress-2025-03 {"month":"2025-03","invested_ytd":2}`
	d.imported("corrected", row("20", "2026-05-01", "2"), b)
	d.imported("corrected back", row("10", "2026-01-01", "1"), strings.NewReplacer(":20}", ":10}", "2026-05-01", "2026-01-01", ":2}", ":1}").Replace(b))
	d.imported("and once more", row("20", "2026-05-01", "2"), b)
}

func first(plan *Plan, _ *Reading) *Plan { return plan }

func TestOlderSnapshotAfterANewerOne(t *testing.T) {
	d := newDesk(t)
	d.publish(first(d.plan(
		`2025-03-31,1,甲,10,山阳,领导甲,部门甲,,2025-02-01,前期,,2026-01-01,1`,
		`2025-06-30,1,甲,10,山阳,领导甲,部门甲,,2025-02-01,开工,,2026-01-01,1`)))
	d.imported("in between, another forecast and an earlier start", `2025-05-31,1,甲,10,山阳,领导甲,部门甲,,2025-01-15,开工,,2026-04-01,7`, `
2025-05-31.P-1.reached-started {"milestone":"started","reached_on":"2025-05-31"}
2025-05-31.P-1.planned-producing {"milestone":"producing","planned_on":"2026-04-01","decided_on":"2025-05-31","approved":false}
2025-05-31.P-1.progress-2025-05 {"month":"2025-05","invested_ytd":7}`, "left it so; that stays", "goes by the later date 2025-06-30", "import the newer snapshot again")
	d.imported("the newer one again, as told", `2025-06-30,1,甲,10,山阳,领导甲,部门甲,,2025-02-01,开工,,2026-01-01,1`, `
2025-06-30.P-1.planned-producing {"milestone":"producing","planned_on":"2026-01-01","decided_on":"2025-06-30","approved":false}`)
	d.imported("older than all", `2025-01-31,1,乙,10,山阳,,,,,,,,`, `
2025-01-31.P-1.registered {"name":"乙","total_investment":10,"registered_on":"2025-01-31","district":"shanyang"}`)
}

func TestWhatAPersonRevokedIsNotSentAgain(t *testing.T) {
	d := newDesk(t)
	d.publish(first(d.plan(`2025-03-31,1,甲,10,山阳,领导甲,部门甲,5,,开工,,2026-01-01,1`)))
	d.publish(first(d.plan(`2025-04-30,1,甲,12,山阳,领导乙,部门甲,5,,开工,,2026-05-01,2`)))
	for _, kind := range []string{"2025-03-31.P-1.reached-started", "2025-04-30.P-1.amended", "2025-04-30.P-1.assigned", "2025-04-30.P-1.planned", "2025-04-30.P-1.progress"} {
		d.revoke(d.idOf(kind))
	}
	warnings := []string{"total_investment 12 was revoked", "领导乙 / 部门甲 was revoked", "started reached was revoked", "2026-05-01 was revoked", "invested_ytd 2025-04 2 was revoked"}
	d.imported("the same file", `2025-04-30,1,甲,12,山阳,领导乙,部门甲,5,,开工,,2026-05-01,2`, ``, warnings...)
	d.imported("the next month claims on", `2025-05-31,1,甲,12,山阳,领导乙,部门甲,5,,开工,,2026-05-01,`, ``, warnings[:4]...)
	d.imported("something else, then the same again", "2025-06-30,1,甲,13,山阳,,,5,,,,,\n2025-07-31,1,甲,12,山阳,,,5,,,,,", `
2025-06-30.P-1.amended {"effective_on":"2025-06-30","total_investment":13}
2025-07-31.P-1.amended {"effective_on":"2025-07-31","total_investment":12}`)

	d.publish(first(d.plan(`2025-03-31,2,乙,10,山阳,,,,,,,,`)))
	d.revoke(d.idOf("2025-03-31.P-2.registered"))
	d.imported("a project that was revoked", `2025-04-30,2,乙,11,山阳,,,,,,,,5`, ``, "was revoked and the file still has the project")
}

func TestRowsThatAreRefused(t *testing.T) {
	d := newDesk(t)
	plan, r := d.plan(
		`2025-03-31,1,甲,10,山阳,,,,,,,,`,
		`2025-02-30,2,甲,10,山阳,,,,,,,,`,
		`2026-03-31,3,甲,10,山阳,,,,,,,,`,
		`2025-03-31,项目四,甲,10,山阳,,,,,,,,`,
		`2025-03-31,5,甲,ten,金星,,,-3,2025-04-01,,13/13/2026,,1e99`,
		`2025-03-31,6,,10,山阳,,,,,,,,`,
		`2025-03-31,7,甲,10`,
		`,,,,,,,,,,,,`,
		`2025-03-31,8,甲,10,山阳,,,,,,,,,,`,
		`2025-03-31,9,`+strings.Repeat("长", 400)+`,10,山阳,,,,,,,,`,
		`2025-03-31,1/a,甲,10,山阳,,,,,,,,`,
		`2025-03-31,1 a,甲,10,山阳,,,,,,,,`,
	)
	var got []string
	for _, f := range append(r.Faults, plan.Faults...) {
		if f.File != "台账.csv" || f.Row == 0 || f.Message == "" {
			t.Errorf("fault %+v", f)
		}
		got = append(got, fmt.Sprintf("%d:%s:%s", f.Row, f.Column, f.Value))
	}
	slices.Sort(got)
	want := []string{"10:名称:", "13:编号:1 a", "3:日期:2025-02-30", "4:日期:2026-03-31", "5:编号:项目四", "6:县区:金星", "6:完成投资:1e99", "6:年计划:-3", "6:总投资:ten", "6:目标:13/13/2026", "6:落地日:2025-04-01", "7:名称:", "8::"}
	for i := range got {
		if strings.HasPrefix(got[i], "11:名称:") {
			got[i] = "10:名称:"
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("faults\n%q\nwanted\n%q", got, want)
	}
	if refused := r.Refused + plan.Refused; refused != 8 {
		t.Errorf("%d rows refused", refused)
	}
	var registered []string
	for _, e := range plan.Events {
		registered = append(registered, e.ProjectID)
	}
	if !slices.Equal(registered, []string{"P-1", "P-8", "P-1-a"}) {
		t.Errorf("registered %q", registered)
	}
}

func TestRepeatedRowsOfAProject(t *testing.T) {
	d := newDesk(t)
	d.imported("equal", "2025-03-31,1,甲,10,山阳,,,,,,,,\n2025-03-31,1, 甲 ,10.0,山阳,,,,,,,,", `
2025-03-31.P-1.registered {"name":"甲","total_investment":10,"registered_on":"2025-03-31","district":"shanyang"}`)
	d.imported("different", "2025-03-31,2,甲,10,山阳,,,,,,,,\n2025-03-31,2,甲,11,山阳,,,,,,,,", `
2025-03-31.P-2.registered {"name":"甲","total_investment":11,"registered_on":"2025-03-31","district":"shanyang"}`, "stands twice")
}

func TestDefaultsGiveWay(t *testing.T) {
	d := newDesk(t)
	d.imported("nothing known", `2025-03-31,1,甲,,,领导甲,,,,,,,`, `
2025-03-31.P-1.registered {"name":"甲","total_investment":0,"registered_on":"2025-03-31","district":"macun"}`, "not assigned")
	d.imported("known", `2025-04-30,1,甲,12,山阳,领导甲,部门甲,,,,,,`, `
2025-04-30.P-1.amended {"effective_on":"2025-04-30","total_investment":12,"district":"shanyang"}
2025-04-30.P-1.assigned {"lead":"领导甲","department":"部门甲","effective_on":"2025-04-30"}`)
	d.imported("blank again", `2025-05-31,1,甲,,,,部门乙,,,,,,`, `
2025-05-31.P-1.assigned {"lead":"领导甲","department":"部门乙","effective_on":"2025-05-31"}`)
}

func TestPublishedThatCannotBeRead(t *testing.T) {
	d := newDesk(t)
	broken := errors.New("broken")
	_, err := MakePlan(d.mapping, schemas.DefaultRules(), nil, func(yield func(PublishedEvent, error) bool) { yield(PublishedEvent{}, broken) })
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
