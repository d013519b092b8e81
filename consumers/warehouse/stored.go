package warehouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
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
	at := r.now()
	expires := at.Add(storedLife)
	rows := r.ledgerRows("ledger_rows", cut, further{"stored_at", at}, further{"expires_at", expires})
	if _, err := r.Survey(ctx, []schemas.Cut{cut}, rows.observer(ctx)); err != nil {
		return errors.Join(err, rows.abort())
	}
	projects, err := rows.finish()
	if err != nil {
		return err
	}
	err = r.conn.Exec(ctx, "INSERT INTO ledger_cuts (as_of, known_seq, rules_hash, projects, stored_at, expires_at) SELECT {as_of:Date32}, {known:UInt64}, {hash:String}, {projects:UInt64}, fromUnixTimestamp64Milli({at:Int64}), fromUnixTimestamp({expires:Int64})",
		named("as_of", cut.AsOf.String()), named("known", cut.KnownSeq), named("hash", hash), named("projects", projects), named("at", at.UnixMilli()), named("expires", expires.Unix()))
	if err != nil {
		return unavailable("record the stored ledger", err)
	}
	return nil
}

// rowsInInsert bounds what is sent as one INSERT: the engine does not wait for long while rows are made.
const rowsInInsert = 20_000

// further is a column that a table has beside those of the ledger, with its value in all rows.
type further struct {
	name  string
	value any
}

// ledgerRows writes the flat rows of a ledger part by part. It is safe for concurrent use.
type ledgerRows struct {
	*Reader
	statement string
	columns   []schemas.LedgerColumn
	asOf      schemas.Date
	last      []any // of each row

	mu      sync.Mutex
	batch   driver.Batch // nil: none is begun
	inBatch int
	written uint64
}

// ledgerRows begins to write a ledger.
func (r *Reader) ledgerRows(table string, cut schemas.Cut, more ...further) *ledgerRows {
	var names []string
	columns := schemas.LedgerColumns()
	for _, c := range columns {
		names = append(names, c.Name)
	}
	names = append(names, "as_of", "known_seq")
	last := []any{cut.AsOf.Time(), cut.KnownSeq}
	for _, c := range more {
		names, last = append(names, c.name), append(last, c.value)
	}
	return &ledgerRows{Reader: r, statement: "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")", columns: columns, asOf: cut.AsOf, last: last}
}

// observer writes what a survey shows.
func (l *ledgerRows) observer(ctx context.Context) func() schemas.Observer {
	return func() schemas.Observer {
		var record []any
		return func(_ int, s *schemas.Standing) error {
			row := s.Row(l.rules, l.asOf)
			record = record[:0]
			for _, c := range l.columns {
				record = append(record, sqlValue(c.Value(&row)))
			}
			return l.add(ctx, row.ProjectID, append(record, l.last...))
		}
	}
}

func (l *ledgerRows) add(ctx context.Context, projectID string, record []any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.batch == nil {
		var err error
		if l.batch, err = l.conn.PrepareBatch(clickhouse.Context(ctx), l.statement); err != nil {
			return unavailable("store the ledger", err)
		}
	}
	if err := l.batch.Append(record...); err != nil {
		return fmt.Errorf("ledger row %s: %w", projectID, err)
	}
	if l.inBatch++; l.inBatch == rowsInInsert {
		return l.send()
	}
	return nil
}

// send sends what is not sent yet.
func (l *ledgerRows) send() error {
	if l.batch == nil {
		return nil
	}
	err := l.batch.Send()
	if err != nil {
		return unavailable("store the ledger", err)
	}
	l.batch, l.written, l.inBatch = nil, l.written+uint64(l.inBatch), 0
	return nil
}

// finish sends the rest, and tells how many rows there were.
func (l *ledgerRows) finish() (uint64, error) {
	if err := l.send(); err != nil {
		return 0, errors.Join(err, l.abort())
	}
	return l.written, nil
}

// abort ends a batch that is not to be sent.
func (l *ledgerRows) abort() error {
	if l.batch == nil {
		return nil
	}
	if err := l.batch.Close(); err != nil {
		return unavailable("give up storing the ledger", err)
	}
	return nil
}

// insertLedger writes the rows of a ledger.
func (r *Reader) insertLedger(ctx context.Context, table string, l *schemas.Ledger) error {
	rows := r.ledgerRows(table, schemas.LedgerCut(l.AsOf, l.KnownSeq))
	if err := schemas.Observe([]*schemas.Ledger{l}, rows.observer(ctx)()); err != nil {
		return errors.Join(err, rows.abort())
	}
	_, err := rows.finish()
	return err
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
