package access

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"milepost/schemas"
)

// sessionCookie names the cookie of a browser that logged in.
const sessionCookie = "milepost_session"

// A session ends after a working day; a process keeps so many at most.
const (
	sessionLife = 12 * time.Hour
	maxSessions = 10_000
)

// Sessions let in browsers that logged in with a token. A session is a random
// id in a cookie, and stands for the token as long as that is valid: who
// revokes the token ends its sessions. Sessions live in the memory of one
// process and end with it. They are safe for concurrent use; a nil one has no
// sessions.
type Sessions struct {
	tokens  *Store
	proxies []netip.Prefix
	// secure keeps the cookie off connections without TLS.
	secure    bool
	now       func() time.Time
	strangers *meters

	mu   sync.Mutex
	kept map[[sha256.Size]byte]session
}

type session struct {
	tokenID string
	ends    time.Time
}

// NewSessions makes an empty set of sessions over the tokens. secure says that
// browsers come over TLS; proxies are those whose word is taken for where a
// request came from.
func NewSessions(tokens *Store, secure bool, proxies []netip.Prefix, now func() time.Time) *Sessions {
	return &Sessions{
		tokens: tokens, proxies: proxies, secure: secure, now: now, strangers: newMeters(strangerRate, strangerBurst, now),
		kept: map[[sha256.Size]byte]session{},
	}
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
	id := make([]byte, secretBytes)
	_, _ = rand.Read(id) // never fails
	value := encoding.EncodeToString(id)
	ends := s.now().Add(sessionLife)
	s.mu.Lock()
	s.forgetEnded()
	s.kept[digest(value)] = session{tokenID: token.ID, ends: ends}
	s.mu.Unlock()
	http.SetCookie(w, s.cookie(r, value, int(sessionLife.Seconds())))
	return nil
}

// forgetEnded makes room; when there is none, all begin anew.
func (s *Sessions) forgetEnded() {
	if len(s.kept) < maxSessions {
		return
	}
	now := s.now()
	for key, one := range s.kept {
		if !now.Before(one.ends) {
			delete(s.kept, key)
		}
	}
	if len(s.kept) >= maxSessions {
		clear(s.kept)
	}
}

// End ends the request's session and takes its cookie back.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request) error {
	if err := checkOrigin(r); err != nil {
		return err
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.kept, digest(cookie.Value))
		s.mu.Unlock()
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
	s.mu.Lock()
	one, found := s.kept[digest(cookie.Value)]
	s.mu.Unlock()
	if !found || !s.now().Before(one.ends) {
		return nil, nil
	}
	token, valid := s.tokens.valid(one.tokenID)
	if !valid {
		return nil, nil
	}
	if err := checkOrigin(r); err != nil {
		return nil, err
	}
	return token.principal(remote), nil
}
