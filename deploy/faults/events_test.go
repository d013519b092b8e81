package faults

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"milepost/schemas"
)

// office makes up events: of many projects, over four years, in no order of their dates.
type office struct {
	t        *testing.T
	random   *rand.Rand
	rules    *schemas.Rules
	projects int
	made     []*schemas.Event
}

const (
	firstYear = 2022
	lastYear  = 2025
)

func newOffice(t *testing.T, seed uint64, events int) *office {
	return &office{t: t, random: rand.New(rand.NewPCG(seed, 1)), rules: schemas.DefaultRules(), projects: max(20, events/150)}
}

// next makes up an event under an identity of its own.
func (o *office) next() *schemas.Event {
	i := len(o.made)
	n := o.random.IntN(o.projects)
	if i < o.projects {
		n = i // each project is registered first
	}
	year, month := firstYear+o.random.IntN(lastYear-firstYear+1), time.Month(1+o.random.IntN(12))
	day := schemas.NewDate(year, month, 1+o.random.IntN(28))
	note := fmt.Sprintf("第%d项:%s", i, notes[o.random.IntN(len(notes))])
	var (
		data schemas.Data
		kind schemas.Type
	)
	switch choice := o.random.IntN(10); {
	case i < o.projects:
		enterprise := fmt.Sprintf("企业%d有限公司", n)
		day = schemas.NewDate(firstYear, month, 3)
		kind, data = schemas.ProjectRegistered, &schemas.Registered{
			Name: fmt.Sprintf("企业%d年产%d万套部件项目", n, 5+n%90), Enterprise: &enterprise, TotalInvestment: schemas.MoneyFromWan(int64(1000 + o.random.IntN(90000))),
			AnnualPlan:   map[int]schemas.Money{2023: 500000, 2024: 600000, 2025: 700000},
			Targets:      schemas.Targets{day + 60, day + 300, day + 900},
			RegisteredOn: day,
		}
	case choice == 0:
		kind, data = schemas.ProjectAssigned, &schemas.Assigned{Lead: fmt.Sprintf("领导%d", n%9), Department: fmt.Sprintf("部门%d", n%13), EffectiveOn: day}
	case choice == 1:
		kind, data = schemas.MilestonePlanned, &schemas.Planned{Milestone: schemas.Milestones()[n%3], PlannedOn: day + 100, DecidedOn: day, Reason: note}
	case choice == 2:
		kind, data = schemas.MilestoneReached, &schemas.Reached{Milestone: schemas.Milestones()[o.random.IntN(2)], ReachedOn: day, Evidence: []schemas.Evidence{{URI: fmt.Sprintf("milepost:evidence/%d.jpg", i), Note: note}}}
	case choice <= 4:
		kind, data = schemas.IssueRaised, &schemas.Raised{IssueID: fmt.Sprintf("Q-%d", i), Title: note, Category: "land", Department: fmt.Sprintf("部门%d", i%13), RaisedOn: day, DueOn: day + 30}
	default:
		kind, data = schemas.ProgressReported, &schemas.Progress{Month: schemas.NewMonth(year, month), InvestedYTD: schemas.Money(o.random.IntN(90000000)), Note: note}
	}
	district := o.rules.Districts[n%len(o.rules.Districts)].Code
	event := o.event(schemas.Event{
		Source: "/offices/" + district, ID: fmt.Sprintf("e-%06d", i), Type: kind, Subject: fmt.Sprintf("P-%04d", n), District: district,
		Time: (day + 40).Start().Add(time.Duration(o.random.IntN(86400)) * time.Second), Data: data,
	})
	o.made = append(o.made, event)
	return event
}

// conflicting gives another content under the identity of an earlier event: the same fact, sent at another time.
func (o *office) conflicting() *schemas.Event {
	e := *o.earlier()
	e.Time = e.Time.Add(time.Duration(1+o.random.IntN(3)) * time.Hour)
	return o.event(e)
}

// earlier gives an event that was made before.
func (o *office) earlier() *schemas.Event {
	return o.made[len(o.made)-1-o.random.IntN(min(len(o.made), 5000))]
}

func (o *office) event(e schemas.Event) *schemas.Event {
	made, err := schemas.NewEvent(e)
	if err != nil {
		o.t.Error(err) // made up wrongly; it runs on a goroutine of its own
		return &e
	}
	return made
}

var notes = []string{
	"场地平整完成百分之六十,施工便道贯通,临时用电已报装,下一步推进桩基施工并办理规划许可",
	"主体结构封顶,设备基础验收合格,首批设备到场,二次结构与机电安装同步进行,安全文明施工良好",
	"用地指标尚未落实,正在与自然资源部门对接,预计下月上报,期间先行开展勘察设计和环评编制",
	"生产线安装调试,招工培训同步展开,消防验收资料已提交,供气管线接驳完成,计划月底试生产",
}
