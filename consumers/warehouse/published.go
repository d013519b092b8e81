package warehouse

import (
	"context"
	"fmt"
	"iter"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// LatestEdition gives the publication of a kind with the greatest sequence up
// to known that was not withdrawn by then; false when there is none.
func (r *Reader) LatestEdition(ctx context.Context, kind schemas.PeriodKind, known uint64) (schemas.Publication, bool, error) {
	k, err := r.known(ctx, known)
	if err != nil {
		return schemas.Publication{}, false, err
	}
	edition, ok := k.Latest(kind)
	return edition.Publication, ok, nil
}

// StoredEvent is an event of the warehouse.
type StoredEvent struct {
	Seq   uint64
	Event *schemas.Event
	// Revoked tells that a revocation that counts names it.
	Revoked bool
}

// EventsFrom yields the events of a source by sequence, each identity once,
// revocations among them.
func (r *Reader) EventsFrom(ctx context.Context, source string) iter.Seq2[StoredEvent, error] {
	return func(yield func(StoredEvent, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		known, err := r.known(ctx, ^uint64(0))
		if err != nil {
			yield(StoredEvent{}, err)
			return
		}
		rows, err := r.conn.Query(ctx, "SELECT "+factColumns+" FROM events FINAL WHERE source = {source:String} ORDER BY stream_seq", named("source", source))
		if err != nil {
			yield(StoredEvent{}, unavailable("read the events of a source", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			project, f, err := scanFact(rows)
			if err != nil {
				yield(StoredEvent{}, err)
				return
			}
			if !yield(storedEvent(project, &f, known), nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(StoredEvent{}, unavailable("read the events of a source", fmt.Errorf("%s: %w", source, err)))
		}
	}
}

func storedEvent(project string, f *ledger.Fact, known *ledger.Known) StoredEvent {
	return StoredEvent{
		Seq: f.Seq, Revoked: known.Revoked(f),
		Event: &schemas.Event{Source: f.Source, ID: f.ID, Type: f.Type, Subject: project, District: f.District, Time: f.Time, Data: f.Data},
	}
}
