package deploy

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestFilesOfKilledEnginesAreSwept leaves files of engines that live and of
// engines that are gone.
func TestFilesOfKilledEnginesAreSwept(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "run")
	if err := sweepShared(folder); err != nil {
		t.Errorf("before the first start: %v", err)
	}
	alive, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	_, port, err := net.SplitHostPort(alive.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// Nothing of this machine listens on port 1.
	names := map[string]bool{"clickhouse-" + port: true, "nats-" + port: true, "clickhouse-1": false, "nats-1": false, "other-1": true}
	for name := range names {
		if _, err := share(filepath.Join(folder, name), []byte("secret")); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweepShared(folder); err != nil {
		t.Fatal(err)
	}
	for name, stays := range names {
		info, err := os.Stat(filepath.Join(folder, name))
		if (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", name, info.Mode())
		}
	}
}
