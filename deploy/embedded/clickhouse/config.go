// Package clickhouse runs the ClickHouse engine inside this process and serves it as the ClickHouse HTTP interface, so
// that every client of a real server (clickhouse-go over http://, curl, Grafana, a JavaScript client) works unchanged.
//
// Two kinds of users exist. The writer (WriterUser with WriterPassword) may do anything. Readers ("analyst", "default" or
// no user at all) may read within ReaderLimits and nothing else: see [CheckReader] for what is refused. They need
// ReaderPassword; without one the server listens on this machine only, and answers only to its own names, so that no page
// of a stranger can have a browser ask it under another name that was made to point here (DNS rebinding).
//
// The engine is a library that serves one data folder per process; see [Start] for what that means.
package clickhouse

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
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
	// ReaderPassword is the password of the users "analyst" and "default"; when empty, readers need none and Listen must be
	// an address of this machine alone.
	ReaderPassword string
	// ReaderLimits bounds what one reader's statement may use.
	ReaderLimits Limits

	// WriterConnections is the number of engine connections for writers, by default 4.
	WriterConnections int
	// ReaderConnections is the number of readers' statements that run at once, by default 4; more wait for their turn.
	ReaderConnections int
	// MaxSessions is the number of sessions (session_id) open at once, by default 32.
	MaxSessions int

	// BodyTimeout is how long a client may pause while it sends a body, by default 30 s.
	BodyTimeout time.Duration

	// Retry is asked when a reader's or writer's SELECT failed before any of its result was sent; when it returns true
	// the statement runs once more, a few times at the most. The host uses it to make what a view found missing (the exception names it).
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

// withDefaults fills what is not given.
func (c Config) withDefaults() Config {
	setDefault(&c.Listen, "127.0.0.1:0")
	setDefault(&c.WriterUser, "writer")
	if c.WriterPassword == "" {
		c.WriterPassword = rand.Text()
	}
	setDefault(&c.WriterConnections, 4)
	setDefault(&c.ReaderConnections, 4)
	setDefault(&c.MaxSessions, 32)
	setDefault(&c.BodyTimeout, 30*time.Second)
	l := &c.ReaderLimits
	setDefault(&l.MemoryBytes, 1<<30)
	setDefault(&l.ExecutionTime, 30*time.Second)
	setDefault(&l.ResultRows, 1_000_000)
	setDefault(&l.ResultBytes, 256<<20)
	setDefault(&l.ReadRows, 200_000_000)
	setDefault(&l.ReadBytes, 16<<30)
	setDefault(&l.Threads, 2)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate names every field that cannot be used.
func (c Config) validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("embedded ClickHouse: Dir: no data folder given"))
	}
	if strings.ContainsAny(c.Dir, "\x00\n") {
		errs = append(errs, fmt.Errorf("embedded ClickHouse: Dir: %q cannot be a folder", c.Dir))
	}
	if c.WriterUser == readerUser || c.WriterUser == AnalystUser {
		errs = append(errs, fmt.Errorf("embedded ClickHouse: WriterUser: %q is the readers' name; hint: take another", c.WriterUser))
	}
	if c.ReaderPassword == "" && !OnlyThisMachine(c.Listen) {
		errs = append(errs, fmt.Errorf("embedded ClickHouse: Listen: on %q other machines could read without a password; hint: set ReaderPassword, or listen on 127.0.0.1", c.Listen))
	}
	for name, n := range map[string]int{"WriterConnections": c.WriterConnections, "ReaderConnections": c.ReaderConnections, "MaxSessions": c.MaxSessions} {
		if n < 1 || n > 1024 {
			errs = append(errs, fmt.Errorf("embedded ClickHouse: %s: %d is not within 1…1024", name, n))
		}
	}
	return errors.Join(errs...)
}
