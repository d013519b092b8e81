package deploy_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestProbes takes the engines away from a process: it is no longer ready, and a restart would not help.
func TestProbes(t *testing.T) {
	t.Parallel()
	engines := serve(t, "--target", "engines")
	roles := serve(t, "--nats", engines.NATS, "--clickhouse", engines.CH, "--target", "producers,consumers,web")
	for _, probe := range []string{"/healthz", "/readyz"} {
		if status, body := roles.get(roles.HTTP + probe); status != http.StatusNoContent {
			t.Errorf("%s: %d %s", probe, status, body)
		}
	}
	engines.kill()
	status, body := roles.get(roles.HTTP + "/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, `"hint"`) {
		t.Errorf("ready without engines: %d %s", status, body)
	}
	if status, body := roles.get(roles.HTTP + "/healthz"); status != http.StatusNoContent {
		t.Errorf("alive without engines: %d %s", status, body)
	}
}
