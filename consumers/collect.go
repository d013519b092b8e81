package consumers

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
)

// batch is what is written together, and the messages that it came in.
type batch struct {
	messages []jetstream.Msg
	bytes    int
	content  warehouse.Batch
}

// pending is how many messages the stream had left when it delivered the last one of the batch.
func (b *batch) pending() uint64 {
	metadata, err := b.messages[len(b.messages)-1].Metadata()
	if err != nil {
		return 0
	}
	return metadata.NumPending
}

// end gives the sequence of the last message of the batch, and whether the stream had more behind it.
func (b *batch) end() (sequence uint64, more bool) {
	metadata, err := b.messages[len(b.messages)-1].Metadata()
	if err != nil {
		return 0, false
	}
	return metadata.Sequence.Stream, metadata.NumPending > 0
}

// intake takes the messages as they come. Its put waits while the batch is full, which is what holds the stream back when
// the warehouse is slow or away.
type intake struct {
	maxEvents, maxBytes int

	mu      sync.Mutex
	current *batch
	news    chan struct{} // has room for one: current got its first message, or became full
	room    chan struct{} // has room for one: current was taken
	spare   []*batch      // whose memory is used again
}

func newIntake(maxEvents, maxBytes int) *intake {
	return &intake{
		maxEvents: maxEvents, maxBytes: maxBytes, current: &batch{},
		news: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// put adds a message; false when ended comes first. It is called by one goroutine.
func (q *intake) put(message jetstream.Msg, ended <-chan struct{}) bool {
	for {
		q.mu.Lock()
		if !q.full() {
			break
		}
		q.mu.Unlock()
		select {
		case <-q.room:
		case <-ended:
			return false
		}
	}
	b := q.current
	b.messages = append(b.messages, message)
	b.bytes += len(message.Data())
	tell := len(b.messages) == 1 || q.full()
	q.mu.Unlock()
	if tell {
		signal(q.news)
	}
	return true
}

func (q *intake) full() bool {
	return len(q.current.messages) >= q.maxEvents || q.current.bytes >= q.maxBytes
}

// look tells how the batch at hand stands: how many messages it has, whether it is full, and whether the stream has more
// for it.
func (q *intake) look() (messages int, full, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	messages, full = len(q.current.messages), q.full()
	return messages, full, messages > 0 && !full && q.current.pending() > 0
}

// take gives the batch at hand.
func (q *intake) take() *batch {
	q.mu.Lock()
	b := q.current
	q.current = &batch{}
	if n := len(q.spare); n > 0 {
		q.current, q.spare = q.spare[n-1], q.spare[:n-1]
	}
	q.mu.Unlock()
	signal(q.room)
	return b
}

// giveBack takes a batch whose messages are done with.
func (q *intake) giveBack(b *batch) {
	clear(b.messages)
	clear(b.content.Deliveries)
	b.messages, b.bytes = b.messages[:0], 0
	b.content = warehouse.Batch{Deliveries: b.content.Deliveries[:0]}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare = append(q.spare, b)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// collect hands on batches when they are ripe: full; or the stream has no more and the last batch went long enough ago; or
// the oldest message has waited long enough. It ends with the subscription, when the last batch is handed on, and closes
// batches.
func (c *Consumer) collect(q *intake, ended <-chan struct{}, batches chan<- *batch) {
	defer close(batches)
	var first, last time.Time // of the batch at hand; when the last was handed on
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		messages, full, more := q.look()
		now := time.Now()
		switch {
		case messages == 0:
			first = time.Time{}
		case first.IsZero():
			first = now
		}
		if messages > 0 {
			wait = c.ripens(now, first, last, more)
			if full {
				wait = 0
			}
		}
		if wait <= 0 {
			batches <- q.take()
			first, last = time.Time{}, time.Now()
			continue
		}
		timer.Reset(wait)
		select {
		case <-q.news:
		case <-timer.C:
		case <-ended:
			if b := q.take(); len(b.messages) > 0 {
				batches <- b
			}
			return
		}
	}
}

// look again after so long whether the stream has more for a batch that is not full.
const recheck = 5 * time.Millisecond

// ripens tells how long to wait until a batch may be ripe that is not full; nothing or less means that it is.
func (c *Consumer) ripens(now, first, last time.Time, more bool) time.Duration {
	late := c.config.MaxWait - now.Sub(first)
	if more {
		return min(late, recheck)
	}
	return min(late, c.config.Spacing-now.Sub(last))
}

// giveBack lets the stream deliver the message again at once, perhaps to another process.
func (c *Consumer) giveBack(message jetstream.Msg) {
	if err := message.Nak(); err != nil {
		c.log.Warn("a message could not be given back, the stream will deliver it after the ack wait", "error", err)
	}
}
