package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"

	"milepost/schemas"
)

// Editions are drafted, approved, published, corrected and withdrawn. Who acts
// is in the context (schemas.PrincipalOf); ids are those of EditionStatus.
type Editions interface {
	// Editions lists drafts and editions.
	Editions(ctx context.Context) ([]schemas.EditionStatus, error)
	Edition(ctx context.Context, id string) (schemas.EditionStatus, error)
	// Preview writes the draft. Who may not read drafts reads those that their
	// department is asked about.
	Preview(ctx context.Context, w io.Writer, id string, form Form) error
	// EditionFile gives a file as it was published, and its SHA-256 in hex.
	EditionFile(ctx context.Context, id, name string) (content []byte, sha256 string, err error)

	// DraftEdition drafts; blocks are the editor's own paragraphs, nil keeps them.
	DraftEdition(ctx context.Context, id string, blocks *schemas.EditorBlocks) (schemas.EditionStatus, error)
	Approve(ctx context.Context, id string) (schemas.EditionStatus, error)
	Return(ctx context.Context, id, remark string) (schemas.EditionStatus, error)
	PublishEdition(ctx context.Context, id string) (schemas.EditionStatus, error)
	Withdraw(ctx context.Context, id, reason string) (schemas.EditionStatus, error)
	// CorrectEdition publishes a 更正, or drafts it only.
	CorrectEdition(ctx context.Context, id, remark string, blocks *schemas.EditorBlocks, draftOnly bool) (schemas.EditionStatus, error)
	// Consult asks departments until a day; without any, all that the draft
	// counts. CloseConsultation ends it early.
	Consult(ctx context.Context, id string, departments []string, until schemas.Date) (schemas.EditionStatus, error)
	CloseConsultation(ctx context.Context, id string) (schemas.EditionStatus, error)
	// Answer answers for a department; its own token need not name it.
	Answer(ctx context.Context, id, department, text string) (schemas.EditionStatus, error)

	// Announce announces an assessment for so many days, 0 as configured.
	Announce(ctx context.Context, year, days int, again bool) (schemas.EditionStatus, error)
	Object(ctx context.Context, year int, group, key, text string) (schemas.EditionStatus, error)
}

func (a *api) editionRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/editions", answer(a.editions))
	mux.HandleFunc("GET /v1/editions/{id}", answer(a.edition))
	mux.HandleFunc("GET /v1/editions/{id}/preview", answer(a.preview))
	mux.HandleFunc("GET /v1/editions/{id}/files/{name}", answer(a.editionFile))
	for act, do := range map[string]func(context.Context, string, editionWish) (schemas.EditionStatus, error){
		"draft": func(ctx context.Context, id string, w editionWish) (schemas.EditionStatus, error) {
			return a.Editions.DraftEdition(ctx, id, w.Remarks)
		},
		"approve": func(ctx context.Context, id string, _ editionWish) (schemas.EditionStatus, error) {
			return a.Editions.Approve(ctx, id)
		},
		"return": func(ctx context.Context, id string, w editionWish) (schemas.EditionStatus, error) {
			return a.Editions.Return(ctx, id, w.Remark)
		},
		"publish": func(ctx context.Context, id string, _ editionWish) (schemas.EditionStatus, error) {
			return a.Editions.PublishEdition(ctx, id)
		},
		"withdraw": func(ctx context.Context, id string, w editionWish) (schemas.EditionStatus, error) {
			return a.Editions.Withdraw(ctx, id, w.Reason)
		},
		"correct": func(ctx context.Context, id string, w editionWish) (schemas.EditionStatus, error) {
			return a.Editions.CorrectEdition(ctx, id, w.Remark, w.Remarks, w.Draft)
		},
		"consult": func(ctx context.Context, id string, w editionWish) (schemas.EditionStatus, error) {
			if w.Close {
				return a.Editions.CloseConsultation(ctx, id)
			}
			return a.Editions.Consult(ctx, id, w.Departments, w.Until)
		},
		"answer": func(ctx context.Context, id string, w editionWish) (schemas.EditionStatus, error) {
			return a.Editions.Answer(ctx, id, w.Department, w.Text)
		},
	} {
		mux.HandleFunc("POST /v1/editions/{id}/"+act, answer(func(w http.ResponseWriter, r *http.Request) error {
			wish, err := readWish(r)
			if err != nil {
				return err
			}
			status, err := do(r.Context(), r.PathValue("id"), wish)
			return answerStatus(w, status, err)
		}))
	}
	mux.HandleFunc("POST /v1/assessments/{year}/announce", answer(a.announce))
	mux.HandleFunc("POST /v1/assessments/{year}/object", answer(a.object))
}

// editionWish is the body of an act: each takes the members that it needs.
type editionWish struct {
	Remarks     *schemas.EditorBlocks `json:"remarks"` // draft, correct
	Remark      string                `json:"remark"`  // return, correct
	Reason      string                `json:"reason"`  // withdraw
	Draft       bool                  `json:"draft"`   // correct
	Departments []string              `json:"departments"`
	Until       schemas.Date          `json:"until"` // consult
	Close       bool                  `json:"close"`
	Department  string                `json:"department"` // answer
	Text        string                `json:"text"`       // answer, object
	Days        int                   `json:"days"`       // announce
	Again       bool                  `json:"again"`      // announce
	Group       string                `json:"group"`      // object
	Key         string                `json:"key"`
}

// readWish reads the body; an empty one wishes nothing.
func readWish(r *http.Request) (editionWish, error) {
	var wish editionWish
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&wish)
	if errors.Is(err, io.EOF) {
		return wish, nil
	}
	var known *schemas.Error
	if errors.As(err, &known) {
		return wish, known
	}
	if err != nil {
		return wish, &schemas.Error{Code: schemas.Malformed, Message: "the body does not read", Hint: "send a JSON object with the members that the interface documents", Err: err}
	}
	return wish, nil
}

func answerStatus(w http.ResponseWriter, status any, err error) error {
	if err != nil {
		return err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(status); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(text.Bytes())
	return err
}

func (a *api) editions(w http.ResponseWriter, r *http.Request) error {
	list, err := a.Editions.Editions(r.Context())
	return answerStatus(w, list, err)
}

func (a *api) edition(w http.ResponseWriter, r *http.Request) error {
	status, err := a.Editions.Edition(r.Context(), r.PathValue("id"))
	return answerStatus(w, status, err)
}

func (a *api) preview(w http.ResponseWriter, r *http.Request) error {
	if err := checkBulletinFormat(r); err != nil {
		return err
	}
	return answerWith(w, formatOr(r, "html"), func(out io.Writer, format string) error {
		return a.Editions.Preview(r.Context(), out, r.PathValue("id"), Form{Edition: editionOr(r), Format: format})
	})
}

// editionFile answers with a published file, which never changes.
func (a *api) editionFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	content, sum, err := a.Editions.EditionFile(r.Context(), r.PathValue("id"), name)
	if err != nil {
		return err
	}
	kind := contentType(path.Ext(name)[min(1, len(path.Ext(name))):])
	if kind == "" {
		kind = "application/octet-stream"
	}
	tag := `"` + sum + `"`
	w.Header().Set("ETag", tag)
	// An edition may be withdrawn at any time: what is kept is asked for again.
	w.Header().Set("Cache-Control", "private, no-cache")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	_, err = w.Write(content)
	return err
}

func (a *api) announce(w http.ResponseWriter, r *http.Request) error {
	year, err := schemas.ParseYear(r.PathValue("year"))
	if err != nil {
		return err
	}
	wish, err := readWish(r)
	if err != nil {
		return err
	}
	status, err := a.Editions.Announce(r.Context(), year, wish.Days, wish.Again)
	return answerStatus(w, status, err)
}

func (a *api) object(w http.ResponseWriter, r *http.Request) error {
	year, err := schemas.ParseYear(r.PathValue("year"))
	if err != nil {
		return err
	}
	wish, err := readWish(r)
	if err != nil {
		return err
	}
	status, err := a.Editions.Object(r.Context(), year, wish.Group, wish.Key, wish.Text)
	return answerStatus(w, status, err)
}
