package access_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"milepost/deploy/access"
	"milepost/schemas"
)

// writeCertificate makes a certificate of 127.0.0.1 with the serial number.
func writeCertificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificatesAreReadAgain(t *testing.T) {
	t.Parallel()
	c := newClock()
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	if _, err := access.TLSConfig(cert, key, c.now, quiet()); schemas.CodeOf(err) != schemas.Invalid {
		t.Fatalf("without files: %v", err)
	}
	writeCertificate(t, cert, key, 1)
	config, err := access.TLSConfig(cert, key, c.now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		t.Helper()
		c.move(time.Minute)
		pair, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return parsed.SerialNumber.Int64()
	}
	touch := func(files ...string) {
		t.Helper()
		c.move(time.Minute)
		for _, file := range files { // file times of one machine may be coarse
			if err := os.Chtimes(file, c.now(), c.now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d", got)
	}
	writeCertificate(t, cert, key, 2)
	touch(cert, key)
	if got := serial(); got != 2 {
		t.Errorf("renewed: serial %d", got)
	}
	if err := os.WriteFile(cert, []byte("half of a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(cert)
	if got := serial(); got != 2 {
		t.Errorf("damaged: serial %d", got)
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Errorf("gone: serial %d", got)
	}
	writeCertificate(t, cert, key, 3)
	touch(cert, key)
	if got := serial(); got != 3 {
		t.Errorf("mended: serial %d", got)
	}
}
