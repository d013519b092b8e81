package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Bucket is the KV bucket that remembers up to where was looked for alerts.
const Bucket = "MILEPOST_ALERTS"

const planKey = "check"

// cut is a ledger that was or is looked at.
type cut struct {
	AsOf     schemas.Date `json:"as_of"`
	KnownSeq uint64       `json:"known_seq"`
}

// plan is the latest check: which two ledgers it compares is written down
// before it tells anybody, so that a replica that takes over tells the same.
type plan struct {
	At    time.Time    `json:"at"` // when it was due
	Day   schemas.Date `json:"day"`
	Check int          `json:"check"` // of the day, from 1
	From  cut          `json:"from"`
	To    cut          `json:"to"`
	Done  bool         `json:"done"`

	revision uint64
}

// Plans keeps the plan where every replica sees it.
type Plans struct{ bucket jetstream.KeyValue }

// OpenPlans opens the bucket, made when missing.
func OpenPlans(ctx context.Context, js jetstream.JetStream) (*Plans, error) {
	bucket, err := js.KeyValue(ctx, Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: Bucket, Description: "Milepost: up to where was looked for alerts", MaxValueSize: 16 << 10})
	}
	if errors.Is(err, jetstream.ErrBucketExists) { // another replica was first
		bucket, err = js.KeyValue(ctx, Bucket)
	}
	if err != nil {
		return nil, plansAway(err)
	}
	return &Plans{bucket}, nil
}

func plansAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "what was alerted cannot be read or written", Hint: "check that NATS runs with JetStream", Err: err}
}

// errRaced tells that another replica wrote first.
var errRaced = errors.New("another replica was first")

// load gives the latest plan; a zero plan when there is none.
func (p *Plans) load(ctx context.Context) (plan, error) {
	entry, err := p.bucket.Get(ctx, planKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return plan{}, nil
	}
	if err != nil {
		return plan{}, plansAway(err)
	}
	var latest plan
	if err := json.Unmarshal(entry.Value(), &latest); err != nil {
		return plan{}, fmt.Errorf("the plan of alerts does not read: %w", err)
	}
	latest.revision = entry.Revision()
	return latest, nil
}

// save writes the plan if nobody wrote since it was loaded, else errRaced.
func (p *Plans) save(ctx context.Context, next *plan) error {
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	revision, err := p.bucket.Update(ctx, planKey, text, next.revision)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		return errRaced
	}
	if err != nil {
		return plansAway(err)
	}
	next.revision = revision
	return nil
}
