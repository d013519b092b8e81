// Package demo makes up a city: its projects, what its offices report in 2025,
// and what goes wrong. Every name is made up.
package demo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"milepost/schemas"
)

// projectCount is how many projects the city has.
const projectCount = 66

// lastDay is the day up to which the city has reported: its October bulletin
// can be made.
var lastDay = schemas.NewDate(2025, 11, 20)

// Events gives the city's events in the order in which its offices sent them.
// The same seed gives the same events.
func Events(seed uint64) ([]*schemas.Event, error) {
	c := &city{random: rand.New(rand.NewPCG(seed, 2025)), rules: schemas.DefaultRules()}
	for i := range projectCount {
		c.project(i + 1)
	}
	if c.err != nil {
		return nil, c.err
	}
	slices.SortStableFunc(c.events, func(a, b *schemas.Event) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID))
	})
	return c.events, nil
}

type city struct {
	random *rand.Rand
	rules  *schemas.Rules
	events []*schemas.Event
	err    error
}

var (
	departments = []string{"市发展改革委", "市工业和信息化局", "市商务局", "市科技局", "市交通运输局", "市农业农村局", "市文化广电和旅游局", "市自然资源和规划局"}
	leads       = []string{"领导甲", "领导乙", "领导丙", "领导丁", "领导戊", "领导己", "领导庚", "领导辛", "领导壬", "领导癸"}
	industries  = []string{"装备制造", "新材料", "食品加工", "生物医药", "新能源", "现代物流", "文旅康养", "电子信息"}
	products    = []string{"年产%d万套精密部件", "年产%d万吨新型建材", "年产%d万吨健康食品", "年产%d万件医用耗材", "年产%d兆瓦光伏组件", "智慧物流园(%d万平方米)", "康养小镇(%d公顷)", "年产%d万片显示模组"}
	troubles    = []struct{ category, title string }{
		{"land", "用地指标尚未落实"}, {"finance", "项目贷款未到位"}, {"approval", "环评批复滞后"}, {"utilities", "供电线路未迁改"},
		{"labour", "熟练工招工不足"}, {"environment", "扬尘管控期间停工"}, {"other", "进场道路未贯通"},
	}
)

// project makes up the life of one project.
func (c *city) project(n int) {
	r := c.random
	p := &project{city: c, id: fmt.Sprintf("P-%04d", n), district: c.rules.Districts[r.IntN(len(c.rules.Districts))].Code}
	p.registered = schemas.NewDate(2024, 9, 1) + schemas.Date(r.IntN(300))
	p.pace = 0.75 + 0.4*r.Float64()
	if r.IntN(6) == 0 {
		p.pace = 0.25 // one in six lags badly
	}
	kind := r.IntN(len(industries))
	p.total = schemas.MoneyFromWan(int64(r.IntN(60)+4) * 2500)
	p.plan = p.total / 100 * schemas.Money(40+r.IntN(40))
	targets := schemas.Targets{p.registered + 45, p.registered + 120 + schemas.Date(r.IntN(60)), p.registered + 300 + schemas.Date(r.IntN(200))}
	enterprise := fmt.Sprintf("企业%d有限公司", n)
	p.send(p.registered, &schemas.Registered{
		Name: fmt.Sprintf("企业%d"+products[kind]+"项目", n, 5+r.IntN(90)), Enterprise: &enterprise, Industry: &industries[kind],
		Tags: []string{"省重点", "市重点"}[r.IntN(2):], TotalInvestment: p.total,
		AnnualPlan: map[int]schemas.Money{2025: p.plan, 2026: p.total - p.plan}, Targets: targets, RegisteredOn: p.registered,
	})
	if n%17 != 0 { // a few have nobody who answers for them
		p.send(p.registered+3, &schemas.Assigned{Lead: leads[r.IntN(len(leads))], Department: departments[r.IntN(len(departments))], EffectiveOn: p.registered + 1})
	}
	p.milestones(targets)
	p.progress()
	p.troubles()
	switch n {
	case 23:
		p.fromCity(schemas.NewDate(2025, 8, 4), &schemas.StatusChange{EffectiveOn: schemas.NewDate(2025, 8, 1), Reason: "产业政策调整,暂缓建设", Document: "市府办〔2025〕示例1号"}, schemas.ProjectSuspended)
	case 41:
		p.fromCity(schemas.NewDate(2025, 9, 8), &schemas.StatusChange{EffectiveOn: schemas.NewDate(2025, 9, 5), Reason: "投资方撤资", Document: "市府办〔2025〕示例2号"}, schemas.ProjectCancelled)
	}
}

type project struct {
	city       *city
	id         string
	district   string
	registered schemas.Date
	pace       float64 // 1: as planned
	total      schemas.Money
	plan       schemas.Money
	count      int
}

// milestones reaches each milestone late by what the pace leaves behind; a slow
// project asks for a later date, and the city approves some.
func (p *project) milestones(targets schemas.Targets) {
	r := p.city.random
	for _, m := range schemas.Milestones() {
		span := float64(targets[m] - p.registered)
		fact := p.registered + schemas.Date(span/p.pace*(0.92+0.12*r.Float64()))
		if slip := fact - targets[m]; slip > 60 && targets[m] <= lastDay {
			decided := targets[m] - 20
			plan := &schemas.Planned{Milestone: m, PlannedOn: targets[m] + slip/2, DecidedOn: decided, Reason: "前期手续办理滞后"}
			if r.IntN(3) == 0 {
				plan.Approved, plan.Document = true, "市府办〔2025〕示例3号"
				p.fromCity(decided+2, plan, schemas.MilestonePlanned)
			} else {
				p.send(decided+1, plan)
			}
		}
		if fact > lastDay {
			return
		}
		p.send(fact+schemas.Date(1+r.IntN(4)), &schemas.Reached{Milestone: m, ReachedOn: fact, Evidence: []schemas.Evidence{{URI: "milepost:evidence/" + p.id + "/" + m.String() + ".jpg", Note: "现场照片"}}})
	}
}

// progress reports each month of 2025 by the 10th of the next, most of the
// time.
func (p *project) progress() {
	r := p.city.random
	var invested schemas.Money
	for month := schemas.NewMonth(2025, time.January); month <= schemas.NewMonth(2025, time.October); month++ {
		if month < p.registered.Month() {
			continue
		}
		step := float64(p.plan) / 12 * p.pace * (0.8 + 0.5*r.Float64())
		if p.pace < 0.5 && month.Number() >= 7 {
			step = 0 // it stands still
		}
		invested += schemas.Money(step) / 100 * 100
		sent := (month + 1).Day(3 + r.IntN(6))
		switch r.IntN(20) {
		case 0:
			continue // not reported
		case 1:
			sent += 8 // late
		}
		if sent <= lastDay {
			p.send(sent, &schemas.Progress{Month: month, InvestedYTD: invested, Note: []string{"场地平整", "基础施工", "主体施工", "设备安装", "试生产"}[min(4, month.Number()/2)]})
		}
	}
}

func (p *project) troubles() {
	r := p.city.random
	for i := range r.IntN(3) {
		t := troubles[r.IntN(len(troubles))]
		raised := max(p.registered, schemas.NewDate(2025, 1, 10)) + schemas.Date(r.IntN(200))
		if raised > lastDay {
			return
		}
		issue := fmt.Sprintf("Q-%d", i+1)
		due := raised + 30 + schemas.Date(r.IntN(30))
		p.send(raised+1, &schemas.Raised{IssueID: issue, Title: t.title, Category: t.category, Department: departments[r.IntN(len(departments))], RaisedOn: raised, DueOn: due})
		if resolved := due - 10 + schemas.Date(r.IntN(40)); r.IntN(4) > 0 && resolved < lastDay {
			p.send(resolved+1, &schemas.Resolved{IssueID: issue, ResolvedOn: resolved, Resolution: "已协调解决"})
		}
	}
}

// send has the district's office send data on a day.
func (p *project) send(day schemas.Date, data schemas.Data) {
	p.add(day, p.district, data, typeOf(data))
}

// fromCity has the city office send data on a day.
func (p *project) fromCity(day schemas.Date, data schemas.Data, t schemas.Type) {
	p.add(day, schemas.CityDistrict, data, t)
}

func (p *project) add(day schemas.Date, district string, data schemas.Data, t schemas.Type) {
	if day > lastDay {
		return
	}
	p.count++
	minutes := 8*60 + p.city.random.IntN(10*60)
	e, err := schemas.NewEvent(schemas.Event{
		Source: "/offices/" + district, ID: fmt.Sprintf("%s-%03d", strings.ToLower(p.id), p.count), Type: t, Subject: p.id, District: district,
		Time: day.Start().Add(time.Duration(minutes) * time.Minute), Data: data,
	})
	if err != nil && p.city.err == nil {
		p.city.err = fmt.Errorf("event %d of the demonstration's %s: %w", p.count, p.id, err)
	}
	p.city.events = append(p.city.events, e)
}

func typeOf(data schemas.Data) schemas.Type {
	switch data.(type) {
	case *schemas.Registered:
		return schemas.ProjectRegistered
	case *schemas.Assigned:
		return schemas.ProjectAssigned
	case *schemas.Planned:
		return schemas.MilestonePlanned
	case *schemas.Reached:
		return schemas.MilestoneReached
	case *schemas.Progress:
		return schemas.ProgressReported
	case *schemas.Raised:
		return schemas.IssueRaised
	}
	return schemas.IssueResolved
}
