package access_test

import (
	"bufio"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"milepost/deploy/access"
	"milepost/schemas"
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

var someRules = []access.Rule{
	{Pattern: "GET /open"},
	{Pattern: "/events", Needs: schemas.MayPublish, Upload: true},
	{Pattern: "GET /read/{what}", Needs: schemas.MayRead},
	{Pattern: "POST /read", Needs: schemas.MayRead, MaxBody: 1000},
	{Pattern: "POST /acts/{what}/end", Needs: schemas.MayAdminister, Act: "thing.end", Target: "what"},
}

// While there are no tokens everybody on the machine may do everything, and a
// page in a browser nothing.
func TestWithoutTokens(t *testing.T) {
	t.Parallel()
	g := guard(t, someRules, ok, nil)
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
		field              string
	}{
		{"by address", "GET", "/read/x", nil, 204, ""},
		{"by name", "GET", "/read/x", []string{"Host: localhost:8080"}, 204, ""},
		{"by IPv6", "GET", "/read/x", []string{"Host: [::1]:8080"}, 204, ""},
		{"an act", "POST", "/acts/x/end", nil, 204, ""},
		{"DNS rebinding", "GET", "/read/x", []string{"Host: evil.example"}, 403, "Host"},
		{"DNS rebinding with a port", "POST", "/acts/x/end", []string{"Host: evil.example:8080"}, 403, "Host"},
		{"a name that begins alike", "GET", "/read/x", []string{"Host: localhost.evil.example"}, 403, "Host"},
		{"an address that begins alike", "GET", "/read/x", []string{"Host: 127.0.0.1.evil.example"}, 403, "Host"},
		{"every address", "GET", "/read/x", []string{"Host: 0.0.0.0"}, 403, "Host"},
		{"a page of another site", "POST", "/events", []string{"Origin: https://evil.example"}, 403, "Origin"},
		{"a page without a name", "POST", "/events", []string{"Origin: null"}, 403, "Origin"},
		{"a browser that tells", "POST", "/events", []string{"Sec-Fetch-Site: cross-site"}, 403, "Origin"},
		{"what needs no token", "GET", "/open", []string{"Host: probe.example"}, 204, ""},
		{"a token that nobody made", "GET", "/read/x", []string{"Authorization: Bearer mp_x"}, 401, "Authorization"},
	} {
		if got := g.do(t, c.method, c.path, "", c.headers...); got.status != c.status || got.Field != c.field {
			t.Errorf("%s: %d %+v", c.name, got.status, got.Error)
		}
	}
	// From the first token on everybody needs one.
	_, text := create(t, g.store, access.Wish{Role: schemas.RoleAdmin})
	if got := g.do(t, "GET", "/read/x", ""); got.status != 401 || got.header.Get("WWW-Authenticate") == "" {
		t.Errorf("nameless: %d", got.status)
	}
	if got := g.do(t, "GET", "/read/x", "", "Authorization: Bearer "+text, "Host: elsewhere.example"); got.status != 204 {
		t.Errorf("with a token: %d", got.status)
	}
}

func TestWhoSendsARequest(t *testing.T) {
	t.Parallel()
	const operator = "mp_operator_of-the-test"
	g := guard(t, someRules, ok, func(c *access.Config) { c.Operator = operator })
	token, admin := create(t, g.store, access.Wish{Role: schemas.RoleAdmin})
	_, analyst := create(t, g.store, access.Wish{Role: schemas.RoleAnalyst})
	revoked, gone := create(t, g.store, access.Wish{Role: schemas.RoleAdmin})
	if _, err := g.store.Revoke(t.Context(), revoked.ID, "x"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
		actor              string
	}{
		{"an admin", "GET", "/read/x", []string{"Authorization: Bearer " + admin}, 204, "admin:" + token.ID},
		{"another spelling", "GET", "/read/x", []string{"Authorization: bearer  " + admin}, 204, "admin:" + token.ID},
		{"the operator", "POST", "/acts/x/end", []string{"Authorization: Bearer " + operator}, 204, "admin:operator"},
		{"nobody", "GET", "/read/x", nil, 401, ""},
		{"another scheme", "GET", "/read/x", []string{"Authorization: Basic " + admin}, 401, ""},
		{"no scheme", "GET", "/read/x", []string{"Authorization: " + admin}, 401, ""},
		{"two tokens", "GET", "/read/x", []string{"Authorization: Bearer " + admin, "Authorization: Bearer " + admin}, 401, ""},
		{"a list of tokens", "GET", "/read/x", []string{"Authorization: Bearer " + admin + "," + analyst}, 401, ""},
		{"revoked", "GET", "/read/x", []string{"Authorization: Bearer " + gone}, 401, ""},
		{"in the address", "GET", "/read/x?access_token=" + admin, nil, 401, ""},
		{"in a cookie", "GET", "/read/x", []string{"Cookie: token=" + admin}, 401, ""},
		{"an analyst reads", "GET", "/read/x", []string{"Authorization: Bearer " + analyst}, 204, ""},
		{"an analyst publishes", "POST", "/events", []string{"Authorization: Bearer " + analyst}, 403, ""},
		{"an analyst acts", "POST", "/acts/x/end", []string{"Authorization: Bearer " + analyst}, 403, ""},
		{"an analyst and a route that nobody named", "GET", "/unnamed", []string{"Authorization: Bearer " + analyst}, 403, ""},
		{"an admin and a route that nobody named", "GET", "/unnamed", []string{"Authorization: Bearer " + admin}, 204, ""},
		{"an analyst climbs", "POST", "/read/../acts/x/end", []string{"Authorization: Bearer " + analyst}, 403, ""},
		{"an analyst climbs in disguise", "POST", "/read/%2e%2e/acts/x/end", []string{"Authorization: Bearer " + analyst}, 403, ""},
		{"an analyst doubles a slash", "POST", "//acts/x/end", []string{"Authorization: Bearer " + analyst}, 403, ""},
		{"an analyst uses another method", "DELETE", "/read/x", []string{"Authorization: Bearer " + analyst}, 403, ""},
		{"an analyst overrides the method", "POST", "/acts/x/end", []string{"Authorization: Bearer " + analyst, "X-HTTP-Method-Override: GET"}, 403, ""},
	} {
		got := g.do(t, c.method, c.path, "", c.headers...)
		if got.status != c.status || c.actor != "" && got.header.Get("X-Actor") != c.actor {
			t.Errorf("%s: %d by %q, %+v", c.name, got.status, got.header.Get("X-Actor"), got.Error)
		}
	}
	for _, secret := range []string{admin, analyst, gone, operator} {
		if strings.Contains(g.log.String(), secret) {
			t.Errorf("a token was logged:\n%s", g.log)
		}
	}
}

func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	g := guard(t, someRules, ok, nil)
	_, text := create(t, g.store, access.Wish{Role: schemas.RoleAnalyst})
	for _, c := range []struct{ name, request string }{
		{"a line break in the token", "GET /read/x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n X-Evil: 1\r\n\r\n"},
		{"a bare carriage return", "GET /read/x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + text + "\rX-Evil: 1\r\n\r\n"},
		{"two hosts", "GET /read/x HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\nAuthorization: Bearer " + text + "\r\n\r\n"},
		{"two lengths", "POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		{"a null byte", "GET /read/x HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Name: a\x00b\r\n\r\n"},
	} {
		if got := g.raw(t, c.request, true); got.status != 400 && got.status != 401 {
			t.Errorf("%s: %d", c.name, got.status)
		}
	}
}

func TestWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name    string
		trusted []netip.Prefix
		headers []string
		want    string
	}{
		{"no proxy", nil, nil, "127.0.0.1"},
		{"a header that nobody asked for", nil, []string{"X-Forwarded-For: 192.0.2.7"}, "127.0.0.1"},
		{"a proxy", trusted, []string{"X-Forwarded-For: 192.0.2.7"}, "192.0.2.7"},
		{"two proxies", trusted, []string{"X-Forwarded-For: 192.0.2.7, 10.1.2.3"}, "192.0.2.7"},
		{"a sender who invents one", trusted, []string{"X-Forwarded-For: 198.51.100.1, 192.0.2.7"}, "192.0.2.7"},
		{"a sender who invents a header", trusted, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 192.0.2.7"}, "192.0.2.7"},
		{"no address", trusted, []string{"X-Forwarded-For: 192.0.2.7, evil\u0085"}, "127.0.0.1"},
		{"IPv6", trusted, []string{"X-Forwarded-For: 2001:db8::7"}, "2001:db8::7"},
	} {
		g := guard(t, someRules, ok, func(config *access.Config) { config.Proxies = c.trusted })
		if got := g.do(t, "GET", "/read/x", "", c.headers...); got.status != 204 || got.header.Get("X-Remote") != c.want {
			t.Errorf("%s: %d from %q", c.name, got.status, got.header.Get("X-Remote"))
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	handled := make(chan struct{}, 100)
	g := guard(t, someRules, func(w http.ResponseWriter, r *http.Request) { handled <- struct{}{}; ok(w, r) }, func(c *access.Config) { c.Limits.Body = 50 * time.Millisecond })
	head := "POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
	for _, c := range []struct {
		name   string
		got    answer
		status int
		code   schemas.Code
	}{
		{"whole", g.do(t, "POST", "/read", strings.Repeat("x", 1000)), 204, ""},
		{"oversized", g.do(t, "POST", "/read", strings.Repeat("x", 1001)), 413, schemas.TooLarge},
		{"slow", g.raw(t, head+"x", false), 408, schemas.TooSlow},
		{"truncated", g.raw(t, head+"x", true), 400, schemas.Malformed},
		{"oversized in chunks", g.raw(t, "POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"+strings.Repeat("x", 2000)+"\r\n0\r\n\r\n", false), 413, schemas.TooLarge},
		{"a header without end", g.raw(t, "GET /read/x HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: "+strings.Repeat("x", 2<<20), true), 431, ""},
	} {
		if c.got.status != c.status || c.got.Code != c.code {
			t.Errorf("%s: %d %+v", c.name, c.got.status, c.got.Error)
		}
	}
	if len(handled) != 1 {
		t.Errorf("%d requests reached the handler, want the whole one", len(handled))
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	g := guard(t, someRules, ok, func(c *access.Config) { c.Limits.Rate, c.Limits.Burst = 1, 3 })
	_, one := create(t, g.store, access.Wish{Role: schemas.RoleAnalyst})
	_, other := create(t, g.store, access.Wish{Role: schemas.RoleAnalyst})
	for i, want := range []int{204, 204, 204, 429, 429} {
		got := g.do(t, "GET", "/read/x", "", "Authorization: Bearer "+one)
		if got.status != want || want == 429 && (got.header.Get("Retry-After") != "1" || got.Code != schemas.TooMany) {
			t.Errorf("request %d: %d %v %+v", i+1, got.status, got.header, got.Error)
		}
	}
	if got := g.do(t, "GET", "/read/x", "", "Authorization: Bearer "+other); got.status != 204 {
		t.Errorf("another token: %d", got.status)
	}
	g.clock.move(time.Second)
	if got := g.do(t, "GET", "/read/x", "", "Authorization: Bearer "+one); got.status != 204 {
		t.Errorf("a second later: %d", got.status)
	}
	// Bad tokens are bounded by the network they come from, good ones are not.
	statuses := map[int]int{}
	for range 40 {
		statuses[g.do(t, "GET", "/read/x", "", "Authorization: Bearer mp_bad").status]++
	}
	if statuses[401] != 30 || statuses[429] != 10 {
		t.Errorf("bad tokens: %v", statuses)
	}
	if got := g.do(t, "GET", "/read/x", "", "Authorization: Bearer "+other); got.status != 204 {
		t.Errorf("a good token after bad ones: %d", got.status)
	}
}

func TestUploadsAtOnce(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	g := guard(t, someRules, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("stay") {
			entered <- struct{}{}
			<-leave
		}
		ok(w, r)
	}, func(c *access.Config) { c.Limits.Uploads, c.Limits.TokenUploads = 2, 1 })
	var tokens []string
	for range 3 {
		_, text := create(t, g.store, access.Wish{Role: schemas.RoleOffice, Districts: []string{"shanyang"}})
		tokens = append(tokens, "Authorization: Bearer "+text)
	}
	done := make(chan int)
	stay := func(token string) {
		go func() { done <- g.do(t, "POST", "/events?stay", "", token).status }()
		<-entered
	}
	stay(tokens[0])
	if got := g.do(t, "POST", "/events", "", tokens[0]); got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("the same token: %d", got.status)
	}
	stay(tokens[1])
	if got := g.do(t, "POST", "/events", "", tokens[2]); got.status != 429 {
		t.Errorf("beyond all: %d", got.status)
	}
	close(leave)
	for range 2 {
		if status := <-done; status != 204 {
			t.Errorf("the one that stayed: %d", status)
		}
	}
	if got := g.do(t, "POST", "/events", "", tokens[2]); got.status != 204 {
		t.Errorf("afterwards: %d", got.status)
	}
}
