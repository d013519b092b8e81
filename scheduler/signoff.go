package scheduler

import (
	"context"
	"fmt"
	"slices"

	"milepost/schemas"
)

// DeskConfig is what a Desk stands on.
type DeskConfig struct {
	Drafting  *Drafting
	Scheduler *Scheduler
	// SecondPerson asks that another person than the drafter approves.
	SecondPerson bool
	// AnnouncementDays is how long an assessment is announced (公示) when nobody
	// says otherwise.
	AnnouncementDays int
	// Department gives the directory's name of a department on a day.
	Department func(word string, day schemas.Date) string
}

// Desk is where editors sign off: what is drafted, returned, approved,
// published, corrected and withdrawn. Every act may be repeated; the repetition
// changes nothing. Who acts is given as schemas.Principal.Actor.
type Desk struct {
	*Drafting
	c DeskConfig
	s *Scheduler
}

// NewDesk gives the desk.
func NewDesk(c DeskConfig) *Desk { return &Desk{Drafting: c.Drafting, c: c, s: c.Scheduler} }

// DraftPeriod drafts the period's bulletin as known now. blocks are the
// editor's own paragraphs; nil keeps those of the draft that is there.
func (d *Desk) DraftPeriod(ctx context.Context, by string, period schemas.Period, blocks *schemas.EditorBlocks) (schemas.EditionStatus, error) {
	if err := checkBlocks(blocks); err != nil {
		return schemas.EditionStatus{}, err
	}
	if err := d.ended(period); err != nil {
		return schemas.EditionStatus{}, err
	}
	subject := Bulletin(period)
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	if e, ok := issued.of(subject); ok {
		return schemas.EditionStatus{}, wrongState(subject, fmt.Sprintf("the period was published as 第%d期", e.Number), "correct "+issued.subjectOf(e, subject.Year).ID()+" makes a numbered 更正")
	}
	known, err := d.s.knownFor(ctx, subject, issued.LastSeq)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	b, err := d.settle(ctx, subject, known)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	if blocks != nil {
		b.blocks = blocks
	}
	if _, _, err := d.redraft(ctx, by, subject, b); err != nil {
		return schemas.EditionStatus{}, err
	}
	return d.Status(ctx, subject)
}

// knownFor is watermarkFor for a person, who does not wait for a run.
func (s *Scheduler) knownFor(ctx context.Context, subject Subject, last uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watermarkFor(ctx, subject, last)
}

// ended refuses a period whose reports are not due yet.
func (d *Desk) ended(period schemas.Period) error {
	if from := publishable(period, d.s.c.ReportDay); d.Now().Before(from) {
		return &schemas.Error{Code: schemas.Invalid, Message: "the period's reports are not due yet", Field: "period", Value: period.String(),
			Hint: fmt.Sprintf("draft it from %s on; milepost bulletin prints one at any time", schemas.DateOf(from))}
	}
	return nil
}

func wrongState(subject Subject, message, hint string) error {
	return &schemas.Error{Code: schemas.Conflict, Message: message, Field: "id", Value: subject.ID(), Hint: hint}
}

func noDraft(subject Subject) error {
	return &schemas.Error{Code: schemas.NotFound, Message: "no draft and no edition of this id", Field: "id", Value: subject.ID(), Hint: "milepost draft " + subject.Period + " makes one; milepost editions lists what there is"}
}

// open changes a draft that is not published.
func (d *Desk) open(ctx context.Context, subject Subject, change func(*schemas.EditionDraft) (bool, error)) (schemas.EditionStatus, error) {
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	if e, ok := issued.exactly(subject); ok {
		return schemas.EditionStatus{}, wrongState(subject, fmt.Sprintf("it was published as 第%d期 and never changes", e.Number), "correct or withdraw it")
	}
	_, _, err = d.save(ctx, subject.ID(), func(draft *schemas.EditionDraft, there bool) (bool, error) {
		if !there {
			return false, noDraft(subject)
		}
		return change(draft)
	})
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	return d.Status(ctx, subject)
}

// Approve approves the draft as it stands.
func (d *Desk) Approve(ctx context.Context, by string, subject Subject) (schemas.EditionStatus, error) {
	return d.open(ctx, subject, func(draft *schemas.EditionDraft) (bool, error) {
		switch {
		case draft.State == schemas.EditionReturned:
			return false, wrongState(subject, "the draft was returned", "draft it again, then approve it")
		case draft.Approved != nil:
			return false, nil
		case d.c.SecondPerson && draft.Drafted.By == by:
			return false, secondPerson(subject)
		}
		if waiting := waitingFor(draft.Consultation, schemas.DateOf(d.Now())); len(waiting) > 0 {
			return false, wrongState(subject, "departments may still answer (征求意见): "+listWords(waiting),
				"wait until "+draft.Consultation.Until.String()+", or end the round by consult "+subject.ID()+" --close")
		}
		act := d.act(by)
		draft.Approved = &act
		return true, nil
	})
}

func secondPerson(subject Subject) error {
	return &schemas.Error{Code: schemas.Forbidden, Message: "another person than the drafter approves here", Field: "id", Value: subject.ID(), Hint: "let another editor approve it with a token of their own"}
}

// Return gives the draft back with a remark.
func (d *Desk) Return(ctx context.Context, by string, subject Subject, remark string) (schemas.EditionStatus, error) {
	if err := checkText("remark", remark); err != nil {
		return schemas.EditionStatus{}, err
	}
	return d.open(ctx, subject, func(draft *schemas.EditionDraft) (bool, error) {
		if last := len(draft.Returns) - 1; draft.State == schemas.EditionReturned && draft.Returns[last].Text == remark {
			return false, nil
		}
		if len(draft.Returns) >= maxReturns {
			return false, wrongState(subject, "the draft was returned too often", "publish it, or correct it afterwards")
		}
		draft.State, draft.Approved = schemas.EditionReturned, nil
		draft.Returns = append(draft.Returns, schemas.EditionRemark{EditionAct: d.act(by), Text: remark})
		return true, nil
	})
}

// Publish publishes the approved draft: exactly what was approved.
func (d *Desk) Publish(ctx context.Context, subject Subject) (schemas.EditionStatus, error) {
	draft, _, err := d.Store.Draft(ctx, subject.ID())
	drafted := err == nil
	if err != nil && schemas.CodeOf(err) != schemas.NotFound {
		return schemas.EditionStatus{}, err
	}
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	_, published := issued.exactly(subject)
	switch {
	case published:
	case !drafted:
		return schemas.EditionStatus{}, noDraft(subject)
	case draft.State == schemas.EditionReturned:
		return schemas.EditionStatus{}, wrongState(subject, "the draft was returned", "draft it again, approve it, then publish it")
	case draft.Approved == nil:
		return schemas.EditionStatus{}, wrongState(subject, "nobody approved the draft", "approve "+subject.ID()+" first")
	}
	edition, err := d.publish(ctx, subject, basis{known: draft.KnownSeq, rulesHash: draft.RulesHash, blocks: &draft.Blocks, remark: publicationRemark(&issued, subject, draft.Remark)})
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	if drafted && edition.KnownSeq != draft.KnownSeq {
		return schemas.EditionStatus{}, wrongState(subject, fmt.Sprintf("the period was published meanwhile as 第%d期, not from this draft", edition.Number), "correct "+subject.ID()+" if it is to be changed")
	}
	return d.Status(ctx, subject)
}

// publicationRemark says in the event which edition a correction corrects.
func publicationRemark(issued *Issued, subject Subject, remark string) string {
	corrected := issued.corrected(subject)
	if corrected == nil {
		return remark
	}
	said := fmt.Sprintf("更正第%d期", corrected.Number)
	if remark != "" {
		said += "：" + remark
	}
	return said
}

func (d *Desk) publish(ctx context.Context, subject Subject, b basis) (Edition, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.s.issueFrom(ctx, subject, &b)
}

// PublishNow drafts the period, unless an approved draft waits, and publishes it
// in one; a period that was published already gives its latest edition. Where
// another person approves, only an approved draft is published.
func (d *Desk) PublishNow(ctx context.Context, by string, period schemas.Period) (schemas.EditionStatus, error) {
	if err := d.ended(period); err != nil {
		return schemas.EditionStatus{}, err
	}
	subject := Bulletin(period)
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	if edition, ok := issued.of(subject); ok {
		return d.publishedNow(ctx, issued.subjectOf(edition, subject.Year), edition, period)
	}
	draft, _, err := d.Store.Draft(ctx, subject.ID())
	switch {
	case err != nil && schemas.CodeOf(err) != schemas.NotFound:
		return schemas.EditionStatus{}, err
	case err == nil && draft.Approved != nil:
	case d.c.SecondPerson:
		return schemas.EditionStatus{}, secondPerson(subject)
	default:
		_, err := d.DraftPeriod(ctx, by, period, nil)
		if err == nil {
			_, err = d.Approve(ctx, by, subject)
		}
		if schemas.CodeOf(err) == schemas.Conflict {
			// Another may have published it in between.
			if issued, again := d.Editions.Published(ctx, subject.Kind, subject.Year); again == nil {
				if edition, ok := issued.of(subject); ok {
					return d.publishedNow(ctx, issued.subjectOf(edition, subject.Year), edition, period)
				}
			}
		}
		if err != nil {
			return schemas.EditionStatus{}, err
		}
	}
	return d.Publish(ctx, subject)
}

// publishedNow gives an edition that was published before, and sees to its
// files.
func (d *Desk) publishedNow(ctx context.Context, subject Subject, edition Edition, period schemas.Period) (schemas.EditionStatus, error) {
	if err := gone(subject, edition); err != nil {
		return schemas.EditionStatus{}, err
	}
	if _, err := d.s.Publish(ctx, period); err != nil {
		return schemas.EditionStatus{}, err
	}
	return d.Status(ctx, subject)
}

// gone refuses a withdrawn edition with the reason.
func gone(subject Subject, e Edition) error {
	if e.Withdrawn == nil {
		return nil
	}
	return &schemas.Error{Code: schemas.Withdrawn, Message: fmt.Sprintf("第%d期 was withdrawn: %s", e.Number, e.Withdrawn.Reason), Field: "id", Value: subject.ID(),
		Hint: "correct " + subject.ID() + " makes a numbered edition in its place"}
}

func listWords(words []string) string {
	const most = 8
	shown := words[:min(most, len(words))]
	text := ""
	for i, w := range shown {
		if i > 0 {
			text += "、"
		}
		text += w
	}
	if len(words) > most {
		text += "……"
	}
	return text
}

// waitingFor lists the departments that may still answer.
func waitingFor(c *schemas.Consultation, today schemas.Date) []string {
	if c == nil || c.Closed || today > c.Until {
		return nil
	}
	var waiting []string
	for _, department := range c.Departments {
		if !slices.ContainsFunc(c.Answers, func(a schemas.ConsultationAnswer) bool { return a.Department == department }) {
			waiting = append(waiting, department)
		}
	}
	return waiting
}
