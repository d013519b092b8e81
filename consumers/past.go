package consumers

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/archive"
	"milepost/schemas"
)

// Past gives messages that the stream does not hold any more, from an archive. It is safe for concurrent use.
type Past struct {
	dir string

	mu     sync.Mutex
	last   uint64 // of the archive that the cursor reads
	cursor *archive.Cursor
}

// NewPast reads the archive of a folder; "" stands for none.
func NewPast(dir string) *Past { return &Past{dir: dir} }

// Message gives the message of a sequence, or nil when the archive does not hold it. Ascending sequences are read in one
// pass; any other costs the reading of a segment. An archive that was altered is an error of the code conflict.
func (p *Past) Message(ctx context.Context, sequence uint64) (*archive.Message, error) {
	if p.dir == "" {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cursor == nil || sequence > p.last {
		p.close()
		held, err := archive.Open(p.dir) // it has grown, perhaps
		if err != nil {
			return nil, err
		}
		p.last, p.cursor = held.Last(), held.After(0)
	}
	m, err := p.cursor.Seek(ctx, sequence)
	if err != nil {
		p.close()
	}
	return m, err
}

// Close ends the reading; Message begins anew.
func (p *Past) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
}

func (p *Past) close() {
	if p.cursor != nil {
		p.cursor.Close()
		p.cursor = nil
	}
}

func archivedRecord(m *archive.Message) record {
	return record{m.Subject, m.Header, m.Data, m.Sequence, m.Time}
}

// lacking tells how many of the messages behind a sequence the stream does not hold any more.
func lacking(ctx context.Context, js jetstream.JetStream, after uint64) (uint64, error) {
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, streamAway("read", err)
	}
	state := stream.CachedInfo().State
	if isWhole(state, after) {
		return 0, nil
	}
	reader := &replayReader{js: js}
	defer reader.close(ctx)
	if err := reader.begin(ctx, after); err != nil {
		return 0, streamAway("read", err)
	}
	return lackingOf(state, after, reader.consumer.CachedInfo().NumPending), nil
}

// isWhole tells whether a stream of that state surely holds everything behind a sequence.
func isWhole(state jetstream.StreamState, after uint64) bool {
	return state.LastSeq <= after || state.NumDeleted == 0 && state.FirstSeq <= after+1
}

// lackingOf is lacking of a stream that holds so many messages behind a sequence, or some more that came since.
func lackingOf(state jetstream.StreamState, after, held uint64) uint64 {
	expected := state.LastSeq - after
	return expected - min(expected, held)
}

// OpenArchive opens the archive of the stream. One that lacks a segment, is another stream's, or does not hold what was
// purged, is an error of the code conflict. What is in the segments is looked at by Verify.
func OpenArchive(ctx context.Context, js jetstream.JetStream, dir string) (*archive.Archive, error) {
	held, err := archive.Open(dir)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return nil, streamAway("read", err)
	}
	if err := sameStream(ctx, stream, held); err != nil {
		return nil, err
	}
	if purged := purgedUpTo(stream); held.Last() < purged {
		return nil, lacks(held.Last()+1, purged)
	}
	return held, nil
}

// Covered is OpenArchive, and refuses a stream that does not hold everything behind the archive.
func Covered(ctx context.Context, js jetstream.JetStream, dir string) (*archive.Archive, error) {
	held, err := OpenArchive(ctx, js, dir)
	if err != nil {
		return nil, err
	}
	n, err := lacking(ctx, js, held.Last())
	if err != nil {
		return nil, err
	}
	if n > 0 {
		last, err := lastSequence(ctx, js)
		if err != nil {
			return nil, err
		}
		return nil, lacks(held.Last()+1, last)
	}
	return held, nil
}

// Gone tells by an error of the code conflict that the stream does not hold everything any more that the warehouse still
// lacks: the archive must have it.
func (a *Applied) Gone(ctx context.Context) error {
	watermark, err := a.Watermark(ctx)
	if err != nil {
		return err
	}
	n, err := lacking(ctx, a.js, watermark)
	if err != nil || n == 0 {
		return err
	}
	return gone(n, watermark)
}
