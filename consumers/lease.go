package consumers

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

const (
	leaseBucket = "MILEPOST_LEASES"
	replayLease = "replay"
	// leaseLife is how long a lease outlives its holder's death.
	leaseLife = 30 * time.Second
)

// leaseHolders says what holds a lease.
func leaseHolders(name string) string {
	if name == archiveLease {
		return "archiving, or a backup,"
	}
	return "a " + name
}

// errLeaseLost is the cause of the end of a lease's context.
var errLeaseLost = &schemas.Error{
	Code: schemas.Unavailable, Message: "the connection to NATS was away for too long", Hint: "nothing was changed that is not whole; begin again",
}

// holdLease takes a lease, or fails with the code conflict when another process holds it. The context that it gives ends
// when the lease is lost.
func holdLease(ctx context.Context, js jetstream.JetStream, name string) (held context.Context, release func(), err error) {
	// An existing bucket stays as it is: also on as many servers as it is kept.
	bucket, err := js.KeyValue(ctx, leaseBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: leaseBucket, Description: "Milepost: who does what only one may do", TTL: leaseLife,
		})
	}
	if err != nil {
		return nil, nil, streamAway("asked for a lease", err)
	}
	revision, err := bucket.Create(ctx, name, nil)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return nil, nil, &schemas.Error{
			Code: schemas.Conflict, Message: leaseHolders(name) + " is running", Hint: "wait for its end; after a crash, wait for half a minute",
		}
	}
	if err != nil {
		return nil, nil, streamAway("asked for a lease", err)
	}
	held, lose := context.WithCancelCause(ctx)
	renewing, stop := context.WithCancel(held)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(leaseLife / 6)
		defer ticker.Stop()
		renewed := time.Now()
		for {
			select {
			case <-renewing.Done():
				return
			case <-ticker.C:
			}
			attempt, cancel := context.WithTimeout(renewing, leaseLife/6)
			next, err := bucket.Update(attempt, name, nil, revision)
			cancel()
			if err == nil {
				revision, renewed = next, time.Now()
				continue
			}
			if errors.Is(err, jetstream.ErrKeyExists) || time.Since(renewed) > leaseLife*2/3 {
				lose(errLeaseLost)
				return
			}
		}
	}()
	return held, func() {
		stop()
		<-ended
		deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
		defer cancel()
		// A lease that is not given back ends by itself.
		_ = bucket.Delete(deleting, name, jetstream.LastRevision(revision))
		lose(context.Canceled)
	}, nil
}
