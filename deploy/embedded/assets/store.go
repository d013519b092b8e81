package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	libraryVariable = "MILEPOST_CLICKHOUSE_LIBRARY"
	cacheVariable   = "MILEPOST_CACHE"
)

// Store is where assets are looked for and kept. The zero value is the usual one; its fields are for tests and for
// hosts that want other places.
type Store struct {
	// Getenv reads the environment, by default os.Getenv.
	Getenv func(string) string
	// Beside is the folder beside the binary, by default "lib" next to the executable.
	Beside string
	// NPM is the npm client, by default "npm" from PATH.
	NPM string
	// Progress is told what a fetch does, a line at a time, by default nobody.
	Progress io.Writer

	freeBytes func(dir string) (uint64, error)
}

// Library finds the ClickHouse engine's library, or fetches it, and gives its path. The order is: the environment
// variable MILEPOST_CLICKHOUSE_LIBRARY, lib/libchdb.so beside the binary, the cache (MILEPOST_CACHE, by default
// milepost/assets in the user's cache folder), the npm registry. Files of the first two places are taken as they are:
// who put them there chose them.
func (s Store) Library(ctx context.Context) (string, error) {
	asset, err := ClickHouse()
	if err != nil {
		return "", err
	}
	return s.library(ctx, asset)
}

func (s Store) library(ctx context.Context, asset Asset) (string, error) {
	s = s.withDefaults()
	name := path.Base(asset.Files[0].Member)
	if chosen := s.Getenv(libraryVariable); chosen != "" {
		if info, err := os.Stat(chosen); err != nil || !info.Mode().IsRegular() {
			return "", fmt.Errorf("%s names %q, which is no file; hint: give the path of %s, or unset the variable", libraryVariable, chosen, name)
		}
		return chosen, nil
	}
	if beside := filepath.Join(s.Beside, name); s.Beside != "" {
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	dir, err := s.Dir(ctx, asset)
	if err != nil {
		return "", fmt.Errorf("the ClickHouse engine's library: %w; or set %s to the path of a %s, or use a real server by --clickhouse", err, libraryVariable, name)
	}
	return filepath.Join(dir, name), nil
}

func (s Store) withDefaults() Store {
	if s.Getenv == nil {
		s.Getenv = os.Getenv
	}
	if s.Beside == "" {
		if executable, err := os.Executable(); err == nil {
			s.Beside = filepath.Join(filepath.Dir(executable), "lib")
		}
	}
	if s.NPM == "" {
		s.NPM = "npm"
	}
	if s.Progress == nil {
		s.Progress = io.Discard
	}
	if s.freeBytes == nil {
		s.freeBytes = freeBytes
	}
	return s
}

// Dir gives the cache's folder with the asset's files, and fetches them when they are not there. Several processes may
// ask at once: one fetches, the others wait for it.
func (s Store) Dir(ctx context.Context, asset Asset) (string, error) {
	s = s.withDefaults()
	cache, err := s.cache()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, asset.Name+"-"+asset.Version)
	if complete(dir, asset) {
		return dir, nil
	}
	if !asset.fitsHere() {
		return "", fmt.Errorf("%s is made for %s-%s only; hint: bring one for this machine", asset.Package, asset.OS, asset.Arch)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("cannot make the cache: %w; hint: set %s to a folder that can be written", err, cacheVariable)
	}
	unlock, err := s.lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if complete(dir, asset) { // another process was faster
		return dir, nil
	}
	return dir, s.fetch(ctx, cache, dir, asset)
}

func (s Store) cache() (string, error) {
	if dir := s.Getenv(cacheVariable); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("this user has no cache folder: %w; hint: set %s", err, cacheVariable)
	}
	return filepath.Join(dir, "milepost", "assets"), nil
}

// markerName is a file that is written into an asset's folder after its files were checked, and says their hashes.
const markerName = "checked"

func marker(asset Asset) string {
	var b strings.Builder
	for _, f := range asset.Files {
		fmt.Fprintf(&b, "%s  %s\n", f.SHA256, path.Base(f.Member))
	}
	return b.String()
}

// complete reports whether the folder has the asset's files. It compares sizes and the marker instead of hashing: the
// files were hashed before they were put there, the folder appeared at once with all of them, and hashing half a
// gigabyte at every start would take longer than everything else a start does.
func complete(dir string, asset Asset) bool {
	said, err := os.ReadFile(filepath.Join(dir, markerName))
	if err != nil || string(said) != marker(asset) {
		return false
	}
	for _, f := range asset.Files {
		info, err := os.Stat(filepath.Join(dir, path.Base(f.Member)))
		if err != nil || info.Size() != f.Bytes {
			return false
		}
	}
	return true
}

// lockInterval is how often a lock that another process holds is tried again.
const lockInterval = 200 * time.Millisecond

// lock takes the lock file, waiting while another process holds it. The file stays: removing it would let two
// processes hold locks on two files of one name.
func (s Store) lock(ctx context.Context, name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open the cache's lock: %w; hint: set %s to a folder that can be written", err, cacheVariable)
	}
	again := time.NewTicker(lockInterval)
	defer again.Stop()
	for told := false; ; told = true {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // closing gives the lock back, whatever it says
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", name, err), file.Close())
		}
		if !told {
			s.say("waiting for another process that fetches the same")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("gave up waiting for another process that fetches the same: %w", context.Cause(ctx)), file.Close())
		case <-again.C:
		}
	}
}

func (s Store) say(format string, v ...any) {
	_, _ = fmt.Fprintf(s.Progress, format+"\n", v...) // progress that nobody can read is not worth failing for
}

func freeBytes(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}

// Present gives the path of the ClickHouse engine's library when it is there, and "" when a start would have to fetch it.
func (s Store) Present() (string, error) {
	asset, err := ClickHouse()
	if err != nil {
		return "", err
	}
	s = s.withDefaults()
	name := path.Base(asset.Files[0].Member)
	if s.Getenv(libraryVariable) != "" {
		return s.library(context.Background(), asset) // which fetches nothing then
	}
	if beside := filepath.Join(s.Beside, name); s.Beside != "" {
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	cache, err := s.cache()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, asset.Name+"-"+asset.Version)
	if !complete(dir, asset) {
		return "", nil
	}
	return filepath.Join(dir, name), nil
}
