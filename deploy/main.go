// Package deploy is the composition root: it reads the command line and the
// configuration, starts what a process is to run, and joins the packages that
// do not know each other.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"milepost/schemas"
)

// Exit codes of the commands.
const (
	exitDone   = 0
	exitFailed = 1 // something was refused or failed
	exitUsage  = 2 // the command line does not read
)

// Streams are what a command reads from and writes to.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// Main runs one command and gives the process's exit code. SIGINT and SIGTERM
// end it cleanly.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Run(ctx, args, Streams{os.Stdin, os.Stdout, os.Stderr}, time.Now)
}

// Run is Main with its surroundings given.
func Run(ctx context.Context, args []string, streams Streams, now func() time.Time) int {
	var c commands
	stopped := -1
	parser, err := kong.New(&c,
		kong.Name("milepost"),
		kong.Description("里程桩 Milepost follows major projects under the 七个一 method: events in, ledger, bulletins and assessment out."),
		kong.Writers(streams.Out, streams.Err),
		kong.Exit(func(code int) { stopped = code; panic(endOfHelp{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(streams.Err, "milepost:", err)
		return exitFailed
	}
	command, err := parse(parser, args)
	if stopped >= 0 {
		return stopped
	}
	if err != nil {
		fmt.Fprintf(streams.Err, "milepost: %v\nRun milepost --help to see the commands.\n", err)
		return exitUsage
	}
	err = command.Run(&environment{ctx: ctx, streams: streams, now: now})
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errRefused):
		return exitFailed // what was refused has been told already
	}
	fmt.Fprintln(streams.Err, "milepost:", err)
	return exitFailed
}

// endOfHelp leaves the parser after it printed help.
type endOfHelp struct{}

func parse(parser *kong.Kong, args []string) (command *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(endOfHelp); !ok {
				panic(r)
			}
		}
	}()
	return parser.Parse(args)
}

// errRefused ends a command with exit code 1 after its output said why.
var errRefused = errors.New("something was refused")

// environment is what a command runs in.
type environment struct {
	ctx     context.Context
	streams Streams
	now     func() time.Time
}

// usageError names a wrong argument.
func usageError(field, value, message, hint string) error {
	return &schemas.Error{Code: schemas.Invalid, Field: field, Value: value, Message: message, Hint: hint}
}
