package consumers

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
)

func reports(n int) []*nats.Msg {
	messages := make([]*nats.Msg, n)
	for i := range messages {
		messages[i] = progress(fmt.Sprintf("m%05d", i), i%1000)
	}
	return messages
}

func (r *rig) publishChunks(messages []*nats.Msg) (last uint64) {
	r.t.Helper()
	const together = 1000 // the client holds a few thousand at once
	for ; len(messages) > together; messages = messages[together:] {
		r.publishMany(messages[:together])
	}
	return r.publishMany(messages)
}

// TestOnePoisonedRowOfTenThousand has the engine refuse one row: it becomes a dead letter, and the others go in.
func TestOnePoisonedRowOfTenThousand(t *testing.T) {
	r := newRig(t)
	r.exec("ALTER TABLE events ADD CONSTRAINT known CHECK id != 'm07654'")
	last := r.publishChunks(reports(10_000))
	c := r.start(Config{})
	r.applied(last)
	if diff := cmp.Diff([]string{"9999\t9999"}, r.rows("SELECT [count(), uniqExact(event_id)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"7655\tinvalid"}, r.rows("SELECT [toString(stream_seq), code] AS r FROM dead_letters FINAL")); diff != "" {
		t.Error(diff)
	}
	if refused, retries := c.Counters.Refused.Load(), c.Counters.Retries.Load(); refused != 1 || retries != 0 {
		t.Errorf("%d refused, %d retries", refused, retries)
	}
}

// TestAFullDisk lets the engine find too little room for an insert, which is what it says before a disk is full.
func TestAFullDisk(t *testing.T) {
	for _, table := range []string{"events", "content_hashes"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c := r.start(Config{RetryDelay: time.Millisecond, MaxRetryDelay: 20 * time.Millisecond, MaxEvents: 50})
			r.applied(r.publish(progress("before", 1)))
			r.exec("ALTER TABLE " + table + " MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000000")
			last := r.publishMany(reports(300))
			r.eventually("batches are tried again", func() bool { return c.Counters.Retries.Load() >= 5 })
			if watermark, err := c.Watermark(t.Context()); err != nil || watermark != 1 {
				t.Errorf("the watermark is %d while the disk is full, %v", watermark, err)
			}
			r.exec("ALTER TABLE " + table + " RESET SETTING min_free_disk_bytes_to_perform_insert")
			r.applied(last)
			if diff := cmp.Diff([]string{"301\t301\t0"}, r.rows("SELECT [count(), uniqExact(event_id), (SELECT count() FROM dead_letters)] AS r FROM events FINAL")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestASilentClickHouse lets requests go unanswered: the write is given up after a while and done again.
func TestASilentClickHouse(t *testing.T) {
	r := newRig(t)
	proxy := startProxy(t, r.dsn)
	store := r.openStore(proxy.dsn)
	c := r.start(Config{Store: store, WriteTimeout: 100 * time.Millisecond, RetryDelay: time.Millisecond})
	r.applied(r.publish(progress("before", 1)))
	proxy.silent.Store(true)
	last := r.publish(progress("a", 1))
	r.eventually("the write is given up", func() bool { return c.Counters.Retries.Load() >= 2 })
	proxy.silent.Store(false)
	r.applied(last)
	if diff := cmp.Diff([]string{"2"}, r.rows("SELECT [count()] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
}

// stay keeps a request unanswered until its client gives it up, which a server sees only behind the request's body.
func stay(request *http.Request) {
	_, _ = io.Copy(io.Discard, request.Body)
	<-request.Context().Done()
}
