package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// configFile writes a configuration file.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "milepost.yaml")
	if err := os.WriteFile(path, []byte(text+quickFormats), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// registration and assignment give good events of 山阳区.
func registration(project string, more map[string]any) string {
	data := map[string]any{"name": project, "enterprise": "企业1有限公司", "total_investment": 1000, "registered_on": "2025-01-02"}
	for key, value := range more {
		data[key] = value
	}
	return event(map[string]any{"id": "reg-" + project, "type": "project.registered.v1", "subject": project}, data)
}

func assignment(id, project, lead, department string) string {
	return event(map[string]any{"id": id, "type": "project.assigned.v1", "subject": project},
		map[string]any{"lead": lead, "department": department, "effective_on": "2025-02-01"})
}

// TestDirectoryOnTheWholeWay sends names, aliases, names out of their time and
// names that nobody knows, to a closed and to an open list.
func TestDirectoryOnTheWholeWay(t *testing.T) {
	t.Parallel()
	server := serve(t, "--config", configFile(t, `
departments_closed: true
departments:
  - {id: fgw, name: 市发展改革委, aliases: [市发改委]}
  - {id: czj, name: 市财政局, to: 2024-12-31}
leads:
  - {id: l1, name: 领导甲, aliases: [甲]}
`))
	lines := []string{
		registration("P-0001", nil), registration("P-0002", nil), registration("P-0003", nil),
		assignment("a-1", "P-0001", "甲", "市发改委"),
		assignment("a-2", "P-0002", "领导乙", "fgw"),
		assignment("a-3", "P-0003", "领导甲", "市财政局"),
		assignment("a-4", "P-0001", "领导甲", "市发展改革局"),
	}
	r := server.run(strings.NewReader(strings.Join(lines, "\n")), "publish", "--wait")
	if r.code != 1 {
		t.Errorf("exit code %d, want 1: %s", r.code, r.err)
	}
	var last int
	decoder := json.NewDecoder(strings.NewReader(r.out))
	for decoder.More() {
		var got struct {
			Line     int
			Warnings []struct{ Field, Message string }
			Error    *struct{ Code, Field, Value, Hint string }
		}
		if err := decoder.Decode(&got); err != nil {
			t.Fatal(err)
		}
		last = got.Line
		want := map[int]string{5: "data.lead did you mean 领导甲?", 6: "data.department only until 2024-12-31"}[got.Line]
		field, words, _ := strings.Cut(want, " ")
		switch {
		case got.Line == 7:
			if got.Error == nil || got.Error.Code != "unknown" || got.Error.Field != "data.department" || !strings.Contains(got.Error.Value, "市发展改革局") || got.Error.Hint != "did you mean 市发展改革委?" {
				t.Errorf("a name that the closed list does not have: %+v", got.Error)
			}
		case got.Error != nil:
			t.Errorf("line %d was refused: %+v", got.Line, got.Error)
		case want == "" && len(got.Warnings) > 0 || want != "" && (len(got.Warnings) != 1 || got.Warnings[0].Field != field || !strings.Contains(got.Warnings[0].Message, words)):
			t.Errorf("line %d: warnings %+v, want %q", got.Line, got.Warnings, want)
		}
	}
	if last != len(lines) {
		t.Fatalf("receipts up to line %d: %s", last, r.out)
	}

	server.put("milepost.events.shanyang.P-0001.project.assigned", assignment("a-5", "P-0001", "领导甲", "市林业局"))
	server.publish([]byte(event(map[string]any{"id": "last"}, nil) + "\n"))
	var letters []struct{ Code, Field, Value, Reason string }
	if err := json.Unmarshal([]byte(server.mustRun(nil, "deadletters", "--format", "json")), &letters); err != nil {
		t.Fatal(err)
	}
	if len(letters) != 1 || letters[0].Code != "unknown" || letters[0].Field != "data.department" || !strings.Contains(letters[0].Value, "市林业局") {
		t.Errorf("dead letters: %+v", letters)
	}

	var rows []struct {
		ProjectID        string `json:"project_id"`
		Lead, Department string
	}
	if err := json.Unmarshal([]byte(server.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json")), &rows); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(rows), "[{P-0001 领导甲 市发展改革委} {P-0002 领导乙 市发展改革委} {P-0003 领导甲 市财政局}]"; got != want {
		t.Errorf("ledger %s, want %s", got, want)
	}
	for kind, want := range map[string]string{"department": "[市发展改革委 市发展改革委 2 市财政局 市财政局 1]", "lead": "[领导乙 领导乙 1 领导甲 领导甲 2]"} {
		var got []any
		for _, row := range server.bulletin("2025-10").rows(kind) {
			got = append(got, row.Key, row.Name, row.Projects)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s rows %v, want %s", kind, got, want)
		}
	}
}

// put puts a message on the stream past the producers.
func (p *process) put(subject, body string) {
	p.t.Helper()
	stream := p.stream()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := stream.Publish(ctx, subject, []byte(body)); err != nil {
		p.t.Fatal(err)
	}
}

// bulletinModel is what these tests read of a bulletin.
type bulletinModel struct {
	Groups []struct {
		Kind string
		Rows []bulletinRow
	}
}

type bulletinRow struct {
	Key, Name string
	Projects  int
	Score     float64
}

func (p *process) bulletin(period string) bulletinModel {
	p.t.Helper()
	var model bulletinModel
	if err := json.Unmarshal([]byte(p.mustRun(nil, "bulletin", period, "--format", "json")), &model); err != nil {
		p.t.Fatal(err)
	}
	return model
}

func (b bulletinModel) rows(kind string) []bulletinRow {
	var rows []bulletinRow
	for _, g := range b.Groups {
		if g.Kind == kind {
			rows = append(rows, g.Rows...)
		}
	}
	return rows
}

// TestRulesChangeAtTheTurnOfTheYear asks for 2025 and 2026 after rules and
// districts have changed, and again after a restart with other rules.
func TestRulesChangeAtTheTurnOfTheYear(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := serve(t, "--data", data, "--config", configFile(t, `
rule_sets:
  - from: 2026-01-01
    red_months: 60
    weights: {started: 0}
    groups: [{code: all, name: 全市}]
    districts: [{code: shanyang, name: 山阳新区, group: all}, {code: xinqu, name: 新区, group: all}]
`))
	known := greatestSeq(server.publish([]byte(strings.Join([]string{
		registration("P-0001", map[string]any{"targets": map[string]any{"landed": "2025-03-31", "started": "2025-06-30"}}),
		event(map[string]any{"id": "landed", "type": "milestone.reached.v1"}, map[string]any{"milestone": "landed", "reached_on": "2025-03-20"}),
		// Districts that only one of the two rule sets has.
		event(map[string]any{"id": "old", "district": "boai", "source": "/offices/boai", "subject": "P-0002", "type": "project.registered.v1"}, map[string]any{"name": "项目2", "total_investment": 1, "registered_on": "2025-01-02"}),
		event(map[string]any{"id": "new", "district": "xinqu", "source": "/offices/xinqu", "subject": "P-0003", "type": "project.registered.v1"}, map[string]any{"name": "项目3", "total_investment": 1, "registered_on": "2025-01-02"}),
	}, "\n"))))
	if known == 0 {
		t.Fatal("nothing was published")
	}
	// Half of the seven items that apply are satisfied: (30·1 + 30·0 + 10·½) ÷ 70 in
	// December; in January nothing but the ledger has a weight and is judged.
	for period, want := range map[string]bulletinRow{"2025-12": {"shanyang", "山阳区", 1, 50}, "2026-01": {"shanyang", "山阳新区", 1, 50}, "2025-Q4": {"shanyang", "山阳区", 1, 50}} {
		rows := server.bulletin(period).rows("district")
		if !slices.Contains(rows, want) {
			t.Errorf("%s: %+v, want %+v", period, rows, want)
		}
	}
	lights := func(p *process) string {
		var got []string
		for _, day := range []string{"2025-12-31", "2026-01-31"} {
			sql := fmt.Sprintf("SELECT light FROM ledger(as_of = '%s', known = %d) WHERE project_id = 'P-0001'", day, known)
			stored := strings.Fields(p.mustRun(nil, "query", "--format", "tsv", sql))
			var rows []struct {
				ProjectID string `json:"project_id"`
				Light     string
			}
			if err := json.Unmarshal([]byte(p.mustRun(nil, "ledger", "--as-of", day, "--known", fmt.Sprint(known), "--format", "json")), &rows); err != nil {
				t.Fatal(err)
			}
			if len(stored) != 2 || len(rows) == 0 || stored[1] != rows[0].Light {
				t.Errorf("%s: stored %v, ledger %v", day, stored, rows)
			}
			got = append(got, stored[len(stored)-1])
		}
		return strings.Join(got, " ")
	}
	if got := lights(server); got != "red yellow" {
		t.Errorf("lights before and after the change: %s, want red yellow", got)
	}
	published := server.mustRun(nil, "bulletin", "2025-12", "--publish")
	if code := server.terminate(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, server.log)
	}

	// The office made a mistake, and the new numbers hold from the beginning. What is published stays as it was.
	again := serve(t, "--data", data, "--config", configFile(t, "red_months: 60\nweights: {started: 0}\n"))
	if got := lights(again); got != "yellow yellow" {
		t.Errorf("lights under other rules: %s, want yellow yellow", got)
	}
	if rows := again.bulletin("2025-12").rows("district"); !slices.Contains(rows, bulletinRow{"shanyang", "山阳区", 1, 87.5}) {
		t.Errorf("December under other rules: %+v", rows)
	}
	if text := again.mustRun(nil, "bulletin", "2025-12", "--publish"); text != published {
		t.Errorf("the edition changed\nfrom %s\nto   %s", published, text)
	}
}
