package bulletin

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

func TestRestatementsArePathsNotPositions(t *testing.T) {
	lagging := func(id, department string, light schemas.Light) schemas.Standing {
		return standing(id, "xiuwu", func(s *schemas.Standing) {
			s.Status, s.Light, s.Holder.Department = schemas.StatusSlow, light, department
		})
	}
	reached := func(id, landed, started string) schemas.Standing {
		return standing(id, "boai", func(s *schemas.Standing) {
			s.Milestones[schemas.Landed].ReachedOn, s.Milestones[schemas.Started].ReachedOn = day(landed), day(started)
			s.Milestones[schemas.Landed].ReachedBy, s.Milestones[schemas.Started].ReachedBy = s.Holder, s.Holder
		})
	}
	published := build(t, "2025-10", lagging("P-1", "市科技局", schemas.Yellow), lagging("P-2", "市科技局", schemas.Yellow), reached("P-3", "2025-10-02", "2025-10-09"))
	// The published model was kept as JSON: what is read back must compare equal.
	text, err := json.Marshal(published)
	if err != nil {
		t.Fatal(err)
	}
	var stored schemas.Bulletin
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	if same, err := Restate(&stored, published); err != nil || len(same) != 0 || same == nil {
		t.Fatalf("stored and read again: %v, %v", same, err)
	}
	now := build(t, "2025-10", lagging("P-2", "市科技局/二科", schemas.Red), lagging("P-4", "市科技局", schemas.Yellow), reached("P-3", "2025-10-02", "2025-10-08"))
	number := 3
	now.IssueNo, now.KnownSeq = &number, 77
	got, err := Restate(&stored, now)
	if err != nil {
		t.Fatal(err)
	}
	type change struct{ Published, Now string }
	changes := map[string]change{}
	for i, r := range got {
		if i > 0 && got[i-1].Path >= r.Path {
			t.Errorf("%s is not after %s", r.Path, got[i-1].Path)
		}
		if len(r.Published) < 60 && len(r.Now) < 60 {
			changes[r.Path] = change{string(r.Published), string(r.Now)}
		} else {
			changes[r.Path] = change{"…", "…"}
		}
	}
	want := map[string]change{
		"totals/by_light/red":             {"0", "1"},
		"totals/by_light/yellow":          {"2", "1"},
		"lagging/P-1":                     {"…", "…"},
		"lagging/P-2/light":               {`"yellow"`, `"red"`},
		"lagging/P-2/department":          {`"市科技局"`, `"市科技局/二科"`},
		"lagging/P-4":                     {"…", "…"},
		"reached/P-3/started/reached_on":  {`"2025-10-09"`, `"2025-10-08"`},
		"groups/department/市科技局~1二科":      {"…", "…"},
		"groups/department/市科技局/projects": {"3", "2"},
		"data_quality/no_plan/P-1":        {`"P-1"`, "null"},
		"data_quality/no_plan/P-4":        {"null", `"P-4"`},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
}

func TestBuildComparesWithTheLatestPublished(t *testing.T) {
	p := periodOf(t, "2025-10")
	september := build(t, "2025-09", standing("P-1", "xiuwu", nil))
	again := build(t, "2025-09", standing("P-1", "xiuwu", func(s *schemas.Standing) { s.Light = schemas.Green }))
	l := ledgers{p.End: ledgerOf(p.End), p.Previous().End: ledgerOf(p.Previous().End)}
	model, err := Build(context.Background(), l, schemas.DefaultRules(), p, 9,
		ComparedWith(september, func(context.Context) (*schemas.Bulletin, error) { return again, nil }))
	if err != nil {
		t.Fatal(err)
	}
	want := []schemas.Restatement{
		{Path: "totals/by_light/green", Published: json.RawMessage("0"), Now: json.RawMessage("1")},
		{Path: "totals/by_light/none", Published: json.RawMessage("1"), Now: json.RawMessage("0")},
	}
	if diff := cmp.Diff(want, model.Restatements); diff != "" {
		t.Error(diff)
	}
}
