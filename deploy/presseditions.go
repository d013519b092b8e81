package deploy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"milepost/consumers/warehouse"
	"milepost/producers"
	"milepost/scheduler"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/schemas"
)

// correctionMark ends the title of a 更正.
const correctionMark = "（更正）"

// Correct is Build with restatements against the corrected edition.
func (p *press) Correct(ctx context.Context, period schemas.Period, known uint64, rulesHash string, corrected scheduler.Edition) (*scheduler.Draft, error) {
	draft, err := p.correct(ctx, period, known, rulesHash, corrected.Publication, bulletin.WithDetails())
	if err != nil {
		return nil, err
	}
	subject := scheduler.Bulletin(period)
	issued, err := p.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return nil, err
	}
	for _, e := range issued.Editions {
		if e.Period == corrected.Period && e.Number <= corrected.Number {
			subject.Correction++
		}
	}
	draft.Printing, err = p.printing(ctx, subject)
	return draft, err
}

func (p *press) correct(ctx context.Context, period schemas.Period, known uint64, rulesHash string, corrected schemas.Publication, options ...bulletin.Option) (*scheduler.Draft, error) {
	defer p.builds.done(string(period.Kind), time.Now())
	rules, err := p.rulesOf(ctx, rulesHash, period)
	if err != nil {
		return nil, err
	}
	compare, err := p.compareWith(ctx, corrected, known)
	if err != nil {
		return nil, err
	}
	draft, err := bulletin.NewDraft(ctx, warehouse.NewReader(p.warehouse, rules), rules, period, known, append(options, compare)...)
	if err != nil {
		return nil, err
	}
	draft.Model.Title += correctionMark
	return &scheduler.Draft{Draft: *draft, Rules: rules}, nil
}

// reprint makes a published bulletin again from what it was made from; a
// correction is compared with the edition before it, as it was then.
func (p *press) reprint(ctx context.Context, period schemas.Period, edition schemas.Publication, options ...bulletin.Option) (*scheduler.Draft, error) {
	issued, err := p.Published(ctx, edition.Kind, period.IssueYear())
	if err != nil {
		return nil, err
	}
	var corrected *scheduler.Edition
	for i := range issued.Editions {
		if e := &issued.Editions[i]; e.Period == edition.Period && e.Number < edition.Number && (corrected == nil || e.Number > corrected.Number) {
			corrected = e
		}
	}
	var draft *scheduler.Draft
	if corrected != nil {
		draft, err = p.correct(ctx, period, edition.KnownSeq, edition.RulesHash, corrected.Publication, options...)
	} else {
		draft, err = p.build(ctx, period, edition.KnownSeq, edition.RulesHash, options...)
	}
	if err != nil {
		return nil, err
	}
	draft.Model.IssueNo = &edition.Number
	return draft, nil
}

// printing says how the files of the edition are made: with the paragraphs of
// its draft, else with those that the office keeps in its folder.
func (p *press) printing(ctx context.Context, subject scheduler.Subject) (scheduler.Printing, error) {
	printing := scheduler.Printing{Writer: p.documents, Formats: p.formats, Style: p.documents.Style()}
	draft, _, err := p.drafts.Draft(ctx, subject.ID())
	switch schemas.CodeOf(err) {
	case "":
		printing.Remarks = render.Remarks(draft.Blocks)
		return printing, nil
	case schemas.NotFound:
		printing.Remarks, err = p.documents.Remarks("bulletin-" + subject.Period)
	}
	return printing, err
}

// Published gives the editions of a kind and year from the stream.
func (p *press) Published(ctx context.Context, kind string, year int) (scheduler.Issued, error) {
	events, last, err := producers.Editions(ctx, p.js, kind, year)
	if err != nil {
		return scheduler.Issued{}, err
	}
	issued := scheduler.Issued{LastSeq: last}
	for _, e := range events {
		edition := scheduler.Edition{Publication: *e.Publication, Seq: e.Seq, At: e.Time}
		switch e.Type {
		case schemas.BulletinPublished, schemas.AssessmentFinalised:
			issued.Editions = append(issued.Editions, edition)
		case schemas.BulletinWithdrawn:
			withdraw(issued.Editions, edition)
		case schemas.AssessmentAnnounced:
			issued.Announcements++
			issued.Announced = &scheduler.Announcement{Edition: edition, Until: scheduler.AnnouncedUntil(e.Publication.Remarks)}
		case schemas.AssessmentObjected:
			issued.Objections = append(issued.Objections, schemas.EditionObjection{ID: e.ID, Seq: e.Seq, At: e.Time, Text: e.Publication.Remarks})
		}
	}
	return issued, nil
}

// withdraw marks the edition that the tombstone names.
func withdraw(editions []scheduler.Edition, tombstone scheduler.Edition) {
	i := slices.IndexFunc(editions, func(e scheduler.Edition) bool {
		return e.Kind == tombstone.Kind && e.Period == tombstone.Period && e.Number == tombstone.Number
	})
	if i >= 0 && editions[i].Withdrawn == nil {
		editions[i].Withdrawn = &schemas.EditionWithdrawal{Seq: tombstone.Seq, At: tombstone.At, Reason: tombstone.Remarks}
	}
}

// Numberings lists the kinds and years with events on editions.
func (p *press) Numberings(ctx context.Context) ([]scheduler.Numbering, error) {
	subjects, err := producers.EditionSubjects(ctx, p.js)
	if err != nil {
		return nil, err
	}
	var list []scheduler.Numbering
	for _, subject := range subjects {
		kind, given, ok := strings.Cut(strings.TrimPrefix(subject, "_"), "-")
		year, err := strconv.Atoi(given)
		if !ok || err != nil || schemas.PublicationSubject(kind, year) != subject {
			continue // no event of the contract: a dead letter
		}
		list = append(list, scheduler.Numbering{Kind: kind, Year: year})
	}
	return list, nil
}

// Append publishes the event if nothing came between. What no person asked for
// is recorded in the audit as the system's act, as that of a person is by the
// guard before the routes.
func (p *press) Append(ctx context.Context, publication *schemas.Event, last uint64) (uint64, error) {
	seq, err := p.append(ctx, publication, last)
	if err == nil || seq > 0 {
		p.appended()
	}
	return seq, err
}

func (p *press) append(ctx context.Context, publication *schemas.Event, last uint64) (uint64, error) {
	if schemas.PrincipalOf(ctx) != nil {
		return p.publisher.PublishExpecting(ctx, publication, last)
	}
	record := &schemas.AuditRecord{Action: "edition.publish", Actor: "system", Result: schemas.AuditBegun, Target: publication.ID, Requests: 1}
	if err := p.trail.Write(ctx, record); err != nil {
		return 0, err
	}
	seq, err := p.publisher.PublishExpecting(ctx, publication, last)
	record.Result, record.Code = schemas.AuditDone, schemas.CodeOf(err)
	switch {
	case schemas.CodeOf(err) == schemas.Conflict:
		record.Result = schemas.AuditRefused // another replica was first
	case err != nil:
		record.Result = schemas.AuditFailed
	default:
		record.Published, record.FirstSeq, record.LastSeq = 1, seq, seq
	}
	if auditErr := p.trail.Write(context.WithoutCancel(ctx), record); auditErr != nil && err == nil {
		// The edition stands; that it was begun is recorded.
		return seq, fmt.Errorf("the audit of %s: %w", publication.ID, auditErr)
	}
	return seq, err
}

// department gives the directory's name of a department on a day.
func (p *press) department(word string, day schemas.Date) string {
	return p.book.On(day).Departments.NameOn(word, day)
}
