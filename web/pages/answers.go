package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"milepost/schemas"
)

type answersContent struct {
	Open, Ended []askedRow
	// One is the round that is answered; nil in the list.
	One   *askedRow
	Done  string
	Typed string
	Wrong *schemas.Error
}

// askedRow is a draft that the sender's departments are asked about.
type askedRow struct {
	schemas.EditionStatus
	Name        string
	IsOpen      bool
	Departments []string // those that the sender speaks for
	Answers     []schemas.ConsultationAnswer
}

func (p *Pages) askedOf(r *http.Request, s schemas.EditionStatus) *askedRow {
	if s.Draft == nil || s.Draft.Consultation == nil {
		return nil
	}
	round := s.Draft.Consultation
	own := p.Desk.SpeaksFor(r.Context(), round.Departments)
	if len(own) == 0 {
		return nil
	}
	unpublished := s.State == schemas.EditionDrafted || s.State == schemas.EditionReturned
	row := &askedRow{EditionStatus: s, Name: s.Period + " " + kindNames[s.Kind], IsOpen: unpublished && openRound(round, schemas.DateOf(p.Now())), Departments: own}
	for _, answer := range round.Answers {
		if slices.Contains(own, answer.Department) {
			row.Answers = append(row.Answers, answer)
		}
	}
	return row
}

// answers answers GET /answers with the drafts that the sender's departments are
// asked about (征求意见).
func (p *Pages) answers(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Desk.Editions(r.Context())
	if err != nil {
		return err
	}
	var c answersContent
	for _, s := range list {
		row := p.askedOf(r, s)
		switch {
		case row == nil:
		case row.IsOpen:
			c.Open = append(c.Open, *row)
		default:
			c.Ended = append(c.Ended, *row)
		}
	}
	slices.Reverse(c.Ended)
	return p.show(w, r, http.StatusOK, "answers", "征求意见", &c)
}

// asked answers GET /answers/{id} with the draft and the form of the answer.
func (p *Pages) asked(w http.ResponseWriter, r *http.Request) error {
	return p.showAsked(w, r, http.StatusOK, &answersContent{Done: doneWords[r.FormValue("done")]})
}

func (p *Pages) showAsked(w http.ResponseWriter, r *http.Request, status int, c *answersContent) error {
	s, err := p.Desk.Edition(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if c.One = p.askedOf(r, s); c.One == nil {
		return &schemas.Error{Code: schemas.Forbidden, Message: "the sender's department was not asked", Field: "id"}
	}
	if c.Typed == "" && len(c.One.Answers) == 1 {
		c.Typed = c.One.Answers[0].Text
	}
	w.Header().Set("Content-Security-Policy", contentPolicy+"; frame-src 'self'")
	return p.show(w, r, status, "answers", "征求意见 "+c.One.Name, c)
}

// answer answers POST /answers/{id}.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) error {
	text := plainText(r.PostFormValue("text"))
	_, err := p.Desk.Answer(r.Context(), r.PathValue("id"), r.PostFormValue("department"), text)
	if err == nil {
		http.Redirect(w, r, "/answers/"+url.PathEscape(r.PathValue("id"))+"?done=answer", http.StatusSeeOther)
		return nil
	}
	var wrong *schemas.Error
	if !errors.As(err, &wrong) {
		return err
	}
	p.refused(r.Context(), wrong.Code)
	return p.showAsked(w, r, wrong.Code.Status(), &answersContent{Typed: text, Wrong: inChinese(wrong)})
}
