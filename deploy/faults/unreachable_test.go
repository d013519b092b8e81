package faults

import (
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire carries TCP connections between the consumer and ClickHouse until it is cut or held.
type wire struct {
	target   string
	listener net.Listener

	mu      sync.Mutex
	changed *sync.Cond
	state   wireState
	open    map[net.Conn]bool
}

type wireState int

const (
	carrying wireState = iota
	cut                // every connection breaks, and no new one comes about
	held               // connections stay open and nothing comes through, as when packets are lost, until it carries again
)

func startWire(t *testing.T, target string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{target: target, listener: listener, open: map[net.Conn]bool{}}
	w.changed = sync.NewCond(&w.mu)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				all.Go(func() { w.carry(conn) })
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		w.set(cut)
		all.Wait()
	})
	return w
}

func (w *wire) set(state wireState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = state
	w.changed.Broadcast()
	if state == cut {
		for conn := range w.open {
			_ = conn.Close()
		}
		clear(w.open)
	}
}

// pass waits while the wire is held, and tells whether it carries then.
func (w *wire) pass(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.state == held {
		w.changed.Wait()
	}
	if w.state == carrying {
		w.open[conn] = true
	}
	return w.state == carrying
}

func (w *wire) carry(near net.Conn) {
	defer near.Close()
	if !w.pass(near) {
		return
	}
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			defer near.Close() // a broken connection is what this is for
			defer far.Close()
			buffer := make([]byte, 64<<10)
			for {
				n, err := pair[0].Read(buffer)
				if n > 0 && w.pass(pair[0]) {
					_, writeErr := pair[1].Write(buffer[:n])
					err = errors.Join(err, writeErr)
				}
				if err != nil {
					return
				}
			}
		})
	}
	both.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, near)
	delete(w.open, far)
}

// memoryLimit is what a consumer may have resident, in MiB, whatever happens to ClickHouse; memoryGrowth is how much its
// peak may still rise once it was away before: nothing but the messages that the stream delivers unacknowledged may pile up.
const (
	memoryLimit  = 220
	memoryGrowth = 48
)

// TestClickHouseUnreachable cuts the consumer off from ClickHouse while events flow: refused connections first, then
// connections on which nothing comes through.
func TestClickHouseUnreachable(t *testing.T) {
	t.Parallel()
	events := scale(25_000, 300_000)
	length := time.Duration(scale(4, 30)) * time.Second
	engines := serve(t, append(fixedPorts(t), "--target", "engines", "--data", folder(t), "--durability", "process")...)
	w := startWire(t, strings.TrimPrefix(engines.clickhouse, "http://"))
	to := []string{"--nats", engines.nats, "--data", folder(t)}
	consumer := serve(t, append(to, "--target", "consumers", "--clickhouse", writerAddress(t, engines.clickhouse, w.listener.Addr().String()))...)
	web := serve(t, append(to, "--target", "web", "--clickhouse", engines.clickhouse)...)
	r := newRig(t, engines.nats, engines.clickhouse, seed+5)
	l := publisherLoad(t, r.js)
	l.plain = true
	r.start(l, events, events, seed+5) // it does not wait for the consumer
	eventually(t, "the first events are applied", func() bool { return r.watermark() > uint64(events/20) })
	for i, outage := range []struct {
		what  string
		state wireState
	}{{"refused", cut}, {"silent", held}} {
		before, stored, sent := consumer.peakMemory(t), r.stored(), l.last.Load()
		w.set(outage.state)
		began := time.Now()
		eventually(t, "the outage is over", func() bool { return time.Since(began) >= length })
		after, waiting := consumer.peakMemory(t), l.last.Load()-r.watermark()
		mark := r.watermark()
		w.set(carrying)
		mended := time.Now()
		eventually(t, "rows come again", func() bool { return r.stored() > stored && r.watermark() > mark || r.complete() })
		t.Logf("%s for %s: %d messages sent meanwhile, %d waiting at its end; peak memory of the consumer %d → %d MiB; applied again after %.1fs",
			outage.what, length, l.last.Load()-sent, waiting, before, after, time.Since(mended).Seconds())
		if waiting == 0 {
			t.Error("nothing waited for ClickHouse: the test proves nothing")
		}
		if after > memoryLimit || i > 0 && after > before+memoryGrowth {
			t.Errorf("while ClickHouse was away the consumer's memory rose from %d to %d MiB", before, after)
		}
	}
	o := r.finish()
	o.ledgers(t, web.http, days...)
	o.currentLedger(t, r.sql)
	t.Logf("peak memory of the consumer %d MiB", consumer.peakMemory(t))
}
