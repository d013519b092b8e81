package pages

import (
	"context"
	"sync"
	"time"

	"milepost/schemas"
)

// current is the newest ledger of today. While a newer one is made, which takes
// its time where there are many projects, the one before answers.
type current struct {
	mu     sync.Mutex
	newest *snapshot
	making *making // nil when none is made
}

// making is a newer ledger that is being made. One is made at a time, for all
// who wait: the next one knows what has come meanwhile.
type making struct {
	judged chan struct{} // closed when the ledger is there, or cannot be made
	done   chan struct{} // closed when it is the newest one with its board, too
	s      *snapshot     // once judged
	err    error
}

// patience is how long a page waits for the newest ledger before it shows the
// one before; the page's number says what it knows.
const patience = 150 * time.Millisecond

// now gives the ledger of today that knows at least the sequence.
func (p *Pages) now(ctx context.Context, least uint64) (*snapshot, error) {
	for {
		watermark, err := p.Knowledge.Watermark(ctx)
		if err != nil {
			return nil, err
		}
		want := cut{schemas.DateOf(p.Now()), max(watermark, least)}
		newest, m := p.newestOrMaking(ctx, want)
		if m == nil {
			return newest, nil
		}
		if newest.answers(want, least) {
			return p.newerInTime(ctx, m)
		}
		if err := waitFor(ctx, m.judged); err != nil {
			return nil, err
		}
		if m.err != nil {
			return nil, m.err
		}
		if m.s.answers(want, least) {
			p.adopt(m.s) // what follows on what was sent sees it, too
			return m.s, nil
		}
		// It was begun before the sequence was known.
		if err := waitFor(ctx, m.done); err != nil {
			return nil, err
		}
	}
}

// answers tells whether a page may show the ledger where another one is wanted,
// which knows at least a sequence. An empty ledger is no answer while there may
// be another.
func (s *snapshot) answers(want cut, least uint64) bool {
	return s != nil && s.asOf == want.asOf && s.known >= least && (s.known >= want.known || len(s.ledger.Standings) > 0)
}

// newestOrMaking gives the newest ledger, and the newer one that is made unless
// the newest is the one that is wanted.
func (p *Pages) newestOrMaking(ctx context.Context, want cut) (*snapshot, *making) {
	c := &p.current
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.newest != nil && c.newest.asOf == want.asOf && c.newest.known >= want.known {
		return c.newest, nil
	}
	if c.making == nil {
		c.making = &making{judged: make(chan struct{}), done: make(chan struct{})}
		go p.refresh(context.WithoutCancel(ctx), want, c.making)
	}
	return c.newest, c.making
}

// newerInTime waits a little for the newer one.
func (p *Pages) newerInTime(ctx context.Context, m *making) (*snapshot, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-m.done:
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.current.mu.Lock()
	defer p.current.mu.Unlock()
	return p.current.newest, nil
}

func waitFor(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refresh makes a newer ledger. It does not wait for those of other days.
func (p *Pages) refresh(ctx context.Context, want cut, m *making) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTime)
	defer cancel()
	m.s, m.err = p.takeSnapshot(ctx, want)
	close(m.judged)
	err := m.err
	if err == nil {
		// The one before answers until the board is there, too.
		err = m.s.warm()
		p.adopt(m.s)
	}
	if err != nil {
		p.Log.WarnContext(ctx, "the pages' ledger was not refreshed; it is tried again", "error", err)
	}
	p.current.mu.Lock()
	p.current.making = nil
	p.current.mu.Unlock()
	close(m.done)
}

// adopt makes the ledger the newest one, if it is. The one before goes to those
// of other days, where links of pages still find it unless it is too large.
func (p *Pages) adopt(s *snapshot) {
	c := &p.current
	c.mu.Lock()
	before := c.newest
	newer := before == nil || s.asOf > before.asOf || s.asOf == before.asOf && s.known > before.known
	if newer {
		c.newest = s
	}
	c.mu.Unlock()
	if !newer {
		return
	}
	p.snapshots.remove(s.cut)
	if before != nil {
		p.snapshots.offer(before.cut, before)
	}
}

// at gives the ledger of a cut, which may be the newest one.
func (p *Pages) at(ctx context.Context, c cut) (*snapshot, error) {
	p.current.mu.Lock()
	newest := p.current.newest
	p.current.mu.Unlock()
	if newest != nil && newest.cut == c {
		return newest, nil
	}
	return p.snapshots.get(ctx, c)
}

// newestOf tells whether a ledger of the day is there already.
func (p *Pages) newestOf(day schemas.Date) bool {
	p.current.mu.Lock()
	defer p.current.mu.Unlock()
	return p.current.newest != nil && p.current.newest.asOf == day
}

// warmEvery is how often it is looked whether a new day has begun, and what
// nobody asked for.
const warmEvery = time.Minute

// Warm makes today's ledger and board before somebody asks for them, at the
// start and on each new day, until ctx ends. It closes warm when the first are
// there, or cannot be made.
func (p *Pages) Warm(ctx context.Context, warm chan<- struct{}) {
	tick := time.NewTicker(warmEvery)
	defer tick.Stop()
	for {
		if !p.newestOf(schemas.DateOf(p.Now())) {
			if err := p.warm(ctx); err != nil && ctx.Err() == nil {
				p.Log.WarnContext(ctx, "the pages' ledger was not made beforehand; the first who asks waits for it", "error", err)
			}
		}
		if warm != nil {
			close(warm)
			warm = nil
		}
		p.snapshots.forgetIdle()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *Pages) warm(ctx context.Context) error {
	s, err := p.now(ctx, 0)
	if err != nil {
		return err
	}
	return s.warm()
}
