package warehouse

import (
	"context"

	"milepost/schemas"
)

// ForgetLedgersOf makes ledger(as_of, known) forget the stored ledgers of the
// days from one up to, but without, another (0: without end) that were judged
// by other rules than those with the hash: after a change of the rules they
// must be made anew.
func (w *Warehouse) ForgetLedgersOf(ctx context.Context, from, before schemas.Date, hash string) error {
	from = max(from, schemas.FirstDate)
	last := schemas.LastDate
	if before != 0 {
		last = before - 1
	}
	const outdated = "ledger_cuts WHERE as_of BETWEEN {from:Date32} AND {last:Date32} AND rules_hash != {hash:String}"
	args := []any{named("from", from.String()), named("last", last.String()), named("hash", hash)}
	var stored uint64
	if err := w.conn.QueryRow(ctx, "SELECT count() FROM "+outdated, args...).Scan(&stored); err != nil {
		return unavailable("look for ledgers of other rules", err)
	}
	if stored == 0 {
		return nil
	}
	if err := w.conn.Exec(ctx, "DELETE FROM "+outdated, args...); err != nil {
		return unavailable("forget ledgers of other rules", err)
	}
	return nil
}
