// Command pipeline measures the way of an event on this machine, in one run:
// publishing, consuming, both at once, and, as control, the plain Go loop that
// one would write instead. It starts the engines itself, each in a process and
// a temporary folder of its own, checks what arrived, and ends all of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if os.Getenv(roleVariable) != "" {
		os.Exit(runRole(os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	events  int
	rounds  int
	profile string
	consume bool
	lasting time.Duration
	rate    int
}

// maxEvents is what the publishing process can hold in memory without harm.
const maxEvents = 20_000_000

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	var o options
	flags := flag.NewFlagSet("pipeline", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.IntVar(&o.events, "events", 400_000, "how many events")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each way of consuming is measured; the table shows the median")
	flags.StringVar(&o.profile, "profile", "", "folder that takes a CPU profile of each measured process")
	flags.BoolVar(&o.consume, "consume", false, "measure only consuming, from a stream that is filled once")
	flags.DurationVar(&o.lasting, "memory", 0, "instead of all else, publish and consume for so long, and watch the consumer's memory")
	flags.IntVar(&o.rate, "rate", 4000, "events a second with -memory")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.events < 1 || o.events > maxEvents || o.rounds < 1 || o.rounds > 100 {
		return fmt.Errorf("-events is from 1 to %d, -rounds from 1 to 100", maxEvents)
	}
	if o.lasting < 0 || o.lasting > 24*time.Hour || o.rate < 1 || o.rate > 1_000_000 {
		return fmt.Errorf("-memory is at most a day, -rate from 1 to 1000000")
	}
	if o.profile != "" {
		folder, err := filepath.Abs(o.profile)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return err
		}
		o.profile = folder
	}
	folder, err := os.MkdirTemp("", "milepost-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			fmt.Fprintln(progress, "pipeline:", err)
		}
	}()
	t := &trial{options: o, folder: folder, progress: progress}
	defer t.end()
	if o.lasting > 0 {
		return t.lastly(ctx, out)
	}
	if err := t.measure(ctx); err != nil {
		return err
	}
	return t.table(out)
}
