package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"milepost/consumers/warehouse"
	"milepost/deploy/histories"
	"milepost/scheduler/assessment"
	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

// step is something that is measured.
type step struct {
	name string
	do   func(context.Context) error
}

// taken is the median of what a step took, in seconds.
type taken struct{ wall, processor float64 }

func (t taken) String() string { return fmt.Sprintf("%.2f (%.1f)", t.wall, t.processor) }

// row is a line of the table.
type row struct {
	province histories.Province
	filled   filled
	loading  float64 // seconds
	steps    []taken
	names    []string
	peak     int64 // bytes
	storage  string
	total    uint64  // bytes on disk
	judged   float64 // bytes on disk of what was judged before, for each project
}

func measure(ctx context.Context, o options, out, progress io.Writer) (err error) {
	e, err := openEngine(ctx, o.folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	var rows []row
	for _, province := range o.provinces {
		fmt.Fprintf(progress, "%d projects, %d years …\n", province.Projects, province.Years)
		r, err := e.measureProvince(ctx, fmt.Sprintf("scale_%dx%dx%d", province.Projects, province.Years, province.Life), province, o, progress)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	return printTable(out, rows, o)
}

func (e *engine) measureProvince(ctx context.Context, database string, province histories.Province, o options, progress io.Writer) (r row, err error) {
	r.province = province
	if _, err := e.ask(ctx, "default", "CREATE DATABASE IF NOT EXISTS "+database); err != nil {
		return r, err
	}
	defer func() {
		if e.keep {
			return
		}
		_, dropped := e.ask(context.WithoutCancel(ctx), "default", "DROP DATABASE "+database+" SYNC")
		err = errors.Join(err, dropped)
	}()
	w, err := warehouse.Open(ctx, warehouse.Config{DSN: e.address(database).String(), Stream: &r.filled, Program: fmt.Sprint("scale ", time.Now())})
	if err != nil {
		return r, err
	}
	defer w.Close()
	if err := w.Migrate(ctx); err != nil {
		return r, err
	}
	if _, err := e.ask(ctx, database, "CREATE TABLE IF NOT EXISTS filled (bytes UInt64, seconds Float64) ENGINE = MergeTree ORDER BY ()"); err != nil {
		return r, err
	}
	before, err := e.filledBefore(ctx, database, &r)
	if err != nil {
		return r, err
	}
	if !before {
		started := time.Now()
		if err := fill(ctx, w, province, &r.filled); err != nil {
			return r, err
		}
		r.loading = time.Since(started).Seconds()
		if err := e.noteFilled(ctx, database, &r); err != nil {
			return r, err
		}
	}
	if err := e.settle(ctx); err != nil {
		return r, err
	}
	runtime.GC()
	if err := forgetPeak(); err != nil {
		return r, err
	}
	for _, s := range e.steps(w, database, &r) {
		if s.name == o.without {
			continue
		}
		rounds := o.rounds
		if strings.HasPrefix(s.name, once) {
			rounds = 1
		}
		t, err := repeat(ctx, s, rounds)
		if err != nil {
			return r, fmt.Errorf("%s: %w", s.name, err)
		}
		memory, err := peak()
		if err != nil {
			return r, err
		}
		fmt.Fprintf(progress, "  %s: %s, peak memory until now %d MB\n", s.name, t, memory>>20)
		r.steps, r.names = append(r.steps, t), append(r.names, s.name)
	}
	if r.peak, err = peak(); err != nil {
		return r, err
	}
	if err := e.settle(ctx); err != nil {
		return r, err
	}
	return r, e.weigh(ctx, database, &r)
}

// once begins the name of a step that is another one the second time.
const once = "first "

func (e *engine) steps(w *warehouse.Warehouse, database string, r *row) []step {
	rules := schemas.DefaultRules()
	reader, current := warehouse.NewReader(w, rules), warehouse.NewCurrent(w)
	refresh := func(ctx context.Context) error {
		return current.Refresh(ctx, rules, schemas.LedgerCut(schemas.NewDate(2025, time.December, 31), r.filled.events))
	}
	period := schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, time.October, 31))
	ask := func(sql string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := e.ask(ctx, database, sql)
			return err
		}
	}
	build := func(ctx context.Context) error {
		model, err := bulletin.Build(ctx, reader, rules, period, r.filled.events)
		if err == nil && model.Totals.Projects < r.province.Projects/2 {
			err = fmt.Errorf("only %d projects", model.Totals.Projects)
		}
		return err
	}
	return []step{
		{"floor", ask("SELECT project_id, max(stream_seq) FROM events GROUP BY project_id FORMAT Native")},
		{once + "bulletin", build},
		{"bulletin", build},
		{"bulletin after 100 events", func(ctx context.Context) error {
			if err := arrive(ctx, w, period.Start.Month(), r, arriving); err != nil {
				return err
			}
			return build(ctx)
		}},
		{"its ledger", func(ctx context.Context) error {
			_, err := reader.Ledger(ctx, schemas.LedgerCut(period.End, r.filled.events))
			return err
		}},
		{"assessment", func(ctx context.Context) error {
			_, err := assessment.Build(ctx, reader, rules, 2025, r.filled.events, nil)
			return err
		}},
		{once + "ledger_current", refresh},
		{"ledger_current after an event", func(ctx context.Context) error {
			if err := arrive(ctx, w, period.Start.Month(), r, 1); err != nil {
				return err
			}
			return refresh(ctx)
		}},
		{"page in SQL", ask("SELECT project_id, name, district, lead, light, status, rate FROM ledger_current WHERE light = 'red' AND district = 'boai' ORDER BY rate DESC NULLS LAST, project_id LIMIT 50 OFFSET 50 FORMAT Native")},
		{"a project's events", ask("SELECT * FROM (SELECT source, id, type, stream_seq, data FROM events WHERE project_id = 'P-0000500' ORDER BY stream_seq LIMIT 1 BY source, id) ORDER BY stream_seq DESC LIMIT 5000 FORMAT Native")},
	}
}

// arriving is how many events come between two bulletins.
const arriving = 100

// arrive writes reports of some projects.
func arrive(ctx context.Context, w *warehouse.Warehouse, month schemas.Month, r *row, reports int) error {
	rows := warehouse.NewRows()
	for n := range reports {
		r.filled.events++
		e, err := schemas.NewEvent(schemas.Event{
			ID: fmt.Sprint("arriving-", r.filled.events), Source: "/offices/city", Type: schemas.ProgressReported, District: schemas.CityDistrict,
			Subject: fmt.Sprintf("P-%07d", 1+n*r.province.Projects/reports), Time: month.Last().Start().Add(30 * 24 * time.Hour),
			Data: &schemas.Progress{Month: month, InvestedYTD: schemas.MoneyFromWan(int64(n))},
		})
		if err != nil {
			return err
		}
		fingerprint, err := schemas.FingerprintOf(e.Raw)
		if err != nil {
			return err
		}
		if err := rows.Add(&warehouse.Delivery{Event: e, Fingerprint: fingerprint, Sequence: r.filled.events, RecordedAt: e.Time, Actor: "http:127.0.0.1"}); err != nil {
			return err
		}
	}
	_, err := w.Write(ctx, warehouse.Batch{Rows: rows})
	return err
}

// repeat measures a step some times. Processor time is that of the whole
// process, engine included.
func repeat(ctx context.Context, s step, rounds int) (taken, error) {
	var walls, processors []float64
	for range rounds {
		before, err := processorTime()
		if err != nil {
			return taken{}, err
		}
		started := time.Now()
		if err := s.do(ctx); err != nil {
			return taken{}, err
		}
		wall := time.Since(started).Seconds()
		after, err := processorTime()
		if err != nil {
			return taken{}, err
		}
		walls, processors = append(walls, wall), append(processors, after-before)
	}
	return taken{median(walls), median(processors)}, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func processorTime() (float64, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9, nil
}

// forgetPeak lets the peak of resident memory begin anew.
func forgetPeak() error { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

func peak() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("/proc/self/status does not tell the peak")
	}
	kilobytes, err := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10, err
}

// weigh tells what is on the disk for each event, table by table.
func (e *engine) weigh(ctx context.Context, database string, r *row) error {
	text, err := e.ask(ctx, "system", fmt.Sprintf(`SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE database = '%s' AND active AND table NOT IN ('ledger_current_rows', 'ignored_rows') GROUP BY table HAVING bytes > 10000 ORDER BY bytes DESC FORMAT TSV`, database))
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		table, number, _ := strings.Cut(strings.TrimSpace(line), "\t")
		bytes, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return err
		}
		if table == "judged_rows" {
			r.judged = float64(bytes) / float64(r.province.Projects)
			continue
		}
		r.total += bytes
		r.storage += fmt.Sprintf("%s %.1f, ", table, float64(bytes)/float64(r.filled.events))
	}
	r.storage = strings.TrimSuffix(r.storage, ", ")
	return nil
}
