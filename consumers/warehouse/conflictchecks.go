package warehouse

import (
	"context"

	"milepost/schemas"
)

// oweCheck notes that the deliveries are owed a look for conflicts. Shadow tables owe nothing: a replay checks them as a
// whole.
func (w *Warehouse) oweCheck(ctx context.Context, rows *Rows) error {
	if rows.Len() == 0 || w.suffix != "" {
		return nil
	}
	var last uint64
	for i := range rows.Len() {
		last = max(last, rows.Sequence(i))
	}
	return w.noteCheck(ctx, "owed", last)
}

func (w *Warehouse) noteCheck(ctx context.Context, kind string, sequence uint64) error {
	err := w.conn.Exec(ctx, "INSERT INTO conflict_checks (stream_seq, kind, recorded_at) SELECT {seq:UInt64}, {kind:String}, fromUnixTimestamp64Milli({at:Int64}, 'Asia/Shanghai')",
		named("seq", sequence), named("kind", kind), named("at", w.now().UnixMilli()))
	if err != nil {
		return unavailable("note a check for conflicts", err)
	}
	return nil
}

// SettleConflicts makes the conflicts complete up to the applied watermark. It costs next to nothing when no check is
// owed, and else one reading of the hashes of everything that was ever delivered. Whoever is about to count conflicts calls
// it; doing it twice, or in several processes at once, changes nothing.
func (w *Warehouse) SettleConflicts(ctx context.Context) error {
	var owed, done uint64
	if err := w.conn.QueryRow(ctx, "SELECT maxIf(stream_seq, kind = 'owed'), maxIf(stream_seq, kind = 'done') FROM conflict_checks").Scan(&owed, &done); err != nil {
		return unavailable("read the checks for conflicts", err)
	}
	if owed <= done {
		return nil
	}
	if w.stream == nil {
		return withoutStream()
	}
	// Read before the check: everything at and below it is in the tables.
	watermark, err := w.stream.Watermark(ctx)
	if err != nil {
		return err
	}
	if err := w.recordAllContested(ctx); err != nil {
		return err
	}
	if watermark <= done {
		return nil
	}
	return w.noteCheck(ctx, "done", watermark)
}

func withoutStream() error {
	return &schemas.Error{Code: schemas.Internal, Message: "conflicts cannot be recorded without the stream", Hint: "give the warehouse its stream"}
}

// recordAllContested looks at every identity that was ever delivered, in the order of the table, which needs no memory.
func (w *Warehouse) recordAllContested(ctx context.Context) error {
	return w.recordContested(ctx, "(SELECT identity FROM "+contentsTable.table+w.suffix+
		" GROUP BY identity HAVING min(fingerprint) != max(fingerprint) SETTINGS optimize_aggregation_in_order = 1)")
}
