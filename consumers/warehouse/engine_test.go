package warehouse

import (
	"context"
	"os"
	"sync"
	"testing"

	"milepost/deploy/embedded/enginetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// open gives a migrated warehouse in a database of its own.
func open(t testing.TB) *Warehouse {
	t.Helper()
	return openAt(t, freshDSN(t))
}

// freshDSN is the address of an empty database.
func freshDSN(t testing.TB) string {
	t.Helper()
	return enginetest.ClickHouse(t).DSN
}

// openAt gives one more migrated warehouse on the database.
func openAt(t testing.TB, dsn string) *Warehouse {
	t.Helper()
	w := openEmpty(t, dsn)
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// fakeStream holds the deliveries that were written, by identity and sequence: tests use sequences more than once.
type fakeStream struct {
	mu   sync.Mutex
	held map[uint64]map[string]Delivery
}

func (s *fakeStream) hold(deliveries []Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[uint64]map[string]Delivery{}
	}
	for _, d := range deliveries {
		if s.held[d.Sequence] == nil {
			s.held[d.Sequence] = map[string]Delivery{}
		}
		s.held[d.Sequence][d.Event.EventID()] = d
	}
}

func (s *fakeStream) Deliveries(_ context.Context, sequences []uint64) ([]Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var deliveries []Delivery
	for _, sequence := range sequences {
		for _, d := range s.held[sequence] {
			deliveries = append(deliveries, d)
		}
	}
	return deliveries, nil
}

func (s *fakeStream) Watermark(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last uint64
	for sequence := range s.held {
		last = max(last, sequence)
	}
	return last, nil
}

// openEmpty gives a warehouse without its tables.
func openEmpty(t testing.TB, dsn string) *Warehouse {
	t.Helper()
	w, err := Open(t.Context(), Config{DSN: dsn, Stream: &fakeStream{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}
