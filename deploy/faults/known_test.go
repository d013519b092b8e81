package faults

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
	"milepost/schemas"
)

// TestReplicatedStreamKnowsWhatItHas sends an input again to a replicated stream, with new events among the known ones:
// asking what is known must leave no trace there, neither a message nor an id that then could not be used.
func TestReplicatedStreamKnowsWhatItHas(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	conn, err := nats.Connect(c.addresses())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := producers.EnsureStream(ctx, js, producers.StreamConfig{Replicas: clusterSize}); err != nil {
		t.Fatal(err)
	}
	p, err := producers.New(js, decoding{schemas.NewValidator(schemas.DefaultRules())}, producers.Options{Window: 50})
	if err != nil {
		t.Fatal(err)
	}
	const half = 120
	var every, even [][]byte
	for i := range 2 * half {
		raw := fmt.Appendf(nil, `{"specversion":"1.0","id":"k%d","source":"/offices/shanyang","type":"progress.reported.v1","subject":"P-0001",`+
			`"time":"2025-10-09T09:00:00+08:00","district":"shanyang","data":{"month":"2025-09","invested_ytd":%d}}`, i, i)
		every = append(every, raw)
		if i%2 == 0 {
			even = append(even, raw)
		}
	}
	for i, r := range p.PublishAll(ctx, even, "") {
		if r.Error != nil || r.Duplicate || r.Seq != uint64(i+1) {
			t.Fatalf("event %d: %+v", 2*i, r)
		}
	}
	for round := range 2 {
		for i, r := range p.PublishAll(ctx, every, "") {
			seq, known := uint64(i/2+1), i%2 == 0 || round > 0
			if i%2 == 1 {
				seq += half
			}
			if r.Error != nil || r.Duplicate != known || r.Seq != seq {
				t.Fatalf("round %d, event %d: %+v, want sequence %d, known %t", round, i, r, seq, known)
			}
		}
	}
	if last, err := p.LastSequence(ctx); err != nil || last != 2*half {
		t.Errorf("the stream has %d messages, %v", last, err)
	}
}
