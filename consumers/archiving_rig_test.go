package consumers

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"milepost/consumers/archive"
	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// openStoreWithPast opens a warehouse that finds purged messages in an archive.
func (r *rig) openStoreWithPast(dsn, dir string) *warehouse.Warehouse {
	r.t.Helper()
	past := NewPast(dir)
	store, err := warehouse.Open(r.t.Context(), warehouse.Config{
		DSN: dsn, Stream: NewOriginals(r.js, schemas.NewValidator(schemas.DefaultRules()), ActorTrust{}).WithPast(past),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { past.Close(); _ = store.Close() })
	return store
}

// swapFiles exchanges two files, and gives what exchanges them back.
func swapFiles(t *testing.T, a, b string) (back func()) {
	t.Helper()
	swap := func() {
		for _, step := range [][2]string{{a, a + ".moved"}, {b, a}, {a + ".moved", b}} {
			if err := os.Rename(step[0], step[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	swap()
	return swap
}

// reseal makes a segment's manifest that of a segment which follows another one, and gives what mends it.
func reseal(t *testing.T, dir string, s *archive.Segment) (back func()) {
	t.Helper()
	path := filepath.Join(dir, s.Name()+".json")
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	forged := *s
	forged.Previous, forged.Seal = "another", ""
	bare, err := json.Marshal(&forged)
	if err != nil {
		t.Fatal(err)
	}
	forged.Seal = fmt.Sprintf("%x", sha256.Sum256(bare))
	text, err := json.Marshal(&forged)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	return func() { write(was) }
}
