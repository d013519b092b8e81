package warehouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// packedFacts gives one row a project: its events, each as a RowBinary record, in
// any order. Millions of events cross the wire as two values each, which costs a
// fraction of a row of columns.
const packedFacts = `SELECT project_id, groupArray(formatRow('RowBinary', stream_seq, toUnixTimestamp64Milli(occurred_at), source, id, toString(type), toString(district), fact))
FROM events FINAL
WHERE stream_seq <= {known:UInt64} AND cityHash64(project_id) % {parts:UInt64} = {part:UInt64}
GROUP BY project_id`

// eventsInMemory bounds how many events the engine gathers at once.
const eventsInMemory = 4_000_000

// projectsInBlock keeps the blocks of large values small enough to be read
// without growing buffers again and again.
const projectsInBlock = 8192

// projects streams the facts of one subject after another, in any order.
func (r *Reader) projects(ctx context.Context, seq uint64) iter.Seq2[ledger.Project, error] {
	return func(yield func(ledger.Project, error) bool) {
		var events uint64
		if err := r.conn.QueryRow(ctx, "SELECT count() FROM events WHERE stream_seq <= {known:UInt64}", named("known", seq)).Scan(&events); err != nil {
			yield(ledger.Project{}, unavailable("count the events", err))
			return
		}
		words := newWords(r.rules)
		parts := events/eventsInMemory + 1
		for part := range parts {
			if !r.projectsOf(ctx, words, []any{named("known", seq), named("parts", parts), named("part", part)}, yield) {
				return
			}
		}
	}
}

func (r *Reader) projectsOf(ctx context.Context, words words, args []any, yield func(ledger.Project, error) bool) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := r.conn.Query(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_block_size": projectsInBlock})), packedFacts, args...)
	if err != nil {
		yield(ledger.Project{}, unavailable("read the events", err))
		return false
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var packed []string
		if err := rows.Scan(&id, &packed); err != nil {
			yield(ledger.Project{}, unavailable("read the events", err))
			return false
		}
		if !yield(ledger.Project{ID: id, Facts: func() ([]ledger.Fact, error) { return words.unpack(packed) }}, nil) {
			return false
		}
	}
	if err := rows.Err(); err != nil {
		yield(ledger.Project{}, unavailable("read the events", err))
		return false
	}
	return true
}

// words keeps one copy of the words that millions of facts share. It is
// complete before it is used, and so safe on several goroutines.
type words map[string]string

func newWords(rules *schemas.Rules) words {
	w := words{schemas.CityDistrict: schemas.CityDistrict}
	for _, code := range rules.DistrictCodes() {
		w[code] = code
	}
	for _, t := range schemas.Types() {
		w[string(t)] = string(t)
	}
	return w
}

func (w words) of(text string) string {
	if shared, ok := w[text]; ok {
		return shared
	}
	return strings.Clone(text)
}

var errPacked = errors.New("a record of an event does not read")

// unpack reads the records of a project and puts them in order.
func (w words) unpack(records []string) ([]ledger.Fact, error) {
	for _, record := range records {
		if len(record) < 16 {
			return nil, errPacked
		}
	}
	// A record begins with its sequence, and is cheaper to move than a fact.
	slices.SortFunc(records, func(a, b string) int { return cmp.Compare(fixed64(a), fixed64(b)) })
	facts := make([]ledger.Fact, len(records))
	for i, record := range records {
		if err := w.read(record, &facts[i]); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// read reads a record of at least 16 bytes.
func (w words) read(record string, f *ledger.Fact) error {
	f.Seq = fixed64(record)
	f.Time = time.UnixMilli(int64(fixed64(record[8:]))).In(schemas.Location)
	rest := record[16:]
	var parts [5]string // source, id, type, district, fact
	for i := range parts {
		var ok bool
		if parts[i], rest, ok = cutString(rest); !ok {
			return errPacked
		}
	}
	f.Source, f.ID, f.Type, f.District = parts[0], parts[1], schemas.Type(w.of(parts[2])), w.of(parts[3])
	var err error
	if f.Data, err = schemas.UnpackData(f.Type, parts[4]); err != nil {
		return fmt.Errorf("stored event %s: %w", schemas.EventID(f.Source, f.ID), err)
	}
	return nil
}

// fixed64 reads eight bytes, the least significant first.
func fixed64(s string) uint64 {
	var n uint64
	for i := range 8 {
		n |= uint64(s[i]) << (8 * i)
	}
	return n
}

// cutString takes a RowBinary string: its length as a variable-length integer,
// then its bytes.
func cutString(s string) (text, rest string, ok bool) {
	var length uint64
	for shift := 0; shift < 63 && s != ""; shift += 7 {
		b := s[0]
		s = s[1:]
		length |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if length > uint64(len(s)) {
				return "", "", false
			}
			return s[:length], s[length:], true
		}
	}
	return "", "", false
}
