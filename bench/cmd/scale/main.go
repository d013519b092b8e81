// Command scale measures how reading grows: with the projects and with the
// length of their history. It fills the warehouse of an engine of its own with
// made-up provinces, one after the other, as the consumers would, makes
// ledgers, bulletins and assessments, and prints a table.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"milepost/deploy/histories"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300) // as the server does
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(3 << 30) // likewise
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	provinces []histories.Province
	rounds    int
	without   string
	folder    string
}

// provincesByDefault are the growth curve, and histories of one year and of ten
// of equally many projects that report all the time.
const provincesByDefault = "1000x10,10000x10,100000x10,10000x1x360,10000x10x360"

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	var o options
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.SetOutput(progress)
	sizes := flags.String("provinces", provincesByDefault, "PROJECTSxYEARS[xLIFE], …: LIFE is the mean number of months that a project reports")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each is measured; the table shows the median")
	flags.StringVar(&o.without, "without", "", "the name of a step that is left out, such as assessment")
	flags.StringVar(&o.folder, "folder", "", "a folder that keeps the provinces, so that the next run need not fill them again; by default one that is taken away")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.rounds < 1 || o.rounds > 100 {
		return fmt.Errorf("-rounds is from 1 to 100")
	}
	for word := range strings.SplitSeq(*sizes, ",") {
		province, err := parseProvince(word)
		if err != nil {
			return err
		}
		o.provinces = append(o.provinces, province)
	}
	return measure(ctx, o, out, progress)
}

func parseProvince(word string) (histories.Province, error) {
	p := histories.Province{Seed: 1}
	numbers := []*int{&p.Projects, &p.Years, &p.Life}
	parts := strings.Split(strings.TrimSpace(word), "x")
	if len(parts) < 2 || len(parts) > len(numbers) {
		return p, fmt.Errorf("-provinces: %q is not PROJECTSxYEARS[xLIFE]", word)
	}
	for i, part := range parts {
		var err error
		if *numbers[i], err = strconv.Atoi(part); err != nil {
			return p, fmt.Errorf("-provinces: %q: %w", word, err)
		}
	}
	return p, nil
}
