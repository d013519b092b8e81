package scheduler

import (
	"context"
	"fmt"

	"milepost/scheduler/assessment"
	"milepost/schemas"
)

// Finalise freezes the assessment of a year with its rules and S, once: a year
// that was finalised already gives that edition (the specification, §10). It
// fails with schemas.Invalid before the reports of December were due.
func (s *Scheduler) Finalise(ctx context.Context, year int) (Edition, error) {
	period := assessment.Period(year)
	if from := publishable(period, s.c.ReportDay); s.c.Now().Before(from) {
		return Edition{}, &schemas.Error{Code: schemas.Invalid, Message: "the reports of the year's December are not due yet", Field: "year", Value: period.String(),
			Hint: fmt.Sprintf("finalise it from %s on; without finalising, a draft is made at any time", schemas.DateOf(from))}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	issued, err := s.c.Editions.Published(ctx, schemas.AssessmentKind, year)
	if err != nil {
		return Edition{}, err
	}
	_, finalised := issued.of(Assessment(year))
	if a := issued.Announced; a != nil && !finalised && schemas.DateOf(s.c.Now()) <= a.Until {
		return Edition{}, &schemas.Error{Code: schemas.Conflict, Message: "the assessment is being announced (公示)", Field: "year", Value: period.String(),
			Hint: "finalise it from " + (a.Until + 1).String() + " on; objections are recorded until then"}
	}
	return s.issue(ctx, Assessment(year))
}

// draft puts a draft of the assessment on the shelf, unless one is there or the
// year was finalised.
func (s *Scheduler) draft(ctx context.Context, subject Subject) error {
	place := Subject{Kind: subject.Kind, Period: subject.Period + "-draft", Year: subject.Year}
	there, err := s.c.Shelf.Has(ctx, place, "assessment-"+subject.Period+".json", "assessment-"+subject.Period+".md")
	if there || err != nil {
		return err
	}
	issued, err := s.c.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return err
	}
	if _, finalised := issued.of(subject); finalised {
		return nil
	}
	known, err := s.watermarkFor(ctx, subject, issued.LastSeq)
	if err != nil {
		return err
	}
	product, err := s.build(ctx, subject, basis{known: known}, nil)
	if err != nil {
		return err
	}
	hash, err := product.rules.Hash()
	if err != nil {
		return err
	}
	files, err := s.editionFiles(ctx, product, subject, making{}, hash)
	if err != nil {
		return err
	}
	if err := s.c.Shelf.Put(ctx, place, files); err != nil {
		return err
	}
	s.c.Log.Info("assessment drafted", "year", subject.Year, "known_seq", product.knownSeq)
	return nil
}
