package producers

import (
	"context"
	"errors"

	"milepost/schemas"
)

// entry is one submission on its way.
type entry struct {
	message message
	// refused tells that the message must not be sent, and twin, if it is not
	// 0, the number, counted from 1, of an equal event in the same load.
	refused bool
	twin    int
	receipt Receipt
}

// load is what travels together.
type load struct {
	entries []entry
	numbers map[string]int // of the first entry with a message id, from 1
	bytes   int
	pending []*entry
	sent    chan error // the outcome, once it is sent
}

func newLoad() *load { return &load{numbers: map[string]int{}, sent: make(chan error, 1)} }

func (l *load) reset() {
	clear(l.entries) // what it pointed to may go
	l.entries, l.pending, l.bytes = l.entries[:0], l.pending[:0], 0
	clear(l.numbers)
}

// window publishes submissions in loads: while one is on its way to the stream
// the next is gathered and validated. It is not sent before the stream has the
// one before, because what follows a lost event could not be taken back. It
// belongs to one goroutine.
type window struct {
	publisher *Publisher
	actor     string
	filling   *load
	flying    *load // nil when nothing is on its way
	spare     *load
	// repeats tells that the stream knew something of the load before.
	repeats bool
	// away is set once the stream stayed away; nothing is sent after that.
	away error
}

func (w *window) add(s Submission) {
	if w.filling == nil {
		w.filling = w.spare
		if w.spare = nil; w.filling == nil {
			w.filling = newLoad()
		}
	}
	l := w.filling
	l.entries = append(l.entries, entry{})
	e := &l.entries[len(l.entries)-1]
	w.publisher.admit(e, s, w.actor)
	l.bytes += len(s.Raw)
	if e.refused {
		return
	}
	if e.twin = l.numbers[e.message.id]; e.twin == 0 {
		l.numbers[e.message.id] = len(l.entries)
	}
}

func (w *window) full() bool {
	l := w.filling
	return l != nil && (len(l.entries) >= w.publisher.window || l.bytes >= windowBytes)
}

// advance sends what was gathered as soon as the stream has what was sent
// before, and yields the receipts of that; false when the caller wants no more.
// What was gathered is then acknowledged all the same, without anybody hearing.
func (w *window) advance(ctx context.Context, yield func(Receipt) bool) bool {
	landed := w.land()
	w.launch(ctx)
	if !w.yield(landed, yield) {
		w.land()
		return false
	}
	return true
}

// flush sends everything that was gathered and yields all receipts; false when
// the caller wants no more.
func (w *window) flush(ctx context.Context, yield func(Receipt) bool) bool {
	return w.advance(ctx, yield) && w.yield(w.land(), yield)
}

// launch sends what was gathered.
func (w *window) launch(ctx context.Context) {
	l := w.filling
	if l == nil {
		return
	}
	w.filling, w.flying = nil, l
	for i := range l.entries {
		if e := &l.entries[i]; !e.refused && e.twin == 0 {
			l.pending = append(l.pending, e)
		}
	}
	if w.away != nil || len(l.pending) == 0 {
		l.sent <- w.away
		return
	}
	go func() { l.sent <- w.publisher.send(ctx, l.pending, &w.repeats) }()
}

// land waits for what is on its way, if anything is, and completes its
// receipts.
func (w *window) land() *load {
	l := w.flying
	if l == nil {
		return nil
	}
	w.flying = nil
	if w.away = <-l.sent; w.away != nil {
		for _, e := range l.pending {
			if e.receipt.Seq == 0 && e.receipt.Error == nil {
				e.receipt.Error = unavailable(w.away)
			}
		}
	}
	for i := range l.entries {
		if e := &l.entries[i]; e.twin != 0 {
			first := &l.entries[e.twin-1].receipt
			e.receipt.Seq, e.receipt.Error = first.Seq, first.Error
			e.receipt.Duplicate = first.Error == nil
		}
	}
	return l
}

// yield gives the receipts of a load that is through; false when the caller
// wants no more.
func (w *window) yield(l *load, yield func(Receipt) bool) bool {
	if l == nil {
		return true
	}
	for i := range l.entries {
		if !yield(l.entries[i].receipt) {
			return false
		}
	}
	l.reset()
	w.spare = l
	return true
}

func unavailable(cause error) *schemas.Error {
	var e *schemas.Error
	if errors.As(cause, &e) && e.Code == schemas.Unavailable {
		return e
	}
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "the stream did not acknowledge the event",
		Hint: "send it again: what had arrived all the same is recognised", Err: cause,
	}
}

// asError gives err as the contract's error.
func asError(err error) *schemas.Error {
	var e *schemas.Error
	if errors.As(err, &e) {
		return e
	}
	return &schemas.Error{Code: schemas.Internal, Message: "unexpected failure", Hint: "see the server's log", Err: err}
}
