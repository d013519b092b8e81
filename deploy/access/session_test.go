package access

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/enginetest"
	"milepost/schemas"
)

// TestSessions holds sessions against time, revocation, TLS and other sites.
func TestSessions(t *testing.T) {
	t.Parallel()
	conn, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store, err := OpenStore(t.Context(), js, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	token, text, err := store.Create(t.Context(), Wish{Role: schemas.RoleOffice, Districts: []string{"shanyang"}}, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenSessions(t.Context(), js, store, false, nil, clock)
	if err != nil {
		t.Fatal(err)
	}

	begin := func(token string, headers ...string) (*http.Cookie, error) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/login", strings.NewReader(url.Values{}.Encode()))
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		err := s.Begin(w, r, token)
		if cookies := w.Result().Cookies(); len(cookies) == 1 {
			return cookies[0], err
		}
		return nil, err
	}
	who := func(cookie *http.Cookie, method, site string) (*schemas.Principal, error) {
		r := httptest.NewRequest(method, "http://127.0.0.1/", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		r.AddCookie(cookie)
		return s.principal(r, "127.0.0.1")
	}

	cookie, err := begin(text)
	if err != nil || !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(text, cookie.Value) {
		t.Fatalf("%+v %v", cookie, err)
	}
	if p, err := who(cookie, http.MethodPost, "same-origin"); err != nil || p == nil || p.ID != token.ID || p.Role != schemas.RoleOffice {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := who(cookie, http.MethodPost, "cross-site"); schemas.CodeOf(err) != schemas.Forbidden {
		t.Errorf("another site: %v", err)
	}
	if p, err := who(&http.Cookie{Name: sessionCookie, Value: cookie.Value + "a"}, http.MethodGet, "none"); p != nil || err != nil {
		t.Errorf("a guessed session: %+v %v", p, err)
	}
	if p, err := (*Sessions)(nil).principal(httptest.NewRequest(http.MethodGet, "/", nil), ""); p != nil || err != nil {
		t.Errorf("no sessions: %+v %v", p, err)
	}
	if cookie, err := begin(text, "Origin", "https://127.0.0.1"); err == nil && !cookie.Secure {
		t.Errorf("over TLS: %+v", cookie)
	}

	// Another process knows it, too, and has no secret to tell.
	other, err := OpenSessions(t.Context(), js, store, false, nil, clock)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	if p, err := other.principal(r, ""); err != nil || p == nil || p.ID != token.ID {
		t.Errorf("another process: %+v %v", p, err)
	}
	_, secret, _ := strings.Cut(cookie.Value, ".")
	if entry, err := s.bucket.Get(t.Context(), token.ID); err != nil || strings.Contains(string(entry.Value()), secret) {
		t.Errorf("what is stored: %s %v", entry.Value(), err)
	}
	second, err := begin(text)
	if err != nil {
		t.Fatal(err)
	}
	leave := httptest.NewRequest(http.MethodPost, "/logout", nil)
	leave.AddCookie(second)
	if err := other.End(httptest.NewRecorder(), leave); err != nil {
		t.Fatal(err)
	}
	if p, err := who(second, http.MethodGet, "none"); p != nil || err != nil {
		t.Errorf("a session that was ended elsewhere: %+v %v", p, err)
	}
	for _, value := range []string{"", ".", token.ID, token.ID + ".", "." + secret, "*." + secret, "none." + secret, strings.Repeat("a", 5000)} {
		if p, err := who(&http.Cookie{Name: sessionCookie, Value: value}, http.MethodGet, "none"); p != nil || err != nil {
			t.Errorf("%q: %+v %v", value, p, err)
		}
	}
	// Of many sessions the oldest gives way.
	for range sessionsOfAToken - 2 { // another one began over TLS
		if _, err := begin(text); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := who(cookie, http.MethodGet, "none"); p == nil || err != nil {
		t.Errorf("the oldest of as many as a token has: %+v %v", p, err)
	}
	if _, err := begin(text); err != nil {
		t.Fatal(err)
	}
	if p, err := who(cookie, http.MethodGet, "none"); p != nil || err != nil {
		t.Errorf("one too many: %+v %v", p, err)
	}
	if cookie, err = begin(text); err != nil {
		t.Fatal(err)
	}

	now = now.Add(sessionLife)
	if p, err := who(cookie, http.MethodGet, "none"); p != nil || err != nil {
		t.Errorf("an old session: %+v %v", p, err)
	}
	if cookie, err = begin(text); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Revoke(t.Context(), token.ID, "test"); err != nil {
		t.Fatal(err)
	}
	if p, err := who(cookie, http.MethodGet, "none"); p != nil || err != nil {
		t.Errorf("a revoked token's session: %+v %v", p, err)
	}
	if _, err := begin(text); schemas.CodeOf(err) != schemas.Unauthenticated {
		t.Errorf("a revoked token: %v", err)
	}
	for range strangerBurst + 1 {
		_, err = begin("mp_aaaaaaaa_" + strings.Repeat("a", 52))
	}
	if schemas.CodeOf(err) != schemas.TooMany {
		t.Errorf("many bad tokens: %v", err)
	}
}
