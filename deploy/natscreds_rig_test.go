package deploy_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// rolesCredentials finds what the embedded NATS at the address lets the
// installation's own roles in with, as another process of the user does.
func rolesCredentials(t *testing.T, address string) nats.Option {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return nats.UserCredentials(filepath.Join(cache, "milepost", "run", "nats-"+u.Port()))
}

// stream connects to the server's NATS as a role does.
func (p *process) stream() jetstream.JetStream {
	p.t.Helper()
	conn, err := nats.Connect(p.NATS, rolesCredentials(p.t, p.NATS))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		p.t.Fatal(err)
	}
	return js
}
