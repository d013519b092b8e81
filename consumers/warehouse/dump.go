package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ClickHouse/clickhouse-go/v2"

	"milepost/schemas"
	migrations "milepost/schemas/clickhouse"
)

// kept is a table that a copy of the warehouse holds. What the others hold is made again from these when somebody asks.
type kept struct {
	name string
	// sequence says of a row which sequence of the stream it stands on; "" is a row that stands on none.
	sequence string
	// final tables hold a row once only after a merge.
	final bool
	// from is the schema that made the table, and until the one that filled another in its place; 0 for the first and none.
	from, until uint32
}

// hashesSchema is the schema in which content_hashes has taken the place of contents.
const hashesSchema = 260

// keptTables are in the order in which they are copied: a cut says that its rows are complete, so that it goes before
// them and is never copied with too few.
func keptTables() []kept {
	return []kept{
		{name: "rule_sets", final: true},
		{name: "published_figure_cuts", sequence: "published_seq", final: true},
		{name: "published_figure_rows", sequence: "published_seq", final: true},
		{name: "dead_letter_actions", sequence: "greatest(stream_seq, new_seq)"},
		{name: "conflict_checks", sequence: "stream_seq"},
		{name: "events", sequence: "stream_seq", final: true},
		{name: "contents", sequence: "stream_seq", final: true, until: hashesSchema},
		{name: "content_hashes", sequence: "stream_seq", final: true, from: hashesSchema},
		{name: "contested", sequence: "stream_seq", final: true},
		{name: "dead_letters", sequence: "stream_seq", final: true},
	}
}

// CopiedTables names the tables that a copy of a warehouse of some schema consists of. The audit is not among them: its
// stream gives it again.
func CopiedTables(schema uint32) []string {
	var names []string
	for _, t := range keptTables() {
		if schema >= t.from && (t.until == 0 || schema < t.until) {
			names = append(names, t.name)
		}
	}
	return names
}

func keptTable(name string) (kept, error) {
	for _, t := range keptTables() {
		if t.name == name {
			return t, nil
		}
	}
	return kept{}, &schemas.Error{Code: schemas.Invalid, Field: "table", Value: schemas.Shorten(name), Message: "not a table that is copied", Hint: "take the version of Milepost that made the copy, or a newer one"}
}

func (t kept) where(upTo uint64) string {
	if t.sequence == "" {
		return ""
	}
	return fmt.Sprintf(" WHERE %s <= %d", t.sequence, upTo)
}

// Dump writes the rows of a table that were known at a stream sequence, in ClickHouse's format Native. It needs a
// connection over HTTP.
func (w *Warehouse) Dump(ctx context.Context, table string, upTo uint64, out io.Writer) error {
	t, err := keptTable(table)
	if err != nil {
		return err
	}
	rows, err := w.conn.QueryFormat(ctx, "Native", "SELECT * FROM "+t.name+t.where(upTo))
	if err != nil {
		return copyFailed("read table "+t.name, err)
	}
	_, err = io.Copy(out, rows)
	if err := errors.Join(err, rows.Close()); err != nil {
		return copyFailed("read table "+t.name, err)
	}
	return nil
}

// Load adds rows that Dump wrote.
func (w *Warehouse) Load(ctx context.Context, table string, in io.Reader) error {
	t, err := keptTable(table)
	if err != nil {
		return err
	}
	if err := w.conn.InsertFormat(ctx, "Native", "INSERT INTO "+t.name, in); err != nil {
		return copyFailed("fill table "+t.name, err)
	}
	return nil
}

// Clear empties a table that a Load did not finish.
func (w *Warehouse) Clear(ctx context.Context, table string) error {
	t, err := keptTable(table)
	if err != nil {
		return err
	}
	if err := w.conn.Exec(ctx, w.emptied(t.name)); err != nil {
		return unavailable("empty table "+t.name, err)
	}
	if t.name == "events" {
		return w.forgetJudged(ctx)
	}
	return nil
}

func copyFailed(doing string, err error) error {
	if errors.Is(err, clickhouse.ErrFormatNativeUnsupported) {
		return &schemas.Error{Code: schemas.Invalid, Field: "clickhouse", Message: "tables are copied over ClickHouse's HTTP interface", Hint: "name it: http://user:password@host:8123/database, or https://", Err: err}
	}
	return unavailable(doing, err)
}

// Mark counts the rows of a copied table that were known at a sequence, repeated ones not counted, and sums their
// hashes: two warehouses with equal marks give the same figures.
type Mark struct{ Rows, Sum uint64 }

// Mark marks a copied table.
func (w *Warehouse) Mark(ctx context.Context, table string, upTo uint64) (m Mark, err error) {
	t, err := keptTable(table)
	if err != nil {
		return m, err
	}
	query := fingerprintOf(table, "", upTo)
	if !t.final || t.sequence != "stream_seq" {
		query = "SELECT count(), sum(cityHash64(line)) FROM (SELECT formatRow('RowBinary', *) AS line FROM " + t.name
		if t.final {
			query += " FINAL"
		}
		query += t.where(upTo) + ")"
	}
	if err := w.conn.QueryRow(ctx, query).Scan(&m.Rows, &m.Sum); err != nil {
		return m, unavailable("mark table "+t.name, err)
	}
	return m, nil
}

// Schema gives the number of the newest migration that was applied, 0 for none.
func (w *Warehouse) Schema(ctx context.Context) (uint32, error) {
	var there uint8
	if err := w.conn.QueryRow(ctx, "EXISTS TABLE schema_migrations").Scan(&there); err != nil {
		return 0, unavailable("look for the schema's version", err)
	}
	if there == 0 {
		return 0, nil
	}
	applied, err := w.appliedMigrations(ctx)
	if err != nil || len(applied) == 0 {
		return 0, err
	}
	return applied[len(applied)-1].number, nil
}

// NewestSchema gives the number of the newest migration that this version knows.
func NewestSchema() (uint32, error) {
	known, err := readMigrations(migrations.Migrations())
	if err != nil {
		return 0, err
	}
	return known[len(known)-1].number, nil
}

// MigrateTo applies the migrations up to a number, so that a copy made by an older version finds its tables; Migrate
// then brings them up to date. A number that this version does not know is refused with the code conflict.
func (w *Warehouse) MigrateTo(ctx context.Context, number uint32) error {
	newest, err := NewestSchema()
	if err != nil {
		return err
	}
	if number > newest {
		return &schemas.Error{
			Code: schemas.Conflict, Field: "schema", Value: fmt.Sprint(number), Message: fmt.Sprintf("the tables are of a newer version: this one knows the schema up to %d", newest),
			Hint: "take the newer version of Milepost",
		}
	}
	return w.migrate(ctx, upToNumber{migrations.Migrations(), number})
}
