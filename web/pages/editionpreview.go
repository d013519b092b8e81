package pages

import (
	"bytes"
	"errors"
	"net/http"

	"milepost/schemas"
)

// printedPolicy lets a printed edition run its own script and nothing else: it
// is shown as if it came from another site, so that it can reach neither the
// pages nor the session, and only pages of this server frame it.
const printedPolicy = "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// printed answers GET /bulletins/{id}/preview?edition= with the edition as it is
// or would be printed.
func (p *Pages) printed(w http.ResponseWriter, r *http.Request) {
	secure(w)
	h := w.Header()
	h.Set("Content-Security-Policy", printedPolicy)
	// Browsers show no sandboxed page that asks to be alone in its window.
	h.Del("Cross-Origin-Opener-Policy")
	edition := "official"
	if r.FormValue("edition") == "media" {
		edition = "media"
	}
	var text bytes.Buffer
	if err := p.Desk.Printed(r.Context(), &text, r.PathValue("id"), edition, "html"); err != nil {
		var e *schemas.Error
		if !errors.As(err, &e) {
			p.Log.ErrorContext(r.Context(), "an edition was not printed", "id", schemas.Shorten(r.PathValue("id")), "error", err)
			e = &schemas.Error{Code: schemas.Internal, Message: "the server failed"}
		}
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'self'")
		said := struct {
			Style string
			*schemas.Error
		}{p.address("style.css"), inChinese(e)}
		if err := p.write(w, e.Code.Status(), "edition", "unprinted", said); err != nil {
			p.Log.ErrorContext(r.Context(), "the page of an error failed", "error", err)
		}
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text.Bytes()) // a browser that went away has nobody to tell
}
