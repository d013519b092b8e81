package consumers

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"milepost/schemas"
)

const (
	holderSubjects = "milepost.holder."
	// standby is how often a process that waits looks whether it is needed.
	standby = 200 * time.Millisecond
	// holderTimeout bounds one question to a holder, and silentMost how long one that is connected and says nothing is
	// still taken for alive.
	holderTimeout = time.Second
	silentMost    = 30 * time.Second
)

var (
	questionAlive = []byte("alive?")
	questionYield = []byte("yield to ") // and who asks
)

// yielded ends the carrying because another holder asked for the position.
type yielded struct{ to string }

func (y yielded) Error() string { return "another process asked this one to rest" }

// holder is one who may hold the position. While it lives it answers on a subject of its own: NATS itself tells the
// others at once when its connection has ended, so that nobody waits for a lease to run out, and no clock matters.
type holder struct {
	id        string
	conn      *nats.Conn
	positions *positions
	answers   *nats.Subscription
}

// newHolder answers until close. A request to yield the position to another holder is answered when yield returns.
func newHolder(conn *nats.Conn, p *positions, yield func(to string)) (*holder, error) {
	h := &holder{id: nuid.Next(), conn: conn, positions: p}
	var err error
	h.answers, err = conn.Subscribe(holderSubjects+h.id, func(question *nats.Msg) {
		if to, ok := bytes.CutPrefix(question.Data, questionYield); ok {
			go func() {
				yield(string(to))
				_ = question.Respond(nil) // who asked has a time limit
			}()
			return
		}
		_ = question.Respond(nil)
	})
	if err != nil {
		return nil, err
	}
	return h, conn.Flush()
}

func (h *holder) close() { _ = h.answers.Unsubscribe() }

// take waits until nobody else who lives holds the position, and takes it.
func (h *holder) take(ctx context.Context) (position, error) {
	if err := h.positions.prepare(ctx); err != nil {
		return position{}, err
	}
	silent := silence{}
	for {
		at, err := h.positions.read(ctx)
		if err != nil {
			return position{}, err
		}
		if at.Holder != "" && at.Holder != h.id && h.lives(ctx, at.Holder, &silent) {
			pause(ctx, standby)
			if ctx.Err() != nil {
				return position{}, ctx.Err()
			}
			continue
		}
		first := at.revision == 0
		if at, err = h.verified(ctx, at); err != nil {
			return position{}, err
		}
		at.Holder = h.id
		if at, err = h.positions.write(ctx, at); errors.Is(err, errMoved) {
			continue
		}
		if first && err == nil {
			// It costs the stream a little for nothing, when it stays.
			_ = h.positions.js.DeleteConsumer(ctx, schemas.StreamName, formerDurable)
		}
		return at, err
	}
}

// release lets another go on at once, whoever is first when to is empty.
func (h *holder) release(ctx context.Context, at position, to string) error {
	at.Holder = to
	_, err := h.positions.write(ctx, at)
	return err
}

// ask has the present holder yield the position to this one; it returns when that rests. A holder that is dead has
// nothing to yield.
func (h *holder) ask(ctx context.Context) (position, error) {
	at, err := h.positions.read(ctx)
	if err != nil || at.Holder == h.id {
		return at, err
	}
	if at.Holder != "" {
		_, err := h.conn.RequestWithContext(ctx, holderSubjects+at.Holder, append(bytes.Clone(questionYield), h.id...))
		if err != nil && !errors.Is(err, nats.ErrNoResponders) {
			return at, err
		}
		if at, err = h.positions.read(ctx); err != nil || at.Holder == h.id {
			return at, err
		}
	}
	at.Holder = h.id
	return h.positions.write(ctx, at)
}

// silence is since when a holder has not answered.
type silence struct {
	holder string
	since  time.Time
}

// lives asks a holder. One that has no connection any more is dead; one that has and does not answer, is so after a while.
func (h *holder) lives(ctx context.Context, id string, s *silence) bool {
	err := askAlive(ctx, h.conn, id)
	switch {
	case err == nil:
		*s = silence{}
		return true
	case errors.Is(err, nats.ErrNoResponders):
		return false
	case s.holder != id:
		*s = silence{id, time.Now()}
		return true
	}
	return time.Since(s.since) < silentMost
}

func askAlive(ctx context.Context, conn *nats.Conn, id string) error {
	asking, cancel := context.WithTimeout(ctx, holderTimeout)
	defer cancel()
	_, err := conn.RequestWithContext(asking, holderSubjects+id, questionAlive)
	return err
}

// Carried tells whether a process that lives carries the events. An error has the code unavailable.
func (a *Applied) Carried(ctx context.Context) (bool, error) {
	at, err := a.positions.read(ctx)
	if err != nil {
		return false, unreadPosition(err)
	}
	return at.Holder != "" && !errors.Is(askAlive(ctx, a.js.Conn(), at.Holder), nats.ErrNoResponders), nil
}

// verified holds a position against the stream. A stream that ends before it, or has another message there, is not the
// one that was carried: a server that did not write to the disk at once lost its end with the power, or it was restored.
// Everything is then carried again, which changes nothing of what is right.
func (h *holder) verified(ctx context.Context, at position) (position, error) {
	stream, err := h.positions.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return at, err
	}
	if at.revision == 0 {
		return h.inherited(ctx, stream)
	}
	if at.Sequence == 0 {
		return at, nil
	}
	state := stream.CachedInfo().State
	if at.Sequence > state.LastSeq {
		return position{revision: at.revision}, nil
	}
	message, err := stream.GetMsg(ctx, at.Sequence)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound): // removed since
		return at, nil
	case err != nil:
		return at, err
	case !at.RecordedAt.IsZero() && !message.Time.Equal(at.RecordedAt):
		return position{revision: at.revision}, nil
	}
	return at, nil
}

// formerDurable is the consumer of the stream that told the position before there was a record of it.
const formerDurable = "MILEPOST_WAREHOUSE"

// inherited gives the first position.
func (h *holder) inherited(ctx context.Context, stream jetstream.Stream) (position, error) {
	former, err := stream.Consumer(ctx, formerDurable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return position{}, nil
	}
	if err != nil {
		return position{}, err
	}
	return position{Sequence: former.CachedInfo().AckFloor.Stream}, nil
}
