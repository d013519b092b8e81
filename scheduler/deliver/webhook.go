package deliver

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"
)

// Webhook posts JSON to an address. The body is signed: the header
// Milepost-Signature is "v1=" and the HMAC-SHA256, in hexadecimal, of the
// decimal Milepost-Timestamp (Unix seconds), a full stop, and the body. A
// receiver refuses old timestamps and takes each Idempotency-Key once.
type Webhook struct {
	url, secret string
	client      *http.Client
}

// NewWebhook gives one; allowed are networks that it may go to though they are
// private. Without a secret nothing is signed.
func NewWebhook(url, secret string, allowed []netip.Prefix) *Webhook {
	return &Webhook{url: url, secret: secret, client: newClient(allowed)}
}

// maxWebhookFiles bounds the files in one message, in bytes; what exceeds it is
// named with its hash only.
const maxWebhookFiles = 8 << 20

// envelope is the JSON of webhooks and of NATS.
type envelope struct {
	Key     string         `json:"key"`
	ID      string         `json:"id"`
	Class   Class          `json:"class"`
	Kind    string         `json:"kind,omitempty"`
	Period  string         `json:"period,omitempty"`
	Number  int            `json:"number,omitempty"`
	Title   string         `json:"title"`
	Figures []Figure       `json:"figures,omitempty"`
	Lines   []string       `json:"lines,omitempty"`
	To      string         `json:"to,omitempty"`
	Link    string         `json:"link,omitempty"`
	Files   []envelopeFile `json:"files,omitempty"`
}

type envelopeFile struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Size      int    `json:"size"`
	SHA256    string `json:"sha256"`
	Content   []byte `json:"content,omitempty"` // base64
}

func newEnvelope(m *Message, maxFiles int) envelope {
	e := envelope{Key: m.Key, ID: m.ID, Class: m.Class, Kind: m.Kind, Period: m.Period, Number: m.Number, Title: m.Title, Figures: m.Figures, Lines: m.Lines, To: m.Recipient.Name, Link: m.Link}
	for _, f := range m.Files {
		sum := sha256.Sum256(f.Content)
		file := envelopeFile{Name: f.Name, MediaType: f.MediaType, Size: len(f.Content), SHA256: hex.EncodeToString(sum[:])}
		if len(f.Content) <= maxFiles {
			file.Content = f.Content
			maxFiles -= len(f.Content)
		}
		e.Files = append(e.Files, file)
	}
	return e
}

// Send posts the message with its files.
func (w *Webhook) Send(ctx context.Context, m *Message) error {
	body, err := json.Marshal(newEnvelope(m, maxWebhookFiles))
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {m.Key}, "User-Agent": {"milepost"}}
	if w.secret != "" {
		at := strconv.FormatInt(m.At.Unix(), 10)
		header.Set("Milepost-Timestamp", at)
		header.Set("Milepost-Signature", signature(w.secret, at, body))
	}
	_, err = post(ctx, w.client, w.url, header, body, m.At)
	return withoutSecrets(err, append(keysOf(w.url), w.secret, w.url)...)
}

func signature(secret, at string, body []byte) string {
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(at + "."))
	sum.Write(body)
	return "v1=" + hex.EncodeToString(sum.Sum(nil))
}
