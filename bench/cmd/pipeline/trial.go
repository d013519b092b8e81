package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
)

// trial is one run: the processes that it started and what it measured.
type trial struct {
	options
	folder    string
	progress  io.Writer
	children  []*child
	warehouse *child
	databases int
	load      string // of the machine before anything began
	content   string // what the first verified table held
	lines     []*line
}

// line is one line of the table: one way of doing it, measured once or more.
type line struct {
	title    string
	results  []result
	noMemory bool // the process holds what it sends, so its memory says nothing
}

// measure does everything that the table shows.
func (t *trial) measure(ctx context.Context) error {
	t.load = loadAverage()
	var err error
	if t.warehouse, err = t.engine(ctx, task{Role: roleClickHouse}); err != nil {
		return err
	}
	if !t.options.consume {
		process, err := t.publish(ctx, "publish, durability process", false)
		if err != nil {
			return err
		}
		t.stop(process)
	}
	power, err := t.publish(ctx, "publish, durability power", true)
	if err != nil {
		return err
	}
	if err := t.consume(ctx, power); err != nil {
		return err
	}
	t.stop(power)
	if t.options.consume {
		return nil
	}
	return t.endToEnd(ctx)
}

// publish fills the stream of a new NATS server and gives the server.
func (t *trial) publish(ctx context.Context, title string, sync bool) (*child, error) {
	server, err := t.engine(ctx, task{Role: roleNATS, Sync: sync})
	if err != nil {
		return nil, err
	}
	measured, err := t.spawn(ctx, task{Role: rolePublish, NATS: server.address}, server)
	if err != nil {
		return nil, err
	}
	r, err := measured.finish()
	if err != nil {
		return nil, err
	}
	t.add(&line{title: title, noMemory: true}, r)
	return server, nil
}

// consume reads the same filled stream in each way, in turns, so that whatever
// else the machine does hits them alike.
func (t *trial) consume(ctx context.Context, server *child) error {
	lines := map[string]*line{
		roleConsume: {title: "consume: stream → events, contents"},
		roleServe:   {title: "consume as served: ledger_current too"},
		rolePlain:   {title: "control: plain Go loop → events"},
	}
	for range t.rounds {
		for _, role := range []string{roleConsume, roleServe, rolePlain} {
			dsn, err := t.database(ctx)
			if err != nil {
				return err
			}
			measured, err := t.spawn(ctx, task{Role: role, NATS: server.address, ClickHouse: dsn}, server)
			if err != nil {
				return err
			}
			r, err := measured.finish()
			if err != nil {
				return err
			}
			t.add(lines[role], r)
			if err := t.verify(ctx, dsn, role != rolePlain); err != nil {
				return fmt.Errorf("%s: %w", role, err)
			}
		}
	}
	return nil
}

// endToEnd publishes and consumes at the same time, each as served. Its time
// is that from the first event offered to the last one applied, its processor
// time that of both processes.
func (t *trial) endToEnd(ctx context.Context) error {
	server, err := t.engine(ctx, task{Role: roleNATS, Sync: true})
	if err != nil {
		return err
	}
	dsn, err := t.database(ctx)
	if err != nil {
		return err
	}
	producer, err := t.spawn(ctx, task{Role: rolePublish, NATS: server.address}, server)
	if err != nil {
		return err
	}
	consumer, err := t.spawn(ctx, task{Role: roleServe, NATS: server.address, ClickHouse: dsn}, server)
	if err != nil {
		return err
	}
	if err := errors.Join(consumer.begin(), producer.begin()); err != nil {
		return err
	}
	sent, err := producer.result()
	if err != nil {
		return err
	}
	applied, err := consumer.result()
	if err != nil {
		return err
	}
	applied.Started = sent.Started
	applied.OwnCPU += sent.OwnCPU
	t.add(&line{title: "end to end, durability power"}, applied)
	return t.verify(ctx, dsn, true)
}

// engine starts NATS or ClickHouse in a process of its own.
func (t *trial) engine(ctx context.Context, work task) (*child, error) {
	work.Folder = filepath.Join(t.folder, fmt.Sprintf("engine%d", len(t.children)))
	if t.profile != "" && work.Role == roleNATS { // ClickHouse is no Go
		work.Profile = filepath.Join(t.profile, fmt.Sprintf("nats%d.pprof", len(t.children)))
	}
	c, err := start(ctx, work)
	if err != nil {
		return nil, err
	}
	t.children = append(t.children, c)
	return c, c.awaitReady()
}

// spawn starts a process that is to be measured, and returns when it is ready.
func (t *trial) spawn(ctx context.Context, work task, nats *child) (*child, error) {
	work.Events = t.events
	work.Folder = filepath.Join(t.folder, fmt.Sprintf("process%d", len(t.children)))
	work.NATSProcess, work.ClickHouseProcess = nats.pid(), t.warehouse.pid()
	if t.profile != "" {
		work.Profile = filepath.Join(t.profile, fmt.Sprintf("%s%d.pprof", work.Role, len(t.children)))
	}
	c, err := start(ctx, work)
	if err != nil {
		return nil, err
	}
	t.children = append(t.children, c)
	return c, c.awaitReady()
}

// stop ends a process early, and tells of one that does not end well.
func (t *trial) stop(c *child) {
	if err := c.stop(); err != nil {
		fmt.Fprintln(t.progress, "pipeline:", err)
	}
}

// end ends everything that was started.
func (t *trial) end() {
	for i := len(t.children) - 1; i >= 0; i-- {
		t.stop(t.children[i])
	}
}

func (t *trial) add(l *line, r result) {
	if len(l.results) == 0 {
		t.lines = append(t.lines, l)
	}
	l.results = append(l.results, r)
	fmt.Fprintf(t.progress, "%-40s %9.0f events/s", l.title, r.rate(t.events))
	if r.Batches > 0 {
		fmt.Fprintf(t.progress, ", %.0f events a batch", float64(t.events)/float64(r.Batches))
	}
	fmt.Fprintln(t.progress)
}

// database makes an empty database and gives the DSN of it.
func (t *trial) database(ctx context.Context) (string, error) {
	t.databases++
	name := fmt.Sprintf("round%d", t.databases)
	if _, err := ask(ctx, t.warehouse.address, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	dsn, err := url.Parse(t.warehouse.address)
	if err != nil {
		return "", err
	}
	dsn.Path = "/" + name
	return dsn.String(), nil
}
