package access

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"milepost/schemas"
)

// certificates serves a certificate from files and reads them again when they
// change, so that a renewed one needs no restart.
type certificates struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   [2]fileStamp
	looked  time.Time
}

type fileStamp struct {
	modified time.Time
	size     int64
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

// TLSConfig gives the configuration of a server with the certificate in the
// files; both must read now. A renewed pair that does not read leaves the one
// before in use.
func TLSConfig(cert, key string, now func() time.Time, log *slog.Logger) (*tls.Config, error) {
	c := &certificates{cert: cert, key: key, now: now, log: log}
	if err := c.load(); err != nil {
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "tls_cert", Value: cert, Message: "certificate and key do not read", Hint: "give a PEM certificate with its chain by --tls-cert and its key by --tls-key", Err: err}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}, nil
}

func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		if stamp, err := c.stamps(); err != nil || stamp != c.stamp {
			if err == nil {
				err = c.load()
			}
			if err != nil {
				c.log.Error("the renewed certificate does not read; the one before stays in use", "error", err)
			}
		}
	}
	return c.current, nil
}

func (c *certificates) load() error {
	stamp, err := c.stamps()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.current, c.stamp = &pair, stamp
	return nil
}

func (c *certificates) stamps() (stamp [2]fileStamp, err error) {
	for i, file := range []string{c.cert, c.key} {
		info, err := os.Stat(file)
		if err != nil {
			return stamp, err
		}
		stamp[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return stamp, nil
}
