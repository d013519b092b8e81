package consumers

import (
	"sync/atomic"

	"milepost/consumers/warehouse"
)

// Counters count since the consumer was made; they may be read at any time.
type Counters struct {
	Batches         atomic.Uint64 // written
	Events          atomic.Uint64 // written, repeated ones included
	Repeated        atomic.Uint64 // events whose identity and content were written before
	Conflicts       atomic.Uint64 // events whose identity was used before with other content
	DeadLetters     atomic.Uint64 // written
	Refused         atomic.Uint64 // dead letters that the engine, not the decoder, refused
	Retries         atomic.Uint64 // writes that failed and are tried again
	PositionRetries atomic.Uint64 // positions that could not be noted at once
}

func (c *Counters) add(w warehouse.Written) {
	c.Batches.Add(1)
	c.Events.Add(uint64(w.Events))
	c.Repeated.Add(uint64(w.Repeated))
	c.Conflicts.Add(uint64(w.Conflicting))
	c.DeadLetters.Add(uint64(w.DeadLetters))
	c.Refused.Add(uint64(w.Refused))
}
