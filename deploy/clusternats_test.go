package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestNATSOfACluster reads the configurations as a NATS server does.
func TestNATSOfACluster(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"compose/nats/nats.conf", "kubernetes/nats.conf"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			wantNATS(t, path)
		})
	}
}

func wantNATS(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := selfSigned(t)
	filled := regexp.MustCompile(`(cert_file|key_file|ca_file): \S+`).ReplaceAllStringFunc(string(text), func(line string) string {
		if strings.HasPrefix(line, "key_file") {
			return "key_file: " + key
		}
		return strings.SplitN(line, ":", 2)[0] + ": " + cert
	})
	filled = regexp.MustCompile(`\$[A-Z_]+`).ReplaceAllString(filled, "geheim")
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(filled), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if !o.JetStream || !o.SyncAlways || o.TLSConfig == nil || o.Cluster.TLSConfig == nil || len(o.Routes) != 3 || len(o.Accounts) != 2 || o.SystemAccount != "SYS" || o.Port != 4222 || o.HTTPPort != 8222 {
		t.Errorf("%s: JetStream %v, sync %v, %d routes, %d accounts, ports %d and %d", path, o.JetStream, o.SyncAlways, len(o.Routes), len(o.Accounts), o.Port, o.HTTPPort)
	}
}
