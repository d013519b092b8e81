package histories

import (
	"fmt"
	"slices"
	"time"

	"milepost/schemas"
)

// life is a project from its registration to its last report.
type life struct {
	fact
	districts  []string
	district   string        // that registers it
	registered schemas.Month // the month of its registration
	end        schemas.Month // the last that it reports
	months     int           // that it takes, also those behind the end of the history
	annual     schemas.Money // plan of a year
	pace       int           // of the plan, per cent
	suspended  schemas.Month // resumed three months later; 0 is never
	cancelled  schemas.Month // 0 is never
	moved      schemas.Month // to the next district; 0 is never
}

// maxInMonth is how many events a month may bring.
const maxInMonth = 11

// letter is an event and the day on which it is sent.
type letter struct {
	kind schemas.Type
	id   string // beside the project's, which an id begins with
	data schemas.Data
	day  schemas.Date
	city bool // sent by the city's office
}

// event gives the i-th of what may happen in a month, and whether it does.
func (l *life) event(month schemas.Month, i int) (schemas.Event, bool) {
	f := fact{project: l.project, step: i, random: scramble(l.random + uint64(month)*maxInMonth + uint64(i))}
	sent, happens := l.letter(f, month, int(month-l.registered))
	if !happens {
		return schemas.Event{}, false
	}
	district := l.officeIn(month)
	if sent.city {
		district = schemas.CityDistrict
	}
	return schemas.Event{
		Source: "/offices/" + district, ID: fmt.Sprintf("P%07d-%s", l.project+1, sent.id), Type: sent.kind, Subject: fmt.Sprintf("P-%07d", l.project+1),
		District: district, Data: sent.data, Time: sent.day.Start().Add(8*time.Hour + time.Duration(f.number(1, 9*3600))*time.Second),
	}, true
}

// letter asks first whether something happens: that is all that most months do.
func (l *life) letter(f fact, month schemas.Month, age int) (letter, bool) {
	switch step := f.step; {
	case step == 0 && age == 0:
		return l.register(f, month), true
	case step == 1 && (age == 0 || age == 18 && l.number(21, 4) == 0):
		data := &schemas.Assigned{Lead: fmt.Sprintf("领导%d", f.number(3, 60)), Department: l.department(), EffectiveOn: month.Day(23)}
		return letter{kind: schemas.ProjectAssigned, id: "holder-" + month.String(), data: data, day: month.Day(24)}, true
	case step >= 2 && step <= 4 && age == l.reachedAt(schemas.Milestone(step-2)):
		return l.reach(f, month, schemas.Milestone(step-2)), true
	case step == 5 && age == l.months/2 && l.number(22, 5) == 0:
		return l.postpone(f, month), true
	case step == 6 && l.number(23, 40) != age%40: // now and then none
		return l.report(f, month), true
	case step == 7 && f.number(3, 150) == 0: // what was reported wrongly, reported again
		again := l.report(f, month)
		again.id, again.day = again.id+"-2", again.day+1
		return again, true
	case step == 8 && age > 0 && age%12 < 2 && l.number(40+(age-1)/12, 2) == 0:
		return l.issue(f, month, age), true
	case step == 9:
		return l.decide(month)
	case step == 10 && age > 0 && month.Number() == 1:
		data := &schemas.Amended{EffectiveOn: month.Day(6), AnnualPlan: map[int]schemas.Money{month.Year(): l.annual}}
		return letter{kind: schemas.ProjectAmended, id: fmt.Sprint("plan-", month.Year()), data: data, day: month.Day(7)}, true
	}
	return letter{}, false
}

// officeIn is the district whose office writes in a month.
func (l *life) officeIn(month schemas.Month) string {
	if l.moved == 0 || month <= l.moved {
		return l.district
	}
	return l.next()
}

// next is the district to which the project moves, if it does.
func (l *life) next() string {
	return l.districts[(slices.Index(l.districts, l.district)+1)%len(l.districts)]
}

func (l *life) department() string { return fmt.Sprintf("市局%d", l.number(25, 30)) }

func (l *life) register(f fact, month schemas.Month) letter {
	enterprise, industry := fmt.Sprintf("企业%d有限公司", l.project+1), f.of(3, trade)
	on := month.Day(1 + f.number(4, 20))
	years := schemas.Money((l.months + 11) / 12)
	data := &schemas.Registered{
		Name: fmt.Sprintf("年产%d万件%s项目", 5+f.number(5, 90), f.of(6, goods)), Enterprise: &enterprise, Industry: &industry,
		Tags: []string{"省重点", "市重点"}[f.number(7, 2):], TotalInvestment: l.annual * years, AnnualPlan: map[int]schemas.Money{month.Year(): l.annual},
		RegisteredOn: on,
	}
	for _, m := range schemas.Milestones() {
		data.Targets[m] = (month + schemas.Month(l.dueAt(m))).Last()
	}
	return letter{kind: schemas.ProjectRegistered, id: "registered", data: data, day: on + 1}
}

// dueAt is the age, in months, at which a milestone is due.
func (l *life) dueAt(m schemas.Milestone) int { return [...]int{2, 2 + l.months/5, l.months - 1}[m] }

// reachedAt is the age at which it is reached; one in eight never is.
func (l *life) reachedAt(m schemas.Milestone) int {
	if m == schemas.Producing && l.number(26, 8) == 0 {
		return -1
	}
	return max(int(m)+1, l.dueAt(m)-1+l.number(27+int(m), 3))
}

func (l *life) reach(f fact, month schemas.Month, m schemas.Milestone) letter {
	on := month.Day(1 + f.number(3, 25))
	data := &schemas.Reached{Milestone: m, ReachedOn: on, Evidence: []schemas.Evidence{{
		URI: fmt.Sprintf("https://files.example.org/evidence/%d/%s.jpg", l.project+1, m), Note: f.of(4, works) + "现场照片",
	}}}
	return letter{kind: schemas.MilestoneReached, id: fmt.Sprintf("%s-%s", m, month), data: data, day: on + schemas.Date(f.number(5, 10))}
}

// postpone is a plan that the city approves, or one that an office has for itself.
func (l *life) postpone(f fact, month schemas.Month) letter {
	approved := f.number(3, 2) == 0
	data := &schemas.Planned{
		Milestone: schemas.Producing, PlannedOn: (l.registered + schemas.Month(l.months+3)).Last(), DecidedOn: month.Day(12),
		Approved: approved, Reason: f.of(4, risks) + ",申请顺延",
	}
	if approved {
		data.Document = fmt.Sprintf("项目办〔%d〕%d号", month.Year(), 1+f.number(5, 200))
	}
	return letter{kind: schemas.MilestonePlanned, id: "later-" + month.String(), data: data, day: month.Day(13), city: approved}
}

// report is what an office says of a month in the days after it, or late.
func (l *life) report(f fact, month schemas.Month) letter {
	day := (month + 1).Day(2 + f.number(8, 8))
	if f.number(9, 20) == 0 {
		day += 12
	}
	invested := l.annual / 1200 * schemas.Money(month.Number()*l.pace)
	if l.suspended != 0 && month >= l.suspended && month < l.suspended+3 {
		invested = l.annual / 1200 * schemas.Money(min(month.Number(), l.suspended.Number())*l.pace)
	}
	data := &schemas.Progress{
		Month: month, InvestedYTD: invested + schemas.Money(f.number(10, 10_000)),
		Note: f.of(11, works) + f.of(12, marks) + fmt.Sprintf(",现场施工人员%d人", 20+f.number(13, 400)),
	}
	return letter{kind: schemas.ProgressReported, id: "report-" + month.String(), data: data, day: day}
}

// issue is raised in the second month of a year of the life, and resolved in its last.
func (l *life) issue(f fact, month schemas.Month, age int) letter {
	id := fmt.Sprintf("Q%d", (age-1)/12+1)
	if age%12 == 0 {
		data := &schemas.Resolved{IssueID: id, ResolvedOn: month.Day(20), Resolution: f.of(3, fixes)}
		return letter{kind: schemas.IssueResolved, id: "resolved-" + id, data: data, day: month.Day(21)}
	}
	return letter{kind: schemas.IssueRaised, id: "raised-" + id, data: &schemas.Raised{
		IssueID: id, Title: f.of(4, works) + ":" + f.of(5, risks), Category: f.of(6, schemas.IssueCategories()), Department: l.department(),
		RaisedOn: month.Day(10), DueOn: (month + 1).Day(10),
	}, day: month.Day(11)}
}

// decide is what the city decides about the project, and what an office takes back.
func (l *life) decide(month schemas.Month) (letter, bool) {
	paper := func() *schemas.StatusChange {
		return &schemas.StatusChange{EffectiveOn: month.Day(16), Reason: "市场变化,企业申请", Document: fmt.Sprintf("项目办〔%d〕%d号", month.Year(), 1+l.number(31, 200))}
	}
	sent := letter{day: month.Day(17), city: true}
	switch {
	case month == l.cancelled:
		sent.kind, sent.data = schemas.ProjectCancelled, paper()
	case month == l.suspended:
		sent.kind, sent.data = schemas.ProjectSuspended, paper()
	case l.suspended != 0 && month == l.suspended+3:
		sent.kind, sent.data = schemas.ProjectResumed, paper()
	case month == l.moved:
		sent.kind, sent.data = schemas.ProjectAmended, &schemas.Amended{EffectiveOn: month.Day(16), District: l.next()}
	case month == l.registered+4 && l.number(32, 60) == 0:
		sent.kind, sent.city = schemas.EventRevoked, false
		sent.data = &schemas.Revoked{
			Source: "/offices/" + l.officeIn(month-1), ID: fmt.Sprintf("P%07d-report-%s", l.project+1, month-1), Reason: "误报,另行报送", DecidedOn: month.Day(16),
		}
	default:
		return letter{}, false
	}
	sent.id = "decided-" + month.String()
	return sent, true
}
