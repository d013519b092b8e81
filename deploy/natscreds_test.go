package deploy_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// made is what nats-creds --json prints.
type made struct {
	ID      string   `json:"id"`
	File    string   `json:"file"`
	Publish []string `json:"publish"`
	Inbox   string   `json:"inbox_prefix"`
}

func makeCreds(t *testing.T, data, district string, args ...string) made {
	t.Helper()
	file := filepath.Join(t.TempDir(), district+".creds")
	r := runCommand(t, nil, append([]string{"nats-creds", "--district", district, "--out", file, "--data", data, "--json"}, args...)...)
	var m made
	if err := json.Unmarshal([]byte(r.out), &m); r.code != 0 || err != nil {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
	}
	return m
}

// officeClient is a NATS client of one district, as a stranger would write it.
type officeClient struct {
	t       *testing.T
	conn    *nats.Conn
	js      jetstream.JetStream
	refused chan error
	closed  chan struct{}
}

func connectOffice(t *testing.T, address string, m made) *officeClient {
	t.Helper()
	c := &officeClient{t: t, refused: make(chan error, 16), closed: make(chan struct{})}
	var err error
	c.conn, err = nats.Connect(address, nats.UserCredentials(m.File), nats.CustomInboxPrefix(m.Inbox), nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.refused <- err }),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.conn.Close)
	if c.js, err = jetstream.New(c.conn); err != nil {
		t.Fatal(err)
	}
	return c
}

// isRefused checks that the server said no to what was just sent, and shows its
// words.
func (c *officeClient) isRefused(what string) {
	c.t.Helper()
	if err := c.conn.Flush(); err != nil {
		c.t.Fatal(err)
	}
	select {
	case err := <-c.refused:
		if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), what) {
			c.t.Errorf("%s: %v", what, err)
		}
		c.t.Log(err)
	case <-time.After(20 * time.Second):
		c.t.Errorf("%s was not refused", what)
	}
}

// TestCredentialsOfADistrict publishes for the district with credentials of the
// command, and tries everything that they must not do.
func TestCredentialsOfADistrict(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := serve(t, "--data", data)
	credentials := makeCreds(t, data, "shanyang", "--nats", server.NATS)
	office := connectOffice(t, server.NATS, credentials)
	if r := runCommand(t, nil, "nats-creds", "--revoke", "nothing", "--data", data, "--nats", server.NATS); r.code != 1 || !strings.Contains(r.err, "no such credentials were made here") {
		t.Errorf("revoked what was never made: exit %d, %s", r.code, r.err)
	}
	acts := server.mustRun(nil, "audit")
	for _, want := range []string{"nats-creds.create", "shanyang/" + credentials.ID, "nats-creds.revoke", "operator:"} {
		if !strings.Contains(acts, want) {
			t.Errorf("the audit lacks %q:\n%s", want, acts)
		}
	}

	registered := event(map[string]any{"id": "n-1", "source": "/offices/shanyang", "district": "shanyang", "subject": "P-9001", "type": "project.registered.v1", "time": "2025-11-08T10:00:00+08:00"},
		map[string]any{"name": "企业12有限公司项目", "total_investment": 12000, "registered_on": "2025-11-01"})
	ack, err := office.js.Publish(t.Context(), "milepost.events.shanyang.P-9001.project.registered", []byte(registered))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("milepost.events.shanyang.P-9001.project.registered: stream %s, sequence %d", ack.Stream, ack.Sequence)
	for _, subject := range []string{
		"milepost.events.xiuwu.P-9001.progress.reported",          // another district
		"milepost.events.city.P-9001.progress.reported",           // the city
		"milepost.events.shanyang._office.progress.reported",      // no project
		"milepost.events.shanyang._office.adjustment.recorded",    // of the city only
		"milepost.events.shanyang.P-9001.project.suspended",       // of the city only
		"milepost.events.shanyang.P-9001.project.cancelled",       // of the city only
		"milepost.events.shanyang._month-2025.bulletin.published", // of the system only
		"$JS.API.STREAM.INFO.MILEPOST_EVENTS",                     // reading the stream …
		"$JS.API.STREAM.MSG.GET.MILEPOST_EVENTS",
		"$JS.API.DIRECT.GET.MILEPOST_EVENTS",
		"$JS.API.CONSUMER.CREATE.MILEPOST_EVENTS",
		"$JS.API.CONSUMER.MSG.NEXT.MILEPOST_EVENTS.milepost",
		"$JS.API.STREAM.DELETE.MILEPOST_EVENTS", // … and worse
	} {
		if err := office.conn.Publish(subject, []byte(registered)); err != nil {
			t.Fatal(err)
		}
		office.isRefused(`Publish to "` + subject + `"`)
	}
	for _, subject := range []string{"milepost.events.>", "milepost.events.shanyang.>", "_INBOX.>", "_INBOX.*.*", ">"} {
		if _, err := office.conn.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		office.isRefused(`Subscription to "` + subject + `"`)
	}
	stream, err := server.stream().Stream(t.Context(), "MILEPOST_EVENTS")
	if err != nil || stream.CachedInfo().State.LastSeq != ack.Sequence {
		t.Errorf("the stream holds more: %v", err)
	}
	server.mustRun(strings.NewReader(""), "publish", "--wait")
	row := server.mustRun(nil, "query", "--format", "tsv", "SELECT actor, district, project_id FROM events FINAL WHERE id = 'n-1'")
	if !strings.Contains(row, "nats:shanyang\tshanyang\tP-9001") {
		t.Errorf("the warehouse says %q", row)
	}
}

// TestCredentialsRevoked ends credentials while their client is connected.
func TestCredentialsRevoked(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := serve(t, "--data", data, "--target", "engines")
	lost := makeCreds(t, data, "shanyang", "--expires", "never")
	office := connectOffice(t, server.NATS, lost)
	if r := runCommand(t, nil, "nats-creds", "--revoke", lost.ID, "--data", data); r.code != 0 || !strings.Contains(r.err, "not recorded in an audit") {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	select {
	case <-office.closed:
	case <-time.After(20 * time.Second):
		t.Error("the connection stays")
	}
	if _, err := nats.Connect(server.NATS, nats.UserCredentials(lost.File)); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("it comes in again: %v", err)
	}
	connectOffice(t, server.NATS, makeCreds(t, data, "shanyang"))
	r := runCommand(t, nil, "nats-creds", "--list", "--data", data)
	if lines := strings.Split(strings.TrimSpace(r.out), "\n"); len(lines) != 3 || strings.HasSuffix(lines[1], "-") || !strings.HasSuffix(lines[2], "-") {
		t.Errorf("the list:\n%s", r.out)
	}
}

// TestEmbeddedNATSListensOnlyWhenAsked holds the addresses that a server names.
func TestEmbeddedNATSListensOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	server := serve(t, "--nats-listen", "")
	if server.NATS != "" {
		t.Errorf("it listens on %s", server.NATS)
	}
	if receipts := server.publish(smallEvents(t, 5)); len(receipts) != 5 || receipts[4].Seq != 5 {
		t.Errorf("receipts %+v", receipts)
	}
	r := runCommand(t, nil, "serve", "--target", "engines", "--data", t.TempDir())
	if r.code != 1 || !strings.Contains(r.err, "nats_listen") {
		t.Errorf("engines for nobody: exit %d, %s", r.code, r.err)
	}
}

// TestBadWishesForCredentials gets a clear word each, and no file.
func TestBadWishesForCredentials(t *testing.T) {
	t.Parallel()
	data, folder := t.TempDir(), t.TempDir()
	file := filepath.Join(folder, "office.creds")
	notAKey := filepath.Join(data, "not-a-key")
	if err := os.WriteFile(notAKey, []byte("secret words"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"no such district":         {"--district", "nowhere", "--out", file},
		"over HTTP only":           {"--district", "city", "--out", file},
		"no such district (got *)": {"--district", "*", "--out", file},
		"no file":                  {"--district", "xiuwu"},
		"not one thing":            {},
		"not one thing to do":      {"--list", "--revoke", "X"},
		"not a time from now":      {"--district", "xiuwu", "--out", file, "--expires=-1d"},
		"no such credentials":      {"--revoke", "UABC"},
		"no seed of a key":         {"--district", "xiuwu", "--out", file, "--signing-key", notAKey},
		"cannot read the file":     {"--district", "xiuwu", "--out", file, "--signing-key", filepath.Join(folder, "none")},
	} {
		r := runCommand(t, nil, append([]string{"nats-creds", "--data", data}, args...)...)
		if r.code != 1 || !strings.Contains(r.err, want) || strings.Contains(r.err, "secret words") {
			t.Errorf("%v: exit %d, %s", args, r.code, r.err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("files that nobody asked for: %v %v", left, err)
	}
	makeOne := func() result {
		return runCommand(t, nil, "nats-creds", "--data", data, "--district", "xiuwu", "--out", file)
	}
	if r := makeOne(); r.code != 0 || !strings.Contains(r.out, "_INBOX.xiuwu") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v %v", info.Mode(), err)
	}
	if r := makeOne(); r.code != 1 || !strings.Contains(r.err, "exists") {
		t.Errorf("over a file: exit %d, %s", r.code, r.err)
	}
}

// TestCredentialsForServersOfOnesOwn signs with a key that an administrator
// handed out.
func TestCredentialsForServersOfOnesOwn(t *testing.T) {
	t.Parallel()
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	public, err := account.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	signing, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := signing.Seed()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "signing.nk")
	if err := os.WriteFile(key, append(seed, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	m := makeCreds(t, data, "xiuwu", "--signing-key", key, "--account", public)
	text, err := os.ReadFile(m.File)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseDecoratedJWT(text)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		t.Fatal(err)
	}
	if claims.IssuerAccount != public || !claims.Pub.Allow.Contains("milepost.events.xiuwu.*.progress.reported") || claims.Expires == 0 {
		t.Errorf("claims %+v", claims)
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("keys of its own were made: %v", err)
	}
}
