package producers

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync"
	"time"

	"milepost/schemas"
)

// lines serves events one a line. Receipts are written while lines still
// arrive; a spool between the two keeps a client that first sends everything
// and only then reads from waiting for itself.
func (h *handler) lines(w http.ResponseWriter, r *http.Request, control *http.ResponseController, body io.Reader, wait waiting) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	_ = control.EnableFullDuplex() // HTTP/2 and tests need no permission
	out := startSpool(w, control, h.Idle)
	limited := &io.LimitedReader{R: body, N: h.MaxBody + 1}
	heard := h.relay(r, limited, wait, out.put)
	out.finish()
	switch {
	case !heard:
		panic(http.ErrAbortHandler) // the client is gone
	case limited.N <= 0:
		h.drain(body)
	}
}

// relay publishes lines and puts their receipts; false when nobody takes them.
// With a wish to wait the last receipt is held back until it is fulfilled or
// not, which that receipt then says.
func (h *handler) relay(r *http.Request, limited *io.LimitedReader, wait waiting, put func(Receipt) bool) bool {
	var held *Receipt
	var last uint64
	var tally Tally
	defer func() { h.done(r, tally) }()
	for receipt := range h.publishLines(r, newLineReader(limited), limited) {
		last = max(last, receipt.Seq)
		tally.Count(receipt)
		next := &receipt
		if wait.asked {
			held, next = next, held
		}
		if next != nil && !put(*next) {
			return false
		}
	}
	warnings := h.await(r.Context(), wait, last)
	if held == nil && len(warnings) > 0 {
		held = &Receipt{Warnings: []schemas.Warning{}}
	}
	if held == nil {
		return true
	}
	held.Warnings = append(held.Warnings, warnings...)
	return put(*held)
}

// drain reads what a refused body has left: in full duplex net/http cannot take
// the next request of the connection before that. A body without end ends the
// connection.
func (h *handler) drain(body io.Reader) {
	if _, err := io.CopyN(io.Discard, body, h.MaxBody); err == nil {
		panic(http.ErrAbortHandler)
	}
}

// publishLines publishes what arrives in windows: a window ends when it is
// full or when the sender pauses, so that a slow sender sees its receipts.
func (h *handler) publishLines(r *http.Request, lines *lineReader, limited *io.LimitedReader) iter.Seq[Receipt] {
	return func(yield func(Receipt) bool) {
		w := &window{publisher: h.publisher, actor: h.Actor(r)}
		// A body that breaks off ends the request's context; the lines that
		// came whole are published all the same.
		ctx := context.WithoutCancel(r.Context())
		admit := h.admission(r)
		for {
			line, number, err := lines.next()
			if err == nil && limited.N <= 0 && !lines.more() {
				err = errTooMuch // the last line may be cut
			}
			if err != nil {
				if refused := endOfLines(err, limited); refused != nil {
					w.add(Submission{Line: number, Refused: refused})
				}
				w.flush(ctx, yield)
				return
			}
			submission := lineSubmission(line, number)
			submission.Admit = admit
			w.add(submission)
			switch {
			case !lines.more():
				if !w.flush(ctx, yield) {
					return
				}
			case w.full():
				if !w.advance(ctx, yield) {
					return
				}
			}
		}
	}
}

var errTooMuch = errors.New("body over its limit")

func endOfLines(err error, limited *io.LimitedReader) *schemas.Error {
	switch {
	case limited.N <= 0:
		return &schemas.Error{Code: schemas.TooLarge, Message: "the body is too large; from here on nothing was read", Hint: "send it in several requests"}
	case errors.Is(err, io.EOF):
		return nil
	}
	return cutShort(err)
}

// spoolLimit bounds the receipts that wait for a client to read them.
const spoolLimit = 32 << 20

// spool writes receipts behind the back of the one who puts them.
type spool struct {
	mu      sync.Mutex
	changed sync.Cond
	pending []byte
	closed  bool
	failed  bool
	done    chan struct{}
}

func startSpool(w http.ResponseWriter, control *http.ResponseController, idle time.Duration) *spool {
	s := &spool{done: make(chan struct{})}
	s.changed.L = &s.mu
	go s.write(w, control, idle)
	return s
}

// put adds a receipt; false when the client is gone.
func (s *spool) put(r Receipt) bool {
	line, err := json.Marshal(r)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) > spoolLimit && !s.failed {
		s.changed.Wait()
	}
	s.pending = append(append(s.pending, line...), '\n')
	s.changed.Broadcast()
	return !s.failed
}

// finish waits until everything is written.
func (s *spool) finish() {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	<-s.done
}

func (s *spool) write(w http.ResponseWriter, control *http.ResponseController, idle time.Duration) {
	defer close(s.done)
	for {
		s.mu.Lock()
		for len(s.pending) == 0 && !s.closed {
			s.changed.Wait()
		}
		out := s.pending
		s.pending = nil
		s.changed.Broadcast()
		s.mu.Unlock()
		if len(out) == 0 {
			return
		}
		_ = control.SetWriteDeadline(time.Now().Add(idle)) // see patientReader
		_, err := w.Write(out)
		if err == nil {
			err = control.Flush()
		}
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			s.mu.Lock()
			s.failed, s.pending = true, nil
			s.changed.Broadcast()
			s.mu.Unlock()
			return
		}
	}
}
