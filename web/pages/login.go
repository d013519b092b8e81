package pages

import (
	"net/http"
	"strings"

	"milepost/schemas"
)

type loginContent struct {
	Next  string
	Open  bool // nobody needs to log in
	Who   *schemas.Principal
	Wrong *schemas.Error
}

// login answers GET /login?next=.
func (p *Pages) login(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, http.StatusOK, "login", "登录", loginContent{Next: ownPath(r.FormValue("next")), Open: !p.TokensUsed()})
}

// maxLogin bounds the body of a login.
const maxLogin = 4 << 10

// enter answers POST /login: it begins a session.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogin)
	next := ownPath(r.PostFormValue("next"))
	if err := p.Sessions.Begin(w, r, strings.TrimSpace(r.PostFormValue("token"))); err != nil {
		e, ok := err.(*schemas.Error)
		if !ok {
			return err
		}
		return p.show(w, r, e.Code.Status(), "login", "登录", loginContent{Next: next, Open: !p.TokensUsed(), Wrong: inChinese(e)})
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// leave answers POST /logout.
func (p *Pages) leave(w http.ResponseWriter, r *http.Request) error {
	if err := p.Sessions.End(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

// ownPath takes only a path of this server: a link must not lead from the login
// to another site.
func ownPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
