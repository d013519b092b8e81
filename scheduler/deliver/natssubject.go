package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// BulletinStream is the stream that keeps what is told on NATS.
const BulletinStream = "MILEPOST_BULLETINS"

// maxBulletinMessages bounds the stream; the oldest go first.
const maxBulletinMessages = 100_000

// Subject tells on NATS what was published, on milepost.bulletins.<kind>.<period>;
// letters go to milepost.letters.<class>.<period>. The message names the files
// with their hashes; they are fetched by the link. The stream takes a key once
// within its window, and subscribers see it in the header Nats-Msg-Id.
type Subject struct{ js jetstream.JetStream }

// NewSubject gives one.
func NewSubject(js jetstream.JetStream) *Subject { return &Subject{js} }

// Send publishes the message and waits until the stream has it.
func (s *Subject) Send(ctx context.Context, m *Message) error {
	if err := s.ensureStream(ctx); err != nil {
		return failure("the stream of bulletins cannot be made", err)
	}
	body, err := json.Marshal(newEnvelope(m, -1))
	if err != nil {
		return err
	}
	subject := "milepost.bulletins." + token(m.Kind) + "." + token(m.Period)
	if m.Class != EditionClass && m.Class != WithdrawalClass {
		subject = "milepost.letters." + token(string(m.Class)) + "." + token(m.Period)
	}
	if _, err := s.js.Publish(ctx, subject, body, jetstream.WithMsgID(m.Key)); err != nil {
		return failure("NATS did not take the message", err)
	}
	return nil
}

func (s *Subject) ensureStream(ctx context.Context) error {
	_, err := s.js.Stream(ctx, BulletinStream)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	// Kept on as many servers as the events.
	replicas := 1
	if events, err := s.js.Stream(ctx, schemas.StreamName); err == nil {
		replicas = max(1, events.CachedInfo().Config.Replicas)
	}
	_, err = s.js.CreateStream(ctx, jetstream.StreamConfig{Name: BulletinStream, Replicas: replicas, Description: "Milepost: what was published", Subjects: []string{"milepost.bulletins.>", "milepost.letters.>"},
		MaxMsgs: maxBulletinMessages, Duplicates: 24 * time.Hour})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return nil // another replica was first
	}
	return err
}

// token makes one token of a subject.
func token(text string) string {
	if text == "" {
		return "none"
	}
	return strings.NewReplacer(".", "-", " ", "-", "*", "-", ">", "-").Replace(text)
}
