package deploy

import (
	"bufio"
	"errors"

	"milepost/deploy/histories"
	"milepost/schemas"
)

type generateCommand struct {
	Projects int    `default:"1000" help:"How many projects, up to 2,000,000." placeholder:"N"`
	Years    int    `default:"1" help:"How many years, up to 30." placeholder:"Y"`
	Seed     uint64 `default:"1" help:"The same seed gives the same events." placeholder:"S"`
	Life     int    `default:"24" help:"How many months a project reports on average, 6 to 360." placeholder:"M"`
	Last     string `default:"2025-12" help:"The last month that is reported." placeholder:"YYYY-MM"`
}

// Run writes the events of a made-up province, one a line, as they are made.
func (c *generateCommand) Run(env *environment) error {
	last, err := schemas.ParseMonth(c.Last)
	if err != nil {
		return usageError("--last", schemas.Shorten(c.Last), "no month", "write YYYY-MM, such as 2025-12")
	}
	province := histories.Province{Projects: c.Projects, Years: c.Years, Seed: c.Seed, Last: last, Life: c.Life}
	out := bufio.NewWriterSize(env.streams.Out, 256<<10)
	for e, err := range province.Events() {
		if err != nil {
			return inFlag(err)
		}
		if err := env.ctx.Err(); err != nil {
			return err
		}
		if _, err := out.Write(e.Raw); err != nil {
			return err
		}
		if err := out.WriteByte('\n'); err != nil {
			return err
		}
	}
	return out.Flush()
}

// inFlag names the flag in place of the field.
func inFlag(err error) error {
	var wrong *schemas.Error
	if !errors.As(err, &wrong) {
		return err
	}
	named := *wrong
	named.Field = "--" + wrong.Field
	return &named
}
