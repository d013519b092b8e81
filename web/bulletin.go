package web

import (
	"bytes"
	"cmp"
	"io"
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
	case "pdf":
		return "application/pdf"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return ""
}

// bulletin answers GET /v1/bulletins/{period}?known=&edition=&format= with a
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
	return answerWith(w, formatOr(r, "json"), func(out io.Writer, format string) error {
		return a.Bulletins.Draft(r.Context(), out, period, known, Form{Edition: editionOr(r), Format: format})
	})
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
	return answerWith(w, formatOr(r, "json"), func(out io.Writer, format string) error {
		return a.Bulletins.Publish(r.Context(), out, period, Form{Edition: editionOr(r), Format: format})
	})
}

func checkBulletinFormat(r *http.Request) error {
	if e := editionOr(r); e != "official" && e != "media" {
		return &schemas.Error{Code: schemas.Invalid, Field: "edition", Value: schemas.Shorten(e), Message: "no such edition", Hint: "official or media"}
	}
	return checkFormat(r)
}

func checkFormat(r *http.Request) error {
	if f := formatOr(r, "json"); contentType(f) == "" {
		return unknownFormat(f, "json, md, html, pdf, docx or xlsx")
	}
	return nil
}

func editionOr(r *http.Request) string { return cmp.Or(r.FormValue("edition"), "official") }

// answerWith sends a document when it is whole.
func answerWith(w http.ResponseWriter, format string, write func(out io.Writer, format string) error) error {
	var text bytes.Buffer
	if err := write(&text, format); err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType(format))
	_, err := w.Write(text.Bytes())
	return err
}
