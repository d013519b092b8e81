package deploy

import (
	"fmt"
	"net/url"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

type assessCommand struct {
	server
	printed
	Year     string `arg:"" help:"The year to assess, such as 2025."`
	Known    string `help:"What was known: a stream sequence S or a time; by default everything applied."`
	Edition  string `enum:"official,media" default:"official" help:"official (公文) or media (媒体稿: grades as configured, nothing internal)."`
	Finalise bool   `help:"Freeze the assessment with its rules and what is known; once per year."`
	Announce bool   `help:"Announce the assessment (公示): it stands open to objections; once per year."`
	Again    bool   `help:"With --announce: announce it anew when it has changed since, as after an objection that was right."`
	Days     int    `help:"With --announce: for so many days; by default as configured."`
}

// Run prints a draft, or finalises.
func (c *assessCommand) Run(env *environment) error {
	year, err := schemas.ParseYear(c.Year)
	if err != nil {
		return err
	}
	if c.Finalise && c.Known != "" {
		return usageError("--known", c.Known, "a finalised assessment takes what is known when it is made", "leave --known out, or draft without --finalise")
	}
	if c.Again && !c.Announce {
		return usageError("--again", "", "it is announced anew", "add --announce")
	}
	if c.Announce {
		if c.Finalise || c.Known != "" {
			return usageError("--announce", "", "it is announced as known now, and finalised later", "leave --finalise and --known out")
		}
		return c.act(env, "/v1/assessments/"+url.PathEscape(c.Year)+"/announce", map[string]any{"days": c.Days, "again": c.Again}, false)
	}
	name := fmt.Sprintf("assessment-%d", year)
	if c.Edition != string(document.Official) {
		name += "-" + c.Edition
	}
	return c.print(env, c.server, printing{
		path: "/v1/assessments/" + url.PathEscape(c.Year), name: name, edition: c.Edition, known: c.Known, publish: c.Finalise,
	})
}
