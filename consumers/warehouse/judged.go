package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// What was judged of each subject is kept for a few cuts, so that a ledger costs a look at each project and not at its
// history. A judgement depends on the day E, on what item 6 of 七个一 can see, on the rules, on the program, and on the events
// of the subject up to S with their revocations. All but the last are in the cut's hash; a subject of which nothing came
// between two S has the same judgement at both, whichever of them is the later one.

const (
	// judgedFrom: fewer subjects are judged faster than it is worth to keep them.
	judgedFrom = 2_000
	// judgedCuts bounds how many cuts are kept.
	judgedCuts = 8
	// cutsOfBulletin are those that a bulletin always asks for, at the front: the period and the one before.
	cutsOfBulletin = 2
	// recentDays is for how long ledgers of past days are kept, in days: pages compare with a week before.
	recentDays = 8
	// judgedAtOnce is how many are written as one block, more than judgedFrom.
	judgedAtOnce = 20_000
	// eventsAtOnce is up to how many events all that is judged of them is held in memory, beside the ledgers.
	eventsAtOnce = 4_000_000
	// judgedInBlock keeps the blocks small enough to be read without growing buffers again and again.
	judgedInBlock = 1024
	// unfinishedLife is after how long a making that nobody noted is none that is still being written.
	unfinishedLife = 6 * time.Hour
)

// judgedStore keeps what was judged as known at one S. Without an applied watermark it keeps nothing.
type judgedStore struct {
	*Reader
	known   *ledger.Known
	facts   []ledger.Fact // revocations and publications
	applied uint64
	base    string // what every cut of the store depends on
}

// judgedBefore gives the store; it is nil where nothing is kept. On replicated tables a replica may still lack some of what
// was written, so that nothing is kept there.
func (r *Reader) judgedBefore(ctx context.Context, known *ledger.Known, facts []ledger.Fact) (*judgedStore, error) {
	if r.program == "" || r.stream == nil || r.cluster != "" || r.suffix != "" {
		return nil, nil
	}
	applied, err := r.stream.Watermark(ctx)
	if err != nil {
		return nil, err
	}
	hash, err := r.rules.Hash()
	if err != nil {
		return nil, err
	}
	events, err := r.eventsTable(ctx)
	if err != nil {
		return nil, err
	}
	return &judgedStore{r, known, facts, applied, fmt.Sprintf("%q %s %s", r.program, hash, events)}, nil
}

// eventsTable identifies the table of events, which a replay exchanges.
func (w *Warehouse) eventsTable(ctx context.Context) (uuid.UUID, error) {
	var id uuid.UUID
	if err := w.conn.QueryRow(ctx, "SELECT uuid FROM system.tables WHERE database = currentDatabase() AND name = 'events'").Scan(&id); err != nil {
		return id, unavailable("look for the table of events", err)
	}
	return id, nil
}

// name is the hash of all that a judgement depends on but S.
func (s *judgedStore) name(cut schemas.Cut) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", s.base, cut.AsOf, s.known.EditionsFor(cut.EditionsBefore)))
	return hex.EncodeToString(sum[:16])
}

// making is one judgement of all subjects at a cut, with what was judged again since.
type making struct {
	id       string
	known    uint64 // up to which what concerns a subject was judged
	subjects uint64 // at least so many rows there are
}

// takenOver is a cut of which what was judged before is taken over.
type takenOver struct {
	place  int // of the cut in the question
	cut    schemas.Cut
	making *making
	rows   uint64           // at least those of the making's subjects
	again  []schemas.Judged // in place of what there is of these subjects
}

// takeOver finds what was judged before, and judges again, for all cuts at once, what something came about since then. A cut
// is left out where there is no such making, where it lacks rows because it is being forgotten, and where too much came.
func (s *judgedStore) takeOver(ctx context.Context, cuts []schemas.Cut) ([]takenOver, error) {
	if s == nil {
		return nil, nil
	}
	var found []takenOver
	var foundCuts []schemas.Cut
	var concerned []string // by one of the cuts; it does no harm to judge it again at another
	for i, cut := range cuts {
		if cut.Trace {
			continue
		}
		m, err := s.newest(ctx, cut)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		var rows uint64
		if err := s.conn.QueryRow(ctx, "SELECT count() FROM judged_rows WHERE making = {making:String}", named("making", m.id)).Scan(&rows); err != nil {
			return nil, unavailable("read what was judged", err)
		}
		if rows < m.subjects {
			continue
		}
		subjects, few, err := s.concernedSince(ctx, m)
		if err != nil {
			return nil, err
		}
		if few {
			found, foundCuts = append(found, takenOver{place: i, cut: cut, making: m, rows: rows}), append(foundCuts, cut)
			concerned = append(concerned, subjects...)
		}
	}
	slices.Sort(concerned)
	again, err := s.judgeSome(ctx, foundCuts, slices.Compact(concerned))
	if err != nil {
		return nil, err
	}
	for k := range found {
		found[k].again = again[k]
	}
	return found, nil
}

// ledgers gives the ledgers of cuts of what was judged before; nil where everything is to be judged.
func (s *judgedStore) ledgers(ctx context.Context, cuts []schemas.Cut) ([]*schemas.Ledger, error) {
	ledgers := make([]*schemas.Ledger, len(cuts))
	found, err := s.takeOver(ctx, cuts)
	if err != nil {
		return nil, err
	}
	var group errgroup.Group
	for _, t := range found {
		group.Go(func() (err error) {
			ledgers[t.place], err = s.gather(ctx, t)
			return err
		})
	}
	return ledgers, group.Wait()
}

// gather puts the ledger of a cut together; nil when the making lacks rows, because it is being forgotten.
func (s *judgedStore) gather(ctx context.Context, t takenOver) (*schemas.Ledger, error) {
	l, read, err := ledger.Gather(s.rules, t.cut, s.packed(ctx, t.making, packedInOrder, ""), int(t.rows), t.again)
	if err != nil {
		return nil, err
	}
	if uint64(read) < t.making.subjects {
		return nil, nil
	}
	s.keepSome(ctx, t)
	return l, nil
}

// unfold hands what was judged before to sinks.
func (s *judgedStore) unfold(ctx context.Context, t takenOver, sinks func() ledger.Sink) error {
	without := make(map[string]bool, len(t.again))
	for i := range t.again {
		without[t.again[i].ProjectID] = true
	}
	read, err := ledger.Unfold(t.place, s.packed(ctx, t.making, packedInAnyOrder, ""), without, sinks)
	if err != nil {
		return err
	}
	if uint64(read) < t.making.subjects {
		return unavailable("read what was judged", errForgotten)
	}
	sink := sinks()
	for i := range t.again {
		if err := sink(t.place, &t.again[i]); err != nil {
			return err
		}
	}
	s.keepSome(ctx, t)
	return nil
}

// newest gives the making that was judged the furthest; nil when there is none.
func (s *judgedStore) newest(ctx context.Context, cut schemas.Cut) (*making, error) {
	rows, err := s.conn.Query(ctx, "SELECT making, known_seq, subjects FROM judged_cuts FINAL WHERE cut = {cut:String} ORDER BY known_seq DESC LIMIT 1", named("cut", s.name(cut)))
	if err != nil {
		return nil, unavailable("look for what was judged", err)
	}
	defer rows.Close()
	var m *making
	for rows.Next() {
		m = &making{}
		if err := rows.Scan(&m.id, &m.known, &m.subjects); err != nil {
			return nil, unavailable("look for what was judged", err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("look for what was judged", err)
	}
	return m, nil
}

// concernedSince gives the subjects whose judgement may be another one at S, perhaps more; false when they are many.
func (s *judgedStore) concernedSince(ctx context.Context, m *making) (subjects []string, few bool, err error) {
	limit := max(int(m.subjects/10), min(int(m.subjects)-1, someProjects))
	var revoked []string
	for _, f := range s.facts {
		if r, ok := f.Data.(*schemas.Revoked); ok && f.Seq > m.known {
			revoked = append(revoked, r.Source, r.ID)
		}
	}
	if len(revoked) > 2*someRevocations {
		return nil, false, nil
	}
	statement := `SELECT DISTINCT project_id FROM (
    SELECT project_id FROM judged_rows WHERE making = {making:String} AND known_seq > {known:UInt64}
    UNION ALL
    SELECT project_id FROM events WHERE stream_seq > {judged:UInt64} AND stream_seq <= {known:UInt64}`
	if len(revoked) > 0 {
		statement += "\n    UNION ALL\n    SELECT project_id FROM events WHERE (source, id) IN (" + quotedPairs(revoked) + ")"
	}
	rows, err := s.conn.Query(ctx, statement+fmt.Sprintf("\n) LIMIT %d", limit+1), named("making", m.id), named("judged", m.known), named("known", s.known.Seq))
	if err != nil {
		return nil, false, unavailable("look for projects with something new", err)
	}
	defer rows.Close()
	for rows.Next() {
		var subject string
		if err := rows.Scan(&subject); err != nil {
			return nil, false, unavailable("look for projects with something new", err)
		}
		subjects = append(subjects, subject)
	}
	if err := rows.Err(); err != nil {
		return nil, false, unavailable("look for projects with something new", err)
	}
	return subjects, len(subjects) <= limit, nil
}

// judgeSome judges some subjects at each of the cuts. One that has no event any more is judged as nothing.
func (s *judgedStore) judgeSome(ctx context.Context, cuts []schemas.Cut, subjects []string) ([][]schemas.Judged, error) {
	if len(subjects) == 0 || len(cuts) == 0 {
		return make([][]schemas.Judged, len(cuts)), nil
	}
	source := &factsSource{Reader: s.Reader, words: newWords(s.rules), seq: s.known.Seq}
	again, err := ledger.Judge(s.rules, s.known, cuts, source.whole(ctx, subjects), nil)
	if err != nil {
		return nil, err
	}
	for i := range cuts {
		missing := map[string]bool{}
		for _, subject := range subjects {
			missing[subject] = true
		}
		for _, j := range again[i] {
			delete(missing, j.ProjectID)
		}
		for subject := range missing {
			again[i] = append(again[i], schemas.Judged{ProjectID: subject})
		}
	}
	return again, nil
}

// errForgotten says that a making was forgotten while it was read.
var errForgotten = errors.New("it is being forgotten; ask again")

// The orders in which a making is read.
const (
	packedInOrder    = " ORDER BY making, project_id" // of the projects
	packedInAnyOrder = ""
)

// packed streams a making, of the projects behind one.
func (s *judgedStore) packed(ctx context.Context, m *making, order, after string) iter.Seq2[ledger.Packed, error] {
	return func(yield func(ledger.Packed, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_block_size": judgedInBlock}))
		rows, err := s.conn.Query(ctx, "SELECT project_id, judgement FROM judged_rows FINAL WHERE making = {making:String} AND project_id > {after:String}"+order, named("making", m.id), named("after", after))
		if err != nil {
			yield(ledger.Packed{}, unavailable("read what was judged", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var p ledger.Packed
			if err := rows.Scan(&p.ProjectID, &p.Text); err != nil {
				yield(p, unavailable("read what was judged", err))
				return
			}
			if !yield(p, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(ledger.Packed{}, unavailable("read what was judged", err))
		}
	}
}
