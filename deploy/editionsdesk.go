package deploy

import (
	"context"
	"io"

	"milepost/scheduler"
	"milepost/schemas"
	"milepost/web"
)

// editionDesk serves editions over HTTP: it reads ids, and says who acts.
type editionDesk struct{ press *press }

// actorOf names who sends the request; what nobody asked for the system does.
func actorOf(ctx context.Context) string {
	if p := schemas.PrincipalOf(ctx); p != nil {
		return p.Actor()
	}
	return "system"
}

// on does something with the edition of the id.
func on(ctx context.Context, id string, act func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error)) (schemas.EditionStatus, error) {
	subject, err := scheduler.ParseID(id)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	return act(ctx, subject)
}

func (e editionDesk) Editions(ctx context.Context) ([]schemas.EditionStatus, error) {
	return e.press.desk.List(ctx)
}

func (e editionDesk) Edition(ctx context.Context, id string) (schemas.EditionStatus, error) {
	return on(ctx, id, e.press.desk.Status)
}

func (e editionDesk) Preview(ctx context.Context, w io.Writer, id string, form web.Form) error {
	subject, err := scheduler.ParseID(id)
	if err != nil {
		return err
	}
	if p := schemas.PrincipalOf(ctx); p != nil && !p.Role.May(schemas.MayRead) {
		asked := false
		if p.Role.May(schemas.MayAnswer) {
			if asked, err = e.press.desk.Asked(ctx, subject, e.speaks(ctx, "")); err != nil {
				return err
			}
		}
		if !asked {
			return &schemas.Error{Code: schemas.Forbidden, Message: "the token's role may not read drafts", Field: "Authorization", Value: string(p.Role), Hint: "departments read the drafts that they are asked about"}
		}
	}
	status, err := e.press.desk.Status(ctx, subject)
	if err != nil {
		return err
	}
	if subject.Kind == schemas.AssessmentKind {
		return e.press.previewAssessment(ctx, w, subject, form)
	}
	return e.press.preview(ctx, w, subject, status, form)
}

func (e editionDesk) EditionFile(ctx context.Context, id, name string) ([]byte, string, error) {
	subject, err := scheduler.ParseID(id)
	if err != nil {
		return nil, "", err
	}
	file, published, err := e.press.desk.File(ctx, subject, name)
	return file.Content, published.SHA256, err
}

func (e editionDesk) DraftEdition(ctx context.Context, id string, blocks *schemas.EditorBlocks) (schemas.EditionStatus, error) {
	return on(ctx, id, func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error) {
		if subject.Correction > 0 {
			subject.Correction--
			return e.press.desk.Correct(ctx, actorOf(ctx), subject, "", blocks, true)
		}
		if subject.Kind == schemas.AssessmentKind {
			return schemas.EditionStatus{}, &schemas.Error{Code: schemas.Invalid, Message: "an assessment is not drafted by this command", Field: "id", Value: id, Hint: "assess " + subject.Period + " drafts it, --announce announces it, --finalise freezes it"}
		}
		period, err := schemas.ParsePeriod(subject.Period)
		if err != nil {
			return schemas.EditionStatus{}, err
		}
		return e.press.desk.DraftPeriod(ctx, actorOf(ctx), period, blocks)
	})
}

func (e editionDesk) Approve(ctx context.Context, id string) (schemas.EditionStatus, error) {
	return on(ctx, id, func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error) {
		return e.press.desk.Approve(ctx, actorOf(ctx), subject)
	})
}

func (e editionDesk) Return(ctx context.Context, id, remark string) (schemas.EditionStatus, error) {
	return on(ctx, id, func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error) {
		return e.press.desk.Return(ctx, actorOf(ctx), subject, remark)
	})
}

func (e editionDesk) PublishEdition(ctx context.Context, id string) (schemas.EditionStatus, error) {
	return on(ctx, id, e.press.desk.Publish)
}

func (e editionDesk) Withdraw(ctx context.Context, id, reason string) (schemas.EditionStatus, error) {
	return on(ctx, id, func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error) {
		return e.press.desk.Withdraw(ctx, subject, reason)
	})
}

func (e editionDesk) CorrectEdition(ctx context.Context, id, remark string, blocks *schemas.EditorBlocks, draftOnly bool) (schemas.EditionStatus, error) {
	return on(ctx, id, func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error) {
		return e.press.desk.Correct(ctx, actorOf(ctx), subject, remark, blocks, draftOnly)
	})
}

func (e editionDesk) Consult(ctx context.Context, id string, departments []string, until schemas.Date) (schemas.EditionStatus, error) {
	return on(ctx, id, func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error) {
		return e.press.desk.Consult(ctx, subject, departments, until)
	})
}

func (e editionDesk) CloseConsultation(ctx context.Context, id string) (schemas.EditionStatus, error) {
	return on(ctx, id, e.press.desk.CloseConsultation)
}

func (e editionDesk) Answer(ctx context.Context, id, department, text string) (schemas.EditionStatus, error) {
	return on(ctx, id, func(ctx context.Context, subject scheduler.Subject) (schemas.EditionStatus, error) {
		return e.press.desk.Answer(ctx, actorOf(ctx), subject, e.speaks(ctx, department), text)
	})
}

// speaks tells for which departments the sender speaks: a department's token
// for its own, of them the one that is named if one is; an admin for the one
// that is named.
func (e editionDesk) speaks(ctx context.Context, named string) func(string) bool {
	today := schemas.DateOf(e.press.now())
	directory := e.press.book.On(today).Departments
	p := schemas.PrincipalOf(ctx)
	return func(department string) bool {
		if named != "" && directory.NameOn(named, today) != directory.NameOn(department, today) {
			return false
		}
		if p != nil && p.Role == schemas.RoleDepartment {
			return p.Named(department, today, directory)
		}
		return named != ""
	}
}

func (e editionDesk) Announce(ctx context.Context, year, days int, again bool) (schemas.EditionStatus, error) {
	return e.press.desk.Announce(ctx, year, days, again)
}

func (e editionDesk) Object(ctx context.Context, year int, group, key, text string) (schemas.EditionStatus, error) {
	return e.press.desk.Object(ctx, year, group, key, text)
}
