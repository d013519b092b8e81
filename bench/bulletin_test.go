package bench

import (
	"context"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"milepost/consumers/warehouse"
	"milepost/deploy/embedded/enginetest"
	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300) // as the server does
	}
	os.Exit(enginetest.Main(m))
}

// BenchmarkBulletin makes the bulletin model of 100,000 projects with 30 events
// each; "floor" is what the engine alone needs to read the same rows once.
func BenchmarkBulletin(b *testing.B) {
	projects := sizeFrom(b, "BENCH_PROJECTS", 100_000)
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
	fill(b, w, projects)
	settle(b, db.DSN)
	rules := schemas.DefaultRules()
	reader := warehouse.NewReader(w, rules)
	period, err := schemas.ParsePeriod("2025-10")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("floor", func(b *testing.B) {
		before := cpuNow(b)
		for b.Loop() {
			ask(b, db.DSN, "SELECT project_id, max(stream_seq) FROM events GROUP BY project_id FORMAT Native")
		}
		reportCPU(b, before)
	})
	b.Run("ledger", func(b *testing.B) {
		before := cpuNow(b)
		for b.Loop() {
			l, err := reader.Ledger(ctx, schemas.LedgerCut(period.End, uint64(projects*eventsPerProject)))
			if err != nil || len(l.Standings) != projects {
				b.Fatal(len(l.Standings), err)
			}
		}
		reportCPU(b, before)
	})
	b.Run("bulletin", func(b *testing.B) {
		before := cpuNow(b)
		for b.Loop() {
			model, err := bulletin.Build(ctx, reader, rules, period, uint64(projects*eventsPerProject))
			if err != nil || model.Totals.Projects != projects {
				b.Fatal(model, err)
			}
		}
		reportCPU(b, before)
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.Sys)/(1<<20), "MB")
	})
}

// settle waits until the engine has merged what was written, at most two
// minutes: a bulletin is made from a table that has been there for a while.
func settle(b *testing.B, dsn string) {
	b.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if strings.TrimSpace(ask(b, dsn, "SELECT count() FROM system.merges")) == "0" {
			return
		}
	}
}

// sizeFrom reads a size from the environment.
func sizeFrom(b *testing.B, variable string, byDefault int) int {
	b.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return byDefault
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatalf("%s: %v", variable, err)
	}
	return n
}

// reportCPU tells how much processor time an operation took, engine included: it
// says more than the clock on a machine that is shared.
func reportCPU(b *testing.B, before syscall.Rusage) {
	var after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(used)/1e9/float64(b.N), "cpu-s/op")
}

func cpuNow(b *testing.B) syscall.Rusage {
	var now syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &now); err != nil {
		b.Fatal(err)
	}
	return now
}

// fill writes the history as the consumers do.
func fill(b *testing.B, w *warehouse.Warehouse, projects int) {
	b.Helper()
	const batchSize = 20_000
	var batch warehouse.Batch
	var seq uint64
	write := func() {
		if _, err := w.Write(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		batch.Deliveries = batch.Deliveries[:0]
	}
	for e, err := range history(projects) {
		if err != nil {
			b.Fatal(err)
		}
		fingerprint, err := schemas.FingerprintOf(e.Raw)
		if err != nil {
			b.Fatal(err)
		}
		seq++
		batch.Deliveries = append(batch.Deliveries, warehouse.Delivery{Event: e, Fingerprint: fingerprint, Sequence: seq, RecordedAt: e.Time, Actor: "http:127.0.0.1"})
		if len(batch.Deliveries) == batchSize {
			write()
		}
	}
	write()
}

func ask(b *testing.B, dsn, sql string) string {
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
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}
