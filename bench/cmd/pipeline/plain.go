package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// plain is the control: what one writes in an afternoon with nats.go,
// encoding/json and clickhouse-go. It pulls, decodes, appends row by row,
// sends, and acknowledges each message afterwards. It fills the same table, but
// validates nothing, and keeps neither the other deliveries of an identity nor
// the packed form: all of that is in its favour.
type plain struct {
	task     task
	js       jetstream.JetStream
	conn     driver.Conn
	consumer jetstream.Consumer
}

const (
	plainDurable = "PLAIN_LOOP"
	plainBatch   = 5000 // as many as a batch of the consumers has
	flushTimeout = 10 * time.Second
)

func preparePlain(ctx context.Context, t task) (measured, error) {
	w, err := openWarehouse(ctx, t, nil) // for the table
	if err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	p := &plain{task: t}
	if p.js, err = t.connect(ctx); err != nil {
		return nil, err
	}
	options, err := clickhouse.ParseDSN(t.ClickHouse)
	if err != nil {
		return nil, err
	}
	options.Settings["async_insert"] = 0 // acknowledge after the insert, not before
	if p.conn, err = clickhouse.Open(options); err != nil {
		return nil, err
	}
	if err := p.js.DeleteConsumer(ctx, schemas.StreamName, plainDurable); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, err
	}
	p.consumer, err = p.js.CreateConsumer(ctx, schemas.StreamName, jetstream.ConsumerConfig{
		Durable: plainDurable, AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 4 * plainBatch,
	})
	return p, err
}

const plainInsert = `INSERT INTO events (source, id, type, project_id, district, business_date, occurred_at, recorded_at, stream_seq, actor, data, fact, extensions)`

func (p *plain) run(ctx context.Context, begin func() error) error {
	if err := begin(); err != nil {
		return err
	}
	for done := 0; done < p.task.Events; {
		fetched, err := p.consumer.Fetch(min(plainBatch, p.task.Events-done))
		if err != nil {
			return err
		}
		batch, err := p.conn.PrepareBatch(ctx, plainInsert)
		if err != nil {
			return err
		}
		var messages []jetstream.Msg
		for message := range fetched.Messages() {
			if err := appendPlain(batch, message); err != nil {
				return err
			}
			messages = append(messages, message)
		}
		if err := fetched.Error(); err != nil {
			return err
		}
		if len(messages) == 0 {
			return fmt.Errorf("the stream gave %d of %d events", done, p.task.Events)
		}
		if err := batch.Send(); err != nil {
			return err
		}
		for _, message := range messages {
			if err := message.Ack(); err != nil {
				return err
			}
		}
		done += len(messages)
	}
	return p.js.Conn().FlushTimeout(flushTimeout)
}

// plainEvent is as much of an event as the columns need.
type plainEvent struct {
	Source   string          `json:"source"`
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Subject  string          `json:"subject"`
	District string          `json:"district"`
	Time     time.Time       `json:"time"`
	Data     json.RawMessage `json:"data"`
}

// plainDates are the members that can be the business date, for each type one.
type plainDates struct {
	RegisteredOn string `json:"registered_on"`
	EffectiveOn  string `json:"effective_on"`
	DecidedOn    string `json:"decided_on"`
	ReachedOn    string `json:"reached_on"`
	RaisedOn     string `json:"raised_on"`
	ResolvedOn   string `json:"resolved_on"`
	Month        string `json:"month"`
}

func (d plainDates) day() (*time.Time, error) {
	if d.Month != "" {
		month, err := time.Parse("2006-01", d.Month)
		last := month.AddDate(0, 1, -1)
		return &last, err
	}
	day, err := time.Parse(time.DateOnly, cmp.Or(d.RegisteredOn, d.EffectiveOn, d.DecidedOn, d.ReachedOn, d.RaisedOn, d.ResolvedOn))
	return &day, err
}

func appendPlain(batch driver.Batch, message jetstream.Msg) error {
	var e plainEvent
	if err := json.Unmarshal(message.Data(), &e); err != nil {
		return err
	}
	var dates plainDates
	if err := json.Unmarshal(e.Data, &dates); err != nil {
		return err
	}
	day, err := dates.day()
	if err != nil {
		return fmt.Errorf("%s: %w", message.Data(), err)
	}
	metadata, err := message.Metadata()
	if err != nil {
		return err
	}
	return batch.Append(e.Source, e.ID, e.Type, e.Subject, e.District, day, e.Time, metadata.Timestamp, metadata.Sequence.Stream,
		message.Headers().Get(schemas.ActorHeader), string(e.Data), "", "")
}

func (p *plain) close() error {
	p.js.Conn().Close()
	return p.conn.Close()
}
