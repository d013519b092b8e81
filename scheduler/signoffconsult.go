package scheduler

import (
	"context"
	"fmt"
	"slices"

	"milepost/schemas"
)

// Consult opens a 征求意见 round for the draft, or moves its end: the departments
// may answer until the end of the day. Without departments all are asked that
// the draft counts. Answers stay.
func (d *Desk) Consult(ctx context.Context, subject Subject, departments []string, until schemas.Date) (schemas.EditionStatus, error) {
	today := schemas.DateOf(d.Now())
	if until < today {
		return schemas.EditionStatus{}, &schemas.Error{Code: schemas.Invalid, Message: "the last day has passed", Field: "until", Value: until.String(), Hint: "name " + today.String() + " or a later day"}
	}
	if len(departments) > maxDepartments {
		return schemas.EditionStatus{}, &schemas.Error{Code: schemas.Invalid, Message: "too many departments", Field: "departments", Value: fmt.Sprint(len(departments)), Hint: fmt.Sprintf("name at most %d", maxDepartments)}
	}
	var names []string
	for _, word := range departments {
		if err := checkText("departments", word); err != nil {
			return schemas.EditionStatus{}, err
		}
		if name := d.c.Department(word, today); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		draft, _, err := d.Store.Draft(ctx, subject.ID())
		if err != nil {
			return schemas.EditionStatus{}, err
		}
		if names, err = d.counted(ctx, subject, &draft); err != nil {
			return schemas.EditionStatus{}, err
		}
	}
	return d.open(ctx, subject, func(draft *schemas.EditionDraft) (bool, error) {
		c := draft.Consultation
		if c != nil && !c.Closed && c.Until == until && slices.Equal(c.Departments, names) {
			return false, nil
		}
		next := schemas.Consultation{Departments: names, Until: until}
		if c != nil {
			next.Answers = c.Answers
		}
		draft.Consultation = &next
		return true, nil
	})
}

// counted lists the departments that the draft counts.
func (d *Desk) counted(ctx context.Context, subject Subject, draft *schemas.EditionDraft) ([]string, error) {
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return nil, err
	}
	p, err := d.s.build(ctx, subject, basis{known: draft.KnownSeq, rulesHash: draft.RulesHash}, issued.corrected(subject))
	if err != nil {
		return nil, err
	}
	if len(p.departments) == 0 {
		return nil, &schemas.Error{Code: schemas.Invalid, Message: "the draft counts no department", Field: "departments", Hint: "name those to be asked"}
	}
	return p.departments, nil
}

// CloseConsultation ends the round early.
func (d *Desk) CloseConsultation(ctx context.Context, subject Subject) (schemas.EditionStatus, error) {
	return d.open(ctx, subject, func(draft *schemas.EditionDraft) (bool, error) {
		if draft.Consultation == nil {
			return false, wrongState(subject, "nobody was asked", "open a round by consult "+subject.ID()+" --until DATE")
		}
		changed := !draft.Consultation.Closed
		draft.Consultation.Closed = true
		return changed, nil
	})
}

// Answer records what a department says of the draft, in place of what it said
// before. speaksFor tells for which departments the sender speaks.
func (d *Desk) Answer(ctx context.Context, by string, subject Subject, speaksFor func(department string) bool, text string) (schemas.EditionStatus, error) {
	if err := checkText("text", text); err != nil {
		return schemas.EditionStatus{}, err
	}
	return d.open(ctx, subject, func(draft *schemas.EditionDraft) (bool, error) {
		c := draft.Consultation
		if c == nil {
			return false, wrongState(subject, "nobody was asked", "wait until an editor asks for answers (征求意见)")
		}
		i := slices.IndexFunc(c.Departments, speaksFor)
		if i < 0 {
			return false, &schemas.Error{Code: schemas.Forbidden, Message: "the sender's department was not asked", Field: "department", Hint: "asked were " + listWords(c.Departments)}
		}
		if c.Closed || schemas.DateOf(d.Now()) > c.Until {
			return false, wrongState(subject, "the round has ended", "it ended on "+c.Until.String()+"; tell the editor")
		}
		answer := schemas.ConsultationAnswer{EditionAct: d.act(by), Department: c.Departments[i], Text: text}
		at := slices.IndexFunc(c.Answers, func(a schemas.ConsultationAnswer) bool { return a.Department == answer.Department })
		switch {
		case at < 0:
			c.Answers = append(c.Answers, answer)
		case c.Answers[at].Text == text:
			return false, nil
		default:
			c.Answers[at] = answer
		}
		size := 0
		for _, a := range c.Answers {
			size += len(a.Text)
		}
		if size > maxAnswerBytes {
			return false, &schemas.Error{Code: schemas.TooLarge, Message: "the answers are too long together", Field: "text", Hint: "write a shorter one"}
		}
		return true, nil
	})
}

// Asked tells whether one of the departments is asked about the draft, open or
// not: those may read it.
func (d *Desk) Asked(ctx context.Context, subject Subject, speaksFor func(department string) bool) (bool, error) {
	draft, _, err := d.Store.Draft(ctx, subject.ID())
	if schemas.CodeOf(err) == schemas.NotFound {
		return false, nil
	}
	return err == nil && draft.Consultation != nil && slices.ContainsFunc(draft.Consultation.Departments, speaksFor), err
}

// standsOn gives what a draft or edition is printed from, and the edition; nil
// for a draft.
func (d *Desk) standsOn(ctx context.Context, subject Subject, issued *Issued) (basis, *Edition, error) {
	draft, _, err := d.Store.Draft(ctx, subject.ID())
	drafted := err == nil
	if err != nil && schemas.CodeOf(err) != schemas.NotFound {
		return basis{}, nil, err
	}
	b := basis{known: draft.KnownSeq, rulesHash: draft.RulesHash, blocks: &draft.Blocks}
	edition, published := issued.exactly(subject)
	switch {
	case published:
		if err := gone(subject, edition); err != nil {
			return basis{}, nil, err
		}
		b.known, b.rulesHash = edition.KnownSeq, edition.RulesHash
		if !drafted {
			b.blocks = nil
		}
		return b, &edition, nil
	case !drafted:
		return basis{}, nil, noDraft(subject)
	}
	return b, nil, nil
}

// DraftAssessment gives the assessment of a correction's draft as it would be
// printed, or of a finalised one; the edition is nil for a draft.
func (d *Desk) DraftAssessment(ctx context.Context, subject Subject) (*AssessmentDraft, *Edition, error) {
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return nil, nil, err
	}
	b, edition, err := d.standsOn(ctx, subject, &issued)
	if err != nil {
		return nil, nil, err
	}
	draft, err := d.Builder.Assess(ctx, subject.Year, b.known, b.rulesHash)
	return draft, edition, err
}

// Draft gives the document of a draft as it would be printed, with its own
// blocks; a published edition is printed from what it was made from.
func (d *Desk) Draft(ctx context.Context, subject Subject) (*Draft, error) {
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return nil, err
	}
	b, edition, err := d.standsOn(ctx, subject, &issued)
	if err != nil {
		return nil, err
	}
	model, err := d.s.buildBulletin(ctx, subject, b, issued.corrected(subject))
	if err != nil {
		return nil, err
	}
	if edition != nil {
		model.Model.IssueNo = &edition.Number
	}
	return model, nil
}
