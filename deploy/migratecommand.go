package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"milepost/consumers/warehouse"
	"milepost/deploy/keeping"
	"milepost/deploy/settings"
	"milepost/schemas"
)

// migrateCommand brings an installation from its embedded engines to servers: from box to cluster.
type migrateCommand struct {
	Data string `default:"milepost-data" env:"MILEPOST_DATA" help:"Data folder of the box, whose server does not run." type:"path"`
	restoreServers
	Archive string `name:"archive-dir" env:"MILEPOST_ARCHIVE_DIR" help:"Folder of the box's archive of the stream (DATA/archive)." type:"path" placeholder:"DIR"`
	Copy    string `help:"Folder of the copy that goes between; it is a backup and stays (DATA.migration)." type:"path" placeholder:"DIR"`
	Format  string `enum:"text,json" default:"text" help:"text or json."`
}

// migrated says what was brought over.
type migrated struct {
	Sequence uint64         `json:"sequence"`
	Streams  int            `json:"streams"`
	Equal    bool           `json:"equal"`
	Tables   []tableCompare `json:"tables"`
}

type tableCompare struct {
	Table string `json:"table"`
	There uint64 `json:"rows_there"`
	Here  uint64 `json:"rows_here"`
	Equal bool   `json:"equal"`
}

// Run copies the box, puts the copy into the servers, and compares. Nothing of the box is changed; an interrupted run is
// begun again with the same command. Streams keep their sequences, since every published S stands on them; archived segments
// come along.
func (c *migrateCommand) Run(env *environment) (err error) {
	if err := mustHold(c.Data); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	if c.Copy == "" {
		c.Copy = c.Data + ".migration"
	}
	box, err := openRoom(env, settings.Config{Data: c.Data, ArchiveConfig: settings.ArchiveConfig{ArchiveDir: c.Archive}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.close()) }()
	manifest, err := c.copied(env, box)
	if err != nil {
		return err
	}
	if err := c.archive(env, manifest, c.Copy); err != nil {
		return err
	}
	servers, err := c.room(env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.close()) }()
	if err := keeping.Restore(env.ctx, manifest, c.Copy, c.target(env, servers)); err != nil {
		return err
	}
	result := migrated{Sequence: manifest.Sequence, Streams: len(manifest.Streams), Equal: true}
	for _, table := range warehouse.CopiedTables(manifest.Schema) {
		before, err := box.app.warehouse.Mark(env.ctx, table, manifest.Sequence)
		if err != nil {
			return err
		}
		after, err := servers.app.warehouse.Mark(env.ctx, table, manifest.Sequence)
		if err != nil {
			return err
		}
		result.Tables = append(result.Tables, tableCompare{table, before.Rows, after.Rows, before == after})
		result.Equal = result.Equal && before == after
	}
	if err := result.print(env.streams.Out, c.Format); err != nil {
		return err
	}
	if !result.Equal {
		return &schemas.Error{Code: schemas.Internal, Message: "the tables of the servers are not those of the box", Hint: "do not start the servers on them; empty the target and begin again. The box is as it was"}
	}
	return nil
}

// copied gives the copy of the box: that of an interrupted run, when the box has not gone on since, or a new one.
func (c *migrateCommand) copied(env *environment, box *engineRoom) (*keeping.Manifest, error) {
	source := box.app.backupSource()
	source.Progress = tell(env.streams.Err)
	if _, err := os.Stat(c.Copy); err == nil {
		manifest, err := keeping.Verify(c.Copy)
		if err == nil {
			err = keeping.StillCurrent(env.ctx, source, manifest)
		}
		if err != nil {
			return nil, &schemas.Error{Code: schemas.Conflict, Field: "--copy", Value: c.Copy, Message: "the folder holds no copy of the box as it is now", Hint: "remove it, or name another by --copy", Err: err}
		}
		return manifest, nil
	}
	folder, err := keeping.NewFolder(c.Copy)
	if err != nil {
		return nil, err
	}
	// The keys of the box open nothing elsewhere.
	source.Keys = ""
	return keeping.Backup(env.ctx, source, folder)
}

func (m *migrated) print(w io.Writer, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(m)
	}
	fmt.Fprintf(w, "migrated %d streams, events up to sequence %d\n", m.Streams, m.Sequence)
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "table\trows in the box\trows now\t")
	for _, t := range m.Tables {
		verdict := "equal"
		if !t.Equal {
			verdict = "DIFFERS"
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\n", t.Table, t.There, t.Here, verdict)
	}
	return out.Flush()
}
