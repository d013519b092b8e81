package producers_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"milepost/producers"
	"milepost/producers/internal/streamtest"
	"milepost/schemas"
)

var noon = time.Date(2025, 10, 15, 12, 0, 0, 0, schemas.Location)

func fixedNow() time.Time { return noon }

func publisher(t testing.TB, js jetstream.JetStream, o producers.Options) *producers.Publisher {
	t.Helper()
	check, err := schemas.NewSchemaValidator(schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	if o.Now == nil {
		o.Now = fixedNow
	}
	p, err := producers.New(js, check, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stream gives a server's stream and a publisher on it.
func stream(t testing.TB) (jetstream.JetStream, *producers.Publisher) {
	t.Helper()
	js := streamtest.Start(t).Dial(t)
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	return js, publisher(t, js, producers.Options{})
}

func progress(id string, invested int) []byte {
	return []byte(fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/offices/shanyang","type":"progress.reported.v1","subject":"P-0001","time":"2025-10-09T09:00:00+08:00","district":"shanyang","datacontenttype":"application/json","data":{"month":"2025-09","invested_ytd":%d}}`, id, invested))
}

// content reads the ids on the stream in its order.
func content(t testing.TB, js jetstream.JetStream) (ids []string, messages []*jetstream.RawStreamMsg) {
	t.Helper()
	s, err := js.Stream(t.Context(), schemas.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	check := schemas.NewValidator(schemas.DefaultRules())
	for seq := uint64(1); seq <= info.State.LastSeq; seq++ {
		msg, err := s.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		event, _, err := check.Decode(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		ids, messages = append(ids, event.ID), append(messages, msg)
	}
	return ids, messages
}

func code(r producers.Receipt) schemas.Code {
	if r.Error == nil {
		return ""
	}
	return r.Error.Code
}

func TestPublishKeepsOrderAndRefusesOnlyWhatIsWrong(t *testing.T) {
	js, p := stream(t)
	raws := [][]byte{
		progress("a", 1), []byte(`{"id":"b","source":"/x"`), progress("c", 3), progress("a", 1),
		[]byte(`{"id":"d","source":"/offices/shanyang","type":"nobody.knows.v1"}`), progress("e", 5),
	}
	receipts := p.PublishAll(t.Context(), raws, "test:甲")
	var got []string
	for _, r := range receipts {
		got = append(got, fmt.Sprintf("%s %s %d %t %s", r.Source, r.ID, r.Seq, r.Duplicate, code(r)))
	}
	want := []string{
		"/offices/shanyang a 1 false ", "  0 false malformed", "/offices/shanyang c 2 false ", "/offices/shanyang a 1 true ",
		"/offices/shanyang d 0 false " + string(receipts[4].Error.Code), "/offices/shanyang e 3 false ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("receipts\n got %q\nwant %q", got, want)
	}
	ids, messages := content(t, js)
	if !slices.Equal(ids, []string{"a", "c", "e"}) {
		t.Errorf("on the stream: %q", ids)
	}
	fingerprint, err := schemas.FingerprintOf(raws[0])
	if err != nil {
		t.Fatal(err)
	}
	first := messages[0]
	if first.Subject != "milepost.events.shanyang.P-0001.progress.reported" || first.Header.Get("Nats-Msg-Id") != fingerprint.String() || first.Header.Get(schemas.ActorHeader) != "test:甲" {
		t.Errorf("message %s %v", first.Subject, first.Header)
	}

	again := p.PublishAll(t.Context(), raws, "test:甲")
	for i, seq := range []uint64{1, 0, 2, 1, 0, 3} {
		if again[i].Seq != seq || again[i].Duplicate != (seq > 0) {
			t.Errorf("sent again, event %d: seq %d duplicate %t", i, again[i].Seq, again[i].Duplicate)
		}
	}
}

func TestPublishRefusesSystemEventsAndWarnsOfTheFuture(t *testing.T) {
	_, p := stream(t)
	future := []byte(`{"specversion":"1.0","id":"f","source":"/offices/shanyang","type":"progress.reported.v1","subject":"P-0001","time":"2025-10-17T09:00:00+08:00","district":"shanyang","data":{"month":"2025-09","invested_ytd":1}}`)
	receipts := p.PublishAll(t.Context(), [][]byte{edition(t, "x", 1).Raw, future}, "")
	if code(receipts[0]) != schemas.Forbidden {
		t.Errorf("a system event: %+v", receipts[0])
	}
	if w := receipts[1].Warnings; receipts[1].Error != nil || len(w) != 1 || w[0].Field != "time" {
		t.Errorf("an event of the future: %+v", receipts[1])
	}
}

// faultyConn breaks after a number of bytes in one of the two directions.
type faultyConn struct {
	net.Conn
	mu            sync.Mutex
	reads, writes int // bytes until it breaks; negative: never
}

func (c *faultyConn) spend(left *int, n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *left < 0 {
		return true
	}
	*left -= n
	if *left < 0 {
		*left = 0
	}
	return *left > 0
}

func (c *faultyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && !c.spend(&c.reads, n) {
		c.Conn.Close()
		return 0, errors.New("the answer is lost")
	}
	return n, err
}

func (c *faultyConn) Write(b []byte) (int, error) {
	if !c.spend(&c.writes, len(b)) {
		n, _ := c.Conn.Write(b[:len(b)/2])
		c.Conn.Close()
		return n, errors.New("the line is cut")
	}
	return c.Conn.Write(b)
}

// faultyDialer hands out connections that break as told; then sound ones.
type faultyDialer struct {
	mu     sync.Mutex
	faults []fault
}

type fault struct {
	answers bool
	after   int
}

func (d *faultyDialer) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	c := &faultyConn{Conn: conn, reads: -1, writes: -1}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.faults) > 0 {
		if d.faults[0].answers {
			c.reads = d.faults[0].after
		} else {
			c.writes = d.faults[0].after
		}
		d.faults = d.faults[1:]
	}
	return c, nil
}

// Order on the stream is the order of the file and nothing is there twice,
// whatever connections do: bytes cut off on their way there, and
// acknowledgements lost on their way back.
func TestOrderSurvivesFaults(t *testing.T) {
	server := streamtest.Start(t)
	plain := server.Dial(t)
	run := 0
	// Each case waits for real time-outs: few, but new ones in every run.
	if err := flag.Set("rapid.checks", "20"); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		run++
		if err := plain.DeleteStream(t.Context(), schemas.StreamName); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			rt.Fatal(err)
		}
		if err := producers.EnsureStream(t.Context(), plain, producers.StreamConfig{}); err != nil {
			rt.Fatal(err)
		}
		dialer := &faultyDialer{}
		for range rapid.IntRange(0, 3).Draw(rt, "faults") {
			// A connection begins with about 500 bytes of greeting each way.
			dialer.faults = append(dialer.faults, fault{rapid.Bool().Draw(rt, "answers"), rapid.IntRange(1000, 40_000).Draw(rt, "after")})
		}
		conn, err := nats.Connect(plain.Conn().ConnectedUrl(), nats.SetCustomDialer(dialer), nats.MaxReconnects(-1), nats.ReconnectWait(time.Millisecond), nats.ReconnectJitter(0, 0))
		if err != nil {
			rt.Fatal(err)
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			rt.Fatal(err)
		}
		p := publisher(t, js, producers.Options{Window: rapid.IntRange(1, 40).Draw(rt, "window"), AckTimeout: 100 * time.Millisecond})
		count := rapid.IntRange(1, 100).Draw(rt, "count")
		var raws [][]byte
		var want []string
		for i := range count {
			id := fmt.Sprintf("r%d-%d", run, i)
			raws, want = append(raws, progress(id, i)), append(want, id)
		}
		var last uint64
		for i, r := range p.PublishAll(t.Context(), raws, "") {
			if r.Error != nil || r.Seq <= last {
				rt.Fatalf("receipt %d: seq %d after %d, error %v", i, r.Seq, last, r.Error)
			}
			last = r.Seq
		}
		// What a closed connection of an earlier case still had on its way may
		// arrive on the stream of this one.
		ids, _ := content(t, plain)
		ids = slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, fmt.Sprintf("r%d-", run)) })
		if !slices.Equal(ids, want) {
			rt.Fatalf("on the stream: %q", ids)
		}
	})
}

func TestAwayServerIsToldInTheReceipts(t *testing.T) {
	server := streamtest.Start(t)
	js := server.Dial(t)
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	p := publisher(t, js, producers.Options{Window: 2, AckTimeout: 50 * time.Millisecond, GiveUp: 200 * time.Millisecond})
	if r := p.PublishAll(t.Context(), [][]byte{progress("a", 1)}, ""); r[0].Error != nil {
		t.Fatal(r[0].Error)
	}
	server.Stop()
	raws := [][]byte{progress("a", 1), progress("b", 2), []byte("{"), progress("c", 3), progress("d", 4)}
	var got []schemas.Code
	for _, r := range p.PublishAll(t.Context(), raws, "") {
		got = append(got, code(r))
	}
	away := schemas.Unavailable
	if !slices.Equal(got, []schemas.Code{away, away, schemas.Malformed, away, away}) {
		t.Errorf("codes %q", got)
	}
	server.Restart(t)
	for i, r := range publisher(t, server.Dial(t), producers.Options{}).PublishAll(t.Context(), raws, "") {
		if (r.Error != nil) != (i == 2) {
			t.Errorf("after the server came back, event %d: %v", i, r.Error)
		}
	}
	if ids, _ := content(t, server.Dial(t)); !slices.Equal(ids, []string{"a", "b", "c", "d"}) {
		t.Errorf("on the stream: %q", ids)
	}
}

func TestCallerThatGivesUpIsToldWhatIsNotThere(t *testing.T) {
	js, p := stream(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range p.PublishAll(ctx, [][]byte{progress("a", 1), progress("b", 2)}, "") {
		if code(r) != schemas.Unavailable {
			t.Errorf("receipt %+v", r)
		}
	}
	for _, r := range p.PublishAll(t.Context(), [][]byte{progress("a", 1), progress("b", 2)}, "") {
		if r.Error != nil {
			t.Errorf("sent again: %v", r.Error)
		}
	}
	if ids, _ := content(t, js); !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("on the stream: %q", ids)
	}
}

func TestEnsureStreamKeepsWhatAnAdministratorChose(t *testing.T) {
	js := streamtest.Start(t).Dial(t)
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: schemas.StreamName, Subjects: []string{schemas.StreamSubjects}, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, denyPurge := range []bool{true, false} { // what NATS cannot take back stays
		if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{Duplicates: time.Minute, DenyPurge: denyPurge}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := js.Stream(t.Context(), schemas.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	c := s.CachedInfo().Config
	if c.MaxBytes != 1<<30 || !c.DenyDelete || !c.DenyPurge || !c.AllowAtomicPublish || c.Duplicates != time.Minute || c.Storage != jetstream.FileStorage || int(c.MaxMsgSize) <= schemas.MaxEventBytes {
		t.Errorf("stream %+v", c)
	}
}
