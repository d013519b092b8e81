package consumers

import (
	"sync"
	"time"
)

// mark is the last message of a batch.
type mark struct {
	sequence   uint64
	recordedAt time.Time
}

// floor knows up to where everything is written, when batches are written in any order.
type floor struct {
	mu   sync.Mutex
	next uint64          // the number of the first batch that is not written
	done map[uint64]mark // written ahead of it
	at   mark
}

func newFloor() *floor { return &floor{done: map[uint64]mark{}} }

// wrote notes that a batch is written.
func (f *floor) wrote(number uint64, last mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done[number] = last
	for {
		last, ok := f.done[f.next]
		if !ok {
			return
		}
		delete(f.done, f.next)
		f.next++
		f.at = last
	}
}

// reached gives the last message of those batches that are written with all before them; the zero one when none is.
func (f *floor) reached() mark {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}
