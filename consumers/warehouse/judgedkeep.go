package warehouse

import (
	"context"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// A making is written whole under a new name before it is noted, and its note goes before its rows do: whoever finds a note
// finds the rows, or fewer of them than the note says. Nothing here is needed for an answer; what fails is logged, and
// everything is judged the next time.

// keeper keeps what is judged of all subjects at one cut, as it is judged. It is safe for concurrent use.
type keeper struct {
	*judgedStore
	cut    schemas.Cut
	making *making

	mu     sync.Mutex
	block  *block
	failed error
}

// keeper gives one for a cut that is likely to be asked for again; nil where nothing is kept.
func (s *judgedStore) keeper(ctx context.Context, cut schemas.Cut) (*keeper, error) {
	if !s.keeps(cut) {
		return nil, nil
	}
	before, err := s.newest(ctx, cut)
	if err != nil {
		return nil, err
	}
	if before != nil && before.known > s.known.Seq {
		return nil, nil // the next question will be about what is known by then
	}
	return &keeper{judgedStore: s, cut: cut, making: &making{id: uuid.NewString(), known: s.known.Seq}, block: newBlock(judgedTable)}, nil
}

// keepers gives one for each cut that comes first in its question; the others of a long one, such as a trend, would take the
// place of those that are asked for more often.
func (s *judgedStore) keepers(ctx context.Context, rest rest) ([]*keeper, error) {
	keepers := make([]*keeper, len(rest.cuts))
	for k, i := range rest.places {
		if i >= cutsOfBulletin {
			continue
		}
		var err error
		if keepers[k], err = s.keeper(ctx, rest.cuts[k]); err != nil {
			return nil, err
		}
	}
	return keepers, nil
}

// sink gives a sink that keeps what it is given.
func (k *keeper) sink(ctx context.Context) ledger.Sink {
	if k == nil {
		return func(int, *schemas.Judged) error { return nil }
	}
	var packed []byte
	return func(_ int, j *schemas.Judged) error {
		packed = schemas.AppendJudged(packed[:0], j)
		k.take(ctx, j.ProjectID, packed)
		return nil
	}
}

// take keeps one; what fails is said in the end.
func (k *keeper) take(ctx context.Context, projectID string, packed []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed != nil {
		return
	}
	k.addJudged(k.block, k.making.id, projectID, packed)
	if k.making.subjects++; k.block.rows == judgedAtOnce {
		k.failed = k.block.send(ctx, k.Warehouse)
		k.block.reset()
	}
}

// finish keeps the rest, and notes the making unless there are too few subjects. It tells whether it is kept.
func (k *keeper) finish(ctx context.Context) bool {
	if k == nil || k.making.subjects < uint64(k.judgedFrom) {
		return false
	}
	err := k.failed
	if err == nil {
		err = k.block.send(ctx, k.Warehouse)
	}
	if err == nil {
		err = k.note(ctx, k.cut, k.making)
	}
	if err == nil {
		err = k.forgetOld(ctx)
	}
	if err != nil {
		k.log.WarnContext(ctx, "what was judged could not be kept; everything is judged the next time", "as_of", k.cut.AsOf.String(), "error", err)
		return false
	}
	if k.making.subjects > judgedAtOnce {
		k.mergeNow(ctx, "judged_rows PARTITION "+quoted([]string{k.making.id}))
	}
	return true
}

// keeps tells whether what is judged at the cut is kept.
func (s *judgedStore) keeps(cut schemas.Cut) bool {
	return s != nil && !cut.Trace && s.known.Seq <= s.applied && s.asksAgain(cut)
}

// asksAgain holds for the cuts of bulletins and for ledgers of today and of the days before.
func (s *judgedStore) asksAgain(cut schemas.Cut) bool {
	today := schemas.DateOf(s.now())
	return cut.EditionsBefore <= cut.AsOf || cut.AsOf > today-recentDays && cut.AsOf <= today
}

// keepSome keeps what was judged again.
func (s *judgedStore) keepSome(ctx context.Context, t takenOver) {
	if t.making.known >= s.known.Seq || s.known.Seq > s.applied {
		return
	}
	b := newBlock(judgedTable)
	var packed []byte
	for i := range t.again {
		packed = schemas.AppendJudged(packed[:0], &t.again[i])
		s.addJudged(b, t.making.id, t.again[i].ProjectID, packed)
	}
	err := b.send(ctx, s.Warehouse)
	if err == nil {
		err = s.note(ctx, t.cut, &making{t.making.id, s.known.Seq, t.making.subjects})
	}
	if err != nil {
		s.log.WarnContext(ctx, "what was judged again could not be kept", "as_of", t.cut.AsOf.String(), "error", err)
	}
}

var judgedTable = insertion("judged_rows", "making String", "project_id String", "known_seq UInt64", "judgement String")

// addJudged adds a row to a block of judgedTable.
func (s *judgedStore) addJudged(b *block, making, projectID string, packed []byte) {
	b.columns[0].text(making)
	b.columns[1].text(projectID)
	b.columns[2].number(s.known.Seq)
	b.columns[3].bytes(packed)
	b.rows++
}

func (s *judgedStore) note(ctx context.Context, cut schemas.Cut, m *making) error {
	err := s.conn.Exec(ctx, "INSERT INTO judged_cuts (cut, making, as_of, known_seq, subjects, judged_at) SELECT {cut:String}, {making:String}, {as_of:Date32}, {known:UInt64}, {subjects:UInt64}, fromUnixTimestamp64Milli({at:Int64})",
		named("cut", s.name(cut)), named("making", m.id), named("as_of", cut.AsOf.String()), named("known", m.known), named("subjects", m.subjects), named("at", s.now().UnixMilli()))
	if err != nil {
		return unavailable("note what was judged", err)
	}
	return nil
}

// forgetOld forgets all but the newest making of the cuts that were asked for last, and what nobody noted for long.
func (w *Warehouse) forgetOld(ctx context.Context) error {
	var keep, old []string
	cuts := map[string]bool{}
	err := w.each(ctx, "SELECT cut, making FROM judged_cuts FINAL ORDER BY max(judged_at) OVER (PARTITION BY cut) DESC, cut, known_seq DESC, judged_at DESC", func(rows driver.Rows) error {
		var cut, making string
		if err := rows.Scan(&cut, &making); err != nil {
			return err
		}
		if cuts[cut] || len(cuts) == judgedCuts {
			old = append(old, making)
		} else {
			keep = append(keep, making)
		}
		if len(cuts) < judgedCuts {
			cuts[cut] = true
		}
		return nil
	})
	if err != nil {
		return unavailable("look for what was judged", err)
	}
	if len(old) > 0 {
		if err := w.conn.Exec(ctx, "DELETE FROM judged_cuts WHERE making IN ("+quoted(old)+")"); err != nil {
			return unavailable("forget what was judged", err)
		}
	}
	var partitions []string
	err = w.conn.QueryRow(ctx, `SELECT groupArray(partition) FROM (
    SELECT partition FROM system.parts WHERE database = currentDatabase() AND table = 'judged_rows' AND active
    GROUP BY partition HAVING partition IN {old:Array(String)} OR partition NOT IN {keep:Array(String)} AND max(modification_time) < fromUnixTimestamp({unfinished:Int64})
)`, named("old", old), named("keep", keep), named("unfinished", w.now().Add(-unfinishedLife).Unix())).Scan(&partitions)
	if err != nil {
		return unavailable("look for what was judged", err)
	}
	for _, partition := range partitions {
		if err := w.conn.Exec(ctx, "ALTER TABLE judged_rows DROP PARTITION "+quoted([]string{partition})); err != nil {
			return unavailable("forget what was judged", err)
		}
	}
	return nil
}

// forgetJudged forgets everything that was judged: the events are others now.
func (w *Warehouse) forgetJudged(ctx context.Context) error {
	w.knownBefore.forget()
	for _, table := range []string{"judged_cuts", "judged_rows"} {
		if err := w.conn.Exec(ctx, w.emptied(table)); err != nil {
			return unavailable("forget what was judged", err)
		}
	}
	return nil
}
