package deploy_test

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReplayGivesTheGoldenFiguresAgain damages a warehouse, replays the stream,
// and compares every figure with the golden case.
func TestReplayGivesTheGoldenFiguresAgain(t *testing.T) {
	t.Parallel()
	files := goldenFiles(t, "small")
	engines := serve(t, "--target", "engines,consumers")
	// The process that replays is not the one that consumes.
	server := serve(t, "--nats", engines.NATS, "--clickhouse", engines.CH, "--target", "producers,web")
	events, err := os.ReadFile(filepath.Join(goldenDir("small"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	known := publishInSteps(t, server, events, files)
	if got := server.mustRun(nil, "replay"); strings.Count(got, "equal") != 4 || strings.Contains(got, "changed") {
		t.Errorf("a replay of what is right:\n%s", got)
	}
	engines.writeSQL("ALTER TABLE events DELETE WHERE stream_seq % 2 = 0 SETTINGS mutations_sync = 2")
	engines.writeSQL("TRUNCATE TABLE contested")
	r := server.run(nil, "replay")
	if r.code != 0 || !strings.Contains(r.out, "changed") || !strings.Contains(r.err, "exchanging the tables") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	for _, f := range files {
		compareGolden(t, server, f, known[f.lines])
	}
	if got := server.mustRun(nil, "query", "--format", "tsv", "SELECT name FROM system.tables WHERE name LIKE '%replay'"); strings.TrimSpace(got) != "name" {
		t.Errorf("tables are left: %s", got)
	}
}

// TestServerDiesDuringAReplay kills the whole server in the middle.
func TestServerDiesDuringAReplay(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := serve(t, "--data", data)
	first.publish(smallEvents(t, 100))
	before := first.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json")
	response, err := http.Post(first.HTTP+"/v1/replay", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || !strings.Contains(line, "reading") {
		t.Fatalf("%q, %v", line, err)
	}
	first.kill()
	response.Body.Close()
	again := serve(t, "--data", data)
	if after := again.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json"); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	leases, err := again.stream().KeyValue(ctx, "MILEPOST_LEASES")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leases.Create(ctx, "replay", nil); err == nil { // the dead one's, unless it was quick
		t.Log("the replay had ended")
	}
	if r := again.run(nil, "replay"); r.code != 1 || !strings.Contains(r.err, "is running") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if err := leases.Delete(ctx, "replay"); err != nil { // as half a minute does
		t.Fatal(err)
	}
	if got := again.mustRun(nil, "replay", "--format", "json"); !strings.Contains(got, `"changed":false`) {
		t.Errorf("%s", got)
	}
	again.publish([]byte(event(map[string]any{"id": "after"}, nil) + "\n"))
	if got := again.mustRun(nil, "query", "--format", "tsv", "SELECT count() FROM events WHERE id = 'after'"); !strings.HasSuffix(strings.TrimSpace(got), "1") {
		t.Errorf("%s", got)
	}
}

// TestDeadLettersAreMendedAndResent works a dead letter of each kind off.
func TestDeadLettersAreMendedAndResent(t *testing.T) {
	t.Parallel()
	server := serve(t)
	js := server.stream()
	put := func(subject, body string) uint64 {
		ack, err := js.Publish(t.Context(), subject, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return ack.Sequence
	}
	const subject = "milepost.events.shanyang.P-0001.progress.reported"
	put(subject, event(map[string]any{"id": "mend"}, map[string]any{"month": "2025-09", "invested_ytd": -1})) // 1
	put("milepost.events.xiuwu.P-0001.progress.reported", event(map[string]any{"id": "wrong-subject"}, nil))  // 2
	put(subject, "no JSON \xff at all")                                                                       // 3
	put(subject, event(map[string]any{"id": "big"}, map[string]any{"note": strings.Repeat("x", 260<<10)}))    // 4
	server.publish([]byte(event(map[string]any{"id": "good", "type": "project.registered.v1"}, map[string]any{"name": "项目1", "total_investment": 1000, "registered_on": "2025-01-02"}) + "\n"))

	if got := server.mustRun(nil, "deadletters", "show", "3", "--raw"); got != "no JSON \xff at all" {
		t.Errorf("raw: %q", got)
	}
	if got := server.mustRun(nil, "deadletters", "show", "4", "--raw"); len(got) < 260<<10 {
		t.Errorf("the whole of a large message: %d bytes", len(got))
	}
	if got := server.mustRun(nil, "deadletters", "show", "1"); !strings.Contains(got, `"state":"open"`) || !strings.Contains(got, "data.invested_ytd") || !strings.Contains(got, `"hint"`) {
		t.Errorf("show: %s", got)
	}
	mended := filepath.Join(t.TempDir(), "mended.json")
	if err := os.WriteFile(mended, []byte(event(map[string]any{"id": "mend"}, map[string]any{"month": "2025-09", "invested_ytd": 77})+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string // what is printed; of a refusal in the error
		code int
	}{
		{[]string{"resend", "1"}, "data.invested_ytd", 1},
		{[]string{"resend", "4"}, "deadletters show --raw", 1},
		{[]string{"resend", "99"}, "no dead letter", 1},
		{[]string{"resend", "5"}, "no dead letter", 1},
		{[]string{"discard", "3", "--reason", "  "}, "reason", 1},
		{[]string{"resend", "1", "--file", mended}, `"new_seq":6`, 0},
		{[]string{"resend", "1", "--file", mended}, "was resent", 1},
		{[]string{"resend", "2"}, `"new_seq":7`, 0},
		{[]string{"discard", "3", "--reason", "测试"}, `"reason":"测试"`, 0},
		{[]string{"discard", "3", "--reason", "测试"}, "was discarded", 1},
	} {
		r := server.run(nil, append([]string{"deadletters"}, c.args...)...)
		text := r.out
		if c.code != 0 {
			text = r.err
		}
		if r.code != c.code || !strings.Contains(text, c.says) {
			t.Errorf("%v: exit %d\n%s%s", c.args, r.code, r.out, r.err)
		}
	}
	server.publish([]byte(event(map[string]any{"id": "last"}, nil) + "\n")) // waits for what was resent
	for _, c := range []struct {
		args []string
		want int
	}{{nil, 1}, {[]string{"list"}, 1}, {[]string{"--all"}, 4}, {[]string{"--all", "--limit", "2"}, 2}} {
		got := server.mustRun(nil, append(append([]string{"deadletters"}, c.args...), "--format", "json")...)
		if n := strings.Count(got, `"stream_seq"`); n != c.want {
			t.Errorf("deadletters %v lists %d, want %d", c.args, n, c.want)
		}
	}
	if got := server.mustRun(nil, "deadletters", "--all"); !strings.Contains(got, "已重发") || !strings.Contains(got, "已作废") || !strings.Contains(got, "待处理") {
		t.Errorf("table:\n%s", got)
	}
	if got := server.mustRun(nil, "bulletin", "2025-10"); !strings.Contains(got, `"dead_letters": 4`) && !strings.Contains(got, `"dead_letters":4`) {
		t.Errorf("the bulletin's count of dead letters changed:\n%s", got[max(0, len(got)-600):])
	}
	if got := server.mustRun(nil, "query", "--format", "tsv", "SELECT arrayStringConcat(arraySort(groupArray(id)), ' ') FROM events FINAL"); !strings.HasSuffix(strings.TrimSpace(got), "good last mend wrong-subject") {
		t.Errorf("events: %s", got)
	}
	if got := server.mustRun(nil, "replay", "--format", "json"); !strings.Contains(got, `"changed":false`) {
		t.Errorf("a replay behind dead letters that were resent: %s", got)
	}
	// Purged messages are shown from the archive, and judged from there.
	if got := server.mustRun(nil, "archive", "--keep-days", "0", "--purge"); !strings.Contains(got, "the stream holds 1") {
		t.Errorf("archived: %s", got)
	}
	if got := server.mustRun(nil, "deadletters", "show", "3", "--raw"); got != "no JSON \xff at all" {
		t.Errorf("raw, from the archive: %q", got)
	}
	if got := server.mustRun(nil, "deadletters", "show", "4", "--raw"); len(got) < 260<<10 {
		t.Errorf("the whole of a large message, from the archive: %d bytes", len(got))
	}
	if got := server.mustRun(nil, "replay", "--format", "json"); !strings.Contains(got, `"changed":false`) {
		t.Errorf("a replay from the archive: %s", got)
	}
}

// TestPublishThroughASpool publishes without a server, twice, and then with
// one.
func TestPublishThroughASpool(t *testing.T) {
	t.Parallel()
	spool := filepath.Join(t.TempDir(), "spool")
	lines := bytes.SplitAfter(smallEvents(t, 40), []byte("\n"))
	part := func(from, to int) *bytes.Reader { return bytes.NewReader(bytes.Join(lines[from:to], nil)) }
	away := func(from, to, waiting int) {
		t.Helper()
		r := runCommand(t, part(from, to), "publish", "--spool", spool, "--server", "http://127.0.0.1:1")
		if r.code != 0 || strings.Count(r.out, `"spooled":true`) != to-from || !strings.Contains(r.err, "events wait") {
			t.Errorf("without a server: exit %d\n%s%s", r.code, r.out, r.err)
		}
	}
	away(0, 10, 10)
	away(10, 20, 20)
	server := serve(t)
	r := server.run(bytes.NewReader(append(bytes.Join(lines[20:30], nil), "{\"id\": 7}\n"...)), "publish", "--spool", spool, "--wait")
	if r.code != 1 || strings.Count(r.out, "\n") != 31 || strings.Contains(r.out, "spooled") || !strings.Contains(r.out, `"line":11,`) || r.err != "" {
		t.Errorf("with a server: exit %d\n%s%s", r.code, r.out, r.err)
	}
	order := server.mustRun(nil, "query", "--format", "tsv", "SELECT groupArray(id) FROM (SELECT id FROM events ORDER BY stream_seq)")
	place := -1
	for _, line := range lines[:30] {
		_, rest, _ := strings.Cut(string(line), `"id"`)
		id := strings.Split(rest, `"`)[1]
		at := strings.Index(order, "'"+id+"'")
		if at <= place {
			t.Fatalf("%s is out of order or missing: %s", id, order)
		}
		place = at
	}
	if out := server.mustRun(nil, "publish", "--spool", spool, "--flush"); out != "" {
		t.Errorf("nothing waits, but: %s", out)
	}
	if kept, err := os.ReadFile(filepath.Join(spool, "refused.ndjson")); err != nil || !bytes.Contains(kept, []byte(`\"id\": 7`)) {
		t.Errorf("the refused event: %s, %v", kept, err)
	}
	for _, args := range [][]string{{"publish", "--flush"}, {"publish", "some.ndjson", "--spool", spool, "--flush"}} {
		if r := server.run(nil, args...); r.code == 0 || !strings.Contains(r.err, "--flush") {
			t.Errorf("%v: exit %d %s", args, r.code, r.err)
		}
	}
}
