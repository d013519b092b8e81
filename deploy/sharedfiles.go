package deploy

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Embedded engines leave what other roles of the same user need to come in, in
// files that only this user can read, named by engine and port. A killed engine
// cannot take its file away; the next start does.

// runFolder is where the files are.
func runFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", usageError("HOME", "", "the user has no cache folder", "set HOME or XDG_CACHE_HOME")
	}
	return filepath.Join(cache, "milepost", "run"), nil
}

// sharedFile is the file of an engine that listens on the address.
func sharedFile(engine, address string) (string, error) {
	folder, err := runFolder()
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, engine+"-"+port), nil
}

// share leaves the secret in the file until forget.
func share(path string, secret []byte) (forget func(context.Context) error, err error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	temporary, err := os.CreateTemp(folder, ".shared-*") // mode 0600
	if err != nil {
		return nil, err
	}
	_, err = temporary.Write(secret)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(temporary.Name()))
	}
	err = alone(folder, func() error { return os.Rename(temporary.Name(), path) })
	if err != nil {
		return nil, errors.Join(err, os.Remove(temporary.Name()))
	}
	return func(context.Context) error { return os.Remove(path) }, nil
}

// sweepShared removes the files of engines that are gone: nothing listens on
// their port any more. An engine shares after it listens and forgets before it
// stops listening; the lock keeps a new one's file from being swept.
func sweepShared(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return alone(folder, func() error {
		var failed []error
		for _, entry := range entries {
			engine, port, _ := strings.Cut(entry.Name(), "-")
			if engine != "clickhouse" && engine != "nats" && engine != operatorFile || listens(port) {
				continue
			}
			if err := os.Remove(filepath.Join(folder, entry.Name())); !errors.Is(err, fs.ErrNotExist) {
				failed = append(failed, err)
			}
		}
		return errors.Join(failed...)
	})
}

// listens tells whether something listens on the port of an address of this
// machine; when in doubt it says so.
func listens(port string) bool {
	hosts := []string{"127.0.0.1", "::1"}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && !network.IP.IsLoopback() && !network.IP.IsLinkLocalUnicast() {
			hosts = append(hosts, network.IP.String())
		}
	}
	for _, host := range hosts {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), time.Second)
		if err == nil {
			_ = conn.Close() // nothing was said
			return true
		}
		if !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.EAFNOSUPPORT) && !errors.Is(err, unix.ENETUNREACH) {
			return true
		}
	}
	return false
}

// alone runs what changes the folder while no other process does.
func alone(folder string, change func() error) (err error) {
	lock, err := os.OpenFile(filepath.Join(folder, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // closing gives the lock back
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	return change()
}
