package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Lease lets one of several replicas work while the others rest. It saves work
// and no more: what is published is decided by the append, so that a holder who
// was paused past the deadline, or whose clock is wrong, does no harm.
type Lease struct {
	bucket jetstream.KeyValue
	holder string
	span   time.Duration
	now    func() time.Time
}

// Holding is who holds a lease, and until when by the holder's clock; its zero
// value is a lease that nobody holds.
type Holding struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

// The key of the lease, and how long it is held unless it is taken again.
const (
	leaseKey  = "lease"
	leaseSpan = 3 * time.Minute
)

// NewLease gives the holder's view of the lease in the bucket. The span is how
// long it holds; 0 stands for three minutes.
func NewLease(bucket jetstream.KeyValue, holder string, span time.Duration, now func() time.Time) *Lease {
	if span == 0 {
		span = leaseSpan
	}
	return &Lease{bucket: bucket, holder: holder, span: span, now: now}
}

// Take takes the lease, or takes it again, and tells whether this holder has it
// now. A deadline further away than a lease lasts was written by a clock that
// jumped, and is not waited for. Errors are of code Unavailable.
func (l *Lease) Take(ctx context.Context) (bool, error) {
	held, revision, err := l.read(ctx)
	if err != nil {
		return false, err
	}
	now := l.now()
	if held.Holder != l.holder && held.Until.After(now) && !held.Until.After(now.Add(2*l.span)) {
		return false, nil
	}
	return l.write(ctx, Holding{Holder: l.holder, Until: now.Add(l.span)}, revision)
}

// Release gives the lease up when this holder has it.
func (l *Lease) Release(ctx context.Context) error {
	held, revision, err := l.read(ctx)
	if err != nil || held.Holder != l.holder {
		return err
	}
	_, err = l.write(ctx, Holding{}, revision)
	return err
}

// Holding gives who holds the lease now.
func (l *Lease) Holding(ctx context.Context) (Holding, error) {
	held, _, err := l.read(ctx)
	if err != nil || !held.Until.After(l.now()) {
		return Holding{}, err
	}
	return held, nil
}

// read gives the lease with its revision, 0 before the first. A value that does
// not read counts as a lease that ran out.
func (l *Lease) read(ctx context.Context) (held Holding, revision uint64, err error) {
	entry, err := l.bucket.Get(ctx, leaseKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Holding{}, 0, nil
	}
	if err != nil {
		return Holding{}, 0, unavailableLease(err)
	}
	if json.Unmarshal(entry.Value(), &held) != nil {
		held = Holding{}
	}
	return held, entry.Revision(), nil
}

// write tells whether nobody else wrote since the revision.
func (l *Lease) write(ctx context.Context, held Holding, revision uint64) (bool, error) {
	text, err := json.Marshal(held)
	if err != nil {
		return false, err
	}
	_, err = replaceRevision(ctx, l.bucket, leaseKey, text, revision)
	if errors.Is(err, errReplaced) {
		return false, nil
	}
	if err != nil {
		return false, unavailableLease(err)
	}
	return true, nil
}

func unavailableLease(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the lease of the scheduler cannot be reached", Hint: "check that NATS runs with JetStream", Err: err}
}

// errReplaced tells that another writer came first.
var errReplaced = errors.New("another writer came first")

// replaceRevision writes the value if the key is still at the revision; 0
// stands for a key that was never written.
func replaceRevision(ctx context.Context, bucket jetstream.KeyValue, key string, value []byte, revision uint64) (uint64, error) {
	var next uint64
	var err error
	if revision == 0 {
		next, err = bucket.Create(ctx, key, value)
	} else {
		next, err = bucket.Update(ctx, key, value, revision)
	}
	var api *jetstream.APIError
	wrongLast := errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
	if errors.Is(err, jetstream.ErrKeyExists) || wrongLast {
		return 0, errReplaced
	}
	return next, err
}
