package consumers

import (
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// place is where a message stands.
type place struct {
	sequence   uint64 // of the stream
	number     uint64 // of the stream's consumer: 1 is the first message that it sent
	pending    uint64 // messages behind it
	recordedAt time.Time
}

// placeOf reads what the message's reply subject says. It is what Metadata gives, without the texts that each message
// would cost; a subject of a form that is not known here is left to Metadata.
func placeOf(message jetstream.Msg) (place, error) {
	if p, ok := parsePlace(message.Reply()); ok {
		return p, nil
	}
	metadata, err := message.Metadata()
	if err != nil {
		return place{}, err
	}
	return place{metadata.Sequence.Stream, metadata.Sequence.Consumer, metadata.NumPending, metadata.Timestamp}, nil
}

const replyPrefix = "$JS.ACK."

// parsePlace reads $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<number>.<time>.<pending>, or the longer form with
// a domain and the hash of an account before the stream and a token behind (NATS ADR-15).
func parsePlace(reply string) (p place, ok bool) {
	rest, ok := strings.CutPrefix(reply, replyPrefix)
	if !ok {
		return place{}, false
	}
	before := 3
	switch strings.Count(rest, ".") + 1 {
	case 7:
	case 9, 10:
		before = 5
	default:
		return place{}, false
	}
	for range before {
		_, rest, _ = strings.Cut(rest, ".")
	}
	var numbers [4]uint64
	for i := range numbers {
		var word string
		word, rest, _ = strings.Cut(rest, ".")
		if numbers[i], ok = number(word); !ok {
			return place{}, false
		}
	}
	return place{numbers[0], numbers[1], numbers[3], time.Unix(0, int64(numbers[2]))}, true
}

func number(word string) (n uint64, ok bool) {
	if len(word) == 0 || len(word) > 19 {
		return 0, false
	}
	for i := range len(word) {
		digit := word[i] - '0'
		if digit > 9 {
			return 0, false
		}
		n = n*10 + uint64(digit)
	}
	return n, true
}
