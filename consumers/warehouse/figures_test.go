package warehouse

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

func figure(path, value string) schemas.ModelFigure {
	return schemas.ModelFigure{Path: path, Value: json.RawMessage(value)}
}

func ranked(keys ...string) []schemas.RankedGroup {
	group := schemas.RankedGroup{Kind: "department"}
	for i, key := range keys {
		rank := i + 1
		group.Rows = append(group.Rows, schemas.RankedRow{
			Key: key, Name: key, Projects: 3, Rank: &rank, Score: &schemas.Figure{Units: 8105, Decimals: 2},
			Investment: schemas.InvestmentCount{Plan: 92_233_720_368_547_758_07, VsTime: &schemas.Figure{Units: -5, Decimals: 1}},
		})
	}
	return []schemas.RankedGroup{group}
}

// text asks for one value.
func (w *Warehouse) text(t *testing.T, sql string) string {
	t.Helper()
	var text string
	if err := w.conn.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

// fails asks for what must fail, and wants the text in the error.
func (w *Warehouse) fails(t *testing.T, sql, says string) {
	t.Helper()
	var count uint64
	if err := w.conn.QueryRow(t.Context(), sql).Scan(&count); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %d, %v; want %q", sql, count, err, says)
	}
}

func TestStoredFiguresAnswerForTheNewestRulesOnly(t *testing.T) {
	w := open(t)
	model := &schemas.Bulletin{Period: "2025-10", KnownSeq: 7, Groups: ranked("市科技局", "市工信局")}
	store := func(hash string, figures ...schemas.ModelFigure) {
		t.Helper()
		for range 2 { // the second time changes nothing
			if err := w.StoreBulletin(t.Context(), model, figures, hash); err != nil {
				t.Fatal(err)
			}
		}
	}
	const (
		figures  = "SELECT toString(groupArray((path, value, number))) FROM (SELECT * FROM figures(period = '2025-10', known = 7) ORDER BY path)"
		rankings = "SELECT toString(groupArray((kind, group, key, rank, score, plan, vs_time, landed_rate_year))) FROM (SELECT * FROM rankings(period = '2025-10', known = 7) ORDER BY key)"
		missing  = "bulletin not stored: period=2025-10 known=7;"
	)
	w.fails(t, "SELECT count() FROM figures(period = '2025-10', known = 7)", missing)
	store("old", figure("gone", "1"), figure("totals/projects", "12"), figure("a", "-0.05"), figure("b", "null"), figure("c", `"红 \"x\""`))
	if got, want := w.text(t, figures), `[('a','-0.05',-0.05),('b','null',NULL),('c','"红 \\"x\\""',NULL),('gone','1',1),('totals/projects','12',12)]`; got != want {
		t.Errorf("figures\n%s\nwant\n%s", got, want)
	}
	if got, want := w.text(t, rankings), "[('department',NULL,'市工信局',2,81.05,92233720368547758.07,-0.5,NULL),('department',NULL,'市科技局',1,81.05,92233720368547758.07,-0.5,NULL)]"; got != want {
		t.Errorf("rankings\n%s\nwant\n%s", got, want)
	}

	// Under other rules a row goes; what only the old rules had does not answer.
	model.Groups = ranked("市科技局")
	store("new", figure("totals/projects", "13"))
	if got := w.text(t, figures); got != "[('totals/projects','13',13)]" {
		t.Errorf("after other rules: %s", got)
	}
	if got := w.text(t, "SELECT toString(count()) FROM rankings(period = '2025-10', known = 7)"); got != "1" {
		t.Errorf("rows after other rules: %s", got)
	}
	cut := ModelCut{Period: "2025-10", KnownSeq: 7, RulesHash: "new"}
	held := func() bool {
		t.Helper()
		held, err := w.HoldsModel(t.Context(), cut)
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	if !held() {
		t.Error("what was stored is not held")
	}
	if err := w.ForgetModels(t.Context(), func(c ModelCut) bool { return c.RulesHash == "old" && !c.Assessment && c.Period == "2025-10" }); err != nil {
		t.Fatal(err)
	}
	if !held() {
		t.Error("what is not outdated was forgotten")
	}
	if err := w.ForgetModels(t.Context(), func(ModelCut) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if held() {
		t.Error("what is outdated is still held")
	}
	w.fails(t, "SELECT count() FROM rankings(period = '2025-10', known = 7)", missing)
	store("new", figure("totals/projects", "13")) // made anew, it answers again
	if got := w.text(t, figures); got != "[('totals/projects','13',13)]" {
		t.Errorf("made anew: %s", got)
	}
}

func TestStoredFiguresExpire(t *testing.T) {
	w := open(t)
	past := *w
	past.now = func() time.Time { return time.Now().Add(-storedLife - time.Minute) }
	year := &schemas.Assessment{Year: 2025, KnownSeq: 7}
	if err := past.StoreAssessment(t.Context(), year, "h"); err != nil {
		t.Fatal(err)
	}
	w.fails(t, "SELECT count() FROM assessment(year = 2025, known = 7)", "assessment not stored: year=2025 known=7;")
	for _, c := range []struct {
		at   *Warehouse
		held bool
	}{{&past, true}, {w, false}} {
		if held, err := c.at.HoldsModel(t.Context(), AssessmentCut(2025, 7, "h")); err != nil || held != c.held {
			t.Errorf("held %v, %v; want %v", held, err, c.held)
		}
	}
}

func TestAssessmentRowsAreStoredExactly(t *testing.T) {
	w := open(t)
	grade, group := schemas.GradeFail, "county"
	row := schemas.AssessedRow{
		Key: "xiuwu", Name: "修武县", Final: &schemas.Figure{Units: 3333, Decimals: 2}, Veto: true, Grade: &grade,
		Hints: []schemas.Hint{schemas.HintExplain}, HintReasons: schemas.HintReasons{{Hint: schemas.HintExplain, Reason: "任务未完成"}},
		Items: []schemas.AssessmentItem{
			{Item: "landed", Weight: 30, Fraction: &schemas.Figure{Units: 6667, Decimals: 4}, Events: []schemas.EventRef{{Source: "/o", ID: "2", Seq: 2}, {Source: "/o", ID: "10", Seq: 10}}},
			{Item: "ledger", Weight: 10, Events: []schemas.EventRef{}},
		},
	}
	model := &schemas.Assessment{Year: 2025, KnownSeq: 7, Groups: []schemas.AssessedGroup{{Kind: "district", Group: &group, Rows: []schemas.AssessedRow{row}}}}
	if err := w.StoreAssessment(t.Context(), model, "h"); err != nil {
		t.Fatal(err)
	}
	if got, want := w.text(t, "SELECT toString(tuple(group, score, final, veto, grade, hints, hint_reasons, year, known_seq)) FROM assessment(year = 2025, known = 7)"),
		"('county',NULL,33.33,true,'不合格',['explain'],{'explain':'任务未完成'},2025,7)"; got != want {
		t.Errorf("assessment\n%s\nwant\n%s", got, want)
	}
	if got, want := w.text(t, "SELECT toString(groupArray((item, weight, fraction, points, events))) FROM (SELECT * FROM assessment_items(year = 2025, known = 7) ORDER BY item)"),
		"[('landed',30,0.6667,NULL,[('/o','2'),('/o','10')]),('ledger',10,NULL,NULL,[])]"; got != want {
		t.Errorf("items\n%s\nwant\n%s", got, want)
	}
}

func TestPublishedFiguresAppearWholeAndOnce(t *testing.T) {
	w := open(t)
	edition := PublishedEdition{Seq: 9, Publication: schemas.Publication{Kind: "month", Period: "2025-10", Number: 3, KnownSeq: 7, RulesHash: "h"}}
	figures := []schemas.ModelFigure{figure("a", "1"), figure("b", `"x"`)}
	const count = "SELECT toString(count()) FROM published_figures WHERE issue_no = 3"
	// As a crash before the last step leaves it.
	if err := w.insertFigures(t.Context(), "published_figure_rows", figures[:1], []cell{
		{"kind", "month"}, {"period", "2025-10"}, {"issue_no", 3}, {"published_seq", uint64(9)}, {"known_seq", uint64(7)}, {"rules_hash", "h"}, {"stored_at", time.Now()},
	}); err != nil {
		t.Fatal(err)
	}
	if got := w.text(t, count); got != "0" {
		t.Errorf("%s rows of an edition in the making are shown", got)
	}
	for range 2 { // by two replicas
		if err := w.StorePublished(t.Context(), edition, figures); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.text(t, count); got != "2" {
		t.Errorf("%s rows of 2 figures", got)
	}
}

func TestPublicationsWithoutFigures(t *testing.T) {
	w := open(t)
	published := func(seq uint64, kind string, period string, district string) {
		t.Helper()
		event, err := schemas.NewEvent(schemas.Event{
			Source: "/milepost/scheduler", ID: fmt.Sprint("p-", seq), Type: schemas.BulletinPublished, Subject: schemas.PublicationSubject(kind, 2025), District: district,
			Time: time.Date(2025, 11, 11, 9, 0, 0, 0, schemas.Location), Data: &schemas.Publication{Kind: kind, Period: period, Number: int(seq), KnownSeq: seq - 1, RulesHash: strings.Repeat("a", 64), Files: []schemas.PublishedFile{{Name: "x.json", SHA256: strings.Repeat("0", 64)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		fingerprint, err := schemas.FingerprintOf(event.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(t.Context(), Batch{Deliveries: []Delivery{{Event: event, Fingerprint: fingerprint, Sequence: seq, RecordedAt: event.Time}}}); err != nil {
			t.Fatal(err)
		}
	}
	published(5, "month", "2025-10", "city")
	published(6, "quarter", "2025-Q3", "city")
	published(7, "month", "2025-11", "shanyang") // no edition: only the city publishes
	published(8, "month", "2025-12", "city")
	without := func(known uint64) string {
		t.Helper()
		editions, err := w.EditionsWithoutFigures(t.Context(), known)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, e := range editions {
			list = append(list, fmt.Sprintf("%d %s %d", e.Seq, e.Period, e.KnownSeq))
		}
		return strings.Join(list, ", ")
	}
	if got := without(7); got != "5 2025-10 4, 6 2025-Q3 5" {
		t.Errorf("known at 7: %s", got)
	}
	if err := w.StorePublished(t.Context(), PublishedEdition{Seq: 5}, nil); err != nil {
		t.Fatal(err)
	}
	if got := without(8); got != "6 2025-Q3 5, 8 2025-12 7" {
		t.Errorf("after one was stored: %s", got)
	}
	if got, want := w.text(t, "SELECT toString(groupArray((kind, period, issue_no, published_seq, known_seq, files))) FROM (SELECT * FROM published_editions ORDER BY published_seq LIMIT 1)"),
		"[('month','2025-10',5,5,4,[('x.json','"+strings.Repeat("0", 64)+"')])]"; got != want {
		t.Errorf("editions\n%s\nwant\n%s", got, want)
	}
}

// TestFigureColumnsAreExplained wants 中文: english at every column, also at
// those of views with parameters, which only their definition shows.
func TestFigureColumnsAreExplained(t *testing.T) {
	w := open(t)
	const tables = "'model_cuts', 'figure_rows', 'ranking_rows', 'assessment_rows', 'assessment_item_rows', 'published_figure_rows', 'published_figure_cuts', 'published_figures', 'published_editions'"
	var columns, explained uint64
	err := w.conn.QueryRow(t.Context(), `SELECT count(), countIf(match(comment, '^[^:]*[\\x{4e00}-\\x{9fff}][^:]*: .+'))
FROM system.columns WHERE database = currentDatabase() AND table IN (`+tables+")").Scan(&columns, &explained)
	if err != nil || columns < 100 || explained != columns {
		t.Errorf("%d of %d columns are explained, %v", explained, columns, err)
	}
	for view, rows := range map[string]string{"figures": "figure_rows", "rankings": "ranking_rows", "assessment": "assessment_rows", "assessment_items": "assessment_item_rows"} {
		var columns, explained int64
		err := w.conn.QueryRow(t.Context(), `SELECT toInt64(length(extractAll(create_table_query, ' COMMENT \'[^\':]*[\\x{4e00}-\\x{9fff}][^\':]*: '))) - 1 AS explained,
    (SELECT toInt64(count()) - 3 FROM system.columns WHERE database = currentDatabase() AND table = {rows:String}) AS columns
FROM system.tables WHERE database = currentDatabase() AND name = {view:String}`, named("view", view), named("rows", rows)).Scan(&explained, &columns)
		if err != nil || columns < 5 || explained != columns {
			t.Errorf("%s: %d of %d columns are explained, %v", view, explained, columns, err)
		}
	}
}
