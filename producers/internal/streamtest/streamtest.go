// Package streamtest gives tests a real NATS server in this process.
package streamtest

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Server is a NATS server with JetStream in a folder.
type Server struct {
	server *server.Server
	dir    string
	port   int
	limits server.JSLimitOpts
}

// Start runs a server in a temporary folder until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartLimited(t, server.JSLimitOpts{})
}

// StartLimited is Start for a server with limits of its own.
func StartLimited(t testing.TB, limits server.JSLimitOpts) *Server {
	t.Helper()
	s := &Server{dir: t.TempDir(), port: server.RANDOM_PORT, limits: limits}
	s.Restart(t)
	t.Cleanup(s.Stop)
	return s
}

// Restart runs the server again, on the same folder and port.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) run() error {
	running, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: s.port, JetStream: true, StoreDir: s.dir, NoLog: true, NoSigs: true, DisableJetStreamBanner: true, JetStreamLimits: s.limits,
	})
	if err != nil {
		return err
	}
	running.Start()
	if !running.ReadyForConnections(10 * time.Second) {
		return errors.New("the NATS server did not start")
	}
	s.server = running
	s.port = running.Addr().(*net.TCPAddr).Port
	return nil
}

// Stop ends the server.
func (s *Server) Stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// Dial connects to the server until the test ends.
func (s *Server) Dial(t testing.TB, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	options = append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(5 * time.Millisecond), nats.ReconnectJitter(0, 0)}, options...)
	conn, err := nats.Connect(s.server.ClientURL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// Address is where clients dial.
func (s *Server) Address() string { return s.server.ClientURL() }

// Open is Start for an example, which has no test to end with: end stops the
// server and removes its folder.
func Open() (s *Server, end func(), err error) {
	dir, err := os.MkdirTemp("", "milepost-stream-")
	if err != nil {
		return nil, nil, err
	}
	s = &Server{dir: dir, port: server.RANDOM_PORT}
	if err := s.run(); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, func() {
		s.Stop()
		_ = os.RemoveAll(dir) // a folder of the system's own place for such
	}, nil
}
