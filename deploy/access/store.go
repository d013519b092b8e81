package access

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Bucket is the KV bucket that keeps the tokens, by id. Nothing is removed from
// it: a revoked token stays as one that was revoked, and a server that ever had
// tokens never goes back to doing without.
const Bucket = "MILEPOST_TOKENS"

// maxTokens bounds what a server keeps in memory.
const maxTokens = 10_000

// record is a token as it is stored.
type record struct {
	Token
	Hash []byte `json:"hash"`
}

// Store keeps the tokens of an installation. Every process watches the bucket
// and answers from memory; what one process writes, the others know at once. It
// is safe for concurrent use.
type Store struct {
	bucket jetstream.KeyValue
	now    func() time.Time
	log    *slog.Logger
	stop   context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	records map[string]*record
	seen    uint64 // revision of the bucket
	changed chan struct{}
}

// OpenStore opens the bucket, makes it when missing, and returns when all
// tokens are known. The caller ends it with Close.
func OpenStore(ctx context.Context, js jetstream.JetStream, now func() time.Time, log *slog.Logger) (*Store, error) {
	bucket, err := openBucket(ctx, js, Bucket, "Milepost: who may; tokens by id, with hashed secrets")
	if err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{bucket: bucket, now: now, log: log, stop: stop, done: make(chan struct{}), records: map[string]*record{}, changed: make(chan struct{})}
	ready := make(chan struct{})
	go s.watch(watching, ready)
	select {
	case <-ready:
		return s, nil
	case <-ctx.Done():
		s.Close()
		return nil, storeAway(ctx.Err())
	}
}

// openBucket gives a bucket, made when missing; what an administrator chose for
// it stays.
func openBucket(ctx context.Context, js jetstream.JetStream, name, description string) (jetstream.KeyValue, error) {
	bucket, err := js.KeyValue(ctx, name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, Description: description, MaxValueSize: 64 << 10})
	}
	if errors.Is(err, jetstream.ErrBucketExists) { // another process was first
		bucket, err = js.KeyValue(ctx, name)
	}
	if err != nil {
		return nil, storeAway(err)
	}
	return bucket, nil
}

func storeAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the tokens cannot be reached", Hint: "check that NATS runs with JetStream", Err: err}
}

// Close ends the watching.
func (s *Store) Close() {
	s.stop()
	<-s.done
}

// watch follows the bucket for good; the client's watcher heals itself, and one
// that ended is begun anew.
func (s *Store) watch(ctx context.Context, ready chan struct{}) {
	defer close(s.done)
	told := false
	for ctx.Err() == nil {
		watcher, err := s.bucket.WatchAll(ctx)
		if err != nil {
			s.log.WarnContext(ctx, "the tokens cannot be watched; it is tried again", "error", err)
			pause(ctx, time.Second)
			continue
		}
		for entry := range watcher.Updates() {
			switch {
			case entry != nil:
				s.take(entry)
			case !told: // all that was there before is known
				told = true
				close(ready)
			}
		}
		pause(ctx, 100*time.Millisecond)
	}
}

func (s *Store) take(entry jetstream.KeyValueEntry) {
	r := &record{}
	if entry.Operation() == jetstream.KeyValuePut {
		if err := json.Unmarshal(entry.Value(), r); err != nil || r.ID != entry.Key() {
			s.log.Error("a stored token does not read; it opens nothing", "id", entry.Key())
			r = &record{}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A token that is gone or damaged still counts for Used, and opens nothing.
	s.records[entry.Key()] = r
	s.seen = max(s.seen, entry.Revision())
	close(s.changed)
	s.changed = make(chan struct{})
}

// await returns when this process has seen the revision that it wrote.
func (s *Store) await(ctx context.Context, revision uint64) error {
	for {
		s.mu.Lock()
		seen, changed := s.seen, s.changed
		s.mu.Unlock()
		if seen >= revision {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return storeAway(ctx.Err())
		}
	}
}

// Used tells whether there ever was a token: from then on every request needs
// one.
func (s *Store) Used() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records) > 0
}

// Find gives the token that the text is, with the code unauthenticated when it
// is none, expired or revoked. Only who has the secret is told which.
func (s *Store) Find(text string) (Token, error) {
	id, secret, ok := splitToken(text)
	s.mu.Lock()
	r := s.records[id]
	s.mu.Unlock()
	given := digest(secret)
	var stored [len(given)]byte
	if ok = ok && r != nil && len(r.Hash) == len(stored); ok {
		copy(stored[:], r.Hash)
	}
	if same := subtle.ConstantTimeCompare(given[:], stored[:]) == 1; !ok || !same {
		return Token{}, &schemas.Error{Code: schemas.Unauthenticated, Field: "Authorization", Message: "no such token", Hint: "send Authorization: Bearer mp_…, as it was shown when the token was made"}
	}
	switch r.State(s.now()) {
	case "expired":
		return Token{}, &schemas.Error{Code: schemas.Unauthenticated, Field: "Authorization", Value: r.ID, Message: "the token expired on " + shown(*r.Expires), Hint: "ask an admin for a new one"}
	case "revoked":
		return Token{}, &schemas.Error{Code: schemas.Unauthenticated, Field: "Authorization", Value: r.ID, Message: "the token was revoked on " + shown(*r.Revoked), Hint: "ask an admin for a new one"}
	}
	return r.Token, nil
}

func shown(t time.Time) string { return t.In(schemas.Location).Format(time.DateTime) }

// Create makes a token and gives its text, which is kept nowhere. by is who
// makes it, districts are the known codes (empty takes any).
func (s *Store) Create(ctx context.Context, wish Wish, by string, districts []string) (Token, string, error) {
	if err := wish.check(districts); err != nil {
		return Token{}, "", err
	}
	s.mu.Lock()
	n := len(s.records)
	s.mu.Unlock()
	if n >= maxTokens {
		return Token{}, "", &schemas.Error{Code: schemas.TooLarge, Message: "there are too many tokens", Hint: "at most 10000, revoked ones included"}
	}
	created := s.now().Truncate(time.Millisecond)
	r := record{Token: Token{
		Name: wish.Name, Role: wish.Role, Districts: wish.Districts, Departments: wish.Departments, SourcePrefix: wish.SourcePrefix, Types: wish.Types,
		Created: created, CreatedBy: by,
	}}
	if life, _ := wish.lifetime(); life > 0 { // was checked
		end := created.Truncate(time.Second).Add(life)
		r.Expires = &end
	}
	for {
		id, secret, text := newSecret()
		hash := digest(secret)
		r.ID, r.Hash = id, hash[:]
		value, err := json.Marshal(r)
		if err != nil {
			return Token{}, "", err
		}
		revision, err := s.bucket.Create(ctx, id, value)
		if errors.Is(err, jetstream.ErrKeyExists) {
			continue // the id is taken
		}
		if err != nil {
			return Token{}, "", storeAway(err)
		}
		return r.Token, text, s.await(ctx, revision)
	}
}

// Revoke ends a token for good; one that was revoked before stays so.
func (s *Store) Revoke(ctx context.Context, id, by string) (Token, error) {
	unknown := &schemas.Error{Code: schemas.NotFound, Field: "id", Value: schemas.Shorten(id), Message: "no such token", Hint: "milepost token list shows the ids"}
	if len(id) != idLength || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return Token{}, unknown
	}
	for {
		entry, err := s.bucket.Get(ctx, id)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return Token{}, unknown
		}
		if err != nil {
			return Token{}, storeAway(err)
		}
		var r record
		if err := json.Unmarshal(entry.Value(), &r); err != nil {
			return Token{}, &schemas.Error{Code: schemas.Internal, Field: "id", Value: id, Message: "the stored token does not read, and opens nothing", Err: err}
		}
		if r.Revoked != nil {
			return r.Token, s.await(ctx, entry.Revision())
		}
		at := s.now().Truncate(time.Second)
		r.Revoked, r.RevokedBy = &at, by
		value, err := json.Marshal(r)
		if err != nil {
			return Token{}, err
		}
		revision, err := s.bucket.Update(ctx, id, value, entry.Revision())
		if errors.Is(err, jetstream.ErrKeyExists) {
			continue // another process wrote it just now
		}
		if err != nil {
			return Token{}, storeAway(err)
		}
		return r.Token, s.await(ctx, revision)
	}
}

// valid gives the token with the id, when it is one that opens something now.
func (s *Store) valid(id string) (Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[id]
	if r == nil || r.ID == "" || r.State(s.now()) != "valid" {
		return Token{}, false
	}
	return r.Token, true
}

// List gives all tokens, the oldest first.
func (s *Store) List() []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Token{}
	for _, r := range s.records {
		if r.ID != "" {
			list = append(list, r.Token)
		}
	}
	slices.SortFunc(list, func(a, b Token) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
