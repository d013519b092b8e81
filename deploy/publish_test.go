package deploy_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPublishOnce publishes a month twice: one edition, its files, and its
// event that the ledger knows.
func TestPublishOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := serve(t, "--data", data)
	server.publish(smallEvents(t, 278))
	first := server.mustRun(nil, "bulletin", "2025-09", "--publish")
	again := server.mustRun(nil, "bulletin", "2025-09", "--publish")
	if first != again {
		t.Errorf("published twice, it reads differently\n%s\n%s", first, again)
	}
	var model struct {
		IssueNo  int    `json:"issue_no"`
		KnownSeq uint64 `json:"known_seq"`
	}
	if err := json.Unmarshal([]byte(first), &model); err != nil || model.IssueNo != 1 {
		t.Fatalf("issue number %d, %v", model.IssueNo, err)
	}
	file := filepath.Join(data, "bulletins", "month", "2025-09", "bulletin-2025-09.json")
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(stored) != first {
		t.Error("the published file is not what the command printed")
	}
	sum := sha256.Sum256(stored)
	event := server.mustRun(nil, "query", "--format", "tsv", "SELECT data FROM events FINAL WHERE type = 'bulletin.published.v1'")
	for i := 0; !strings.Contains(event, "2025-09") && i < 100; i++ { // until it is applied
		server.mustRun(strings.NewReader(""), "publish", "--wait")
		event = server.mustRun(nil, "query", "--format", "tsv", "SELECT data FROM events FINAL WHERE type = 'bulletin.published.v1'")
	}
	if !strings.Contains(event, hex.EncodeToString(sum[:])) || strings.Count(event, `"number"`) != 1 {
		t.Errorf("publication events: %s", event)
	}
	// The next month counts on the published one (item 6 of 七个一), and compares
	// with it.
	var october struct {
		Method struct {
			Items map[string]struct{ Satisfied, Applicable int } `json:"items"`
		} `json:"method"`
		Restatements []struct{ Path string } `json:"restatements"`
	}
	if err := json.Unmarshal([]byte(server.mustRun(nil, "bulletin", "2025-10")), &october); err != nil {
		t.Fatal(err)
	}
	if item := october.Method.Items["bulletin"]; item.Applicable == 0 || item.Satisfied != item.Applicable {
		t.Errorf("一期通报: %+v", item)
	}
	if len(october.Restatements) != 0 {
		t.Errorf("restatements although nothing came: %v", october.Restatements)
	}
	late := event2("late-1", "/offices/wenxian", "wenxian", "P-0002", map[string]any{"month": "2025-09", "invested_ytd": 41000})
	server.publish([]byte(late + "\n"))
	if err := json.Unmarshal([]byte(server.mustRun(nil, "bulletin", "2025-10")), &october); err != nil {
		t.Fatal(err)
	}
	if len(october.Restatements) == 0 {
		t.Error("a late report for a published month is no restatement")
	}
	// What was known then is still what was known then.
	if then := server.mustRun(nil, "bulletin", "2025-09", "--known", fmt.Sprint(model.KnownSeq)); strings.Replace(then, `"issue_no": null`, `"issue_no": 1`, 1) != first {
		t.Error("asked again as known then, the published month reads differently")
	}
	if r := server.run(nil, "bulletin", "2099-01", "--publish"); r.code != 1 {
		t.Errorf("a month of the future was published: %s", r.out)
	}
}

// TestWhatWasKnownStaysKnown asks for December as known at a sequence, before and
// after more events, and for March before and after it was published.
func TestWhatWasKnownStaysKnown(t *testing.T) {
	t.Parallel()
	server := serve(t)
	lines := bytes.SplitAfter(smallEvents(t, 278), []byte("\n"))
	known := fmt.Sprint(greatestSeq(server.publish(bytes.Join(lines[:200], nil))))
	december := server.mustRun(nil, "bulletin", "2025-12", "--known", known)
	server.publish(bytes.Join(lines[200:], nil))
	if again := server.mustRun(nil, "bulletin", "2025-12", "--known", known); again != december {
		t.Error("December as known then changed when more events came")
	}
	if now := server.mustRun(nil, "bulletin", "2025-12"); now == december {
		t.Error("December did not change although events came: the test proves nothing")
	}
	march := server.mustRun(nil, "bulletin", "2025-03", "--known", known)
	server.mustRun(nil, "bulletin", "2025-03", "--publish")
	if again := server.mustRun(nil, "bulletin", "2025-03", "--known", known); again != march {
		t.Error("publishing March changed March asked again")
	}
}

func event2(id, source, district, subject string, data map[string]any) string {
	return event(map[string]any{"id": id, "source": source, "district": district, "subject": subject, "time": "2025-11-08T10:00:00+08:00"}, data)
}

// TestSchedulerCatchesUp starts a server whose configuration asks for the
// bulletins since two months ago.
func TestSchedulerCatchesUp(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := serve(t, "--data", data)
	server.publish(smallEvents(t, 278))
	if found, err := filepath.Glob(filepath.Join(data, "bulletins", "*", "*")); err != nil || len(found) != 0 {
		t.Errorf("a first start published %v, %v", found, err)
	}
	if code := server.terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	config := filepath.Join(t.TempDir(), "milepost.yaml")
	since := time.Now().AddDate(0, -3, 0).Format("2006-01") + "-01"
	if err := os.WriteFile(config, []byte("bulletins:\n  formats: [html]\n  since: "+since+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := serve(t, "--data", data, "--config", config)
	// The oldest month is due in any case; the scheduler begins with it.
	oldest := filepath.Join(data, "bulletins", "month", since[:7], "bulletin-"+since[:7]+".html")
	deadline := time.Now().Add(time.Minute)
	for {
		if _, err := os.Stat(oldest); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was not published\n%s", oldest, again.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
	// What the scheduler publishes by itself is the system's act.
	if acts := again.mustRun(nil, "audit"); !strings.Contains(acts, "edition.publish") || !strings.Contains(acts, "system") || !strings.Contains(acts, "bulletin.published-"+since[:7]) {
		t.Errorf("audit:\n%s", acts)
	}
}

// TestDemo runs the demonstration to its end, twice on one folder.
func TestDemo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for i, want := range []string{"published  914 events", " 0 of them new"} {
		r := runCommand(t, nil, "demo", "--exit", "--data", data, "--listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
		if r.code != 0 || !strings.Contains(r.out, want) {
			t.Fatalf("run %d: exit %d\n%s%s", i+1, r.code, r.out, r.err)
		}
	}
	text, err := os.ReadFile(filepath.Join(data, "bulletin-2025-10.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bulletin-2025-Q3.md", "assessment-2025-draft.md", "ledger-2025-10-31.csv", "bulletin-2025-10.html"} {
		if info, err := os.Stat(filepath.Join(data, name)); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, part := range []string{"2025年10月重大项目进展情况通报", "一、总体情况", "县(市)组", "停缓建1个"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the bulletin lacks %q", part)
		}
	}
}

// TestImportCommand imports a sheet of the real example's shape.
func TestImportCommand(t *testing.T) {
	t.Parallel()
	example := filepath.Join("examples", "capital-projects")
	server := serve(t, "--config", filepath.Join(example, "config.yaml"))
	sheet := filepath.Join(t.TempDir(), "sheet.csv")
	header := "Date Reported As Of,PID,Project Name,Description,Category,Borough,Managing Agency,Client Agency,Current Phase,Design Start,Budget Forecast,Latest Budget Changes,Total Budget Changes,Forecast Completion,Latest Schedule Changes,Total Schedule Changes\n"
	rows := []string{
		`05/01/2014 12:00:00 AM,7,"Pump, ""new""","two` + "\n" + `lines",Water,Manhatten,DEP,DOT,Construction,,30000000,,,06/30/2016,,`,
		`09/01/2013 12:00:00 AM,7,Pump,x,Water,"Bronx, Queens",DEP,DOT,Design,,25000000,,,12/31/2015,,`,
		`09/01/2013 12:00:00 AM,8,Road,x,Streets,Queens,DOT,,Design,,1234.56,,,,,`,
		`05/01/2014 12:00:00 AM,8,Road,x,Streets,Queens,DOT,,Procurement,,not a number,,,13/45/2015,,`,
	}
	if err := os.WriteFile(sheet, []byte(header+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", sheet, "--mapping", filepath.Join(example, "mapping.yaml")}
	dry := server.run(nil, append(args, "--dry-run")...)
	if dry.code != 1 || !strings.Contains(dry.out, "would be published") || !strings.Contains(dry.out, "13/45/2015") || !strings.Contains(dry.out, "row 5") {
		t.Errorf("dry run: exit %d\n%s%s", dry.code, dry.out, dry.err)
	}
	if got := server.mustRun(nil, "ledger", "--format", "json"); strings.TrimSpace(got) != "[]" {
		t.Errorf("a dry run published: %s", got)
	}
	if r := server.run(nil, append(args, "--wait")...); r.code != 1 || strings.Contains(r.out, "events: 0 published") {
		t.Errorf("import: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := server.run(nil, append(args, "--wait")...); !strings.Contains(r.out, "events: 0 published") {
		t.Errorf("the second import:\n%s", r.out)
	}
	var ledger []struct {
		ProjectID  string  `json:"project_id"`
		District   string  `json:"district"`
		Lead       string  `json:"lead"`
		Total      float64 `json:"total_investment"`
		Stage      string  `json:"stage"`
		Milestones map[string]struct{ Baseline, Forecast string }
	}
	if err := json.Unmarshal([]byte(server.mustRun(nil, "ledger", "--as-of", "2014-12-31", "--format", "json")), &ledger); err != nil {
		t.Fatal(err)
	}
	if len(ledger) != 2 {
		t.Fatalf("%d projects", len(ledger))
	}
	pump, road := ledger[0], ledger[1]
	if pump.District != "manhattan" || pump.Lead != "DOT" || pump.Total != 3000 || pump.Stage != "started" || pump.Milestones["producing"].Baseline != "2015-12-31" || pump.Milestones["producing"].Forecast != "2016-06-30" {
		t.Errorf("pump: %+v", pump)
	}
	if road.Total != 0.12 || road.Lead != "DOT" || road.Stage != "registered" {
		t.Errorf("road: %+v", road)
	}
	missing := server.run(nil, "import", sheet, "--mapping", "/nowhere.yaml")
	if missing.code != 1 || !strings.Contains(missing.err, "nowhere.yaml") {
		t.Errorf("a mapping that is not there: exit %d %s", missing.code, missing.err)
	}
}
