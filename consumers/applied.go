package consumers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Applied tells how far the warehouse has come. It asks the stream, and so works in a process that does not run the
// consumer, too.
type Applied struct {
	js        jetstream.JetStream
	positions *positions
	after     func(time.Duration) <-chan time.Time

	mu      sync.Mutex
	changed chan struct{} // closed when this process has applied something
}

// NewApplied watches how far the warehouse has come with the stream.
func NewApplied(js jetstream.JetStream) *Applied {
	return &Applied{js: js, positions: &positions{js: js}, after: time.After, changed: make(chan struct{})}
}

// Watermark is the applied watermark: the greatest sequence at and below which every message is durably in the warehouse
// or the dead letters (the specification, §4). It is 0 as long as no consumer ever ran. An error has the code
// unavailable.
//
// It is the position that the consumers note, and no maximum of what is in a table, because batches may be written out of
// order. A message that was removed from the stream before it was carried leaves a gap that the watermark steps over with
// the next message.
func (a *Applied) Watermark(ctx context.Context) (uint64, error) {
	at, err := a.positions.read(ctx)
	if err == nil && at.revision == 0 {
		// Before the first position there must at least be events.
		_, err = a.js.Stream(ctx, schemas.StreamName)
	}
	if err != nil {
		return 0, unreadPosition(err)
	}
	return at.Sequence, nil
}

func unreadPosition(err error) error {
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "the applied watermark cannot be read from the stream",
		Hint: "check that NATS runs and that the stream " + schemas.StreamName + " exists", Err: err,
	}
}

// How long WaitApplied waits before it asks again, unless the consumer of this process has news.
const (
	firstPoll = 2 * time.Millisecond
	lastPoll  = 200 * time.Millisecond
)

// WaitApplied returns when the watermark has reached the sequence. When ctx ends before, the error has the code
// unavailable and says where the watermark stands; it wraps the context's error.
func (a *Applied) WaitApplied(ctx context.Context, sequence uint64) error {
	delay := firstPoll
	var watermark uint64
	for {
		news := a.news()
		current, err := a.Watermark(ctx)
		if err == nil {
			watermark = current
		}
		if watermark >= sequence {
			return nil
		}
		select {
		case <-ctx.Done():
			// The last answer of the stream says more than that the time is up.
			return &schemas.Error{
				Code: schemas.Unavailable, Message: fmt.Sprintf("sequence %d is not applied yet, the watermark is %d", sequence, watermark),
				Hint: "nothing is lost; check that the consumers run and that ClickHouse answers", Err: errors.Join(ctx.Err(), err),
			}
		case <-news:
			delay = firstPoll
		case <-a.after(delay):
			delay = min(2*delay, lastPoll)
		}
	}
}

func (a *Applied) news() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

// announce wakes those who wait.
func (a *Applied) announce() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.changed)
	a.changed = make(chan struct{})
}
