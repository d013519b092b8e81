package deploy

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"milepost/schemas"
)

// TestCommandsWaitForABusyServer asks a server that answers 429 so many times.
func TestCommandsWaitForABusyServer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		busy  int // answers before the good one
		after string
		body  io.Reader
		asked int
		good  bool
	}{
		"twice":                   {2, "0", strings.NewReader("{}"), 3, true},
		"without a body":          {1, "0", nil, 2, true},
		"for ever":                {1000, "0", strings.NewReader("{}"), maxBusyTries, false},
		"until tomorrow":          {1, "86400", strings.NewReader("{}"), 1, false},
		"what is read only once":  {1, "0", io.MultiReader(strings.NewReader("{}")), 1, false},
		"an hour beyond counting": {1, "4294967295", nil, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				text, err := io.ReadAll(r.Body)
				if want := map[bool]string{true: "{}"}[tc.body != nil]; err != nil || string(text) != want {
					t.Errorf("the %d. body: %q, %v", asked, text, err)
				}
				if asked <= tc.busy {
					w.Header().Set("Retry-After", tc.after)
					w.Header().Set("Content-Type", "application/problem+json")
					w.WriteHeader(http.StatusTooManyRequests)
					_, _ = io.WriteString(w, `{"code":"unavailable","message":"too much at once"}`)
					return
				}
				_, _ = io.WriteString(w, "good")
			}))
			defer server.Close()
			c, err := newClient(server.URL, server.Client())
			if err != nil {
				t.Fatal(err)
			}
			body, err := c.post(t.Context(), "/v1/x", nil, "application/json", tc.body)
			if err == nil {
				defer body.Close()
			}
			var told *schemas.Error
			if (err == nil) != tc.good || asked != tc.asked || err != nil && (!errors.As(err, &told) || told.Message != "too much at once") {
				t.Errorf("asked %d times, want %d; %v", asked, tc.asked, err)
			}
		})
	}
}
