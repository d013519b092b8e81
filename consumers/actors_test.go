package consumers

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"milepost/schemas"
)

func TestWhoseWordIsTaken(t *testing.T) {
	t.Parallel()
	key, err := schemas.NewActorKey([]byte(strings.Repeat("k", schemas.ActorKeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := schemas.Fingerprint{1}
	proven := nats.Header{schemas.ActorHeader: {"office:a"}, schemas.ActorProofHeader: {key.Proof(fingerprint, "office:a")}}
	claimed := nats.Header{schemas.ActorHeader: {"office:a"}}
	for _, c := range []struct {
		name   string
		trust  ActorTrust
		header nats.Header
		seq    uint64
		want   string
	}{
		{"no key, no name", ActorTrust{}, nil, 9, "nats:shanyang"},
		{"no key, a name", ActorTrust{}, claimed, 9, "office:a"},
		{"a key, no name", ActorTrust{Key: key}, nil, 9, "nats:shanyang"},
		{"a key, a proof", ActorTrust{Key: key}, proven, 9, "office:a"},
		{"a key, no proof", ActorTrust{Key: key}, claimed, 9, "nats:shanyang"},
		{"of before the key", ActorTrust{Key: key, UnprovenUpTo: 9}, claimed, 9, "office:a"},
		{"of after the key", ActorTrust{Key: key, UnprovenUpTo: 9}, claimed, 10, "nats:shanyang"},
		{"a long name", ActorTrust{}, nats.Header{schemas.ActorHeader: {strings.Repeat("甲", 200)}}, 9, strings.Repeat("甲", 85)},
	} {
		r := record{subject: "milepost.events.shanyang.P-1.progress.reported", header: c.header, sequence: c.seq}
		if got := c.trust.actorOf(r, fingerprint); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
