package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"milepost/producers/imports"
	"milepost/schemas"
)

type importCommand struct {
	server
	Files    []string `arg:"" optional:"" name:"file" help:"Snapshots of the spreadsheet (XLSX or CSV), in any order."`
	Mapping  string   `help:"Mapping file (YAML) that says what the columns mean; by default that of the template."`
	DryRun   bool     `help:"Show what would be published, and publish nothing; the preview can be confirmed."`
	Confirm  string   `help:"Publish exactly what a dry run has shown." placeholder:"ID"`
	Errors   string   `help:"Write a workbook with comments on the cells that were refused." placeholder:"FILE.xlsx" type:"path"`
	Wait     bool     `help:"Return when the ledger knows the events."`
	Date     string   `help:"The snapshot's day (YYYY-MM-DD), where neither a column nor the file name tells it."`
	District string   `help:"Who answers for a sheet without a mapping: the code of a district; by default whose template it is." placeholder:"CODE"`
	Format   string   `enum:"text,json" default:"text" help:"text or json."`
}

// importServer is the way of an import to the server.
type importServer struct{ client *client }

// Call implements imports.Server.
func (s importServer) Call(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (io.ReadCloser, error) {
	return s.client.do(ctx, method, path, query, contentType, body)
}

// Run uploads the snapshots; it ends with exit code 1 when a row was refused.
func (c *importCommand) Run(env *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	options := imports.UploadOptions{DryRun: c.DryRun, Wait: c.Wait, District: c.District, Progress: func(p imports.Progression) { writeProgress(env.streams.Err, p) }}
	if c.Date != "" {
		if options.SnapshotDate, err = schemas.ParseDate(c.Date); err != nil {
			return err
		}
	}
	result, preview, err := c.run(env, importServer{client}, options)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		out := json.NewEncoder(env.streams.Out)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		err = out.Encode(importOutput{result, preview})
	} else {
		err = writeImport(env.streams.Out, result, preview)
	}
	if err == nil && !result.OK() {
		return errRefused
	}
	return err
}

// importOutput is the result with the preview that can be confirmed.
type importOutput struct {
	*imports.Result
	Preview string `json:"preview_id,omitempty"`
}

func (c *importCommand) check() error {
	switch {
	case c.Confirm != "" && (len(c.Files) > 0 || c.DryRun || c.Mapping != "" || c.Date != "" || c.District != "" || c.Errors != ""):
		return usageError("--confirm", c.Confirm, "it publishes what a dry run has read, and reads no file", "import --confirm ID [--wait]")
	case c.Confirm == "" && len(c.Files) == 0:
		return usageError("FILE", "", "no file to import", "import FILE.xlsx [--mapping FILE]")
	case c.DryRun && c.Wait:
		return usageError("--wait", "", "a dry run publishes nothing that could be waited for", "leave one of the two out")
	}
	return nil
}

// run imports at once, or previews; preview is empty where nothing waits to be
// confirmed.
func (c *importCommand) run(env *environment, server importServer, o imports.UploadOptions) (result *imports.Result, preview string, err error) {
	switch {
	case c.Confirm != "":
		result, err = imports.Confirm(env.ctx, server, c.Confirm, c.Wait, o.Progress)
		return result, "", err
	case !c.DryRun && c.Errors == "":
		result, err = imports.Upload(env.ctx, server, c.Mapping, c.Files, o)
		return result, "", err
	}
	shown, err := imports.UploadPreview(env.ctx, server, c.Mapping, c.Files, o)
	if err != nil {
		return nil, "", err
	}
	if c.Errors != "" && shown.HasErrorsFile {
		if err := writeErrorsFile(env, server, shown.ID, c.Errors); err != nil {
			return nil, "", err
		}
	}
	if c.DryRun {
		return shown.Result(), shown.ID, nil
	}
	result, err = imports.Confirm(env.ctx, server, shown.ID, c.Wait, o.Progress)
	return result, "", err
}

func writeErrorsFile(env *environment, server importServer, id, path string) error {
	out, err := os.Create(path)
	if err != nil {
		return usageError("--errors", path, "the file cannot be written", err.Error())
	}
	if err := errors.Join(imports.DownloadErrors(env.ctx, server, id, out), out.Close()); err != nil {
		return err
	}
	fmt.Fprintf(env.streams.Err, "the cells that were refused are marked in %s\n", path)
	return nil
}

func writeProgress(w io.Writer, p imports.Progression) {
	unit := "rows"
	if p.Stage == "published" {
		unit = "events"
	}
	if p.Total > 0 {
		fmt.Fprintf(w, "%s %d of %d %s\n", p.Stage, p.Done, p.Total, unit)
		return
	}
	fmt.Fprintf(w, "%s %d %s\n", p.Stage, p.Done, unit)
}

func writeImport(w io.Writer, r *imports.Result, preview string) error {
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
		fmt.Fprintf(&b, "warning  %s%s\n", placeInFile(warning.File, warning.Sheet, warning.Row, "", warning.Column, warning.Value), warning.Message)
	}
	for _, fault := range r.Errors {
		fmt.Fprintf(&b, "refused  %s%s", placeInFile(fault.File, fault.Sheet, fault.Row, fault.Cell, fault.Column, fault.Value), fault.Message)
		if fault.Hint != "" {
			fmt.Fprintf(&b, "; %s", fault.Hint)
		}
		b.WriteByte('\n')
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(&b, "columns not read: %s\n", strings.Join(r.Ignored, ", "))
	}
	if r.Source != "" {
		days := make([]string, len(r.Snapshots))
		for i, day := range r.Snapshots {
			days[i] = day.String()
		}
		fmt.Fprintf(&b, "sent as %s by %s, as of %s\n", r.Source, r.Sender, orDash(strings.Join(shortList(days), ", ")))
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
	if preview != "" && r.Planned > 0 {
		fmt.Fprintf(&b, "to publish exactly this: milepost import --confirm %s\n", preview)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shortList keeps the ends of a long list.
func shortList(words []string) []string {
	if len(words) <= 4 {
		return words
	}
	return []string{words[0], words[1], "…", words[len(words)-1]}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// placeInFile names a cell, as far as it is known.
func placeInFile(file, sheet string, row int, cell, column, value string) string {
	var b strings.Builder
	b.WriteString(file)
	if sheet != "" {
		fmt.Fprintf(&b, " sheet %s", sheet)
	}
	if cell != "" {
		fmt.Fprintf(&b, " cell %s", cell)
	}
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
