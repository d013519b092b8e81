package ledger

import (
	"iter"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"milepost/schemas"
)

// Survey shows the rows of some ledgers and holds none of them. What else a ledger has is gathered.
type Survey struct {
	observers func() schemas.Observer
	mu        sync.Mutex
	ledgers   []*schemas.Ledger
}

// NewSurvey begins one. Each core shows what it has to an observer of its own, which observers makes; it may make more of
// them than there are cores.
func NewSurvey(rules *schemas.Rules, cuts []schemas.Cut, observers func() schemas.Observer) *Survey {
	s := &Survey{observers: observers, ledgers: make([]*schemas.Ledger, len(cuts))}
	for i, cut := range cuts {
		s.ledgers[i] = begun(rules, cut)
	}
	return s
}

// Sink gives a sink with an observer of its own.
func (s *Survey) Sink() Sink {
	observe := s.observers()
	return func(i int, j *schemas.Judged) error {
		if addsMore(j) {
			s.mu.Lock()
			add(s.ledgers[i], j)
			s.mu.Unlock()
		}
		if j.Standing.ProjectID == "" {
			return nil
		}
		return observe(i, &j.Standing)
	}
}

// Ledgers gives the ledgers without their rows, when everything was shown.
func (s *Survey) Ledgers() []*schemas.Ledger {
	for _, l := range s.ledgers {
		orderEvents(l)
	}
	return s.ledgers
}

// addsMore tells whether the subject adds anything beside its row.
func addsMore(j *schemas.Judged) bool {
	return j.Orphans > 0 || len(j.Ignored) > 0 || len(j.Adjustments) > 0
}

// Unfold hands what was judged before to sinks, on all cores, but for some subjects. It gives how many subjects there were,
// those included.
func Unfold(i int, before iter.Seq2[Packed, error], without map[string]bool, sinks func() Sink) (read int, err error) {
	batches := make(chan []Packed, 2*runtime.GOMAXPROCS(0))
	var group errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		sink := sinks()
		group.Go(func() error { return unfold(i, batches, sink) })
	}
	batch := make([]Packed, 0, packedAtOnce)
	for p, failed := range before {
		if err = failed; err != nil {
			break
		}
		if read++; without[p.ProjectID] {
			continue
		}
		if batch = append(batch, p); len(batch) == packedAtOnce {
			batches <- batch
			batch = make([]Packed, 0, packedAtOnce)
		}
	}
	batches <- batch
	close(batches)
	if failed := group.Wait(); err == nil {
		err = failed
	}
	return read, err
}

func unfold(i int, batches <-chan []Packed, sink Sink) error {
	var failed error
	var memory schemas.JudgedUnpacker
	for batch := range batches {
		for _, p := range batch {
			if failed != nil {
				break // the dealer must find a taker
			}
			var j *schemas.Judged
			if j, failed = memory.Unpack(p.ProjectID, p.Text); failed == nil {
				failed = sink(i, j)
			}
		}
	}
	return failed
}
