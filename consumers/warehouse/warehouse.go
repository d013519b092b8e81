// Package warehouse is the only code that speaks SQL: it writes what the stream delivered into ClickHouse, reads it
// back, and keeps the tables' schema. The tables are described where they are made, in schemas/clickhouse.
package warehouse

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

// Config says where the warehouse is.
type Config struct {
	// DSN is a http://, https:// or clickhouse:// address with user, password and database; the tables live in that
	// database.
	DSN string
	// Cluster is the name under which ClickHouse knows its cluster, "" for a single server. Tables and views are then
	// made on all its servers, and tables replicated.
	Cluster string
	// Sharded says that the cluster has more than one shard: the tables that grow with the events are spread over them.
	Sharded bool
	// Stream is where the events come from. Without it everything works but the recording of conflicts.
	Stream Stream
	// Program names the program and its version: what another one judged is not taken over. Without it nothing that was
	// judged is kept.
	Program string
	// Now is the clock of what the warehouse itself records, by default time.Now.
	Now func() time.Time
	// Log receives what is worth knowing and is no error of a caller, by default nothing.
	Log *slog.Logger
}

// Warehouse is a connection to ClickHouse. It is safe for concurrent use.
type Warehouse struct {
	conn driver.Conn
	now  func() time.Time
	log  *slog.Logger
	// native is the protocol of the connection; else it is HTTP.
	native bool
	// cluster may be empty.
	cluster string
	sharded bool
	// stream may be nil.
	stream Stream
	// suffix ends the names of the stream's tables; it is empty but for shadow tables.
	suffix string
	// program may be empty.
	program string
	// judgedFrom is from how many subjects what was judged of them is kept.
	judgedFrom int
	// eventsAtOnce is up to how many events all that is judged of them is held beside the ledgers.
	eventsAtOnce uint64
	// knownBefore are the revocations and publications that were read before.
	knownBefore *knownBefore
}

// connectionLife ends an idle connection before servers and proxies in between do.
const connectionLife = 10 * time.Minute

// Open connects and makes sure that the server answers. A wrong DSN is an error with the code invalid, a server that
// does not answer one with the code unavailable. The tables are made by [Warehouse.Migrate].
func Open(ctx context.Context, c Config) (*Warehouse, error) {
	options, err := clickhouse.ParseDSN(c.DSN)
	if err != nil {
		// The driver's text may quote the DSN, which may hold a password.
		return nil, &schemas.Error{
			Code: schemas.Invalid, Field: "clickhouse", Message: "not a ClickHouse address",
			Hint: "write http://user:password@host:8123/database or clickhouse://user:password@host:9000/database",
		}
	}
	// What is acknowledged to the stream must be in the table first; asynchronous inserts are on by default in recent
	// servers.
	options.Settings["async_insert"] = 0
	if c.Sharded {
		for name, value := range shardedSettings() {
			options.Settings[name] = value
		}
	}
	options.ClientInfo.Products = append(options.ClientInfo.Products, struct{ Name, Version string }{"milepost", "1"})
	if options.ConnMaxLifetime == 0 {
		options.ConnMaxLifetime = connectionLife
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, unavailable("connect", err)
	}
	if err := conn.Ping(ctx); err != nil {
		_ = conn.Close()
		return nil, unavailable("connect", err)
	}
	w := &Warehouse{conn: conn, now: c.Now, log: c.Log, stream: c.Stream, cluster: c.Cluster, sharded: c.Sharded, native: speaksNative(options), program: c.Program, judgedFrom: judgedFrom, eventsAtOnce: eventsAtOnce, knownBefore: &knownBefore{}}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	return w, nil
}

// Ping tells whether the server answers.
func (w *Warehouse) Ping(ctx context.Context) error {
	if err := w.conn.Ping(ctx); err != nil {
		return unavailable("ping", err)
	}
	return nil
}

// Close ends the connection; statements that run are ended by their own context.
func (w *Warehouse) Close() error {
	if err := w.conn.Close(); err != nil {
		return fmt.Errorf("close the connection to ClickHouse: %w", err)
	}
	return nil
}
