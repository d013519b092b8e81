package deploy_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnalystsNeedThePassword serves ClickHouse with a password, and asks as an
// analyst does.
func TestAnalystsNeedThePassword(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("geheim 密码\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve(t, "--clickhouse-password-file", file)
	server.publish(smallEvents(t, 40))
	const sql = "SELECT count() FROM events FINAL"
	if out := server.mustRun(nil, "query", sql, "--format", "tsv"); !strings.Contains(out, "40") {
		t.Errorf("the command: %s", out)
	}
	for _, given := range []struct {
		user, password string
		status         int
	}{{"analyst", "geheim 密码", http.StatusOK}, {"analyst", "geheim", http.StatusForbidden}, {"", "", http.StatusUnauthorized}} {
		request, err := http.NewRequest(http.MethodPost, server.CH, strings.NewReader(sql))
		if err != nil {
			t.Fatal(err)
		}
		if given.user != "" {
			request.SetBasicAuth(given.user, given.password)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != given.status || (given.status == http.StatusOK) != (string(text) == "40\n") {
			t.Errorf("%s %q: %s %s %v", given.user, given.password, response.Status, text, err)
		}
	}
	if log := server.log.String(); strings.Contains(log, "geheim") {
		t.Errorf("the log tells the password: %s", log)
	}
}

// TestUnsafeEnginesAreRefused holds what a server says instead of opening
// everything to other machines.
func TestUnsafeEnginesAreRefused(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"clickhouse_listen":               {"--clickhouse-listen", "0.0.0.0:0"},
		"other machines could read":       {"--clickhouse-listen", ":0"},
		"the file of the password is emp": {"--clickhouse-password-file", empty},
		"cannot read the file of the pas": {"--clickhouse-password-file", empty + "-none"},
		"credentials for no server":       {"--nats-creds", empty},
	} {
		r := runCommand(t, nil, append([]string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, args...)...)
		if r.code != 1 || !strings.Contains(r.err, want) {
			t.Errorf("%v: exit %d, %s", args, r.code, r.err)
		}
	}
}
