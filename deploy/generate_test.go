package deploy_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestGeneratedEventsArePublished pipes a small province into publish: every
// event is taken, and the ledger has its projects.
func TestGeneratedEventsArePublished(t *testing.T) {
	t.Parallel()
	made := runCommand(t, nil, "generate", "--projects", "30", "--years", "2", "--seed", "4")
	if made.code != 0 || made.err != "" {
		t.Fatalf("exit %d: %s", made.code, made.err)
	}
	if again := runCommand(t, nil, "generate", "--projects", "30", "--years", "2", "--seed", "4"); again.out != made.out {
		t.Error("the same seed gives other events")
	}
	lines := strings.Count(made.out, "\n")
	if lines < 20*30/2 {
		t.Errorf("only %d events", lines)
	}
	server := serve(t)
	receipts := server.publish([]byte(made.out))
	if len(receipts) != lines {
		t.Errorf("%d receipts of %d events", len(receipts), lines)
	}
	for _, r := range receipts {
		if r.Seq == 0 || r.Duplicate {
			t.Fatalf("line %d: %s, duplicate %v", r.Line, r.Error, r.Duplicate)
		}
	}
	if n := strings.Count(server.mustRun(nil, "ledger", "--as-of", "2025-12-31", "--format", "json"), `"project_id"`); n != 30 {
		t.Errorf("%d projects in the ledger", n)
	}
	sameInPages(t, server)
	var bulletin struct {
		Quality struct{ Orphans, Foreign, Conflicts, DeadLetters int } `json:"data_quality"`
	}
	text := strings.ReplaceAll(server.mustRun(nil, "bulletin", "2025-12"), "dead_letters", "deadletters")
	if err := json.Unmarshal([]byte(text), &bulletin); err != nil {
		t.Fatal(err)
	}
	if q := bulletin.Quality; q.Orphans+q.Foreign+q.Conflicts+q.DeadLetters > 0 || !strings.Contains(text, `"orphans"`) {
		t.Errorf("data quality: %+v", q)
	}
	for _, wrong := range [][]string{{"--projects", "2000001"}, {"--years", "0"}, {"--life", "5"}, {"--last", "never"}} {
		if r := runCommand(t, nil, append([]string{"generate"}, wrong...)...); r.code == 0 || r.out != "" || !strings.Contains(r.err, wrong[0]) {
			t.Errorf("%v: exit %d, %q", wrong, r.code, r.err)
		}
	}
}

// sameInPages reads the ledger page by page, and what filters leave of it.
func sameInPages(t *testing.T, server *process) {
	t.Helper()
	ledger := func(format string, flags ...string) string {
		return server.mustRun(nil, append([]string{"ledger", "--as-of", "2025-12-31", "--format", format}, flags...)...)
	}
	whole, pages, after := ledger("ndjson"), "", ""
	for range 5 {
		page := ledger("ndjson", "--limit", "7", "--after", after)
		pages += page
		for line := range strings.Lines(page) {
			var row struct {
				ProjectID string `json:"project_id"`
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			after = row.ProjectID
		}
	}
	if pages != whole {
		t.Errorf("the pages are not the ledger:\n%s\n%s", pages, whole)
	}
	red := strings.Count(whole, `"light":"red"`)
	if got := strings.Count(ledger("table", "--light", "red"), "\n"); red == 0 || got != red+1 {
		t.Errorf("a table of %d lines of %d projects with a red light", got, red)
	}
	if r := server.run(nil, "ledger", "--light", "blue"); r.code != 1 || !strings.Contains(r.err, "choose one of") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	if r := server.run(nil, "ledger", "--limit", "10001"); r.code != 1 || !strings.Contains(r.err, "10000") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}
