package warehouse

import (
	"bytes"
	"strings"
	"testing"

	"milepost/schemas"
)

// follows tells whether a table follows from the copied ones and the streams.
func follows(table string) bool {
	for _, beginning := range []string{"schema_migrations", "audit_records", "ignored_rows", "ledger_", "model_cuts", "figure_rows", "ranking_rows", "assessment_", "judged_"} {
		if strings.HasPrefix(table, beginning) {
			return true
		}
	}
	return false
}

// TestNoTableIsForgotten makes whoever adds a table decide whether it is copied.
func TestNoTableIsForgotten(t *testing.T) {
	w := open(t)
	var tables []string
	if err := w.conn.QueryRow(t.Context(), "SELECT groupArray(name) FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	copied := map[string]bool{}
	newest, err := NewestSchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range CopiedTables(newest) {
		copied[name] = true
	}
	for _, table := range tables {
		if copied[table] == follows(table) {
			t.Errorf("table %s: copied %v, follows from others %v", table, copied[table], follows(table))
		}
		delete(copied, table)
	}
	if len(copied) > 0 {
		t.Errorf("no such tables: %v", copied)
	}
}

func TestTablesAreCopiedAsTheyWereAtASequence(t *testing.T) {
	from, to := open(t), open(t)
	from.stream.(*fakeStream).hold(mixed(t).Deliveries)
	if _, err := from.Write(t.Context(), mixed(t)); err != nil {
		t.Fatal(err)
	}
	if err := from.KeepRules(t.Context(), schemas.DefaultRules()); err != nil {
		t.Fatal(err)
	}
	const upTo = 5 // the dead letter came later
	var copiedRows uint64
	newest, err := NewestSchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range CopiedTables(newest) {
		var rows bytes.Buffer
		if err := from.Dump(t.Context(), table, upTo, &rows); err != nil {
			t.Fatal(err)
		}
		if rows.Len() > 0 {
			if err := to.Load(t.Context(), table, &rows); err != nil {
				t.Fatal(err)
			}
		}
		want, err := from.Mark(t.Context(), table, upTo)
		if err != nil {
			t.Fatal(err)
		}
		got, err := to.Mark(t.Context(), table, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", table, got, want)
		}
		copiedRows += got.Rows
	}
	if copiedRows < 6 {
		t.Errorf("only %d rows were copied", copiedRows)
	}
	if err := to.Clear(t.Context(), "events"); err != nil {
		t.Fatal(err)
	}
	if mark, err := to.Mark(t.Context(), "events", upTo); err != nil || mark.Rows != 0 {
		t.Errorf("cleared: %+v, %v", mark, err)
	}
	if err := from.Dump(t.Context(), "audit_records", upTo, new(bytes.Buffer)); schemas.CodeOf(err) != schemas.Invalid {
		t.Errorf("a table that is not copied: %v", err)
	}
}

// TestACopyOfAnOlderSchemaIsPutBack takes a copy of tables as they were before content_hashes, and brings what was put back
// up to date.
func TestACopyOfAnOlderSchemaIsPutBack(t *testing.T) {
	t.Parallel()
	from, to := openEmpty(t, freshDSN(t)), openEmpty(t, freshDSN(t))
	const older = hashesSchema - 1
	for _, w := range []*Warehouse{from, to} {
		if err := w.MigrateTo(t.Context(), older); err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{
		"INSERT INTO events (source, id, stream_seq, fingerprint) SELECT '/offices/shanyang', 'a', 41, unhex('ffeeddccbbaa99887766554433221100')",
		"INSERT INTO contents (identity, fingerprint, stream_seq) SELECT unhex('00112233445566778899aabbccddeeff'), unhex('ffeeddccbbaa99887766554433221100'), 41",
	} {
		if err := from.conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range CopiedTables(older) {
		var rows bytes.Buffer
		if err := from.Dump(t.Context(), table, 50, &rows); err != nil {
			t.Fatal(err)
		}
		if rows.Len() > 0 {
			if err := to.Load(t.Context(), table, &rows); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := to.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"events", "content_hashes"} {
		if mark, err := to.Mark(t.Context(), table, 50); err != nil || mark.Rows != 1 {
			t.Errorf("%s: %+v, %v", table, mark, err)
		}
	}
}

// TestSchemaGoesForwardInSteps makes the tables of an older version, fills them, and brings them up to date.
func TestSchemaGoesForwardInSteps(t *testing.T) {
	w := openEmpty(t, freshDSN(t))
	if number, err := w.Schema(t.Context()); number != 0 || err != nil {
		t.Fatalf("an empty database: %d, %v", number, err)
	}
	const older = 3 // before contents took the place of deliveries
	if err := w.MigrateTo(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	if number, err := w.Schema(t.Context()); number != older || err != nil {
		t.Fatalf("%d, %v", number, err)
	}
	if err := w.conn.Exec(t.Context(), `INSERT INTO deliveries (identity, fingerprint, stream_seq) VALUES (unhex('00112233445566778899aabbccddeeff'), unhex('ffeeddccbbaa99887766554433221100'), 41)`); err != nil {
		t.Fatal(err)
	}
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	newest, err := NewestSchema()
	if err != nil {
		t.Fatal(err)
	}
	if number, err := w.Schema(t.Context()); number != newest || err != nil {
		t.Fatalf("%d, %v", number, err)
	}
	var sequence uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT stream_seq FROM content_hashes WHERE hex(reverse(reinterpretAsFixedString(identity))) = '7766554433221100'").Scan(&sequence); err != nil || sequence != 41 {
		t.Errorf("what was delivered is not among the contents: %d, %v", sequence, err)
	}
	if err := w.MigrateTo(t.Context(), newest+1); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("a schema of the future: %v", err)
	}
}
