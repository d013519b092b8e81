package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// profile is what a connection is set up with before a statement: the database and the settings, the reader's limits
// among them.
type profile struct {
	database string
	settings []setting // in the order in which they are set
}

func (p profile) key() string {
	var b strings.Builder
	b.WriteString(quoteName(p.database))
	for _, s := range p.settings {
		b.WriteString(";" + quoteName(s.name) + "=" + quoteText(s.value))
	}
	return b.String()
}

// pool gives out engine connections, at most size at once. An idle connection is used again for the same profile
// only: opening a connection takes about a millisecond and its first statement a few more, undoing settings more.
type pool struct {
	engine  *engine
	slots   chan struct{}
	waiting chan struct{}

	mu     sync.Mutex
	idle   []*connection // the longest idle first
	closed bool
}

func newPool(e *engine, size int) *pool {
	return &pool{engine: e, slots: make(chan struct{}, size), waiting: make(chan struct{}, 16*size)}
}

// acquire waits for a connection of the profile. The caller gives it back by release.
func (p *pool) acquire(ctx context.Context, want profile) (*connection, error) {
	select {
	case p.waiting <- struct{}{}:
	default:
		return nil, exceptionf(codeTooManyQueries, "Too many simultaneous queries: %d run and %d wait", cap(p.slots), cap(p.waiting))
	}
	select {
	case p.slots <- struct{}{}:
		<-p.waiting
	case <-ctx.Done():
		<-p.waiting
		return nil, exceptionf(codeAborted, "The statement was given up while it waited for its turn: %w", context.Cause(ctx))
	}
	c, err := p.take(want)
	if err != nil {
		<-p.slots
	}
	return c, err
}

func (p *pool) take(want profile) (*connection, error) {
	key := want.key()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, exceptionf(codeAborted, "The server is closing")
	}
	for i, c := range p.idle {
		if c.profile == key {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.mu.Unlock()
			return c, nil
		}
	}
	p.mu.Unlock()
	return p.engine.open(want)
}

// release gives a connection back. One that is not clean (its statement failed, or changed the session) is closed.
func (p *pool) release(c *connection, clean bool) {
	p.mu.Lock()
	var surplus *connection
	switch {
	case !clean || p.closed:
		surplus = c
	default:
		p.idle = append(p.idle, c)
		if len(p.idle) > cap(p.slots) {
			surplus, p.idle = p.idle[0], p.idle[1:]
		}
	}
	p.mu.Unlock()
	if surplus != nil {
		surplus.close()
	}
	<-p.slots
}

// close closes the idle connections; those in use are closed when they come back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.close()
	}
	p.idle = nil
}

// engine opens connections to the data folder and ends statements.
type engine struct {
	library *library
	dir     string
	version string

	mu      sync.Mutex
	opened  uint64
	control *connection // keeps the engine up while no other connection is open, and kills statements
}

func newEngine(l *library, dir string) (*engine, error) {
	e := &engine{library: l, dir: dir}
	e.control = openConnection(l, dir, "milepost-control")
	if e.control == nil {
		return nil, fmt.Errorf("embedded ClickHouse did not open %s: the folder is damaged or not writable, or this process already runs an engine on another folder; "+
			"hint: close the other one first, check the folder's owner and free space", dir)
	}
	version, _, err := e.control.run("SELECT version()", "TabSeparatedRaw", nil)
	if err != nil {
		e.control.close()
		return nil, fmt.Errorf("embedded ClickHouse: %w", err)
	}
	e.version = strings.TrimSpace(string(version))
	return e, nil
}

// open opens a connection and sets it up.
func (e *engine) open(want profile) (*connection, error) {
	e.mu.Lock()
	e.opened++
	mark := fmt.Sprintf("milepost-%d", e.opened)
	e.mu.Unlock()
	c := openConnection(e.library, e.dir, mark)
	if c == nil {
		return nil, exceptionf(codeUnknown, "The engine opened no connection")
	}
	if err := c.setUp(want); err != nil {
		c.close()
		return nil, err
	}
	c.profile = want.key()
	return c, nil
}

func (c *connection) setUp(want profile) error {
	if want.database != "" {
		if _, _, err := c.run("USE "+quoteName(want.database), "Null", nil); err != nil {
			return err
		}
	}
	settings := make([]setting, len(want.settings))
	for i, s := range want.settings {
		if s.name == "log_comment" { // the mark stays in front of the user's comment
			s.value = c.mark + " " + s.value
		}
		settings[i] = s
	}
	if len(settings) == 0 {
		return nil
	}
	_, _, err := c.run(setStatement(settings), "Null", nil)
	return err
}

// kill asks the engine to end what runs on the connection. The statement may not have begun yet: ask again until it ended.
func (e *engine) kill(c *connection) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	mark := quoteText(c.mark)
	_, _, err := e.control.run("KILL QUERY WHERE Settings['log_comment'] = "+mark+" OR startsWith(Settings['log_comment'], concat("+mark+", ' ')) ASYNC", "Null", nil)
	return err
}
