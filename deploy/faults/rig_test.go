package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/schemas"
)

// rig is one installation under test, seen from outside.
type rig struct {
	t          *testing.T
	clickhouse string // its address
	js         jetstream.JetStream
	sql        driver.Conn // a reader's
	applied    *consumers.Applied
	random     *rand.Rand
	load       *load
	watch      *watch

	kills     int
	unapplied int             // messages of the stream that were not applied when a consumer died
	firstRows []time.Duration // from the start of a process to its first new row
	caughtUp  []time.Duration // and until the watermark passed where it stood
}

func newRig(t *testing.T, natsAddress, clickhouseAddress string, seed uint64) *rig {
	t.Helper()
	r := &rig{t: t, clickhouse: clickhouseAddress, js: dial(t, natsAddress), sql: connect(t, clickhouseAddress+"/default"), random: rand.New(rand.NewPCG(seed, 2))}
	r.applied = consumers.NewApplied(r.js)
	return r
}

// start lets events flow.
func (r *rig) start(l *load, events, ahead int, seed uint64) {
	l.events, l.ahead, r.load = events, ahead, l
	ctx, cancel := context.WithCancel(context.Background())
	r.watch = startWatch(ctx, r)
	go l.run(ctx, newOffice(r.t, seed, events), func() (uint64, bool) { return watermarkOf(ctx, r.applied) })
	r.t.Cleanup(func() {
		cancel()
		<-l.done
		r.watch.wait()
	})
}

// watermark waits for the stream to tell the watermark.
func (r *rig) watermark() uint64 {
	r.t.Helper()
	var mark uint64
	eventually(r.t, "the stream tells the watermark", func() bool {
		var ok bool
		mark, ok = watermarkOf(r.t.Context(), r.applied)
		return ok
	})
	return mark
}

// momentToKill waits until the i-th of k kills is due: at a point of its own in the flow and, every other time, when rows
// are in the table that the stream does not know of yet.
func (r *rig) momentToKill(i, k int) {
	r.t.Helper()
	at := uint64(float64(r.load.events) * (float64(i) + 0.1 + 0.8*r.random.Float64()) / float64(k))
	eventually(r.t, fmt.Sprintf("the watermark reaches %d", at), func() bool {
		mark, ok := watermarkOf(r.t.Context(), r.applied)
		return ok && mark >= at || r.load.ended()
	})
	if i%2 == 0 {
		return
	}
	eventually(r.t, "rows are written and not acknowledged", func() bool {
		mark, ok := watermarkOf(r.t.Context(), r.applied)
		if !ok || r.load.ended() {
			return r.load.ended()
		}
		stored, ok := number(r.t.Context(), r.sql, "SELECT max(stream_seq) FROM events")
		return ok && stored > mark
	})
}

// stored counts the distinct messages in the warehouse, as soon as it answers.
func (r *rig) stored() uint64 {
	r.t.Helper()
	var n uint64
	eventually(r.t, "the warehouse answers", func() bool {
		var ok bool
		n, ok = number(r.t.Context(), r.sql, "SELECT uniqExact(stream_seq) FROM content_hashes")
		return ok
	})
	return n
}

// death notes how much had not been applied when a consumer died.
func (r *rig) death() {
	r.t.Helper()
	r.kills++
	r.unapplied += int(streamOf(r.t, r.js).CachedInfo().State.LastSeq - r.watermark())
}

// revival runs start and notes how long it takes until something new is in the warehouse, and until the watermark moves.
func (r *rig) revival(start func() *server) *server {
	r.t.Helper()
	before := r.stored()
	mark := r.watermark()
	s := start()
	eventually(r.t, "there is a new row", func() bool { return r.stored() > before || r.complete() })
	r.firstRows = append(r.firstRows, time.Since(s.started))
	r.passes(s, mark)
	return s
}

// passes notes how long after the start of a process the watermark passes where it stood.
func (r *rig) passes(s *server, mark uint64) {
	r.t.Helper()
	eventually(r.t, "the watermark moves", func() bool { return r.watermark() > mark || r.complete() })
	r.caughtUp = append(r.caughtUp, time.Since(s.started))
}

// restartLimit is what the fastest restart must do better than; on a busy machine not every one can.
const restartLimit = 8 * time.Second

// complete tells whether everything was sent and is applied.
func (r *rig) complete() bool {
	r.t.Helper()
	return r.load.ended() && r.watermark() >= r.load.last.Load()
}

// streamOf asks for the stream until it answers: a cluster that lost its leader may be silent for a while.
func streamOf(t *testing.T, js jetstream.JetStream) jetstream.Stream {
	t.Helper()
	var stream jetstream.Stream
	eventually(t, "the stream answers", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		stream, err = js.Stream(ctx, schemas.StreamName)
		return err == nil
	})
	return stream
}

// finish waits until everything is applied and holds the warehouse against the stream; it gives what the stream says.
func (r *rig) finish() *streamOracle {
	r.t.Helper()
	r.load.wait(r.t)
	last := streamOf(r.t, r.js).CachedInfo().State.LastSeq
	var mark uint64
	if !within(patience, seldom, func() bool {
		mark, _ = watermarkOf(r.t.Context(), r.applied)
		return mark >= last
	}) {
		r.t.Fatalf("the watermark stays at %d of %d", mark, last)
	}
	o := readStream(r.t, r.js)
	o.holds(r.t, r.load.acked)
	o.inWarehouse(r.t, connect(r.t, writerAddress(r.t, r.clickhouse, strings.TrimPrefix(r.clickhouse, "http://"))))
	samples := r.watch.check(r.t, o)
	if len(o.events) != r.load.events {
		r.t.Errorf("%d identities on the stream, %d were sent", len(o.events), r.load.events)
	}
	if !r.load.plain && (len(o.conflicts) == 0 || r.load.repeats == 0) {
		r.t.Error("nothing was sent twice: the test proves less than it should")
	}
	years := map[int]int{}
	for _, m := range o.counted {
		years[m.event.BusinessDate().Year()]++
	}
	if len(years) < 3 {
		r.t.Errorf("events of the years %v only", years)
	}
	if len(r.firstRows) > 0 && slices.Min(r.caughtUp) > restartLimit {
		r.t.Errorf("after each restart of the consumer the watermark stood still for a long time: %v", rounded(r.caughtUp))
	}
	r.t.Logf("%d messages: %d events of %d years, %d conflicts, %d repeated; %d acknowledged; %d kills; %d not applied at a death; first new row after %v, watermark moved after %v; watermark looked at %d times",
		len(o.messages), len(o.events), len(years), len(o.conflicts), r.load.repeats, len(r.load.acked), r.kills, r.unapplied,
		rounded(r.firstRows), rounded(r.caughtUp), samples)
	return o
}

func rounded(durations []time.Duration) []string {
	out := make([]string, len(durations))
	for i, d := range durations {
		out[i] = fmt.Sprintf("%.1fs", d.Seconds())
	}
	return out
}

// watch looks again and again at the applied watermark and at what is really in the warehouse up to there.
type watch struct {
	mu      sync.Mutex
	samples []sample
	ended   chan struct{}
}

type sample struct{ mark, identities uint64 }

func startWatch(ctx context.Context, r *rig) *watch {
	w := &watch{ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		rest := time.NewTimer(0)
		defer rest.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-rest.C:
			}
			began := time.Now()
			w.look(ctx, r)
			// Looking takes no more than a small share of the machine.
			rest.Reset(max(100*time.Millisecond, 9*time.Since(began)))
		}
	}()
	return w
}

func (w *watch) look(ctx context.Context, r *rig) {
	mark, ok := watermarkOf(ctx, r.applied)
	if !ok {
		return // nobody is told anything
	}
	identities, ok := number(ctx, r.sql, "SELECT uniqExact(source, id) FROM events WHERE stream_seq <= {mark:UInt64}", driver.NamedValue{Name: "mark", Value: mark})
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, sample{mark, identities})
}

func (w *watch) wait() { <-w.ended }

// check holds the samples against the stream: at each moment everything up to the watermark was there.
func (w *watch) check(t *testing.T, o *streamOracle) int {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	ahead := 0
	for _, s := range w.samples {
		if s.mark >= uint64(len(o.distinct)) || s.identities < o.distinct[s.mark] {
			if ahead++; ahead == 1 {
				t.Errorf("the watermark said %d when the warehouse had %d identities up to there", s.mark, s.identities)
			}
		}
	}
	if ahead > 0 {
		t.Errorf("the watermark was ahead in %d of %d samples", ahead, len(w.samples))
	}
	if len(w.samples) == 0 {
		t.Error("the watermark was never looked at")
	}
	return len(w.samples)
}

// writerAddress gives the address that a role needs to write through something between it and the engine.
func writerAddress(t *testing.T, engine, instead string) string {
	t.Helper()
	var port int
	if _, err := fmt.Sscanf(engine[strings.LastIndex(engine, ":")+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	address, err := os.ReadFile(writerFile(t, port))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(address), strings.TrimPrefix(engine, "http://"), instead, 1)
}

// folder gives a folder for the data of a server.
func folder(t *testing.T) string { return filepath.Join(t.TempDir(), "data") }
