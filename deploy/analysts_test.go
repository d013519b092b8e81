package deploy_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var updateDictionary = flag.Bool("update-dictionary", false, "write docs/data-dictionary.md anew")

// TestWhatAnalystsAreGiven runs the dashboard's queries, the worked queries of the documentation and the data dictionary
// against the golden city, and looks for every metric of the other dashboard and of the alerts in a scrape.
func TestWhatAnalystsAreGiven(t *testing.T) {
	t.Parallel()
	p := serve(t, "--config", writeFile(t, "milepost.yaml", "bulletins: {formats: [json]}\ndelivery: {targets: [{name: archive, type: folder, formats: [json], dir: "+t.TempDir()+"}]}\n"))
	events, err := os.ReadFile(filepath.Join(goldenDir("city"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	receipts := p.publish(events)
	p.mustRun(nil, "bulletin", "2025-10", "--publish")
	p.awaitCurrent(receipts[len(receipts)-1].Seq)
	t.Run("dashboard", func(t *testing.T) { p.in(t).wantDashboard(t) })
	t.Run("metrics", func(t *testing.T) { p.in(t).wantMetrics(t) })
	t.Run("queries", func(t *testing.T) { p.in(t).wantWorkedQueries(t) })
	t.Run("dictionary", func(t *testing.T) { p.in(t).wantDictionary(t) })
}

// awaitCurrent waits until ledger_current, which follows what was applied in its own time, holds everything up to a sequence.
func (p *process) awaitCurrent(seq uint64) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		known := p.sqlRows("SELECT toString(max(known_seq)) AS known FROM ledger_current")[0]["known"]
		if n, err := strconv.ParseUint(fmt.Sprint(known), 10, 64); err == nil && n >= seq {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("after a minute the current ledger is at sequence %v, not at %d", known, seq)
		}
	}
}

// in gives the server to a part of a test, which then fails by itself.
func (p *process) in(t *testing.T) *process {
	part := *p
	part.t = t
	return &part
}

// dashboard is what the tests read of a Grafana dashboard.
type dashboard struct {
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Templating struct {
		List []struct{ Name, Type, Query string }
	}
	Panels []struct {
		ID      int    `json:"id"`
		Title   string `json:"title"`
		Type    string `json:"type"`
		GridPos struct{ X, Y, W, H int }
		Targets []struct {
			Expr   string `json:"expr"`
			RawSQL string `json:"rawSql"`
			Format int    `json:"format"`
		}
	}
}

func readDashboard(t *testing.T, name string) dashboard {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("grafana", name))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if d.UID == "" || len(d.Panels) < 15 {
		t.Fatalf("%s: uid %q, %d panels", name, d.UID, len(d.Panels))
	}
	seen := map[int]bool{}
	for i, panel := range d.Panels {
		if seen[panel.ID] || panel.Title == "" || len(panel.Targets) == 0 {
			t.Errorf("%s: panel %d (%q) has a used id, no title or no query", name, panel.ID, panel.Title)
		}
		seen[panel.ID] = true
		if g := panel.GridPos; g.W < 1 || g.X+g.W > 24 {
			t.Errorf("%s: %q is outside the grid: %+v", name, panel.Title, g)
		}
		for _, other := range d.Panels[:i] {
			a, b := panel.GridPos, other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%s: %q lies over %q", name, panel.Title, other.Title)
			}
		}
	}
	return d
}

// fillMacros puts in what Grafana's ClickHouse data source does; what is left over is an error.
func fillMacros(sql string, variables map[string][]string) (string, error) {
	sql = regexp.MustCompile(`\$__timeFilter\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)`).ReplaceAllString(sql, "($1 >= toDateTime(1704038400) AND $1 <= toDateTime(1893427200))")
	sql = regexp.MustCompile(`\$__timeInterval\(((?:[^()]|\([^()]*\))*)\)`).ReplaceAllString(sql, "toStartOfInterval($1, INTERVAL 86400 second)")
	for name, values := range variables {
		sql = strings.ReplaceAll(sql, "${"+name+":singlequote}", "'"+strings.Join(values, "','")+"'")
		sql = strings.ReplaceAll(sql, "$"+name, values[0])
	}
	if strings.Contains(sql, "$") {
		return "", fmt.Errorf("not filled: %s", sql)
	}
	return sql, nil
}

func (p *process) wantDashboard(t *testing.T) {
	d := readDashboard(t, "projects.json")
	variables := map[string][]string{}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		for _, row := range p.sqlRows(v.Query) {
			for _, value := range row {
				variables[v.Name] = append(variables[v.Name], fmt.Sprint(value))
			}
		}
		if len(variables[v.Name]) == 0 {
			t.Fatalf("the variable %s has no values", v.Name)
		}
	}
	variables["period"] = []string{"2025-10"}
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			sql, err := fillMacros(target.RawSQL, variables)
			if err != nil {
				t.Errorf("%s: %v", panel.Title, err)
				continue
			}
			rows := p.sqlRows(sql)
			// Nothing comes past the producers in the golden city, and so there are no dead letters.
			if len(rows) == 0 && panel.Title != "Dead letters 退件" {
				t.Errorf("%s: no rows for %s", panel.Title, sql)
			}
			if target.Format == 0 && len(rows) > 0 && rows[0]["time"] == nil {
				t.Errorf("%s: a series without time: %v", panel.Title, rows[0])
			}
		}
	}
}

func (p *process) wantMetrics(t *testing.T) {
	status, scrape := p.get(p.HTTP + "/metrics")
	if status != 200 {
		t.Fatalf("status %d", status)
	}
	exposed := map[string]bool{}
	source, err := os.ReadFile("metricsschedule.go")
	if err != nil {
		t.Fatal(err)
	}
	// Present at their moments only: while a replica runs what is due, and after the first run of a job.
	for _, name := range []string{"milepost_schedule_lease", "milepost_schedule_job_last_success_timestamp_seconds"} {
		exposed[name] = strings.Contains(string(source), `desc("`+name+`"`)
	}
	for _, line := range strings.Split(scrape, "\n") {
		if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
			exposed[name] = true
		}
	}
	alerts, err := os.ReadFile(filepath.Join("prometheus", "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string][]string{"alerts.yml": {string(alerts)}}
	for _, panel := range readDashboard(t, "pipeline.json").Panels {
		for _, target := range panel.Targets {
			asked[panel.Title] = append(asked[panel.Title], target.Expr)
		}
	}
	names, used := regexp.MustCompile(`\b(?:milepost|process|go)_[a-z_]+\b`), map[string]bool{}
	for where, expressions := range asked {
		for _, name := range names.FindAllString(strings.Join(expressions, "\n"), -1) {
			used[name] = true
			if !exposed[name] {
				t.Errorf("%s asks for %s, which no scrape has", where, name)
			}
		}
	}
	for name := range exposed {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		if strings.HasPrefix(name, "milepost_") && !used[name] && !used[base+"_bucket"] {
			t.Errorf("%s is on no dashboard and in no alert", name)
		}
	}
}

// fencedSQL gives the SQL blocks of a document with the headings above them.
func fencedSQL(t *testing.T, path string) (headings, blocks []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^## ([^\n]+)\n(.*?)^```sql\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(m[2], "\n## ") {
			t.Errorf("%s: %q has no query", path, m[1])
		}
		headings, blocks = append(headings, m[1]), append(blocks, m[3])
	}
	return headings, blocks
}

func (p *process) wantWorkedQueries(t *testing.T) {
	headings, blocks := fencedSQL(t, "../docs/queries.md")
	if len(blocks) < 15 {
		t.Fatalf("only %d queries", len(blocks))
	}
	for i, sql := range blocks {
		if rows := p.sqlRows(sql); len(rows) == 0 {
			t.Errorf("%s: no rows", headings[i])
		}
	}
}

func (p *process) wantDictionary(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Data dictionary 数据字典\n\nEvery table and view that analysts query, column by column, as the view `data_dictionary` tells it; a test keeps this page current\n(`go test ./deploy -run TestWhatAnalystsAreGiven -update-dictionary` writes it anew). Worked queries are in [queries.md](queries.md).\n")
	relation := ""
	cell := strings.NewReplacer("|", "\\|", "\n", " ").Replace
	for _, row := range p.sqlRows("SELECT relation, name, type, chinese, english FROM data_dictionary ORDER BY relation, position") {
		text := func(name string) string { return cell(fmt.Sprint(row[name])) }
		if row["relation"] != relation {
			relation = row["relation"].(string)
			fmt.Fprintf(&b, "\n## %s\n\n| 列 column | 类型 type | 中文名 | meaning |\n|---|---|---|---|\n", relation)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", text("name"), text("type"), text("chinese"), text("english"))
	}
	path := "../docs/data-dictionary.md"
	if *updateDictionary {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != b.String() {
		t.Error("docs/data-dictionary.md is not what data_dictionary says; write it anew with -update-dictionary")
	}
}
