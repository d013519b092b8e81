package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"milepost/schemas"
)

// A token reads mp_<id>_<secret>: people and secret scanners know it when they
// see it, and the id may be shown and logged.
const (
	tokenPrefix = "mp_"
	idBytes     = 5 // 8 characters
	idLength    = 8
	secretBytes = 32
	// tokenLength is that of the whole text: the secret has 52 characters.
	tokenLength = len(tokenPrefix) + idLength + 1 + 52
)

// OperatorID is the id of the operator's token: it lives as long as the server
// process, and only the user who runs the server can read it.
const OperatorID = "operator"

// encoding writes ids and secrets: lower case, no characters that a shell or a
// header would mind.
var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Token is what is known of a token, but for its secret.
type Token struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Role         schemas.Role   `json:"role"`
	Districts    []string       `json:"districts"`
	Departments  []string       `json:"departments"`
	SourcePrefix string         `json:"source_prefix"`
	Types        []schemas.Type `json:"types"`
	Created      time.Time      `json:"created"`
	CreatedBy    string         `json:"created_by"`
	// Expires and Revoked are nil while they do not apply.
	Expires   *time.Time `json:"expires"`
	Revoked   *time.Time `json:"revoked"`
	RevokedBy string     `json:"revoked_by,omitempty"`
}

// State is "valid", "expired" or "revoked".
func (t *Token) State(now time.Time) string {
	switch {
	case t.Revoked != nil:
		return "revoked"
	case t.Expires != nil && !now.Before(*t.Expires):
		return "expired"
	}
	return "valid"
}

// principal is who sends with the token.
func (t *Token) principal(remote string) *schemas.Principal {
	return &schemas.Principal{
		ID: t.ID, Name: t.Name, Role: t.Role, Districts: t.Districts, Departments: t.Departments, SourcePrefix: t.SourcePrefix, Types: t.Types, Remote: remote,
	}
}

// digest is what is stored of a secret. A password needs a slow hash, because
// people choose it out of few; a secret of 256 random bits cannot be tried out,
// and one SHA-256 a request costs nothing.
func digest(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// newSecret gives a fresh id and secret, and the token's whole text.
func newSecret() (id, secret, text string) {
	random := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
	id, secret = encoding.EncodeToString(random[:idBytes]), encoding.EncodeToString(random[idBytes:])
	return id, secret, tokenPrefix + id + "_" + secret
}

// NewOperator gives the operator's token for the life of a process.
func NewOperator() string {
	_, secret, _ := newSecret()
	return tokenPrefix + OperatorID + "_" + secret
}

// splitToken takes a token apart; false for what cannot be one.
func splitToken(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok || len(text) != tokenLength {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, "_")
	return id, secret, ok && len(id) == idLength
}

// Bounds of a wish.
const (
	maxName  = 100
	maxList  = 100
	maxWord  = 100
	maxYears = 10
)

// Wish asks for a token.
type Wish struct {
	Role         schemas.Role   `json:"role"`
	Name         string         `json:"name"`
	Districts    []string       `json:"districts"`
	Departments  []string       `json:"departments"`
	SourcePrefix string         `json:"source_prefix"`
	Types        []schemas.Type `json:"types"`
	// Expires is a time from now, such as 90d or 12h; empty is never.
	Expires string `json:"expires"`
}

// check completes the wish, or lists everything that is wrong with it at once.
// known are the codes of the districts; empty takes any.
func (w *Wish) check(known []string) error {
	var wrong []error
	add := func(field, value, message, hint string) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: field, Value: schemas.Shorten(value), Message: message, Hint: hint})
	}
	w.Name = strings.TrimSpace(w.Name)
	if utf8.RuneCountInString(w.Name) > maxName || !utf8.ValidString(w.Name) || strings.ContainsFunc(w.Name, unicode.IsControl) {
		add("name", strconv.QuoteToASCII(w.Name), "not a name", "use up to 100 printable characters")
	}
	if !slices.Contains(schemas.Roles(), w.Role) {
		add("role", string(w.Role), "no such role", "office, department, analyst, editor or admin")
	}
	w.Districts, w.Departments, w.Types = unique(w.Districts), unique(w.Departments), unique(w.Types)
	for _, list := range []struct {
		field string
		n     int
	}{{"districts", len(w.Districts)}, {"departments", len(w.Departments)}, {"types", len(w.Types)}} {
		if list.n > maxList {
			add(list.field, strconv.Itoa(list.n), "too many", "name at most 100")
		}
	}
	for _, d := range w.Districts {
		if d != schemas.CityDistrict && len(known) > 0 && !slices.Contains(known, d) || !districtWord(d) {
			add("districts", d, "unknown district", "use codes of the configuration, or city for the city office")
		}
	}
	for _, d := range w.Departments {
		if n := utf8.RuneCountInString(d); n == 0 || n > maxWord || !utf8.ValidString(d) || strings.ContainsFunc(d, unicode.IsControl) {
			add("departments", strconv.QuoteToASCII(d), "not a department", "use a name of the directory")
		}
	}
	for _, t := range w.Types {
		if _, err := schemas.ParseEventType(string(t)); err != nil || t.System() {
			add("types", string(t), "no type that a sender may use", "use types such as progress.reported.v1")
		}
	}
	w.checkBinding(add)
	return errors.Join(wrong...)
}

// checkBinding holds the role against what the token is bound to.
func (w *Wish) checkBinding(add func(field, value, message, hint string)) {
	if w.SourcePrefix != "" && (w.SourcePrefix[0] != '/' || len(w.SourcePrefix) > maxWord || strings.HasSuffix(w.SourcePrefix, "/") || strings.ContainsFunc(w.SourcePrefix, notInSource) || strings.Contains(w.SourcePrefix, "/.")) {
		add("source_prefix", w.SourcePrefix, "not the beginning of a source", "write it as /offices/shanyang, without a slash at the end")
	}
	switch w.Role {
	case schemas.RoleOffice:
		if len(w.Districts) == 0 {
			add("districts", "", "an office token needs a district", "name it with --district; city is the city office")
		}
		if len(w.Departments) > 0 {
			add("departments", w.Departments[0], "an office token has no department", "use the role department")
		}
	case schemas.RoleDepartment:
		if len(w.Departments) == 0 {
			add("departments", "", "a department token needs a department", "name it with --department")
		}
		if len(w.Districts) == 0 {
			// A department of the city answers for projects of all districts.
			w.Districts = []string{schemas.CityDistrict}
		}
		if w.SourcePrefix == "" {
			add("source_prefix", "", "a department token needs a source of its own", "name it with --source-prefix, such as /departments/fgw")
		}
	default:
		if len(w.Districts)+len(w.Departments)+len(w.Types) > 0 || w.SourcePrefix != "" {
			add("role", string(w.Role), "only tokens of offices and departments are bound to something", "leave the bindings out, or choose the role office")
		}
	}
	if _, err := w.lifetime(); err != nil {
		add("expires", w.Expires, "not a time from now", "write 90d or 12h, at most 10 years")
	}
}

func notInSource(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune("%?#<>\"\\^`{|}", r)
}

// districtWord tells whether a text may be a code; the configuration holds
// codes to the same.
func districtWord(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// lifetime reads Expires; 0 is for ever.
func (w *Wish) lifetime() (time.Duration, error) {
	if w.Expires == "" {
		return 0, nil
	}
	const longest = maxYears * 366 * 24 * time.Hour
	if days, ok := strings.CutSuffix(w.Expires, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n == 0 || time.Duration(n)*24*time.Hour > longest {
			return 0, errors.New("not a number of days")
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(w.Expires)
	if err != nil || d <= 0 || d > longest {
		return 0, errors.New("not a duration")
	}
	return d, nil
}

func unique[T comparable](list []T) []T {
	out := []T{}
	for _, one := range list {
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}
