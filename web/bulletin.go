package web

import (
	"bytes"
	"net/http"

	"milepost/schemas"
)

// contentType gives the media type of a bulletin's format, "" for a format that
// is not one.
func contentType(format string) string {
	switch format {
	case "json":
		return "application/json"
	case "md":
		return "text/markdown; charset=utf-8"
	case "html":
		return "text/html; charset=utf-8"
	}
	return ""
}

// bulletin answers GET /v1/bulletins/{period}?known=&format=json|md|html with a
// draft.
func (a *api) bulletin(w http.ResponseWriter, r *http.Request) error {
	period, err := schemas.ParsePeriod(r.PathValue("period"))
	if err != nil {
		return err
	}
	if err := checkBulletinFormat(r); err != nil {
		return err
	}
	known, err := a.known(r.Context(), r.FormValue("known"))
	if err != nil {
		return err
	}
	b, err := a.Bulletins.Draft(r.Context(), period, known)
	if err != nil {
		return err
	}
	return a.render(w, r, b)
}

// publish answers POST /v1/bulletins/{period}: it publishes the period once and
// answers with the edition, whoever published it.
func (a *api) publish(w http.ResponseWriter, r *http.Request) error {
	period, err := schemas.ParsePeriod(r.PathValue("period"))
	if err != nil {
		return err
	}
	if err := checkBulletinFormat(r); err != nil {
		return err
	}
	b, err := a.Bulletins.Publish(r.Context(), period)
	if err != nil {
		return err
	}
	return a.render(w, r, b)
}

func checkBulletinFormat(r *http.Request) error {
	if f := formatOr(r, "json"); contentType(f) == "" {
		return unknownFormat(f, "json, md or html")
	}
	return nil
}

func (a *api) render(w http.ResponseWriter, r *http.Request, b *schemas.Bulletin) error {
	format := formatOr(r, "json")
	var text bytes.Buffer
	if err := a.Bulletins.Render(&text, b, format); err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType(format))
	_, err := w.Write(text.Bytes())
	return err
}
