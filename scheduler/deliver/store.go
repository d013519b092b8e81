package deliver

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Bucket is the KV bucket of the deliveries and of the targets' health.
const Bucket = "MILEPOST_DELIVERIES"

const (
	deliveryKeys = "delivery."
	targetKeys   = "target."
	maxRecord    = 256 << 10
)

// Store keeps deliveries where every replica sees them. It may be used from
// several goroutines.
type Store struct {
	bucket jetstream.KeyValue

	mu sync.Mutex
	// records are all deliveries up to the revision seen.
	records map[string]Delivery
	seen    uint64
}

// OpenStore opens the bucket, made when missing.
func OpenStore(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	bucket, err := js.KeyValue(ctx, Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: Bucket, Description: "Milepost: what was delivered where, and what waits", MaxValueSize: maxRecord})
	}
	if errors.Is(err, jetstream.ErrBucketExists) { // another replica was first
		bucket, err = js.KeyValue(ctx, Bucket)
	}
	if err != nil {
		return nil, storeAway(err)
	}
	return &Store{bucket: bucket, records: map[string]Delivery{}}, nil
}

func storeAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the deliveries cannot be read or written", Hint: "check that NATS runs with JetStream", Err: err}
}

// errRaced tells that another replica wrote the record first.
var errRaced = errors.New("another replica was first")

func place(id, target string) string {
	sum := sha256.Sum256([]byte(id))
	return deliveryKeys + hex.EncodeToString(sum[:12]) + "." + target
}

// create stores a delivery that is not there yet, and tells whether it did.
func (s *Store) create(ctx context.Context, d *Delivery) (bool, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return false, err
	}
	d.revision, err = s.bucket.Create(ctx, place(d.ID, d.Target), text)
	if refused(err) {
		return false, nil
	}
	if err != nil {
		return false, storeAway(err)
	}
	return true, nil
}

// update writes the delivery if it is still as it was read, else errRaced.
func (s *Store) update(ctx context.Context, d *Delivery) error {
	revision, err := s.write(ctx, place(d.ID, d.Target), d, d.revision)
	if err == nil {
		d.revision = revision
	}
	return err
}

func (s *Store) write(ctx context.Context, key string, value any, revision uint64) (uint64, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return 0, err
	}
	written, err := s.bucket.Update(ctx, key, text, revision)
	if refused(err) {
		return 0, errRaced
	}
	if err != nil {
		return 0, storeAway(err)
	}
	return written, nil
}

// refused tells whether the server kept a write out for its revision.
func refused(err error) bool {
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}

// read gives the delivery as it is now, or nil.
func (s *Store) read(ctx context.Context, id, target string) (*Delivery, error) {
	entry, err := s.bucket.Get(ctx, place(id, target))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, storeAway(err)
	}
	return decodeDelivery(entry)
}

func decodeDelivery(entry jetstream.KeyValueEntry) (*Delivery, error) {
	var d Delivery
	if err := json.Unmarshal(entry.Value(), &d); err != nil {
		return nil, fmt.Errorf("the record of a delivery does not read: %w", err)
	}
	d.revision = entry.Revision()
	return &d, nil
}

// all gives every delivery, the oldest first. Only what changed since it was
// last asked for is read.
func (s *Store) all(ctx context.Context) ([]Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	list := make([]Delivery, 0, len(s.records))
	for _, d := range s.records {
		d.Attempts = slices.Clone(d.Attempts)
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Delivery) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID), strings.Compare(a.Target, b.Target))
	})
	return list, nil
}

func (s *Store) follow(ctx context.Context) error {
	var options []jetstream.WatchOpt
	if s.seen > 0 {
		options = append(options, jetstream.ResumeFromRevision(s.seen+1))
	}
	watcher, err := s.bucket.Watch(ctx, deliveryKeys+">", options...)
	if err != nil {
		return storeAway(err)
	}
	defer func() { _ = watcher.Stop() }() // what it gave is all that matters
	for {
		select {
		case <-ctx.Done():
			return storeAway(ctx.Err())
		case entry, open := <-watcher.Updates():
			if !open {
				return storeAway(errors.New("the watch ended"))
			}
			if entry == nil {
				return nil
			}
			s.seen = max(s.seen, entry.Revision())
			if entry.Operation() != jetstream.KeyValuePut {
				delete(s.records, entry.Key())
				continue
			}
			d, err := decodeDelivery(entry)
			if err != nil {
				return err
			}
			s.records[entry.Key()] = *d
		}
	}
}

// remove deletes the record of a delivery that nothing refers to any more.
func (s *Store) remove(ctx context.Context, d *Delivery) error {
	err := s.bucket.Delete(ctx, place(d.ID, d.Target), jetstream.LastRevision(d.revision))
	if err != nil && !refused(err) {
		return storeAway(err)
	}
	return nil
}

// health gives how a target does; one that is new is noted as known since now.
func (s *Store) health(ctx context.Context, target string, fresh Health) (*Health, error) {
	for {
		entry, err := s.bucket.Get(ctx, targetKeys+target)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			text, err := json.Marshal(fresh)
			if err != nil {
				return nil, err
			}
			if _, err = s.bucket.Create(ctx, targetKeys+target, text); err != nil && !refused(err) {
				return nil, storeAway(err)
			}
			continue
		}
		if err != nil {
			return nil, storeAway(err)
		}
		var h Health
		if err := json.Unmarshal(entry.Value(), &h); err != nil {
			return nil, fmt.Errorf("the health of a target does not read: %w", err)
		}
		h.revision = entry.Revision()
		return &h, nil
	}
}

// changeHealth changes a target's health, whoever else does at the same time.
func (s *Store) changeHealth(ctx context.Context, target string, change func(*Health)) (*Health, error) {
	for {
		h, err := s.health(ctx, target, Health{Target: target})
		if err != nil {
			return nil, err
		}
		change(h)
		h.revision, err = s.write(ctx, targetKeys+target, h, h.revision)
		if errors.Is(err, errRaced) {
			continue
		}
		return h, err
	}
}
