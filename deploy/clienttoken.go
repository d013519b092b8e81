package deploy

import (
	"net/http"
	"net/url"
	"os"
	"strings"

	"milepost/deploy/access"
)

// httpClient gives the HTTP client of a command. The token goes to the server
// that was named and to no other, wherever that sends the client.
func httpClient(server, token string) *http.Client {
	token = strings.TrimSpace(token)
	u, err := url.Parse(server)
	if token == "" || err != nil {
		return http.DefaultClient
	}
	return &http.Client{Transport: bearer{token: token, scheme: u.Scheme, host: u.Host}}
}

type bearer struct{ token, scheme, host string }

// RoundTrip adds the token.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == b.scheme && r.URL.Host == b.host {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// operatorToken gives the token that a server of this user on this machine
// shares with its operator, "" when there is none.
func operatorToken(server string) string {
	u, err := url.Parse(server)
	if err != nil || !access.Loopback(u.Host) {
		return ""
	}
	path, err := sharedFile(operatorFile, u.Host)
	if err != nil {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "" // the server will say what it wants instead
	}
	return string(text)
}
