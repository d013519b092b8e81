package clickhouse_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"milepost/deploy/embedded/assets"
	"milepost/deploy/embedded/clickhouse"
	"milepost/deploy/embedded/dirlock"
)

// The engine is one per process and this process's is shared by all tests, so a test of starting and closing runs in
// a process of its own: the same binary, told by the environment which of these to run.
const childVariable = "MILEPOST_TEST_CHILD"

var children = map[string]func(t *testing.T, dir string){
	"restart":  childRestarts,
	"holder":   childHolds,
	"closing":  childCloses,
	"faults":   childFaults,
	"sessions": childSessionsExpire,
	"slow":     childTimesOut,
}

func TestChild(t *testing.T) {
	name, dir, given := strings.Cut(os.Getenv(childVariable), "=")
	if !given {
		return // an ordinary run: the tests below start this one in processes of their own
	}
	children[name](t, dir)
}

func child(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$", "-test.v")
	// Another zone than the engine's: the engine must not take it.
	command.Env = append(os.Environ(), childVariable+"="+name+"="+t.TempDir(), "TZ=America/New_York")
	return command
}

func runChild(t *testing.T, name string) {
	t.Helper()
	t.Parallel()
	if output, err := child(t, name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestRestartInTheSameProcess(t *testing.T) { runChild(t, "restart") }
func TestCloseEndsWhatRuns(t *testing.T)       { runChild(t, "closing") }
func TestFaultsOfTheHostPanic(t *testing.T)    { runChild(t, "faults") }
func TestSessionsEndByTheirClock(t *testing.T) { runChild(t, "sessions") }

func TestSlowBodiesTimeOut(t *testing.T) { runChild(t, "slow") }

func open(t *testing.T, c clickhouse.Config) (*clickhouse.Server, error) {
	t.Helper()
	library, err := assets.Store{Progress: os.Stderr}.Library(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Library = library
	return clickhouse.Start(t.Context(), c)
}

func mustOpen(t *testing.T, c clickhouse.Config) *clickhouse.Server {
	t.Helper()
	s, err := open(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t *testing.T, s *clickhouse.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

func childRestarts(t *testing.T, dir string) {
	first := filepath.Join(dir, "first")
	s := mustOpen(t, clickhouse.Config{Dir: first})
	c := newClient(t, s.WriterDSN(), "default")
	c.must("CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a")
	c.must("INSERT INTO t VALUES (1)")
	equal(t, "zone", c.must("SELECT timezone(), serverTimezone()"), "UTC\tUTC\n")
	if _, err := open(t, clickhouse.Config{Dir: first}); !errors.Is(err, dirlock.ErrHeld) {
		t.Errorf("a second server on the same folder: %v", err)
	}
	if _, err := open(t, clickhouse.Config{Dir: filepath.Join(dir, "second")}); err == nil || !strings.Contains(err.Error(), "already runs an engine") {
		t.Errorf("a second server on another folder: %v", err)
	}
	if _, err := open(t, clickhouse.Config{Dir: filepath.Join(dir, "third"), Listen: s.Addr()}); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("a second server on the same address: %v", err)
	}
	equal(t, "after the refusals", c.must("SELECT * FROM t"), "1\n")
	mustClose(t, s)
	for i := range 3 {
		s = mustOpen(t, clickhouse.Config{Dir: filepath.Join(dir, fmt.Sprint("other", i))})
		newClient(t, s.WriterDSN(), "default").refuses("60", "SELECT * FROM t")
		mustClose(t, s)
	}
	s = mustOpen(t, clickhouse.Config{Dir: first, ReaderPassword: "geheim"})
	equal(t, "after a restart", newClient(t, s.WriterDSN(), "default").must("SELECT * FROM t"), "1\n")
	anonymous := newClient(t, s.URL(), "default")
	if a := anonymous.refuses("194", "SELECT 1"); a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("no password: %d", a.status)
	}
	anonymous.refuses("516", "SELECT 1", "user", "default", "password", "wrong")
	equal(t, "password", anonymous.must("SELECT 1", "user", "default", "password", "geheim"), "1\n")
	analystComesIn(t, s, "geheim")
	mustClose(t, s)
	if _, err := open(t, clickhouse.Config{Dir: first, Listen: "0.0.0.0:0"}); err == nil || !strings.Contains(err.Error(), "ReaderPassword") {
		t.Errorf("open to other machines without a password: %v", err)
	}
	s = mustOpen(t, clickhouse.Config{Dir: first, Listen: "0.0.0.0:0", ReaderPassword: "geheim"})
	equal(t, "with a password", newClient(t, s.ReaderDSN(), "default").must("SELECT * FROM t"), "1\n")
	mustClose(t, s)
}

// analystComesIn asks in every way in which clients of a real server name their user.
func analystComesIn(t *testing.T, s *clickhouse.Server, password string) {
	t.Helper()
	c := newClient(t, s.URL(), "default")
	equal(t, "URL", c.must("SELECT * FROM t", "user", "analyst", "password", password), "1\n")
	for _, given := range []struct {
		user, password string
		status         int
	}{{"analyst", password, http.StatusOK}, {"analyst", "wrong", http.StatusForbidden}, {"analyst", "", http.StatusForbidden}, {"writer", password, http.StatusForbidden}} {
		for way, header := range map[string]http.Header{
			"headers": {"X-Clickhouse-User": {given.user}, "X-Clickhouse-Key": {given.password}},
			"basic":   {"Authorization": {"Basic " + basic(given.user, given.password)}},
		} {
			a := c.do(http.MethodPost, strings.NewReader("SELECT * FROM t"), header)
			if a.status != given.status || strings.Contains(a.body, password) {
				t.Errorf("%s %s: %d %s", way, given.user, a.status, a.body)
			}
		}
	}
	c.refuses("164", "INSERT INTO t VALUES (2)", "user", "analyst", "password", password)
}

func childHolds(t *testing.T, dir string) {
	s := mustOpen(t, clickhouse.Config{Dir: dir})
	fmt.Println("\nready", dir)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is done
	mustClose(t, s)
}

func TestFolderOfAnotherProcess(t *testing.T) {
	t.Parallel()
	holder := child(t, "holder")
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	dir := ""
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		dir, _ = strings.CutPrefix(lines.Text(), "ready ")
		if dir == lines.Text() {
			dir = ""
		}
	}
	_, err = open(t, clickhouse.Config{Dir: dir})
	if !errors.Is(err, dirlock.ErrHeld) || !strings.Contains(err.Error(), fmt.Sprint("process ", holder.Process.Pid)) || !strings.Contains(err.Error(), "hint") {
		t.Errorf("%v", err)
	}
	_ = in.Close()
	rest, _ := io.ReadAll(out)
	if err := holder.Wait(); err != nil {
		t.Errorf("%v\n%s", err, rest)
	}
}

func childCloses(t *testing.T, dir string) {
	s := mustOpen(t, clickhouse.Config{Dir: dir})
	c := newClient(t, s.WriterDSN(), "default")
	c.must("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")

	// A short statement finishes within Close's time.
	finished := make(chan string, 1)
	go func() {
		finished <- c.send("INSERT INTO t SELECT number FROM numbers(20) WHERE sleepEachRow(0.02) = 0", "max_block_size", "1", "log_comment", "short").body
	}()
	await(t, func() bool {
		return c.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE '% short'") == "1\n"
	})
	mustClose(t, s)
	equal(t, "the short statement", <-finished, "")
	s = mustOpen(t, clickhouse.Config{Dir: dir})
	c = newClient(t, s.WriterDSN(), "default")
	equal(t, "rows", c.must("SELECT count() FROM t"), "20\n")

	// A long one is ended.
	long := make(chan answer, 1)
	broken := make(chan error, 1)
	go func() {
		response, err := http.Post(c.base.String()+"&log_comment=long", "", bytes.NewReader([]byte("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")))
		if err == nil {
			_ = response.Body.Close()
			long <- answer{status: response.StatusCode}
		}
		broken <- err
	}()
	await(t, func() bool {
		return c.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE '% long'") == "1\n"
	})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	<-broken
	mustClose(t, mustOpen(t, clickhouse.Config{Dir: dir})) // the folder was given back
}

// childFaults holds that the engine leaves signals to Go: with its own handlers a nil dereference would hang.
func childFaults(t *testing.T, dir string) {
	s := mustOpen(t, clickhouse.Config{Dir: dir})
	fault := func() (recovered any) {
		defer func() { recovered = recover() }()
		var p *clickhouse.Config
		return p.Dir
	}
	if r := fault(); r == nil {
		t.Error("no panic")
	}
	c := newClient(t, s.WriterDSN(), "default")
	equal(t, "after a fault", c.must("SELECT 1"), "1\n")
	if r := fault(); r == nil {
		t.Error("no panic after a statement")
	}
	mustClose(t, s)
}

func childSessionsExpire(t *testing.T, dir string) {
	now := time.Date(2025, 10, 31, 12, 0, 0, 0, time.UTC)
	s := mustOpen(t, clickhouse.Config{Dir: dir, Now: func() time.Time { return now }, MaxSessions: 2})
	c := newClient(t, s.WriterDSN(), "default")
	c.must("SELECT 1", "session_id", "a", "session_timeout", "10")
	c.must("SELECT 1", "session_id", "b")
	c.refuses("202", "SELECT 1", "session_id", "c")
	now = now.Add(11 * time.Second)
	c.refuses("372", "SELECT 1", "session_id", "a", "session_check", "1")
	c.must("SELECT 1", "session_id", "b", "session_check", "1")
	c.must("SELECT 1", "session_id", "c")
	now = now.Add(61 * time.Second)
	c.refuses("372", "SELECT 1", "session_id", "b", "session_check", "1")
	mustClose(t, s)
}

func childTimesOut(t *testing.T, dir string) {
	s := mustOpen(t, clickhouse.Config{Dir: dir, BodyTimeout: 100 * time.Millisecond})
	c := newClient(t, s.WriterDSN(), "default")
	c.must("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	never, stop := io.Pipe()
	defer func() { _ = stop.Close() }() // cannot fail
	for _, query := range []string{"", "INSERT INTO t FORMAT TSV"} {
		a := c.do(http.MethodPost, io.MultiReader(strings.NewReader("1\n"), never), nil, "query", query)
		if a.status != http.StatusRequestTimeout || a.header.Get("X-ClickHouse-Exception-Code") != "209" {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	equal(t, "rows", c.must("SELECT count() FROM t"), "0\n")
	// A statement may run longer than its body may pause.
	equal(t, "long statement", c.must("SELECT sleep(0.5)"), "0\n")
	mustClose(t, s)
}
