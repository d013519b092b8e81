package bench

import (
	"context"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"milepost/consumers/warehouse"
	"milepost/deploy/embedded/enginetest"
	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// BenchmarkBulletin makes the bulletin model of 100,000 projects with 30 events
// each; "floor" is what the engine alone needs to read the same rows once.
func BenchmarkBulletin(b *testing.B) {
	const projects = 100_000
	ctx := context.Background()
	db := enginetest.ClickHouse(b)
	w, err := warehouse.Open(ctx, warehouse.Config{DSN: db.DSN})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	if err := w.Migrate(ctx); err != nil {
		b.Fatal(err)
	}
	ask(b, db.DSN, historySQL(projects))
	rules := schemas.DefaultRules()
	reader := warehouse.NewReader(w, rules)
	period, err := schemas.ParsePeriod("2025-10")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			ask(b, db.DSN, "SELECT project_id, max(stream_seq) FROM events GROUP BY project_id FORMAT Native")
		}
	})
	b.Run("ledger", func(b *testing.B) {
		for b.Loop() {
			l, err := reader.Ledger(ctx, schemas.LedgerCut(period.End, projects*30))
			if err != nil || len(l.Standings) != projects {
				b.Fatal(len(l.Standings), err)
			}
		}
	})
	b.Run("bulletin", func(b *testing.B) {
		for b.Loop() {
			started := time.Now()
			model, err := bulletin.Build(ctx, reader, rules, period, projects*30)
			if err != nil || model.Totals.Projects != projects {
				b.Fatal(model, err)
			}
			b.ReportMetric(time.Since(started).Seconds(), "s/model")
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.Sys)/(1<<20), "MB")
	})
}

func ask(b *testing.B, dsn, sql string) {
	b.Helper()
	address, database, _ := strings.Cut(strings.TrimPrefix(dsn, "http://"), "/")
	response, err := http.Post("http://"+address+"/?database="+database, "text/plain", strings.NewReader(sql))
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		b.Fatalf("%s", text)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		b.Fatal(err)
	}
}
