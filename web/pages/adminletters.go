package pages

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"milepost/schemas"
)

// shownLetters bounds the dead letters of a page, maxDiscardReason the
// characters of a reason.
const (
	shownLetters     = 200
	maxDiscardReason = 1000
)

func (p *Pages) adminDeadLetters(w http.ResponseWriter, r *http.Request) error {
	c := p.adminOf(r, "/admin/dead-letters")
	c.All = r.FormValue("all") != ""
	var err error
	if c.Letters, err = p.Admin.DeadLetters(r.Context(), shownLetters, c.All); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "adminletters", "退件", c)
}

// letterOf finds the dead letter that a request names, with its text to be
// mended.
func (p *Pages) letterOf(r *http.Request) (*adminContent, uint64, error) {
	given := r.PathValue("seq")
	seq, err := strconv.ParseUint(given, 10, 64)
	if err != nil {
		return nil, 0, &schemas.Error{Code: schemas.NotFound, Field: "seq", Value: schemas.Shorten(given), Message: "no such dead letter", Hint: "the list has their numbers"}
	}
	c := p.adminOf(r, "/admin/dead-letters")
	letter, raw, err := p.Admin.DeadLetter(r.Context(), seq)
	if err != nil {
		return nil, 0, err
	}
	c.Letter = letter
	c.Binary = !utf8.Valid(raw) || len(raw) > schemas.MaxEventBytes
	if !c.Binary {
		c.Text = string(raw)
		var pretty bytes.Buffer
		if json.Indent(&pretty, raw, "", "  ") == nil {
			c.Text = pretty.String()
		}
	}
	return c, seq, nil
}

func (p *Pages) adminDeadLetter(w http.ResponseWriter, r *http.Request) error {
	c, _, err := p.letterOf(r)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "adminletter", "退件", c)
}

// resend answers POST /admin/dead-letters/{seq}/resend with the mended event.
func (p *Pages) resend(w http.ResponseWriter, r *http.Request) error {
	c, seq, err := p.letterOf(r)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(r.FormValue("event"))
	return p.settle(w, r, c, "resent", p.Admin.Resend(r.Context(), seq, []byte(text)), text)
}

// discard answers POST /admin/dead-letters/{seq}/discard.
func (p *Pages) discard(w http.ResponseWriter, r *http.Request) error {
	c, seq, err := p.letterOf(r)
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(r.FormValue("reason"))
	if n := utf8.RuneCountInString(reason); n == 0 || n > maxDiscardReason {
		err = &schemas.Error{Code: schemas.Invalid, Field: "reason", Value: schemas.Shorten(reason), Message: "not a reason", Hint: "say in up to 1000 characters why the dead letter is discarded"}
	} else {
		err = p.Admin.Discard(r.Context(), seq, reason)
	}
	return p.settle(w, r, c, "discarded", err, "")
}

// settle goes back to the list, or says beside the letter what is wrong; what
// was mended stays.
func (p *Pages) settle(w http.ResponseWriter, r *http.Request, c *adminContent, done string, err error, text string) error {
	if err == nil {
		http.Redirect(w, r, "/admin/dead-letters?done="+done, http.StatusSeeOther)
		return nil
	}
	e, ok := err.(*schemas.Error)
	if !ok {
		return err
	}
	c.Refused = inChinese(e)
	if text != "" {
		c.Text = text
	}
	return p.show(w, r, e.Code.Status(), "adminletter", "退件", c)
}

// words takes a list apart that was written with commas.
func words(text string) []string {
	var list []string
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("、，,；;\n", c) }) {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}
