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

// factRecord is an event as the ledger reads it: a RowBinary record.
const factRecord = "formatRow('RowBinary', stream_seq, toUnixTimestamp64Milli(occurred_at), source, id, toString(type), toString(district), fact)"

// factsByProject gives one row a project: the records of its events, one behind the other and in any order, but of its
// reports for months before {from} only who sent them. Millions of events cross the wire as one value a project, which
// costs a fraction of a row of columns.
const factsByProject = `SELECT project_id, arrayStringConcat(groupArrayIf(` + factRecord + `, NOT older)), groupUniqArrayIf(toString(district), older)
FROM (SELECT *, ifNull(type = 'progress.reported.v1' AND business_date < {from:Date32}, false) AS older FROM events FINAL)
WHERE stream_seq <= {known:UInt64}
GROUP BY project_id`

// factsOfMany gives all records of some projects.
const factsOfMany = `SELECT project_id, arrayStringConcat(groupArray(` + factRecord + `)), emptyArrayString()
FROM events FINAL
WHERE stream_seq <= {known:UInt64} AND project_id IN %[1]s
GROUP BY project_id
SETTINGS use_skip_indexes = 0`

// fewProjects is up to how many projects factsOfFew reads faster.
const fewProjects = 500

// factsOfFew does the same for a few, whose list stands in it twice. Of each identity that one of them ever came under it
// takes the delivery with the lowest sequence by itself, which may be of another project: FINAL would merge the whole
// table.
const factsOfFew = `SELECT project_id, arrayStringConcat(groupArray(` + factRecord + `)), emptyArrayString()
FROM (
    SELECT project_id, stream_seq, occurred_at, source, id, type, district, fact FROM events
    WHERE (source, id) IN (SELECT source, id FROM events WHERE project_id IN (%[1]s))
    ORDER BY stream_seq LIMIT 1 BY source, id
)
WHERE stream_seq <= {known:UInt64} AND project_id IN (%[1]s)
GROUP BY project_id`

// gatheredBytes is from where on the engine gathers the events of projects on its disk and not in its memory.
const gatheredBytes = 512 << 20

// projectsInBlock keeps the blocks of large values small enough to be read
// without growing buffers again and again.
const projectsInBlock = 1024

// projectsAtOnce bounds the ids of one statement, each of which reads the whole table, and statementBytes the statement with
// that many ids of 64 characters.
const (
	projectsAtOnce = 200_000
	statementBytes = 14 << 20
)

// factsSource reads the facts of the projects as known at a sequence, without the reports for months before from.
type factsSource struct {
	*Reader
	words words
	seq   uint64
	from  schemas.Month
}

// all streams the facts of one subject after another, in any order.
func (s *factsSource) all(ctx context.Context) iter.Seq2[ledger.Project, error] {
	return func(yield func(ledger.Project, error) bool) {
		s.read(ctx, factsByProject, s.from, []any{named("known", s.seq), named("from", s.fromDay())}, yield)
	}
}

// whole streams everything of some projects.
func (s *factsSource) whole(ctx context.Context, ids []string) iter.Seq2[ledger.Project, error] {
	return func(yield func(ledger.Project, error) bool) {
		for chunk := range slices.Chunk(ids, projectsAtOnce) {
			statement, list := factsOfMany, oneText(chunk)
			if len(chunk) <= fewProjects {
				statement, list = factsOfFew, quoted(chunk)
			}
			if !s.read(ctx, fmt.Sprintf(statement, list), 0, []any{named("known", s.seq)}, yield) {
				return
			}
		}
	}
}

// read runs a statement, whose answer lacks older reports before from.
func (s *factsSource) read(ctx context.Context, statement string, from schemas.Month, args []any, yield func(ledger.Project, error) bool) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	settings := clickhouse.Settings{"max_block_size": projectsInBlock, "max_query_size": statementBytes, "max_bytes_before_external_group_by": gatheredBytes}
	rows, err := s.conn.Query(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), statement, args...)
	if err != nil {
		yield(ledger.Project{}, unavailable("read the events", err))
		return false
	}
	defer rows.Close()
	for rows.Next() {
		var id, records string
		older := ledger.Older{Before: from}
		if err := rows.Scan(&id, &records, &older.Districts); err != nil {
			yield(ledger.Project{}, unavailable("read the events", err))
			return false
		}
		if !yield(ledger.Project{ID: id, Facts: func() ([]ledger.Fact, error) { return s.words.unpack(records) }, Older: older}, nil) {
			return false
		}
	}
	if err := rows.Err(); err != nil {
		yield(ledger.Project{}, unavailable("read the events", err))
		return false
	}
	return true
}

// fromDay gives the first day that is read, at least the first that there is.
func (s *factsSource) fromDay() string {
	return max(s.from.First(), schemas.FirstDate).String()
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
func (w words) unpack(text string) ([]ledger.Fact, error) {
	records, err := cutRecords(text)
	if err != nil {
		return nil, err
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

// The form of a record: two numbers of eight bytes, then texts.
const (
	recordNumbers = 16
	recordTexts   = 5 // source, id, type, district, fact
)

// cutRecords cuts what follows one another into records.
func cutRecords(text string) ([]string, error) {
	records := make([]string, 0, len(text)/96+1) // about what an event takes
	for text != "" {
		if len(text) < recordNumbers {
			return nil, errPacked
		}
		rest := text[recordNumbers:]
		for range recordTexts {
			var ok bool
			if _, rest, ok = cutString(rest); !ok {
				return nil, errPacked
			}
		}
		end := len(text) - len(rest)
		records, text = append(records, text[:end]), rest
	}
	return records, nil
}

// read reads a record.
func (w words) read(record string, f *ledger.Fact) error {
	f.Seq = fixed64(record)
	f.Time = time.UnixMilli(int64(fixed64(record[8:]))).In(schemas.Location)
	rest := record[recordNumbers:]
	var parts [recordTexts]string
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
