// Package authority keeps the keys by which a NATS server knows its clients (decentralised JWT authentication): an
// operator that the server trusts, an account for the project's own roles, which holds the streams, an account for
// clients, and the system account that NATS itself asks for. Credentials are signed by an account's key, so that the server
// needs to know nothing of a client before it comes; it only has to learn who is revoked, which the account's token says.
//
// Clients have an account of their own because permissions bind where a client publishes, and not where it asks the answer
// to go: in one account with the streams, it could have an acknowledgement written over anything that is kept there. From
// the clients' account only the subjects of events lead into the other one, and answers lead back.
//
// The keys of an embedded server live in a folder that only its user can read. For a server of one's own, [Signer] makes
// the same credentials from a signing key that its administrator hands out.
package authority

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
	"golang.org/x/sys/unix"
)

// The files of the folder. Seeds and credentials are secrets; everything has mode 0600.
const (
	operatorSeed = "operator.nk"
	clientsSeed  = "clients.nk"
	operatorFile = "operator.jwt"
	accountFile  = "account.jwt"
	clientsFile  = "clients.jwt"
	systemFile   = "system.jwt"
	rolesFile    = "roles.creds"
	issuedFile   = "issued.ndjson"
	lockFile     = "lock"
)

// Authority is the keys of an embedded server.
type Authority struct {
	dir    string
	now    func() time.Time
	signer *Signer
}

// Open opens the folder of keys, and makes it with new keys when there is none. Several processes may have it open. reach
// is the subject below which clients reach the streams, such as events.>.
func Open(dir, reach string, now func() time.Time) (*Authority, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := create(dir, reach); err != nil {
			return nil, fmt.Errorf("cannot make the keys of NATS: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("the keys of NATS: %w", err)
	}
	seed, err := os.ReadFile(filepath.Join(dir, clientsSeed))
	if err != nil {
		return nil, fmt.Errorf("the keys of NATS: %w", err)
	}
	signer, err := NewSigner(seed, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, clientsSeed), err)
	}
	return &Authority{dir: dir, now: now, signer: signer}, nil
}

// create makes the folder with everything in it at once: whoever comes second finds the first one's.
func create(dir, reach string) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o750); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(parent, ".keys-") // mode 0700
	if err != nil {
		return err
	}
	err = fill(temporary, reach)
	if err == nil {
		err = os.Rename(temporary, dir)
	}
	if err == nil {
		return nil
	}
	if removed := os.RemoveAll(temporary); removed != nil {
		return errors.Join(err, removed)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		return nil
	}
	return err
}

// keys are the pairs of a new folder.
type keys struct{ operator, account, clients, system nkeys.KeyPair }

func newKeys() (k keys, err error) {
	if k.operator, err = nkeys.CreateOperator(); err != nil {
		return k, err
	}
	for _, pair := range []*nkeys.KeyPair{&k.account, &k.clients, &k.system} {
		if *pair, err = nkeys.CreateAccount(); err != nil {
			return k, err
		}
	}
	return k, nil
}

// fill makes new keys and their tokens. Only the seeds are kept that sign later: the operator's, who revokes, and that of the
// clients' account.
func fill(dir, reach string) error {
	k, err := newKeys()
	if err != nil {
		return err
	}
	files := map[string][]byte{issuedFile: nil, lockFile: nil}
	for name, pair := range map[string]nkeys.KeyPair{operatorSeed: k.operator, clientsSeed: k.clients} {
		if files[name], err = pair.Seed(); err != nil {
			return err
		}
	}
	if err := k.sign(files, reach); err != nil {
		return err
	}
	signer := &Signer{key: k.account}
	roles, err := signer.Sign(Grant{Name: "milepost"}, time.Time{})
	if err != nil {
		return err
	}
	files[rolesFile] = roles.File
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// sign adds the tokens of the operator and the accounts to the files.
func (k keys) sign(files map[string][]byte, reach string) error {
	public := map[string]nkeys.KeyPair{"operator": k.operator, "account": k.account, "clients": k.clients, "system": k.system}
	names := map[string]string{}
	for name, pair := range public {
		key, err := pair.PublicKey()
		if err != nil {
			return err
		}
		names[name] = key
	}
	operator := jwt.NewOperatorClaims(names["operator"])
	operator.Name, operator.SystemAccount = "milepost", names["system"]
	account := jwt.NewAccountClaims(names["account"])
	account.Name = "milepost"
	account.Limits.JetStreamLimits = jwt.JetStreamLimits{
		MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit,
		MaxAckPending: jwt.NoLimit, MemoryMaxStreamBytes: jwt.NoLimit, DiskMaxStreamBytes: jwt.NoLimit,
	}
	account.Exports.Add(&jwt.Export{Name: "events", Subject: jwt.Subject(reach), Type: jwt.Service, ResponseType: jwt.ResponseTypeSingleton})
	clients := jwt.NewAccountClaims(names["clients"])
	clients.Name = "clients"
	clients.Imports.Add(&jwt.Import{Name: "events", Subject: jwt.Subject(reach), Account: names["account"], Type: jwt.Service})
	system := jwt.NewAccountClaims(names["system"])
	system.Name = "system"
	for name, claims := range map[string]jwt.Claims{operatorFile: operator, accountFile: account, clientsFile: clients, systemFile: system} {
		token, err := claims.Encode(k.operator)
		if err != nil {
			return err
		}
		files[name] = []byte(token)
	}
	return nil
}

// Roles gives the credentials of the project's own roles, which may do everything on the account's streams.
func (a *Authority) Roles() ([]byte, error) { return os.ReadFile(filepath.Join(a.dir, rolesFile)) }

// Operator gives the claims that a server is to trust.
func (a *Authority) Operator() (*jwt.OperatorClaims, error) {
	text, err := os.ReadFile(filepath.Join(a.dir, operatorFile))
	if err != nil {
		return nil, err
	}
	return jwt.DecodeOperatorClaims(string(text))
}

// Account gives the token of the account that holds the streams.
func (a *Authority) Account() (string, error) { return a.read(accountFile) }

// Clients gives the token of the clients' account, with whom it revokes; it changes with [Authority.Revoke].
func (a *Authority) Clients() (string, error) { return a.read(clientsFile) }

// System gives the token of the system account.
func (a *Authority) System() (string, error) { return a.read(systemFile) }

func (a *Authority) read(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(a.dir, name))
	return strings.TrimSpace(string(text)), err
}

// alone runs what changes the folder while no other process does.
func (a *Authority) alone(change func() error) (err error) {
	lock, err := os.OpenFile(filepath.Join(a.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // closing gives the lock back
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	return change()
}
