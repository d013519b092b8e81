package assets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// library is what stands for the engine's library in these tests.
var library = bytes.Repeat([]byte("library "), 10_000)

// pack makes a package of the given members and an asset that fits it.
func pack(t *testing.T, members map[string][]byte) ([]byte, Asset) {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	for name, data := range members {
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(data)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	whole, file := sha512.Sum512(b.Bytes()), sha256.Sum256(library)
	return b.Bytes(), Asset{
		Name: "engine", Package: "@made/up", Version: "1.2.3", DownloadBytes: int64(b.Len()),
		Integrity: "sha512-" + base64.StdEncoding.EncodeToString(whole[:]),
		Files:     []File{{Member: "package/libchdb.so", SHA256: hex.EncodeToString(file[:]), Bytes: int64(len(library))}},
	}
}

// fixture is a store with a cache of its own and an npm that copies a package made here.
type fixture struct {
	Store
	asset    Asset
	cache    string
	npm      string
	progress *bytes.Buffer
	calls    string // a file with one line a call of npm
}

func newFixture(t *testing.T, members map[string][]byte) *fixture {
	t.Helper()
	tarball, asset := pack(t, members)
	dir := t.TempDir()
	f := &fixture{asset: asset, cache: filepath.Join(dir, "cache"), npm: filepath.Join(dir, "npm"), progress: &bytes.Buffer{}, calls: filepath.Join(dir, "calls")}
	if err := os.WriteFile(filepath.Join(dir, "package.tgz"), tarball, 0o600); err != nil {
		t.Fatal(err)
	}
	f.script(t, `test "$1 $2" = "pack @made/up@1.2.3" || exit 9
cp "`+dir+`/package.tgz" "$4/made-up-1.2.3.tgz"`)
	f.Store = Store{
		Getenv:   func(name string) string { return map[string]string{cacheVariable: f.cache}[name] },
		Beside:   filepath.Join(dir, "lib"),
		NPM:      f.npm,
		Progress: f.progress,
	}
	return f
}

// script makes npm run this.
func (f *fixture) script(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(f.npm, []byte("#!/bin/sh\necho call >> '"+f.calls+"'\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) called(t *testing.T) int {
	t.Helper()
	calls, err := os.ReadFile(f.calls)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(calls), "call")
}

func good() map[string][]byte {
	return map[string][]byte{"package/package.json": []byte("{}"), "package/libchdb.so": library, "package/../../evil": []byte("x")}
}

func TestFetchAndWarmCache(t *testing.T) {
	t.Parallel()
	f := newFixture(t, good())
	path, err := f.library(t.Context(), f.asset)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, library) {
		t.Errorf("the library: %d bytes, %v", len(data), err)
	}
	for _, said := range []string{"fetching @made/up 1.2.3", "extracting libchdb.so"} {
		if !strings.Contains(f.progress.String(), said) {
			t.Errorf("progress %q lacks %q", f.progress, said)
		}
	}
	entries, err := os.ReadDir(f.cache)
	if err != nil || len(entries) != 2 { // the asset and its lock
		t.Errorf("the cache has %v %v", entries, err)
	}
	f.NPM = "/nowhere/npm" // a warm cache needs none
	if again, err := f.library(t.Context(), f.asset); err != nil || again != path {
		t.Errorf("%s %v", again, err)
	}
	if n := f.called(t); n != 1 {
		t.Errorf("npm was called %d times", n)
	}
}

func TestBrokenCopyIsReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t, good())
	path, err := f.library(t.Context(), f.asset)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := f.library(t.Context(), f.asset); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != int64(len(library)) || f.called(t) != 2 {
		t.Errorf("%v %v, %d calls", info, err, f.called(t))
	}
}

func TestManyAtOnceFetchOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, good())
	f.Progress = nil
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := f.library(t.Context(), f.asset); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := f.called(t); n != 1 {
		t.Errorf("npm was called %d times", n)
	}
}

func TestOrderOfPlaces(t *testing.T) {
	t.Parallel()
	f := newFixture(t, good())
	own := filepath.Join(t.TempDir(), "own.so")
	beside := filepath.Join(f.Beside, "libchdb.so")
	if err := os.MkdirAll(f.Beside, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{own, beside} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if path, err := f.library(t.Context(), f.asset); err != nil || path != beside {
		t.Errorf("beside: %s %v", path, err)
	}
	cache := f.cache
	chosen := own
	f.Getenv = func(name string) string {
		return map[string]string{cacheVariable: cache, libraryVariable: chosen}[name]
	}
	if path, err := f.library(t.Context(), f.asset); err != nil || path != own {
		t.Errorf("variable: %s %v", path, err)
	}
	for _, chosen = range []string{"/nowhere.so", t.TempDir()} {
		if path, err := f.library(t.Context(), f.asset); err == nil || !strings.Contains(err.Error(), libraryVariable) {
			t.Errorf("wrong variable: %s %v", path, err)
		}
	}
	if n := f.called(t); n != 0 {
		t.Errorf("npm was called %d times", n)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		change func(t *testing.T, f *fixture)
		ctx    context.Context
		says   []string
	}{
		"no npm":     {change: func(_ *testing.T, f *fixture) { f.NPM = "/nowhere/npm" }, says: []string{"not installed", "install Node.js", libraryVariable, "--clickhouse"}},
		"no network": {change: func(t *testing.T, f *fixture) { f.script(t, "echo 'npm error code EAI_AGAIN' >&2; exit 1") }, says: []string{"EAI_AGAIN", "check the network"}},
		"no version": {change: func(t *testing.T, f *fixture) { f.script(t, "echo 'npm error code ETARGET' >&2; exit 1") }, says: []string{"does not have this version"}},
		"full disk":  {change: func(t *testing.T, f *fixture) { f.script(t, "echo 'npm error ENOSPC' >&2; exit 1") }, says: []string{"make room"}},
		"other":      {change: func(t *testing.T, f *fixture) { f.script(t, "exit 7") }, says: []string{"exit status 7", "by hand"}},
		"nothing":    {change: func(t *testing.T, f *fixture) { f.script(t, "exit 0") }, says: []string{"0 packages"}},
		"no space": {change: func(_ *testing.T, f *fixture) {
			f.freeBytes = func(string) (uint64, error) { return 10 << 20, nil }
		}, says: []string{"10 MB free", "make room", cacheVariable}},
		"integrity": {change: func(_ *testing.T, f *fixture) { f.asset.Integrity = "sha512-AAAA" }, says: []string{"another hash", "thrown away"}},
		"file hash": {change: func(_ *testing.T, f *fixture) { f.asset.Files[0].SHA256 = "00" }, says: []string{"another hash", "thrown away"}},
		"file size": {change: func(_ *testing.T, f *fixture) { f.asset.Files[0].Bytes++ }, says: []string{"bytes instead of"}},
		"no member": {change: func(_ *testing.T, f *fixture) { f.asset.Files[0].Member = "package/other.so" }, says: []string{"has no package/other.so"}},
		"platform":  {change: func(_ *testing.T, f *fixture) { f.asset.OS, f.asset.Arch = "plan9", "mips" }, says: []string{"plan9-mips only", libraryVariable, "--clickhouse"}},
		"given up":  {change: func(*testing.T, *fixture) {}, ctx: ended, says: []string{"canceled"}},
		"no cache":  {change: func(_ *testing.T, f *fixture) { f.cache = f.npm }, says: []string{"cannot make the cache", cacheVariable}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, good())
			tc.change(t, f)
			ctx := tc.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			_, err := f.library(ctx, f.asset)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range tc.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(f.cache, "*engine*", "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if left, _ := filepath.Glob(filepath.Join(f.cache, ".fetch-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	all, err := Manifest()
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, asset := range all {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(asset.Integrity, "sha512-"))
		if err != nil || len(raw) != sha512.Size || asset.Version == "" || asset.Package == "" || len(asset.Files) == 0 || asset.DownloadBytes <= 0 || seen[asset.Name] {
			t.Errorf("%s: %+v %v", asset.Name, asset, err)
		}
		seen[asset.Name] = true
		for _, f := range asset.Files {
			if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size || f.Bytes <= 0 {
				t.Errorf("%s %s: %v", asset.Name, f.Member, err)
			}
		}
	}
	if asset, err := ClickHouse(); err != nil || fmt.Sprint(asset.OS, asset.Arch) != "linuxamd64" {
		t.Errorf("%+v %v", asset, err)
	}
}
