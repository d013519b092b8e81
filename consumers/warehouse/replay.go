package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

// LastStored gives the greatest stream sequence that the tables know, 0 when they are empty.
func (w *Warehouse) LastStored(ctx context.Context) (uint64, error) {
	var last uint64
	err := w.conn.QueryRow(ctx, "SELECT greatest((SELECT max(stream_seq) FROM "+contentsTable.table+w.suffix+
		"), (SELECT max(stream_seq) FROM dead_letters"+w.suffix+"))").Scan(&last)
	if err != nil {
		return 0, unavailable("look for the last sequence", err)
	}
	return last, nil
}

// Refusals gives why the messages of a range of sequences became dead letters, by sequence.
func (w *Warehouse) Refusals(ctx context.Context, first, last uint64) (map[uint64]*schemas.Error, error) {
	refusals := map[uint64]*schemas.Error{}
	query := fmt.Sprintf("SELECT stream_seq, code, field, value, reason, hint FROM dead_letters%s FINAL WHERE stream_seq BETWEEN %d AND %d", w.suffix, first, last)
	err := w.each(ctx, query, func(rows driver.Rows) error {
		var sequence uint64
		var code string
		e := new(schemas.Error)
		if err := rows.Scan(&sequence, &code, &e.Field, &e.Value, &e.Message, &e.Hint); err != nil {
			return err
		}
		e.Code = schemas.Code(code)
		refusals[sequence] = e
		return nil
	})
	if err != nil {
		return nil, unavailable("read the reasons of dead letters", err)
	}
	return refusals, nil
}

// Delivered tells which of the sequences are the first delivery of an accepted content.
func (w *Warehouse) Delivered(ctx context.Context, sequences []uint64) (map[uint64]bool, error) {
	delivered := map[uint64]bool{}
	for chunk := range slices.Chunk(sequences, lookupChunk) {
		err := w.each(ctx, "SELECT DISTINCT stream_seq FROM "+contentsTable.table+w.suffix+" WHERE stream_seq IN ("+joinUints(chunk)+")",
			func(rows driver.Rows) error {
				var sequence uint64
				if err := rows.Scan(&sequence); err != nil {
					return err
				}
				delivered[sequence] = true
				return nil
			})
		if err != nil {
			return nil, unavailable("look up sequences", err)
		}
	}
	return delivered, nil
}

// Check tells whether the shadow tables agree among themselves: contested holds exactly the deliveries of the identities
// with more than one content, and events exactly the first delivery of each identity. Compared are the number of rows and
// the sum of the hashes of what names them, which knows no order.
//
// Identities of one hash are in contested as if they were one, and there their texts tell them apart; so which events there
// must be is asked of content_hashes where a hash has one content, and else of contested.
func (s *Shadow) Check(ctx context.Context) error {
	contents, contested := contentsTable.table+shadowSuffix, "contested"+shadowSuffix
	const sum = "SELECT count(), sum(cityHash64("
	for _, c := range []struct{ table, have, want string }{
		{"contested", sum + identityInSQL + ", " + contentInSQL + ", stream_seq)) FROM " + contested + " FINAL",
			sum + "identity, fingerprint, stream_seq)) FROM " + contents + " FINAL WHERE identity IN (SELECT identity FROM " + contents +
				" GROUP BY identity HAVING min(fingerprint) != max(fingerprint))"},
		{"events", sum + identityInSQL + ", stream_seq)) FROM events" + shadowSuffix + " FINAL",
			sum + "identity, first)) FROM (SELECT identity, min(stream_seq) AS first FROM " + contents + " GROUP BY identity HAVING min(fingerprint) = max(fingerprint)" +
				" UNION ALL SELECT " + identityInSQL + " AS identity, min(stream_seq) AS first FROM " + contested + " GROUP BY source, id)"},
	} {
		var have, want struct{ rows, sum uint64 }
		if err := s.tables.conn.QueryRow(ctx, c.have).Scan(&have.rows, &have.sum); err != nil {
			return unavailable("check the shadow tables", err)
		}
		if err := s.tables.conn.QueryRow(ctx, c.want).Scan(&want.rows, &want.sum); err != nil {
			return unavailable("check the shadow tables", err)
		}
		if have != want {
			return &schemas.Error{
				Code: schemas.Internal, Message: fmt.Sprintf("the rebuilt table %s has %d rows where the contents say %d, or others", c.table, have.rows, want.rows),
				Hint: "nothing was changed; start the replay again",
			}
		}
	}
	return nil
}

// Unseen calls yield for each range of sequences, after one and up to another, that the shadow tables do not name: those
// the stream does not hold, and repetitions of an accepted content.
func (s *Shadow) Unseen(ctx context.Context, after, upTo uint64, yield func(first, last uint64) error) error {
	query := fmt.Sprintf(`SELECT stream_seq FROM (SELECT stream_seq FROM content_hashes%[1]s FINAL UNION ALL SELECT stream_seq FROM dead_letters%[1]s FINAL)
WHERE stream_seq > %[2]d AND stream_seq <= %[3]d ORDER BY stream_seq`, shadowSuffix, after, upTo)
	rows, err := s.tables.conn.Query(ctx, query)
	if err != nil {
		return unavailable("look for sequences", err)
	}
	defer rows.Close()
	next := after + 1
	for rows.Next() {
		var sequence uint64
		if err := rows.Scan(&sequence); err != nil {
			return unavailable("look for sequences", err)
		}
		if sequence > next {
			if err := yield(next, sequence-1); err != nil {
				return err
			}
		}
		next = max(next, sequence+1)
	}
	if err := rows.Err(); err != nil {
		return unavailable("look for sequences", err)
	}
	if next <= upTo {
		return yield(next, upTo)
	}
	return nil
}

// Lacking gives the deliveries whose content the shadow tables do not hold under the same identity with a lower sequence.
func (s *Shadow) Lacking(ctx context.Context, deliveries []Delivery) ([]uint64, error) {
	var lacking []uint64
	for chunk := range slices.Chunk(deliveries, lookupChunk) {
		identities := make([]identity, len(chunk))
		for i := range chunk {
			identities[i] = identityOf(chunk[i].Event)
		}
		type delivered struct{ identity, content uint64 }
		first := map[delivered]uint64{}
		err := s.tables.each(ctx, "SELECT identity, fingerprint, min(stream_seq) FROM "+contentsTable.table+shadowSuffix+" WHERE identity IN "+identityList(identities)+
			" GROUP BY identity, fingerprint", func(rows driver.Rows) error {
			var d delivered
			var sequence uint64
			if err := rows.Scan(&d.identity, &d.content, &sequence); err != nil {
				return err
			}
			first[d] = sequence
			return nil
		})
		if err != nil {
			return nil, unavailable("look up repetitions", err)
		}
		for i := range chunk {
			sequence, held := first[delivered{uint64(identities[i]), uint64(contentOf(chunk[i].Fingerprint))}]
			if !held || sequence >= chunk[i].Sequence {
				lacking = append(lacking, chunk[i].Sequence)
			}
		}
	}
	return lacking, nil
}

// TableChange says what a replay did to a table: its rows before and after, repeated ones not counted, and whether any
// of them differs.
type TableChange struct {
	Table   string `json:"table"`
	Before  uint64 `json:"rows_before"`
	After   uint64 `json:"rows_after"`
	Changed bool   `json:"changed"`
}

// Compare tells, after a swap, how the tables in use differ from those before, in what they say up to a sequence.
func (s *Shadow) Compare(ctx context.Context, upTo uint64) ([]TableChange, error) {
	changes := make([]TableChange, 0, len(streamTables()))
	for _, table := range streamTables() {
		var before, after struct{ rows, sum uint64 }
		if err := s.tables.conn.QueryRow(ctx, fingerprintOf(table, shadowSuffix, upTo)).Scan(&before.rows, &before.sum); err != nil {
			return nil, unavailable("compare the tables", err)
		}
		if err := s.tables.conn.QueryRow(ctx, fingerprintOf(table, "", upTo)).Scan(&after.rows, &after.sum); err != nil {
			return nil, unavailable("compare the tables", err)
		}
		changes = append(changes, TableChange{Table: table, Before: before.rows, After: after.rows, Changed: before != after})
	}
	return changes, nil
}

// fingerprintOf counts a table's rows and sums their hashes. A later conflict brings an earlier delivery into contested,
// which therefore is looked at as it would be without what came later.
func fingerprintOf(table, suffix string, upTo uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SELECT count(), sum(cityHash64(line)) FROM (SELECT formatRow('RowBinary', *) AS line FROM %s%s FINAL WHERE stream_seq <= %d", table, suffix, upTo)
	if table == "contested" {
		b.WriteString(" QUALIFY count() OVER (PARTITION BY source, id) > 1")
	}
	b.WriteString(")")
	return b.String()
}

// ForgetStored forgets the ledgers, bulletins and assessments that were stored for readers; they are made anew when
// somebody asks. What was published stays.
func (w *Warehouse) ForgetStored(ctx context.Context) error {
	for _, table := range []string{"ledger_cuts", "model_cuts"} {
		if err := w.conn.Exec(ctx, "TRUNCATE TABLE "+table); err != nil {
			return unavailable("forget what was stored for readers", err)
		}
	}
	return w.forgetJudged(ctx)
}
