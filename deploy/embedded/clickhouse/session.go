package clickhouse

import (
	"strconv"
	"sync"
	"time"
)

const (
	defaultSessionTimeout = 60 * time.Second
	maxSessionTimeout     = time.Hour
)

// session is what a session_id stands for. A writer's has a connection of its own with its temporary tables and
// settings. A reader cannot make any, so a reader's only keeps its lock and its time.
type session struct {
	busy       bool
	expires    time.Time
	connection *connection
}

// sessions are the open sessions, by user and id.
type sessions struct {
	now  func() time.Time
	most int

	mu   sync.Mutex
	open map[[2]string]*session
}

func newSessions(now func() time.Time, most int) *sessions {
	return &sessions{now: now, most: most, open: map[[2]string]*session{}}
}

// take locks the request's session, and makes it unless session_check asks that it be there.
func (s *sessions) take(q *request) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	key := [2]string{q.user, q.sessionID}
	found := s.open[key]
	switch {
	case found == nil && q.sessionCheck:
		return nil, exceptionf(codeSessionNotFound, "Session %s not found", q.sessionID)
	case found == nil && len(s.open) >= s.most:
		return nil, exceptionf(codeTooManyQueries, "%d sessions are open already; hint: close some with close_session=1, or give a shorter session_timeout", s.most)
	case found == nil:
		found = &session{}
		s.open[key] = found
	case found.busy:
		return nil, exceptionf(codeSessionLocked, "Session %s is locked by a concurrent client", q.sessionID)
	}
	found.busy = true
	return found, nil
}

// give unlocks the session; its time begins anew.
func (s *sessions) give(q *request, used *session, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used.busy = false
	used.expires = s.now().Add(timeout)
	if q.closeSession {
		s.drop([2]string{q.user, q.sessionID})
	}
}

func (s *sessions) sweep() {
	now := s.now()
	for key, found := range s.open {
		if !found.busy && now.After(found.expires) {
			s.drop(key)
		}
	}
}

func (s *sessions) drop(key [2]string) {
	if c := s.open[key].connection; c != nil {
		c.close()
	}
	delete(s.open, key)
}

func (s *sessions) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.open {
		s.drop(key)
	}
}

func sessionTimeout(q *request) (time.Duration, error) {
	if q.sessionTimeout == "" {
		return defaultSessionTimeout, nil
	}
	seconds, err := strconv.Atoi(q.sessionTimeout)
	if err != nil || seconds < 0 || seconds > int(maxSessionTimeout.Seconds()) {
		return 0, exceptionf(codeInvalidTimeout, "Session timeout %q is not within 0…%d seconds", q.sessionTimeout, int(maxSessionTimeout.Seconds()))
	}
	return time.Duration(seconds) * time.Second, nil
}

// withSettings sets a request's settings on a session's connection for one statement; undo brings back what was set
// before. The database of the request counts for the statement only as well.
func (c *connection) withSettings(want profile) (undo func() error, err error) {
	undo = func() error { return nil }
	if want.database == "" && len(want.settings) == 0 {
		return undo, nil
	}
	var restore []setting
	for _, s := range want.settings {
		value, _, err := c.run("SELECT value FROM system.settings WHERE name = {name:String}", "TabSeparatedRaw", map[string]string{"name": s.name})
		if err != nil {
			return undo, err
		}
		if n := len(value); n > 0 {
			restore = append(restore, setting{s.name, string(value[:n-1])})
		}
	}
	database, _, err := c.run("SELECT currentDatabase()", "TabSeparatedRaw", nil)
	if err != nil {
		return undo, err
	}
	undo = func() error { return c.setUp(profile{database: string(database[:len(database)-1]), settings: restore}) }
	return undo, c.setUp(want)
}
