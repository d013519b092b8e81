package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"milepost/deploy/keeping"
	"milepost/deploy/settings"
	"milepost/schemas"
)

// restoreCommand makes an installation from a backup.
type restoreCommand struct {
	Dir    string `arg:"" name:"dir" help:"Folder of the backup." type:"path"`
	Data   string `help:"New or empty data folder, for milepost serve --data." type:"path" placeholder:"NEWDIR"`
	Format string `enum:"text,json" default:"text" help:"text or json."`
	restoreServers
}

// restoreServers are NATS and ClickHouse servers that take a backup instead of a folder.
type restoreServers struct {
	ToNATS              string `name:"to-nats" help:"NATS servers that are to keep the streams; they hold nothing of Milepost yet." placeholder:"URL"`
	ToNATSCreds         string `name:"to-nats-creds" help:"Credentials file for those servers." type:"path" placeholder:"FILE"`
	ToClickHouse        string `name:"to-clickhouse" help:"ClickHouse whose database is to hold the tables: http://user:password@host:8123/database." placeholder:"DSN"`
	ToClickHouseCluster string `name:"to-clickhouse-cluster" help:"Name of its cluster: the tables are made on all its servers, and replicated." placeholder:"NAME"`
	ToClickHouseSharded bool   `name:"to-clickhouse-sharded" help:"That cluster has more than one shard: the tables of events are spread over them."`
	ToArchive           string `name:"to-archive" help:"Folder for the archive of the stream, when the backup has one; it is to be archive_dir (NEWDIR/archive)." type:"path" placeholder:"DIR"`
	AllowPurge          bool   `help:"Let the stream of events be purged of what is archived, though it denied that so far."`
	Replicas            int    `default:"1" help:"How many NATS servers keep each stream; 3 in a cluster."`
}

func (s *restoreServers) check() error {
	if s.ToNATS == "" || s.ToClickHouse == "" {
		return usageError("--to-nats", s.ToNATS, "both servers are needed", "name NATS by --to-nats and ClickHouse by --to-clickhouse")
	}
	if s.Replicas < 1 || s.Replicas > 5 {
		return usageError("--replicas", fmt.Sprint(s.Replicas), "out of range", "from 1 to 5, three in a cluster")
	}
	return nil
}

// room joins the servers.
func (s *restoreServers) room(env *environment) (*engineRoom, error) {
	return openRoom(env, settings.Config{NATS: s.ToNATS, NATSCreds: s.ToNATSCreds, ClickHouse: s.ToClickHouse, ClickHouseCluster: s.ToClickHouseCluster, ClickHouseSharded: s.ToClickHouseSharded, Target: []string{settings.TargetConsumers}})
}

// archive puts the archived segments where the roles of the servers will read them.
func (s *restoreServers) archive(env *environment, m *keeping.Manifest, dir string) error {
	if m.HasArchive() && s.ToArchive == "" {
		return usageError("--to-archive", "", "the stream's beginning is in archived segments, and nobody said where they are to be", "name a folder that the roles reach, and give it to them as archive_dir")
	}
	return keeping.RestoreArchive(env.ctx, m, dir, s.ToArchive)
}

func (s *restoreServers) target(env *environment, room *engineRoom) keeping.Target {
	return keeping.Target{Conn: room.app.conn, Warehouse: room.app.warehouse, Replicas: s.Replicas, AllowPurge: s.AllowPurge, Progress: tell(env.streams.Err)}
}

// Run verifies the whole backup, puts it back in a folder beside the new one, and gives it its name when it is whole.
func (c *restoreCommand) Run(env *environment) error {
	manifest, err := keeping.Verify(c.Dir)
	if err != nil {
		return err
	}
	if c.Data == "" {
		return c.intoServers(env, manifest)
	}
	if c.ToNATS != "" || c.ToClickHouse != "" {
		return usageError("--data", c.Data, "a folder and servers at once", "restore into one of them")
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

// intoServers puts the backup into servers; an interrupted run is begun again with the same command.
func (c *restoreCommand) intoServers(env *environment, manifest *keeping.Manifest) (err error) {
	if c.ToNATS == "" && c.ToClickHouse == "" {
		return usageError("--data", "", "no place to restore into", "name a new folder by --data, or servers by --to-nats and --to-clickhouse")
	}
	if err := c.check(); err != nil {
		return err
	}
	if err := c.archive(env, manifest, c.Dir); err != nil {
		return err
	}
	room, err := c.room(env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, room.close()) }()
	if err := keeping.Restore(env.ctx, manifest, c.Dir, c.target(env, room)); err != nil {
		return err
	}
	return printManifest(env.streams.Out, "restored", settings.Redacted(c.ToNATS), c.Format, manifest)
}

func (c *restoreCommand) build(env *environment, manifest *keeping.Manifest, building string) (err error) {
	if _, err := keeping.RestoreKeys(manifest, c.Dir, natsKeys(building)); err != nil {
		return err
	}
	archive := c.ToArchive
	if archive == "" {
		archive = filepath.Join(building, "archive")
	}
	if err := keeping.RestoreArchive(env.ctx, manifest, c.Dir, archive); err != nil {
		return err
	}
	// Each message need not reach the disk by itself: everything does before the folder gets its name.
	room, err := openRoom(env, settings.Config{Data: building, Durability: "process"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, room.close()) }()
	return keeping.Restore(env.ctx, manifest, c.Dir, keeping.Target{Conn: room.app.conn, Warehouse: room.app.warehouse, AllowPurge: c.AllowPurge, Progress: tell(env.streams.Err)})
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
