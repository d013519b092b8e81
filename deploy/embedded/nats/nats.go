// Package nats runs a NATS server with JetStream on files inside this process. The process itself reaches it without a
// network; other programs dial it like any other server when it is asked to listen.
package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"

	"milepost/deploy/embedded/dirlock"
	"milepost/deploy/embedded/nats/authority"
)

// Config says how to run the server.
type Config struct {
	// Dir is the folder of the streams; it is made when missing and belongs to one process at a time.
	Dir string
	// Listen is the client address; port 0 takes a free one (see Server.URL). Without it only this process reaches the
	// server (see Server.Connect).
	Listen string
	// Authority, when given, lets in only whom it gave credentials; else whoever reaches the server may do everything.
	Authority *authority.Authority
	// SyncAlways makes every stored message reach the disk before its publisher hears of it, so that a power cut takes
	// nothing that was acknowledged: what a machine without a second copy of the stream wants. A single message then costs
	// a turn of the disk; an atomic batch costs one or two, however many messages it has, and is as fast as without.
	//
	// Without it an acknowledged message has been given to the operating system: the process may be killed at any moment,
	// but a power cut takes what came in the last two minutes. In both modes the stream is sound after a restart, and a
	// batch is there as a whole or not at all.
	SyncAlways bool
	// MaxStoreBytes bounds what the streams may take on disk, by default three quarters of the free space at start.
	MaxStoreBytes int64
	// Log receives the server's warnings and errors, by default nothing.
	Log *slog.Logger
}

const (
	// maxPayload leaves room above the 256 KiB that an event may have.
	maxPayload     = 1 << 20
	maxConnections = 1024
	maxMemoryStore = 64 << 20
	readyTimeout   = 20 * time.Second
)

// MaxBatch is how many messages an atomic batch may have. Other servers take 1,000 by default; each batch makes a store of
// its own and syncs it, whatever the number of its messages.
const MaxBatch = 4000

// Server is a running NATS server.
type Server struct {
	server    *server.Server
	lock      *dirlock.Lock
	authority *authority.Authority
	watch     *watch // nil without an authority
}

// Start runs a server and returns when it accepts clients. It fails with a clear error when the address is taken or
// when another process runs on Dir.
func Start(c Config) (*Server, error) {
	if c.Dir == "" {
		return nil, errors.New("embedded NATS: no data folder given; hint: set Dir")
	}
	host, port, err := listenAddress(c.Listen)
	if err != nil {
		return nil, err
	}
	lock, err := dirlock.Acquire(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	s, err := start(c, host, port)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	s.lock = lock
	return s, nil
}

func start(c Config, host string, port int) (*Server, error) {
	options := &server.Options{
		ServerName:             "milepost",
		Host:                   host,
		Port:                   port,
		DontListen:             c.Listen == "",
		NoSigs:                 true,
		NoLog:                  c.Log == nil,
		MaxPayload:             maxPayload,
		MaxConn:                maxConnections,
		JetStream:              true,
		StoreDir:               filepath.Join(c.Dir, "jetstream"),
		JetStreamMaxMemory:     maxMemoryStore,
		JetStreamMaxStore:      c.MaxStoreBytes,
		JetStreamLimits:        server.JSLimitOpts{MaxBatchSize: MaxBatch},
		SyncAlways:             c.SyncAlways,
		DisableJetStreamBanner: true,
	}
	clients, err := trust(options, c.Authority)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS: the keys in its folder: %w", err)
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS: the configuration was refused: %w", err)
	}
	sink := &logger{log: c.Log}
	s.SetLoggerV2(sink, false, false, false)
	s.Start()
	if !s.ReadyForConnections(readyTimeout) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("embedded NATS did not start in %s on %s: %s", c.Dir, c.Listen, sink.lastFatal())
	}
	running := &Server{server: s, authority: c.Authority}
	if c.Authority != nil {
		running.watch = startWatch(s, c.Authority, clients, c.Log)
	}
	return running, nil
}

// listenAddress splits the address and checks that it can be had, because the server itself only logs that it cannot.
func listenAddress(address string) (host string, port int, err error) {
	if address == "" {
		return "", 0, nil
	}
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", 0, fmt.Errorf("embedded NATS: address %s is taken by another program; hint: choose another one, or port 0 for a free one: %w", address, err)
	}
	if err != nil {
		return "", 0, fmt.Errorf("embedded NATS: cannot listen on %q: %w", address, err)
	}
	if err := l.Close(); err != nil {
		return "", 0, fmt.Errorf("embedded NATS: %w", err)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("embedded NATS: address %q: %w", address, err)
	}
	port, err = strconv.Atoi(service)
	if err != nil {
		return "", 0, fmt.Errorf("embedded NATS: port %q is not a number: %w", service, err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// URL is where clients dial, such as nats://127.0.0.1:4222; "" when the server does not listen.
func (s *Server) URL() string {
	address := s.server.Addr()
	if address == nil {
		return ""
	}
	return "nats://" + address.String()
}

// Connect joins this process to the server, without a network and with every right on the streams.
func (s *Server) Connect(options ...client.Option) (*client.Conn, error) {
	options = append(options, client.InProcessServer(s.server))
	if s.authority != nil {
		roles, err := s.authority.Roles()
		if err != nil {
			return nil, fmt.Errorf("embedded NATS: %w", err)
		}
		options = append(options, client.UserCredentialBytes(roles))
	}
	return client.Connect("", options...)
}

// SyncAlways tells whether the server makes messages reach the disk before it acknowledges them.
func (s *Server) SyncAlways() bool {
	config := s.server.JetStreamConfig()
	return config != nil && config.SyncAlways
}

// Close ends the server, waits until its files are closed, and gives the folder back. It waits no longer than ctx.
func (s *Server) Close(ctx context.Context) error {
	if s.watch != nil {
		s.watch.end()
	}
	s.server.Shutdown()
	done := make(chan struct{})
	go func() {
		s.server.WaitForShutdown()
		close(done)
	}()
	select {
	case <-done:
		return s.lock.Release()
	case <-ctx.Done():
		return fmt.Errorf("embedded NATS is still closing its files: %w", ctx.Err())
	}
}
