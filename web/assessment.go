package web

import (
	"context"
	"io"
	"net/http"

	"milepost/schemas"
)

// Assessments makes drafts of assessments and finalises them.
type Assessments interface {
	// DraftAssessment writes the assessment of the year, as known at the
	// sequence.
	DraftAssessment(ctx context.Context, w io.Writer, year int, known uint64, form Form) error
	// FinaliseAssessment writes the finalised assessment; it finalises the year
	// when that was not done before.
	FinaliseAssessment(ctx context.Context, w io.Writer, year int, form Form) error
}

// assessment answers GET /v1/assessments/{year}?known=&edition=&format= with
// a draft.
func (a *api) assessment(w http.ResponseWriter, r *http.Request) error {
	year, err := assessedYear(r)
	if err != nil {
		return err
	}
	known, err := a.known(r.Context(), r.FormValue("known"))
	if err != nil {
		return err
	}
	return answerWith(w, formatOr(r, "json"), func(out io.Writer, format string) error {
		return a.Assessments.DraftAssessment(r.Context(), out, year, known, Form{Edition: editionOr(r), Format: format})
	})
}

// finalise answers POST /v1/assessments/{year}: it finalises the year once and
// answers with the edition, whoever finalised it.
func (a *api) finalise(w http.ResponseWriter, r *http.Request) error {
	year, err := assessedYear(r)
	if err != nil {
		return err
	}
	if known := r.FormValue("known"); known != "" {
		return &schemas.Error{Code: schemas.Invalid, Field: "known", Value: schemas.Shorten(known), Message: "a finalised assessment takes what is known when it is made", Hint: "leave it out, or draft with GET"}
	}
	return answerWith(w, formatOr(r, "json"), func(out io.Writer, format string) error {
		return a.Assessments.FinaliseAssessment(r.Context(), out, year, Form{Edition: editionOr(r), Format: format})
	})
}

// assessedYear reads the year, and refuses an edition or a format that is not one.
func assessedYear(r *http.Request) (int, error) {
	if err := checkBulletinFormat(r); err != nil {
		return 0, err
	}
	return schemas.ParseYear(r.PathValue("year"))
}
