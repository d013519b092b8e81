package producers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// headerRoom is what the headers of a message may take beside the event.
const headerRoom = 8 << 10

// defaultDuplicates is how long the stream remembers message ids: long enough
// for a retry after an outage of the usual length, short enough to be cheap.
// Behind it the warehouse collapses by identity (specification §4).
const defaultDuplicates = 2 * time.Minute

// StreamConfig are the choices of an installation for the stream.
type StreamConfig struct {
	// Replicas is the number of servers that keep the stream; 0 leaves an
	// existing stream as it is and makes a new one with 1.
	Replicas int
	// Duplicates is how long the stream remembers message ids, by default two
	// minutes.
	Duplicates time.Duration
	// DenyPurge has the stream refuse to be purged, for ever, also of what was
	// archived.
	DenyPurge bool
}

// EnsureStream creates the stream of all events, or brings an existing one to
// what the project relies on: on files, no event ever deleted, atomic batches. NATS cannot
// take back that a stream denies to be purged. What an administrator chose beside that (placement, limits) stays.
// Its errors are of code Unavailable.
func EnsureStream(ctx context.Context, js jetstream.JetStream, c StreamConfig) error {
	config := jetstream.StreamConfig{Name: schemas.StreamName, Discard: jetstream.DiscardNew}
	existing, err := js.Stream(ctx, schemas.StreamName)
	switch {
	case err == nil:
		config = existing.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return streamError(err)
	}
	config.Description = "Milepost: every event, in the order in which it was taken"
	config.Subjects = []string{schemas.StreamSubjects}
	config.Storage = jetstream.FileStorage
	config.Retention = jetstream.LimitsPolicy
	config.MaxMsgSize = schemas.MaxEventBytes + headerRoom
	config.DenyDelete, config.DenyPurge = true, config.DenyPurge || c.DenyPurge
	config.AllowDirect = true
	config.AllowAtomicPublish = true
	config.Duplicates = c.Duplicates
	if c.Duplicates == 0 {
		config.Duplicates = defaultDuplicates
	}
	if c.Replicas > 0 {
		config.Replicas = c.Replicas
	}
	if _, err := js.CreateOrUpdateStream(ctx, config); err != nil {
		return streamError(err)
	}
	return nil
}

// LastSequence gives the sequence of the newest event on the stream, 0 when
// it is empty. Its errors are of code Unavailable.
func (p *Publisher) LastSequence(ctx context.Context) (uint64, error) {
	stream, err := p.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, unavailable(err)
	}
	return stream.CachedInfo().State.LastSeq, nil
}

func streamError(err error) error {
	return &schemas.Error{
		Code: schemas.Unavailable, Message: fmt.Sprintf("the stream %s cannot be set up", schemas.StreamName),
		Hint: "check that the NATS server is reachable and that JetStream is enabled", Err: err,
	}
}
