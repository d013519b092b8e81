package deliver

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"milepost/schemas"
)

// Permanent tells whether the same message can never be delivered to the
// target as it is configured: it is too large, or the address is not allowed.
func Permanent(err error) bool {
	switch schemas.CodeOf(err) {
	case schemas.TooLarge, schemas.Forbidden:
		return true
	}
	return false
}

// later is a failure after which the receiver asked for a pause.
type later struct {
	error
	pause time.Duration
}

func (l *later) Unwrap() error { return l.error }

// retryAfter gives the pause that the receiver asked for, or 0.
func retryAfter(err error) time.Duration {
	var l *later
	if errors.As(err, &l) {
		return l.pause
	}
	return 0
}

// failure is an error of a target that may heal.
func failure(message string, cause error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: message, Err: cause}
}

// keysOf lists the parts of an address that may be its key: the values of its
// query, as written and as meant, and a long last part of its path; a short one,
// such as "send", is a word of the maker's.
func keysOf(address string) []string {
	path, query, _ := strings.Cut(address, "?")
	var keys []string
	if last := path[strings.LastIndexByte(path, '/')+1:]; len(last) >= 12 {
		keys = append(keys, last)
	}
	for pair := range strings.SplitSeq(query, "&") {
		_, value, _ := strings.Cut(pair, "=")
		keys = append(keys, value)
		if meant, err := url.QueryUnescape(value); err == nil {
			keys = append(keys, meant)
		}
	}
	return keys
}

// maxErrorText bounds what is kept of an error, in bytes.
const maxErrorText = 500

// clean gives the error's text on one line without the secrets.
func clean(err error, secrets ...string) string {
	text := err.Error()
	// The longest first, since one may be a part of another.
	secrets = slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) })
	for _, secret := range secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			if len(form) > 3 {
				text = strings.ReplaceAll(text, form, "***")
			}
		}
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	return cut(text, maxErrorText)
}

// cut gives at most so many bytes, whole characters only.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	limit -= len("…")
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

func leftOut(lines int) string { return fmt.Sprintf("(另有 %d 条,详见系统)", lines) }

// guarded hides the secrets of a sender in its errors.
type guarded struct {
	text string
	err  error
}

func (g *guarded) Error() string { return g.text }
func (g *guarded) Unwrap() error {
	var e *schemas.Error
	if errors.As(g.err, &e) {
		return &schemas.Error{Code: e.Code, Message: g.text} // the code stays, the cause may hold the secret
	}
	return nil
}

// withoutSecrets gives the error with the secrets blotted out; nil stays nil.
func withoutSecrets(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	hidden := error(&guarded{clean(err, secrets...), err})
	if pause := retryAfter(err); pause > 0 {
		return &later{hidden, pause}
	}
	return hidden
}
