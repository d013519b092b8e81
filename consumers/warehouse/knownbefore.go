package warehouse

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"

	"milepost/consumers/ledger"
)

// knownBefore are revocations and publications by sequence, as every ledger needs them: to find the few among all events
// takes a look at the type of each. What is applied does not change, so that only what came since has to be read.
type knownBefore struct {
	mu     sync.Mutex
	events uuid.UUID // the table of events, which a replay exchanges
	upTo   uint64
	facts  []ledger.Fact
}

// revocationsAndEditions gives the revocations and publications up to a sequence.
func (r *Reader) revocationsAndEditions(ctx context.Context, seq uint64) ([]ledger.Fact, error) {
	// A replica may still lack some of what was applied.
	if r.stream == nil || r.cluster != "" || r.suffix != "" {
		return r.knownFacts(ctx, 0, seq)
	}
	applied, err := r.stream.Watermark(ctx)
	if err != nil {
		return nil, err
	}
	events, err := r.eventsTable(ctx)
	if err != nil {
		return nil, err
	}
	k := r.knownBefore
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.events != events {
		k.events, k.upTo, k.facts = events, 0, nil
	}
	if upTo := min(seq, applied); upTo > k.upTo {
		arrived, err := r.knownFacts(ctx, k.upTo, upTo)
		if err != nil {
			return nil, err
		}
		k.upTo, k.facts = upTo, append(k.facts, arrived...)
	}
	i, _ := slices.BinarySearchFunc(k.facts, seq, func(f ledger.Fact, seq uint64) int {
		if f.Seq <= seq {
			return -1
		}
		return 1
	})
	facts := k.facts[:i:i]
	if seq > applied && seq > k.upTo {
		arrived, err := r.knownFacts(ctx, k.upTo, seq)
		if err != nil {
			return nil, err
		}
		facts = append(facts, arrived...)
	}
	return facts, nil
}

// forget forgets what was read of a table that is filled anew.
func (k *knownBefore) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.upTo, k.facts = 0, nil
}
