// Package nats runs a NATS server with JetStream on files inside this process. Clients dial it like any other server.
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

	"milepost/deploy/embedded/dirlock"
)

// Config says how to run the server.
type Config struct {
	// Dir is the folder of the streams; it is made when missing and belongs to one process at a time.
	Dir string
	// Listen is the client address, by default "127.0.0.1:0" (a free port; see Server.URL).
	Listen string
	// SyncAlways makes every stored message reach the disk before its publisher hears of it. It costs much and is
	// what a machine without a second copy of the stream wants.
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

// Server is a running NATS server.
type Server struct {
	server *server.Server
	lock   *dirlock.Lock
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
	return &Server{server: s, lock: lock}, nil
}

func start(c Config, host string, port int) (*server.Server, error) {
	options := &server.Options{
		ServerName:             "milepost",
		Host:                   host,
		Port:                   port,
		NoSigs:                 true,
		NoLog:                  c.Log == nil,
		MaxPayload:             maxPayload,
		MaxConn:                maxConnections,
		JetStream:              true,
		StoreDir:               filepath.Join(c.Dir, "jetstream"),
		JetStreamMaxMemory:     maxMemoryStore,
		JetStreamMaxStore:      c.MaxStoreBytes,
		SyncAlways:             c.SyncAlways,
		DisableJetStreamBanner: true,
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
	return s, nil
}

// listenAddress splits the address and checks that it can be had, because the server itself only logs that it cannot.
func listenAddress(address string) (host string, port int, err error) {
	if address == "" {
		address = "127.0.0.1:0"
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

// URL is where clients dial, such as nats://127.0.0.1:4222.
func (s *Server) URL() string { return s.server.ClientURL() }

// Close ends the server, waits until its files are closed, and gives the folder back. It waits no longer than ctx.
func (s *Server) Close(ctx context.Context) error {
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
