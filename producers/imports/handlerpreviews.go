package imports

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"milepost/schemas"
)

// preview serves POST /v1/imports/previews.
func (h *handler) preview(w http.ResponseWriter, r *http.Request) {
	h.withFiles(w, r, http.StatusCreated, func(q *Request) (any, error) {
		made, err := h.Previews.Make(r.Context(), *q)
		if err != nil {
			return nil, err
		}
		w.Header().Set("Location", "/v1/imports/previews/"+url.PathEscape(made.ID))
		return made, nil
	})
}

// allowed asks who sends a request; it answers those who may not.
func (h *handler) allowed(w http.ResponseWriter, r *http.Request) (Sender, bool) {
	sender, err := h.Sender(r)
	if err != nil {
		schemas.WriteProblem(w, err)
		return Sender{}, false
	}
	return sender, true
}

func (h *handler) showPreview(w http.ResponseWriter, r *http.Request) {
	if _, ok := h.allowed(w, r); !ok {
		return
	}
	shown, err := h.Previews.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	writeJSON(w, http.StatusOK, shown)
}

func (h *handler) deletePreview(w http.ResponseWriter, r *http.Request) {
	if _, ok := h.allowed(w, r); !ok {
		return
	}
	if err := h.Previews.Delete(r.Context(), r.PathValue("id")); err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *handler) errorsFile(w http.ResponseWriter, r *http.Request) {
	if _, ok := h.allowed(w, r); !ok {
		return
	}
	path, err := h.Previews.ErrorsFile(r.Context(), r.PathValue("id"))
	if err == nil {
		var file *os.File
		if file, err = os.Open(path); err == nil {
			defer file.Close()
			attachment(w, "errors.xlsx")
			http.ServeContent(w, r, "", time.Time{}, file)
			return
		}
		err = noRoom(err)
	}
	schemas.WriteProblem(w, err)
}

func attachment(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", workbookType)
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(name))
}

func (h *handler) confirm(w http.ResponseWriter, r *http.Request) {
	sender, ok := h.allowed(w, r)
	if !ok {
		return
	}
	wait, err := choice(r, "wait")
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	h.answer(w, r, http.StatusOK, func(progress func(Progression)) (any, error) {
		return h.Previews.Confirm(r.Context(), r.PathValue("id"), wait, sender, progress)
	})
}

// template serves the workbook to fill in, of the sender's own district where
// none is named.
func (h *handler) template(w http.ResponseWriter, r *http.Request) {
	sender, ok := h.allowed(w, r)
	if !ok {
		return
	}
	district := r.URL.Query().Get("district")
	if district == "" {
		district = sender.District
	}
	var out bytes.Buffer
	if err := (Template{Rules: h.importer.Rules, Sender: district, On: schemas.DateOf(h.importer.Now())}).Write(&out); err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	attachment(w, "template.xlsx")
	_, _ = out.WriteTo(w) // a client that went away has nobody to tell
}

// templateMapping serves the mapping of the template.
func (h *handler) templateMapping(w http.ResponseWriter, r *http.Request) {
	sender, ok := h.allowed(w, r)
	if !ok {
		return
	}
	district := r.URL.Query().Get("district")
	if district == "" {
		district = sender.District
	}
	if district == "" {
		district = schemas.CityDistrict
	}
	text := TemplateMapping(district, "")
	if _, err := ParseMapping(text, h.importer.Rules); err != nil {
		schemas.WriteProblem(w, &schemas.Error{Code: schemas.Unknown, Field: "district", Value: schemas.Shorten(district), Message: "no configured district", Err: err})
		return
	}
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	_, _ = w.Write(text) // a client that went away has nobody to tell
}

// problemOf gives the error as it may be shown: a cause may speak of machines
// and addresses of ours.
func problemOf(err error) *schemas.Error {
	var e *schemas.Error
	if !errors.As(err, &e) {
		return &schemas.Error{Code: schemas.Internal, Message: "the server failed", Hint: "the server's log says why"}
	}
	shown := *e
	shown.Err = nil
	return &shown
}
