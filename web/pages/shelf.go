package pages

import (
	"context"
	"slices"
	"sync"
	"time"
)

// makingTime bounds how long something on a shelf may take to be made that is not
// heavy.
const makingTime = 2 * time.Minute

// shelf keeps the latest values that were asked for; each is made once, however
// many ask at the same time. What failed is not kept.
type shelf[K comparable, V any] struct {
	make func(context.Context, K) (V, error)
	most int
	load *load[V] // nil for values whose number is bound enough
	now  func() time.Time

	mu    sync.Mutex
	kept  map[K]*keptValue[V]
	order []K // the longest unused first
}

// load bounds how heavy all values of a shelf are together; one alone may be
// heavier. Heavy values are not made all at once, and leave the shelf when
// nobody asked for them for a while.
type load[V any] struct {
	most  int
	weigh func(V) int
	turns chan struct{} // as many as may be made at once
	time  time.Duration // bounds how long one may take to be made
	idle  time.Duration
}

type keptValue[V any] struct {
	done    chan struct{}
	made    bool // done, and kept
	weight  int
	waiting int
	used    time.Time
	value   V
	err     error
}

func newShelf[K comparable, V any](most int, make func(context.Context, K) (V, error)) *shelf[K, V] {
	return &shelf[K, V]{make: make, most: most, now: time.Now, kept: map[K]*keptValue[V]{}}
}

// newHeavyShelf also bounds the weight of what is kept.
func newHeavyShelf[K comparable, V any](most int, load *load[V], now func() time.Time, make func(context.Context, K) (V, error)) *shelf[K, V] {
	s := newShelf(most, make)
	s.load, s.now = load, now
	return s
}

// get gives the value; it is made to its end even when the one who asked goes
// away, unless it was not begun yet and nobody else asks.
func (s *shelf[K, V]) get(ctx context.Context, key K) (V, error) {
	s.mu.Lock()
	one, found := s.kept[key]
	if !found {
		one = &keptValue[V]{done: make(chan struct{})}
		s.kept[key] = one
		go s.fill(context.WithoutCancel(ctx), key, one)
	}
	one.waiting++
	s.touch(key, one)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		one.waiting--
	}()
	select {
	case <-one.done:
		return one.value, one.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (s *shelf[K, V]) fill(ctx context.Context, key K, one *keptValue[V]) {
	defer close(one.done)
	within := makingTime
	if s.load != nil {
		within = s.load.time
		s.load.turns <- struct{}{}
		defer func() { <-s.load.turns }()
		if s.unwanted(key, one) {
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	one.value, one.err = s.make(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.err != nil {
		s.forget(key)
		return
	}
	one.made, one.weight = true, s.weight(one.value)
	s.trim()
}

// unwanted takes what nobody waits for any more from the shelf before it is
// made.
func (s *shelf[K, V]) unwanted(key K, one *keptValue[V]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.waiting > 0 {
		return false
	}
	one.err = context.Canceled
	s.forget(key)
	return true
}

func (s *shelf[K, V]) weight(value V) int {
	if s.load == nil {
		return 0
	}
	return s.load.weigh(value)
}

// touch moves the key to the end of the order, and forgets what is too much.
func (s *shelf[K, V]) touch(key K, one *keptValue[V]) {
	one.used = s.now()
	if i := slices.Index(s.order, key); i >= 0 {
		s.order = slices.Delete(s.order, i, i+1)
	}
	s.order = append(s.order, key)
	s.trim()
}

// trim forgets the longest unused of those that are made while they are too many
// or too heavy; the one that was used last stays.
func (s *shelf[K, V]) trim() {
	number, weight := len(s.order), 0
	for _, one := range s.kept {
		weight += one.weight
	}
	for _, key := range slices.Clone(s.order[:number-1]) {
		one := s.kept[key]
		if number <= s.most && (s.load == nil || weight <= s.load.most) {
			return
		}
		if one.made {
			s.forget(key)
			number, weight = number-1, weight-one.weight
		}
	}
}

// offer keeps a value that was made elsewhere, unless it is too heavy to be kept
// beside others.
func (s *shelf[K, V]) offer(key K, value V) {
	weight := s.weight(value)
	if s.load != nil && weight > s.load.most {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[key] != nil {
		return
	}
	one := &keptValue[V]{done: make(chan struct{}), made: true, weight: weight, value: value}
	close(one.done)
	s.kept[key] = one
	s.touch(key, one)
}

// remove takes a value from the shelf that is kept elsewhere now.
func (s *shelf[K, V]) remove(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.kept[key]; one != nil && one.made {
		s.forget(key)
	}
}

// forgetIdle forgets the heavy values that nobody asked for for a while.
func (s *shelf[K, V]) forgetIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range slices.Clone(s.order) {
		if one := s.kept[key]; one.made && s.now().Sub(one.used) > s.load.idle {
			s.forget(key)
		}
	}
}

func (s *shelf[K, V]) forget(key K) {
	delete(s.kept, key)
	s.order = slices.DeleteFunc(s.order, func(k K) bool { return k == key })
}
