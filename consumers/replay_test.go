package consumers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"milepost/schemas"
)

// mixture puts events, repetitions, conflicts and dead letters on the stream.
func (r *rig) mixture(n int) (last uint64) {
	var messages []*nats.Msg
	for i := range n {
		messages = append(messages, progress(fmt.Sprintf("m%d", i), i))
		switch i % 50 {
		case 7:
			messages = append(messages, progress(fmt.Sprintf("m%d", i), i)) // the same again
		case 17:
			messages = append(messages, progress(fmt.Sprintf("m%d", i-10), i+1000)) // other content
		case 27:
			messages = append(messages, &nats.Msg{Subject: progressSubject, Data: []byte("no JSON \xff"), Header: nats.Header{schemas.ActorHeader: {"领导甲"}}})
		case 37:
			messages = append(messages, replaced(progress(fmt.Sprintf("d%d", i), i), `"district":"shanyang"`, `"district":"nowhere"`))
		case 47:
			messages = append(messages, progress(fmt.Sprintf("m%d", i-40), i-40)) // again, behind a conflict
		}
	}
	for chunk := range slices.Chunk(messages, 1000) { // the client holds a few thousand at once
		last = r.publishMany(chunk)
	}
	return last
}

// contents gives every row of every table that the stream fills.
func (r *rig) contents() map[string][]string {
	tables := map[string][]string{}
	for table, order := range map[string]string{
		"events": "source, id", "content_hashes": "identity, fingerprint", "contested": "source, id, fingerprint", "dead_letters": "stream_seq", "conflicts": "stream_seq",
	} {
		final := " FINAL"
		if table == "conflicts" {
			final = ""
		}
		tables[table] = r.rows("SELECT [hex(formatRow('RowBinary', *))] AS r FROM " + table + final + " ORDER BY " + order)
	}
	return tables
}

func (r *rig) replay(change func(*ReplayConfig)) (*ReplayResult, error) {
	c := ReplayConfig{JetStream: r.js, Decoder: schemas.NewValidator(schemas.DefaultRules()), Warehouse: r.store}
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 3*patience)
	defer cancel()
	return Replay(ctx, c)
}

func (r *rig) exec(sql string) {
	r.t.Helper()
	if err := r.sql.Exec(r.t.Context(), sql); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) noShadows() {
	r.t.Helper()
	if left := r.rows("SELECT [name] AS r FROM system.tables WHERE database = currentDatabase() AND name LIKE '%replay'"); len(left) > 0 {
		r.t.Errorf("shadow tables are left: %v", left)
	}
}

func TestReplayGivesTheSameTables(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(Config{})
	last := r.mixture(6000)
	r.applied(last)
	before := r.contents()
	for table, rows := range before {
		if len(rows) == 0 {
			t.Fatalf("%s is empty", table)
		}
	}
	var phases []ReplayPhase
	result, err := r.replay(func(c *ReplayConfig) {
		c.Progress = func(p ReplayProgress) {
			if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
				phases = append(phases, p.Phase)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}
	if result.Changed || result.Sequence != last || result.Events+result.DeadLetters != last {
		t.Errorf("%+v", result)
	}
	for _, table := range result.Tables {
		if table.Before != table.After || int(table.After) != len(before[table.Table]) {
			t.Errorf("%+v", table)
		}
	}
	want := []ReplayPhase{ReplayReading, ReplayChecking, ReplayWaiting, ReplaySwapping, ReplayComparing}
	if diff := cmp.Diff(want, phases); diff != "" {
		t.Error(diff)
	}
	r.noShadows()
	r.applied(r.publish(progress("after", 1))) // the consumer goes on
	if diff := cmp.Diff([]string{"after"}, r.rows("SELECT [id] AS r FROM events FINAL WHERE id = 'after'")); diff != "" {
		t.Error(diff)
	}
}

// TestReplayOfIdentitiesOfOneHash consumes and replays two identities whose hashes agree: neither process mistakes one for the
// other.
func TestReplayOfIdentitiesOfOneHash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(Config{})
	one, another := "cbe32edf0b718b3a6", "c68bf6adfc3208107"
	r.publish(progress(one, 10))
	r.publish(progress(another, 20))
	r.publish(progress(another, 30))
	r.applied(r.publish(progress(one, 10)))
	before := r.contents()
	if diff := cmp.Diff([]string{"1"}, r.rows("SELECT [toString(uniqExact(identity))] AS r FROM content_hashes")); diff != "" {
		t.Fatalf("they have hashes of their own: %s", diff)
	}
	result, err := r.replay(nil)
	if err != nil || result.Changed || result.Events != 4 {
		t.Errorf("%+v, %v", result, err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{another + "\t3\t2"}, r.rows("SELECT [id, toString(stream_seq), toString(counted_seq)] AS r FROM conflicts")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{one + "\t1", another + "\t2"}, r.rows("SELECT [id, toString(stream_seq)] AS r FROM events FINAL ORDER BY stream_seq")); diff != "" {
		t.Error(diff)
	}
}

func TestReplayHealsTheWarehouse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(Config{})
	last := r.mixture(400)
	r.applied(last)
	before := r.contents()
	r.exec("ALTER TABLE events DELETE WHERE stream_seq % 3 = 0 SETTINGS mutations_sync = 2")
	r.exec("ALTER TABLE events UPDATE district = 'xiuwu' WHERE stream_seq % 3 = 1 SETTINGS mutations_sync = 2")
	r.exec("TRUNCATE TABLE contested")
	r.exec("ALTER TABLE content_hashes DELETE WHERE stream_seq > 200 SETTINGS mutations_sync = 2")
	r.exec("INSERT INTO events SELECT * REPLACE ('never sent' AS id) FROM events LIMIT 1")
	r.exec("ALTER TABLE dead_letters DELETE WHERE stream_seq > 100 SETTINGS mutations_sync = 2")
	r.exec("INSERT INTO dead_letters (stream_seq, code, reason) VALUES (2, 'invalid', 'an accepted event')")
	r.exec("INSERT INTO ledger_cuts (known_seq, expires_at) VALUES (1, now() + 1000)")
	result, err := r.replay(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}
	for _, table := range result.Tables {
		if !table.Changed {
			t.Errorf("unchanged: %+v", table)
		}
	}
	if got := r.rows("SELECT [toString(count())] AS r FROM ledger_cuts"); got[0] != "0" || !result.Changed {
		t.Errorf("%s ledgers of the damaged tables are kept", got)
	}
}

// TestReplayWhileEventsArrive lets events come in every phase of three replays while a reader counts what there was
// before; nothing is missing at any time.
func TestReplayWhileEventsArrive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(Config{MaxEvents: 200})
	first := r.mixture(1000)
	r.applied(first)
	counting := fmt.Sprintf("SELECT count() FROM events FINAL WHERE stream_seq <= %d", first)
	var counted uint64
	if err := r.sql.QueryRow(t.Context(), counting).Scan(&counted); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	reads := make(chan int)
	go func() {
		conn := sqlConn(t, r.dsn)
		for n := 0; ; n++ {
			select {
			case <-stop:
				reads <- n
				return
			default:
			}
			var events uint64
			if err := conn.QueryRow(context.Background(), counting).Scan(&events); err != nil || events != counted {
				t.Errorf("a reader counts %d events, not %d (%v)", events, counted, err)
			}
		}
	}()
	sent := 0
	last := first
	for range 3 {
		result, err := r.replay(func(c *ReplayConfig) {
			c.Progress = func(p ReplayProgress) {
				var messages []*nats.Msg
				for range 150 {
					sent++
					messages = append(messages, progress(fmt.Sprintf("f%d", sent), sent))
				}
				last = r.publishMany(messages)
			}
		})
		if err != nil || result.Changed || result.Sequence <= first {
			t.Errorf("%+v, %v", result, err)
		}
	}
	close(stop)
	if n := <-reads; n < 10 {
		t.Errorf("only %d reads", n)
	}
	r.applied(last)
	want := fmt.Sprintf("%d\t%d", last, int(last)-repeatedIn(1000))
	got := r.rows("SELECT [(SELECT max(stream_seq) FROM content_hashes), (SELECT count() FROM content_hashes FINAL) + (SELECT count() FROM dead_letters FINAL)] AS r")
	if got[0] != want {
		t.Errorf("last sequence and messages %q, want %q", got[0], want)
	}
	r.noShadows()
}

// repeatedIn is how many repetitions a mixture holds.
func repeatedIn(n int) (repeated int) {
	for i := range n {
		if i%50 == 7 || i%50 == 47 {
			repeated++
		}
	}
	return repeated
}

func TestReplayKeepsVerdicts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rules := schemas.DefaultRules()
	fewer := *rules
	fewer.Districts = slices.DeleteFunc(slices.Clone(rules.Districts), func(d schemas.District) bool { return d.Code == "shanyang" })
	without, with := schemas.NewValidator(&fewer), schemas.NewValidator(rules)
	c := r.start(Config{})
	elsewhere := replaced(progress("x", 1), `"district":"shanyang"`, `"district":"nowhere"`)
	elsewhere.Subject = strings.Replace(progressSubject, "shanyang", "nowhere", 1)
	r.publish(elsewhere)
	r.applied(r.publish(progress("a", 1)))
	before := r.contents()

	_, err := r.replay(func(c *ReplayConfig) { c.Decoder = without })
	if schemas.CodeOf(err) != schemas.Conflict || !strings.Contains(err.Error(), "sequence 2 was accepted") {
		t.Errorf("rules that refuse what was accepted: %v", err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}
	result, err := r.replay(func(c *ReplayConfig) { c.Decoder, c.JudgeAgain = without, true })
	if err != nil || result.DeadLetters != 2 || !result.Changed {
		t.Fatalf("judged again: %+v, %v", result, err)
	}
	// The second is a dead letter now, and stays one though these rules would accept it.
	result, err = r.replay(func(c *ReplayConfig) { c.Decoder = with })
	if err != nil || result.DeadLetters != 2 || result.Changed {
		t.Errorf("past dead letters: %+v, %v", result, err)
	}
	result, err = r.replay(func(c *ReplayConfig) { c.Decoder, c.JudgeAgain = with, true })
	if err != nil || result.DeadLetters != 1 {
		t.Errorf("judged again: %+v, %v", result, err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}
	c.stop()
}

// TestReplayThatEndsEarly ends a replay in each phase; the tables in use stay, and the next replay succeeds.
func TestReplayThatEndsEarly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(Config{})
	r.applied(r.mixture(300))
	before := r.contents()
	for _, phase := range []ReplayPhase{ReplayReading, ReplayChecking, ReplayWaiting, ReplaySwapping} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Replay(ctx, ReplayConfig{
			JetStream: r.js, Decoder: schemas.NewValidator(schemas.DefaultRules()), Warehouse: r.store,
			Progress: func(p ReplayProgress) {
				if p.Phase == phase {
					cancel()
				}
			},
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended while %s: %v", phase, err)
		}
		cancel()
		if diff := cmp.Diff(before, r.contents()); diff != "" {
			t.Errorf("ended while %s: %s", phase, diff)
		}
		r.noShadows()
		r.applied(r.publish(progress(string(phase), 1)))
		before = r.contents()
	}
	// What a process that died left behind.
	r.exec("CREATE TABLE events_replay AS events")
	r.exec("INSERT INTO events_replay SELECT * REPLACE ('leftover' AS id) FROM events LIMIT 1")
	if result, err := r.replay(nil); err != nil || result.Changed {
		t.Errorf("%+v, %v", result, err)
	}
	if diff := cmp.Diff(before, r.contents()); diff != "" {
		t.Error(diff)
	}
}

func TestReplayRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	refused := func(what, says string) {
		t.Helper()
		_, err := r.replay(nil)
		if schemas.CodeOf(err) != schemas.Conflict || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("before anything was consumed", "nothing was ever consumed")
	r.start(Config{})
	r.applied(r.mixture(60))

	_, release, err := holdLease(t.Context(), r.js, replayLease)
	if err != nil {
		t.Fatal(err)
	}
	refused("a second replay", "is running")
	release()

	stream, err := r.js.Stream(t.Context(), schemas.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	refused("a stream that lacks a message", "lacks 1 message")
	result, err := r.replay(func(c *ReplayConfig) { c.Partial = true })
	if err != nil || !result.Changed || result.Tables[0].After != result.Tables[0].Before-1 {
		t.Errorf("a partial replay: %+v, %v", result, err)
	}
	r.exec("INSERT INTO content_hashes (stream_seq) VALUES (1000000)")
	refused("a stream that is not the warehouse's", "knows sequence 1000000")
}
