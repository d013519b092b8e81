package consumers

import (
	"context"
	"errors"
	"time"

	"milepost/consumers/warehouse"
)

// apply writes a batch, as often as it takes, and notes the position. The end of ctx does not end a write that is under
// way, but bounds it; a batch that is not written then is carried again from the position on.
func (r *run) apply(ctx context.Context, b *batch) {
	writing, cancel := outlive(ctx, r.config.StopTimeout)
	defer cancel()
	for failures := 1; ; failures++ {
		r.checks.begin(b)
		started := time.Now()
		written, err := r.write(writing, b.content)
		took := time.Since(started)
		r.config.OnWrite(b.messages, took, err)
		if err == nil {
			r.lastWrite.Store(int64(took))
			r.Counters.add(written)
			break
		}
		r.checks.end()
		r.Counters.Retries.Add(1)
		r.log.WarnContext(ctx, "a batch was not written, it is tried again", "messages", b.messages, "error", err)
		pause(ctx, r.retryDelay(failures))
		if ctx.Err() != nil {
			return
		}
	}
	if r.checks.end() {
		r.settle(writing)
	}
	r.floor.wrote(b.number, b.last)
	r.note(writing)
}

func (r *run) write(ctx context.Context, b warehouse.Batch) (warehouse.Written, error) {
	ctx, cancel := context.WithTimeout(ctx, r.config.WriteTimeout)
	defer cancel()
	return r.config.Store.Write(ctx, b)
}

// note writes down how far everything is written, and tells of it. When another process wrote the position since, that
// one carries on and this run ends.
func (r *run) note(ctx context.Context) {
	r.noting.Lock()
	defer r.noting.Unlock()
	for failures := 1; ; failures++ {
		reached := r.floor.reached()
		if reached.sequence <= r.at.Sequence {
			return
		}
		next := r.at
		next.Sequence, next.RecordedAt = reached.sequence, reached.recordedAt
		err := r.move(ctx, next)
		if err == nil {
			break
		}
		if errors.Is(err, errMoved) || r.config.JetStream.Conn().IsClosed() {
			r.end(err)
			return
		}
		r.Counters.PositionRetries.Add(1)
		r.log.WarnContext(ctx, "the position was not noted, it is tried again", "sequence", reached.sequence, "error", err)
		pause(ctx, r.retryDelay(failures))
		if ctx.Err() != nil {
			return
		}
	}
	r.announce()
	r.config.OnApplied(r.at.Sequence)
}

// move writes the position; without an error r.at is at it or further.
func (r *run) move(ctx context.Context, next position) error {
	asking, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	written, err := r.positions.write(asking, next)
	if err == nil {
		r.at = written
		return nil
	}
	if !errors.Is(err, errMoved) {
		return err
	}
	// The answer to an attempt before may have been lost, and the record is this process's own.
	stored, failed := r.positions.read(asking)
	switch {
	case failed != nil:
		return failed
	case stored.Holder != next.Holder:
		return errMoved
	}
	r.at = stored
	if stored.Sequence < next.Sequence {
		return errors.New("the position was written before")
	}
	return nil
}

// outlive gives a context that ends grace after ctx does.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		pause(late, grace)
		cancel()
	})
	return late, func() {
		stop()
		cancel()
	}
}
