package consumers

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/archive"
	"milepost/schemas"
)

const (
	// fetchMessages bounds one fetch: events may be of 256 KiB each.
	fetchMessages = 256
	// readAttempts is how often reading begins anew without a message in between.
	readAttempts = 8
)

// replayReader reads the stream in order, without acknowledgements: a consumer of its own that begins anew wherever a
// message is missing.
type replayReader struct {
	js       jetstream.JetStream
	log      *slog.Logger
	position uint64           // everything up to here is written
	archived *archive.Archive // what comes from there and not from the stream; nil for nothing
	cursor   *archive.Cursor

	consumer  jetstream.Consumer
	at        uint64 // the consumer's next message is the first after this
	delivered uint64 // by the consumer
}

// next gives what the stream holds after one sequence and up to another, in order, and the sequence that it ends with:
// everything between is there. It gives a batch, or less at the end.
func (r *replayReader) next(ctx context.Context, after, upTo uint64) (records []record, end uint64, err error) {
	if r.archived != nil && after < r.archived.Last() {
		return r.nextArchived(ctx, after, upTo)
	}
	bytes, failures := 0, 0
	end = after
	for end < upTo && len(records) < replayMessages && bytes < replayBytes {
		got, err := r.fetch(ctx, end)
		for _, one := range got {
			if one.sequence > upTo {
				// It comes again when it is asked for.
				r.drop(ctx)
				return records, upTo, nil
			}
			records, bytes, end = append(records, one), bytes+len(one.data), one.sequence
		}
		if err == nil && len(got) > 0 {
			failures = 0
			continue
		}
		if err == nil {
			var done bool
			if done, err = r.exhausted(ctx); done {
				return records, upTo, nil
			}
		}
		if failures++; ctx.Err() != nil || failures == readAttempts {
			return nil, after, streamAway("read", err)
		}
		r.log.WarnContext(ctx, "reading the stream was interrupted, trying again", "error", err)
		r.drop(ctx)
		pause(ctx, 50*time.Millisecond<<failures)
	}
	return records, end, nil
}

var errGap = errors.New("a message did not come")

// fetch gives some messages after a sequence, perhaps none. With an error it gives those before it.
func (r *replayReader) fetch(ctx context.Context, after uint64) ([]record, error) {
	if r.consumer == nil || r.at != after {
		r.drop(ctx)
		if err := r.begin(ctx, after); err != nil {
			return nil, err
		}
	}
	batch, err := r.consumer.FetchNoWait(fetchMessages)
	if err != nil {
		return nil, err
	}
	var records []record
	gap := false
	for message := range batch.Messages() {
		at, err := placeOf(message)
		if gap || err != nil || at.number != r.delivered+1 {
			gap = true
			continue
		}
		r.delivered++
		r.at = at.sequence
		records = append(records, recordOf(message, at))
	}
	if gap {
		return records, errGap
	}
	return records, batch.Error()
}

// begin makes the consumer.
func (r *replayReader) begin(ctx context.Context, after uint64) error {
	consumer, err := r.js.CreateConsumer(ctx, schemas.StreamName, jetstream.ConsumerConfig{
		Description: "replay into the warehouse", DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return err
	}
	r.consumer, r.at, r.delivered = consumer, after, 0
	return nil
}

// nextArchived is next for what the archive holds.
func (r *replayReader) nextArchived(ctx context.Context, after, upTo uint64) (records []record, end uint64, err error) {
	upTo = min(upTo, r.archived.Last())
	bytes := 0
	for end = after; end < upTo && len(records) < replayMessages && bytes < replayBytes; {
		if r.cursor == nil {
			r.cursor = r.archived.After(after)
		}
		m, err := r.cursor.Seek(ctx, end+1)
		if err != nil {
			return nil, after, err
		}
		records, bytes, end = append(records, archivedRecord(m)), bytes+len(m.Data), m.Sequence
	}
	return records, end, nil
}

// exhausted tells whether the stream holds nothing more.
func (r *replayReader) exhausted(ctx context.Context) (bool, error) {
	info, err := r.consumer.Info(ctx)
	if err != nil {
		return false, err
	}
	return info.NumPending == 0 && info.Delivered.Consumer == r.delivered, nil
}

// drop ends the consumer, so that the next fetch begins anew.
func (r *replayReader) drop(ctx context.Context) {
	if r.consumer == nil {
		return
	}
	name := r.consumer.CachedInfo().Name
	r.consumer = nil
	if err := r.js.DeleteConsumer(ctx, schemas.StreamName, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) && r.log != nil {
		r.log.DebugContext(ctx, "a consumer of the replay stays until the stream forgets it", "error", err)
	}
}

func (r *replayReader) close(ctx context.Context) {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	r.drop(closing)
	if r.cursor != nil {
		r.cursor.Close()
	}
}
