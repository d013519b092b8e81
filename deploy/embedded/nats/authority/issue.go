package authority

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// Grant is what a client may do. Without any subject it may do everything on its account.
type Grant struct {
	// Name tells people whose credentials they are.
	Name string
	// Publish are the subjects that it may publish on, but for those of Never.
	Publish, Never []string
	// Inbox is the prefix of the only subjects that it may subscribe to, such as _INBOX.shanyang; its answers come there.
	Inbox string
	// MaxPayload and MaxSubscriptions bound a client, 0 for no bound of its own.
	MaxPayload, MaxSubscriptions int64
}

// Credentials are a client's, as it presents them.
type Credentials struct {
	// ID is the client's public key; it names the credentials when they are revoked.
	ID string
	// File is the text of a .creds file, token and secret seed, as every NATS client reads it.
	File []byte
}

// Signer makes credentials with the key of an account, or with a signing key of one.
type Signer struct {
	key    nkeys.KeyPair
	issuer string // the account, when the key is one of its signing keys
}

// NewSigner takes the seed of an account's key (SA…). When it is that of a signing key, account names the account (A…).
func NewSigner(seed []byte, account string) (*Signer, error) {
	key, err := nkeys.FromSeed([]byte(strings.TrimSpace(string(seed))))
	if err != nil {
		return nil, fmt.Errorf("the text is no seed of a key: %w", err)
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	if !nkeys.IsValidPublicAccountKey(public) {
		return nil, errors.New("the seed is not that of an account; it begins with SA")
	}
	if account != "" && !nkeys.IsValidPublicAccountKey(account) {
		return nil, errors.New("the account is not the public key of an account; it begins with A")
	}
	if account == public {
		account = ""
	}
	return &Signer{key: key, issuer: account}, nil
}

// Sign makes credentials that end at the time, or never for the zero time.
func (s *Signer) Sign(g Grant, expires time.Time) (*Credentials, error) {
	user, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	defer user.Wipe()
	id, err := user.PublicKey()
	if err != nil {
		return nil, err
	}
	claims := jwt.NewUserClaims(id)
	claims.Name, claims.IssuerAccount = g.Name, s.issuer
	if !expires.IsZero() {
		claims.Expires = expires.Unix()
	}
	if len(g.Publish) > 0 {
		claims.Pub.Allow.Add(g.Publish...)
		claims.Pub.Deny.Add(g.Never...)
		claims.Sub.Allow.Add(g.Inbox + ".>")
		claims.AllowedConnectionTypes.Add(jwt.ConnectionTypeStandard, jwt.ConnectionTypeWebsocket)
	}
	if g.MaxPayload > 0 {
		claims.Limits.Payload = g.MaxPayload
	}
	if g.MaxSubscriptions > 0 {
		claims.Limits.Subs = g.MaxSubscriptions
	}
	token, err := claims.Encode(s.key)
	if err != nil {
		return nil, err
	}
	seed, err := user.Seed()
	if err != nil {
		return nil, err
	}
	file, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		return nil, err
	}
	return &Credentials{ID: id, File: file}, nil
}

// Issued is the record of credentials that were made; it holds no secret.
type Issued struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Made    time.Time  `json:"made"`
	Expires *time.Time `json:"expires"`
	Revoked *time.Time `json:"revoked"`
}

// Issue makes credentials and records them.
func (a *Authority) Issue(g Grant, expires time.Time) (*Credentials, error) {
	credentials, err := a.signer.Sign(g, expires)
	if err != nil {
		return nil, err
	}
	record := Issued{ID: credentials.ID, Name: g.Name, Made: a.now().Truncate(time.Second)}
	if !expires.IsZero() {
		record.Expires = &expires
	}
	line, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	return credentials, a.alone(func() error { return appendLine(filepath.Join(a.dir, issuedFile), line) })
}

func appendLine(path string, line []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}

// Issued lists the credentials that were made, oldest first, with those that are revoked.
func (a *Authority) Issued() ([]Issued, error) {
	file, err := os.Open(filepath.Join(a.dir, issuedFile))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	claims, err := a.clientsClaims()
	if err != nil {
		return nil, err
	}
	var all []Issued
	for lines := json.NewDecoder(file); ; {
		var one Issued
		if err := lines.Decode(&one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		if at, revoked := claims.Revocations[one.ID]; revoked {
			when := time.Unix(at, 0)
			one.Revoked = &when
		}
		all = append(all, one)
	}
}

func (a *Authority) clientsClaims() (*jwt.AccountClaims, error) {
	token, err := a.Clients()
	if err != nil {
		return nil, err
	}
	return jwt.DecodeAccountClaims(token)
}

// ErrUnknown is Revoke's answer to an id that was never issued here.
var ErrUnknown = errors.New("no such credentials")

// Revoke ends credentials by their id. A running server learns of it by itself and cuts their connections.
func (a *Authority) Revoke(id string) error {
	issued, err := a.Issued()
	if err != nil {
		return err
	}
	known := false
	for _, one := range issued {
		known = known || one.ID == id
	}
	if !known {
		return ErrUnknown
	}
	return a.alone(func() error {
		claims, err := a.clientsClaims()
		if err != nil {
			return err
		}
		// The second in which they were made counts as revoked, too.
		claims.RevokeAt(id, a.now().Add(time.Second))
		seed, err := os.ReadFile(filepath.Join(a.dir, operatorSeed))
		if err != nil {
			return err
		}
		operator, err := nkeys.FromSeed(seed)
		if err != nil {
			return err
		}
		token, err := claims.Encode(operator)
		if err != nil {
			return err
		}
		return replaceFile(filepath.Join(a.dir, clientsFile), []byte(token))
	})
}

func replaceFile(path string, text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
