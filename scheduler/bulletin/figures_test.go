package bulletin

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

func TestFiguresAreNamedLikeRestatements(t *testing.T) {
	s := standing("P-1", "xiuwu", func(s *schemas.Standing) {
		s.Name, s.Status, s.Light, s.Holder.Department = `A&B <"甲">`, schemas.StatusSlow, schemas.Red, "市科技局/二科"
		s.Milestones[schemas.Landed].ReachedOn = day("2025-10-02")
		s.Milestones[schemas.Landed].ReachedBy = s.Holder
	})
	published := build(t, "2025-10", s)
	number := 4
	published.IssueNo = &number
	figures := map[string]string{}
	list, err := Figures(published)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range list {
		if i > 0 && list[i-1].Path >= f.Path {
			t.Errorf("%s comes after %s", f.Path, list[i-1].Path)
		}
		figures[f.Path] = string(f.Value)
	}
	for path, want := range map[string]string{
		"totals/projects": "1", "reporting_month": `"2025-10"`, "lagging/P-1/light": `"red"`, "lagging/P-1/name": `"A&B <\"甲\">"`, "lagging/P-1/late_days": "null",
		"groups/district/county/xiuwu/projects": "1", "groups/department/市科技局~1二科/name": `"市科技局/二科"`, "reached/P-1/landed/reached_on": `"2025-10-02"`,
		"data_quality/no_plan/P-1": `"P-1"`, "method/items/lead/satisfied": figures["method/items/lead/applicable"],
	} {
		if got, there := figures[path]; !there || got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"kind", "period", "known_seq", "issue_no", "title", "restatements", "unreported"} {
		if got, there := figures[path]; there {
			t.Errorf("%s is listed: %s", path, got)
		}
	}

	// Whatever is restated is a figure of that path, or the figures below it.
	s.Light, s.Milestones[schemas.Landed].ReachedOn = schemas.Yellow, day("2025-10-03")
	now := build(t, "2025-10", s)
	restated, err := Restate(published, now)
	if err != nil || len(restated) == 0 {
		t.Fatal(restated, err)
	}
	moved := map[string]string{}
	after, err := Figures(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range after {
		if figures[f.Path] != string(f.Value) {
			moved[f.Path] = string(f.Value)
		}
	}
	want := map[string]string{}
	for _, r := range restated {
		want[r.Path] = string(r.Now)
	}
	if diff := cmp.Diff(want, moved); diff != "" {
		t.Error(diff)
	}
}
