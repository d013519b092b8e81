package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"milepost/deploy/embedded/assets"
	"milepost/deploy/embedded/clickhouse"
	"milepost/deploy/embedded/nats"
)

// runRole is a child's main.
func runRole(in io.Reader, out io.Writer) int {
	input := bufio.NewReader(in)
	first, err := input.ReadBytes('\n')
	if err != nil {
		return 1 // the parent is gone
	}
	answers := json.NewEncoder(out)
	var t task
	if err := json.Unmarshal(first, &t); err != nil {
		_ = answers.Encode(ready{Error: err.Error()})
		return 1
	}
	switch t.Role {
	case roleNATS, roleClickHouse:
		err = t.serveEngine(input, answers)
	default:
		err = t.runMeasured(input, answers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, t.Role+":", err)
		return 1
	}
	return 0
}

// serveEngine runs an engine until the input ends.
func (t task) serveEngine(input io.Reader, answers *json.Encoder) error {
	address, end, err := t.startEngine(context.Background())
	if err != nil {
		return errors.Join(answers.Encode(ready{Error: err.Error()}), err)
	}
	stop := func() error { return nil }
	if t.Profile != "" {
		stop, err = startProfile(t.Profile)
	}
	err = errors.Join(err, answers.Encode(ready{Address: address}))
	_, copyErr := io.Copy(io.Discard, input)
	err = errors.Join(err, stop())
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience/2)
	defer cancel()
	return errors.Join(err, copyErr, end(ctx))
}

func (t task) startEngine(ctx context.Context) (address string, end func(context.Context) error, err error) {
	if t.Role == roleNATS {
		server, err := nats.Start(nats.Config{Dir: t.Folder, Listen: "127.0.0.1:0", SyncAlways: t.Sync})
		if err != nil {
			return "", nil, err
		}
		return server.URL(), server.Close, nil
	}
	library, err := assets.Store{Progress: os.Stderr}.Library(ctx)
	if err != nil {
		return "", nil, err
	}
	server, err := clickhouse.Start(ctx, clickhouse.Config{Library: library, Dir: t.Folder})
	if err != nil {
		return "", nil, err
	}
	return server.WriterDSN(), server.Close, nil
}

// measured is a process that is measured, prepared to run.
type measured interface {
	// run does the work and returns when it is done. It calls begin when its
	// preparation, should it have to be part of run, is over.
	run(ctx context.Context, begin func() error) error
	// close gives back what it holds; it is not measured.
	close() error
}

func (t task) runMeasured(input *bufio.Reader, answers *json.Encoder) error {
	// The end of the input ends the process, whatever it does.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m, err := t.prepare(ctx)
	if err != nil {
		return answers.Encode(ready{Error: err.Error()})
	}
	if err := answers.Encode(ready{}); err != nil {
		return errors.Join(err, m.close())
	}
	if _, err := input.ReadBytes('\n'); err != nil {
		return m.close() // there was no need of it
	}
	go func() {
		_, _ = io.Copy(io.Discard, input) // whatever ended it
		cancel()
	}()
	r, err := t.observe(func(begin func() error) error { return m.run(ctx, begin) })
	if c, ok := m.(*consumer); ok {
		r.Batches = c.out.Counters.Batches.Load()
	}
	err = errors.Join(err, m.close())
	if err != nil {
		r.Error = err.Error()
	}
	return answers.Encode(r)
}

func (t task) prepare(ctx context.Context) (measured, error) {
	switch t.Role {
	case rolePublish:
		return preparePublisher(ctx, t)
	case roleConsume:
		return prepareConsumer(ctx, t)
	case roleServe:
		return prepareServed(ctx, t)
	case rolePlain:
		return preparePlain(ctx, t)
	}
	return nil, fmt.Errorf("no role %q", t.Role)
}

// observe runs the work and tells what it took since it called begin.
func (t task) observe(work func(begin func() error) error) (r result, err error) {
	var before usage
	stop := func() error { return nil }
	memory := func() ([]int64, error) { return nil, nil }
	if t.Watch {
		memory = watchMemory()
	}
	err = work(func() (err error) {
		if t.Profile != "" {
			if stop, err = startProfile(t.Profile); err != nil {
				return err
			}
		}
		r.Started = time.Now()
		before, err = t.usage()
		return err
	})
	r.Finished = time.Now()
	var unread error
	r.Memory, unread = memory()
	if err := errors.Join(err, unread, stop()); err != nil {
		return r, err
	}
	after, err := t.usage()
	if err != nil {
		return r, err
	}
	r.OwnCPU, r.NATSCPU, r.ClickHouseCPU = after.own-before.own, after.nats-before.nats, after.clickhouse-before.clickhouse
	r.PeakMemory, err = peakMemory()
	return r, err
}

func startProfile(file string) (stop func() error, err error) {
	nothing := func() error { return nil }
	out, err := os.Create(filepath.Clean(file))
	if err != nil {
		return nothing, err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return nothing, errors.Join(err, out.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return out.Close()
	}, nil
}
