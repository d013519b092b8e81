package consumers

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// proxy stands between the consumer and ClickHouse, and fails on demand.
type proxy struct {
	dsn    string
	refuse atomic.Bool  // every request
	silent atomic.Bool  // every request gets no answer
	every  atomic.Int64 // each n-th request; 0: none
	count  atomic.Int64
}

func startProxy(t *testing.T, dsn string) *proxy {
	t.Helper()
	target, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	forward := &httputil.ReverseProxy{Rewrite: func(request *httputil.ProxyRequest) {
		request.Out.URL.Scheme, request.Out.URL.Host = target.Scheme, target.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		n, every := p.count.Add(1), p.every.Load()
		if p.refuse.Load() || every > 0 && n%every == 0 {
			panic(http.ErrAbortHandler) // the connection breaks
		}
		if p.silent.Load() {
			stay(request)
			return
		}
		forward.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	entrance := *target
	entrance.Host = server.Listener.Addr().String()
	p.dsn = entrance.String()
	return p
}
