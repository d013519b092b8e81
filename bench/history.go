// Package bench measures Milepost at sizes that the tests do not reach. Nothing
// else uses it.
package bench

import (
	"fmt"
	"iter"
	"time"

	"milepost/schemas"
)

// eventsPerProject is how many events a project of the history has.
const eventsPerProject = 30

// history yields made-up events of real shape, in the order in which they would
// reach the stream: for each project a registration, an assignment, up to three
// milestones, an issue with its resolution, and monthly reports for the rest.
func history(projects int) iter.Seq2[*schemas.Event, error] {
	districts := schemas.DefaultRules().DistrictCodes()
	return func(yield func(*schemas.Event, error) bool) {
		for k := range eventsPerProject {
			for p := range projects {
				if !yield(eventOf(districts[p%len(districts)], p, k)) {
					return
				}
			}
		}
	}
}

func eventOf(district string, p, k int) (*schemas.Event, error) {
	registered := schemas.NewDate(2024, time.January, 1) + schemas.Date(p%200)
	kind, data := factOf(registered, p, k)
	return schemas.NewEvent(schemas.Event{
		Source: "/offices/" + district, ID: fmt.Sprintf("e%d-%d", p, k), Type: kind, Subject: fmt.Sprintf("P-%07d", p), District: district,
		Time: data.BusinessDate().Start().Add(5 * 24 * time.Hour), Data: data,
	})
}

func factOf(registered schemas.Date, p, k int) (schemas.Type, schemas.Data) {
	enterprise, industry := fmt.Sprintf("企业%d有限公司", p), "新材料"
	plan := schemas.MoneyFromWan(int64(p * 5 % 90000))
	switch {
	case k == 0:
		return schemas.ProjectRegistered, &schemas.Registered{
			Name: fmt.Sprintf("项目%d(年产%d万台)", p, p%90), Enterprise: &enterprise, Industry: &industry, TotalInvestment: schemas.MoneyFromWan(int64(p * 7 % 500000)),
			AnnualPlan: map[int]schemas.Money{2024: schemas.MoneyFromWan(int64(p * 3 % 90000)), 2025: plan},
			Targets:    schemas.Targets{registered + 45, registered + 180, registered + 400}, RegisteredOn: registered,
		}
	case k == 1:
		return schemas.ProjectAssigned, &schemas.Assigned{Lead: fmt.Sprintf("领导%d", p%40), Department: fmt.Sprintf("市局%d", p%30), EffectiveOn: registered}
	case k == 2 || k == 3 && p%2 == 0 || k == 4 && p%7 == 0:
		m := schemas.Milestone(k - 2)
		return schemas.MilestoneReached, &schemas.Reached{
			Milestone: m, ReachedOn: registered + []schemas.Date{60, 200, 450}[m],
			Evidence: []schemas.Evidence{{URI: fmt.Sprintf("https://example.org/evidence/%d.jpg", p), Note: "现场照片"}},
		}
	case k == 5:
		raised := schemas.NewDate(2025, time.March, 1) + schemas.Date(p%100)
		return schemas.IssueRaised, &schemas.Raised{IssueID: "Q1", Title: "用地指标尚未落实", Category: "land", Department: fmt.Sprintf("市局%d", p%30), RaisedOn: raised, DueOn: raised + 40}
	case k == 6:
		return schemas.IssueResolved, &schemas.Resolved{IssueID: "Q1", ResolvedOn: schemas.NewDate(2025, time.May, 1) + schemas.Date(p%100), Resolution: "已协调解决"}
	}
	month := schemas.NewMonth(2024, time.January) + schemas.Month(k-7)
	if k < 7 {
		month = schemas.NewMonth(2023, time.November) // a milestone that this project has not reached
	}
	return schemas.ProgressReported, &schemas.Progress{Month: month, InvestedYTD: plan / 12 * schemas.Money(month.Number()), Note: "主体施工"}
}
