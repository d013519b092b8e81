package warehouse

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// Reader reads the ledger under one set of rules.
type Reader struct {
	*Warehouse
	rules *schemas.Rules
}

// NewReader gives a reader under the rules.
func NewReader(w *Warehouse, rules *schemas.Rules) *Reader { return &Reader{w, rules} }

// factColumns are what the ledger needs of an event.
const factColumns = "project_id, source, id, type, district, occurred_at, stream_seq, data"

// Ledger judges every project at the cut (specification §4 to §7). It fails
// with the code unavailable when the warehouse does.
func (r *Reader) Ledger(ctx context.Context, cut schemas.Cut) (*schemas.Ledger, error) {
	ledgers, err := r.Ledgers(ctx, cut)
	if err != nil {
		return nil, err
	}
	return ledgers[0], nil
}

// Ledgers judges every project at several cuts of one KnownSeq, and reads the
// events once for all of them; what was judged before and nothing came about
// since is taken over (see judged.go).
func (r *Reader) Ledgers(ctx context.Context, cuts ...schemas.Cut) ([]*schemas.Ledger, error) {
	known, before, err := r.begin(ctx, cuts[0].KnownSeq)
	if err != nil {
		return nil, err
	}
	ledgers, err := before.ledgers(ctx, cuts)
	if err != nil {
		return nil, err
	}
	rest := restOf(cuts, func(i int) bool { return ledgers[i] != nil })
	if len(rest.cuts) > 0 {
		made, err := r.judgeWhole(ctx, before, known, rest)
		if err != nil {
			return nil, err
		}
		for k, i := range rest.places {
			ledgers[i] = made[k]
		}
	}
	return ledgers, r.countTroubles(ctx, ledgers)
}

// begin reads what holds for all projects, and finds what was judged before.
func (r *Reader) begin(ctx context.Context, seq uint64) (*ledger.Known, *judgedStore, error) {
	facts, err := r.revocationsAndEditions(ctx, seq)
	if err != nil {
		return nil, nil, err
	}
	known := ledger.NewKnown(seq, facts)
	before, err := r.judgedBefore(ctx, known, facts)
	return known, before, err
}

// rest are the cuts of a question that are to be judged, with their places in it.
type rest struct {
	cuts   []schemas.Cut
	places []int
}

func restOf(cuts []schemas.Cut, taken func(i int) bool) (r rest) {
	for i, cut := range cuts {
		if !taken(i) {
			r.cuts, r.places = append(r.cuts, cut), append(r.places, i)
		}
	}
	return r
}

// judgeWhole gives the ledgers of cuts of which nothing was judged before. Of very many events no more than the ledgers is
// held: what is judged is kept first, and the ledgers are put together of that.
func (r *Reader) judgeWhole(ctx context.Context, store *judgedStore, known *ledger.Known, rest rest) ([]*schemas.Ledger, error) {
	cuts := rest.cuts
	keepers, err := store.keepers(ctx, rest)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(keepers, nil) {
		var events uint64
		if err := r.conn.QueryRow(ctx, "SELECT count() FROM events").Scan(&events); err != nil {
			return nil, unavailable("count the events", err)
		}
		if events > r.eventsAtOnce {
			ledgers, err := r.judgeKept(ctx, store, known, cuts, keepers)
			if ledgers != nil || err != nil {
				return ledgers, err
			}
			if keepers, err = store.keepers(ctx, rest); err != nil {
				return nil, err
			}
		}
	}
	judged := ledger.NewCollection(cuts)
	if err := r.judgeEach(ctx, known, cuts, keepers, judged.Sink); err != nil {
		return nil, err
	}
	ledgers := make([]*schemas.Ledger, len(cuts))
	for i, cut := range cuts {
		keepers[i].finish(ctx)
		ledgers[i], judged.Of[i] = ledger.Assembled(r.rules, cut, judged.Of[i]), nil
	}
	return ledgers, nil
}

// judgeKept gives nil when something could not be kept.
func (r *Reader) judgeKept(ctx context.Context, store *judgedStore, known *ledger.Known, cuts []schemas.Cut, keepers []*keeper) ([]*schemas.Ledger, error) {
	err := r.judgeEach(ctx, known, cuts, keepers, func() ledger.Sink { return func(int, *schemas.Judged) error { return nil } })
	if err != nil {
		return nil, err
	}
	ledgers := make([]*schemas.Ledger, len(cuts))
	for i, k := range keepers {
		if !k.finish(ctx) {
			return nil, nil
		}
		ledgers[i], err = store.gather(ctx, takenOver{cut: cuts[i], making: k.making, rows: k.making.subjects})
		if err != nil || ledgers[i] == nil {
			return nil, err
		}
	}
	return ledgers, nil
}

// judgeEach judges every subject at the cuts, and gives what it judges to keepers and to sinks.
func (r *Reader) judgeEach(ctx context.Context, known *ledger.Known, cuts []schemas.Cut, keepers []*keeper, sinks func() ledger.Sink) error {
	source := r.source(known, cuts)
	whole := func(ids []string) iter.Seq2[ledger.Project, error] { return source.whole(ctx, ids) }
	return ledger.JudgeEach(r.rules, known, cuts, source.all(ctx), whole, func() ledger.Sink {
		sink, keeping := sinks(), make([]ledger.Sink, len(cuts))
		for i := range cuts {
			keeping[i] = keepers[i].sink(ctx)
		}
		return func(i int, j *schemas.Judged) error {
			if err := keeping[i](i, j); err != nil {
				return err
			}
			return sink(i, j)
		}
	})
}

// countTroubles counts for each ledger what is in no project.
func (r *Reader) countTroubles(ctx context.Context, ledgers []*schemas.Ledger) error {
	if err := r.SettleConflicts(ctx); err != nil {
		return err
	}
	var conflicts, deadLetters uint64
	err := r.conn.QueryRow(ctx, `SELECT (SELECT count() FROM conflicts WHERE stream_seq <= {known:UInt64}),
    (SELECT count() FROM dead_letters FINAL WHERE stream_seq <= {known:UInt64})`, named("known", ledgers[0].KnownSeq)).Scan(&conflicts, &deadLetters)
	if err != nil {
		return unavailable("count conflicts and dead letters", err)
	}
	for _, l := range ledgers {
		l.Quality.Conflicts, l.Quality.DeadLetters = int(conflicts), int(deadLetters)
	}
	return nil
}

// source reads the facts of all subjects without the old reports that the cuts do not need.
func (r *Reader) source(known *ledger.Known, cuts []schemas.Cut) *factsSource {
	return &factsSource{Reader: r, words: newWords(r.rules), seq: known.Seq, from: ledger.ReportsFrom(r.rules, cuts)}
}

// LedgersOf judges the given projects at several cuts of one KnownSeq, and reads
// their events alone; what concerns all projects, such as counts of conflicts,
// is left out. It fails with the code unavailable when the warehouse does.
func (r *Reader) LedgersOf(ctx context.Context, projects []string, cuts ...schemas.Cut) ([]*schemas.Ledger, error) {
	seq := cuts[0].KnownSeq
	known, err := r.known(ctx, seq)
	if err != nil {
		return nil, err
	}
	source := &factsSource{Reader: r, words: newWords(r.rules), seq: seq}
	return ledger.Assemble(r.rules, known, cuts, source.whole(ctx, projects))
}

// knownFacts finds revocations and publications behind a sequence by their type, and then takes the delivery with the
// lowest sequence of each of their identities by itself, which may be of another type: FINAL would merge the whole table for
// these few.
const knownFacts = `SELECT source, id, type, district, occurred_at, stream_seq, fact
FROM (
    SELECT source, id, type, district, occurred_at, stream_seq, fact FROM events
    WHERE (source, id) IN (
        SELECT source, id FROM events
        WHERE stream_seq > {after:UInt64} AND stream_seq <= {known:UInt64} AND type IN ('event.revoked.v1', 'bulletin.published.v1', 'bulletin.withdrawn.v1')
    )
    ORDER BY stream_seq LIMIT 1 BY source, id
)
WHERE stream_seq > {after:UInt64} AND type IN ('event.revoked.v1', 'bulletin.published.v1', 'bulletin.withdrawn.v1')
ORDER BY stream_seq`

// known reads what holds for all projects: revocations and editions.
func (r *Reader) known(ctx context.Context, seq uint64) (*ledger.Known, error) {
	facts, err := r.revocationsAndEditions(ctx, seq)
	if err != nil {
		return nil, err
	}
	return ledger.NewKnown(seq, facts), nil
}

// knownFacts reads the revocations and publications that came after one sequence and up to another.
func (r *Reader) knownFacts(ctx context.Context, after, upTo uint64) ([]ledger.Fact, error) {
	var facts []ledger.Fact
	rows, err := r.conn.Query(ctx, knownFacts, named("after", after), named("known", upTo))
	if err != nil {
		return nil, unavailable("read revocations and publications", err)
	}
	defer rows.Close()
	for rows.Next() {
		var f ledger.Fact
		var kind, packed string
		if err := rows.Scan(&f.Source, &f.ID, &kind, &f.District, &f.Time, &f.Seq, &packed); err != nil {
			return nil, unavailable("read revocations and publications", err)
		}
		f.Type = schemas.Type(kind)
		if f.Data, err = schemas.UnpackData(f.Type, packed); err != nil {
			return nil, fmt.Errorf("stored event %s: %w", schemas.EventID(f.Source, f.ID), err)
		}
		facts = append(facts, f)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read revocations and publications", err)
	}
	return facts, nil
}

// facts reads those events that the rest of the statement selects, in its order.
func (r *Reader) facts(ctx context.Context, selection string, args ...any) ([]ledger.Fact, error) {
	rows, err := r.conn.Query(ctx, "SELECT "+factColumns+" FROM events "+selection, args...)
	if err != nil {
		return nil, unavailable("read the events", err)
	}
	defer rows.Close()
	var facts []ledger.Fact
	for rows.Next() {
		_, f, err := scanFact(rows)
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read the events", err)
	}
	return facts, nil
}

func scanFact(rows driver.Rows) (projectID string, f ledger.Fact, err error) {
	var kind, data string
	if err := rows.Scan(&projectID, &f.Source, &f.ID, &kind, &f.District, &f.Time, &f.Seq, &data); err != nil {
		return "", f, unavailable("read the events", err)
	}
	f.Type = schemas.Type(kind)
	if f.Data, err = schemas.DecodeData(f.Type, []byte(data)); err != nil {
		return "", f, fmt.Errorf("stored event %s: %w", schemas.EventID(f.Source, f.ID), err)
	}
	return projectID, f, nil
}

// SequenceAt gives the last stream sequence that was recorded by the time, 0
// when there is none (specification §4).
func (r *Reader) SequenceAt(ctx context.Context, at time.Time) (uint64, error) {
	var seq uint64
	err := r.conn.QueryRow(ctx, `SELECT greatest(
    (SELECT max(stream_seq) FROM events WHERE recorded_at <= fromUnixTimestamp64Nano({at:Int64})),
    (SELECT max(stream_seq) FROM contested WHERE recorded_at <= fromUnixTimestamp64Nano({at:Int64})),
    (SELECT max(stream_seq) FROM dead_letters WHERE recorded_at <= fromUnixTimestamp64Nano({at:Int64})))`,
		named("at", at.UnixNano())).Scan(&seq)
	if err != nil {
		return 0, unavailable("find the sequence at a time", err)
	}
	return seq, nil
}
