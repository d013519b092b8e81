package faults

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// streamOracle is what the warehouse must have, worked out from the stream alone.
type streamOracle struct {
	messages []message
	events   map[string]message // by identity: the delivery that counts
	counted  []message          // in the order of the stream
	distinct []uint64           // by sequence: how many identities were used up to there
	// conflicts has the first sequence of each content that does not count, by identity and fingerprint.
	conflicts map[string]uint64
	// hashes has the first sequence of every content, by the first halves of the hashes of its identity and of itself.
	hashes map[string]uint64
}

// message is one of the stream's.
type message struct {
	seq         uint64
	raw         []byte
	event       *schemas.Event
	fingerprint schemas.Fingerprint
}

// readStream reads the whole stream and folds it as the specification says (§4): the lowest sequence of an identity
// counts, other contents are conflicts.
func readStream(t *testing.T, js jetstream.JetStream) *streamOracle {
	t.Helper()
	stream := streamOf(t, js)
	last := stream.CachedInfo().State.LastSeq
	reader, err := js.OrderedConsumer(t.Context(), schemas.StreamName, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	o := &streamOracle{events: map[string]message{}, conflicts: map[string]uint64{}, hashes: map[string]uint64{}, distinct: []uint64{0}}
	validator := schemas.NewValidator(schemas.DefaultRules())
	contents := map[string]bool{}
	for uint64(len(o.messages)) < last {
		batch, err := reader.Fetch(2000, jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		for m := range batch.Messages() {
			metadata, err := m.Metadata()
			if err != nil || metadata.Sequence.Stream != uint64(len(o.messages)+1) {
				t.Fatalf("message %d of the stream is missing (%v)", len(o.messages)+1, err)
			}
			one := message{seq: metadata.Sequence.Stream, raw: m.Data()}
			if one.event, _, err = validator.Decode(m.Data()); err != nil {
				t.Fatalf("message %d: %v", one.seq, err)
			}
			if one.fingerprint, err = schemas.FingerprintOf(m.Data()); err != nil {
				t.Fatal(err)
			}
			o.messages = append(o.messages, one)
			id := one.event.EventID()
			first, used := o.events[id]
			if !used {
				o.events[id], first = one, one
				o.counted = append(o.counted, one)
			}
			content := id + " " + one.fingerprint.String()
			if one.fingerprint != first.fingerprint && !contents[content] {
				o.conflicts[content] = one.seq
			}
			if hash := sha256.Sum256([]byte(id)); !contents[content] {
				o.hashes[fmt.Sprintf("%x %x", hash[:8], one.fingerprint[:8])] = one.seq
			}
			contents[content] = true
			o.distinct = append(o.distinct, uint64(len(o.events)))
		}
	}
	return o
}

// holds checks that the stream has what was acknowledged, at the sequence that was told.
func (o *streamOracle) holds(t *testing.T, acked []acknowledged) {
	t.Helper()
	missing := 0
	for _, a := range acked {
		if a.seq == 0 || a.seq > uint64(len(o.messages)) || !bytes.Equal(o.messages[a.seq-1].raw, a.raw) {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged events are not on the stream where their receipts say", missing, len(acked))
	}
}

// storedEvent is a row of events.
type storedEvent struct {
	Seq  uint64
	Type string
	Data string
	Date string
}

// inWarehouse checks events, conflicts and dead letters against the stream, row by row.
func (o *streamOracle) inWarehouse(t *testing.T, sql driver.Conn) {
	t.Helper()
	want := make(map[string]storedEvent, len(o.events))
	for id, m := range o.events {
		want[id] = storedEvent{m.seq, string(m.event.Type), string(m.event.RawData), m.event.BusinessDate().String()}
	}
	got := make(map[string]storedEvent, len(o.events))
	each(t, sql, "SELECT concat(source, ' ', id), stream_seq, toString(type), data, toString(business_date) FROM events FINAL", func(rows driver.Rows) error {
		var id string
		var e storedEvent
		var date *string
		if err := rows.Scan(&id, &e.Seq, &e.Type, &e.Data, &date); err != nil {
			return err
		}
		if date != nil {
			e.Date = *date
		}
		if _, twice := got[id]; twice {
			t.Errorf("%s is in events twice", id)
		}
		got[id] = e
		return nil
	})
	differ(t, "events", want, got)
	hashes := make(map[string]uint64, len(o.hashes))
	each(t, sql, "SELECT lower(concat(hex(reinterpretAsFixedString(identity)), ' ', hex(reinterpretAsFixedString(fingerprint)))), stream_seq FROM content_hashes FINAL", func(rows driver.Rows) error {
		var content string
		var seq uint64
		if err := rows.Scan(&content, &seq); err != nil {
			return err
		}
		hashes[content] = seq
		return nil
	})
	differ(t, "content_hashes", o.hashes, hashes)

	// A look for the conflicts of a backlog may rest a few seconds after one that took long.
	within(patience, seldom, func() bool {
		n, ok := number(t.Context(), sql, "SELECT count() FROM conflicts")
		return ok && n >= uint64(len(o.conflicts))
	})
	conflicts := make(map[string]uint64, len(o.conflicts))
	each(t, sql, "SELECT concat(event_id, ' ', lower(hex(fingerprint))), stream_seq FROM conflicts", func(rows driver.Rows) error {
		var content string
		var seq uint64
		if err := rows.Scan(&content, &seq); err != nil {
			return err
		}
		conflicts[content] = seq
		return nil
	})
	differ(t, "conflicts", o.conflicts, conflicts)
	each(t, sql, "SELECT stream_seq, reason FROM dead_letters", func(rows driver.Rows) error {
		var seq uint64
		var reason string
		if err := rows.Scan(&seq, &reason); err != nil {
			return err
		}
		t.Errorf("message %d is a dead letter: %s", seq, reason)
		return nil
	})
}

// differ compares maps and shows no more than the first differences.
func differ[V comparable](t *testing.T, what string, want, got map[string]V) {
	t.Helper()
	missing, wrong, extra := 0, 0, 0
	var examples []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[key]
		switch {
		case !ok:
			missing++
		case g != want[key]:
			wrong++
		default:
			continue
		}
		if len(examples) < 3 {
			examples = append(examples, key+": "+gocmp.Diff(want[key], g))
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			extra++
		}
	}
	if missing+wrong+extra > 0 {
		t.Errorf("%s: of %d, %d are missing, %d are wrong, %d are too many\n%v", what, len(want), missing, wrong, extra, examples)
	}
}

// ledgers checks the ledger of days against one that is judged from the stream alone.
func (o *streamOracle) ledgers(t *testing.T, address string, days ...schemas.Date) {
	t.Helper()
	last := uint64(len(o.messages))
	for _, day := range days {
		rows := o.judge(t, day)
		want, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		got := get(t, address+"/v1/ledger?as_of="+day.String()+fmt.Sprintf("&known=%d", last))
		var w, g any
		if err := errors.Join(json.Unmarshal(want, &w), json.Unmarshal(got, &g)); err != nil {
			t.Fatalf("%v\n%.300s", err, got)
		}
		if diff := gocmp.Diff(w, g); diff != "" {
			t.Errorf("the ledger of %s differs from one without faults:\n%.2000s", day, diff)
		}
	}
}

// judge makes the ledger of a day out of the messages that count.
func (o *streamOracle) judge(t *testing.T, day schemas.Date) []schemas.LedgerRow {
	t.Helper()
	projects := map[string][]ledger.Fact{}
	var all []ledger.Fact
	for _, m := range o.counted {
		e := m.event
		f := ledger.Fact{Seq: m.seq, Source: e.Source, ID: e.ID, Type: e.Type, District: e.District, Time: e.Time, Data: e.Data}
		projects[e.Subject] = append(projects[e.Subject], f)
		all = append(all, f)
	}
	var each iter.Seq2[ledger.Project, error] = func(yield func(ledger.Project, error) bool) {
		for id, facts := range projects {
			if !yield(ledger.Project{ID: id, Facts: func() ([]ledger.Fact, error) { return facts, nil }}, nil) {
				return
			}
		}
	}
	rules, last := schemas.DefaultRules(), uint64(len(o.messages))
	made, err := ledger.Assemble(rules, ledger.NewKnown(last, all), []schemas.Cut{schemas.LedgerCut(day, last)}, each)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]schemas.LedgerRow, len(made[0].Standings))
	for i := range made[0].Standings {
		rows[i] = made[0].Standings[i].Row(rules, day)
	}
	return rows
}

// standing is what analysts see of a project in ledger_current.
type standing struct{ Stage, Status, Light string }

// currentLedger checks what is derived event by event: the stored ledger of today, once it has caught up.
func (o *streamOracle) currentLedger(t *testing.T, sql driver.Conn) {
	t.Helper()
	last := uint64(len(o.messages))
	eventually(t, "ledger_current knows everything", func() bool {
		known, ok := number(t.Context(), sql, "SELECT min(known_seq) FROM ledger_current")
		return ok && known == last
	})
	got := map[string]standing{}
	each(t, sql, "SELECT project_id, toString(stage), toString(status), toString(light) FROM ledger_current", func(rows driver.Rows) error {
		var id string
		var s standing
		if err := rows.Scan(&id, &s.Stage, &s.Status, &s.Light); err != nil {
			return err
		}
		got[id] = s
		return nil
	})
	want := map[string]standing{}
	for _, row := range o.judge(t, schemas.DateOf(time.Now())) {
		want[row.ProjectID] = standing{string(row.Stage), string(row.Status), string(row.Light)}
	}
	differ(t, "ledger_current", want, got)
}

// connect opens a connection to ClickHouse.
func connect(t *testing.T, address string) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func each(t *testing.T, sql driver.Conn, query string, scan func(driver.Rows) error) {
	t.Helper()
	rows, err := sql.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// number asks for one number; false while ClickHouse does not answer.
func number(ctx context.Context, sql driver.Conn, query string, args ...any) (uint64, bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var n uint64
	err := sql.QueryRow(ctx, query, args...).Scan(&n)
	return n, err == nil
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %.500s (%v)", url, response.Status, body, err)
	}
	return body
}
