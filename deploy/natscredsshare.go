package deploy

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	natsclient "github.com/nats-io/nats.go"

	"milepost/deploy/embedded/nats/authority"
	"milepost/schemas"
)

// The embedded NATS lets in only whom it gave credentials. Other roles of the
// same user on the same machine find those of the roles in a file that only
// this user can read, as they find the writer of the embedded ClickHouse.

// natsKeys is the folder of the embedded NATS's keys.
func natsKeys(data string) string { return filepath.Join(data, "nats", "keys") }

// shareNATSRoles leaves the roles' credentials for other processes of this user.
func shareNATSRoles(address string, keys *authority.Authority) (forget func(context.Context) error, err error) {
	roles, err := keys.Roles()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	path, err := sharedFile("nats", u.Host)
	if err != nil {
		return nil, err
	}
	return share(path, roles)
}

// natsCredentials gives what a role presents to the servers: the file that was
// configured, else what an embedded server of this user shares, else nothing.
func natsCredentials(addresses, file string) (natsclient.Option, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, &schemas.Error{Code: schemas.Invalid, Field: "nats_creds", Value: file, Message: "cannot read the credentials of NATS", Hint: "check the path and who may read it", Err: err}
		}
		return natsclient.UserCredentialBytes(text), nil
	}
	for _, address := range strings.Split(addresses, ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil || u.User != nil || !isLoopback(u.Hostname()) {
			continue
		}
		path, err := sharedFile("nats", u.Host)
		if err != nil {
			continue // an address without a port has no embedded server behind it
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return natsclient.UserCredentialBytes(text), nil
	}
	return nil, nil
}

// isLoopback tells whether a host of an address is this machine itself.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
