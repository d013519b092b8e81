package faults

import (
	"sync/atomic"
	"testing"

	"milepost/schemas"
)

// days are the ledgers that are held against those of a world without faults.
var days = []schemas.Date{schemas.NewDate(2023, 6, 30), schemas.NewDate(2025, 10, 31)}

// TestKillConsumer kills the consumer again and again while events flow.
func TestKillConsumer(t *testing.T) {
	t.Parallel()
	kills, events := scale(3, 20), scale(12_000, 200_000)
	engines := serve(t, append(fixedPorts(t), "--target", "engines", "--data", folder(t), "--durability", "process")...)
	to := []string{"--nats", engines.nats, "--clickhouse", engines.clickhouse, "--data", folder(t)}
	web := serve(t, append(to, "--target", "web")...)
	consume := func() *server { return serve(t, append(to, "--target", "consumers")...) }
	r := newRig(t, engines.nats, engines.clickhouse, seed)
	consumer := consume()
	r.start(publisherLoad(t, r.js), events, ahead(), seed)
	for i := range kills {
		r.momentToKill(i, kills)
		consumer.kill(t)
		r.death()
		consumer = r.revival(consume)
	}
	o := r.finish()
	o.ledgers(t, web.http, days...)
	o.currentLedger(t, r.sql)
}

// TestKillConsumerAndEngines kills the consumer and, in the same moment, NATS and ClickHouse.
func TestKillConsumerAndEngines(t *testing.T) {
	t.Parallel()
	kills, events := scale(2, 10), scale(10_000, 200_000)
	own := append(fixedPorts(t), "--target", "engines", "--data", folder(t), "--durability", "process")
	engines := serve(t, own...)
	to := []string{"--nats", engines.nats, "--clickhouse", engines.clickhouse, "--data", folder(t)}
	consume := func() *server { return serve(t, append(to, "--target", "consumers")...) }
	r := newRig(t, engines.nats, engines.clickhouse, seed+1)
	consumer := consume()
	r.start(publisherLoad(t, r.js), events, ahead(), seed+1)
	for i := range kills {
		r.momentToKill(i, kills)
		killTogether(t, consumer, engines)
		engines = serve(t, own...)
		r.death()
		consumer = r.revival(consume)
	}
	o := r.finish()
	o.ledgers(t, serve(t, append(to, "--target", "web")...).http, days...)
	o.currentLedger(t, r.sql)
}

// TestKillServer kills the server with everything in it while an office sends over HTTP; the office sends again what it
// got no receipt for.
func TestKillServer(t *testing.T) {
	t.Parallel()
	killServer(t, scale(2, 10), scale(8_000, 200_000), "process", seed+2)
}

// TestKillServerOnPower does so where every event reaches the disk before it is acknowledged.
func TestKillServerOnPower(t *testing.T) {
	t.Parallel()
	killServer(t, scale(1, 3), scale(2_000, 20_000), "power", seed+3)
}

func killServer(t *testing.T, kills, events int, durability string, seed uint64) {
	own := append(fixedPorts(t), "--data", folder(t), "--durability", durability)
	everything := serve(t, own...)
	var address atomic.Pointer[string]
	address.Store(&everything.http)
	r := newRig(t, everything.nats, everything.clickhouse, seed)
	l, attempts := httpLoad(t, r.js, func() string { return *address.Load() })
	r.start(l, events, ahead(), seed)
	for i := range kills {
		r.momentToKill(i, kills)
		before := r.watermark()
		r.death() // a moment early: the stream dies as well
		everything.kill(t)
		everything = serve(t, own...)
		address.Store(&everything.http)
		r.passes(everything, before)
	}
	o := r.finish()
	o.ledgers(t, everything.http, days...)
	o.currentLedger(t, r.sql)
	t.Logf("durability %s; %d attempts to send", durability, attempts.Load())
}

// killTogether kills processes at once.
func killTogether(t *testing.T, servers ...*server) {
	t.Helper()
	done := make(chan struct{})
	for _, s := range servers {
		go func() {
			s.kill(t)
			done <- struct{}{}
		}()
	}
	for range servers {
		<-done
	}
}
