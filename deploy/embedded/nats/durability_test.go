package nats_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/nats"
)

// The environment that makes this test binary a server that serves until it is
// killed, or until its input ends.
const (
	serveDir  = "MILEPOST_TEST_NATS_DIR"
	serveSync = "MILEPOST_TEST_NATS_SYNC"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveDir); dir != "" {
		os.Exit(serve(dir, os.Getenv(serveSync) != ""))
	}
	os.Exit(m.Run())
}

func serve(dir string, sync bool) int {
	s, err := nats.Start(nats.Config{Dir: dir, Listen: freePort, SyncAlways: sync})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin) // whoever started it is gone
	return 1
}

// serveApart runs a server in another process and gives its address.
func serveApart(t *testing.T, dir string, sync bool) (address string, kill func()) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	command.Env = append(os.Environ(), serveDir+"="+dir)
	if sync {
		command.Env = append(command.Env, serveSync+"=1")
	}
	if _, err := command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if address = strings.TrimSpace(line); err != nil || !strings.HasPrefix(address, "nats://") {
		t.Fatalf("the server says %q, %v", line, err)
	}
	return address, func() {
		if err := command.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = command.Wait() // it was killed
	}
}

// publishBatch sends messages first to end-1 as one atomic batch; without commit
// it leaves the batch open, but with the server.
func publishBatch(t *testing.T, conn *natsgo.Conn, id string, first, end int, commit bool) {
	t.Helper()
	for i := first; i < end; i++ {
		msg := natsgo.NewMsg("events." + strconv.Itoa(i))
		msg.Data = []byte(strconv.Itoa(i))
		msg.Header.Set("Nats-Batch-Id", id)
		msg.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i-first+1))
		if i < end-1 {
			if err := conn.PublishMsg(msg); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if commit {
			msg.Header.Set("Nats-Batch-Commit", "1")
		}
		reply, err := conn.RequestMsgWithContext(t.Context(), msg)
		if err != nil || commit && !strings.Contains(string(reply.Data), `"count":`+strconv.Itoa(end-first)) {
			t.Fatalf("%s: %v, %v", id, reply, err)
		}
	}
}

// What was acknowledged is there after the server's process was killed, with
// both durabilities; of a batch that was not committed there is nothing.
func TestAcknowledgedBatchesOutliveAKilledServer(t *testing.T) {
	t.Parallel()
	for _, sync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync %t", sync), func(t *testing.T) {
			t.Parallel()
			const size = 1500 // more than servers take by default
			dir := t.TempDir()
			address, kill := serveApart(t, dir, sync)
			conn, err := natsgo.Connect(address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			js, err := jetstream.New(conn)
			if err != nil {
				t.Fatal(err)
			}
			stream := jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"events.>"}, Storage: jetstream.FileStorage, AllowAtomicPublish: true}
			if _, err := js.CreateStream(t.Context(), stream); err != nil {
				t.Fatal(err)
			}
			publishBatch(t, conn, "first", 0, size, true)
			publishBatch(t, conn, "second", size, 2*size, true)
			publishBatch(t, conn, "open", 2*size, 2*size+10, false)
			kill()

			s := start(t, nats.Config{Dir: dir, Listen: freePort, SyncAlways: sync})
			defer stop(t, s)
			if s.SyncAlways() != sync {
				t.Errorf("the server syncs: %t", s.SyncAlways())
			}
			again, js := dial(t, s)
			defer again.Close()
			found, err := js.Stream(t.Context(), "EVENTS")
			if err != nil {
				t.Fatal(err)
			}
			if state := found.CachedInfo().State; state.Msgs != 2*size || state.LastSeq != 2*size {
				t.Fatalf("after the kill: %+v", state)
			}
			for seq := 1; seq <= 2*size; seq++ {
				msg, err := found.GetMsg(t.Context(), uint64(seq))
				if err != nil || string(msg.Data) != strconv.Itoa(seq-1) {
					t.Fatalf("message %d: %v, %v", seq, msg, err)
				}
			}
		})
	}
}
