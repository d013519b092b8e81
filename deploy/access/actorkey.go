package access

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// keysBucket keeps the secrets that the processes of an installation share. It
// must be kept as long as the stream of events: a replay proves actors again.
const keysBucket = "MILEPOST_KEYS"

const actorKeyName = "actor"

type storedActorKey struct {
	Secret []byte `json:"secret"`
	// After is the last sequence of the stream before the key: older messages
	// could not prove who sent them.
	After uint64 `json:"after"`
}

// ActorKey gives the installation's key that proves actors, made at the very
// first start, and the sequence up to which nothing is proven.
func ActorKey(ctx context.Context, js jetstream.JetStream) (key *schemas.ActorKey, after uint64, err error) {
	bucket, err := openBucket(ctx, js, keysBucket, "Milepost: secrets that its own processes share")
	if err != nil {
		return nil, 0, err
	}
	entry, err := bucket.Get(ctx, actorKeyName)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		if err := makeActorKey(ctx, js, bucket); err != nil {
			return nil, 0, err
		}
		entry, err = bucket.Get(ctx, actorKeyName)
	}
	if err != nil {
		return nil, 0, storeAway(err)
	}
	var stored storedActorKey
	if err := json.Unmarshal(entry.Value(), &stored); err != nil {
		stored.Secret = nil // which is refused
	}
	key, err = schemas.NewActorKey(stored.Secret)
	return key, stored.After, err
}

func makeActorKey(ctx context.Context, js jetstream.JetStream, bucket jetstream.KeyValue) error {
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return storeAway(err)
	}
	made := storedActorKey{Secret: make([]byte, schemas.ActorKeyBytes), After: stream.CachedInfo().State.LastSeq}
	_, _ = rand.Read(made.Secret) // never fails
	value, err := json.Marshal(made)
	if err != nil {
		return err
	}
	if _, err := bucket.Create(ctx, actorKeyName, value); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return storeAway(err)
	}
	return nil
}
