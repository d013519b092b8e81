package consumers

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

const (
	// restLife is how long the consumer rests when the replay dies in the middle of it.
	restLife = 30 * time.Second
	// restWait bounds the wait for what the consumer has in hand; behind it the consumer goes on for a while, so that
	// what failed can be delivered again.
	restWait = 5 * time.Second
	restPoll = 5 * time.Millisecond
	// restAttempts bounds how often the consumer is made to rest.
	restAttempts = 6
	// swapTimeout bounds the exchange of the tables, and lies well within restLife.
	swapTimeout = 10 * time.Second
)

// swap makes the consumer rest, writes what is left, and exchanges the tables. It gives the applied watermark of that
// moment. The stream itself holds the consumer back, so that it may run in another process, or in several.
func (r *replay) swap(ctx context.Context) (watermark uint64, err error) {
	defer func() {
		resuming, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
		defer cancel()
		if err != nil {
			// An exchange that is still on its way must find nothing to exchange when the consumer goes on.
			if failed := r.shadow.Drop(resuming); failed != nil {
				r.Log.WarnContext(ctx, "the consumer rests a while longer, because the shadow tables cannot be dropped", "error", failed)
				return
			}
		}
		r.resume(resuming)
	}()
	for attempt := 1; ; attempt++ {
		if watermark, err = r.rest(ctx); err == nil {
			var still bool
			if still, err = r.finish(ctx, watermark); err != nil {
				return 0, err
			}
			if still {
				return watermark, nil
			}
			err = restless()
		}
		if attempt == restAttempts || ctx.Err() != nil {
			return 0, err
		}
		r.Log.WarnContext(ctx, "the consumer did not come to rest, trying again", "error", err)
		r.resume(ctx)
		pause(ctx, time.Duration(attempt)*restWait/2)
	}
}

func restless() error {
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "the consumer does not come to rest: messages that it took are neither written nor given back",
		Hint: "check that the consumers run and that ClickHouse answers; nothing was changed, start the replay again",
	}
}

// rest holds the consumer back and waits until it has nothing in hand; it gives the applied watermark.
func (r *replay) rest(ctx context.Context) (uint64, error) {
	if _, err := r.holdBack(ctx); err != nil {
		return 0, err
	}
	deadline := time.NewTimer(restWait)
	defer deadline.Stop()
	for {
		info, err := consumerInfo(ctx, r.JetStream)
		if err != nil {
			return 0, err
		}
		if info.Paused && info.NumAckPending == 0 {
			return max(info.AckFloor.Stream, info.Delivered.Stream), nil
		}
		select {
		case <-deadline.C:
			return 0, restless()
		default:
			pause(ctx, restPoll)
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
}

// finish writes what the consumer has written, checks it, and exchanges the tables; false when the consumer went on in
// between, because the writing took longer than it rested.
func (r *replay) finish(ctx context.Context, watermark uint64) (bool, error) {
	if err := r.copyUpTo(ctx, watermark); err != nil {
		return false, err
	}
	if err := r.account(ctx); err != nil {
		return false, err
	}
	r.progress(ReplaySwapping, watermark)
	info, err := r.holdBack(ctx)
	if err != nil {
		return false, err
	}
	if !info.Paused || info.NumAckPending > 0 || max(info.AckFloor.Stream, info.Delivered.Stream) != watermark {
		return false, nil
	}
	swapping, cancel := context.WithTimeout(ctx, swapTimeout)
	defer cancel()
	if err := r.shadow.Swap(swapping); err != nil {
		return false, err
	}
	return true, nil
}

// holdBack lets the stream deliver nothing for restLife from now on, by the clock of the stream.
func (r *replay) holdBack(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	info, err := consumerInfo(ctx, r.JetStream)
	if err != nil {
		return nil, err
	}
	if _, err := r.JetStream.PauseConsumer(ctx, schemas.StreamName, Durable, info.TimeStamp.Add(restLife)); err != nil {
		return nil, streamAway("held back (NATS 2.11 or later is needed)", err)
	}
	return consumerInfo(ctx, r.JetStream)
}

func (r *replay) resume(ctx context.Context) {
	if _, err := r.JetStream.ResumeConsumer(ctx, schemas.StreamName, Durable); err != nil {
		r.Log.WarnContext(ctx, "the consumer goes on by itself in a while", "after", restLife, "error", err)
	}
}

func consumerInfo(ctx context.Context, js jetstream.JetStream) (*jetstream.ConsumerInfo, error) {
	consumer, err := js.Consumer(ctx, schemas.StreamName, Durable)
	if err != nil {
		return nil, streamAway("read", err)
	}
	return consumer.CachedInfo(), nil
}
