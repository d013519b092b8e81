package consumers

import (
	"context"
	"sync"
	"time"
)

// A look for conflicts reads the hashes of everything that was ever delivered. One that took longer than looksFree is
// followed by a rest of restShare times as long, restMost at most, so that looking does not become what a full warehouse
// mostly does.
const (
	looksFree = 250 * time.Millisecond
	restShare = 20
	restMost  = 10 * time.Second
	// looksLate is how often to see whether a look was put off that can be taken now.
	looksLate = time.Second
)

// checks knows when conflicts are to be looked for: behind the last batch of a backlog, when no other one is being written.
type checks struct {
	mu sync.Mutex
	// settled is false while a check may be owed; the process before may have left one.
	settled bool
	writing int
	// more tells whether the stream had more behind the newest batch.
	more   bool
	newest uint64
	rest   time.Time // no look before that
}

// begin notes that a batch is about to be written.
func (s *checks) begin(b *batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing++
	if b.last.sequence >= s.newest {
		s.newest, s.more = b.last.sequence, b.more
	}
	if b.content.Backlog {
		s.settled = false
	}
}

// end notes that a batch was written, or failed, and tells whether it is time to look.
func (s *checks) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing--
	return s.due()
}

func (s *checks) due() bool {
	return s.writing == 0 && !s.more && !s.settled && !time.Now().Before(s.rest)
}

// late tells whether it is time for a look that was put off.
func (s *checks) late() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest > 0 && s.due()
}

// done notes a look that ended well or not, and how long it took.
func (s *checks) done(well bool, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled = well && s.writing == 0
	if well && took > looksFree {
		s.rest = time.Now().Add(min(restShare*took, restMost))
	}
}

// settle looks for the conflicts of a backlog, before its last batch counts as applied: who waited for the watermark finds
// them. A failure costs nothing, because whoever reads conflicts settles them first.
func (c *Consumer) settle(ctx context.Context) {
	started := time.Now()
	err := c.config.Store.SettleConflicts(ctx)
	c.checks.done(err == nil, time.Since(started))
	if err != nil {
		c.log.WarnContext(ctx, "conflicts are looked for later", "error", err)
	}
}

// settleLate takes the looks that were put off, until ctx ends.
func (c *Consumer) settleLate(ctx context.Context) {
	ticker := time.NewTicker(looksLate)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if c.checks.late() {
			c.settle(ctx)
		}
	}
}
