// Package consumers carries what the stream holds into the warehouse: it pulls, decodes, writes batches, and
// acknowledges after the write is durable. What cannot be decoded goes to the dead letters (退件); everything else is
// tried again until it succeeds. Delivery is at least once, the effect once: the warehouse collapses by identity.
package consumers

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// Durable is the name of the consumer on the stream. Every process that carries events into the warehouse shares it, so
// that each message is taken by one of them.
const Durable = "MILEPOST_WAREHOUSE"

// Decoder accepts or refuses a message; *schemas.Validator is one. It must be safe for concurrent use.
type Decoder interface {
	// DecodeOwned reads an event; its texts may be parts of raw, which nobody changes afterwards.
	DecodeOwned(raw []byte) (*schemas.Event, []schemas.Warning, error)
}

// Store keeps batches; *warehouse.Warehouse is one.
type Store interface {
	// Write returns when the batch is durable, and leaves the same when it is given a batch again.
	Write(ctx context.Context, b warehouse.Batch) (warehouse.Written, error)
	// SettleConflicts finds the conflicts of the backlogs that were written.
	SettleConflicts(ctx context.Context) error
}

// Config says how to consume. JetStream, Decoder and Store must be given; everything else has a default.
type Config struct {
	JetStream jetstream.JetStream
	Decoder   Decoder
	Store     Store
	// Actors says whose word is taken for who sent an event; the zero value believes everybody.
	Actors ActorTrust

	// A batch ends with MaxEvents messages (10,000) or MaxBytes (8 MiB), or MaxWait (250 ms) after its first message. It
	// ends before when the stream has no more, but no sooner than Spacing (50 ms) after the one before: a lone event goes
	// at once, and many that come one by one do not make a write each. While batches before it are being written it goes
	// on growing.
	MaxEvents int
	MaxBytes  int
	Spacing   time.Duration
	MaxWait   time.Duration
	// AckWait (10 s) is how long a message may stay without a sign of life before the stream delivers it again: what a
	// restart after a crash waits. Messages whose batch is being written show life.
	AckWait time.Duration
	// Writers (2) is how many batches are written at a time: while one waits for the disk, another has the processor.
	Writers int
	// After a failed write the next one of its writer waits RetryDelay (100 ms), doubled for each failure in a row up to
	// MaxRetryDelay (5 s).
	RetryDelay    time.Duration
	MaxRetryDelay time.Duration
	// WriteTimeout (2 min) bounds one write: a connection that went silent is given up, and the batch written again.
	WriteTimeout time.Duration
	// StopTimeout (20 s) bounds the write that is under way when Run's context ends.
	StopTimeout time.Duration

	// OnApplied is called after each batch with the applied watermark, which never falls but after a crash of NATS. It is
	// called once at a time.
	OnApplied func(watermark uint64)
	// OnWrite is told of each write: how many messages it had, how long it took, and how it ended.
	OnWrite func(messages int, took time.Duration, err error)
	// Log receives failures that are tried again and dead letters, by default nothing.
	Log *slog.Logger
}

// Consumer carries the stream's messages into the warehouse while Run runs. Its Applied tells how far it came.
type Consumer struct {
	*Applied
	Counters Counters
	config   Config
	log      *slog.Logger
	checks   checks
	telling  sync.Mutex // one at a time tells of the watermark
}

// New checks the configuration. Nothing runs before [Consumer.Run].
func New(c Config) (*Consumer, error) {
	if c.JetStream == nil || c.Decoder == nil || c.Store == nil {
		return nil, errors.New("consumers: JetStream, Decoder and Store must be given")
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.Spacing, 50 * time.Millisecond}, {&c.MaxWait, 250 * time.Millisecond}, {&c.AckWait, 10 * time.Second},
		{&c.RetryDelay, 100 * time.Millisecond}, {&c.MaxRetryDelay, 5 * time.Second}, {&c.StopTimeout, 20 * time.Second},
		{&c.WriteTimeout, 2 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if c.MaxEvents <= 0 {
		c.MaxEvents = 10_000
	}
	if c.Writers <= 0 {
		c.Writers = 2
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 8 << 20
	}
	if c.OnApplied == nil {
		c.OnApplied = func(uint64) {}
	}
	if c.OnWrite == nil {
		c.OnWrite = func(int, time.Duration, error) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Consumer{Applied: NewApplied(c.JetStream), config: c, log: c.Log}, nil
}

// Run consumes until ctx ends; it then writes and acknowledges the batch in hand, gives the rest back to the stream and
// returns nil. A stream that is missing or cannot be reached is waited for. It returns an error only when the connection
// to NATS was closed for good.
func (c *Consumer) Run(ctx context.Context) error {
	delay := c.config.RetryDelay
	for {
		started, err := c.consume(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, jetstream.ErrConnectionClosed) || c.config.JetStream.Conn().IsClosed():
			return &schemas.Error{
				Code: schemas.Unavailable, Message: "the connection to NATS was closed", Hint: "start the consumers again", Err: err,
			}
		}
		if started {
			delay = c.config.RetryDelay
		}
		c.log.WarnContext(ctx, "consuming was interrupted, trying again", "error", err, "after", delay)
		pause(ctx, delay)
		delay = min(2*delay, c.config.MaxRetryDelay)
	}
}

// consume runs the stages, take in → decode and collect → apply, until the stream's side ends or ctx does. While some
// batches are written the next one is decoded as it comes from the stream.
func (c *Consumer) consume(ctx context.Context) (started bool, err error) {
	consumer, err := c.createConsumer(ctx)
	if err != nil {
		return false, err
	}
	c.takeBack(ctx, consumer)
	var (
		taken    = newIntake()
		batches  = make(chan *batch)
		spare    = make(chan *batch, c.config.Writers+1)
		ended    = make(chan struct{})
		failure  atomic.Pointer[error]
		overflow = ctx.Done()
	)
	// A callback and not an iterator: the client's iterator buffers in a channel that its own status messages can
	// overflow, and drops messages then.
	subscription, err := consumer.Consume(func(message jetstream.Msg) {
		if ctx.Err() != nil || !taken.put(message, overflow) {
			c.giveBack(message)
		}
	}, jetstream.PullMaxMessagesWithBytesLimit(c.config.MaxEvents, c.config.MaxBytes),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			failure.Store(&err)
			c.log.WarnContext(ctx, "trouble with the stream", "error", err)
		}))
	if err != nil {
		return false, err
	}
	closed := subscription.Closed()
	defer subscription.Stop()
	// Drain ends the subscription after what was delivered already has come through.
	defer context.AfterFunc(ctx, subscription.Drain)()
	go func() {
		<-closed
		close(ended)
	}()
	go c.collect(ctx, taken, ended, spare, batches)
	var writers sync.WaitGroup
	for range c.config.Writers {
		writers.Go(func() {
			failures := 0
			for b := range batches {
				err := c.apply(ctx, b)
				select {
				case spare <- b:
				default:
				}
				if err != nil {
					failures++
					pause(ctx, c.retryDelay(failures))
					continue
				}
				failures = 0
			}
		})
	}
	writers.Wait()
	if err := failure.Load(); err != nil {
		return true, *err
	}
	return true, nil
}

func (c *Consumer) createConsumer(ctx context.Context) (jetstream.Consumer, error) {
	return c.config.JetStream.CreateOrUpdateConsumer(ctx, schemas.StreamName, jetstream.ConsumerConfig{
		Durable:       Durable,
		Description:   "events into the warehouse",
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       c.config.AckWait,
		// No message is ever given up: the stream must not skip one that the warehouse did not take.
		MaxDeliver: -1,
		// What the stages hold: the batches being written, and one being collected. It bounds the memory of the process, and
		// what the stream has to remember.
		MaxAckPending: (c.config.Writers + 1) * c.config.MaxEvents,
	})
}

// takeBack has the stream deliver again, at once and in their order, the messages that nobody will acknowledge any more:
// those that were under way when the last process of the consumer died. Else they would come only after the ack wait, and
// the watermark would stand still for so long. Whether other processes live is told by their waiting requests; should one
// have none in this moment, its messages are written twice, which changes nothing.
func (c *Consumer) takeBack(ctx context.Context, consumer jetstream.Consumer) {
	info := consumer.CachedInfo()
	if info.NumAckPending == 0 || info.NumWaiting > 0 {
		return
	}
	if _, err := c.config.JetStream.ResetConsumer(ctx, schemas.StreamName, Durable); err != nil {
		// A server before 2.14 cannot do it.
		c.log.InfoContext(ctx, "what was under way comes again after the ack wait", "messages", info.NumAckPending, "after", c.config.AckWait, "error", err)
	}
}

// retryDelay is how long to wait after so many failures in a row.
func (c *Consumer) retryDelay(failures int) time.Duration {
	delay := c.config.RetryDelay
	for ; failures > 1 && delay < c.config.MaxRetryDelay; failures-- {
		delay *= 2
	}
	return min(delay, c.config.MaxRetryDelay)
}

// pause waits, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
