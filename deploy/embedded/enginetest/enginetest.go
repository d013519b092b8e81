// Package enginetest gives tests the embedded engines: real ones, in temporary folders.
//
// The ClickHouse engine is one per process, so one server serves all tests of a binary, each in a database of its own:
//
//	func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
//
//	func TestLedger(t *testing.T) {
//		t.Parallel()
//		db := enginetest.ClickHouse(t) // db.DSN, db.Database
package enginetest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"milepost/deploy/embedded/assets"
	"milepost/deploy/embedded/clickhouse"
	"milepost/deploy/embedded/nats"
)

const (
	startTimeout = 10 * time.Minute // the first start on a machine fetches the engine
	closeTimeout = 30 * time.Second
)

// process is what the tests of one binary share: the engine allows one server a process.
type process struct {
	start     sync.Once
	err       error
	server    *clickhouse.Server
	dir       string
	databases atomic.Int64
	retry     atomic.Pointer[func(context.Context, string) bool]
}

// shared is the only state of this package; a test binary has no other place that outlives its tests.
var shared process

// Main runs the tests and then ends the engine, if one was started, and removes its folder. It gives the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "ending the engine:", err)
		return max(code, 1)
	}
	return code
}

func (p *process) close() error {
	if p.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := p.server.Close(ctx); err != nil {
		return err
	}
	return os.RemoveAll(p.dir)
}

// Start gives the process's ClickHouse server and starts it at the first call. The binary's TestMain must call Main.
func Start(t testing.TB) *clickhouse.Server {
	t.Helper()
	shared.start.Do(func() { shared.server, shared.err = shared.open() })
	if shared.err != nil {
		t.Fatalf("starting the ClickHouse engine: %v", shared.err)
	}
	return shared.server
}

func (p *process) open() (*clickhouse.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	library, err := assets.Store{Progress: os.Stderr}.Library(ctx)
	if err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "milepost-engine-"); err != nil {
		return nil, err
	}
	return clickhouse.Start(ctx, clickhouse.Config{
		Library: library,
		Dir:     p.dir,
		Retry: func(ctx context.Context, exception string) bool {
			retry := p.retry.Load()
			return retry != nil && (*retry)(ctx, exception)
		},
	})
}

// OnRetry sets what the server's Retry asks, for the time of the test. Tests that use it must not run in parallel.
func OnRetry(t testing.TB, retry func(ctx context.Context, exception string) bool) {
	shared.retry.Store(&retry)
	t.Cleanup(func() { shared.retry.Store(nil) })
}

// Database is a database of its own for one test; it is dropped at the test's end.
type Database struct {
	Server    *clickhouse.Server
	Database  string // its name
	DSN       string // the writer's, for clickhouse-go
	ReaderDSN string // a reader's
	HTTP      string // the HTTP interface, without credentials
}

// ClickHouse makes a database for the test.
func ClickHouse(t testing.TB) Database {
	t.Helper()
	server := Start(t)
	name := fmt.Sprintf("test_%d", shared.databases.Add(1))
	db := Database{Server: server, Database: name, HTTP: server.URL()}
	dsn, err := url.Parse(server.WriterDSN())
	if err != nil {
		t.Fatal(err)
	}
	admin := *dsn
	admin.Path = ""
	execute(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, admin, "DROP DATABASE "+name+" SYNC") })
	dsn.Path = "/" + name
	db.DSN = dsn.String()
	dsn.User = nil
	db.ReaderDSN = dsn.String()
	return db
}

func execute(t testing.TB, server url.URL, sql string) {
	t.Helper()
	response, err := http.Post(server.String()+"/", "text/plain", strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // only read
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %s, code %s", sql, response.Status, response.Header.Get("X-ClickHouse-Exception-Code"))
	}
}

// NATS starts a NATS server with JetStream for the test; it ends with the test.
func NATS(t testing.TB) *nats.Server {
	t.Helper()
	server, err := nats.Start(nats.Config{Dir: filepath.Join(t.TempDir(), "nats"), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return server
}
