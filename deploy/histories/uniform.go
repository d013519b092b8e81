package histories

import (
	"fmt"
	"iter"
	"time"

	"milepost/schemas"
)

// The life of a project in [Uniform]: a registration, an assignment, and 38 more
// events over the 36 months of 2023, 2024 and 2025.
const eventsPerLife = 40

var firstMonth = schemas.NewMonth(2023, time.January)

// Uniform yields n made-up events of real shape over three years, in the order
// in which offices would send them; all are valid and no two have the same
// identity. They vary in type, length, members and wording, and the same n
// gives the same events. Their ids are random, as those of programs are, which
// is the harder case for a table ordered by identity.
func Uniform(n int) iter.Seq2[*schemas.Event, error] {
	districts := schemas.DefaultRules().DistrictCodes()
	projects := (n + eventsPerLife - 1) / eventsPerLife
	return func(yield func(*schemas.Event, error) bool) {
		for i := range n {
			f := fact{project: i % projects, step: i / projects, random: scramble(uint64(i))}
			if !yield(f.event(districts)) {
				return
			}
		}
	}
}

// scramble makes a number that looks random of one that does not (the mixing
// steps of SplitMix64).
func scramble(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// fact is one event of a project's life before it is written down.
type fact struct {
	project, step int
	random        uint64
}

// of picks one of the texts; each place picks by other bits.
func (f fact) of(place int, texts []string) string {
	return texts[f.number(place, len(texts))]
}

func (f fact) number(place, below int) int {
	return int(scramble(f.random+uint64(place)) % uint64(below))
}

var (
	works = []string{"主体工程", "基础工程", "厂房钢结构", "设备安装", "室外管网", "生产线调试", "综合楼装修", "场地平整", "高压配电工程", "消防工程"}
	marks = []string{"按计划推进", "完成过半", "全部完成", "受雨季影响略有滞后", "已通过验收", "正在抢工", "进入收尾阶段", "已完成招标,施工单位进场"}
	goods = []string{"精密部件", "新型建材", "健康食品", "医用耗材", "光伏组件", "显示模组", "智能装备", "特种纤维"}
	risks = []string{"用地指标尚未落实", "项目贷款未到位", "环评批复滞后", "供电线路未迁改", "熟练工招工不足", "进场道路未贯通"}
	fixes = []string{"已协调解决", "专题会议议定,手续办结", "银行已放款", "线路迁改完成"}
	trade = []string{"装备制造", "新材料", "食品加工", "生物医药", "新能源", "现代物流", "文旅康养", "电子信息"}
)

func (f fact) event(districts []string) (*schemas.Event, error) {
	kind, data, day := f.content()
	district := districts[f.project%len(districts)]
	e := schemas.Event{
		Source: "/offices/" + district, ID: fmt.Sprintf("%016x-%08x", f.random, uint32(f.project)), Type: kind,
		Subject: fmt.Sprintf("P-%06d", f.project+1), District: district, Data: data,
		Time: day.Start().Add(8*time.Hour + time.Duration(f.number(1, 9*3600))*time.Second),
	}
	if f.number(2, 4) == 0 { // an office with tracing
		e.Extensions = fmt.Sprintf(`{"traceparent":"00-%016x%016x-%016x-01"}`, f.random, scramble(f.random), scramble(f.random+7))
	}
	return schemas.NewEvent(e)
}

// content gives the type and data, and the day on which it is sent.
func (f fact) content() (schemas.Type, schemas.Data, schemas.Date) {
	registered := schemas.NewDate(2023, time.January, 2) + schemas.Date(f.project%28)
	switch f.step {
	case 0:
		enterprise, industry := fmt.Sprintf("企业%d有限公司", f.project+1), f.of(3, trade)
		total := schemas.MoneyFromWan(int64(2500 * (4 + f.number(4, 60))))
		return schemas.ProjectRegistered, &schemas.Registered{
			Name: fmt.Sprintf("年产%d万件%s项目", 5+f.number(5, 90), f.of(6, goods)), Enterprise: &enterprise, Industry: &industry,
			Tags: []string{"省重点", "市重点"}[f.number(7, 2):], TotalInvestment: total,
			AnnualPlan: map[int]schemas.Money{2023: total / 4, 2024: total / 2, 2025: total / 4},
			Targets:    schemas.Targets{registered + 45, registered + 180, registered + 700}, RegisteredOn: registered,
		}, registered + 1
	case 1:
		return schemas.ProjectAssigned, &schemas.Assigned{
			Lead: fmt.Sprintf("领导%d", f.project%40), Department: fmt.Sprintf("市局%d", f.project%30), EffectiveOn: registered + 2,
		}, registered + 3
	}
	month := firstMonth + schemas.Month(min(f.step-2, 35))
	day := month.Last() + schemas.Date(1+f.number(8, 9))
	evidence := []schemas.Evidence{{
		URI:    fmt.Sprintf("https://files.example.org/evidence/%d/%08x.jpg", f.project, uint32(f.random)),
		SHA256: fmt.Sprintf("%016x%016x%016x%016x", f.random, scramble(f.random), scramble(f.random+1), scramble(f.random+2)),
		Note:   f.of(9, works) + "现场照片",
	}}
	switch issue := fmt.Sprintf("Q%d", f.step/4); {
	case f.step == 4 || f.step == 11 || f.step == 39:
		milestone := map[int]schemas.Milestone{4: schemas.Landed, 11: schemas.Started, 39: schemas.Producing}[f.step]
		return schemas.MilestoneReached, &schemas.Reached{Milestone: milestone, ReachedOn: month.Last() - schemas.Date(f.number(10, 20)), Evidence: evidence}, day
	case f.step == 20 && f.project%3 == 0:
		return schemas.MilestonePlanned, &schemas.Planned{
			Milestone: schemas.Producing, PlannedOn: registered + 760, DecidedOn: month.Last() - 5, Reason: f.of(11, risks) + ",申请顺延",
		}, day
	case f.step%8 == 5 && f.project%2 == 0:
		return schemas.IssueRaised, &schemas.Raised{
			IssueID: issue, Title: f.of(12, works) + ":" + f.of(13, risks), Category: f.of(14, schemas.IssueCategories()),
			Department: fmt.Sprintf("市局%d", f.project%30), RaisedOn: month.Last() - 10, DueOn: month.Last() + 30,
		}, day
	case f.step%8 == 6 && f.project%2 == 0:
		return schemas.IssueResolved, &schemas.Resolved{IssueID: issue, ResolvedOn: month.Last() - 2, Resolution: f.of(15, fixes)}, day
	}
	return schemas.ProgressReported, &schemas.Progress{
		Month: month, InvestedYTD: schemas.Money(month.Number()*(250_000+f.project%977*1000) + f.number(16, 10_000)),
		Note: f.of(17, works) + f.of(18, marks) + ";" + f.of(19, works) + f.of(20, marks) +
			fmt.Sprintf(",现场施工人员%d人;下月计划推进%s(%d标段)", 20+f.number(21, 400), f.of(22, works), 1+f.number(23, 12)),
	}, day
}
