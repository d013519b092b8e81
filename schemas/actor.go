package schemas

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
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
type ActorKey struct{ inner, outer [sha256.BlockSize]byte }

// NewActorKey makes a key of its secret, which must have ActorKeyBytes.
func NewActorKey(secret []byte) (*ActorKey, error) {
	if len(secret) != ActorKeyBytes {
		return nil, &Error{Code: Internal, Message: "the key that proves actors is damaged", Hint: "restore the bucket that keeps it from a backup"}
	}
	k := new(ActorKey)
	copy(k.inner[:], secret)
	copy(k.outer[:], secret)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k, nil
}

// Proof binds an actor to the content of one event, given by its fingerprint:
// the proof of another event does not serve.
func (k *ActorKey) Proof(fingerprint Fingerprint, actor string) string {
	mac := k.mac(fingerprint, actor)
	return hex.EncodeToString(mac[:proofBytes])
}

// Proves tells whether the proof was made by this key.
func (k *ActorKey) Proves(fingerprint Fingerprint, actor, proof string) bool {
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
	mac := k.mac(fingerprint, actor)
	return subtle.ConstantTimeCompare(given[:], mac[:proofBytes]) == 1
}

// mac is HMAC-SHA-256 (RFC 2104) of the fingerprint in hexadecimal and the
// actor; the fingerprint has one length, so that nothing can move between the
// two. It is written out because crypto/hmac takes several times as long for a
// text this short, and every event has one.
func (k *ActorKey) mac(fingerprint Fingerprint, actor string) [sha256.Size]byte {
	var room [256]byte // few actors need more
	text := append(room[:0], k.inner[:]...)
	text = append(hex.AppendEncode(text, fingerprint[:]), actor...)
	sum := sha256.Sum256(text)
	text = append(append(room[:0], k.outer[:]...), sum[:]...)
	return sha256.Sum256(text)
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
