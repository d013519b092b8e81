package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sampleEvery is how often a process looks at its own memory.
const sampleEvery = time.Second

// watchMemory gathers the process's resident size, in bytes, until stop is called, which gives what it gathered.
func watchMemory() (stop func() ([]int64, error)) {
	done, ended := make(chan struct{}), make(chan struct{})
	var samples []int64
	var failed error
	go func() {
		defer close(ended)
		ticker := time.NewTicker(sampleEvery)
		defer ticker.Stop()
		for failed == nil {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			var size int64
			if size, failed = statusOf("VmRSS:"); failed == nil {
				samples = append(samples, size)
			}
		}
	}()
	return func() ([]int64, error) {
		close(done)
		<-ended
		return samples, failed
	}
}

// statusOf reads a size of this process, in bytes.
func statusOf(name string) (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(text), name)
	if !found {
		return 0, fmt.Errorf("/proc/self/status does not tell %s", name)
	}
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kilobytes << 10, err
}

// lastly publishes at a steady rate and consumes at the same time for a while, and shows the consumer's memory.
func (t *trial) lastly(ctx context.Context, out io.Writer) error {
	t.load = loadAverage()
	t.events = t.rate * int(t.lasting.Seconds())
	var err error
	if t.warehouse, err = t.engine(ctx, task{Role: roleClickHouse}); err != nil {
		return err
	}
	server, err := t.engine(ctx, task{Role: roleNATS})
	if err != nil {
		return err
	}
	dsn, err := t.database(ctx)
	if err != nil {
		return err
	}
	producer, err := t.spawn(ctx, task{Role: rolePublish, NATS: server.address, Rate: t.rate}, server)
	if err != nil {
		return err
	}
	consumer, err := t.spawn(ctx, task{Role: roleConsume, NATS: server.address, ClickHouse: dsn, Watch: true}, server)
	if err != nil {
		return err
	}
	if err := errors.Join(consumer.begin(), producer.begin()); err != nil {
		return err
	}
	if _, err := producer.result(); err != nil {
		return err
	}
	applied, err := consumer.result()
	if err != nil {
		return err
	}
	if err := t.verify(ctx, dsn, true); err != nil {
		return err
	}
	return t.memoryTable(out, applied)
}

// memoryTable prints the median of each tenth of the time, and fails when the memory grew.
func (t *trial) memoryTable(out io.Writer, r result) error {
	const tenths = 10
	if len(r.Memory) < 2*tenths {
		return fmt.Errorf("%d samples are too few", len(r.Memory))
	}
	medians := make([]int64, tenths)
	for i := range medians {
		part := slices.Sorted(slices.Values(r.Memory[i*len(r.Memory)/tenths : (i+1)*len(r.Memory)/tenths]))
		medians[i] = part[len(part)/2]
	}
	fmt.Fprintf(out, "%d events at up to %d a second in %s; the consumer's resident memory, median of each tenth of the time, MB:", t.events, t.rate, r.Finished.Sub(r.Started).Round(time.Second))
	for _, m := range medians {
		fmt.Fprintf(out, " %d", m/1e6)
	}
	fmt.Fprintf(out, "; peak %d; load average before %s, after %s\n", r.PeakMemory/1e6, t.load, loadAverage())
	const allowed = 1.25
	if first, last := float64(medians[1]), float64(medians[tenths-1]); last > allowed*first {
		return fmt.Errorf("the memory grew from %.0f to %.0f MB", first/1e6, last/1e6)
	}
	return nil
}
