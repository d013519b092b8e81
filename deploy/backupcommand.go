package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"milepost/deploy/keeping"
	"milepost/deploy/settings"
)

// backupCommand copies an installation into a folder.
type backupCommand struct {
	server
	Dir     string `arg:"" name:"dir" help:"New or empty folder for the backup." type:"path"`
	Data    string `help:"Data folder of a server that does not run, instead of a running one." type:"path" placeholder:"DATA"`
	Archive string `name:"archive-dir" env:"MILEPOST_ARCHIVE_DIR" help:"With --data: folder of the archive of the stream (DATA/archive)." type:"path" placeholder:"DIR"`
	Format  string `enum:"text,json" default:"text" help:"text or json."`
}

// Run takes the backup and says what it holds.
func (c *backupCommand) Run(env *environment) error {
	take := c.overHTTP
	if c.Data != "" {
		take = c.direct
	}
	manifest, err := take(env)
	if err != nil {
		return err
	}
	return printManifest(env.streams.Out, "backed up", c.Dir, c.Format, manifest)
}

// overHTTP brings what a running server sends. On its own machine the user who runs it needs no token.
func (c *backupCommand) overHTTP(env *environment) (*keeping.Manifest, error) {
	if c.Token == "" {
		c.Token = operatorToken(c.Server)
	}
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(env.ctx, http.MethodPost, client.base+"/v1/backup", nil)
	if err != nil {
		return nil, err
	}
	response, err := client.http.Do(request)
	if err != nil {
		return nil, client.silent(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, problemOf(response)
	}
	return keeping.Receive(response.Body, response.Header.Get("Content-Type"), c.Dir)
}

func (c *backupCommand) direct(env *environment) (manifest *keeping.Manifest, err error) {
	if err := mustHold(c.Data); err != nil {
		return nil, err
	}
	folder, err := keeping.NewFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	room, err := openRoom(env, settings.Config{Data: c.Data, ArchiveConfig: settings.ArchiveConfig{ArchiveDir: c.Archive}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, room.close()) }()
	source := room.app.backupSource()
	source.Progress = tell(env.streams.Err)
	return keeping.Backup(env.ctx, source, folder)
}

func tell(w io.Writer) func(string) {
	return func(what string) { fmt.Fprintln(w, what) }
}

func printManifest(w io.Writer, did, where, format string, m *keeping.Manifest) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(m)
	}
	var bytes int64
	for _, f := range m.Files {
		bytes += f.Bytes
	}
	_, err := fmt.Fprintf(w, "%s: %s\nevents up to sequence %d, %d streams, %d files, %d bytes, schema %d, made by Milepost %s at %s\n",
		did, where, m.Sequence, len(m.Streams), len(m.Files), bytes, m.Schema, m.Version, m.MadeAt.Format("2006-01-02 15:04:05Z07:00"))
	return err
}
