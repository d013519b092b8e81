package consumers

import (
	"strings"

	"milepost/schemas"
)

// maxActorBytes bounds what a message's header may say of who sent it.
const maxActorBytes = 256

// ActorTrust says when the header of a message is believed that names who sent it. Without a key every header is; with
// one, those that it proves and, because older servers proved nothing, those of messages up to the sequence UnprovenUpTo.
type ActorTrust struct {
	Key          *schemas.ActorKey
	UnprovenUpTo uint64
}

// actorOf tells who sent the message: as its producer says and proves, else by the district of its subject, which is what
// the permissions of its sender were checked against.
func (t ActorTrust) actorOf(r record, fingerprint schemas.Fingerprint) string {
	if actor := r.header.Get(schemas.ActorHeader); actor != "" && t.believes(r, fingerprint, actor) {
		return strings.ToValidUTF8(actor[:min(len(actor), maxActorBytes)], "")
	}
	district, _, _ := strings.Cut(strings.TrimPrefix(r.subject, subjectPrefix), ".")
	return "nats:" + district
}

func (t ActorTrust) believes(r record, fingerprint schemas.Fingerprint, actor string) bool {
	if t.Key == nil || r.sequence <= t.UnprovenUpTo {
		return true
	}
	return t.Key.Proves(fingerprint, actor, r.header.Get(schemas.ActorProofHeader))
}
