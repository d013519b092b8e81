package scheduler

import (
	"context"
	"fmt"

	"milepost/schemas"
)

// Correct makes a 更正 of a published or withdrawn edition: a numbered edition of
// its own, at what is known now, that says what changed against the one it
// corrects. It is published at once unless draftOnly leaves it to approval, as
// it must be where another person approves. An edition that was corrected gives
// its correction.
//
// blocks are the editor's own paragraphs; nil keeps those of the correction's
// draft, or of what it corrects.
func (d *Desk) Correct(ctx context.Context, by string, subject Subject, remark string, blocks *schemas.EditorBlocks, draftOnly bool) (schemas.EditionStatus, error) {
	if remark != "" {
		if err := checkText("remark", remark); err != nil {
			return schemas.EditionStatus{}, err
		}
	}
	if err := checkBlocks(blocks); err != nil {
		return schemas.EditionStatus{}, err
	}
	next, settled, err := d.correction(ctx, subject, remark, blocks)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	if settled == nil {
		return d.Status(ctx, next)
	}
	if d.c.SecondPerson && !draftOnly {
		return schemas.EditionStatus{}, &schemas.Error{Code: schemas.Forbidden, Message: "another person than the drafter approves here", Field: "id", Value: next.ID(), Hint: "draft the correction by correct " + subject.ID() + " --draft, and let another editor approve it"}
	}
	if _, _, err := d.redraft(ctx, by, next, *settled); err != nil {
		return schemas.EditionStatus{}, err
	}
	if draftOnly {
		return d.Status(ctx, next)
	}
	if _, err := d.Approve(ctx, by, next); err != nil {
		return schemas.EditionStatus{}, err
	}
	return d.Publish(ctx, next)
}

// correction settles what the next edition of the subject's period is made
// from; nil when it was published.
func (d *Desk) correction(ctx context.Context, subject Subject, remark string, own *schemas.EditorBlocks) (Subject, *basis, error) {
	next := subject
	next.Correction++
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return next, nil, err
	}
	corrected, published := issued.exactly(subject)
	if !published {
		return next, nil, wrongState(subject, "only a published edition is corrected", "draft it again while it is not published")
	}
	if _, done := issued.exactly(next); done {
		return next, nil, nil
	}
	known, err := d.s.knownFor(ctx, subject, issued.LastSeq)
	if err != nil {
		return next, nil, err
	}
	// The rules stay those of the corrected edition: facts are corrected.
	b := basis{known: known, rulesHash: corrected.RulesHash, remark: remark, blocks: own}
	draft, _, err := d.Store.Draft(ctx, next.ID())
	drafted := err == nil
	if err != nil && schemas.CodeOf(err) != schemas.NotFound {
		return next, nil, err
	}
	if remark == "" {
		b.remark = draft.Remark
	}
	p, err := d.s.build(ctx, next, b, &corrected)
	if err != nil {
		return next, nil, err
	}
	if p.restated == 0 && b.remark == "" && corrected.Withdrawn == nil {
		return next, nil, wrongState(subject, fmt.Sprintf("nothing changed since 第%d期", corrected.Number), "say by --remark why it is corrected all the same")
	}
	if !drafted && own == nil {
		// The correction begins with the paragraphs of what it corrects.
		blocks := schemas.EditorBlocks(p.printing.Remarks)
		before, _, err := d.Store.Draft(ctx, subject.ID())
		switch {
		case err == nil:
			blocks = before.Blocks
		case schemas.CodeOf(err) != schemas.NotFound:
			return next, nil, err
		}
		b.blocks = &blocks
	}
	return next, &b, nil
}

// Withdraw takes a published bulletin back. Its number stays used, its files are
// answered with the reason from then on, and no figure stands on it.
func (d *Desk) Withdraw(ctx context.Context, subject Subject, reason string) (schemas.EditionStatus, error) {
	if err := checkText("reason", reason); err != nil {
		return schemas.EditionStatus{}, err
	}
	if subject.Kind == schemas.AssessmentKind {
		return schemas.EditionStatus{}, wrongState(subject, "an assessment is not withdrawn", "correct "+subject.ID()+" makes a numbered 更正; objections are recorded while it is announced")
	}
	for range maxConflicts {
		issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
		if err != nil {
			return schemas.EditionStatus{}, err
		}
		edition, published := issued.exactly(subject)
		switch {
		case !published:
			return schemas.EditionStatus{}, wrongState(subject, "only a published edition is withdrawn", "return a draft instead")
		case edition.Withdrawn != nil && edition.Withdrawn.Reason != reason:
			return schemas.EditionStatus{}, wrongState(subject, "it was withdrawn before: "+edition.Withdrawn.Reason, "a withdrawal stays as it is")
		case edition.Withdrawn != nil:
			return d.Status(ctx, subject)
		}
		tombstone := schemas.Publication{Kind: subject.Kind, Period: subject.Period, Number: edition.Number, KnownSeq: edition.KnownSeq, RulesHash: edition.RulesHash, Remarks: reason}
		at := d.Now()
		seq, err := d.Editions.Append(ctx, editionEvent(schemas.BulletinWithdrawn, "bulletin.withdrawn-"+subject.place(), tombstone, subject, at), issued.LastSeq)
		if schemas.CodeOf(err) == schemas.Conflict {
			continue
		}
		if err != nil {
			return schemas.EditionStatus{}, fmt.Errorf("withdrawing %s: %w", subject, err)
		}
		d.s.noteAppended(seq)
		edition.Withdrawn = &schemas.EditionWithdrawal{Seq: seq, At: at, Reason: reason}
		if err := d.s.markWithdrawn(ctx, subject, &edition); err != nil {
			// The withdrawal stands; the notice is left with the next start.
			d.s.c.Log.WarnContext(ctx, "the files of a withdrawn edition are without a notice", "error", err)
		}
		return d.Status(ctx, subject)
	}
	return schemas.EditionStatus{}, &schemas.Error{Code: schemas.Unavailable, Message: "other replicas kept writing first", Field: "id", Value: subject.ID(), Hint: "try again"}
}

func (s *Scheduler) noteAppended(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appended = max(s.appended, seq)
}
