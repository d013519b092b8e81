package nats_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/dirlock"
	"milepost/deploy/embedded/nats"
)

// freePort is an address that tests listen on.
const freePort = "127.0.0.1:0"

func start(t *testing.T, c nats.Config) *nats.Server {
	t.Helper()
	s, err := nats.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *nats.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

func dial(t *testing.T, s *nats.Server) (*natsgo.Conn, jetstream.JetStream) {
	t.Helper()
	conn, err := natsgo.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return conn, js
}

func TestStreamsOutliveTheServer(t *testing.T) {
	t.Parallel()
	for _, sync := range []bool{false, true} {
		dir := t.TempDir()
		s := start(t, nats.Config{Dir: dir, Listen: freePort, SyncAlways: sync})
		conn, js := dial(t, s)
		stream := jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"events.>"}, Storage: jetstream.FileStorage}
		if _, err := js.CreateStream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if _, err := js.Publish(t.Context(), "events.x", []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
		conn.Close()
		stop(t, s)

		s = start(t, nats.Config{Dir: dir, Listen: freePort, SyncAlways: sync})
		conn, js = dial(t, s)
		found, err := js.Stream(t.Context(), "EVENTS")
		if err != nil {
			t.Fatal(err)
		}
		if info := found.CachedInfo(); info.State.Msgs != 10 || info.State.LastSeq != 10 {
			t.Errorf("sync %v: %+v", sync, info.State)
		}
		conn.Close()
		stop(t, s)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := start(t, nats.Config{Dir: t.TempDir(), Listen: freePort})
	defer stop(t, s)
	conn, _ := dial(t, s)
	defer conn.Close()
	if conn.MaxPayload() != 1<<20 {
		t.Errorf("payload %d", conn.MaxPayload())
	}
	if err := conn.Publish("x", make([]byte, 1<<20+1)); !errors.Is(err, natsgo.ErrMaxPayload) {
		t.Errorf("a message above the limit: %v", err)
	}
	if !strings.HasPrefix(s.URL(), "nats://127.0.0.1:") {
		t.Errorf("URL %s", s.URL())
	}
}

func TestWhatCannotStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }() // nothing was written
	dir := t.TempDir()
	s := start(t, nats.Config{Dir: dir})
	defer stop(t, s)
	if _, err := nats.Start(nats.Config{Dir: dir}); !errors.Is(err, dirlock.ErrHeld) {
		t.Errorf("a held folder: %v", err)
	}
	for name, c := range map[string]nats.Config{
		"taken":     {Dir: t.TempDir(), Listen: taken.Addr().String()},
		"no folder": {},
		"cannot":    {Dir: t.TempDir(), Listen: "nowhere"},
	} {
		if _, err := nats.Start(c); err == nil || !strings.Contains(err.Error(), strings.Fields(name)[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
