package warehouse

import (
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

// Write stores a batch and returns when it is durable. Every error but that of ctx has the code unavailable: the whole
// batch is to be written again, later, as often as it takes; writing it twice, in another order or by several writers at
// once leaves the same tables. An event that the engine refuses because of what it holds becomes a dead letter.
//
// The order of the steps is what makes conflicts right. Contents holds every content of an identity, whatever the merges
// of events drop. Each writer puts its contents there first and looks afterwards: of two writers of one identity the one
// that looks last sees both contents, and records all of them in contested. A batch of a backlog is not looked at: it
// leaves a note that a check is owed, which [Warehouse.SettleConflicts] pays.
func (w *Warehouse) Write(ctx context.Context, b Batch) (Written, error) {
	var written Written
	accepted, refused, err := w.writeEvents(ctx, b.Deliveries)
	if err != nil {
		return written, err
	}
	if err := w.writeContents(ctx, accepted); err != nil {
		return written, err
	}
	if b.Backlog {
		err = w.oweCheck(ctx, accepted)
	} else {
		err = w.writeContested(ctx, accepted, &written)
	}
	if err != nil {
		return written, err
	}
	letters := append(refused, b.DeadLetters...)
	if err := w.writeDeadLetters(ctx, letters); err != nil {
		return written, err
	}
	written.Events, written.Refused, written.DeadLetters = len(accepted), len(refused), len(letters)
	return written, nil
}

var eventsTable = insertion("events",
	"source String", "id String", "type String", "project_id String",
	"district String", "business_date Nullable(Date32)",
	"occurred_at DateTime64(3, 'Asia/Shanghai')", "recorded_at DateTime64(9, 'Asia/Shanghai')",
	"stream_seq UInt64", "actor String", "data String", "fact String", "extensions String",
	"fingerprint FixedString(16)")

// writeEvents inserts into events and gives what the table took. When the engine refuses the block because of what a
// row holds, the block is halved until that row stands alone.
func (w *Warehouse) writeEvents(ctx context.Context, deliveries []Delivery) (accepted []Delivery, refused []DeadLetter, err error) {
	err = w.insertEvents(ctx, deliveries)
	switch {
	case err == nil:
		return deliveries, nil, nil
	case !refusesRow(err):
		return nil, nil, unavailable("insert events", err)
	case len(deliveries) == 1:
		return nil, []DeadLetter{refusal(deliveries[0], err)}, nil
	}
	for _, half := range [][]Delivery{deliveries[:len(deliveries)/2], deliveries[len(deliveries)/2:]} {
		taken, rejected, err := w.writeEvents(ctx, half)
		if err != nil {
			return nil, nil, err
		}
		accepted, refused = append(accepted, taken...), append(refused, rejected...)
	}
	return accepted, refused, nil
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

func (w *Warehouse) insertEvents(ctx context.Context, deliveries []Delivery) error {
	b := w.eventBlocks.take()
	defer w.eventBlocks.giveBack(b)
	for i := range deliveries {
		d, e := &deliveries[i], deliveries[i].Event
		fact, err := schemas.PackData(e.Data)
		if err != nil {
			return err
		}
		c := b.columns
		c[0].text(e.Source)
		c[1].text(e.ID)
		c[2].text(string(e.Type))
		c[3].text(e.Subject)
		c[4].text(e.District)
		c[5].date(e.BusinessDate())
		c[6].number(uint64(e.Time.UnixMilli()))
		c[7].number(uint64(d.RecordedAt.UnixNano()))
		c[8].number(d.Sequence)
		c[9].text(d.Actor)
		c[10].bytes(e.RawData)
		c[11].bytes(fact)
		c[12].text(e.Extensions)
		c[13].fixed(d.Fingerprint[:])
		b.rows++
	}
	return b.send(ctx, w)
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
