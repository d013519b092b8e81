// Package consumers carries what the stream holds into the warehouse: it pulls, decodes, writes batches, and notes how far
// it came after the write is durable. What cannot be decoded goes to the dead letters (退件); everything else is
// tried again until it succeeds. Delivery is at least once, the effect once: the warehouse collapses by identity.
package consumers

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// Decoder accepts or refuses a message; *schemas.Validator is one. It must be safe for concurrent use.
type Decoder interface {
	// Take reads an event, over the one that is given, and its fingerprint; its texts may be parts of raw, which nobody
	// changes afterwards.
	Take(raw []byte, event *schemas.Event) (schemas.Fingerprint, error)
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

	// Archive is the folder of what was purged from the stream, which is carried from there when the warehouse lacks it; ""
	// stands for none.
	Archive string
	// Stored tells the greatest sequence that the warehouse knows, so that one that is empty is filled whatever was noted of
	// another; it is not asked when it is nil.
	Stored func(context.Context) (uint64, error)

	// A batch ends with MaxEvents messages (25,000) or MaxBytes (12 MiB), or MaxWait (500 ms) after its first message. It
	// ends before when the stream has no more, but no sooner than Spacing (50 ms), or three times what a write takes, after
	// the one before: a lone event goes at once, and many that come one by one do not make a write each. While batches before it are being written it goes
	// on growing.
	MaxEvents int
	MaxBytes  int
	Spacing   time.Duration
	MaxWait   time.Duration
	// Writers (1) is how many batches are written at a time. While one is written the next is decoded in any case; a second
	// writer helps where a write mostly waits for a server that is far, and costs memory and processor time elsewhere.
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
		{&c.Spacing, 50 * time.Millisecond}, {&c.MaxWait, 500 * time.Millisecond},
		{&c.RetryDelay, 100 * time.Millisecond}, {&c.MaxRetryDelay, 5 * time.Second}, {&c.StopTimeout, 20 * time.Second},
		{&c.WriteTimeout, 2 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if c.MaxEvents <= 0 {
		c.MaxEvents = 25_000
	}
	if c.Writers <= 0 {
		c.Writers = 1
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 12 << 20
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

// Run consumes until ctx ends; it then writes the batch in hand, notes how far it came, and returns nil. A stream that is
// missing or cannot be reached is waited for, and so is another process that carries the events: one does at a time, and
// when it ends the next goes on at once. Run returns an error only when the connection to NATS was closed for good.
func (c *Consumer) Run(ctx context.Context) error {
	delay := c.config.RetryDelay
	for {
		carried, err := c.carryInTurn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, nats.ErrConnectionClosed) || c.config.JetStream.Conn().IsClosed():
			return &schemas.Error{
				Code: schemas.Unavailable, Message: "the connection to NATS was closed", Hint: "start the consumers again", Err: err,
			}
		case errors.Is(err, errMoved) || errors.As(err, &yielded{}):
			c.log.InfoContext(ctx, "another process goes on", "reason", err)
			continue
		}
		if carried {
			delay = c.config.RetryDelay
		}
		c.log.WarnContext(ctx, "consuming was interrupted, trying again", "error", err, "after", delay)
		pause(ctx, delay)
		delay = min(2*delay, c.config.MaxRetryDelay)
	}
}

// carryInTurn waits until it is this process's turn, and carries until something ends that. It tells whether it carried.
func (c *Consumer) carryInTurn(ctx context.Context) (carried bool, err error) {
	turn, end := context.WithCancelCause(ctx)
	defer end(nil)
	rested := make(chan struct{})
	defer close(rested)
	h, err := newHolder(c.config.JetStream.Conn(), c.positions, func(to string) {
		end(yielded{to})
		<-rested
	})
	if err != nil {
		return false, err
	}
	// Behind the release: who asks to rest is answered when everything is in order.
	defer h.close()
	at, err := h.take(turn)
	if err != nil {
		return false, cmp.Or(context.Cause(turn), err)
	}
	r := &run{Consumer: c, at: at, floor: newFloor(), end: end}
	if r.at, err = c.notEmpty(turn, at); err == nil {
		err = r.carry(turn)
	}
	releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	var yield yielded
	_ = errors.As(context.Cause(turn), &yield)
	if failed := h.release(releasing, r.at, yield.to); failed != nil && !errors.Is(failed, errMoved) {
		c.log.WarnContext(ctx, "others see only at their next look that this process does not carry any more", "error", failed)
	}
	return true, cmp.Or(context.Cause(turn), err)
}

// answerTimeout bounds the wait for a word of the stream.
const answerTimeout = 5 * time.Second

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
