package warehouse

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"milepost/schemas"
	migrations "milepost/schemas/clickhouse"
)

func TestMigrationsRunOnceAndMayBeRepeated(t *testing.T) {
	w := open(t)
	files, err := fs.Glob(migrations.Migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	recorded := func() (n uint64) {
		t.Helper()
		if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM schema_migrations").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := recorded(); n != uint64(len(files)) {
		t.Fatalf("%d migrations are recorded of %d", n, len(files))
	}
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := recorded(); n != uint64(len(files)) {
		t.Fatalf("a second run recorded again: %d", n)
	}
	// As after a crash between the statements and the record.
	if err := w.conn.Exec(t.Context(), "TRUNCATE TABLE schema_migrations"); err != nil {
		t.Fatal(err)
	}
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatalf("the migrations may not be repeated: %v", err)
	}
}

func TestEveryColumnHasAComment(t *testing.T) {
	w := open(t)
	var names []string
	err := w.conn.QueryRow(t.Context(), `SELECT groupArray(concat(table, '.', name)) FROM system.columns
WHERE database = currentDatabase() AND table IN ('events', 'deliveries', 'contested', 'conflicts', 'dead_letters', 'dead_letter_actions', 'schema_migrations')
AND NOT match(comment, '[\\x{4e00}-\\x{9fff}]')`).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) > 0 {
		t.Errorf("columns without a comment with a Chinese label: %v", names)
	}
}

func sqlFiles(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range texts {
		files[[]string{"0001_one.sql", "0002_two.sql", "0100_three.sql"}[i]] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

const (
	one   = "CREATE TABLE IF NOT EXISTS one (a UInt8)\nENGINE = MergeTree\nORDER BY a;"
	two   = "CREATE TABLE IF NOT EXISTS two (a UInt8)\nENGINE = MergeTree\nORDER BY a; INSERT INTO two VALUES (1);"
	three = "CREATE OR REPLACE VIEW three AS SELECT a FROM two;"
)

func TestMigrationRefusals(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after fstest.MapFS
		says          string
	}{
		{"newer database", sqlFiles(one, two, three), sqlFiles(one, two), "newer version"},
		{"changed text", sqlFiles(one, two), sqlFiles(one, strings.Replace(two, "UInt8", "UInt16", 1)), "another text"},
		{"inserted migration", fstest.MapFS{"0001_one.sql": {Data: []byte(one)}, "0100_three.sql": {Data: []byte("SELECT 1")}},
			sqlFiles(one, two, "SELECT 1"), "not the one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := openEmpty(t, freshDSN(t))
			if err := w.migrate(t.Context(), c.before); err != nil {
				t.Fatal(err)
			}
			err := w.migrate(t.Context(), c.after)
			if schemas.CodeOf(err) != schemas.Conflict || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFailedMigrationIsNotRecordedAndIsRepeated(t *testing.T) {
	w := openEmpty(t, freshDSN(t))
	err := w.migrate(t.Context(), sqlFiles(one, two+" SELECT nothing FROM nowhere;", three))
	if schemas.CodeOf(err) != schemas.Unavailable || !strings.Contains(err.Error(), "statement 3 of migration 0002_two.sql") {
		t.Fatalf("got %v", err)
	}
	if err := w.migrate(t.Context(), sqlFiles(one, two, three)); err != nil {
		t.Fatal(err)
	}
	var rows uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM three").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows != 2 {
		t.Errorf("migration 2 ran %d times, its first run was interrupted", rows)
	}
}

func TestMigrationFilesAreChecked(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"none":        {},
		"bad name":    {"1_one.sql": {Data: []byte(one)}},
		"same number": {"0001_one.sql": {Data: []byte(one)}, "0001_two.sql": {Data: []byte(two)}},
	} {
		if _, err := readMigrations(files); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestOpenFailures(t *testing.T) {
	for dsn, code := range map[string]schemas.Code{
		"http://writer:geheim@127.0.0.1:1/default": schemas.Unavailable,
		"://writer:geheim@":                        schemas.Invalid,
	} {
		_, err := Open(t.Context(), Config{DSN: dsn})
		var e *schemas.Error
		if !errors.As(err, &e) || e.Code != code || e.Hint == "" {
			t.Errorf("%s: %v", dsn, err)
		}
		if strings.Contains(err.Error(), "geheim") {
			t.Errorf("the password is in the error's text: %v", err)
		}
	}
}
