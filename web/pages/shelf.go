package pages

import (
	"context"
	"slices"
	"sync"
	"time"
)

// makingTime bounds how long something on a shelf may take to be made.
const makingTime = 2 * time.Minute

// shelf keeps the latest values that were asked for; each is made once, however
// many ask at the same time. What failed is not kept.
type shelf[K comparable, V any] struct {
	make func(context.Context, K) (V, error)
	most int

	mu    sync.Mutex
	kept  map[K]*keptValue[V]
	order []K // the longest unused first
}

type keptValue[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func newShelf[K comparable, V any](most int, make func(context.Context, K) (V, error)) *shelf[K, V] {
	return &shelf[K, V]{make: make, most: most, kept: map[K]*keptValue[V]{}}
}

// get gives the value; it is made to its end even when the one who asked goes
// away.
func (s *shelf[K, V]) get(ctx context.Context, key K) (V, error) {
	s.mu.Lock()
	one, found := s.kept[key]
	if !found {
		one = &keptValue[V]{done: make(chan struct{})}
		s.kept[key] = one
		go s.fill(context.WithoutCancel(ctx), key, one)
	}
	s.touch(key)
	s.mu.Unlock()
	select {
	case <-one.done:
		return one.value, one.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (s *shelf[K, V]) fill(ctx context.Context, key K, one *keptValue[V]) {
	ctx, cancel := context.WithTimeout(ctx, makingTime)
	defer cancel()
	one.value, one.err = s.make(ctx, key)
	if one.err != nil {
		s.mu.Lock()
		if s.kept[key] == one {
			s.forget(key)
		}
		s.mu.Unlock()
	}
	close(one.done)
}

// touch moves the key to the end of the order, and forgets what is too much.
func (s *shelf[K, V]) touch(key K) {
	if i := slices.Index(s.order, key); i >= 0 {
		s.order = slices.Delete(s.order, i, i+1)
	}
	s.order = append(s.order, key)
	if len(s.order) > s.most {
		s.forget(s.order[0])
	}
}

func (s *shelf[K, V]) forget(key K) {
	delete(s.kept, key)
	s.order = slices.DeleteFunc(s.order, func(k K) bool { return k == key })
}
