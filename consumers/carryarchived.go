package consumers

import (
	"context"
	"errors"
	"fmt"

	"milepost/consumers/archive"
	"milepost/schemas"
)

// carryArchived carries from the archive what follows the position and is not on the stream any more, as into a warehouse
// that was lost. Without an archive that holds it, it is refused: what is missing must not be passed over in silence.
func (r *run) carryArchived(ctx context.Context) error {
	n, err := lacking(ctx, r.config.JetStream, r.at.Sequence)
	if err != nil || n == 0 {
		return err
	}
	refused := gone(n, r.at.Sequence)
	if r.config.Archive == "" {
		return refused
	}
	held, err := Covered(ctx, r.config.JetStream, r.config.Archive)
	if err == nil && held.Last() <= r.at.Sequence {
		return refused
	}
	if err == nil {
		err = held.VerifyBetween(ctx, r.at.Sequence+1, held.Last())
	}
	if err != nil {
		refused.Err = err
		return refused
	}
	r.log.InfoContext(ctx, "events are carried from the archive", "behind", r.at.Sequence, "up_to", held.Last())
	reader := &replayReader{js: r.config.JetStream, log: r.log, archived: held}
	defer reader.close(ctx)
	for number := uint64(0); r.at.Sequence < held.Last(); number++ {
		records, end, err := reader.next(ctx, r.at.Sequence, held.Last())
		if err != nil {
			return err
		}
		if r.apply(ctx, r.archivedBatch(number, records, held)); r.at.Sequence < end {
			return errors.Join(ctx.Err(), errCutOff) // the cause says why
		}
	}
	r.floor = newFloor() // what comes from the stream is counted anew
	return nil
}

// errCutOff ends the carrying from the archive early.
var errCutOff = errors.New("carrying from the archive was cut off")

func (r *run) archivedBatch(number uint64, records []record, held *archive.Archive) *batch {
	b := newBatch()
	b.number, b.messages, b.content.Backlog = number, len(records), true
	var event schemas.Event // one after the other
	for _, one := range records {
		b.bytes += len(one.data)
		b.last = mark{one.sequence, one.recordedAt}
		delivery, letter := decode(r.config.Decoder, r.config.Actors, one, &event)
		if letter == nil {
			if err := b.content.Rows.Add(&delivery); err != nil {
				letter = deadLetter(r.config.Actors, one, asReason(err))
			}
		}
		if letter != nil {
			b.content.DeadLetters = append(b.content.DeadLetters, *letter)
		}
	}
	b.more = b.last.sequence < held.Last()
	return b
}

// gone says that the consumers cannot go on from where they are.
func gone(n, after uint64) *schemas.Error {
	return &schemas.Error{
		Code: schemas.Conflict, Message: fmt.Sprintf("the stream does not hold %d of the events behind sequence %d any more, up to which the warehouse has come", n, after),
		Hint: "see that archive_dir names the archive, whose events the consumers carry then; milepost replay makes the warehouse anew from it, too",
	}
}

// notEmpty starts anew when the warehouse knows nothing at all, though a position says what is in it: it is another one, or
// its tables were lost.
func (c *Consumer) notEmpty(ctx context.Context, at position) (position, error) {
	if at.Sequence == 0 || c.config.Stored == nil {
		return at, nil
	}
	stored, err := c.config.Stored(ctx)
	if err != nil || stored > 0 {
		return at, err
	}
	c.log.WarnContext(ctx, "the warehouse is empty, everything is carried again", "position", at.Sequence)
	return c.positions.write(ctx, position{Holder: at.Holder, revision: at.revision})
}
