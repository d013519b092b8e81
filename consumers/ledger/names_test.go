package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// Each name is looked up on the day of the event that has it: an assignment's
// effective_on, an issue's raised_on, an adjustment's decided_on.
func TestNamesAreThoseOfTheDirectoryOnTheirDay(t *testing.T) {
	early, late := schemas.NewDate(2024, 6, 1), schemas.NewDate(2025, 6, 1)
	rules := schemas.DefaultRules()
	rules.Departments = schemas.NewDirectory([]schemas.Entry{
		{ID: "gxw", Name: "市工信委", Aliases: []string{"工信"}, To: schemas.NewDate(2024, 12, 31)},
		{ID: "gxj", Name: "市工信局", Aliases: []string{"工信"}, From: schemas.NewDate(2025, 1, 1)},
	})
	rules.Leads = schemas.NewDirectory([]schemas.Entry{{ID: "l1", Name: "领导甲", Aliases: []string{"甲"}}})
	adjusted := func(kind schemas.AdjustmentKind, key string, day schemas.Date) *schemas.Adjustment {
		return &schemas.Adjustment{Year: 2025, Kind: kind, Key: key, Reason: "r", Document: "d", DecidedOn: day}
	}
	var facts []ledger.Fact
	for _, data := range []schemas.Data{
		&schemas.Registered{Name: "项目1", RegisteredOn: schemas.NewDate(2024, 1, 2)},
		&schemas.Assigned{Lead: "甲", Department: "工信", EffectiveOn: early},
		&schemas.Assigned{Lead: "领导乙", Department: "工信", EffectiveOn: late},
		&schemas.Reached{Milestone: schemas.Landed, ReachedOn: schemas.NewDate(2025, 3, 1)},
		&schemas.Raised{IssueID: "1", Department: "工信", RaisedOn: early, DueOn: late},
		&schemas.Raised{IssueID: "2", Department: "gxw", RaisedOn: late, DueOn: late},
		adjusted(schemas.AdjustDepartment, "工信", early), adjusted(schemas.AdjustDepartment, "工信", late),
		adjusted(schemas.AdjustLead, "l1", late), adjusted(schemas.AdjustDistrict, "工信", late),
	} {
		types := map[string]schemas.Type{
			"*schemas.Registered": schemas.ProjectRegistered, "*schemas.Assigned": schemas.ProjectAssigned, "*schemas.Reached": schemas.MilestoneReached,
			"*schemas.Raised": schemas.IssueRaised, "*schemas.Adjustment": schemas.AdjustmentRecorded,
		}
		seq := uint64(len(facts) + 1)
		facts = append(facts, ledger.Fact{Seq: seq, Source: "/office", ID: fmt.Sprint(seq), Type: types[fmt.Sprintf("%T", data)], District: schemas.CityDistrict, Time: time.Unix(0, 0), Data: data})
	}
	facts[0].Data.(*schemas.Registered).District = "xiuwu"
	h := ledger.NewHistory(rules, ledger.NewKnown(99, facts), "P-0001", facts)
	s, ok := h.At(schemas.LedgerCut(schemas.NewDate(2025, 12, 31), 99))
	if !ok {
		t.Fatal("no standing")
	}
	if want := (schemas.Holder{Lead: "领导乙", Department: "市工信局"}); s.Holder != want {
		t.Errorf("holder %+v, want %+v", s.Holder, want)
	}
	if want := (schemas.Holder{Lead: "领导甲", Department: "市工信委"}); s.Milestones[schemas.Landed].ReachedBy != want {
		t.Errorf("holder on the day of landing %+v, want %+v", s.Milestones[schemas.Landed].ReachedBy, want)
	}
	var got []string
	for _, issue := range s.Issues {
		got = append(got, issue.Department)
	}
	for _, a := range h.Adjustments() {
		got = append(got, a.Key)
	}
	if want := "[市工信委 市工信委 市工信委 市工信局 领导甲 工信]"; fmt.Sprint(got) != want {
		t.Errorf("issues and adjustments of %v, want %s", got, want)
	}
}
