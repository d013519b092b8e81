package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// sessionCookie names the cookie of a browser that logged in.
const sessionCookie = "milepost_session"

// A session ends after a working day; a token has so many at most, of which the
// oldest gives way.
const (
	sessionLife      = 12 * time.Hour
	sessionsOfAToken = 20
)

// SessionBucket is the KV bucket that keeps the sessions, by token id. Of a
// session it has the hash of its secret only.
const SessionBucket = "MILEPOST_SESSIONS"

// Sessions let in browsers that logged in with a token. A session is a random
// secret in a cookie, and stands for the token as long as that is valid: who
// revokes the token ends its sessions. Every process of an installation knows
// them, and they outlive its processes. They are safe for concurrent use; a nil
// one has no sessions.
type Sessions struct {
	tokens  *Store
	bucket  jetstream.KeyValue
	proxies []netip.Prefix
	// secure keeps the cookie off connections without TLS.
	secure    bool
	now       func() time.Time
	strangers *meters
}

// session is one session as it is stored.
type session struct {
	Hash []byte    `json:"hash"`
	Ends time.Time `json:"ends"`
}

// OpenSessions opens the sessions over the tokens, and makes their bucket when
// missing. secure says that browsers come over TLS; proxies are those whose word
// is taken for where a request came from.
func OpenSessions(ctx context.Context, js jetstream.JetStream, tokens *Store, secure bool, proxies []netip.Prefix, now func() time.Time) (*Sessions, error) {
	bucket, err := js.KeyValue(ctx, SessionBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: SessionBucket, Description: "Milepost: who is logged in, by token", TTL: sessionLife, MaxValueSize: 64 << 10})
	}
	if errors.Is(err, jetstream.ErrBucketExists) { // another process was first
		bucket, err = js.KeyValue(ctx, SessionBucket)
	}
	if err != nil {
		return nil, sessionsAway(err)
	}
	return &Sessions{tokens: tokens, bucket: bucket, proxies: proxies, secure: secure, now: now, strangers: newMeters(strangerRate, strangerBurst, now)}, nil
}

func sessionsAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the sessions cannot be reached", Hint: "check that NATS runs with JetStream", Err: err}
}

// Begin begins a session for the one who sends the token's text, and sets its
// cookie. It fails with Unauthenticated when the text is no valid token, with
// TooMany when the sender's network tried too many, and with Forbidden when a
// page of another site sent it.
func (s *Sessions) Begin(w http.ResponseWriter, r *http.Request, text string) error {
	if err := checkOrigin(r); err != nil {
		return err
	}
	token, err := s.tokens.Find(text)
	if err != nil {
		if wait := s.strangers.take(network(remoteOf(r, s.proxies))); wait > 0 {
			return &schemas.Error{Code: schemas.TooMany, Message: "too many bad tokens came from this network", Hint: "try again in a minute"}
		}
		return err
	}
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	text = encoding.EncodeToString(secret)
	hash := digest(text)
	err = s.change(r.Context(), token.ID, func(list []session) []session {
		list = append(list, session{hash[:], s.now().Add(sessionLife)})
		return list[max(0, len(list)-sessionsOfAToken):]
	})
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(r, token.ID+"."+text, int(sessionLife.Seconds())))
	return nil
}

// of gives the sessions of a token that go on, and the revision that they were
// read at, 0 for none.
func (s *Sessions) of(ctx context.Context, tokenID string) (list []session, revision uint64, err error) {
	entry, err := s.bucket.Get(ctx, tokenID)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, sessionsAway(err)
	}
	if err := json.Unmarshal(entry.Value(), &list); err != nil {
		return nil, 0, &schemas.Error{Code: schemas.Internal, Message: "the sessions do not read", Hint: "remove the bucket " + SessionBucket + ": everybody logs in anew", Err: err}
	}
	now := s.now()
	return slices.DeleteFunc(list, func(one session) bool { return !now.Before(one.Ends) }), entry.Revision(), nil
}

// sessionTries bounds how often a change is tried while others change the same.
const sessionTries = 20

// change writes the sessions of a token anew.
func (s *Sessions) change(ctx context.Context, tokenID string, edit func([]session) []session) error {
	var err error
	for range sessionTries {
		var list []session
		var revision uint64
		if list, revision, err = s.of(ctx, tokenID); err != nil {
			return err
		}
		text, failed := json.Marshal(edit(list))
		if failed != nil {
			return failed
		}
		if revision == 0 {
			_, err = s.bucket.Create(ctx, tokenID, text)
		} else {
			_, err = s.bucket.Update(ctx, tokenID, text, revision)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			break
		}
	}
	return sessionsAway(err)
}

// splitSession takes a cookie apart; false for what cannot be one.
func splitSession(value string) (tokenID string, hash [sha256.Size]byte, ok bool) {
	tokenID, secret, ok := strings.Cut(value, ".")
	if !ok || len(value) > maxCookie || tokenID == "" || secret == "" {
		return "", hash, false
	}
	return tokenID, digest(secret), true
}

// maxCookie bounds a session's cookie.
const maxCookie = 200

// is tells whether the session is that of the hash.
func (o *session) is(hash [sha256.Size]byte) bool {
	return subtle.ConstantTimeCompare(o.Hash, hash[:]) == 1
}

// End ends the request's session and takes its cookie back.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request) error {
	if err := checkOrigin(r); err != nil {
		return err
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		if id, hash, ok := splitSession(cookie.Value); ok {
			err := s.change(r.Context(), id, func(list []session) []session {
				return slices.DeleteFunc(list, func(one session) bool { return one.is(hash) })
			})
			if err != nil {
				return err
			}
		}
	}
	http.SetCookie(w, s.cookie(r, "", -1))
	return nil
}

// cookie makes the session's cookie. Behind a proxy that does TLS the browser
// itself says that it came over TLS.
func (s *Sessions) cookie(r *http.Request, value string, age int) *http.Cookie {
	secure := s.secure || strings.HasPrefix(r.Header.Get("Origin"), "https://")
	return &http.Cookie{Name: sessionCookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode}
}

// principal gives who sends a request with a session; nil when it has none that
// goes on. A browser sends its cookie by itself, so that a request which
// changes something must come from a page of this server.
func (s *Sessions) principal(r *http.Request, remote string) (*schemas.Principal, error) {
	if s == nil {
		return nil, nil
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, nil
	}
	id, hash, ok := splitSession(cookie.Value)
	if !ok {
		return nil, nil
	}
	// What is no valid token's is not asked for.
	token, valid := s.tokens.valid(id)
	if !valid {
		return nil, nil
	}
	list, _, err := s.of(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(one session) bool { return one.is(hash) }) {
		return nil, nil
	}
	if err := checkOrigin(r); err != nil {
		return nil, err
	}
	return token.principal(remote), nil
}
