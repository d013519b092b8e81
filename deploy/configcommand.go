package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"milepost/deploy/settings"
)

// configCommand looks at configurations.
type configCommand struct {
	Check   configCheckCommand   `cmd:"" help:"Check a configuration file: every mistake at once, with its line."`
	Options configOptionsCommand `cmd:"" help:"List every option: key of the file, environment variable, flag of serve."`
}

type configCheckCommand struct {
	File string `arg:"" help:"Configuration file; - is standard input." type:"path"`
	JSON bool   `help:"Print the findings as JSON." name:"json"`
}

// Run prints a line for each mistake; exit 1 if there is one.
func (c *configCheckCommand) Run(env *environment) error {
	in := env.streams.In
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return usageError("FILE", c.File, "cannot read the file", err.Error())
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, settings.MaxBytes+1))
	if err != nil {
		return usageError("FILE", c.File, "cannot read the file", err.Error())
	}
	report := settings.CheckText(text)
	if err := report.Print(env.streams.Out, c.File, c.JSON); err != nil {
		return err
	}
	if len(report.Findings) > 0 {
		return errRefused
	}
	return nil
}

type configOptionsCommand struct {
	JSON bool `help:"Print the options as JSON." name:"json"`
}

// Run prints a line for each option.
func (c *configOptionsCommand) Run(env *environment) error {
	if c.JSON {
		return json.NewEncoder(env.streams.Out).Encode(options())
	}
	out := tabwriter.NewWriter(env.streams.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "KEY\tENVIRONMENT\tFLAG\tVALUE")
	for _, o := range options() {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", o.Key, o.Environment, o.Flag, o.Value)
	}
	return out.Flush()
}
