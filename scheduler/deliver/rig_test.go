package deliver

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/enginetest"
	"milepost/schemas"
)

// clock is the time of a test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 12, 9, 0, 0, 0, schemas.Location)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// press is what was published.
type press struct {
	mu       sync.Mutex
	editions []Edition
}

func (p *press) publish(c *clock, kind, period string, number int) Edition {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := Edition{ID: "bulletin-" + period, Kind: kind, Period: period, Number: number, Title: "全市重大项目建设进展情况通报(" + period + ")", PublishedAt: c.now()}
	p.editions = append(p.editions, e)
	return e
}

func (p *press) withdraw(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.editions {
		if p.editions[i].ID == id {
			p.editions[i].Withdrawn, p.editions[i].Withdrawal = true, &Withdrawal{At: p.editions[i].PublishedAt, Reason: "数据有误", Replacement: id + "-c1"}
		}
	}
}

func (p *press) Published(context.Context) ([]Edition, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Edition(nil), p.editions...), nil
}

func (p *press) Edition(ctx context.Context, id string) (Edition, error) {
	list, _ := p.Published(ctx)
	for _, e := range list {
		if e.ID == id {
			return e, nil
		}
	}
	return Edition{}, &schemas.Error{Code: schemas.NotFound, Message: "no such edition"}
}

func (p *press) Content(ctx context.Context, id, edition string, formats []string) (*Content, error) {
	e, err := p.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	content := &Content{Title: e.Title, Figures: []Figure{{"项目总数", "120 个"}, {"亮红灯", "7 个"}, {"投资完成率", "97.2 %"}}}
	for _, format := range formats {
		content.Files = append(content.Files, File{Name: "通报-" + e.Period + "-" + edition + "." + format, MediaType: "text/plain", Content: []byte("正文 " + edition + " " + format)})
	}
	return content, nil
}

// stream gives a NATS of the test's own.
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

// replica gives a courier; each has its own view of the records.
func replica(t *testing.T, js jetstream.JetStream, c *clock, p *press, change func(*Config), targets ...Target) *Courier {
	t.Helper()
	store, err := OpenStore(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Editions: p, Store: store, Targets: targets, Replica: "r1", Now: c.now, Random: func() float64 { return 0.5 }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Link: func(e Edition) string { return "https://milepost.example/" + e.ID }}
	if change != nil {
		change(&config)
	}
	courier, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return courier
}

func pass(t *testing.T, couriers ...*Courier) {
	t.Helper()
	for _, c := range couriers {
		if err := c.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// one gives the record of the edition and target.
func one(t *testing.T, c *Courier, id, target string) *Delivery {
	t.Helper()
	d, err := c.c.Store.read(t.Context(), id, target)
	if err != nil || d == nil {
		t.Fatalf("delivery of %s to %s: %v, %v", id, target, d, err)
	}
	return d
}

// sink is a target that keeps what it gets, and fails when told to.
type sink struct {
	mu    sync.Mutex
	got   []Message
	fails func(m *Message) error
}

func (s *sink) Send(_ context.Context, m *Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		if err := s.fails(m); err != nil {
			return err
		}
	}
	s.got = append(s.got, *m)
	return nil
}

func (s *sink) keys() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := map[string]int{}
	for _, m := range s.got {
		keys[m.Key]++
	}
	return keys
}

var errDown = errors.New("down")

// loopback allows the receivers of tests.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// request is what a receiver got.
type request struct {
	path   string
	query  string
	header http.Header
	body   []byte
}

// receiver is a web server that keeps requests; answer may be changed.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, n int)
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter, n int)) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, request{q.URL.Path, q.URL.RawQuery, q.Header.Clone(), body})
		r.answer(w, len(r.got))
	}))
	t.Cleanup(r.Close)
	return r
}

func says(text string) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) { fmt.Fprint(w, text) }
}

func (r *receiver) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.got...)
}

// letterbox is a mail server that keeps what it takes. It speaks STARTTLS and
// AUTH PLAIN.
type letterbox struct {
	port     int
	trust    *tls.Config // of clients
	password string

	mu    sync.Mutex
	mails []receivedMail
	// refuse gives an answer to the n-th DATA instead of taking it.
	refuse func(n int) string
	tries  int
}

type receivedMail struct {
	from    string
	to      []string
	text    string
	secured bool
	user    string
}

func newLetterbox(t *testing.T, password string) *letterbox {
	t.Helper()
	certificates := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(certificates.Close)
	roots := x509.NewCertPool()
	roots.AddCert(certificates.Certificate())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	b := &letterbox{port: listener.Addr().(*net.TCPAddr).Port, trust: &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12}, password: password}
	serving := &tls.Config{Certificates: certificates.TLS.Certificates, MinVersion: tls.VersionTLS12}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go b.serve(conn, serving)
		}
	}()
	return b
}

func (b *letterbox) serve(conn net.Conn, serving *tls.Config) {
	defer func() { conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(text string) { fmt.Fprint(conn, text+"\r\n") }
	say("220 mail.example ESMTP")
	var m receivedMail
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		word, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(word) {
		case "EHLO":
			if m.secured {
				say("250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME")
			} else {
				say("250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME")
			}
		case "STARTTLS":
			say("220 go ahead")
			secure := tls.Server(conn, serving)
			if secure.Handshake() != nil {
				return
			}
			conn, in, m.secured = secure, bufio.NewReader(secure), true
		case "AUTH":
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			parts := strings.Split(string(raw), "\x00")
			if err != nil || len(parts) != 3 || parts[2] != b.password {
				// Some servers repeat what they were told.
				say("535 wrong: " + strings.Join(parts, "/"))
				continue
			}
			m.user = parts[1]
			say("235 welcome")
		case "MAIL":
			m.from = rest
			say("250 ok")
		case "RCPT":
			m.to = append(m.to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			m.text = text.String()
			say(b.take(m))
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (b *letterbox) take(m receivedMail) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.refuse != nil {
		if answer := b.refuse(b.tries); answer != "" {
			return answer
		}
	}
	b.mails = append(b.mails, m)
	return "250 taken"
}

func (b *letterbox) all() []receivedMail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]receivedMail(nil), b.mails...)
}
