package deliver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"milepost/schemas"
)

// MailConfig says how mail is sent.
type MailConfig struct {
	Host string
	Port int
	// Security is "tls" (from the first byte), "starttls" (demanded) or "none".
	Security string
	// User and Password log in; without a user nobody does.
	User, Password string
	From           string
	To             []string
	// MaxBytes bounds the attachments; by default 20 MiB.
	MaxBytes int
	// TLS trusts other authorities than the machine's; nil: the machine's.
	TLS *tls.Config
}

// Mail sends e-mail with the files attached. The Message-ID is made of the
// idempotency key.
type Mail struct{ c MailConfig }

// NewMail gives one.
func NewMail(c MailConfig) *Mail {
	if c.MaxBytes == 0 {
		c.MaxBytes = 20 << 20
	}
	return &Mail{c}
}

// Send sends one mail to all recipients of the target, or to those of the
// letter.
func (s *Mail) Send(ctx context.Context, m *Message) error {
	return withoutSecrets(s.send(ctx, m), s.c.Password)
}

func (s *Mail) send(ctx context.Context, m *Message) error {
	letter, err := s.compose(m)
	if err != nil {
		return err
	}
	options := []mail.Option{mail.WithPort(s.c.Port), mail.WithTimeout(30 * time.Second), mail.WithoutNoop()}
	switch s.c.Security {
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.c.TLS != nil {
		options = append(options, mail.WithTLSConfig(s.c.TLS))
	}
	if s.c.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.c.User), mail.WithPassword(s.c.Password))
	}
	client, err := mail.NewClient(s.c.Host, options...)
	if err != nil {
		return failure("the mail server's settings do not work", err)
	}
	err = client.DialAndSendWithContext(ctx, letter)
	switch {
	case err == nil, letter.IsDelivered(): // the server took it, whatever became of the goodbye
		return nil
	case sizeRefused(letter):
		return &schemas.Error{Code: schemas.TooLarge, Message: "the mail server refuses the mail for its size"}
	}
	return failure("the mail was not taken", err)
}

// sizeRefused tells whether the server named the size as the reason (552).
func sizeRefused(letter *mail.Msg) bool {
	var refused *mail.SendError
	return letter.HasSendError() && errors.As(letter.SendError(), &refused) && refused.ErrorCode() == 552
}

func (s *Mail) compose(m *Message) (*mail.Msg, error) {
	to := s.c.To
	if m.Class != EditionClass && (m.Recipient.Name != "" || len(m.Recipient.Emails) > 0) {
		to = m.Recipient.Emails
	}
	if len(to) == 0 {
		return nil, &schemas.Error{Code: schemas.Forbidden, Message: "no address to send the mail to", Value: m.Recipient.Name, Hint: "give the contact an email, or the target recipients"}
	}
	letter := mail.NewMsg()
	if err := errors.Join(letter.From(s.c.From), letter.To(to...)); err != nil {
		return nil, failure("an e-mail address does not read", err)
	}
	// A header is one line, whatever a project is called.
	letter.Subject(strings.Join(strings.Fields(m.Title), " "))
	letter.SetDateWithValue(m.At.In(schemas.Location))
	letter.SetMessageIDWithValue(m.Key + "@milepost")
	letter.SetGenHeader("X-Milepost-Key", m.Key)
	letter.SetUserAgent("milepost")
	lines := m.text()
	room := s.c.MaxBytes
	for _, f := range m.Files {
		if len(f.Content) > room {
			lines = append(lines, "(附件 "+f.Name+" 过大,未随信发送)")
			continue
		}
		room -= len(f.Content)
		if err := letter.AttachReader(f.Name, bytes.NewReader(f.Content), mail.WithFileContentType(mail.ContentType(f.MediaType))); err != nil {
			return nil, err
		}
	}
	if m.Link != "" {
		lines = append(lines, "查看全文:"+m.Link)
	}
	letter.SetBodyString(mail.TypeTextPlain, strings.Join(lines, "\r\n")+"\r\n")
	return letter, nil
}
