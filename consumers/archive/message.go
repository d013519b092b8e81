// Package archive keeps the beginning of the stream of events in files, so that it need not stay on NATS: segments, each
// with a manifest that names the one before, which together hold every message from the first one on.
package archive

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
)

// Message is what the stream holds at one sequence.
type Message struct {
	Sequence uint64
	Subject  string
	Header   nats.Header
	Data     []byte
	// Time is when the stream took it.
	Time time.Time
}

// line is a message in a segment, which is a JSON object a line: whoever has no Milepost reads it with zstd and jq. Base64
// says that a text of it is none, so that subject, header values and data are in base64, all of them.
type line struct {
	Sequence uint64              `json:"seq"`
	Time     time.Time           `json:"time"`
	Subject  string              `json:"subject"`
	Headers  map[string][]string `json:"headers,omitempty"`
	Data     string              `json:"data"`
	Base64   bool                `json:"base64,omitempty"`
}

// encode gives the message's line, without its end.
func encode(m *Message) ([]byte, error) {
	l := line{Sequence: m.Sequence, Time: m.Time.UTC(), Subject: m.Subject, Headers: m.Header, Data: string(m.Data)}
	if !isText(m) {
		l.Base64 = true
		l.Subject, l.Data, l.Headers = to64(m.Subject), to64(l.Data), make(map[string][]string, len(m.Header))
		for name, values := range m.Header {
			coded := make([]string, len(values))
			for i, value := range values {
				coded[i] = to64(value)
			}
			l.Headers[to64(name)] = coded
		}
	}
	return json.Marshal(l)
}

func isText(m *Message) bool {
	for name, values := range m.Header {
		if !utf8.ValidString(name) || slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return false
		}
	}
	return utf8.ValidString(m.Subject) && utf8.Valid(m.Data)
}

func to64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// decode reads a line.
func decode(text []byte) (*Message, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, err
	}
	m := &Message{Sequence: l.Sequence, Time: l.Time, Subject: l.Subject, Header: l.Headers, Data: []byte(l.Data)}
	if !l.Base64 {
		return m, nil
	}
	var wrong []error
	from64 := func(s string) string {
		raw, err := base64.StdEncoding.DecodeString(s)
		wrong = append(wrong, err)
		return string(raw)
	}
	m.Subject, m.Data, m.Header = from64(l.Subject), []byte(from64(l.Data)), make(nats.Header, len(l.Headers))
	for name, coded := range l.Headers {
		values := make([]string, len(coded))
		for i, value := range coded {
			values[i] = from64(value)
		}
		m.Header[from64(name)] = values
	}
	return m, errors.Join(wrong...)
}

// content sums up messages, byte for byte, in their order: what is read back from a segment has the same sum as what the
// stream gave.
type content struct{ sum hash.Hash }

func newContent() *content { return &content{sha256.New()} }

func (c *content) add(m *Message) {
	number := func(n uint64) { c.sum.Write(binary.BigEndian.AppendUint64(nil, n)) }
	text := func(s []byte) {
		number(uint64(len(s)))
		c.sum.Write(s)
	}
	number(m.Sequence)
	number(uint64(m.Time.UnixNano()))
	text([]byte(m.Subject))
	names := make([]string, 0, len(m.Header))
	for name := range m.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	number(uint64(len(names)))
	for _, name := range names {
		text([]byte(name))
		number(uint64(len(m.Header[name])))
		for _, value := range m.Header[name] {
			text([]byte(value))
		}
	}
	text(m.Data)
}

func (c *content) String() string { return fmt.Sprintf("%x", c.sum.Sum(nil)) }
