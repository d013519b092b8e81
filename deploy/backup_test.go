package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"milepost/deploy/keeping"
)

// tableRows sums up every row of the tables that follow from the stream.
func tableRows(p *process) string {
	var all strings.Builder
	for _, table := range []string{"events", "content_hashes", "dead_letters", "contested"} {
		all.WriteString(table + " " + p.mustRun(nil, "query", "SELECT count(), sum(cityHash64(formatRow('RowBinary', *))) FROM "+table+" FINAL", "--format", "tsv"))
	}
	return all.String()
}

// TestBackupAndRestore archives and purges the stream of a server at work, takes a backup, restores it into an empty folder,
// empties the tables there, and finds every row and every golden figure of the city again by a replay from the archive; the
// server that goes on from it takes the next sequence.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	files := goldenFiles(t, "city")
	events, err := os.ReadFile(filepath.Join(goldenDir("city"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	rules := writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, half_yearly: off, assessment: off, formats: [md]}\n")
	before := serve(t, "--config", rules)
	known := publishInSteps(t, before, events, files)
	// An edition, with its files, is kept, too.
	before.mustRun(nil, "bulletin", "2025-10", "--publish")
	editions := before.mustRun(nil, "editions", "--json")
	rows := tableRows(before)
	bad := before.run(nil, "archive", "--purge")
	if bad.code != 1 || !strings.Contains(bad.err, "--keep-days") {
		t.Errorf("purge of nobody knows what: exit %d\n%s", bad.code, bad.err)
	}
	if out := before.mustRun(nil, "archive", "--before", "2025-01-01", "--purge"); !strings.Contains(out, "nothing new") || !strings.Contains(out, "nothing to purge") {
		t.Errorf("nothing is that old:\n%s", out)
	}
	if out := before.mustRun(nil, "archive", "--keep-days", "0", "--purge"); !strings.Contains(out, "000000000001-") {
		t.Errorf("archived:\n%s", out)
	}
	archived := before.mustRun(nil, "archive", "list")
	if out := before.mustRun(nil, "archive", "verify"); !strings.Contains(out, "as it was written") {
		t.Errorf("verified:\n%s", out)
	}

	backup := filepath.Join(t.TempDir(), "backup")
	before.mustRun(nil, "backup", backup)
	manifest, err := keeping.Verify(backup)
	if err != nil {
		t.Fatal(err)
	}
	again := before.run(nil, "backup", backup)
	if again.code != 1 || !strings.Contains(again.err, "not empty") {
		t.Errorf("a backup over another: exit %d\n%s", again.code, again.err)
	}
	doctor := func(running bool, data, listen string) {
		t.Helper()
		r := runCommand(t, nil, "doctor", "--data", data, "--listen", listen, "--clickhouse-listen", "127.0.0.1:0", "--json")
		if r.code != 0 || !strings.Contains(r.out, "applied up to "+strconv.FormatUint(manifest.Sequence, 10)) || strings.Contains(r.out, "it runs at") != running {
			t.Errorf("doctor, running %v: exit %d\n%s%s", running, r.code, r.out, r.err)
		}
	}
	doctor(true, t.TempDir(), strings.TrimPrefix(before.HTTP, "http://"))
	before.kill()

	data := filepath.Join(t.TempDir(), "new", "data")
	if r := runCommand(t, nil, "restore", backup, "--data", data); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s%s", r.code, r.out, r.err)
	}
	doctor(false, data, "127.0.0.1:0")
	after := serve(t, "--data", data, "--config", rules)
	if got := tableRows(after); got != rows {
		t.Errorf("the tables held\n%s and hold\n%s", rows, got)
	}
	if r := runCommand(t, nil, "archive", "verify", filepath.Join(data, "archive")); r.code != 0 {
		t.Errorf("the restored archive: %s", r.err)
	}
	if list := after.mustRun(nil, "archive", "list"); strings.Split(list, "\n")[1] != strings.Split(archived, "\n")[1] {
		t.Errorf("the archive was\n%s and is\n%s", archived, list)
	}
	for _, table := range []string{"events", "content_hashes", "contested"} {
		after.writeSQL("TRUNCATE TABLE " + table)
	}
	if out := after.mustRun(nil, "replay"); !strings.Contains(out, "changed") {
		t.Errorf("a replay into empty tables:\n%s", out)
	}
	if got := tableRows(after); got != rows {
		t.Errorf("the tables held\n%s and hold, by a replay from the archive,\n%s", rows, got)
	}
	for _, f := range files {
		compareGolden(t, after, f, known[f.lines])
	}
	if now := after.mustRun(nil, "editions", "--json"); now != editions {
		t.Errorf("editions before\n%s\nand after\n%s", editions, now)
	}
	var next struct {
		Seq uint64 `json:"seq"`
	}
	receipt := after.mustRun(bytes.NewReader([]byte(event(nil, nil)+"\n")), "publish", "-", "--wait")
	if err := json.Unmarshal([]byte(receipt), &next); err != nil || next.Seq != manifest.Sequence+1 {
		t.Errorf("the first event after the restore: %s, the backup ends at %d", receipt, manifest.Sequence)
	}
	if audit := after.mustRun(nil, "audit", "--json"); !strings.Contains(audit, `"backup"`) {
		t.Errorf("the backup is not in the restored audit:\n%s", audit)
	}
	occupied := runCommand(t, nil, "restore", backup, "--data", data)
	if occupied.code != 1 || !strings.Contains(occupied.err, "not empty") {
		t.Errorf("a restore over data: exit %d\n%s", occupied.code, occupied.err)
	}
}

// TestBackupOfAServerAtWork takes a backup while events come in: it is that of one moment, and the restored server carries
// on from there.
func TestBackupOfAServerAtWork(t *testing.T) {
	t.Parallel()
	rules := writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, half_yearly: off, assessment: off, formats: [md]}\n")
	before := serve(t, "--config", rules)
	text, err := os.ReadFile(filepath.Join(goldenDir("city"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	least := greatestSeq(before.publish(bytes.Join(lines[:100], nil)))
	rest := lines[100:]
	began, done := make(chan struct{}), make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		close(began)
		for len(rest) > 0 {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			n := min(10, len(rest))
			response, err := http.Post(before.HTTP+"/v1/events", "application/x-ndjson", bytes.NewReader(bytes.Join(rest[:n], nil)))
			if err != nil {
				done <- err
				return
			}
			_, err = io.Copy(io.Discard, response.Body)
			if err := errors.Join(err, response.Body.Close()); err != nil {
				done <- err
				return
			}
			rest = rest[n:]
		}
		done <- nil
	}()
	<-began
	backup := filepath.Join(t.TempDir(), "backup")
	before.mustRun(nil, "backup", backup)
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	manifest, err := keeping.Verify(backup)
	if err != nil {
		t.Fatal(err)
	}
	before.publish([]byte(event(map[string]any{"id": "last"}, nil) + "\n"))
	said := func(p *process) string {
		var all strings.Builder
		for _, table := range []string{"events", "content_hashes", "dead_letters", "conflicts"} {
			final := " FINAL"
			if table == "conflicts" { // a view
				final = ""
			}
			content := map[string]string{"events": "data", "content_hashes": "(identity, fingerprint)", "dead_letters": "code", "conflicts": "(event_id, fingerprint)"}[table]
			all.WriteString(table + " " + p.mustRun(nil, "query", "SELECT count(), sum(cityHash64(stream_seq, content)) FROM (SELECT stream_seq, "+content+" AS content FROM "+table+final+
				" WHERE stream_seq <= "+strconv.FormatUint(manifest.Sequence, 10)+")", "--format", "tsv"))
		}
		return all.String()
	}
	want := said(before)
	data := filepath.Join(t.TempDir(), "data")
	if r := runCommand(t, nil, "restore", backup, "--data", data); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s%s", r.code, r.out, r.err)
	}
	after := serve(t, "--data", data, "--config", rules)
	next := after.publish([]byte(event(map[string]any{"id": "next"}, nil) + "\n"))
	if len(next) != 1 || next[0].Seq != manifest.Sequence+1 || manifest.Sequence < least {
		t.Errorf("the first event after the restore: %+v, the backup ends at %d", next, manifest.Sequence)
	}
	if got := said(after); got != want {
		t.Errorf("up to %d the tables said\n%s, and now\n%s", manifest.Sequence, want, got)
	}
}
