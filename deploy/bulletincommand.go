package deploy

import (
	"net/url"

	"milepost/schemas"
)

type bulletinCommand struct {
	server
	printed
	Period  string `arg:"" help:"2026-W40, 2026-10, 2026-Q4, 2026-H2 or 2026."`
	Known   string `help:"What was known: a stream sequence S or a time; by default everything applied."`
	Edition string `enum:"official,media" default:"official" help:"official (公文) or media (媒体稿: without withheld projects)."`
	Publish bool   `help:"Publish the bulletin; once per kind and period."`
}

// Run prints a draft, or publishes.
func (c *bulletinCommand) Run(env *environment) error {
	period, err := schemas.ParsePeriod(c.Period)
	if err != nil {
		return err
	}
	if c.Publish && c.Known != "" {
		return usageError("--known", c.Known, "a publication takes what is known when it is made", "leave --known out, or draft without --publish")
	}
	return c.print(env, c.server, printing{
		path: "/v1/bulletins/" + url.PathEscape(c.Period), name: "bulletin-" + period.String() + "-" + c.Edition,
		edition: c.Edition, known: c.Known, publish: c.Publish,
	})
}
