package consumers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// run carries events from a position on, in the stages take in → decode and collect → write → note the position. While
// some batches are written the next one is decoded as it comes from the stream.
type run struct {
	*Consumer
	floor *floor
	end   context.CancelCauseFunc

	lastWrite atomic.Int64 // how long the last write took

	noting sync.Mutex // one at a time notes the position
	at     position
}

// What the stream may send ahead: enough that it never waits, and little beside the batches.
const (
	pulledMessages = 5000
	pulledBytes    = 4 << 20
)

// heartbeat is how often the stream shows that it has nothing new; after two that do not come it is asked anew.
const heartbeat = time.Second

// carry runs the stages until ctx or the stream's side ends, and then those batches to their end that were begun.
func (r *run) carry(ctx context.Context) error {
	if err := r.carryArchived(ctx); err != nil {
		return err
	}
	stream, err := r.config.JetStream.Stream(ctx, schemas.StreamName)
	if err != nil {
		return err
	}
	consumer, err := r.config.JetStream.CreateConsumer(ctx, schemas.StreamName, jetstream.ConsumerConfig{
		Description: "events into the warehouse", DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.at.Sequence + 1,
		// Nobody but this process needs to know what it took.
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return err
	}
	defer r.forget(ctx, consumer.CachedInfo().Name)
	// Also what was purged in between must not be passed over.
	if state := stream.CachedInfo().State; !isWhole(state, r.at.Sequence) {
		if n := lackingOf(state, r.at.Sequence, consumer.CachedInfo().NumPending); n > 0 {
			return gone(n, r.at.Sequence)
		}
	}
	var (
		taken   = newIntake()
		batches = make(chan *batch)
		spare   = make(chan *batch, r.config.Writers+1)
	)
	// A callback and not an iterator: the client's iterator buffers in a channel that its own status messages can
	// overflow, and drops messages then.
	subscription, err := consumer.Consume(func(message jetstream.Msg) {
		if ctx.Err() == nil {
			taken.put(message, ctx.Done())
		}
	}, jetstream.PullMaxMessagesWithBytesLimit(pulledMessages, pulledBytes),
		jetstream.PullExpiry(5*heartbeat), jetstream.PullHeartbeat(heartbeat),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { r.end(fmt.Errorf("trouble with the stream: %w", err)) }))
	if err != nil {
		return err
	}
	defer subscription.Stop()
	go r.collect(ctx, taken, spare, batches)
	go r.settleLate(ctx)
	var writers sync.WaitGroup
	for range r.config.Writers {
		writers.Go(func() {
			for b := range batches {
				r.apply(ctx, b)
				select {
				case spare <- b:
				default:
				}
			}
		})
	}
	writers.Wait()
	return nil
}

// forget lets the stream forget its consumer; else it does so by itself in a minute.
func (r *run) forget(ctx context.Context, name string) {
	forgetting, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	if err := r.config.JetStream.DeleteConsumer(forgetting, schemas.StreamName, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		r.log.DebugContext(ctx, "a consumer stays until the stream forgets it", "error", err)
	}
}
