package nats_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/nats"
	"milepost/deploy/embedded/nats/authority"
)

var eventStream = jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"events.>"}, Storage: jetstream.FileStorage}

// office may publish on the subjects of one office, and hear answers.
var office = authority.Grant{Name: "east", Publish: []string{"events.east.*.report"}, Never: []string{"events.*._office.>"}, Inbox: "_INBOX.east"}

func openAuthority(t *testing.T, dir string) *authority.Authority {
	t.Helper()
	a, err := authority.Open(filepath.Join(dir, "keys"), "events.>", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// issue gives the credentials of a grant as an option of a client.
func issue(t *testing.T, a *authority.Authority, g authority.Grant, expires time.Time) (id string, option natsgo.Option) {
	t.Helper()
	c, err := a.Issue(g, expires)
	if err != nil {
		t.Fatal(err)
	}
	return c.ID, natsgo.UserCredentialBytes(c.File)
}

// guarded runs a server that knows its clients, with the stream.
func guarded(t *testing.T) (*nats.Server, *authority.Authority) {
	t.Helper()
	dir := t.TempDir()
	a := openAuthority(t, dir)
	s := start(t, nats.Config{Dir: dir, Listen: freePort, Authority: a})
	t.Cleanup(func() { stop(t, s) })
	js := own(t, s)
	if _, err := js.CreateStream(t.Context(), eventStream); err != nil {
		t.Fatal(err)
	}
	return s, a
}

// own is the process's own way to the streams.
func own(t *testing.T, s *nats.Server) jetstream.JetStream {
	t.Helper()
	conn, err := s.Connect()
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

func TestListensOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, nats.Config{Dir: dir, Authority: openAuthority(t, dir)})
	defer stop(t, s)
	if s.URL() != "" {
		t.Errorf("it listens on %s", s.URL())
	}
	if _, err := own(t, s).CreateStream(t.Context(), eventStream); err != nil {
		t.Error(err)
	}
}

func TestOnlyThoseWithCredentialsComeIn(t *testing.T) {
	t.Parallel()
	s, a := guarded(t)
	other := openAuthority(t, t.TempDir())
	_, foreign := issue(t, other, office, time.Time{})
	_, expired := issue(t, a, office, time.Now().Add(-time.Minute))
	for name, options := range map[string][]natsgo.Option{
		"nobody": nil, "a password": {natsgo.UserInfo("milepost", "milepost")}, "another authority's": {foreign}, "expired": {expired},
	} {
		if conn, err := natsgo.Connect(s.URL(), options...); !errors.Is(err, natsgo.ErrAuthorization) {
			t.Errorf("%s: %v", name, err)
			conn.Close()
		}
	}
	roles, err := a.Roles()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := natsgo.Connect(s.URL(), natsgo.UserCredentialBytes(roles))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "events.west.P-1.report", []byte("{}")); err != nil {
		t.Error(err)
	}
}

func TestGrantBoundsAClient(t *testing.T) {
	t.Parallel()
	s, a := guarded(t)
	_, option := issue(t, a, office, time.Now().Add(time.Hour))
	refused := make(chan error, 16)
	conn, err := natsgo.Connect(s.URL(), option, natsgo.CustomInboxPrefix(office.Inbox), natsgo.ErrorHandler(func(_ *natsgo.Conn, _ *natsgo.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if ack, err := js.Publish(t.Context(), "events.east.P-1.report", []byte("{}")); err != nil || ack.Sequence != 1 {
		t.Errorf("its own subject: %v %v", ack, err)
	}
	for _, subject := range []string{
		"events.west.P-1.report", "events.east._office.report", "events.east.P-1.suspend", "events.east.P-1.report.more",
		"$JS.API.STREAM.INFO.EVENTS", "$JS.API.CONSUMER.CREATE.EVENTS", "$JS.API.STREAM.MSG.GET.EVENTS", "$JS.ACK.x", "$SYS.REQ.SERVER.PING", "_INBOX.west.x",
	} {
		if err := errors.Join(conn.Publish(subject, []byte("{}")), conn.Flush()); err != nil {
			t.Fatal(err)
		}
		expectRefusal(t, refused, `Publish to "`+subject+`"`)
	}
	for _, subject := range []string{"events.>", "events.east.>", "_INBOX.>", "_INBOX.*.>", ">", "$SYS.>"} {
		if _, err := conn.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		if err := conn.Flush(); err != nil {
			t.Fatal(err)
		}
		expectRefusal(t, refused, `Subscription to "`+subject+`"`)
	}
	stream, err := own(t, s).Stream(t.Context(), "EVENTS")
	if err != nil || stream.CachedInfo().State.Msgs != 1 {
		t.Errorf("the stream: %+v %v", stream.CachedInfo().State, err)
	}
}

func expectRefusal(t *testing.T, refused <-chan error, what string) {
	t.Helper()
	select {
	case err := <-refused:
		if !errors.Is(err, natsgo.ErrPermissionViolation) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("%s was not refused", what)
	}
}

func TestRevokedWhileConnected(t *testing.T) {
	t.Parallel()
	s, a := guarded(t)
	id, option := issue(t, a, office, time.Time{})
	_, stays := issue(t, a, office, time.Time{})
	closed := make(chan struct{})
	conn, err := natsgo.Connect(s.URL(), option, natsgo.NoReconnect(), natsgo.ClosedHandler(func(*natsgo.Conn) { close(closed) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	other, err := natsgo.Connect(s.URL(), stays)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := a.Revoke("UNKNOWN"); !errors.Is(err, authority.ErrUnknown) {
		t.Errorf("an unknown id: %v", err)
	}
	if err := a.Revoke(id); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Fatal("the connection stays")
	}
	if _, err := natsgo.Connect(s.URL(), option); !errors.Is(err, natsgo.ErrAuthorization) {
		t.Errorf("it comes in again: %v", err)
	}
	if err := other.Flush(); err != nil {
		t.Errorf("the other one: %v", err)
	}
	issued, err := a.Issued()
	if err != nil || len(issued) != 2 || issued[0].Revoked == nil || issued[1].Revoked != nil {
		t.Errorf("issued: %+v %v", issued, err)
	}
}

// TestAnswersGoNowhereElse has the acknowledgement of an event sent to subjects that the client may not publish on: of
// another office's events, of another stream, and of the server's own interface.
func TestAnswersGoNowhereElse(t *testing.T) {
	t.Parallel()
	s, a := guarded(t)
	js := own(t, s)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "SECRETS", Subjects: []string{"$KV.secrets.>", "secrets.>"}}); err != nil {
		t.Fatal(err)
	}
	_, option := issue(t, a, office, time.Time{})
	conn, err := natsgo.Connect(s.URL(), option, natsgo.CustomInboxPrefix(office.Inbox))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	targets := []string{"$KV.secrets.key", "secrets.key", "events.west.P-9.report", "$JS.API.STREAM.PURGE.SECRETS"}
	for _, target := range targets {
		if err := conn.PublishRequest("events.east.P-1.report", target, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	// An acknowledgement is sent after those before it, and what it caused is stored before what comes then.
	client, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Publish(t.Context(), "events.east.P-1.report", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string]uint64{"events.own": uint64(len(targets)) + 2, "secrets.own": 1} {
		if ack, err := js.Publish(t.Context(), subject, []byte("{}")); err != nil || ack.Sequence != want {
			t.Errorf("%s: %+v, want sequence %d, %v", subject, ack, want, err)
		}
	}
}

// TestStreamsOfBeforeAreAdopted starts a server with an authority on the folder
// of one that had none.
func TestStreamsOfBeforeAreAdopted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, nats.Config{Dir: dir})
	js := own(t, s)
	stream, err := js.CreateStream(t.Context(), eventStream)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := js.Publish(t.Context(), "events.x", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	consumer, err := stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "reader", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	message, err := consumer.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := message.DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, s)

	for range 2 { // the second start finds everything where it is
		s = start(t, nats.Config{Dir: dir, Authority: openAuthority(t, dir)})
		js = own(t, s)
		info, err := js.Stream(t.Context(), "EVENTS")
		if err != nil || info.CachedInfo().State.Msgs != 5 {
			t.Fatalf("the stream: %v", err)
		}
		kept, err := info.Consumer(t.Context(), "reader")
		if err != nil || kept.CachedInfo().AckFloor.Stream != 1 {
			t.Fatalf("the consumer: %v", err)
		}
		stop(t, s)
	}
}

func TestKeysAreOfTheUserOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var keys []string
	for range 2 {
		key, err := openAuthority(t, dir).Account()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if keys[0] != keys[1] {
		t.Error("opened again, the account is another")
	}
	err := filepath.WalkDir(filepath.Join(dir, "keys"), func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
