package pages

import "sync"

// lasting is a value that is made when it is first asked for. What failed is
// made again.
type lasting[T any] struct {
	make func() (T, error)

	mu    sync.Mutex
	made  bool
	value T
}

func (l *lasting[T]) get() (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made {
		return l.value, nil
	}
	value, err := l.make()
	if err == nil {
		l.value, l.made, l.make = value, true, nil
	}
	return value, err
}
