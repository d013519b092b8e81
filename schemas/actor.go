package schemas

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// ActorHeader is the message header on the stream in which a producer says who
// sent the event, as far as it knows.
const ActorHeader = "Milepost-Actor"

// ActorProofHeader is the message header that proves the actor: NATS
// permissions bind subjects and not headers, so that any client could write
// another's name into ActorHeader.
const ActorProofHeader = "Milepost-Actor-Proof"

// ActorKeyBytes is the length of the secret of an ActorKey.
const ActorKeyBytes = 32

// proofBytes is the length of a proof: as much of the MAC as nobody can guess.
const proofBytes = 16

// ActorKey makes and checks proofs of actors. It is a secret of the
// installation's own processes, and safe for concurrent use.
type ActorKey struct{ macs sync.Pool }

// NewActorKey makes a key of its secret, which must have ActorKeyBytes.
func NewActorKey(secret []byte) (*ActorKey, error) {
	if len(secret) != ActorKeyBytes {
		return nil, &Error{Code: Internal, Message: "the key that proves actors is damaged", Hint: "restore the bucket that keeps it from a backup"}
	}
	kept := append([]byte(nil), secret...)
	k := &ActorKey{}
	k.macs.New = func() any { return &actorMAC{hash: hmac.New(sha256.New, kept)} }
	return k, nil
}

// actorMAC is a MAC that is used again: it keeps what it made of the key, and
// room to work in.
type actorMAC struct {
	hash hash.Hash
	text []byte
	sum  []byte
}

// Proof binds an actor to the content of one event, given by its fingerprint in
// hexadecimal (Fingerprint.String): the proof of another event does not serve.
func (k *ActorKey) Proof(fingerprint, actor string) string {
	mac := k.macs.Get().(*actorMAC)
	defer k.macs.Put(mac)
	return hex.EncodeToString(mac.of(fingerprint, actor))
}

// Proves tells whether the proof was made by this key.
func (k *ActorKey) Proves(fingerprint, actor, proof string) bool {
	var given [proofBytes]byte
	if len(proof) != 2*proofBytes {
		return false
	}
	for i := range given {
		high, low := unhex(proof[2*i]), unhex(proof[2*i+1])
		if high > 15 || low > 15 {
			return false
		}
		given[i] = high<<4 | low
	}
	mac := k.macs.Get().(*actorMAC)
	defer k.macs.Put(mac)
	return hmac.Equal(given[:], mac.of(fingerprint, actor))
}

// of gives the proof; the fingerprint has one length, so that nothing can move
// between the two.
func (m *actorMAC) of(fingerprint, actor string) []byte {
	m.hash.Reset()
	m.text = append(append(m.text[:0], fingerprint...), actor...)
	_, _ = m.hash.Write(m.text) // a hash never fails
	m.sum = m.hash.Sum(m.sum[:0])
	return m.sum[:proofBytes]
}

// unhex reads a lower-case hexadecimal digit; anything above 15 is none.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
