package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"milepost/deploy/embedded/dirlock"
)

const (
	displayName = "milepost"
	timezone    = "UTC"

	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxRequests   = 512
	// killTimeout is how long Close waits for statements that it ended.
	killTimeout = 20 * time.Second
)

// Server is a running engine with its HTTP interface.
type Server struct {
	config    Config
	engine    *engine
	writers   *pool
	readers   *pool
	sessions  *sessions
	lock      *dirlock.Lock
	temporary string

	listener net.Listener
	http     *http.Server
	requests chan struct{}
	active   sync.WaitGroup
	ended    chan struct{} // closed when Serve returned
	stop     context.CancelCauseFunc

	mu      sync.Mutex
	running map[string]bool // query ids
}

// Start opens the engine on c.Dir and serves it. ctx bounds starting only.
//
// The engine is one per process: while a server runs, a second Start in the same process fails, whatever its folder.
// After Close, Start works again in the same process, with the same folder or another one. A folder that another
// process holds is an error that wraps dirlock.ErrHeld and names that process.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("embedded ClickHouse: %w", err)
	}
	c.Dir = dir
	lock, err := dirlock.Acquire(dir)
	if err != nil {
		return nil, fmt.Errorf("embedded ClickHouse: %w", err)
	}
	s := &Server{config: c, lock: lock, running: map[string]bool{}, ended: make(chan struct{}), requests: make(chan struct{}, maxRequests)}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	var listen net.ListenConfig
	var err error
	s.listener, err = listen.Listen(ctx, "tcp", s.config.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("embedded ClickHouse: address %s is taken by another program; hint: choose another one, or port 0 for a free one: %w", s.config.Listen, err)
	}
	if err != nil {
		return fmt.Errorf("embedded ClickHouse: cannot listen on %q: %w", s.config.Listen, err)
	}
	if err := s.openEngine(ctx); err != nil {
		return errors.Join(err, s.listener.Close())
	}
	base, stop := context.WithCancelCause(context.Background())
	s.stop = stop
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxURLBytes,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	go func() {
		defer close(s.ended)
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Error("the ClickHouse interface stopped listening", "error", err)
		}
	}()
	return nil
}

func (s *Server) openEngine(ctx context.Context) error {
	s.temporary = filepath.Join(s.config.Dir, "responses")
	if err := os.RemoveAll(s.temporary); err != nil {
		return fmt.Errorf("embedded ClickHouse: %w", err)
	}
	if err := os.MkdirAll(s.temporary, 0o750); err != nil {
		return fmt.Errorf("embedded ClickHouse: %w", err)
	}
	l, err := loadLibrary(s.config.Library)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("embedded ClickHouse: %w", err)
	}
	if s.engine, err = newEngine(l, filepath.Join(s.config.Dir, "engine")); err != nil {
		return err
	}
	s.writers = newPool(s.engine, s.config.WriterConnections)
	s.readers = newPool(s.engine, s.config.ReaderConnections)
	s.sessions = newSessions(s.config.Now, s.config.MaxSessions)
	return nil
}

// Addr is the address of the HTTP interface, such as 127.0.0.1:8123.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the HTTP interface's address as readers use it, such as http://127.0.0.1:8123.
func (s *Server) URL() string { return "http://" + s.Addr() }

// WriterDSN is the writer's address for clickhouse-go, database default. It carries the password: never log it.
func (s *Server) WriterDSN() string {
	u := url.URL{Scheme: "http", User: url.UserPassword(s.config.WriterUser, s.config.WriterPassword), Host: s.Addr(), Path: "/default"}
	return u.String()
}

// ReaderDSN is a reader's address for clickhouse-go, database default. It carries the readers' password when there is one.
func (s *Server) ReaderDSN() string {
	u := url.URL{Scheme: "http", Host: s.Addr(), Path: "/default"}
	if s.config.ReaderPassword != "" {
		u.User = url.UserPassword(AnalystUser, s.config.ReaderPassword)
	}
	return u.String()
}

func (s *Server) version() string { return s.engine.version }

// Close ends the server: it takes no new requests, lets what runs finish until ctx is done, ends what still runs then,
// closes the engine and gives the folder back.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	if err := s.http.Shutdown(ctx); err != nil {
		s.stop(errors.New("the server is closing"))
		errs = append(errs, fmt.Errorf("embedded ClickHouse: statements that still ran were ended: %w", err), s.http.Close())
	}
	<-s.ended
	idle := make(chan struct{})
	go func() {
		s.active.Wait()
		close(idle)
	}()
	timer := time.NewTimer(killTimeout)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
		// Closing connections under a running statement would crash the process.
		return errors.Join(append(errs, errors.New("embedded ClickHouse: a statement does not end; the data folder stays locked until the process ends"))...)
	}
	s.stop(errors.New("the server is closed"))
	s.sessions.closeAll()
	s.writers.close()
	s.readers.close()
	s.engine.control.close()
	return errors.Join(append(errs, s.lock.Release())...)
}

// serve is the HTTP interface.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.active.Add(1)
	defer s.active.Done()
	select {
	case s.requests <- struct{}{}:
		defer func() { <-s.requests }()
	default:
		s.newResponder(w, r).fail(exceptionf(codeTooManyQueries, "Too many requests at once"))
		return
	}
	switch r.URL.Path {
	case "/", "":
		s.serveQuery(w, r)
	case "/ping", "/replicas_status":
		s.newResponder(w, r).commonHeaders().Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = io.WriteString(w, "Ok.\n") // the client may be gone: nobody to tell
	default:
		s.newResponder(w, r).commonHeaders().Set("Content-Type", "text/plain; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(w, "There is no handle %s\n\nUse / or /ping for health checks.\n\nSend queries from your program with POST method or GET /?query=...\n", r.URL.Path)
	}
}
