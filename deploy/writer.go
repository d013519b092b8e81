package deploy

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
)

// The embedded ClickHouse lets only its writer write, and everybody else read.
// Other roles of the same user on the same machine find the writer's address in
// a file that only this user can read, so that "--clickhouse
// http://127.0.0.1:8123" is all they need.

// shareWriter leaves the writer's DSN for other processes of this user.
func shareWriter(address, dsn string) (forget func(context.Context) error, err error) {
	path, err := sharedFile("clickhouse", address)
	if err != nil {
		return nil, err
	}
	return share(path, []byte(dsn))
}

// withSharedWriter gives the DSN with the writer's name and password, when it
// names none and is that of an embedded engine of this user.
func withSharedWriter(dsn string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", usageError("--clickhouse", "an address that does not parse", "not a server address", "write http://host:port")
	}
	host, _, err := net.SplitHostPort(u.Host)
	if err != nil || u.User != nil || u.Scheme != "http" {
		return dsn, nil
	}
	if !isLoopback(host) {
		return dsn, nil
	}
	path, err := sharedFile("clickhouse", u.Host)
	if err != nil {
		return "", err
	}
	shared, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return dsn, nil
	}
	if err != nil {
		return "", err
	}
	writer, err := url.Parse(string(shared))
	if err != nil {
		return "", err
	}
	u.User = writer.User
	if strings.Trim(u.Path, "/") == "" {
		u.Path = writer.Path
	}
	return u.String(), nil
}
