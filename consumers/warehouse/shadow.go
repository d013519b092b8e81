package warehouse

import (
	"context"
	"strings"

	"milepost/schemas"
)

// shadowSuffix ends the names of the shadow tables.
const shadowSuffix = "_replay"

// streamTables are the tables that hold what the stream delivered, and nothing else: a replay makes them anew.
func streamTables() []string {
	return []string{"events", contentsTable.table, "contested", "dead_letters"}
}

// Shadow is a second, empty set of the tables that the stream fills, beside those in use. After a swap it is the set
// that was in use before.
type Shadow struct{ tables *Warehouse }

// NewShadow drops what an earlier replay may have left, and makes empty shadow tables. No two may be in use at once.
func (w *Warehouse) NewShadow(ctx context.Context) (*Shadow, error) {
	if w.cluster != "" {
		return nil, &schemas.Error{
			Code: schemas.Conflict, Field: "clickhouse_cluster", Value: w.cluster, Message: "a replay does not exchange replicated tables",
			Hint: "replay into an empty database: name another one by clickhouse, which the consumers fill from the stream, and then let all processes use it",
		}
	}
	beside := *w
	beside.suffix = shadowSuffix
	s := &Shadow{tables: &beside}
	if err := s.Drop(ctx); err != nil {
		return nil, err
	}
	for _, table := range streamTables() {
		if err := w.conn.Exec(ctx, "CREATE TABLE "+table+shadowSuffix+" AS "+table); err != nil {
			return nil, unavailable("make shadow tables", err)
		}
	}
	return s, nil
}

// Write is [Warehouse.Write] into the shadow tables.
func (s *Shadow) Write(ctx context.Context, b Batch) (Written, error) { return s.tables.Write(ctx, b) }

// RecordConflicts records the conflicts of everything that was written as a backlog.
func (s *Shadow) RecordConflicts(ctx context.Context) error { return s.tables.recordAllContested(ctx) }

// Swap puts the shadow tables in the place of those in use, which become the shadow tables. Each pair is exchanged at
// once, and queries go on; a crash between two pairs leaves tables of both sets in use. So both sets must hold the same
// part of the stream, and nothing may be written meanwhile.
func (s *Shadow) Swap(ctx context.Context) error {
	pairs := make([]string, 0, len(streamTables()))
	for _, table := range streamTables() {
		pairs = append(pairs, table+" AND "+table+shadowSuffix)
	}
	if err := s.tables.conn.Exec(ctx, "EXCHANGE TABLES "+strings.Join(pairs, ", ")); err != nil {
		return unavailable("exchange the shadow tables (the database must have the engine Atomic)", err)
	}
	return nil
}

// Drop removes the shadow tables.
func (s *Shadow) Drop(ctx context.Context) error {
	for _, table := range streamTables() {
		if err := s.tables.conn.Exec(ctx, "DROP TABLE IF EXISTS "+table+shadowSuffix+" SYNC"); err != nil {
			return unavailable("drop shadow tables", err)
		}
	}
	return nil
}
