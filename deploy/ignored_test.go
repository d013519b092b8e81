package deploy_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWhatDoesNotCountIsListed sends what an office may not say: an event for
// another district's project, the approval of its own delay, an adjustment, a
// lower plan of the running year. All of it is kept, none of it counts, and the
// office can see why.
func TestWhatDoesNotCountIsListed(t *testing.T) {
	t.Parallel()
	server := serve(t)
	shanyang := map[string]any{"time": "2025-06-05T10:00:00+08:00"}
	with := func(id, kind string, more map[string]any, data map[string]any) string {
		change := map[string]any{"id": id, "type": kind, "time": shanyang["time"]}
		for k, v := range more {
			change[k] = v
		}
		return event(change, data)
	}
	foreign := map[string]any{"district": "xiuwu", "source": "/offices/xiuwu"}
	lines := []string{
		with("r", "project.registered.v1", nil, map[string]any{"name": "项目1", "total_investment": 1000, "registered_on": "2025-01-02", "annual_plan": map[string]any{"2025": 800}, "targets": map[string]any{"started": "2025-06-30"}}),
		with("foreign", "progress.reported.v1", foreign, map[string]any{"month": "2025-05", "invested_ytd": 700}),
		with("approval", "milestone.planned.v1", nil, map[string]any{"milestone": "started", "planned_on": "2025-12-31", "decided_on": "2025-06-01", "approved": true}),
		with("adjust", "adjustment.recorded.v1", map[string]any{"subject": "_office"}, map[string]any{"year": 2025, "target": map[string]any{"kind": "district", "key": "shanyang"}, "points": 5, "reason": "表彰", "document": "文1号", "decided_on": "2025-06-01"}),
		with("lower", "project.amended.v1", nil, map[string]any{"effective_on": "2025-06-01", "annual_plan": map[string]any{"2025": 10}}),
	}
	known := greatestSeq(server.publish([]byte(strings.Join(lines, "\n") + "\n")))
	if events := server.mustRun(nil, "query", "--format", "tsv", "SELECT count() FROM events FINAL"); !strings.HasSuffix(strings.TrimSpace(events), "5") {
		t.Errorf("events kept: %s", events)
	}
	ledger := server.mustRun(nil, "ledger", "--as-of", "2025-06-30", "--format", "json")
	for _, want := range []string{`"plan":800`, `"invested":null`, `"target":"2025-06-30","forecast":"2025-12-31"`} {
		if !strings.Contains(ledger, want) {
			t.Errorf("the ledger lacks %s: %s", want, ledger)
		}
	}
	bulletin := server.mustRun(nil, "bulletin", "2025-06", "--known", fmt.Sprint(known))
	if !strings.Contains(bulletin, `"foreign": 2,`) {
		t.Errorf("foreign events in the bulletin: %s", bulletin)
	}
	// The list is refreshed after the events are applied; asking again gets there.
	want := "adjust\tevent\ttrue\napproval\tapproval\tfalse\nforeign\tevent\ttrue\nlower\tannual_plan\tfalse\n"
	var got string
	for range 200 {
		got = server.mustRun(nil, "query", "--format", "TabSeparated", "SELECT id, part, foreign_event FROM ignored_events ORDER BY id")
		if got == want {
			return
		}
	}
	t.Errorf("ignored events:\n%s\nwant\n%s", got, want)
}
