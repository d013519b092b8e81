package warehouse

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// lookupChunk bounds the numbers of one lookup: with 21 bytes each the statement stays below the 256 KiB that a server reads
// as one statement by default, and a batch of the usual size is one lookup.
const lookupChunk = 12_000

// insertStatement is an INSERT with its columns' types. The HTTP client would otherwise ask the server for them before
// every batch.
type insertStatement struct {
	table   string
	names   string
	columns []clickhouse.ColumnNameAndType
}

// insertion makes the statement for a table's columns, each given as "name Type".
func insertion(table string, columns ...string) insertStatement {
	s := insertStatement{table: table, columns: make([]clickhouse.ColumnNameAndType, len(columns))}
	names := make([]string, len(columns))
	for i, c := range columns {
		name, typ, _ := strings.Cut(c, " ")
		names[i], s.columns[i] = name, clickhouse.ColumnNameAndType{Name: name, Type: typ}
	}
	s.names = strings.Join(names, ", ")
	return s
}

// insert sends n rows as one block, given as one slice for each column.
func (w *Warehouse) insert(ctx context.Context, statement insertStatement, n int, columns ...any) error {
	if n == 0 {
		return nil
	}
	batch, err := w.conn.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(statement.columns)),
		"INSERT INTO "+statement.table+w.suffix+" ("+statement.names+")")
	if err != nil {
		return err
	}
	defer batch.Close()
	for i, values := range columns {
		if err := batch.Column(i).Append(values); err != nil {
			return err
		}
	}
	return batch.Send()
}

// each runs a SELECT and calls row for each row of its result.
func (w *Warehouse) each(ctx context.Context, query string, row func(driver.Rows) error) error {
	rows, err := w.conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// named is the value of a {name:Type} parameter.
func named(name string, value any) any { return clickhouse.Named(name, value) }

func joinUints(values []uint64) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(v, 10))
	}
	return b.String()
}

// quoted writes texts as a list in SQL.
func quoted(texts []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var b strings.Builder
	for i, text := range texts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\'')
		b.WriteString(escape.Replace(text))
		b.WriteByte('\'')
	}
	return b.String()
}

// oneText writes texts without line ends as what IN compares with, in one literal, which the server reads much faster than one
// literal each.
func oneText(texts []string) string {
	return "(SELECT arrayJoin(splitByChar('\n', " + quoted([]string{strings.Join(texts, "\n")}) + ")))"
}

// mergeNow merges a table, or a partition of it, that was written in parts whose keys lie among each other: who reads it with
// FINAL merges it otherwise, each time. That it fails makes reading slower and nothing wrong.
func (w *Warehouse) mergeNow(ctx context.Context, table string) {
	if err := w.conn.Exec(ctx, "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
		w.log.WarnContext(ctx, "what was written could not be merged; it is read more slowly until the engine merges it", "table", table, "error", err)
	}
}

// quotedPairs writes texts as a list of pairs in SQL.
func quotedPairs(texts []string) string {
	var b strings.Builder
	for pair := range slices.Chunk(texts, 2) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString("(" + quoted(pair) + ")")
	}
	return b.String()
}
