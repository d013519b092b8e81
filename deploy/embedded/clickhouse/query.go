package clickhouse

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// serveQuery answers a request to /.
func (s *Server) serveQuery(w http.ResponseWriter, r *http.Request) {
	out := s.newResponder(w, r)
	defer out.release()
	out.request = &request{}
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD, POST")
		out.fail(exceptionf(codeNotImplemented, "Method %s is not supported; hint: use GET or POST", r.Method))
		return
	}
	body := &timedBody{body: r.Body, control: out.control, timeout: s.config.BodyTimeout}
	r.Body = body
	q, err := s.parseRequest(r)
	if q != nil {
		out.request = q
	}
	if err == nil {
		err = s.answer(r.Context(), q, out, r.Method)
	}
	if err != nil && out.failed == nil {
		out.fail(asException(err))
	}
}

func asException(err error) *Exception {
	var exception *Exception
	if errors.As(err, &exception) {
		return exception
	}
	return exceptionf(codeUnknown, "%w", err)
}

// answer runs what the request asks for.
func (s *Server) answer(ctx context.Context, q *request, out *responder, method string) error {
	if q.query != "" {
		q.query += "\n" // ClickHouse puts one between the URL's part and the body's
	}
	// An INSERT in the URL needs nothing of the body before it begins.
	head, insert := parseInsert(q.query)
	text := q.query
	if !insert {
		prefix, err := readPrefix(q.body, maxReaderStatement)
		if err != nil {
			return err
		}
		text += string(prefix)
		head, insert = parseInsert(text)
	}
	if text == "" {
		out.commonHeaders().Set("Content-Type", "text/html; charset=UTF-8")
		_, err := io.WriteString(out.http, "Ok.\n")
		return err
	}
	if insert && !q.writer {
		return refuse("", "INSERT")
	}
	if err := s.begin(q.queryID); err != nil {
		return err
	}
	defer s.finish(q.queryID)
	if insert {
		return s.answerInsert(ctx, q, out, head, text[head.data:])
	}
	limit := maxReaderStatement + 1 // one more, for the check to refuse what is longer
	if q.writer {
		limit = maxWriterStatement
	}
	text, err := q.statementText([]byte(text), limit)
	if err != nil {
		return err
	}
	st := parseStatement(text)
	if isHello(q, st) {
		out.start("Native")
		return errors.Join(s.writeHello(q, out), out.finish(summary{}))
	}
	return s.answerStatement(ctx, q, out, st)
}

// readPrefix reads up to limit bytes, or the whole body when it is shorter.
func readPrefix(body io.Reader, limit int) ([]byte, error) {
	prefix, err := io.ReadAll(io.LimitReader(body, int64(limit)))
	if err != nil {
		return nil, readError(err)
	}
	return prefix, nil
}

// begin refuses a query id that runs already.
func (s *Server) begin(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] {
		return exceptionf(codeQueryIDRunning, "Query with id = %s is already running", id)
	}
	s.running[id] = true
	return nil
}

func (s *Server) finish(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, id)
}

func (s *Server) answerInsert(ctx context.Context, q *request, out *responder, head insertHead, rest string) error {
	return s.withConnection(ctx, q, true, func(c *connection) error {
		sum, err := s.runInsert(ctx, c, head, rest, q.body, q.params)
		if err != nil {
			return err
		}
		return out.finish(sum)
	})
}

func (s *Server) answerStatement(ctx context.Context, q *request, out *responder, st statement) error {
	if !q.writer {
		if err := s.check(ctx, q, st.text); err != nil {
			return err
		}
	}
	attempt := func() error {
		return s.withConnection(ctx, q, !st.changesSession, func(c *connection) error {
			if !q.writer && !c.readsOnly(st.text) {
				return refuse("", "what is not one statement that only reads")
			}
			return s.runStatement(ctx, c, q, out, st)
		})
	}
	err := attempt()
	for range maxRetries {
		var exception *Exception
		if err == nil || st.kind != kindSelect || out.sent || out.failed != nil || s.config.Retry == nil ||
			!errors.As(err, &exception) || !s.config.Retry(ctx, exception.Error()) {
			return err
		}
		out.reset()
		err = attempt()
	}
	return err
}

// maxRetries bounds how many things that a statement finds missing, one after the other, the host makes for it.
const maxRetries = 8

// check holds a reader's statement against ReaderCheck; views are looked up only when something is called like one.
func (s *Server) check(ctx context.Context, q *request, sql string) error {
	known := map[[2]string]bool{}
	var lookup error
	err := ReaderCheck{Params: q.params, IsView: func(database, name string) bool {
		view := [2]string{firstOf(database, q.database, "default"), name}
		if !known[view] {
			known[view], lookup = s.isView(ctx, view[0], view[1])
		}
		return known[view]
	}}.Check(sql)
	if lookup != nil { // it made the check refuse
		return lookup
	}
	return err
}

func (s *Server) isView(ctx context.Context, database, name string) (bool, error) {
	c, err := s.readers.acquire(ctx, profile{})
	if err != nil {
		return false, err
	}
	data, _, err := c.run("SELECT count() FROM system.tables WHERE database = {database:String} AND name = {name:String} AND engine = 'View'", "TabSeparated",
		map[string]string{"database": escapeParameter(database), "name": escapeParameter(name)})
	s.readers.release(c, err == nil)
	return string(data) == "1\n", err
}

// runStatement runs a statement that carries no data.
func (s *Server) runStatement(ctx context.Context, c *connection, q *request, out *responder, st statement) error {
	format := firstOf(st.format, q.format)
	out.start(format)
	if st.kind == kindSelect {
		sum, err := s.runSelect(ctx, c, st, format, q.params, out)
		if err != nil {
			return err
		}
		return out.finish(sum)
	}
	stop := s.killWhenDone(ctx, c)
	data, sum, err := c.run(st.text, format, q.params)
	stop()
	if err != nil {
		return err
	}
	if _, err := out.Write(data); err != nil {
		return err
	}
	return out.finish(sum)
}

// withConnection runs do on a connection that is set up for the request. reusable says that do leaves the connection's
// session as it is.
func (s *Server) withConnection(ctx context.Context, q *request, reusable bool, do func(*connection) error) error {
	want := profile{database: q.database, settings: q.settings}
	from := s.writers
	if !q.writer {
		var err error
		if want, err = readerProfile(q.database, q.settings, s.config.ReaderLimits); err != nil {
			return err
		}
		from = s.readers
	}
	if q.sessionID != "" {
		timeout, err := sessionTimeout(q)
		if err != nil {
			return err
		}
		used, err := s.sessions.take(q)
		if err != nil {
			return err
		}
		defer s.sessions.give(q, used, timeout)
		if q.writer {
			return s.inSession(ctx, used, want, do)
		}
	}
	c, err := from.acquire(ctx, want)
	if err != nil {
		return err
	}
	clean := false
	defer func() { from.release(c, clean) }()
	err = do(c)
	clean = err == nil && reusable
	return err
}

// inSession runs do on a session's own connection.
func (s *Server) inSession(ctx context.Context, used *session, want profile, do func(*connection) error) error {
	select {
	case s.writers.slots <- struct{}{}:
		defer func() { <-s.writers.slots }()
	case <-ctx.Done():
		return exceptionf(codeAborted, "The statement was given up while it waited for its turn: %w", context.Cause(ctx))
	}
	if used.connection == nil {
		c, err := s.engine.open(profile{})
		if err != nil {
			return err
		}
		used.connection = c
	}
	c := used.connection
	undo, err := c.withSettings(want)
	if err == nil {
		err = do(c)
	}
	if err != nil {
		// What a failed statement left in the connection's output goes with this one's.
		_, _, _ = c.run("SELECT 1", "Null", nil)
	}
	if undoErr := undo(); undoErr != nil {
		s.config.Log.Error("a session's settings could not be set back", "error", undoErr)
	}
	return err
}

// timedBody gives every piece of a request's body a time to come in.
type timedBody struct {
	body    io.ReadCloser
	control *http.ResponseController
	timeout time.Duration
}

func (b *timedBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.timeout)) // a ResponseWriter without deadlines has none to keep
	n, err := b.body.Read(p)
	if err != nil {
		// The connection is read on while the statement runs, to see whether the client goes away.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (b *timedBody) Close() error { return b.body.Close() }
