package consumers

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// described is a message of which only the reply subject and what the client makes of it are known.
type described struct {
	jetstream.Msg
	reply string
	asked *int
}

func (m described) Reply() string { return m.reply }
func (m described) Metadata() (*jetstream.MsgMetadata, error) {
	*m.asked++
	return nil, jetstream.ErrMsgNoReply
}

func TestPlaceOfAMessage(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 10, 3, 9, 0, 0, 123, time.UTC)
	want := place{sequence: 4711, number: 12, pending: 30, recordedAt: at}
	for reply, known := range map[string]bool{
		"$JS.ACK.MILEPOST_EVENTS.c1.1.4711.12.1759482000000000123.30":              true,
		"$JS.ACK._.hash.MILEPOST_EVENTS.c1.1.4711.12.1759482000000000123.30":       true,
		"$JS.ACK.hub.hash.MILEPOST_EVENTS.c1.1.4711.12.1759482000000000123.30.x7":  true,
		"$JS.ACK.MILEPOST_EVENTS.c1.1.4711.12.1759482000000000123.30.x":            false,
		"$JS.ACK.hub.hash.MILEPOST_EVENTS.c1.1.4711.12.1759482000000000123.30.x.y": false,
		"$JS.ACK.MILEPOST_EVENTS.c1.1.-4711.12.1759482000000000123.30":             false,
		"$JS.ACK.MILEPOST_EVENTS.c1.1..12.1759482000000000123.30":                  false,
		"$JS.ACK.MILEPOST_EVENTS.c1.1.4711.12.17594820000000001230000.30":          false,
		"$JS.FC.MILEPOST_EVENTS.c1.1.4711.12.1759482000000000123.30":               false,
		"": false,
	} {
		asked := 0
		got, err := placeOf(described{reply: reply, asked: &asked})
		switch {
		case known && (err != nil || asked > 0 || got.sequence != want.sequence || got.number != want.number || got.pending != want.pending || !got.recordedAt.Equal(at)):
			t.Errorf("%q: %+v %v", reply, got, err)
		case !known && (err == nil || asked != 1):
			t.Errorf("%q was not left to the client: %+v", reply, got)
		}
	}
}
