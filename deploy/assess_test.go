package deploy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

type assessed struct {
	KnownSeq uint64 `json:"known_seq"`
	Groups   []struct {
		Kind string `json:"kind"`
		Rows []struct {
			Key        string            `json:"key"`
			Adjustment float64           `json:"adjustment"`
			Grade      string            `json:"grade"`
			Hints      []string          `json:"hints"`
			Reasons    map[string]string `json:"hint_reasons"`
			Items      []struct {
				Item   string `json:"item"`
				Events []struct{ Source, ID string }
			} `json:"items"`
		} `json:"rows"`
	} `json:"groups"`
	Unmatched []struct {
		Kind, Key string
		Points    float64
		Event     struct{ Source, ID string }
	} `json:"unmatched_adjustments"`
}

func readAssessment(t *testing.T, text string) assessed {
	t.Helper()
	var a assessed
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return a
}

// accountable lists the rows that are held to account.
func (a assessed) accountable() []string {
	var keys []string
	for _, g := range a.Groups {
		for _, r := range g.Rows {
			if slices.Contains(r.Hints, "accountability") {
				keys = append(keys, g.Kind+"/"+r.Key)
			}
		}
	}
	return keys
}

// city is an event of the city's office.
func city(id, kind, subject string, data map[string]any) string {
	return event(map[string]any{"id": id, "source": "/offices/city", "district": "city", "type": kind, "subject": subject, "time": "2024-02-01T10:00:00+08:00"}, data)
}

// adjustment is one of a year's assessment.
func adjustment(id, kind, key string, points float64, year int) string {
	return city(id, "adjustment.recorded.v1", "_office", map[string]any{"year": year, "target": map[string]any{"kind": kind, "key": key}, "points": points,
		"reason": "通报", "document": "1号", "decided_on": "2024-02-01"})
}

// failingCity is a project that misses everything for two years, under names
// that are aliases, and adjustments under other aliases.
func failingCity() string {
	return strings.Join([]string{
		city("r-1", "project.registered.v1", "P-1", map[string]any{"name": "项目1", "total_investment": 1000, "registered_on": "2023-06-01", "district": "xiuwu",
			"annual_plan": map[string]any{"2024": 100, "2025": 100}, "targets": map[string]any{"landed": "2024-03-01"}}),
		city("g-1", "project.assigned.v1", "P-1", map[string]any{"lead": "甲书记", "department": "市发改委", "effective_on": "2023-06-01"}),
		adjustment("j-1", "department", "发改委", -1.5, 2025), adjustment("j-2", "lead", "领导甲", 2, 2025), adjustment("j-3", "lead", "领导辛", -2.25, 2025),
	}, "\n") + "\n"
}

const aliases = `departments:
  - {id: fgw, name: 市发展改革委, aliases: [市发改委, 发改委]}
leads:
  - {id: l1, name: 领导甲, aliases: [甲书记]}
`

// TestTwoYearsAreFinalised finalises a year and the next: what failed twice is
// held to account, each year is frozen once, and what was known then stays.
func TestTwoYearsAreFinalised(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	config := filepath.Join(t.TempDir(), "milepost.yaml")
	if err := os.WriteFile(config, []byte(aliases+quickFormats), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve(t, "--data", data, "--config", config)
	known := greatestSeq(server.publish([]byte(failingCity())))
	draft := readAssessment(t, server.mustRun(nil, "assess", "2025"))
	if got := draft.accountable(); len(got) != 0 {
		t.Errorf("held to account although no year was finalised: %v", got)
	}
	if len(draft.Unmatched) != 1 || draft.Unmatched[0].Key != "领导辛" || draft.Unmatched[0].Points != -2.25 || draft.Unmatched[0].Event.ID != "j-3" {
		t.Errorf("unmatched: %+v", draft.Unmatched)
	}
	for _, g := range draft.Groups {
		if want := map[string]float64{"district": 0, "department": -1.5, "lead": 2}[g.Kind]; g.Rows[0].Adjustment != want {
			t.Errorf("%s %s was adjusted by %v, want %v", g.Kind, g.Rows[0].Key, g.Rows[0].Adjustment, want)
		}
	}

	server.mustRun(nil, "assess", "2024", "--finalise", "--format", "md")
	finalised := server.mustRun(nil, "assess", "2025", "--finalise")
	model := readAssessment(t, finalised)
	if got, want := model.accountable(), []string{"district/xiuwu", "department/市发展改革委", "lead/领导甲"}; !slices.Equal(got, want) {
		t.Errorf("held to account: %v, want %v", got, want)
	}
	if again := server.mustRun(nil, "assess", "2025", "--finalise"); again != finalised {
		t.Errorf("finalised twice, it reads differently\n%s\n%s", finalised, again)
	}
	stored, err := os.ReadFile(filepath.Join(data, "bulletins", "assessment", "2025", "assessment-2025.json"))
	if err != nil || string(stored) != finalised {
		t.Errorf("the file is not what the command printed: %v", err)
	}
	if text := server.mustRun(nil, "assess", "2025", "--finalise", "--format", "md"); !strings.Contains(text, "**定稿**") || !strings.Contains(text, "连续两年不合格") {
		t.Errorf("as Markdown:\n%s", text)
	}

	// More becomes known, and is waited for: the editions before it are applied.
	late := event2("late-1", "/offices/xiuwu", "xiuwu", "P-1", map[string]any{"month": "2025-10", "invested_ytd": 100})
	server.publish([]byte(late + "\n"))
	if then := server.mustRun(nil, "assess", "2025", "--known", fmt.Sprint(model.KnownSeq)); then != finalised {
		t.Errorf("asked again as known then:\n%s", then)
	}
	if now := server.mustRun(nil, "assess", "2025"); now == finalised {
		t.Error("what is known now makes no difference to the draft")
	}
	if got := readAssessment(t, server.mustRun(nil, "assess", "2025", "--known", fmt.Sprint(known))).accountable(); len(got) != 0 {
		t.Errorf("before 2024 was finalised: %v", got)
	}
	events := server.mustRun(nil, "query", "--format", "tsv", "SELECT project_id, id, data FROM events FINAL WHERE type = 'assessment.finalised.v1' ORDER BY stream_seq")
	sum := sha256.Sum256(stored)
	if strings.Count(events, "assessment.finalised-") != 2 || strings.Count(events, "assessment.finalised-2025") != 1 || !strings.Contains(events, "_assessment-2025") || !strings.Contains(events, hex.EncodeToString(sum[:])) {
		t.Errorf("finalised events:\n%s", events)
	}
	server.wantTraced(model)
}

// wantTraced holds that every event behind an item is in the warehouse.
func (p *process) wantTraced(a assessed) {
	p.t.Helper()
	var ids []string
	for _, g := range a.Groups {
		for _, r := range g.Rows {
			for _, item := range r.Items {
				for _, e := range item.Events {
					if id := "'" + e.Source + " " + e.ID + "'"; !slices.Contains(ids, id) {
						ids = append(ids, id)
					}
				}
			}
		}
	}
	found := p.mustRun(nil, "query", "--format", "tsv", "SELECT count() AS n FROM events FINAL WHERE event_id IN ("+strings.Join(ids, ", ")+")")
	if want := fmt.Sprintf("n\n%d\n", len(ids)); len(ids) == 0 || found != want {
		p.t.Errorf("%d events are named, the warehouse has %s", len(ids), found)
	}
}

// TestAssessRefusals asks for what cannot be.
func TestAssessRefusals(t *testing.T) {
	t.Parallel()
	server := serve(t)
	next := fmt.Sprint(time.Now().Year())
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"2025-10"}, "not a year"},
		{[]string{"2025", "--known", "999999"}, "not applied yet"},
		{[]string{"2025", "--finalise", "--known", "1"}, "--known"},
		{[]string{next, "--finalise"}, fmt.Sprintf("from %d-01-11 on", time.Now().Year()+1)},
	} {
		if r := server.run(nil, append([]string{"assess"}, tc.args...)...); r.code != 1 || !strings.Contains(r.err, tc.want) {
			t.Errorf("assess %v: exit %d, %s%s", tc.args, r.code, r.out, r.err)
		}
	}
	if status, body := server.get(server.HTTP + "/v1/assessments/2025?format=odt"); status != 422 || !strings.Contains(body, `"value":"odt"`) {
		t.Errorf("in a format that nobody makes: %d %s", status, body)
	}
	if text := server.mustRun(nil, "assess", "2025"); !strings.Contains(text, `"groups": []`) || !strings.Contains(text, `"unmatched_adjustments": []`) {
		t.Errorf("an empty city: %s", text)
	}
}
