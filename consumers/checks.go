package consumers

import (
	"context"
	"sync"
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
	return s.writing == 0 && !s.more && !s.settled
}

func (s *checks) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled = s.writing == 0
}

// settle looks for the conflicts of a backlog, before its last batch counts as applied: who waited for the watermark finds
// them. A failure costs nothing, because whoever reads conflicts settles them first.
func (c *Consumer) settle(ctx context.Context) {
	if err := c.config.Store.SettleConflicts(ctx); err != nil {
		c.log.WarnContext(ctx, "conflicts are looked for later", "error", err)
		return
	}
	c.checks.done()
}
