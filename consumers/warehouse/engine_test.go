package warehouse

import (
	"os"
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

// openEmpty gives a warehouse without its tables.
func openEmpty(t testing.TB, dsn string) *Warehouse {
	t.Helper()
	w, err := Open(t.Context(), Config{DSN: dsn})
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
