// Package clickhouse runs the ClickHouse engine inside this process and serves it as the ClickHouse HTTP interface, so
// that every client of a real server (clickhouse-go over http://, curl, Grafana, a JavaScript client) works unchanged.
//
// Two kinds of users exist. The writer (WriterUser with WriterPassword) may do anything. Readers (no user at all, or
// "default") may read within ReaderLimits and nothing else: see [CheckReader] for what is refused.
//
// The engine is a library that serves one data folder per process; see [Start] for what that means.
package clickhouse

import (
	"context"
	"log/slog"
	"time"
)

// Config says how to run the engine. The zero value of every optional field means its documented default.
type Config struct {
	// Library is the path of libchdb.so; package assets finds it.
	Library string
	// Dir is the data folder; it is made when missing and belongs to one process at a time.
	Dir string
	// Listen is the address of the HTTP interface, by default "127.0.0.1:0" (a free port; see Server.Addr).
	Listen string

	// WriterUser is the name of the user who may write, by default "writer".
	WriterUser string
	// WriterPassword is the writer's password; when empty a random one is made, known to Server.WriterDSN only.
	WriterPassword string
	// ReaderPassword is the password of user "default"; when empty, readers need none.
	ReaderPassword string
	// ReaderLimits bounds what one reader's statement may use.
	ReaderLimits Limits

	// WriterConnections is the number of engine connections for writers, by default 4.
	WriterConnections int
	// ReaderConnections is the number of readers' statements that run at once, by default 4; more wait for their turn.
	ReaderConnections int
	// MaxSessions is the number of sessions (session_id) open at once, by default 32.
	MaxSessions int

	// Retry is asked when a reader's or writer's SELECT failed before any of its result was sent; when it returns true
	// the statement runs once more. The host uses it to make what a view found missing (the exception names it).
	Retry func(ctx context.Context, exception string) bool

	// Log receives what goes wrong outside of any request, by default nothing.
	Log *slog.Logger
	// Now is the clock of session timeouts, by default time.Now.
	Now func() time.Time
}

// Limits bounds one reader's statement. Zero fields take the default named beside them.
type Limits struct {
	MemoryBytes   uint64        // memory of one statement, 1 GiB
	ExecutionTime time.Duration // running time of one statement, 30 s
	ResultRows    uint64        // rows of a result, 1,000,000
	ResultBytes   uint64        // bytes of a result, uncompressed in the engine, 256 MiB
	ReadRows      uint64        // rows read from tables, 200,000,000
	ReadBytes     uint64        // bytes read from tables, 16 GiB
	Threads       uint64        // threads of one statement, 2
}
