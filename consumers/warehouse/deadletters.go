package warehouse

import (
	"context"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

const deadLetterColumns = "stream_seq, recorded_at, subject, actor, code, field, value, reason, hint, toValidUTF8(raw), raw_bytes"

// DeadLetters lists the newest dead letters, newest first: the open ones, or all.
func (r *Reader) DeadLetters(ctx context.Context, limit int, all bool) ([]schemas.DeadLetter, error) {
	condition := "stream_seq NOT IN (SELECT stream_seq FROM dead_letter_actions)"
	if all {
		condition = "true"
	}
	return r.deadLetters(ctx, condition+" ORDER BY stream_seq DESC LIMIT {limit:UInt64}", named("limit", uint64(limit)))
}

// DeadLetter gives one dead letter with what was done about it; the code is not_found when the sequence is none.
func (w *Warehouse) DeadLetter(ctx context.Context, sequence uint64) (*schemas.DeadLetter, error) {
	letters, err := w.deadLetters(ctx, "stream_seq = {seq:UInt64}", named("seq", sequence))
	if err != nil {
		return nil, err
	}
	if len(letters) == 0 {
		return nil, &schemas.Error{
			Code: schemas.NotFound, Field: "seq", Value: strconv.FormatUint(sequence, 10), Message: "no dead letter has this stream sequence",
			Hint: "list them with the deadletters command or GET /v1/dead-letters?all=true",
		}
	}
	return &letters[0], nil
}

func (w *Warehouse) deadLetters(ctx context.Context, condition string, args ...any) ([]schemas.DeadLetter, error) {
	rows, err := w.conn.Query(ctx, "SELECT "+deadLetterColumns+" FROM dead_letters FINAL WHERE "+condition, args...)
	if err != nil {
		return nil, unavailable("read the dead letters", err)
	}
	defer rows.Close()
	var letters []schemas.DeadLetter
	for rows.Next() {
		l := schemas.DeadLetter{State: schemas.DeadLetterOpen}
		var code string
		var size uint64
		if err := rows.Scan(&l.StreamSeq, &l.RecordedAt, &l.Subject, &l.Actor, &code, &l.Field, &l.Value, &l.Reason, &l.Hint, &l.Raw, &size); err != nil {
			return nil, unavailable("read the dead letters", err)
		}
		l.Code, l.Size = schemas.Code(code), int(size)
		letters = append(letters, l)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read the dead letters", err)
	}
	return letters, w.addActions(ctx, letters)
}

// addActions gives each dead letter its actions and its state.
func (w *Warehouse) addActions(ctx context.Context, letters []schemas.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	bySequence := make(map[uint64]*schemas.DeadLetter, len(letters))
	lowest, highest := letters[0].StreamSeq, letters[0].StreamSeq
	for i := range letters {
		l := &letters[i]
		bySequence[l.StreamSeq] = l
		lowest, highest = min(lowest, l.StreamSeq), max(highest, l.StreamSeq)
	}
	query := "SELECT stream_seq, action, reason, actor, at, new_seq FROM dead_letter_actions WHERE stream_seq BETWEEN " +
		strconv.FormatUint(lowest, 10) + " AND " + strconv.FormatUint(highest, 10) + " ORDER BY stream_seq, at"
	err := w.each(ctx, query, func(rows driver.Rows) error {
		var sequence uint64
		var action string
		var a schemas.DeadLetterAction
		if err := rows.Scan(&sequence, &action, &a.Reason, &a.Actor, &a.At, &a.NewSeq); err != nil {
			return err
		}
		a.Action = schemas.DeadLetterState(action)
		if l, listed := bySequence[sequence]; listed {
			l.State = a.Action
			l.Actions = append(l.Actions, a)
		}
		return nil
	})
	if err != nil {
		return unavailable("read what was done about dead letters", err)
	}
	return nil
}

// RecordAction appends what was done about a dead letter.
func (w *Warehouse) RecordAction(ctx context.Context, sequence uint64, a schemas.DeadLetterAction) error {
	err := w.conn.Exec(ctx, "INSERT INTO dead_letter_actions (stream_seq, action, reason, actor, at, new_seq) SELECT {seq:UInt64}, {action:String}, {reason:String}, {actor:String}, fromUnixTimestamp64Milli({at:Int64}), {new:UInt64}",
		named("seq", sequence), named("action", string(a.Action)), named("reason", a.Reason), named("actor", a.Actor), named("at", a.At.UnixMilli()), named("new", a.NewSeq))
	if err != nil {
		return unavailable("record what was done about a dead letter", err)
	}
	return nil
}
