package producers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"milepost/producers"
	"milepost/producers/internal/streamtest"
	"milepost/schemas"
)

// traffic counts what goes to the stream: messages of batches, batches, single
// events, and questions about what is known.
type traffic struct{ inBatches, batches, alone, questions int }

// watch counts, on a connection of its own, until the function that it gives is
// called: that waits until everything has been seen that was sent before.
func watch(t testing.TB, js jetstream.JetStream) (counted func() traffic) {
	t.Helper()
	conn, err := nats.Connect(js.Conn().ConnectedUrl())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	const last = "milepost.events.last"
	messages := make(chan *nats.Msg, 10_000)
	if _, err := conn.ChanSubscribe(schemas.StreamSubjects, messages); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return func() traffic {
		t.Helper()
		if err := js.Conn().Publish(last, nil); err != nil {
			t.Fatal(err)
		}
		var seen traffic
		for {
			var msg *nats.Msg
			select {
			case msg = <-messages:
			case <-t.Context().Done():
				t.Fatal("the watcher's last message did not come")
			}
			switch {
			case msg.Subject == last:
				return seen
			case msg.Header.Get("Nats-Rollup") != "":
				seen.questions++
			case msg.Header.Get("Nats-Batch-Id") == "":
				seen.alone++
			default:
				seen.inBatches++
				if msg.Header.Get("Nats-Batch-Commit") != "" {
					seen.batches++
				}
			}
		}
	}
}

// events makes the texts of events numbered from first to before end.
func events(first, end int) [][]byte {
	var raws [][]byte
	for i := first; i < end; i++ {
		raws = append(raws, progress(fmt.Sprintf("e%d", i), i))
	}
	return raws
}

// sequences are the receipts' in short: a known event's is negative.
func sequences(t testing.TB, receipts []producers.Receipt) []int {
	t.Helper()
	var list []int
	for i, r := range receipts {
		if r.Error != nil {
			t.Fatalf("receipt %d: %v", i, r.Error)
		}
		seq := int(r.Seq)
		if r.Duplicate {
			seq = -seq
		}
		list = append(list, seq)
	}
	return list
}

// A file that is sent again costs a question an event, all of a window at once,
// and no event a turn of its own.
func TestKnownFileIsRecognisedByWindows(t *testing.T) {
	t.Parallel()
	js, p := stream(t)
	counted := watch(t, js)
	const n = 2600
	var want, known []int
	for i := range n {
		want, known = append(want, i+1), append(known, -i-1)
	}
	if got := sequences(t, p.PublishAll(t.Context(), events(0, n), "")); !slices.Equal(got, want) {
		t.Fatalf("first: %v", got)
	}
	if got := sequences(t, p.PublishAll(t.Context(), events(0, n), "")); !slices.Equal(got, known) {
		t.Fatalf("again: %v", got)
	}
	// The first window of the second time is refused as a batch first.
	if got, want := counted(), (traffic{inBatches: n + 1000, batches: 4, questions: n}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Whatever part of an input is known, and sent in whatever windows, each event
// is on the stream once, the new ones in their order, and each receipt names
// the event's own sequence.
func TestKnownAndNewEventsInAnyMixture(t *testing.T) {
	t.Parallel()
	server := streamtest.Start(t)
	js := server.Dial(t)
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		p := publisher(t, js, producers.Options{Window: rapid.IntRange(1, 12).Draw(rt, "window")})
		place := map[string]uint64{}
		var last uint64
		for range rapid.IntRange(1, 3).Draw(rt, "inputs") {
			var raws [][]byte
			var ids []string
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 15), 1, 20).Draw(rt, "events") {
				id := fmt.Sprintf("m%d-%d", run, n)
				ids, raws = append(ids, id), append(raws, progress(id, n))
			}
			for i, r := range p.PublishAll(t.Context(), raws, "") {
				before, known := place[ids[i]]
				switch {
				case r.Error != nil || r.ID != ids[i] || r.Duplicate != known:
					rt.Fatalf("event %d, %s: %+v, known %t", i, ids[i], r, known)
				case known && r.Seq != before:
					rt.Fatalf("event %d, %s: sequence %d, was %d", i, ids[i], r.Seq, before)
				case !known && r.Seq != last+1 && last != 0:
					rt.Fatalf("event %d, %s: sequence %d after %d", i, ids[i], r.Seq, last)
				}
				if !known {
					place[ids[i]], last = r.Seq, r.Seq
				}
			}
		}
	})
}

// A server that takes smaller batches than usual gets smaller ones.
func TestBatchesAsLargeAsTheServerTakes(t *testing.T) {
	t.Parallel()
	js := streamtest.StartLimited(t, server.JSLimitOpts{MaxBatchSize: 100}).Dial(t)
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	p := publisher(t, js, producers.Options{})
	for i, seq := range sequences(t, p.PublishAll(t.Context(), events(0, 1500), "")) {
		if seq != i+1 {
			t.Fatalf("event %d has sequence %d", i, seq)
		}
	}
	counted := watch(t, js)
	p.PublishAll(t.Context(), events(1500, 2500), "")
	if got, want := counted(), (traffic{inBatches: 1000, batches: 17}); got != want { // sixteen of 62, and one of 8
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Who breaks out of the loop leaves what is two windows behind unpublished.
func TestBreakingOutLeavesTheRest(t *testing.T) {
	t.Parallel()
	server := streamtest.Start(t)
	js := server.Dial(t)
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	p := publisher(t, js, producers.Options{Window: 2})
	read := 0
	submissions := func(yield func(producers.Submission) bool) {
		for _, raw := range events(0, 10) {
			if read++; !yield(producers.Submission{Raw: raw}) {
				return
			}
		}
	}
	for r := range p.Publish(t.Context(), submissions, "") {
		if r.ID != "e0" || r.Seq != 1 {
			t.Errorf("first receipt %+v", r)
		}
		break
	}
	if ids, _ := content(t, js); strings.Join(ids, " ") != "e0 e1 e2 e3" || read != 4 {
		t.Errorf("on the stream %q, read %d", ids, read)
	}
}
