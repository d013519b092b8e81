package assessment

import (
	"testing"

	"milepost/schemas"
)

func TestFiguresOfAnAssessment(t *testing.T) {
	ledger := ledgerOf(standing("P-1", "xiuwu", func(s *schemas.Standing) {
		s.Holder.Department = "市科技局/二科"
		s.Milestones[schemas.Landed] = milestone("2025-07-31", "2025-07-31", "2025-07-01")
		s.Milestones[schemas.Landed].ReachedBy = s.Holder
		s.Trace = &schemas.Trace{Method: []schemas.EventRef{{Source: "/o", ID: "1", Seq: 1}}}
	}))
	ledger.Adjustments = []schemas.RecordedAdjustment{recorded(6, 2025, schemas.AdjustDepartment, "市财政局", -3, false)}
	list, err := Figures(build(t, schemas.DefaultRules(), ledger, nil))
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]string{}
	for i, f := range list {
		if i > 0 && list[i-1].Path >= f.Path {
			t.Errorf("%s comes after %s", f.Path, list[i-1].Path)
		}
		figures[f.Path] = string(f.Value)
	}
	for path, want := range map[string]string{
		"groups/district/county/xiuwu/final": "103.00", "groups/district/county/xiuwu/rank": "1", "groups/district/county/xiuwu/items/landed/points": "75.00",
		"groups/department/市科技局~1二科/items/started/points": "null", "groups/lead/领导甲/hints/reward": `"reward"`,
		"groups/lead/领导甲/milestones/landed/done": "1", "unmatched_adjustments/~1offices~1city a-6/points": "-0.03", "unmatched_adjustments/~1offices~1city a-6/event/id": `"a-6"`,
	} {
		if got, there := figures[path]; !there || got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if _, there := figures["groups/lead/领导甲/hint_reasons/reward"]; !there {
		t.Error("the reason of a hint is no figure")
	}
	for path := range figures {
		if len(path) > 7 && path[len(path)-7:] == "/events" {
			t.Errorf("%s is listed", path)
		}
	}
}
