package deploy

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/deploy/settings"
)

// engineRoom is a data folder, or servers, with engines that run and nothing else: for commands that work on what is kept
// while no server of this machine does.
type engineRoom struct{ app *App }

// openRoom starts the embedded engines that the configuration does not replace by servers, and joins them. Tables are left
// as they are.
func openRoom(env *environment, config settings.Config) (room *engineRoom, err error) {
	config.ClickHouseListen, config.NATSListen = "127.0.0.1:0", ""
	a := &App{config: config.WithDefaults(), now: env.now, log: slog.New(slog.DiscardHandler), out: env.streams}
	room = &engineRoom{a}
	defer func() {
		if err != nil {
			err = errors.Join(err, room.close())
		}
	}()
	if a.config.NATS == "" || a.config.ClickHouse == "" {
		if err := a.startEngines(env.ctx, env.ctx); err != nil {
			return room, err
		}
	}
	if a.conn, err = a.connectNATS(); err != nil {
		return room, err
	}
	a.closers = append(a.closers, func(context.Context) error { a.conn.Close(); return nil })
	if a.js, err = jetstream.New(a.conn); err != nil {
		return room, err
	}
	if a.clickhouseDSN == "" {
		if a.clickhouseDSN, err = withSharedWriter(a.config.ClickHouse); err != nil {
			return room, err
		}
	}
	a.warehouse, err = warehouse.Open(env.ctx, warehouse.Config{DSN: a.clickhouseDSN, Cluster: a.config.ClickHouseCluster, Sharded: a.config.ClickHouseSharded, Now: a.now, Log: a.log})
	if err != nil {
		return room, err
	}
	a.closers = append(a.closers, func(context.Context) error { return a.warehouse.Close() })
	return room, nil
}

func (r *engineRoom) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var failed []error
	for len(r.app.closers) > 0 {
		failed = append(failed, r.app.closeLast(ctx))
	}
	return errors.Join(failed...)
}

// mustHold refuses a data folder on which no server ever ran.
func mustHold(data string) error {
	if _, err := os.Stat(filepath.Join(data, "nats")); errors.Is(err, fs.ErrNotExist) {
		return usageError("--data", data, "no server ever ran on this folder", "give the folder of milepost serve --data")
	}
	return nil
}
