package access

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

const (
	// MaxRead bounds the records of one answer.
	MaxRead  = 100_000
	readAt   = 1000
	readWait = 5 * time.Second
)

// Read gives the records since a time, the oldest first, each with its last
// word; more than MaxRead are refused. It reads the stream itself, which is the
// audit; the warehouse has a copy.
func (t *Trail) Read(ctx context.Context, since time.Time) ([]schemas.AuditRecord, error) {
	config := jetstream.ConsumerConfig{
		Description: "a reader of the audit", DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
	}
	if since.IsZero() {
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverAllPolicy, nil
	}
	consumer, err := t.js.CreateConsumer(ctx, schemas.AuditStream, config)
	if err != nil {
		return nil, trailAway(err)
	}
	// The stream forgets a reader that is gone.
	defer func() {
		_ = t.js.DeleteConsumer(context.WithoutCancel(ctx), schemas.AuditStream, consumer.CachedInfo().Name)
	}()
	var fold folded
	for left := consumer.CachedInfo().NumPending; left > 0; {
		batch, err := consumer.Fetch(int(min(left, readAt)), jetstream.FetchMaxWait(readWait))
		if err != nil {
			return nil, trailAway(err)
		}
		got := uint64(0)
		for message := range batch.Messages() {
			got++
			var r schemas.AuditRecord
			if json.Unmarshal(message.Data(), &r) == nil {
				fold.add(r)
			}
		}
		if err := batch.Error(); err != nil || got == 0 {
			return nil, trailAway(err)
		}
		if len(fold.records) > MaxRead {
			return nil, &schemas.Error{Code: schemas.TooLarge, Field: "since", Message: "more than 100000 records", Hint: "give a later time, or ask the table audit by SQL"}
		}
		left -= min(left, got)
	}
	return fold.records, nil
}

// folded keeps the last word of each record in the order of the first.
type folded struct {
	records []schemas.AuditRecord
	at      map[string]int
}

func (f *folded) add(r schemas.AuditRecord) {
	if f.at == nil {
		f.at, f.records = map[string]int{}, []schemas.AuditRecord{}
	}
	if i, known := f.at[r.ID]; known {
		f.records[i] = r
		return
	}
	f.at[r.ID] = len(f.records)
	f.records = append(f.records, r)
}
