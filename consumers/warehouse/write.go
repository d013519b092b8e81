package warehouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

// Write stores a batch and returns when it is durable. Every error but that of ctx has the code unavailable: the whole
// batch is to be written again, later, as often as it takes; writing it twice, in another order or by several writers at
// once leaves the same tables. An event that the engine refuses because of what it holds becomes a dead letter.
//
// The order of the steps is what makes conflicts right. The table content_hashes has every content of an identity, whatever the
// merges of events drop. Each writer puts its contents there first and looks afterwards: of two writers of one identity the one
// that looks last sees both contents, and records all of them in contested. A batch of a backlog is not looked at: it
// leaves a note that a check is owed, which [Warehouse.SettleConflicts] pays.
func (w *Warehouse) Write(ctx context.Context, b Batch) (Written, error) {
	var written Written
	rows := b.Rows
	if rows == nil {
		rows = NewRows()
		for i := range b.Deliveries {
			if err := rows.Add(&b.Deliveries[i]); err != nil {
				return written, err
			}
		}
	}
	accepted, refused, err := w.writeEvents(ctx, rows)
	if err != nil {
		return written, err
	}
	if err := accepted.contents.send(ctx, w); err != nil {
		return written, unavailable("insert contents", err)
	}
	if b.Backlog {
		err = w.oweCheck(ctx, accepted)
	} else {
		err = w.writeContested(ctx, accepted, &written)
	}
	if err != nil {
		return written, err
	}
	letters, err := w.refusals(ctx, refused, b.Deliveries)
	if err != nil {
		return written, err
	}
	letters = append(letters, b.DeadLetters...)
	if err := w.writeDeadLetters(ctx, letters); err != nil {
		return written, err
	}
	written.Events, written.Refused, written.DeadLetters = accepted.Len(), len(refused), len(letters)
	return written, nil
}

// refused is a row that the engine does not take.
type refused struct {
	sequence uint64
	reason   error
}

// writeEvents inserts into events and gives what the table took. When the engine refuses the block because of what a
// row holds, the block is halved until that row stands alone.
func (w *Warehouse) writeEvents(ctx context.Context, rows *Rows) (accepted *Rows, rejected []refused, err error) {
	err = rows.events.send(ctx, w)
	switch {
	case err == nil:
		return rows, nil, nil
	case !refusesRow(err):
		return nil, nil, unavailable("insert events", err)
	case rows.Len() == 1:
		return NewRows(), []refused{{rows.Sequence(0), err}}, nil
	}
	accepted = NewRows()
	half := rows.Len() / 2
	for _, part := range []*Rows{rows.part(0, half), rows.part(half, rows.Len())} {
		taken, more, err := w.writeEvents(ctx, part)
		if err != nil {
			return nil, nil, err
		}
		accepted.add(taken, 0, taken.Len())
		rejected = append(rejected, more...)
	}
	return accepted, rejected, nil
}

// refusals makes dead letters of refused rows, whose messages are at hand or read again from the stream.
func (w *Warehouse) refusals(ctx context.Context, rejected []refused, atHand []Delivery) ([]DeadLetter, error) {
	if len(rejected) == 0 {
		return nil, nil
	}
	reasons := make(map[uint64]error, len(rejected))
	sequences := make([]uint64, 0, len(rejected))
	for _, r := range rejected {
		reasons[r.sequence] = r.reason
		sequences = append(sequences, r.sequence)
	}
	deliveries := atHand
	if deliveries == nil {
		if w.stream == nil {
			return nil, withoutStream()
		}
		var err error
		if deliveries, err = w.stream.Deliveries(ctx, sequences); err != nil {
			return nil, err
		}
	}
	letters := make([]DeadLetter, 0, len(rejected))
	for i := range deliveries {
		if reason, ok := reasons[deliveries[i].Sequence]; ok {
			letters = append(letters, refusal(deliveries[i], reason))
			delete(reasons, deliveries[i].Sequence)
		}
	}
	for sequence := range reasons {
		return nil, &schemas.Error{
			Code: schemas.Unavailable, Message: fmt.Sprintf("the warehouse refused sequence %d, which the stream does not hold any more", sequence),
			Hint: "restore the stream from its backup",
		}
	}
	return letters, nil
}

func refusal(d Delivery, err error) DeadLetter {
	return DeadLetter{
		Sequence: d.Sequence, RecordedAt: d.RecordedAt, Subject: d.Event.StreamSubject(), Actor: d.Actor, Raw: d.Event.Raw,
		Reason: &schemas.Error{
			Code: schemas.Invalid, Message: "the warehouse refused the event: " + schemas.Shorten(err.Error()),
			Hint: "correct the event and send it under a new id",
		},
	}
}

var deadLettersTable = insertion("dead_letters",
	"stream_seq UInt64", "recorded_at DateTime64(9, 'Asia/Shanghai')", "subject String",
	"actor String", "code String", "field String", "value String",
	"reason String", "hint String", "raw String", "raw_bytes UInt64")

// writeDeadLetters inserts those that are not in the table yet, so that a count of it is right also without FINAL
// unless two writers are delivered the same message at once.
func (w *Warehouse) writeDeadLetters(ctx context.Context, letters []DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	stored, err := w.storedDeadLetters(ctx, letters)
	if err != nil {
		return unavailable("look up dead letters", err)
	}
	var (
		sequences, sizes                                     []uint64
		recorded                                             []time.Time
		subjects, actors, codes, fields, values, texts, hint []string
		raws                                                 [][]byte
	)
	for i := range letters {
		l := &letters[i]
		if stored[l.Sequence] {
			continue
		}
		stored[l.Sequence] = true
		sequences, recorded = append(sequences, l.Sequence), append(recorded, l.RecordedAt)
		subjects, actors = append(subjects, l.Subject), append(actors, l.Actor)
		codes, fields, values = append(codes, string(l.Reason.Code)), append(fields, l.Reason.Field), append(values, l.Reason.Value)
		texts, hint = append(texts, l.Reason.Message), append(hint, l.Reason.Hint)
		raws, sizes = append(raws, l.Raw[:min(len(l.Raw), MaxRawBytes)]), append(sizes, uint64(len(l.Raw)))
	}
	if err := w.insert(ctx, deadLettersTable, len(sequences), sequences, recorded, subjects, actors, codes, fields, values,
		texts, hint, raws, sizes); err != nil {
		return unavailable("insert dead letters", err)
	}
	return nil
}

func (w *Warehouse) storedDeadLetters(ctx context.Context, letters []DeadLetter) (map[uint64]bool, error) {
	sequences := make([]uint64, len(letters))
	for i := range letters {
		sequences[i] = letters[i].Sequence
	}
	stored := make(map[uint64]bool, len(letters))
	for chunk := range slices.Chunk(sequences, lookupChunk) {
		err := w.each(ctx, "SELECT DISTINCT stream_seq FROM dead_letters"+w.suffix+" WHERE stream_seq IN ("+joinUints(chunk)+")",
			func(rows driver.Rows) error {
				var sequence uint64
				if err := rows.Scan(&sequence); err != nil {
					return err
				}
				stored[sequence] = true
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	return stored, nil
}
