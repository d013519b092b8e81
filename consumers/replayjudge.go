package consumers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// judge decodes records. A message that the tables in use hold as a dead letter stays one, for the reason given then,
// even where the rules of today would accept it: it was counted as one in what was published, and perhaps it was mended
// and sent again. For the same reason one that was accepted must not be refused now.
func (r *replay) judge(ctx context.Context, records []record) (warehouse.Batch, error) {
	var b warehouse.Batch
	if len(records) == 0 {
		return b, nil
	}
	refusals, err := r.pastRefusals(ctx, records)
	if err != nil {
		return b, err
	}
	var anew []uint64 // refused now, but not before
	for _, one := range records {
		if reason, refused := refusals[one.sequence]; refused {
			b.DeadLetters = append(b.DeadLetters, *deadLetter(r.Actors, one, reason))
			continue
		}
		delivery, letter := decode(r.Decoder, r.Actors, one, new(schemas.Event))
		if letter == nil {
			b.Deliveries = append(b.Deliveries, delivery)
			continue
		}
		anew = append(anew, letter.Sequence)
		b.DeadLetters = append(b.DeadLetters, *letter)
	}
	return b, r.refuseChangedVerdicts(ctx, anew, b.DeadLetters)
}

// pastRefusals gives why records became dead letters. One that was accepted as well does not count as one.
func (r *replay) pastRefusals(ctx context.Context, records []record) (map[uint64]*schemas.Error, error) {
	if r.JudgeAgain {
		return nil, nil
	}
	refusals, err := r.Warehouse.Refusals(ctx, records[0].sequence, records[len(records)-1].sequence)
	if err != nil || len(refusals) == 0 {
		return nil, err
	}
	sequences := make([]uint64, 0, len(refusals))
	for sequence := range refusals {
		sequences = append(sequences, sequence)
	}
	accepted, err := r.Warehouse.Delivered(ctx, sequences)
	if err != nil {
		return nil, err
	}
	for sequence := range accepted {
		delete(refusals, sequence)
	}
	return refusals, nil
}

func (r *replay) refuseChangedVerdicts(ctx context.Context, refused []uint64, letters []warehouse.DeadLetter) error {
	if r.JudgeAgain || len(refused) == 0 {
		return nil
	}
	accepted, err := r.Warehouse.Delivered(ctx, refused)
	if err != nil {
		return err
	}
	for i := range letters {
		if l := &letters[i]; accepted[l.Sequence] {
			return &schemas.Error{
				Code: schemas.Conflict, Field: l.Reason.Field, Value: l.Reason.Value,
				Message: fmt.Sprintf("sequence %d was accepted, but the present rules refuse it: %s", l.Sequence, l.Reason.Message),
				Hint:    "nothing was changed; give the server the rules under which it was accepted, or judge everything again by the present ones",
			}
		}
	}
	return nil
}

// account makes sure that the shadow tables lack nothing up to the position: a sequence that they do not name must be one
// that the stream does not hold, or the repetition of a content that they do hold.
func (r *replay) account(ctx context.Context) error {
	type span struct{ first, last uint64 }
	var spans []span
	from := max(r.checked, r.first-1)
	if err := r.shadow.Unseen(ctx, from, r.reader.position, func(first, last uint64) error {
		spans = append(spans, span{first, last})
		return nil
	}); err != nil {
		return err
	}
	stream, err := r.JetStream.Stream(ctx, schemas.StreamName)
	if err != nil {
		return streamAway("read", err)
	}
	var repeated []warehouse.Delivery
	for _, s := range spans {
		for sequence := s.first; sequence <= s.last; sequence++ {
			one, err := r.message(ctx, stream, sequence)
			if err != nil {
				return err
			}
			if one == nil {
				if !r.Partial { // it was there when the replay began
					return r.lost(sequence)
				}
				continue
			}
			delivery, letter := decode(r.Decoder, r.Actors, *one, new(schemas.Event))
			if letter != nil {
				return r.lost(sequence)
			}
			repeated = append(repeated, delivery)
			if len(repeated) == replayMessages {
				if err := r.holds(ctx, repeated); err != nil {
					return err
				}
				repeated = repeated[:0]
			}
		}
	}
	if err := r.holds(ctx, repeated); err != nil {
		return err
	}
	r.checked = r.reader.position
	return nil
}

// message gives what the replay reads at a sequence, or nil.
func (r *replay) message(ctx context.Context, stream jetstream.Stream, sequence uint64) (*record, error) {
	if held := r.reader.archived; held != nil && sequence <= held.Last() {
		m, err := r.past.Message(ctx, sequence)
		if m == nil || err != nil {
			return nil, err
		}
		one := archivedRecord(m)
		return &one, nil
	}
	stored, err := stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, streamAway("read", err)
	}
	return &record{stored.Subject, stored.Header, stored.Data, stored.Sequence, stored.Time}, nil
}

func (r *replay) holds(ctx context.Context, repeated []warehouse.Delivery) error {
	lacking, err := r.shadow.Lacking(ctx, repeated)
	if err != nil {
		return err
	}
	if len(lacking) > 0 {
		return r.lost(slices.Min(lacking))
	}
	return nil
}

func (r *replay) lost(sequence uint64) error {
	return &schemas.Error{
		Code: schemas.Internal, Message: fmt.Sprintf("sequence %d did not arrive in the rebuilt tables", sequence),
		Hint: "nothing was changed; start the replay again",
	}
}
