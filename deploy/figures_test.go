package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sqlRows runs a query and gives its rows, numbers as they are written.
func (p *process) sqlRows(sql string) []map[string]any {
	p.t.Helper()
	var rows []map[string]any
	decoder := json.NewDecoder(strings.NewReader(p.mustRun(nil, "query", "--format", "ndjson", sql)))
	for decoder.More() {
		var row map[string]any
		if err := decoder.Decode(&row); err != nil {
			p.t.Fatalf("%s: %v", sql, err)
		}
		rows = append(rows, row)
	}
	return rows
}

// sqlFigures gives path and value of what a query selects, values decoded.
func (p *process) sqlFigures(from string) map[string]any {
	p.t.Helper()
	figures := map[string]any{}
	for _, row := range p.sqlRows("SELECT path, value, number FROM " + from) {
		var value any
		if err := json.Unmarshal([]byte(row["value"].(string)), &value); err != nil {
			p.t.Fatalf("%v: %v", row, err)
		}
		if number, ok := value.(float64); ok != (row["number"] != nil) || ok && number != row["number"] {
			p.t.Errorf("%s: the value is %v, the number %v", row["path"], value, row["number"])
		}
		figures[row["path"].(string)] = value
	}
	return figures
}

// flatten lists a model's values by path; which edition it is, restatements and
// events stay out.
func flatten(path string, value any, into map[string]any) {
	at := func(parts ...string) string {
		for i := range parts {
			parts[i] = strings.NewReplacer("~", "~0", "/", "~1").Replace(parts[i])
		}
		if path != "" {
			parts = append([]string{path}, parts...)
		}
		return strings.Join(parts, "/")
	}
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if path != "" || !slices.Contains([]string{"kind", "period", "period_start", "period_end", "known_seq", "issue_no", "title", "restatements", "year"}, name) {
				flatten(at(name), member, into)
			}
		}
	case []any:
		for _, element := range v {
			member, _ := element.(map[string]any)
			switch {
			case strings.HasSuffix(path, "/events"):
			case member == nil:
				flatten(at(element.(string)), element, into)
			case path == "groups":
				group := []string{member["kind"].(string)}
				if name, ok := member["group"].(string); ok {
					group = append(group, name)
				}
				for _, row := range member["rows"].([]any) {
					flatten(at(append(slices.Clone(group), row.(map[string]any)["key"].(string))...), row, into)
				}
			case path == "reached" || path == "upcoming":
				flatten(at(member["project_id"].(string), member["milestone"].(string)), element, into)
			case strings.HasSuffix(path, "/items"):
				flatten(at(member["item"].(string)), element, into)
			default:
				flatten(at(member["project_id"].(string)), element, into)
			}
		}
	default:
		into[path] = value
	}
}

func decodeModel(t *testing.T, text string) map[string]any {
	t.Helper()
	var model map[string]any
	if err := json.Unmarshal([]byte(text), &model); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return model
}

// wantSame compares two sets of figures.
func wantSame(t *testing.T, what string, want, got map[string]any) {
	t.Helper()
	if len(want) < 50 {
		t.Fatalf("%s: only %d figures are wanted", what, len(want))
	}
	for path, value := range want {
		if found, ok := got[path]; !ok || found != value {
			t.Errorf("%s: %s is %v (there: %v), want %v", what, path, found, ok, value)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%s: %s is more than the model has", what, path)
		}
	}
}

// wantRows compares rows of SQL with the rows of a model's groups: members that
// are objects of counts are columns with the milestone's name before.
func wantRows(t *testing.T, what string, model map[string]any, rows []map[string]any) {
	t.Helper()
	byKey := map[string]map[string]any{}
	for _, row := range rows {
		byKey[fmt.Sprint(row["kind"], row["group"], row["key"])] = row
	}
	count := 0
	for _, group := range model["groups"].([]any) {
		g := group.(map[string]any)
		for _, r := range g["rows"].([]any) {
			row := maps.Clone(r.(map[string]any))
			count++
			got := byKey[fmt.Sprint(g["kind"], g["group"], row["key"])]
			for word, tally := range row["milestones"].(map[string]any) {
				for name, value := range tally.(map[string]any) {
					row[word+"_"+name] = value
				}
			}
			maps.Copy(row, row["investment"].(map[string]any))
			for _, nested := range []string{"milestones", "investment", "items"} {
				delete(row, nested)
			}
			for _, d := range differences(fmt.Sprint(what, "/", row["key"]), row, got) {
				t.Error(d)
			}
		}
	}
	if count < 5 || count != len(rows) {
		t.Errorf("%s: the model has %d rows, SQL gives %d", what, count, len(rows))
	}
}

// TestFiguresBySQL holds the views on the bulletin and the assessment against
// the golden models, follows a score to its events, and keeps what was printed
// apart from what is known later.
func TestFiguresBySQL(t *testing.T) {
	t.Parallel()
	server := serve(t)
	known := greatestSeq(server.publish(smallEvents(t, 278)))
	// These are the golden models, as TestGoldenCases holds.
	october := decodeModel(t, server.mustRun(nil, "bulletin", "2025-10", "--known", fmt.Sprint(known)))
	year := decodeModel(t, server.mustRun(nil, "assess", "2025", "--known", fmt.Sprint(known)))
	bulletin := fmt.Sprintf("(period = '2025-10', known = %d)", known)
	assessment := fmt.Sprintf("(year = 2025, known = %d)", known)

	want := map[string]any{}
	flatten("", october, want)
	wantSame(t, "figures", want, server.sqlFigures("figures"+bulletin))
	wantRows(t, "rankings", october, server.sqlRows("SELECT * FROM rankings"+bulletin))
	wantRows(t, "assessment", year, server.sqlRows("SELECT * FROM assessment"+assessment))
	server.wantItems(year, server.sqlRows("SELECT * FROM assessment_items"+assessment+" ORDER BY kind, key, item"))
	server.wantTakenApart(assessment, year)

	// What is printed stays; what is known moves.
	printed := decodeModel(t, server.mustRun(nil, "bulletin", "2025-10", "--publish"))
	finalised := decodeModel(t, server.mustRun(nil, "assess", "2025", "--finalise"))
	late := event2("late-1", "/offices/wenxian", "wenxian", "P-0002", map[string]any{"month": "2025-10", "invested_ytd": 41000})
	now := greatestSeq(server.publish([]byte(late + "\n")))
	editions := server.wantEditions(printed)
	if got := editions["assessment 2025"]; got == nil || len(got["files"].([]any)) == 0 || got["known_seq"] != finalised["known_seq"] {
		t.Errorf("the finalised assessment's edition: %v", got)
	}
	for from, model := range map[string]map[string]any{"kind = 'month' AND period = '2025-10'": printed, "kind = 'assessment' AND period = '2025'": finalised} {
		want := map[string]any{}
		flatten("", model, want)
		wantSame(t, "published, "+from, want, server.sqlFigures("published_figures WHERE issue_no = 1 AND "+from))
	}
	moved := server.sqlRows(fmt.Sprintf(`SELECT path, p.number AS printed, f.number AS now FROM published_figures AS p JOIN figures(period = '2025-10', known = %d) AS f USING path
WHERE p.kind = 'month' AND p.value != f.value ORDER BY path`, now))
	if !slices.ContainsFunc(moved, func(row map[string]any) bool {
		return row["path"] == "groups/district/county/wenxian/investment/invested" && row["printed"] != row["now"]
	}) {
		t.Errorf("a late report moved %v", moved)
	}
	wantSame(t, "figures as known then", want, server.sqlFigures("figures"+bulletin))
}

// wantItems compares every item of the assessment, events and their order
// included.
func (p *process) wantItems(model map[string]any, rows []map[string]any) {
	p.t.Helper()
	byKey := map[string]map[string]any{}
	for _, row := range rows {
		byKey[fmt.Sprint(row["kind"], row["key"], row["item"])] = row
	}
	count := 0
	for _, group := range model["groups"].([]any) {
		g := group.(map[string]any)
		for _, r := range g["rows"].([]any) {
			for _, i := range r.(map[string]any)["items"].([]any) {
				item, key := i.(map[string]any), r.(map[string]any)["key"]
				count++
				for _, d := range differences(fmt.Sprint("items/", key), item, byKey[fmt.Sprint(g["kind"], key, item["item"])]) {
					p.t.Error(d)
				}
			}
		}
	}
	if count < 25 || count != len(rows) {
		p.t.Errorf("the model has %d items, SQL gives %d", count, len(rows))
	}
}

// wantTakenApart follows each department's score to the events that it rests on.
func (p *process) wantTakenApart(assessment string, model map[string]any) {
	p.t.Helper()
	scores := map[string]any{}
	for _, group := range model["groups"].([]any) {
		if g := group.(map[string]any); g["kind"] == "department" {
			for _, r := range g["rows"].([]any) {
				if row := r.(map[string]any); row["score"] != nil {
					scores[row["key"].(string)] = row["score"]
				}
			}
		}
	}
	sums := p.sqlRows("SELECT key, sum(points) AS score FROM assessment_items" + assessment + " WHERE kind = 'department' GROUP BY key HAVING count(points) > 0")
	if len(sums) == 0 || len(sums) != len(scores) {
		p.t.Fatalf("%d departments have points, %d a score", len(sums), len(scores))
	}
	for _, row := range sums {
		// Five items, each rounded by at most half a hundredth.
		if want, ok := scores[row["key"].(string)].(float64); !ok || math.Abs(row["score"].(float64)-want) > 0.0251 {
			p.t.Errorf("the points of %s add up to %v, its score is %v", row["key"], row["score"], scores[row["key"].(string)])
		}
	}
	named := p.sqlRows(`SELECT key, item, count() AS named, countIf(found.type != '') AS found, uniqExact(found.type) AS types
FROM (SELECT key, item, event.1 AS source, event.2 AS id FROM assessment_items` + assessment + ` ARRAY JOIN events AS event WHERE kind = 'department') AS i
LEFT JOIN (SELECT source, id, type FROM events FINAL) AS found USING (source, id) GROUP BY key, item ORDER BY key, item`)
	if len(named) < len(scores) {
		p.t.Errorf("items with events: %v", named)
	}
	for _, row := range named {
		if row["named"] != row["found"] {
			p.t.Errorf("%v: not every event is in the warehouse", row)
		}
	}
}

// wantEditions waits until the figures of both editions are stored, and gives
// the editions by kind and period.
func (p *process) wantEditions(printed map[string]any) map[string]map[string]any {
	p.t.Helper()
	for range 200 {
		if stored := p.sqlRows("SELECT DISTINCT kind FROM published_figures"); len(stored) == 2 {
			break
		}
		p.mustRun(strings.NewReader(""), "publish", "--wait")
	}
	editions := map[string]map[string]any{}
	for _, row := range p.sqlRows("SELECT * FROM published_editions") {
		editions[fmt.Sprint(row["kind"], " ", row["period"])] = row
	}
	got := editions["month 2025-10"]
	if len(editions) != 2 || got == nil || got["issue_no"] != 1.0 || got["known_seq"] != printed["known_seq"] || got["published_seq"].(float64) <= got["known_seq"].(float64) {
		p.t.Errorf("editions: %v", editions)
	}
	return editions
}

// TestFiguresSayWhatIsWrong asks for what cannot be answered.
func TestFiguresSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.publish(smallEvents(t, 10))
	for sql, says := range map[string]string{
		"figures(period = '2025-10', known = 999999)":        "bulletin not stored: period=2025-10 known=999999; the sequence is past what is applied",
		"rankings(period = '2025-Q4', known = 999999)":       "bulletin not stored",
		"assessment(year = 2025, known = 999999)":            "assessment not stored: year=2025 known=999999",
		"assessment_items(year = 2025, known = 999999)":      "assessment not stored",
		"figures(period = '2025-13', known = 1)":             "not a period (got 2025-13); write 2026-W40",
		"figures(period = '2025-W53', known = 1)":            "there is no such week",
		"rankings(period = 'October', known = 1)":            "not a period",
		"assessment(year = 25, known = 1)":                   "not a year (got 25)",
		"assessment(year = 'last', known = 1)":               "cannot be parsed as UInt16",
		"figures(period = '2025-10', known = 'yesterday')":   "cannot be parsed as UInt64",
		"published_figures JOIN nowhere USING published_seq": "nowhere",
	} {
		if r := server.run(nil, "query", "SELECT count() FROM "+sql); r.code != 1 || !strings.Contains(r.err, says) {
			t.Errorf("%s: exit %d, want %q\n%s%s", sql, r.code, says, r.out, r.err)
		}
	}
	if got := server.mustRun(nil, "query", "--format", "tsv", "SELECT count() FROM rankings(period = '2025-W01', known = 0)"); !strings.HasSuffix(got, "\n0\n") {
		t.Errorf("before the first event there are no rows: %s", got)
	}
}

// TestFiguresFollowTheRules starts again with other weights: what was stored
// under the old ones does not answer, and what was printed stays.
func TestFiguresFollowTheRules(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := serve(t, "--data", data)
	known := greatestSeq(server.publish(smallEvents(t, 278)))
	scores := fmt.Sprintf("SELECT toString(groupArray((kind, key, score))) AS scores FROM (SELECT * FROM rankings(period = '2025-10', known = %d) ORDER BY kind, key)", known)
	points := fmt.Sprintf("SELECT toString(groupArray((kind, key, item, weight, points))) AS points FROM (SELECT * FROM assessment_items(year = 2025, known = %d) ORDER BY kind, key, item)", known)
	before, pointsBefore := server.mustRun(nil, "query", "--format", "tsv", scores), server.mustRun(nil, "query", "--format", "tsv", points)
	server.mustRun(nil, "bulletin", "2025-10", "--publish")
	if code := server.terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	config := filepath.Join(t.TempDir(), "milepost.yaml")
	if err := os.WriteFile(config, []byte("weights: {landed: 10, started: 10, producing: 10, ledger: 60, investment: 10}\n"+quickFormats), 0o600); err != nil {
		t.Fatal(err)
	}
	again := serve(t, "--data", data, "--config", config)
	after, pointsAfter := again.mustRun(nil, "query", "--format", "tsv", scores), again.mustRun(nil, "query", "--format", "tsv", points)
	if before == after || pointsBefore == pointsAfter {
		t.Errorf("other weights, the same answer:\n%s%s", after, pointsAfter)
	}
	again.wantPrintedScores(before)
}

// wantPrintedScores holds the printed scores against what rankings said under
// the rules of the edition.
func (p *process) wantPrintedScores(before string) {
	p.t.Helper()
	sql := `SELECT toString(groupArray((kind, key, score))) AS scores FROM (
    SELECT parts[2] AS kind, replaceAll(replaceAll(parts[-2], '~1', '/'), '~0', '~') AS key, toDecimal128OrNull(value, 2) AS score, splitByChar('/', path) AS parts
    FROM published_figures WHERE period = '2025-10' AND match(path, '^groups/(district/[^/]+|department|lead)/[^/]+/score$') ORDER BY kind, key)`
	var got string
	for range 200 {
		if got = p.mustRun(nil, "query", "--format", "tsv", sql); got == before {
			return
		}
		p.mustRun(strings.NewReader(""), "publish", "--wait")
	}
	p.t.Errorf("printed scores:\n%swant\n%s", got, before)
}

// TestEditionThatCannotBeMadeAgain puts a publication on the stream whose file
// is not what its S and rules give: nothing is stored for it, it is said once,
// and the other editions have their figures.
func TestEditionThatCannotBeMadeAgain(t *testing.T) {
	t.Parallel()
	server := serve(t)
	known := greatestSeq(server.publish(smallEvents(t, 278)))
	rules := server.sqlRows("SELECT hash FROM rule_sets")[0]["hash"]
	stream := server.stream()
	other := event(map[string]any{"id": "bulletin.published-2025-08", "source": "/milepost/scheduler", "district": "city", "type": "bulletin.published.v1", "subject": "_month-2025"},
		map[string]any{"kind": "month", "period": "2025-08", "number": 1, "known_seq": known, "rules_hash": rules, "files": []map[string]any{{"name": "bulletin-2025-08.json", "sha256": strings.Repeat("0", 64)}}})
	if _, err := stream.Publish(t.Context(), "milepost.events.city._month-2025.bulletin.published", []byte(other)); err != nil {
		t.Fatal(err)
	}
	server.mustRun(nil, "bulletin", "2025-09", "--publish")
	var stored []map[string]any
	for range 200 {
		if stored = server.sqlRows("SELECT DISTINCT period, issue_no FROM published_figures"); len(stored) > 0 {
			break
		}
		server.mustRun(strings.NewReader(""), "publish", "--wait")
	}
	if len(stored) != 1 || stored[0]["period"] != "2025-09" || stored[0]["issue_no"] != 2.0 {
		t.Errorf("stored: %v", stored)
	}
	if editions := server.sqlRows("SELECT period FROM published_editions"); len(editions) != 2 {
		t.Errorf("editions: %v", editions)
	}
	server.terminate()
	if said := strings.Count(server.log.String(), "cannot be made again; published_figures lacks it"); said != 1 {
		t.Errorf("said %d times\n%s", said, server.log)
	}
}
