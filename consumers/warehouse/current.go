package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// RefreshCurrent makes ledger_current and ignored_events those of the cut, by judging every project.
func (r *Reader) RefreshCurrent(ctx context.Context, cut schemas.Cut) error {
	rows := r.ledgerRows("ledger_current_rows", cut)
	ledgers, err := r.Survey(ctx, []schemas.Cut{cut}, rows.observer(ctx))
	if err != nil {
		return errors.Join(err, rows.abort())
	}
	written, err := rows.finish()
	if err != nil {
		return err
	}
	// A project whose registration was revoked has no row any more.
	if err := r.takeOut(ctx, cut, "known_seq < {known:UInt64} OR as_of < {as_of:Date32}"); err != nil {
		return err
	}
	if err := r.refreshIgnored(ctx, ledgers[0], "true"); err != nil {
		return err
	}
	if err := r.noteCurrent(ctx, cut); err != nil {
		return err
	}
	if written > rowsInInsert && r.cluster == "" {
		r.mergeNow(ctx, "ledger_current_rows")
	}
	return nil
}

// takeOut takes projects that a condition selects out of the current ledger.
func (r *Reader) takeOut(ctx context.Context, cut schemas.Cut, condition string) error {
	err := r.conn.Exec(ctx, `INSERT INTO ledger_current_rows (project_id, as_of, known_seq, removed)
SELECT project_id, {as_of:Date32}, {known:UInt64}, true FROM ledger_current_rows FINAL WHERE NOT removed AND (`+condition+")",
		named("as_of", cut.AsOf.String()), named("known", cut.KnownSeq))
	if err != nil {
		return unavailable("take projects out of the current ledger", err)
	}
	return nil
}

// noteCurrent notes that the current ledger is that of the cut: rows of projects about which nothing came keep the sequence
// at which they were written.
func (r *Reader) noteCurrent(ctx context.Context, cut schemas.Cut) error {
	err := r.conn.Exec(ctx, "INSERT INTO ledger_current_known (known_seq, refreshed_at) SELECT {known:UInt64}, fromUnixTimestamp64Milli({at:Int64})",
		named("known", cut.KnownSeq), named("at", r.now().UnixMilli()))
	if err != nil {
		return unavailable("note how far the current ledger is", err)
	}
	return nil
}

// refreshIgnored makes ignored_events that of the ledger, where a condition holds.
func (r *Reader) refreshIgnored(ctx context.Context, l *schemas.Ledger, condition string) error {
	if len(l.Ignored) > 0 {
		batch, err := r.conn.PrepareBatch(ctx, "INSERT INTO ignored_rows (source, id, stream_seq, type, project_id, district, part, foreign_event, reason, known_seq)")
		if err != nil {
			return unavailable("store the ignored events", err)
		}
		defer batch.Close()
		for _, i := range l.Ignored {
			if err := batch.Append(i.Event.Source, i.Event.ID, i.Event.Seq, string(i.Type), i.ProjectID, i.District, string(i.Part), i.Foreign, i.Reason, l.KnownSeq); err != nil {
				return fmt.Errorf("ignored event %s: %w", schemas.EventID(i.Event.Source, i.Event.ID), err)
			}
		}
		if err := batch.Send(); err != nil {
			return unavailable("store the ignored events", err)
		}
	}
	err := r.conn.Exec(ctx, `INSERT INTO ignored_rows (source, id, part, reason, known_seq, removed)
SELECT source, id, part, reason, {known:UInt64}, true FROM ignored_rows FINAL WHERE NOT removed AND known_seq < {known:UInt64} AND `+condition, named("known", l.KnownSeq))
	if err != nil {
		return unavailable("take events out of the ignored ones", err)
	}
	return nil
}

// Current keeps ledger_current and ignored_events current at the cost of what came: it judges those projects again about
// which something was sent, or revoked. Everything is judged again when that is not sure to be enough: when it begins, on
// another day, under other rules, after a publication (item 6 of 七个一 looks at every project), after a replay, after an
// error, and once in a while in any case. It is used by one goroutine.
type Current struct {
	w     *Warehouse
	knows *currentState // nil: nothing is known of what the tables hold
}

// currentState is what the tables were last made of.
type currentState struct {
	cut       schemas.Cut
	rulesHash string
	events    uuid.UUID     // the table of events, which a replay exchanges
	facts     []ledger.Fact // revocations and publications
	whole     time.Time     // when every project was judged
}

// NewCurrent gives one that knows nothing yet.
func NewCurrent(w *Warehouse) *Current { return &Current{w: w} }

const (
	// wholeEvery is how long differences are trusted, whatever another process may have written meanwhile.
	wholeEvery = time.Hour
	// someProjects and someRevocations bound what is judged by difference; statements that list them stay below 256 KiB.
	someProjects    = 2_000
	someRevocations = 200
)

// Refresh makes ledger_current and ignored_events those of the cut under the rules. Each sequence up to the cut's must be
// applied. It fails with the code unavailable when the warehouse does; then it is to be tried again.
func (c *Current) Refresh(ctx context.Context, rules *schemas.Rules, cut schemas.Cut) error {
	r := NewReader(c.w, rules)
	next := &currentState{cut: cut, whole: r.now()}
	var err error
	if next.rulesHash, err = rules.Hash(); err != nil {
		return err
	}
	if next.events, err = c.w.eventsTable(ctx); err != nil {
		return err
	}
	before := c.knows
	c.knows = nil
	var projects []string
	// A replica may still lack some of what came: there a later refresh makes up for it only when it judges everything.
	some := before != nil && c.w.cluster == "" && next.follows(before)
	if some {
		if projects, some, err = r.concerned(ctx, before, next); err != nil {
			return err
		}
	}
	if some {
		next.whole = before.whole
		err = r.refreshSome(ctx, next, projects)
	} else {
		err = r.refreshWhole(ctx, next)
	}
	if err != nil {
		return err
	}
	c.knows = next
	return nil
}

// follows tells whether a difference can lead from one state to the next.
func (s *currentState) follows(before *currentState) bool {
	return s.cut.AsOf == before.cut.AsOf && s.cut.EditionsBefore == before.cut.EditionsBefore && s.cut.KnownSeq >= before.cut.KnownSeq &&
		s.rulesHash == before.rulesHash && s.events == before.events && s.whole.Sub(before.whole) < wholeEvery
}

func (r *Reader) refreshWhole(ctx context.Context, next *currentState) error {
	var err error
	if next.facts, err = r.knownFacts(ctx, 0, next.cut.KnownSeq); err != nil {
		return err
	}
	return r.RefreshCurrent(ctx, next.cut)
}

// concerned gives the subjects that what came between two states may change, perhaps more; false when it may change all, or
// many. It fills in the facts of the next state.
func (r *Reader) concerned(ctx context.Context, before, next *currentState) (projects []string, some bool, err error) {
	arrived, err := r.knownFacts(ctx, before.cut.KnownSeq, next.cut.KnownSeq)
	if err != nil {
		return nil, false, err
	}
	next.facts = append(before.facts[:len(before.facts):len(before.facts)], arrived...)
	var revoked []string
	for _, f := range arrived {
		r, ok := f.Data.(*schemas.Revoked)
		if !ok {
			return nil, false, nil // a publication
		}
		revoked = append(revoked, r.Source, r.ID)
	}
	if len(revoked) > 2*someRevocations {
		return nil, false, nil
	}
	condition := "stream_seq > {after:UInt64} AND stream_seq <= {known:UInt64}"
	if len(revoked) > 0 {
		condition += " OR (source, id) IN (" + quotedPairs(revoked) + ")"
	}
	rows, err := r.conn.Query(ctx, "SELECT project_id, countIf(type IN ('bulletin.published.v1', 'bulletin.withdrawn.v1')) FROM events WHERE "+condition+
		fmt.Sprintf(" GROUP BY project_id LIMIT %d", someProjects+1), named("after", before.cut.KnownSeq), named("known", next.cut.KnownSeq))
	if err != nil {
		return nil, false, unavailable("look for projects with something new", err)
	}
	defer rows.Close()
	published := false
	for rows.Next() {
		var project string
		var publications uint64
		if err := rows.Scan(&project, &publications); err != nil {
			return nil, false, unavailable("look for projects with something new", err)
		}
		projects, published = append(projects, project), published || publications > 0
	}
	if err := rows.Err(); err != nil {
		return nil, false, unavailable("look for projects with something new", err)
	}
	return projects, !published && len(projects) <= someProjects, nil
}

// refreshSome judges some projects again.
func (r *Reader) refreshSome(ctx context.Context, next *currentState, projects []string) error {
	if len(projects) == 0 {
		return r.noteCurrent(ctx, next.cut)
	}
	source := &factsSource{Reader: r, words: newWords(r.rules), seq: next.cut.KnownSeq}
	ledgers, err := ledger.Assemble(r.rules, ledger.NewKnown(next.cut.KnownSeq, next.facts), []schemas.Cut{next.cut}, source.whole(ctx, projects))
	if err != nil {
		return err
	}
	if err := r.insertLedger(ctx, "ledger_current_rows", ledgers[0]); err != nil {
		return err
	}
	list := "project_id IN (" + quoted(projects) + ")"
	if err := r.takeOut(ctx, next.cut, "known_seq < {known:UInt64} AND "+list); err != nil {
		return err
	}
	if err := r.refreshIgnored(ctx, ledgers[0], list); err != nil {
		return err
	}
	return r.noteCurrent(ctx, next.cut)
}
