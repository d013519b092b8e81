package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestFromBoxToServers brings a box to the engines of another process, and finds the same figures and sequences there; the
// box stays as it was, and a second run finds everything done.
func TestFromBoxToServers(t *testing.T) {
	t.Parallel()
	data, rules := t.TempDir(), writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, half_yearly: off, assessment: off, formats: [md]}\nnats_deny_purge: true\n")
	files := goldenFiles(t, "small")
	events, err := os.ReadFile(filepath.Join(goldenDir("small"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	box := serve(t, "--data", data, "--config", rules)
	known := publishInSteps(t, box, events, files)
	if r := box.run(nil, "archive", "--keep-days", "0", "--purge"); r.code != 1 || !strings.Contains(r.err, "--allow-purge") {
		t.Errorf("a stream that denies to be purged: exit %d\n%s", r.code, r.err)
	}
	box.mustRun(nil, "archive")
	servers := serve(t, "--target", "engines")
	kept := filepath.Join(t.TempDir(), "archive")
	to := func(copied string) []string {
		return []string{"migrate", "--data", data, "--to-nats", servers.NATS, "--to-clickhouse", servers.CH, "--copy", copied, "--format", "json", "--allow-purge", "--to-archive", kept}
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if r := runCommand(t, nil, to(copied)...); r.code != 1 || !strings.Contains(r.err, "in use") {
		t.Errorf("a box at work: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if code := box.terminate(); code != 0 {
		t.Fatalf("the box ended with %d\n%s", code, box.log)
	}
	for _, again := range []bool{false, true} {
		r := runCommand(t, nil, to(copied)...)
		var result struct {
			Sequence uint64
			Equal    bool
			Tables   []struct {
				Table     string
				RowsThere uint64 `json:"rows_there"`
			}
		}
		if err := json.Unmarshal([]byte(r.out), &result); err != nil || r.code != 0 || !result.Equal || result.Sequence != known[0] || len(result.Tables) < 8 {
			t.Fatalf("migrate, again %v: exit %d, %v\n%s%s", again, r.code, err, r.out, r.err)
		}
	}
	rules = writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, half_yearly: off, assessment: off, formats: [md]}\narchive_dir: "+kept+"\n")
	roles := serve(t, "--config", rules, "--nats", servers.NATS, "--clickhouse", servers.CH, "--target", "producers,consumers,scheduler,web")
	for _, f := range files {
		compareGolden(t, roles, f, known[f.lines])
	}
	if next := roles.publish([]byte(event(nil, nil) + "\n")); len(next) != 1 || next[0].Seq != known[0]+1 {
		t.Errorf("the first event on the servers: %+v, the box ended at %d", next, known[0])
	}
	if out := roles.mustRun(nil, "archive", "--keep-days", "0", "--purge"); !strings.Contains(out, "archived 1 messages") || strings.Contains(out, "nothing to purge") {
		t.Errorf("on the servers:\n%s", out)
	}
	if out := roles.mustRun(nil, "replay"); strings.Count(out, "equal") != 4 {
		t.Errorf("a replay on the servers:\n%s", out)
	}
	// What has gone on is not written over.
	if r := runCommand(t, nil, to(copied)...); r.code != 1 || !strings.Contains(r.err, "nothing was changed") {
		t.Errorf("a target that has gone on: exit %d\n%s%s", r.code, r.out, r.err)
	}
	// A backup of the servers, which has no keys, goes back into servers.
	taken := filepath.Join(t.TempDir(), "backup")
	roles.mustRun(nil, "backup", taken)
	others := serve(t, "--target", "engines")
	if r := runCommand(t, nil, "restore", taken, "--to-nats", others.NATS, "--to-clickhouse", others.CH); r.code != 1 || !strings.Contains(r.err, "--to-archive") {
		t.Errorf("a restore without a place for the archive: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := runCommand(t, nil, "restore", taken, "--to-nats", others.NATS, "--to-clickhouse", others.CH, "--to-archive", filepath.Join(t.TempDir(), "archive")); r.code != 0 {
		t.Errorf("a restore into servers: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if _, count := others.get(others.CH + "/?query=SELECT+max(stream_seq)+FROM+events"); strings.TrimSpace(count) != strconv.FormatUint(known[0]+1, 10) {
		t.Errorf("the restored servers end at %s", count)
	}
	for _, args := range [][]string{{}, {"--to-nats", others.NATS}, {"--to-clickhouse", others.CH, "--data", data}, {"--to-nats", others.NATS, "--to-clickhouse", others.CH, "--replicas", "9"}} {
		if r := runCommand(t, nil, append([]string{"restore", taken}, args...)...); r.code != 1 || !strings.Contains(r.err, "--") {
			t.Errorf("restore %v: exit %d\n%s", args, r.code, r.err)
		}
	}
	unchanged := serve(t, "--data", data)
	if now := unchanged.mustRun(nil, "query", "SELECT max(stream_seq) FROM events", "--format", "tsv"); !strings.Contains(now, strconv.FormatUint(known[0], 10)) {
		t.Errorf("the box ends at %s, before at %d", now, known[0])
	}
}
