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
// and rules.
func (s *Scheduler) issue(ctx context.Context, period schemas.Period) (Edition, error) {
	for range maxConflicts {
		issued, err := s.c.Editions.Published(ctx, period.Kind, period.IssueYear())
		if err != nil {
			return Edition{}, fmt.Errorf("published bulletins of %s: %w", period, err)
		}
		if edition, ok := issued.of(period); ok {
			return edition, s.shelve(ctx, period, edition)
		}
		edition, files, err := s.prepare(ctx, period, &issued)
		if err != nil {
			return Edition{}, fmt.Errorf("bulletin %s: %w", period, err)
		}
		edition.Seq, err = s.c.Editions.Append(ctx, publicationEvent(edition.Publication, period, s.c.Now()), issued.LastSeq)
		if schemas.CodeOf(err) == schemas.Conflict {
			continue // another replica was first: see what it published
		}
		if err != nil {
			return Edition{}, fmt.Errorf("publishing bulletin %s: %w", period, err)
		}
		s.appended = max(s.appended, edition.Seq)
		s.c.Log.Info("bulletin published", "period", period.String(), "number", edition.Number, "known_seq", edition.KnownSeq, "seq", edition.Seq)
		if err := s.c.Shelf.Put(ctx, period, files); err != nil {
			return edition, fmt.Errorf("files of the published bulletin %s: %w", period, err)
		}
		s.done[period] = true
		return edition, nil
	}
	return Edition{}, &schemas.Error{Code: schemas.Unavailable, Message: "other replicas kept publishing first", Field: "period", Value: period.String(), Hint: "try again"}
}

// prepare chooses S, builds the model, numbers and renders it.
func (s *Scheduler) prepare(ctx context.Context, period schemas.Period, issued *Issued) (Edition, []File, error) {
	known, err := s.watermark(ctx, max(issued.LastSeq, s.appended))
	if err != nil {
		return Edition{}, nil, err
	}
	draft, err := s.c.Builder.Build(ctx, period, known, "")
	if err != nil {
		return Edition{}, nil, err
	}
	hash, err := draft.Rules.Hash()
	if err != nil {
		return Edition{}, nil, err
	}
	number := issued.next()
	files, err := editionFiles(draft, number, hash, s.c.RankLeads)
	if err != nil {
		return Edition{}, nil, err
	}
	return Edition{Publication: schemas.Publication{Kind: string(period.Kind), Period: period.String(), Number: number,
		KnownSeq: draft.Model.KnownSeq, RulesHash: hash, Files: publishedFiles(files)}}, files, nil
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
	return 0, &schemas.Error{Code: schemas.Unavailable, Message: fmt.Sprintf("the bulletin before, sequence %d, is not in the warehouse yet", atLeast),
		Hint: "see that the consumers run, and try again"}
}

// shelve puts the files of an edition that was published before on the shelf,
// when they are not there.
func (s *Scheduler) shelve(ctx context.Context, period schemas.Period, edition Edition) error {
	held, err := s.c.Shelf.Holds(ctx, period, edition.Files)
	if err != nil {
		return fmt.Errorf("files of bulletin %s: %w", period, err)
	}
	if held {
		s.done[period] = true
		return nil
	}
	files, err := s.again(ctx, period, edition)
	if errors.Is(err, errDiffers) || schemas.CodeOf(err) == schemas.NotFound {
		s.done[period] = true
	}
	if err != nil {
		return fmt.Errorf("bulletin %s is published, but its files are missing and cannot be made again: %w", period, err)
	}
	if err := s.c.Shelf.Put(ctx, period, files); err != nil {
		return fmt.Errorf("files of bulletin %s: %w", period, err)
	}
	s.c.Log.Info("files of a published bulletin made again", "period", period.String(), "number", edition.Number)
	s.done[period] = true
	return nil
}

// again makes the files of an edition from its S, number and rules, and holds
// them against the published hashes.
func (s *Scheduler) again(ctx context.Context, period schemas.Period, edition Edition) ([]File, error) {
	draft, err := s.c.Builder.Build(ctx, period, edition.KnownSeq, edition.RulesHash)
	if err != nil {
		return nil, err
	}
	files, err := editionFiles(draft, edition.Number, edition.RulesHash, s.c.RankLeads)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(publishedFiles(files), edition.Files) {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "they would not be the published ones", Field: "rules_hash", Value: edition.RulesHash,
			Hint: "restore the configuration and the program version of the edition, or its files from a copy", Err: errDiffers}
	}
	return files, nil
}

// heal compares the shelf with the stream once after a start: a crash may have
// come between a publication and its files. It looks at every kind, since any
// period may be published by hand, in the years since the first day.
func (s *Scheduler) heal(ctx context.Context, first schemas.Date) error {
	var failures []error
	again := false
	for year := first.Year(); year <= schemas.DateOf(s.c.Now()).Year(); year++ {
		for _, kind := range []schemas.PeriodKind{schemas.Week, schemas.MonthOf, schemas.Quarter, schemas.Half, schemas.Year} {
			issued, err := s.c.Editions.Published(ctx, kind, year)
			if err != nil {
				return errors.Join(append(failures, fmt.Errorf("published bulletins of %d: %w", year, err))...)
			}
			for _, edition := range issued.Editions {
				period, err := schemas.ParsePeriod(edition.Period)
				if err != nil {
					failures = append(failures, err)
					continue
				}
				if err := s.shelve(ctx, period, edition); err != nil {
					failures = append(failures, err)
					again = again || !s.done[period]
				}
			}
		}
	}
	s.healed = !again
	return errors.Join(failures...)
}
