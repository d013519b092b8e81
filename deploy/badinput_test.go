package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// event gives a good event as JSON, with members changed.
func event(change map[string]any, data map[string]any) string {
	e := map[string]any{
		"specversion": "1.0", "id": "e-1", "source": "/offices/shanyang", "type": "progress.reported.v1", "subject": "P-0001",
		"time": "2025-10-08T10:00:00+08:00", "district": "shanyang", "datacontenttype": "application/json",
		"data": map[string]any{"month": "2025-09", "invested_ytd": 120.5},
	}
	for key, value := range change {
		e[key] = value
	}
	if data != nil {
		e["data"] = data
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // the test's own maps always encode
	}
	return string(text)
}

// TestBadLinesAreRefusedAndTheRestGoesOn publishes a file with one mistake of
// each kind between good lines.
func TestBadLinesAreRefusedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	server := serve(t)
	registration := event(map[string]any{"id": "e-0", "type": "project.registered.v1"}, map[string]any{"name": "项目1", "total_investment": 1000, "registered_on": "2025-01-02"})
	cases := []struct {
		line, code, field string
	}{
		{registration, "", ""},
		{`{"specversion": "1.0", `, "malformed", ""},
		{event(map[string]any{"id": "e-2", "district": "atlantis"}, nil), "unknown", "district"},
		{event(map[string]any{"id": "e-3", "type": "milestone.reached.v1"}, map[string]any{"milestone": "landed", "reached_on": "2025-10-09"}), "invalid", "data.reached_on"},
		{event(map[string]any{"id": "e-4"}, map[string]any{"month": "2025-09", "invested_ytd": "120"}), "invalid", "data.invested_ytd"},
		{event(map[string]any{"id": "e-5"}, map[string]any{"month": "2025-09", "invested_ytd": 1, "note": strings.Repeat("x", 300<<10)}), "too_large", ""},
		{event(map[string]any{"id": "e-6", "type": "progres.reported.v1"}, nil), "unknown", "type"},
		{event(map[string]any{"id": "e-7"}, map[string]any{"month": "2025-13", "invested_ytd": 1}), "invalid", "data.month"},
		{event(map[string]any{"id": "e-8", "type": "bulletin.published.v1", "subject": "_month-2025", "district": "city"}, map[string]any{"kind": "month", "period": "2025-09", "number": 1, "known_seq": 1}), "forbidden", "type"},
		{event(nil, nil), "", ""},
	}
	var file strings.Builder
	for _, c := range cases {
		file.WriteString(c.line + "\n")
	}
	r := server.run(strings.NewReader(file.String()), "publish", "--wait")
	if r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if len(lines) != len(cases) {
		t.Fatalf("%d receipts for %d lines:\n%s%s", len(lines), len(cases), r.out, r.err)
	}
	for i, c := range cases {
		var got struct {
			Line  int
			Seq   uint64
			Error *struct{ Code, Field, Hint string }
		}
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatalf("receipt %q: %v", lines[i], err)
		}
		switch {
		case got.Line != i+1:
			t.Errorf("receipt %d is of line %d", i+1, got.Line)
		case c.code == "" && (got.Error != nil || got.Seq == 0):
			t.Errorf("line %d was refused: %s", i+1, lines[i])
		case c.code != "" && (got.Error == nil || got.Error.Code != c.code || got.Error.Field != c.field || got.Error.Hint == ""):
			t.Errorf("line %d: want %s at %q with a hint, got %s", i+1, c.code, c.field, lines[i])
		}
	}
	ledger := server.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json")
	if !strings.Contains(ledger, `"invested":120.5`) {
		t.Errorf("the good lines are not in the ledger: %s", ledger)
	}
}

// TestBrokenMessagesBecomeDeadLetters puts messages on the stream past the
// producers, as any NATS client can; the stream flows on.
func TestBrokenMessagesBecomeDeadLetters(t *testing.T) {
	t.Parallel()
	server := serve(t)
	stream := server.stream()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	put := func(subject, body string) {
		if _, err := stream.Publish(ctx, subject, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	put("milepost.events.shanyang.P-0001.progress.reported", "no JSON \xff at all")
	put("milepost.events.shanyang.P-0001.progress.reported", event(nil, map[string]any{"month": "2025-09", "invested_ytd": -1}))
	put("milepost.events.xiuwu.P-0001.progress.reported", event(nil, nil)) // the subject says another district
	good := event(map[string]any{"id": "good", "type": "project.registered.v1"}, map[string]any{"name": "项目1", "total_investment": 1000, "registered_on": "2025-01-02"})
	put("milepost.events.shanyang.P-0001.project.registered", good)
	server.publish([]byte(event(map[string]any{"id": "last"}, nil) + "\n"))

	var letters []struct {
		StreamSeq           uint64 `json:"stream_seq"`
		Code, Field, Reason string
	}
	text := server.mustRun(nil, "deadletters", "--format", "json")
	if err := json.Unmarshal([]byte(text), &letters); err != nil {
		t.Fatal(err)
	}
	if len(letters) != 3 || letters[0].StreamSeq != 3 || letters[1].Field != "data.invested_ytd" || letters[2].Code != "malformed" {
		t.Errorf("dead letters: %s", text)
	}
	ledger := server.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json")
	if !strings.Contains(ledger, `"invested":120.5`) {
		t.Errorf("the stream did not flow on: %s", ledger)
	}
	if table := server.mustRun(nil, "deadletters"); !strings.Contains(table, "data.invested_ytd") {
		t.Errorf("table: %s", table)
	}
	counted := server.mustRun(nil, "query", "--format", "tsv", "SELECT count(), uniqExact(event_id), (SELECT count() FROM dead_letters FINAL) FROM events FINAL")
	if !strings.HasSuffix(strings.TrimSpace(counted), "2\t2\t3") {
		t.Errorf("counts: %q", counted)
	}
}

// TestReadersCannotWrite sends what must be refused to both reading doors.
func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.publish(smallEvents(t, 40))
	outfile := filepath.Join(t.TempDir(), "stolen")
	for _, sql := range []string{
		"SELECT 1 INTO OUTFILE '" + outfile + "'",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT file('/etc/passwd')",
		"SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
		"SELECT * FROM remote('127.0.0.1', system.one)",
		"SELECT 1; SELECT 2",
		"SELECT 1 SETTINGS readonly = 0",
		"SELECT count() FROM events SETTINGS max_memory_usage = 0",
		"INSERT INTO events (id) VALUES ('x')",
		"DROP TABLE events",
		"SET readonly = 0",
		"CREATE TABLE t (a Int8) ENGINE = Memory",
		"SYSTEM SHUTDOWN",
	} {
		status, body := server.get(server.CH + "/?query=" + url.QueryEscape(sql))
		if status < 400 || !strings.Contains(body, "DB::Exception") {
			t.Errorf("%s over HTTP: %d %s", sql, status, body)
		}
		if r := server.run(nil, "query", sql); r.code != 1 || r.out != "" || r.err == "" {
			t.Errorf("%s by query: exit %d\n%s%s", sql, r.code, r.out, r.err)
		}
	}
	if _, err := os.Stat(outfile); err == nil {
		t.Error("a reader wrote a file")
	}
	if status, body := server.get(server.CH + "/?query=" + url.QueryEscape("SELECT count() FROM events FINAL WHERE data != 'INTO OUTFILE; SETTINGS readonly=0'")); status != 200 || strings.TrimSpace(body) != "40" {
		t.Errorf("words within a text were taken for a statement: %d %s", status, body)
	}
	if status, body := server.get(server.CH + "/?max_memory_usage=0&query=SELECT+getSetting('max_memory_usage')"); status != 200 || strings.TrimSpace(body) == "0" {
		t.Errorf("a reader lifted the memory limit: %d %s", status, body)
	}
	if status, body := server.get(server.CH + "/?readonly=0&query=SELECT+1"); status < 400 {
		t.Errorf("a reader lifted readonly: %d %s", status, body)
	}
}

// TestLedgerViewAnswersOrSaysWhatIsMissing asks ledger(as_of, known) by SQL.
func TestLedgerViewAnswersOrSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	server := serve(t)
	known := greatestSeq(server.publish(smallEvents(t, 278)))
	sql := fmt.Sprintf("SELECT project_id, status, light, rate FROM ledger(as_of = '2025-10-31', known = %d) ORDER BY project_id", known)
	for range 2 { // made the first time, found the second
		got := server.mustRun(nil, "query", "--format", "tsv", sql)
		if !strings.HasPrefix(got, "project_id\tstatus\tlight\trate\nP-0001\tslow\tred\t22.5\nP-0002\tslow\tred\t30\n") {
			t.Errorf("ledger by SQL:\n%s", got)
		}
	}
	both := fmt.Sprintf("SELECT (SELECT count() FROM ledger(as_of = '2025-03-31', known = %[1]d)), (SELECT count() FROM ledger(as_of = '2025-04-30', known = %[1]d))", known)
	if got := server.mustRun(nil, "query", "--format", "TabSeparated", both); len(strings.Fields(got)) != 2 {
		t.Errorf("two ledgers that were not stored: %s", got)
	}
	r := server.run(nil, "query", "SELECT count() FROM ledger(as_of = '2025-10-31', known = 999999)")
	if r.code != 1 || !strings.Contains(r.err, "ledger not stored") {
		t.Errorf("an unknown sequence: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := server.run(nil, "ledger", "--as-of", "2025-10-31", "--known", "999999"); r.code != 1 || !strings.Contains(r.err, "not applied") {
		t.Errorf("an unknown sequence by the command: exit %d\n%s", r.code, r.err)
	}
}

// TestCommandLineMistakes runs commands that cannot work, without a server.
func TestCommandLineMistakes(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	text := "listen: nowhere\nreport_day: 40\ndurability: maybe\ntarget: [web, kitchen]\nclickhouse: ftp://x\ndistricts:\n  - {code: A B, name: 甲, group: county}\n  - {code: xiuwu, name: 修武县, group: nobody}\n"
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	unknownKey := filepath.Join(t.TempDir(), "unknown.yaml")
	if err := os.WriteFile(unknownKey, []byte("lisen: 127.0.0.1:80\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"serve", "--config", broken}, 1, []string{"listen", "report_day", "durability", "kitchen", "clickhouse", "districts[0].code", "districts[1].group"}},
		{[]string{"serve", "--config", unknownKey}, 1, []string{"lisen"}},
		{[]string{"serve", "--config", "/nowhere.yaml"}, 1, []string{"no configuration file"}},
		{[]string{"bulletin", "2025-13"}, 1, []string{"not a period", "2026-Q4"}},
		{[]string{"bulletin", "2025-10", "--publish", "--known", "3"}, 1, []string{"--known"}},
		{[]string{"ledger", "--server", "http://127.0.0.1:1"}, 1, []string{"does not answer", "milepost serve"}},
		{[]string{"ledger", "--server", "127.0.0.1:1"}, 1, []string{"not a server address"}},
		{[]string{"fly"}, 2, []string{"--help"}},
		{[]string{"ledger", "--format", "xml"}, 2, []string{"json"}},
		{[]string{"publish", "/nowhere.ndjson"}, 1, []string{"cannot read the file"}},
		{[]string{"serve", "--data", t.TempDir(), "--target", "web"}, 1, []string{"--nats"}},
	}
	for _, c := range cases {
		r := runCommand(t, bytes.NewReader(nil), c.args...)
		if r.code != c.code {
			t.Errorf("milepost %s: exit %d, want %d\n%s", strings.Join(c.args, " "), r.code, c.code, r.err)
		}
		for _, word := range c.says {
			if !strings.Contains(r.err, word) {
				t.Errorf("milepost %s does not say %q:\n%s", strings.Join(c.args, " "), word, r.err)
			}
		}
	}
	for _, args := range [][]string{{"version"}, {"--help"}, {"publish", "--help"}} {
		if r := runCommand(t, nil, args...); r.code != 0 || !strings.Contains(r.out, "milepost") && !strings.Contains(r.out, "NDJSON") {
			t.Errorf("milepost %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
		}
	}
}
