package pages

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPagesAreCompressed but for those with a secret, and for browsers that take
// none.
func TestPagesAreCompressed(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("里程桩", 1000)
	for _, c := range []struct {
		accepts string
		text    string
		secret  bool
		zipped  bool
	}{
		{"gzip, br", text, false, true}, {"br;q=1.0, GZIP;q=0.5", text, false, true}, {"gzip;q=0", text, false, false}, {"br", text, false, false}, {"", text, false, false},
		{"gzip", text, true, false}, {"gzip", "short", false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", c.accepts)
		w := httptest.NewRecorder()
		send(&pageWriter{w, r}, http.StatusTeapot, []byte(c.text), c.secret)
		body := io.Reader(w.Body)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != c.zipped || w.Code != http.StatusTeapot || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%+v: %v %d %s", c.accepts, got, w.Code, w.Header())
		} else if got {
			if w.Body.Len() > len(text)/10 {
				t.Errorf("%d bytes of %d", w.Body.Len(), len(text))
			}
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != c.text {
			t.Errorf("%q: %d bytes, %v", c.accepts, len(got), err)
		}
	}
	if (&adminContent{}).HasSecret() || !(&adminContent{Secret: "mp_a"}).HasSecret() {
		t.Error("a token's page")
	}
}
