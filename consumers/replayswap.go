package consumers

import (
	"context"
	"time"

	"milepost/schemas"
)

const (
	// restWait bounds the wait for what the consumer has in hand.
	restWait = 10 * time.Second
	// restAttempts bounds how often the consumer is asked to rest.
	restAttempts = 6
	// swapTimeout bounds the exchange of the tables. It lies well within what others take a silent holder for alive.
	swapTimeout = 10 * time.Second
)

// swap makes the consumer rest, writes what is left, and exchanges the tables. It gives the applied watermark of that
// moment. The position itself is what it holds meanwhile, so that it does not matter in which process the consumer runs.
func (r *replay) swap(ctx context.Context) (watermark uint64, err error) {
	ended := make(chan struct{})
	h, err := newHolder(r.JetStream.Conn(), r.positions, func(string) { <-ended })
	if err != nil {
		return 0, streamAway("held back", err)
	}
	defer close(ended)
	defer h.close()
	defer func() {
		resuming, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
		defer cancel()
		if err != nil {
			// An exchange that is still on its way must find nothing to exchange when the consumer goes on.
			if failed := r.shadow.Drop(resuming); failed != nil {
				r.Log.WarnContext(ctx, "the consumer rests a while longer, because the shadow tables cannot be dropped", "error", failed)
				pause(resuming, cleanUpTimeout)
			}
		}
		r.resume(ctx, h)
	}()
	for attempt := 1; ; attempt++ {
		var at position
		if at, err = r.rest(ctx, h); err == nil {
			var still bool
			if still, err = r.finish(ctx, at); err != nil {
				return 0, err
			}
			if still {
				return r.goOn(ctx, at)
			}
			err = restless(nil)
		}
		if attempt == restAttempts || ctx.Err() != nil {
			return 0, err
		}
		r.Log.WarnContext(ctx, "the consumer did not come to rest, trying again", "error", err)
		pause(ctx, time.Duration(attempt)*time.Second)
	}
}

// goOn decides where the consumer goes on, and gives the sequence up to which tables can be compared. A consumer that would
// next carry what the stream does not hold any more goes on behind what was replayed.
func (r *replay) goOn(ctx context.Context, at position) (uint64, error) {
	n, err := lacking(ctx, r.JetStream, at.Sequence)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return at.Sequence, nil
	}
	if r.ahead = (mark{sequence: r.reader.position}); r.last.sequence == r.reader.position {
		r.ahead = r.last
	}
	return r.reader.position, nil
}

func restless(err error) error {
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "the consumer does not come to rest: what it took is not written yet",
		Hint: "check that the consumers run and that ClickHouse answers; nothing was changed, start the replay again", Err: err,
	}
}

// rest takes the position from the consumer when it has nothing in hand.
func (r *replay) rest(ctx context.Context, h *holder) (position, error) {
	asking, cancel := context.WithTimeout(ctx, restWait)
	defer cancel()
	at, err := h.ask(asking)
	if err != nil {
		return at, restless(err)
	}
	return at, nil
}

// resume gives the position back, when this process has it.
func (r *replay) resume(ctx context.Context, h *holder) {
	resuming, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	at, err := r.positions.read(resuming)
	if err == nil && at.Holder == h.id {
		if r.ahead.sequence > at.Sequence {
			at.Sequence, at.RecordedAt = r.ahead.sequence, r.ahead.recordedAt
		}
		err = h.release(resuming, at, "")
	}
	if err != nil {
		// It does so when this process does not answer any more.
		r.Log.WarnContext(ctx, "the consumer goes on by itself in a moment", "error", err)
	}
}

// finish writes what the consumer has written, checks it, and exchanges the tables; false when the consumer went on in
// between, because this process was taken for dead.
func (r *replay) finish(ctx context.Context, at position) (bool, error) {
	if err := r.copyUpTo(ctx, at.Sequence); err != nil {
		return false, err
	}
	if err := r.account(ctx); err != nil {
		return false, err
	}
	r.progress(ReplaySwapping, at.Sequence)
	swapping, cancel := context.WithTimeout(ctx, swapTimeout)
	defer cancel()
	now, err := r.positions.read(swapping)
	if err != nil {
		return false, streamAway("read", err)
	}
	if now.revision != at.revision {
		return false, nil
	}
	if err := r.shadow.Swap(swapping); err != nil {
		return false, err
	}
	return true, nil
}
