package consumers

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// batch is what is written together: messages that follow one another.
type batch struct {
	number   uint64 // counts the batches of a run, from 0
	messages int
	bytes    int
	content  warehouse.Batch
	last     mark
	more     bool // the stream had more behind it
}

func newBatch() *batch { return &batch{content: warehouse.Batch{Rows: warehouse.NewRows()}} }

// reset makes the batch empty and keeps its memory.
func (b *batch) reset() {
	rows := b.content.Rows
	rows.Reset()
	*b = batch{content: warehouse.Batch{Rows: rows}}
}

// intake takes the messages as they come, a few at a time: so few that they are decoded while the processor still has them
// at hand. Its put waits while nobody takes them, which is what holds the stream back when the warehouse is slow or away.
type intake struct {
	mu      sync.Mutex
	waiting []jetstream.Msg
	news    chan struct{} // has room for one: there is something to take
	room    chan struct{} // has room for one: everything was taken
}

const (
	takenTogether = 128
	waitingMost   = 8 * takenTogether
)

func newIntake() *intake {
	return &intake{news: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds a message; false when ended comes first. It is called by one goroutine.
func (q *intake) put(message jetstream.Msg, ended <-chan struct{}) bool {
	for {
		q.mu.Lock()
		if len(q.waiting) < waitingMost {
			break
		}
		q.mu.Unlock()
		select {
		case <-q.room:
		case <-ended:
			return false
		}
	}
	q.waiting = append(q.waiting, message)
	tell := len(q.waiting) == 1 || len(q.waiting)%takenTogether == 0
	q.mu.Unlock()
	if tell {
		signal(q.news)
	}
	return true
}

// take gives what waits, and takes spare memory for what comes next.
func (q *intake) take(spare []jetstream.Msg) []jetstream.Msg {
	q.mu.Lock()
	taken := q.waiting
	q.waiting = spare[:0]
	q.mu.Unlock()
	signal(q.room)
	return taken
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// collector decodes messages and hands them on in batches.
type collector struct {
	*run
	taken *intake
	spare <-chan *batch // used before

	current *batch
	event   schemas.Event   // one after the other
	handed  uint64          // batches handed on
	got     uint64          // messages of the stream's consumer
	broken  bool            // a message is missing: nothing behind it is taken
	held    []jetstream.Msg // taken and not decoded yet
	memory  []jetstream.Msg // of held
	first   time.Time       // when the batch at hand got its first message
	passed  time.Time       // when the last batch was handed on
}

// collect hands on batches when they are ripe: full; or the stream has no more and the last batch went long enough ago; or
// the oldest message has waited long enough. While nobody takes it, a ripe batch goes on growing. It ends with ctx, when the
// batch at hand is handed on, and closes batches.
func (r *run) collect(ctx context.Context, q *intake, spare <-chan *batch, batches chan<- *batch) {
	defer close(batches)
	s := &collector{run: r, taken: q, spare: spare, current: newBatch()}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.gather(ctx)
		var in <-chan struct{}
		if !s.full() {
			in = q.news
		}
		var out chan<- *batch
		wait := time.Hour
		if s.current.messages > 0 {
			if wait = s.ripens(time.Now()); wait <= 0 {
				out, wait = batches, time.Hour
			}
		}
		timer.Reset(wait)
		select {
		case <-in:
		case out <- s.current:
			s.next()
		case <-timer.C:
		case <-ctx.Done():
			if s.current.messages > 0 {
				batches <- s.current
			}
			return
		}
	}
}

// gather decodes what was taken in, as far as there is room in the batch.
func (s *collector) gather(ctx context.Context) {
	for !s.full() && !s.broken && ctx.Err() == nil {
		if len(s.held) == 0 {
			clear(s.memory)
			s.memory = s.taken.take(s.memory)
			s.held = s.memory
		}
		if len(s.held) == 0 {
			return
		}
		if s.current.messages == 0 {
			s.first = time.Now()
		}
		n := 0
		for ; n < len(s.held) && !s.full() && !s.broken; n++ {
			s.decodeInto(ctx, s.current, s.held[n])
		}
		s.held = s.held[n:]
	}
}

func (s *collector) full() bool {
	return s.current.messages >= s.config.MaxEvents || s.current.bytes >= s.config.MaxBytes
}

// next begins another batch.
func (s *collector) next() {
	s.passed = time.Now()
	s.handed++
	select {
	case s.current = <-s.spare:
		s.current.reset()
	default:
		s.current = newBatch()
	}
	s.current.number = s.handed
}

// recheck is how soon to look again whether the stream has more for a batch that is not full.
const recheck = 5 * time.Millisecond

// ripens tells how long to wait until the batch may be ripe; nothing or less means that it is.
func (s *collector) ripens(now time.Time) time.Duration {
	if s.full() {
		return 0
	}
	late := s.config.MaxWait - now.Sub(s.first)
	if s.current.more {
		return min(late, recheck)
	}
	return min(late, max(s.config.Spacing, writeShare*time.Duration(s.lastWrite.Load()))-now.Sub(s.passed))
}

// writeShare is how many times as long as a write takes the next one waits for more: a machine that is busy makes fewer and
// larger batches.
const writeShare = 3

// expectFrom is the number of messages that tell how large those behind them will be.
const expectFrom = 1000

// lookedUpAlways is up to how many events of a batch are looked up for conflicts one by one.
const lookedUpAlways = 500

// decodeInto adds a message to a batch.
func (s *collector) decodeInto(ctx context.Context, b *batch, message jetstream.Msg) {
	at, err := placeOf(message)
	if err != nil {
		// Only a message without the stream's reply subject has none: the stream did not send it.
		s.log.ErrorContext(ctx, "a message that is not the stream's was ignored", "subject", message.Subject(), "error", err)
		return
	}
	if s.got++; at.number != s.got {
		s.broken = true
		s.end(errGap)
		return
	}
	b.messages++
	b.bytes += len(message.Data())
	b.last, b.more = mark{at.sequence, at.recordedAt}, at.pending > 0
	if b.messages == expectFrom && at.pending > 0 {
		b.content.Rows.Expect(int(min(uint64(s.config.MaxEvents), expectFrom+at.pending)))
	}
	record := recordOf(message, at)
	delivery, letter := decode(s.config.Decoder, s.config.Actors, record, &s.event)
	if letter == nil {
		if err := b.content.Rows.Add(&delivery); err != nil {
			letter = deadLetter(s.config.Actors, record, asReason(err))
		}
	}
	if letter != nil {
		b.content.DeadLetters = append(b.content.DeadLetters, *letter)
		s.log.WarnContext(ctx, "dead letter", "sequence", letter.Sequence, "subject", letter.Subject, "code", letter.Reason.Code,
			"field", letter.Reason.Field, "reason", letter.Reason.Message)
	}
	// Looking up many costs as much as looking at everything, which is done once behind all of them.
	b.content.Backlog = b.content.Rows.Len() > lookedUpAlways
}
