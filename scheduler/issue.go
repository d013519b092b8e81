package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"milepost/schemas"
)

// Limits of one try to publish: how often another replica may be first, and how
// long and how often the warehouse is waited for.
const (
	maxConflicts  = 20
	watermarkWait = 200 * time.Millisecond
	watermarkTrys = 50
)

// errDiffers tells that an edition's files cannot be made again as they were:
// no later try can help.
var errDiffers = errors.New("the files made again differ from the published ones")

// issue publishes the period once. The append decides; what happens before it
// leaves no trace, and what is missing after it is made again from S, number
// and rules. A period that was published already gives its latest edition.
func (s *Scheduler) issue(ctx context.Context, subject Subject) (Edition, error) {
	return s.issueFrom(ctx, subject, nil)
}

// issueFrom is issue from a settled basis: exactly the subject's edition.
func (s *Scheduler) issueFrom(ctx context.Context, subject Subject, settled *basis) (Edition, error) {
	for range maxConflicts {
		issued, err := s.c.Editions.Published(ctx, subject.Kind, subject.Year)
		if err != nil {
			return Edition{}, fmt.Errorf("editions of %s: %w", subject, err)
		}
		find := issued.of
		if settled != nil {
			find = issued.exactly
		}
		if edition, ok := find(subject); ok {
			err := s.shelve(ctx, &issued, subject.Year, edition)
			if s.done[issued.subjectOf(edition, subject.Year)] {
				s.done[subject] = true
			}
			return edition, err
		}
		at := s.c.Now()
		edition, files, err := s.prepare(ctx, subject, &issued, settled, at)
		if err != nil {
			return Edition{}, fmt.Errorf("%s: %w", subject, err)
		}
		edition.Seq, err = s.c.Editions.Append(ctx, publicationEvent(edition.Publication, subject, at), issued.LastSeq)
		if schemas.CodeOf(err) == schemas.Conflict {
			continue // another replica was first: see what it published
		}
		if err != nil {
			return Edition{}, fmt.Errorf("publishing %s: %w", subject, err)
		}
		s.appended = max(s.appended, edition.Seq)
		s.c.Log.Info("published", "kind", subject.Kind, "period", subject.Period, "number", edition.Number, "known_seq", edition.KnownSeq, "seq", edition.Seq)
		if err := s.c.Shelf.Put(ctx, subject, files); err != nil {
			return edition, fmt.Errorf("files of the published %s: %w", subject, err)
		}
		s.done[subject] = true
		return edition, nil
	}
	return Edition{}, &schemas.Error{Code: schemas.Unavailable, Message: "other replicas kept publishing first", Field: "period", Value: subject.Period, Hint: "try again"}
}

// prepare chooses S, unless it is settled, builds the model, numbers and
// renders it, and gives the files to the archive.
func (s *Scheduler) prepare(ctx context.Context, subject Subject, issued *Issued, settled *basis, at time.Time) (Edition, []File, error) {
	var b basis
	if settled != nil {
		b = *settled
		if err := issued.stale(subject, b.known); err != nil {
			return Edition{}, nil, err
		}
	} else {
		var err error
		if b.known, err = s.watermarkFor(ctx, subject, issued.LastSeq); err != nil {
			return Edition{}, nil, err
		}
	}
	corrected := issued.corrected(subject)
	if (corrected == nil) != (subject.Correction == 0) {
		return Edition{}, nil, &schemas.Error{Code: schemas.Conflict, Message: "what it corrects is not published", Field: "id", Value: subject.ID(), Hint: "see milepost editions"}
	}
	product, err := s.build(ctx, subject, b, corrected)
	if err != nil {
		return Edition{}, nil, err
	}
	hash, err := product.rules.Hash()
	if err != nil {
		return Edition{}, nil, err
	}
	edition := Edition{At: at, Publication: schemas.Publication{Kind: subject.Kind, Period: subject.Period, Number: issued.next(),
		KnownSeq: product.knownSeq, RulesHash: hash, Remarks: b.remark}}
	files, err := s.editionFiles(ctx, product, subject, edition.making(corrected), hash)
	if err != nil {
		return Edition{}, nil, err
	}
	edition.Files = publishedFiles(files)
	return edition, files, s.keep(ctx, files)
}

// stale refuses to publish a draft that does not know the latest edition of its
// kind: item 6 of 七个一 and the restatements look at it.
func (i *Issued) stale(subject Subject, known uint64) error {
	for _, e := range i.Editions {
		last := e.Seq
		if e.Withdrawn != nil {
			last = max(last, e.Withdrawn.Seq)
		}
		if last > known {
			return &schemas.Error{Code: schemas.Conflict, Message: fmt.Sprintf("第%d期 of %s was published or withdrawn after the draft was made", e.Number, e.Period),
				Field: "id", Value: subject.ID(), Hint: "draft it again; your own paragraphs stay"}
		}
	}
	return nil
}

func (s *Scheduler) keep(ctx context.Context, files []File) error {
	archive, ok := s.c.Shelf.(Archive)
	if !ok {
		return nil
	}
	if err := archive.Keep(ctx, files); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// watermarkFor gives S, past every edition that the subject looks at: an
// assessment also looks at the finalised result of the year before.
func (s *Scheduler) watermarkFor(ctx context.Context, subject Subject, last uint64) (uint64, error) {
	if known, fixed, err := s.cut(ctx); fixed || err != nil {
		return known, err
	}
	last = max(last, s.appended)
	if subject.Kind == schemas.AssessmentKind {
		before, err := s.c.Editions.Published(ctx, subject.Kind, subject.Year-1)
		if err != nil {
			return 0, err
		}
		last = max(last, before.LastSeq)
	}
	return s.watermark(ctx, last)
}

// watermark gives S, and waits a while for it to pass the editions before: item
// 6 of 七个一 and the restatements look at them.
func (s *Scheduler) watermark(ctx context.Context, atLeast uint64) (uint64, error) {
	for range watermarkTrys {
		known, err := s.c.Watermark(ctx)
		if err != nil {
			return 0, fmt.Errorf("applied watermark: %w", err)
		}
		if known >= atLeast {
			return known, nil
		}
		timer := time.NewTimer(watermarkWait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0, ctx.Err()
		}
	}
	return 0, &schemas.Error{Code: schemas.Unavailable, Message: fmt.Sprintf("the edition before, sequence %d, is not in the warehouse yet", atLeast),
		Hint: "see that the consumers run, and try again"}
}

// shelve puts the files of an edition that was published before on the shelf,
// when they are not there. What was withdrawn is left as it is, with a notice.
func (s *Scheduler) shelve(ctx context.Context, issued *Issued, year int, edition Edition) error {
	subject := issued.subjectOf(edition, year)
	if edition.Withdrawn != nil {
		s.done[subject] = true
		return s.markWithdrawn(ctx, subject, &edition)
	}
	held, err := s.c.Shelf.Holds(ctx, subject, edition.Files)
	if err != nil {
		return fmt.Errorf("files of %s: %w", subject, err)
	}
	if held {
		s.done[subject] = true
		return nil
	}
	files, err := s.again(ctx, issued, subject, edition)
	if errors.Is(err, errDiffers) || schemas.CodeOf(err) == schemas.NotFound {
		s.done[subject] = true
	}
	if err != nil {
		return fmt.Errorf("%s is published, but its files are missing and cannot be made again: %w", subject, err)
	}
	if err := s.c.Shelf.Put(ctx, subject, files); err != nil {
		return fmt.Errorf("files of %s: %w", subject, err)
	}
	s.c.Log.Info("files of an edition made again", "kind", subject.Kind, "period", subject.Period, "number", edition.Number)
	s.done[subject] = true
	return nil
}

// again gives the files of an edition from the archive, else makes them from
// its S, number and rules, and holds them against the published hashes.
func (s *Scheduler) again(ctx context.Context, issued *Issued, subject Subject, edition Edition) ([]File, error) {
	if files, err := s.kept(ctx, edition); files != nil || err != nil {
		return files, err
	}
	corrected := issued.corrected(subject)
	product, err := s.build(ctx, subject, basis{known: edition.KnownSeq, rulesHash: edition.RulesHash}, corrected)
	if err != nil {
		return nil, err
	}
	files, err := s.editionFiles(ctx, product, subject, edition.making(corrected), edition.RulesHash)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(publishedFiles(files), edition.Files) {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "they would not be the published ones", Field: "rules_hash", Value: edition.RulesHash,
			Hint: "restore the configuration and the program version of the edition, or its files from a copy", Err: errDiffers}
	}
	return files, s.keep(ctx, files)
}

// kept gives all files from the archive; nil when one is not there.
func (s *Scheduler) kept(ctx context.Context, edition Edition) ([]File, error) {
	archive, ok := s.c.Shelf.(Archive)
	if !ok {
		return nil, nil
	}
	var files []File
	for _, f := range edition.Files {
		content, err := archive.Kept(ctx, f)
		if schemas.CodeOf(err) == schemas.NotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		files = append(files, File{Name: f.Name, Content: content})
	}
	return files, nil
}

// heal compares the shelf with the stream once after a start: a crash may have
// come between a publication and its files. It looks at every kind, since any
// period may be published by hand, in the years since the first day; a year is
// assessed in the next.
func (s *Scheduler) heal(ctx context.Context, first schemas.Date) error {
	var failures []error
	again := false
	for year := first.Year() - 1; year <= schemas.DateOf(s.c.Now()).Year(); year++ {
		kinds := []string{schemas.AssessmentKind}
		if year >= first.Year() {
			kinds = append(kinds, string(schemas.Week), string(schemas.MonthOf), string(schemas.Quarter), string(schemas.Half), string(schemas.Year))
		}
		for _, kind := range kinds {
			issued, err := s.c.Editions.Published(ctx, kind, year)
			if err != nil {
				return errors.Join(append(failures, fmt.Errorf("editions of %d: %w", year, err))...)
			}
			for _, edition := range issued.Editions {
				if err := s.shelve(ctx, &issued, year, edition); err != nil {
					failures = append(failures, err)
					again = again || !s.done[issued.subjectOf(edition, year)]
				}
			}
		}
	}
	s.healed = !again
	return errors.Join(failures...)
}
