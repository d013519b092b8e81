package consumers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/archive"
	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// ReplayConfig says how to replay. JetStream, Decoder and Warehouse must be given.
type ReplayConfig struct {
	JetStream jetstream.JetStream
	Decoder   Decoder // of this replay alone
	Warehouse *warehouse.Warehouse
	// Actors says whose word is taken for who sent an event, as Config.Actors.
	Actors ActorTrust
	// Archive is the folder of the archive, which holds what was purged from the stream; "" stands for none.
	Archive string
	// Partial allows a replay of a stream that lacks messages; what only the warehouse holds of them is lost.
	Partial bool
	// JudgeAgain lets the present rules decide what is a dead letter. Without it what was accepted or refused stays so,
	// because editions were published with it.
	JudgeAgain bool
	// Progress is told how far the replay is, by default nobody.
	Progress func(ReplayProgress)
	// Log receives what is tried again, by default nothing.
	Log *slog.Logger
}

// ReplayPhase is what a replay is doing.
type ReplayPhase string

// The phases of a replay, in their order; reading comes again after checking and waiting. The consumer rests from waiting
// to swapping.
const (
	ReplayReading   ReplayPhase = "reading"
	ReplayChecking  ReplayPhase = "checking"
	ReplayWaiting   ReplayPhase = "waiting"
	ReplaySwapping  ReplayPhase = "swapping"
	ReplayComparing ReplayPhase = "comparing"
)

// ReplayProgress says how far a replay is: everything up to Sequence of Last is in the shadow tables.
type ReplayProgress struct {
	Phase    ReplayPhase `json:"phase"`
	Sequence uint64      `json:"sequence"`
	Last     uint64      `json:"last"`
}

// ReplayResult says what a replay did.
type ReplayResult struct {
	// Sequence is the last one that was replayed.
	Sequence    uint64 `json:"sequence"`
	Events      uint64 `json:"events"`
	DeadLetters uint64 `json:"dead_letters"`
	// Changed tells whether a table says something else than before.
	Changed bool                    `json:"changed"`
	Tables  []warehouse.TableChange `json:"tables"`
}

const (
	replayMessages = 5000
	replayBytes    = 8 << 20
	// nearlyThere is how many messages may be left when the consumer is made to rest.
	nearlyThere = 2 * replayMessages
	// catchUps bounds the attempts to come near to a stream that grows as fast as it is read.
	catchUps = 20
	// cleanUpTimeout bounds what is done after the end of a replay, however it ended.
	cleanUpTimeout = 30 * time.Second
)

// replay is one run.
type replay struct {
	ReplayConfig
	positions *positions
	shadow    *warehouse.Shadow
	reader    *replayReader
	first     uint64 // sequence that the stream begins with
	result    ReplayResult
	last      mark   // that is in the shadow tables
	backlog   bool   // conflicts are looked for later
	checked   uint64 // everything up to this sequence was found in the shadow tables
	past      *Past
	// ahead is where the consumer goes on, when the stream does not hold what it would carry next.
	ahead mark
}

// Replay makes the tables of the stream anew, from the stream, beside those in use, and then exchanges them. Queries and
// consuming go on; for the last messages and the exchange the consumer rests, wherever it runs. Whatever happens before
// the exchange leaves the tables in use as they were. One replay runs at a time; another is refused with the code
// conflict. What was purged from the stream is read from the archive, after every segment was compared with its manifest.
// A stream that does not hold everything even so is refused unless the configuration allows it.
func Replay(ctx context.Context, c ReplayConfig) (result *ReplayResult, err error) {
	if c.JetStream == nil || c.Decoder == nil || c.Warehouse == nil {
		return nil, errors.New("consumers: JetStream, Decoder and Warehouse must be given")
	}
	if c.Progress == nil {
		c.Progress = func(ReplayProgress) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	ctx, release, err := holdLease(ctx, c.JetStream, replayLease)
	if err != nil {
		return nil, err
	}
	defer release()
	r := &replay{ReplayConfig: c, past: NewPast(c.Archive)}
	defer r.past.Close()
	r.reader = &replayReader{js: c.JetStream, log: c.Log}
	last, err := r.examine(ctx)
	if err != nil {
		return nil, err
	}
	if r.shadow, err = c.Warehouse.NewShadow(ctx); err != nil {
		return nil, err
	}
	defer func() {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
		defer cancel()
		if failed := r.shadow.Drop(cleaning); failed != nil {
			c.Log.WarnContext(ctx, "the shadow tables stay until the next replay", "error", failed)
		}
	}()
	r.reader.position = r.first - 1
	defer r.reader.close(ctx)
	if err := r.run(ctx, last); err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return nil, err
	}
	return &r.result, nil
}

// examine looks at what there is to replay and gives the last sequence.
func (r *replay) examine(ctx context.Context) (last uint64, err error) {
	stream, err := r.JetStream.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, streamAway("read", err)
	}
	state := stream.CachedInfo().State
	r.positions = &positions{js: r.JetStream}
	if at, err := r.positions.read(ctx); err != nil {
		return 0, streamAway("read", err)
	} else if at.revision == 0 {
		return 0, &schemas.Error{Code: schemas.Conflict, Message: "nothing was ever consumed from the stream", Hint: "start the consumers; they fill the warehouse without a replay"}
	}
	stored, err := r.Warehouse.LastStored(ctx)
	if err != nil {
		return 0, err
	}
	if stored > state.LastSeq {
		return 0, &schemas.Error{
			Code: schemas.Conflict, Message: fmt.Sprintf("the warehouse knows sequence %d, the stream ends at %d", stored, state.LastSeq),
			Hint: "this is not the stream that filled the warehouse; restore the stream from its backup",
		}
	}
	r.first = max(1, state.FirstSeq)
	if isWhole(state, 0) {
		return state.LastSeq, nil // also when all of it is in an archive, too
	}
	return state.LastSeq, r.examineArchive(ctx, stream)
}

// examineArchive looks whether the archive and the stream together hold everything, and has the replay read both.
func (r *replay) examineArchive(ctx context.Context, stream jetstream.Stream) error {
	state := stream.CachedInfo().State
	held := new(archive.Archive)
	if r.Archive != "" {
		var err error
		if held, err = archive.Open(r.Archive); err != nil {
			return err
		}
	}
	if held.Last() == 0 {
		if r.Partial {
			return nil
		}
		return &schemas.Error{
			Code: schemas.Conflict, Message: fmt.Sprintf("the stream does not hold everything: it begins at %d and lacks %d messages behind that", state.FirstSeq, state.NumDeleted),
			Hint: "name the folder of its archive by archive_dir, or restore the stream from its backup; a partial replay loses what only the warehouse holds",
		}
	}
	if err := sameStream(ctx, stream, held); err != nil {
		return err
	}
	if purged := purgedUpTo(stream); held.Last() < purged && !r.Partial {
		return lacks(held.Last()+1, purged)
	}
	if err := held.Verify(ctx); err != nil {
		return err
	}
	if n, err := lacking(ctx, r.JetStream, held.Last()); err != nil {
		return err
	} else if n > 0 && !r.Partial {
		return lacks(held.Last()+1, state.LastSeq)
	}
	r.first, r.reader.archived = 1, held
	return nil
}

func (r *replay) run(ctx context.Context, last uint64) error {
	r.backlog = true
	if err := r.catchUp(ctx, last); err != nil {
		return err
	}
	r.backlog = false
	r.progress(ReplayChecking, r.reader.position)
	if err := r.shadow.RecordConflicts(ctx); err != nil {
		return err
	}
	if err := r.shadow.Check(ctx); err != nil {
		return err
	}
	if err := r.account(ctx); err != nil {
		return err
	}
	last, err := lastSequence(ctx, r.JetStream)
	if err != nil {
		return err
	}
	if err := r.catchUp(ctx, last); err != nil {
		return err
	}
	r.progress(ReplayWaiting, last)
	position, err := r.swap(ctx)
	if err != nil {
		return err
	}
	r.result.Sequence = r.reader.position
	r.progress(ReplayComparing, r.reader.position)
	if r.result.Tables, err = r.shadow.Compare(ctx, position); err != nil {
		return err
	}
	for _, t := range r.result.Tables {
		r.result.Changed = r.result.Changed || t.Changed
	}
	if r.result.Changed {
		return r.Warehouse.ForgetStored(ctx)
	}
	return nil
}

func (r *replay) progress(phase ReplayPhase, last uint64) {
	r.Progress(ReplayProgress{Phase: phase, Sequence: r.reader.position, Last: last})
}

// catchUp copies until little is left.
func (r *replay) catchUp(ctx context.Context, last uint64) error {
	for range catchUps {
		if err := r.copyUpTo(ctx, last); err != nil {
			return err
		}
		var err error
		if last, err = lastSequence(ctx, r.JetStream); err != nil {
			return err
		}
		if last <= r.reader.position+nearlyThere {
			break
		}
	}
	return nil
}

func lastSequence(ctx context.Context, js jetstream.JetStream) (uint64, error) {
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, streamAway("read", err)
	}
	return stream.CachedInfo().State.LastSeq, nil
}

func streamAway(doing string, err error) error {
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "the stream " + schemas.StreamName + " cannot be " + doing,
		Hint: "check that NATS runs; nothing was changed, start the replay again", Err: err,
	}
}

// copyUpTo writes what the stream holds up to the sequence into the shadow tables. While a batch is written the next is
// read and decoded.
func (r *replay) copyUpTo(ctx context.Context, last uint64) error {
	reading, stop := context.WithCancel(ctx)
	type piece struct {
		batch warehouse.Batch
		last  mark
		end   uint64
		err   error
	}
	pieces := make(chan piece)
	defer func() { // the reader is another's after this
		stop()
		for range pieces {
		}
	}()
	from := r.reader.position
	go func() {
		defer close(pieces)
		for at := from; at < last; {
			records, end, err := r.reader.next(reading, at, last)
			p := piece{end: end, err: err}
			if n := len(records); n > 0 {
				p.last = mark{records[n-1].sequence, records[n-1].recordedAt}
			}
			if err == nil {
				p.batch, p.err = r.judge(reading, records)
				p.batch.Backlog = r.backlog
			}
			select {
			case pieces <- p:
			case <-reading.Done():
				return
			}
			if p.err != nil {
				return
			}
			at = end
		}
	}()
	for p := range pieces {
		if p.err != nil {
			return p.err
		}
		if err := r.write(ctx, p.batch); err != nil {
			return err
		}
		r.reader.position = p.end
		if p.last.sequence > 0 {
			r.last = p.last
		}
		r.progress(ReplayReading, last)
	}
	return ctx.Err()
}

// write tries a failing write again for a while.
func (r *replay) write(ctx context.Context, b warehouse.Batch) error {
	const attempts = 8
	delay := 100 * time.Millisecond
	for attempt := 1; ; attempt++ {
		written, err := r.shadow.Write(ctx, b)
		if err == nil {
			r.result.Events += uint64(written.Events)
			r.result.DeadLetters += uint64(written.DeadLetters)
			return nil
		}
		if attempt == attempts || ctx.Err() != nil {
			return err
		}
		r.Log.WarnContext(ctx, "a batch of the replay was not written, trying again", "error", err, "after", delay)
		pause(ctx, delay)
		delay *= 2
	}
}
