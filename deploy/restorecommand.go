package deploy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"milepost/deploy/keeping"
	"milepost/schemas"
)

// restoreCommand makes an installation from a backup.
type restoreCommand struct {
	Dir    string `arg:"" name:"dir" help:"Folder of the backup." type:"path"`
	Data   string `required:"" help:"New or empty data folder, for milepost serve --data." type:"path" placeholder:"NEWDIR"`
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// Run verifies the whole backup, puts it back in a folder beside the new one, and gives it its name when it is whole.
func (c *restoreCommand) Run(env *environment) error {
	manifest, err := keeping.Verify(c.Dir)
	if err != nil {
		return err
	}
	if err := mustBeNew(c.Data); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.Data), 0o750); err != nil {
		return err
	}
	building, err := os.MkdirTemp(filepath.Dir(c.Data), "."+filepath.Base(c.Data)+".restoring-")
	if err != nil {
		return usageError("--data", c.Data, "the folder cannot be made", err.Error())
	}
	if err := c.build(env, manifest, building); err != nil {
		return errors.Join(err, os.RemoveAll(building))
	}
	if err := syncFiles(building); err != nil {
		return errors.Join(err, os.RemoveAll(building))
	}
	if err := os.Remove(c.Data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, os.RemoveAll(building))
	}
	if err := os.Rename(building, c.Data); err != nil {
		return errors.Join(err, os.RemoveAll(building))
	}
	if err := syncFiles(filepath.Dir(c.Data)); err != nil {
		return err
	}
	return printManifest(env.streams.Out, "restored", c.Data, c.Format, manifest)
}

func (c *restoreCommand) build(env *environment, manifest *keeping.Manifest, building string) (err error) {
	if _, err := keeping.RestoreKeys(manifest, c.Dir, natsKeys(building)); err != nil {
		return err
	}
	// Each message need not reach the disk by itself: everything does before the folder gets its name.
	room, err := openRoom(env, Config{Data: building, Durability: "process"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, room.close()) }()
	return keeping.Restore(env.ctx, manifest, c.Dir, keeping.Target{Conn: room.app.conn, Warehouse: room.app.warehouse, Progress: tell(env.streams.Err)})
}

// mustBeNew refuses a folder that holds something.
func mustBeNew(data string) error {
	entries, err := os.ReadDir(data)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return usageError("--data", data, "not a folder that can be read", err.Error())
	}
	return &schemas.Error{Code: schemas.Conflict, Field: "--data", Value: data, Message: "the folder is not empty", Hint: "nothing was touched; name a new folder, and move it when you are content"}
}

// syncFiles returns when everything on the folder's file system is on the disk.
func syncFiles(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(folder.Fd())), folder.Close())
}
