package warehouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/shopspring/decimal"

	"milepost/schemas"
)

// storedLife is how long a ledger that somebody asked for answers; it can be
// made again at any time.
const storedLife = 7 * 24 * time.Hour

// Store judges the ledger at the cut and keeps its rows where
// ledger(as_of, known) finds them. Storing a cut twice changes nothing.
func (r *Reader) Store(ctx context.Context, cut schemas.Cut) error {
	hash, err := r.rules.Hash()
	if err != nil {
		return err
	}
	var stored uint64
	err = r.conn.QueryRow(ctx, "SELECT count() FROM ledger_cuts FINAL WHERE as_of = {as_of:Date32} AND known_seq = {known:UInt64} AND rules_hash = {hash:String} AND expires_at > fromUnixTimestamp({now:Int64})",
		named("as_of", cut.AsOf.String()), named("known", cut.KnownSeq), named("hash", hash), named("now", r.now().Add(time.Hour).Unix())).Scan(&stored)
	if err != nil {
		return unavailable("look for the stored ledger", err)
	}
	if stored > 0 {
		return nil
	}
	l, err := r.Ledger(ctx, cut)
	if err != nil {
		return err
	}
	at := r.now()
	expires := at.Add(storedLife)
	err = r.insertLedger(ctx, "ledger_rows", []string{"stored_at", "expires_at"}, l, func() []any { return []any{at, expires} })
	if err != nil {
		return err
	}
	err = r.conn.Exec(ctx, "INSERT INTO ledger_cuts (as_of, known_seq, rules_hash, projects, stored_at, expires_at) SELECT {as_of:Date32}, {known:UInt64}, {hash:String}, {projects:UInt64}, fromUnixTimestamp64Milli({at:Int64}), fromUnixTimestamp({expires:Int64})",
		named("as_of", cut.AsOf.String()), named("known", cut.KnownSeq), named("hash", hash), named("projects", uint64(len(l.Standings))), named("at", at.UnixMilli()), named("expires", expires.Unix()))
	if err != nil {
		return unavailable("record the stored ledger", err)
	}
	return nil
}

// rowsInInsert bounds what is sent as one INSERT: the engine does not wait for long while rows are made.
const rowsInInsert = 20_000

// insertLedger writes the flat rows of a ledger with further columns.
func (r *Reader) insertLedger(ctx context.Context, table string, further []string, l *schemas.Ledger, values func() []any) error {
	for from := 0; from < len(l.Standings); from += rowsInInsert {
		if err := r.insertRows(ctx, table, further, l, l.Standings[from:min(from+rowsInInsert, len(l.Standings))], values); err != nil {
			return err
		}
	}
	return nil
}

// insertRows writes some rows of a ledger.
func (r *Reader) insertRows(ctx context.Context, table string, further []string, l *schemas.Ledger, standings []schemas.Standing, values func() []any) error {
	columns := schemas.LedgerColumns()
	names := make([]string, 0, len(columns)+4)
	for _, c := range columns {
		names = append(names, c.Name)
	}
	names = append(append(names, "as_of", "known_seq"), further...)
	batch, err := r.conn.PrepareBatch(clickhouse.Context(ctx), "INSERT INTO "+table+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return unavailable("store the ledger", err)
	}
	defer batch.Close()
	record := make([]any, 0, len(names))
	for i := range standings {
		row := standings[i].Row(r.rules, l.AsOf)
		record = record[:0]
		for _, c := range columns {
			record = append(record, sqlValue(c.Value(&row)))
		}
		record = append(append(record, l.AsOf.Time(), l.KnownSeq), values()...)
		if err := batch.Append(record...); err != nil {
			return fmt.Errorf("ledger row %s: %w", row.ProjectID, err)
		}
	}
	if err := batch.Send(); err != nil {
		return unavailable("store the ledger", err)
	}
	return nil
}

// sqlValue turns a cell of the flat ledger into what the driver takes.
func sqlValue(value any) any {
	switch v := value.(type) {
	case schemas.Date:
		if v == 0 {
			return (*time.Time)(nil)
		}
		day := v.Time()
		return &day
	case schemas.Money:
		return decimal.New(int64(v), -2)
	case *schemas.Money:
		if v == nil {
			return (*decimal.Decimal)(nil)
		}
		d := decimal.New(int64(*v), -2)
		return &d
	case *schemas.Figure:
		if v == nil {
			return (*decimal.Decimal)(nil)
		}
		d := decimal.New(v.Units, int32(-v.Decimals))
		return &d
	case int:
		return int32(v)
	case *int:
		if v == nil {
			return (*int32)(nil)
		}
		n := int32(*v)
		return &n
	case schemas.OrderedVerdicts:
		verdicts := make(map[string]*bool, len(v))
		for _, item := range v {
			var satisfied *bool
			if item.Verdict != schemas.NotApplicable {
				yes := item.Verdict == schemas.Satisfied
				satisfied = &yes
			}
			verdicts[string(item.Key)] = satisfied
		}
		return verdicts
	}
	return value
}
