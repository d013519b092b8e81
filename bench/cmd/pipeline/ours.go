package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	natsclient "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/bench"
	"milepost/consumers"
	"milepost/consumers/warehouse"
	"milepost/deploy"
	"milepost/deploy/access"
	"milepost/deploy/embedded/nats"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/schemas"
)

// actor is who the events say they come from.
const actor = "http:127.0.0.1"

// connect dials NATS and makes sure that the stream exists.
func (t task) connect(ctx context.Context) (jetstream.JetStream, error) {
	conn, err := natsclient.Connect(t.NATS)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn)
	if err == nil {
		err = producers.EnsureStream(ctx, js, producers.StreamConfig{})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return js, nil
}

// publisher publishes events that are encoded beforehand.
type publisher struct {
	js     jetstream.JetStream
	out    *producers.Publisher
	events [][]byte
	count  int
	rate   int // events a second; 0: as fast as it goes
}

func preparePublisher(ctx context.Context, t task) (measured, error) {
	js, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	check, err := schemas.NewSchemaValidator(schemas.DefaultRules())
	if err != nil {
		return nil, err
	}
	p := &publisher{js: js, events: make([][]byte, 0, t.Events)}
	key, _, err := access.ActorKey(ctx, js)
	if err != nil {
		return nil, err
	}
	if p.out, err = producers.New(js, check, producers.Options{Window: nats.MaxBatch, ActorKey: key}); err != nil {
		return nil, err
	}
	if p.rate = t.Rate; p.rate > 0 {
		p.count = t.Events
		return p, nil // they are made on the way
	}
	for e, err := range bench.Events(t.Events) {
		if err != nil {
			return nil, err
		}
		p.events = append(p.events, e.Raw)
	}
	p.count = len(p.events)
	return p, nil
}

func (p *publisher) run(ctx context.Context, begin func() error) error {
	if err := begin(); err != nil {
		return err
	}
	submissions := func(yield func(producers.Submission) bool) {
		for _, raw := range p.events {
			if !yield(producers.Submission{Raw: raw}) {
				return
			}
		}
	}
	if p.rate > 0 {
		submissions = p.paced(ctx)
	}
	var next uint64 = 1
	for receipt := range p.out.Publish(ctx, submissions, actor) {
		switch {
		case receipt.Error != nil:
			return receipt.Error
		case receipt.Seq != next || receipt.Duplicate:
			return fmt.Errorf("event %s has sequence %d instead of %d", receipt.ID, receipt.Seq, next)
		}
		next++
	}
	if sent := next - 1; sent != uint64(p.count) {
		return fmt.Errorf("%d of %d events have receipts", sent, p.count)
	}
	return nil
}

// paced makes the events on the way, a tenth of a second's worth at a time.
func (p *publisher) paced(ctx context.Context) func(yield func(producers.Submission) bool) {
	return func(yield func(producers.Submission) bool) {
		const parts = 10
		ticker := time.NewTicker(time.Second / parts)
		defer ticker.Stop()
		n := 0
		for e, err := range bench.Events(p.count) {
			if n%max(1, p.rate/parts) == 0 {
				select {
				case <-ticker.C:
				case <-ctx.Done():
					return
				}
			}
			n++
			if err != nil || !yield(producers.Submission{Raw: e.Raw}) {
				return // what is missing is told from the receipts
			}
		}
	}
}

func (p *publisher) close() error {
	p.js.Conn().Close()
	return nil
}

// consumer is consumers.Consumer alone.
type consumer struct {
	task  task
	js    jetstream.JetStream
	store *warehouse.Warehouse
	out   *consumers.Consumer
}

func prepareConsumer(ctx context.Context, t task) (measured, error) {
	js, err := t.fromTheStart(ctx)
	if err != nil {
		return nil, err
	}
	c := &consumer{task: t, js: js}
	key, after, err := access.ActorKey(ctx, js)
	if err != nil {
		return nil, err
	}
	trust := consumers.ActorTrust{Key: key, UnprovenUpTo: after}
	decoder := schemas.NewValidator(schemas.DefaultRules())
	if c.store, err = openWarehouse(ctx, t, consumers.NewOriginals(js, decoder, trust)); err != nil {
		return nil, err
	}
	c.out, err = consumers.New(consumers.Config{JetStream: js, Decoder: decoder, Actors: trust, Store: c.store})
	return c, err
}

// fromTheStart connects, and lets consuming begin with the first event.
func (t task) fromTheStart(ctx context.Context) (jetstream.JetStream, error) {
	js, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := js.DeleteStream(ctx, consumers.PositionStream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, err
	}
	return js, nil
}

func openWarehouse(ctx context.Context, t task, stream warehouse.Stream) (*warehouse.Warehouse, error) {
	w, err := warehouse.Open(ctx, warehouse.Config{DSN: t.ClickHouse, Stream: stream})
	if err != nil {
		return nil, err
	}
	return w, w.Migrate(ctx)
}

func (c *consumer) run(ctx context.Context, begin func() error) error {
	if err := begin(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- c.out.Run(ctx)
		stop() // so that nobody waits for a consumer that is gone
	}()
	err := c.out.WaitApplied(ctx, uint64(c.task.Events))
	stop()
	return errors.Join(err, <-ended)
}

func (c *consumer) close() error {
	c.js.Conn().Close()
	return c.store.Close()
}

// served is the process that runs in production: the consumers' role, which
// also keeps ledger_current up to date.
type served struct {
	task task
	js   jetstream.JetStream
	app  *deploy.App
}

func prepareServed(ctx context.Context, t task) (measured, error) {
	js, err := t.fromTheStart(ctx)
	if err != nil {
		return nil, err
	}
	return &served{task: t, js: js}, nil
}

// poll is how often the watermark is asked for; it is the error of the time.
const poll = 10 * time.Millisecond

func (s *served) run(ctx context.Context, begin func() error) error {
	// The process consumes as soon as it is up, so that it starts here.
	var err error
	s.app, err = deploy.StartApp(ctx, settings.Config{
		Data: s.task.Folder, NATS: s.task.NATS, ClickHouse: s.task.ClickHouse, Target: []string{settings.TargetConsumers}, LogLevel: "error",
	}, deploy.Streams{In: os.Stdin, Out: os.Stderr, Err: os.Stderr}, time.Now)
	if err != nil {
		return err
	}
	if err := begin(); err != nil {
		return err
	}
	applied := consumers.NewApplied(s.js)
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		watermark, err := applied.Watermark(ctx)
		if err != nil || watermark >= uint64(s.task.Events) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *served) close() error {
	s.js.Conn().Close()
	if s.app == nil {
		return nil
	}
	return s.app.Close()
}
