package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"milepost/producers"
	"milepost/producers/imports"
	"milepost/schemas"
)

type importCommand struct {
	server
	Files   []string `arg:"" name:"file" help:"Snapshots of the spreadsheet (CSV), in any order."`
	Mapping string   `required:"" help:"Mapping file (YAML) that says what the columns mean."`
	DryRun  bool     `help:"Show what would be published, and publish nothing."`
	Wait    bool     `help:"Return when the ledger knows the events."`
	Date    string   `help:"The snapshot's day (YYYY-MM-DD), where neither a column nor the file name tells it."`
	Format  string   `enum:"text,json" default:"text" help:"text or json."`
}

// Run uploads the snapshots; it ends with exit code 1 when a row was refused.
func (c *importCommand) Run(env *environment) error {
	options := imports.UploadOptions{DryRun: c.DryRun, Wait: c.Wait}
	if c.Date != "" {
		day, err := schemas.ParseDate(c.Date)
		if err != nil {
			return err
		}
		options.SnapshotDate = day
	}
	result, err := imports.Upload(env.ctx, producers.NewClient(c.Server, nil), c.Mapping, c.Files, options)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		out := json.NewEncoder(env.streams.Out)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		err = out.Encode(result)
	} else {
		err = writeImport(env.streams.Out, result)
	}
	if err == nil && !result.OK() {
		return errRefused
	}
	return err
}

func writeImport(w io.Writer, r *imports.Result) error {
	var b strings.Builder
	for _, p := range r.Changes {
		for _, e := range p.Events {
			fmt.Fprintf(&b, "%s  %s  %-22s", p.ProjectID, e.Snapshot, strings.TrimSuffix(string(e.Type), ".v1"))
			for _, d := range e.Changes {
				fmt.Fprintf(&b, "  %s: %s → %s", d.What, orDash(d.From), orDash(d.To))
			}
			b.WriteByte('\n')
		}
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning  %s%s\n", placeInFile(warning.File, warning.Row, warning.Column, warning.Value), warning.Message)
	}
	for _, fault := range r.Errors {
		fmt.Fprintf(&b, "refused  %s%s", placeInFile(fault.File, fault.Row, fault.Column, fault.Value), fault.Message)
		if fault.Hint != "" {
			fmt.Fprintf(&b, "; %s", fault.Hint)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "projects: %d added, %d changed, %d unchanged; rows refused: %d\n", r.Added, r.Changed, r.Unchanged, r.Refused)
	if r.DryRun {
		fmt.Fprintf(&b, "events: %d would be published\n", r.Planned)
	} else {
		fmt.Fprintf(&b, "events: %d published, %d were there already, %d failed\n", r.Published, r.Duplicates, r.Failed)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Events)) {
		fmt.Fprintf(&b, "  %-24s %d\n", kind, r.Events[kind])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// placeInFile names a cell, as far as it is known.
func placeInFile(file string, row int, column, value string) string {
	var b strings.Builder
	b.WriteString(file)
	if row > 0 {
		fmt.Fprintf(&b, " row %d", row)
	}
	if column != "" {
		fmt.Fprintf(&b, " column %q", column)
	}
	if value != "" {
		fmt.Fprintf(&b, " value %q", value)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	return strings.TrimPrefix(b.String(), " ")
}
