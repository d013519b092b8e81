package clickhouse_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"milepost/deploy/embedded/enginetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// client is what curl does: requests as they are, answers as they are.
type client struct {
	t    testing.TB
	base *url.URL // with credentials, database as a parameter
}

func writer(t testing.TB, db enginetest.Database) client {
	return newClient(t, db.DSN, db.Database)
}

func reader(t testing.TB, db enginetest.Database) client {
	return newClient(t, db.ReaderDSN, db.Database)
}

func newClient(t testing.TB, dsn, database string) client {
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/"
	u.RawQuery = url.Values{"database": {database}}.Encode()
	return client{t, u}
}

type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// send posts a body with URL parameters given as name, value, name, value…
func (c client) send(body string, parameters ...string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, strings.NewReader(body), nil, parameters...)
}

func (c client) do(method string, body io.Reader, header http.Header, parameters ...string) answer {
	c.t.Helper()
	u := *c.base
	query := u.Query()
	for i := 0; i+1 < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(c.t.Context(), method, u.String(), body)
	if err != nil {
		c.t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}).Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // only read
	data, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(data), err}
}

// must sends a statement that has to succeed and gives its result.
func (c client) must(sql string, parameters ...string) string {
	c.t.Helper()
	a := c.send(sql, parameters...)
	if a.status != http.StatusOK || a.err != nil {
		c.t.Fatalf("%s\n\tstatus %d: %s %v", sql, a.status, a.body, a.err)
	}
	return a.body
}

// refuses sends a statement that has to fail with the ClickHouse error code.
func (c client) refuses(code, sql string, parameters ...string) answer {
	c.t.Helper()
	a := c.send(sql, parameters...)
	if got := a.header.Get("X-ClickHouse-Exception-Code"); a.status == http.StatusOK || got != code || !strings.HasPrefix(a.body, "Code: "+code+". DB::Exception: ") {
		c.t.Errorf("%s\n\tstatus %d, code %q, expected %s: %s", sql, a.status, got, code, a.body)
	}
	return a
}

func equal(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %q\nwant %q", what, cut(got), cut(want))
	}
}

func cut(s string) string {
	if len(s) > 500 {
		return s[:250] + " … " + s[len(s)-250:]
	}
	return s
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
