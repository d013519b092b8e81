package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"milepost/deploy"
)

// TestMain lets the test binary be the milepost command: a copy of it stands for the one that is built.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"milepost": func() { os.Exit(deploy.Main(os.Args[1:])) }})
}

// atRoot runs the test where the sources begin.
func atRoot(t *testing.T) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
}

// staged makes the tree with this test's own binary in it.
func staged(t *testing.T) string {
	t.Helper()
	modules, err := dependencies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(t.TempDir(), "milepost-x")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := place(self, filepath.Join(tree, "milepost")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(tree, "milepost"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := stage(t.Context(), tree, modules); err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestWhatIsHandedOutRunsByItself runs the demonstration from the tree for a user who has nothing: no Go, no npm, no
// cache, no PATH.
func TestWhatIsHandedOutRunsByItself(t *testing.T) {
	atRoot(t)
	tree := staged(t)
	home := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(tree, "milepost"), args...)
		cmd.Dir, cmd.Env = home, []string{"HOME=" + home, "PATH=" + filepath.Join(home, "nothing")}
		return cmd
	}
	if out, err := command("config", "check", filepath.Join(tree, "milepost.yaml")).CombinedOutput(); err != nil {
		t.Errorf("the sample configuration: %v\n%s", err, out)
	}
	cmd := command("demo", "--listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	lines := bufio.NewScanner(out)
	for address == "" && lines.Scan() {
		for _, word := range strings.Fields(lines.Text()) {
			if found, is := strings.CutPrefix(word, "http="); is {
				address = found
			}
		}
	}
	if address == "" {
		_ = cmd.Process.Kill()
		t.Fatalf("the demonstration did not start: %v\n%s", cmd.Wait(), &errs)
	}
	response, err := http.Get(address + "/v1/ledger?as_of=2025-10-31&format=csv")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK || bytes.Count(ledger, []byte("\n")) < 50 {
		t.Errorf("the ledger of the demonstration: %s, %d bytes, %v", response.Status, len(ledger), err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demonstration ended with %v\n%s", err, &errs)
	}
	if fetched, err := filepath.Glob(filepath.Join(home, ".cache", "milepost", "assets", "*")); err != nil || len(fetched) > 0 {
		t.Errorf("it fetched %v, %v", fetched, err)
	}
}

// small is a tree without the engine.
func small(t *testing.T, mode os.FileMode) string {
	t.Helper()
	tree := filepath.Join(t.TempDir(), "tree")
	for name, text := range map[string]string{
		"milepost": "binary", "lib/libchdb.so": "engine", "systemd/milepost.service": "unit", "milepost.yaml": "# nothing\n",
		"README.md": "read", "INSTALL.md": "install", "openapi.yaml": "contract", "licences/modules.txt": "licences",
		"CHANGELOG.md": "news", "README.zh-CN.md": "读", "docs/operator.md": "read", "deploy/grafana/health.json": "{}",
	} {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// TestTheSameSourcesGiveTheSameBytes packs two trees that differ in what should not matter.
func TestTheSameSourcesGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	var tarballs, debs [][]byte
	for _, mode := range []os.FileMode{0o600, 0o644} {
		tree, out := small(t, mode), t.TempDir()
		path := filepath.Join(out, "m.tar.gz")
		if err := writeTarball(path, tree, "milepost-1", 6); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tarballs = append(tarballs, text)
		deb, err := writeDeb(t.Context(), out, tree)
		if err != nil {
			t.Fatal(err)
		}
		if text, err = os.ReadFile(deb); err != nil {
			t.Fatal(err)
		}
		debs = append(debs, text)
		if err := writeSums(filepath.Join(out, "SHA256SUMS"), []string{path, deb}); err != nil {
			t.Fatal(err)
		}
		check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
		check.Dir = out
		if said, err := check.CombinedOutput(); err != nil {
			t.Errorf("the hashes: %v\n%s", err, said)
		}
		listed, err := exec.Command("dpkg-deb", "--contents", deb).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"./usr/bin/milepost -> ../lib/milepost/milepost", "./usr/lib/milepost/lib/libchdb.so", "./usr/lib/systemd/system/milepost.service", "./etc/milepost/milepost.yaml", "-rwxr-xr-x root/root"} {
			if !strings.Contains(string(listed), want) {
				t.Errorf("the package lacks %s:\n%s", want, listed)
			}
		}
	}
	if !bytes.Equal(tarballs[0], tarballs[1]) {
		t.Error("two tarballs of the same files differ")
	}
	if !bytes.Equal(debs[0], debs[1]) {
		t.Error("two packages of the same files differ")
	}
	var names []string
	unpacked, err := gzip.NewReader(bytes.NewReader(tarballs[0]))
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(unpacked); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
		if wanted := int64(0o755); header.Name == "milepost-1/milepost" && header.Mode != wanted {
			t.Errorf("the binary has mode %o", header.Mode)
		}
	}
	if !slices.Contains(names, "milepost-1/lib/libchdb.so") || !slices.IsSorted(names) {
		t.Errorf("the tarball holds %v", names)
	}
}

func TestEveryDependencyHasAKnownLicence(t *testing.T) {
	atRoot(t)
	modules, err := dependencies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 30 {
		t.Errorf("only %d modules", len(modules))
	}
	dir := t.TempDir()
	if err := writeLicences(dir, modules); err != nil {
		t.Fatal(err)
	}
	listed, err := os.ReadFile(filepath.Join(dir, "modules.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if len(m.Files) == 0 || !strings.Contains(string(listed), m.Path) {
			t.Errorf("%s: texts %v", m.Path, m.Files)
		}
	}
	unknown := module{Path: "example.cn/own", Dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(unknown.Dir, "LICENSE"), []byte("All rights reserved."), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unknown.read(); err == nil {
		t.Error("a licence that nobody knows was accepted")
	}
}
