package access_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/access"
	"milepost/deploy/embedded/enginetest"
	"milepost/schemas"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 5, 9, 0, 0, 0, schemas.Location)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func stream(t *testing.T) jetstream.JetStream {
	t.Helper()
	conn, err := enginetest.NATS(t).Connect()
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

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openStore(t *testing.T, js jetstream.JetStream, c *clock) *access.Store {
	t.Helper()
	s, err := access.OpenStore(t.Context(), js, c.now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func openTrail(t *testing.T, js jetstream.JetStream, c *clock) *access.Trail {
	t.Helper()
	trail, err := access.OpenTrail(t.Context(), js, c.now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

func create(t *testing.T, s *access.Store, wish access.Wish) (access.Token, string) {
	t.Helper()
	token, text, err := s.Create(t.Context(), wish, "admin:test", []string{"shanyang", "xiuwu"})
	if err != nil {
		t.Fatal(err)
	}
	return token, text
}

// guarded is a server behind a guard.
type guarded struct {
	*httptest.Server
	clock *clock
	store *access.Store
	trail *access.Trail
	log   *bytes.Buffer
}

// guard serves next behind the rules; change may change the configuration.
func guard(t *testing.T, rules []access.Rule, next http.HandlerFunc, change func(*access.Config)) *guarded {
	t.Helper()
	js, c := stream(t), newClock()
	g := &guarded{clock: c, store: openStore(t, js, c), trail: openTrail(t, js, c), log: new(bytes.Buffer)}
	t.Cleanup(func() { _ = g.trail.Close(t.Context()) })
	config := access.Config{Tokens: g.store, Trail: g.trail, Rules: rules, LocalOnly: true, Now: c.now, Log: slog.New(slog.NewTextHandler(g.log, nil))}
	if change != nil {
		change(&config)
	}
	g.Server = httptest.NewServer(access.NewGuard(config, next))
	t.Cleanup(g.Close)
	return g
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	schemas.Error
}

// do sends a request; headers are "Name: value", and Host is one of them.
func (g *guarded) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Add(name, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func read(t *testing.T, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header}
	if response.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(text, &a.Error); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if a.Message == "" || a.Hint == "" || a.Code.Status() != a.status {
			t.Errorf("not a whole problem: %d %s", a.status, text)
		}
	}
	return a
}

// raw sends bytes as they are and gives what came back.
func (g *guarded) raw(t *testing.T, text string, thenClose bool) answer {
	t.Helper()
	conn, err := net.Dial("tcp", g.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if thenClose {
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.ReadResponse(newReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func ok(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if p := schemas.PrincipalOf(r.Context()); p != nil {
		w.Header().Set("X-Actor", p.Actor())
		w.Header().Set("X-Remote", p.Remote)
	}
	w.WriteHeader(http.StatusNoContent)
}

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
