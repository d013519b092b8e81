package faults

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; the machines of the tests are small and shared.
const patience = 2 * time.Minute

// server is a milepost process.
type server struct {
	cmd     *exec.Cmd
	log     logBuffer
	ended   chan struct{}
	started time.Time // when the process was started, not when it was ready

	http, clickhouse, nats string
}

// serve starts a milepost process and waits until it is ready.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	path, err := exec.LookPath("milepost")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...), ended: make(chan struct{})}
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.started = time.Now()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill(t) })
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		if lines.Scan() {
			ready <- lines.Text()
		}
		for lines.Scan() {
		}
		close(ready)
		_ = s.cmd.Wait() // a killed process ends with an error
		close(s.ended)
	}()
	select {
	case line, ok := <-ready:
		if !ok || !strings.HasPrefix(line, "ready") {
			t.Fatalf("serve %v did not become ready: %q\n%s", args, line, s.log.text())
		}
		for _, word := range strings.Fields(line)[1:] {
			name, address, _ := strings.Cut(word, "=")
			switch name {
			case "http":
				s.http = address
			case "clickhouse":
				s.clickhouse = address
			case "nats":
				s.nats = address
			}
		}
	case <-time.After(patience):
		t.Fatalf("serve %v: not ready in %s\n%s", args, patience, s.log.text())
	}
	return s
}

// kill ends the process with SIGKILL, and returns when it is gone.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	<-s.ended
}

// peakMemory gives the greatest resident size that the process ever had, in MiB.
func (s *server) peakMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kib >> 10
		}
	}
	t.Fatal("the kernel does not tell the peak of the memory")
	return 0
}

// logBuffer keeps the end of what a process logs.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const logLimit = 64 << 10

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len() > logLimit {
		l.buf.Next(logLimit / 2)
	}
	return l.buf.Write(p)
}

func (l *logBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// freePort gives a port that nothing listens on, out of those that the kernel does not hand out by itself: a server that
// is started again must find its port free.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := 15000 + rand.IntN(17000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no free port")
	return 0
}

// fixedPorts gives the flags that let engines come back under the same addresses, and removes what a killed engine
// leaves for other processes of the user.
func fixedPorts(t *testing.T) []string {
	t.Helper()
	clickhouse, nats := freePort(t), freePort(t)
	t.Cleanup(func() {
		for _, path := range []string{writerFile(t, clickhouse), sharedFile(t, "nats", nats)} {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Error(err)
			}
		}
	})
	return []string{"--clickhouse-listen", fmt.Sprintf("127.0.0.1:%d", clickhouse), "--nats-listen", fmt.Sprintf("127.0.0.1:%d", nats)}
}

// writerFile is where the engine on the port leaves the writer's address.
func writerFile(t *testing.T, port int) string {
	t.Helper()
	return sharedFile(t, "clickhouse", port)
}

// rolesFile is where an embedded NATS leaves the credentials of the roles; "" when none of the servers is one.
func rolesFile(t *testing.T, addresses string) string {
	t.Helper()
	for _, address := range strings.Split(addresses, ",") {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			t.Fatal(err)
		}
		if path := sharedFile(t, "nats", port); fileExists(path) {
			return path
		}
	}
	return ""
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sharedFile is where an engine on the port leaves what other roles of the user need.
func sharedFile(t *testing.T, engine string, port int) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(cache, "milepost", "run", fmt.Sprintf("%s-%d", engine, port))
}

// eventually waits until the condition holds; it asks again and again.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if !within(patience, often, holds) {
		t.Fatalf("it never came that %s", what)
	}
}

// How long a wait rests between two questions.
const (
	often  = 5 * time.Millisecond
	seldom = 50 * time.Millisecond
)

func within(limit, rest time.Duration, holds func() bool) bool {
	deadline := time.After(limit)
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
	return true
}
