package warehouse

import (
	"context"
	"iter"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// A making is written whole under a new name before it is noted, and its note goes before its rows do: whoever finds a note
// finds the rows, or fewer of them than the note says. Nothing here is needed for an answer; what fails is logged, and
// everything is judged the next time.

// keep keeps what was judged at the i-th of the cuts, if it is likely to be asked for again.
func (s *judgedStore) keep(ctx context.Context, cut schemas.Cut, judgements *ledger.Judgements, i int) {
	if judgements.Len() < s.minimum() || !s.keeps(cut) {
		return
	}
	if err := s.keepWhole(ctx, cut, judgements.Len(), judgements.Of(i)); err != nil {
		s.log.WarnContext(ctx, "what was judged could not be kept; everything is judged the next time", "as_of", cut.AsOf.String(), "error", err)
	}
}

// minimum is from how many subjects what was judged of them is kept.
func (s *judgedStore) minimum() int {
	if s == nil {
		return 0
	}
	return s.judgedFrom
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

func (s *judgedStore) keepWhole(ctx context.Context, cut schemas.Cut, subjects int, all iter.Seq[schemas.Judged]) error {
	before, err := s.newest(ctx, cut)
	if err != nil {
		return err
	}
	if before != nil && before.known > s.known.Seq {
		return nil // the next question will be about what is known by then
	}
	m := &making{id: uuid.NewString(), known: s.known.Seq, subjects: uint64(subjects)}
	if err := s.insertJudged(ctx, m.id, all); err != nil {
		return err
	}
	return s.noteWhole(ctx, cut, m)
}

func (s *judgedStore) noteWhole(ctx context.Context, cut schemas.Cut, m *making) error {
	if err := s.note(ctx, cut, m); err != nil {
		return err
	}
	return s.forgetOld(ctx)
}

// keepSome keeps what was judged again.
func (s *judgedStore) keepSome(ctx context.Context, cut schemas.Cut, m *making, again []schemas.Judged) {
	err := s.insertJudged(ctx, m.id, slices.Values(again))
	if err == nil {
		err = s.note(ctx, cut, &making{m.id, s.known.Seq, m.subjects})
	}
	if err != nil {
		s.log.WarnContext(ctx, "what was judged again could not be kept", "as_of", cut.AsOf.String(), "error", err)
	}
}

// judgeInParts judges so many subjects that they are read in parts: what is judged of each part is kept, and the ledgers are
// put together of all parts in the end. So no more than one part of judgements is in memory beside the ledgers. It gives nil
// when there is no more than one part, and when something is not kept.
func (r *Reader) judgeInParts(ctx context.Context, s *judgedStore, known *ledger.Known, cuts []schemas.Cut) ([]*schemas.Ledger, error) {
	makings := make([]*making, len(cuts))
	for i, cut := range cuts {
		if !s.keeps(cut) {
			return nil, nil
		}
		makings[i] = &making{id: uuid.NewString(), known: known.Seq}
	}
	source := r.source(known, cuts)
	parts, err := source.parts(ctx)
	if err != nil || parts == 1 {
		return nil, err
	}
	for part := range parts {
		judgements, err := ledger.JudgeShort(r.rules, known, cuts, source.part(ctx, part, parts), func(ids []string) iter.Seq2[ledger.Project, error] {
			return source.whole(ctx, ids)
		})
		if err != nil {
			return nil, err
		}
		for i, m := range makings {
			m.subjects += uint64(judgements.Len())
			if err := s.insertJudged(ctx, m.id, judgements.Of(i)); err != nil {
				s.log.WarnContext(ctx, "what was judged could not be kept; everything is judged in one go", "error", err)
				return nil, nil
			}
		}
	}
	ledgers := make([]*schemas.Ledger, len(cuts))
	for i, cut := range cuts {
		if ledgers[i], err = s.gather(ctx, cut, makings[i], nil); err != nil || ledgers[i] == nil {
			return nil, err
		}
		if err := s.noteWhole(ctx, cut, makings[i]); err != nil {
			s.log.WarnContext(ctx, "what was judged could not be kept; everything is judged the next time", "as_of", cut.AsOf.String(), "error", err)
		}
	}
	return ledgers, nil
}

func (s *judgedStore) insertJudged(ctx context.Context, making string, all iter.Seq[schemas.Judged]) error {
	statement := insertion("judged_rows", "making String", "project_id String", "known_seq UInt64", "judgement String")
	var makings, projects, judgements []string
	var known []uint64
	send := func() error {
		err := s.insert(ctx, statement, len(projects), makings, projects, known, judgements)
		makings, projects, known, judgements = makings[:0], projects[:0], known[:0], judgements[:0]
		return err
	}
	var packed []byte
	for j := range all {
		packed = schemas.AppendJudged(packed[:0], &j)
		makings, projects, known, judgements = append(makings, making), append(projects, j.ProjectID), append(known, s.known.Seq), append(judgements, string(packed))
		if len(projects) == judgedAtOnce {
			if err := send(); err != nil {
				return unavailable("keep what was judged", err)
			}
		}
	}
	if err := send(); err != nil {
		return unavailable("keep what was judged", err)
	}
	return nil
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
