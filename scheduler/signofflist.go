package scheduler

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"milepost/schemas"
)

// List gives every draft and edition: by kind and year, then by number, drafts
// last.
func (d *Desk) List(ctx context.Context) ([]schemas.EditionStatus, error) {
	drafts, err := d.Store.Drafts(ctx)
	if err != nil {
		return nil, err
	}
	numberings, err := d.Editions.Numberings(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]*schemas.EditionDraft{}
	for i := range drafts {
		byID[drafts[i].ID] = &drafts[i]
	}
	slices.SortFunc(numberings, func(a, b Numbering) int { return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Kind, b.Kind)) })
	list := []schemas.EditionStatus{}
	listed := map[string]bool{}
	for _, n := range numberings {
		issued, err := d.Editions.Published(ctx, n.Kind, n.Year)
		if err != nil {
			return nil, err
		}
		editions := slices.Clone(issued.Editions)
		slices.SortFunc(editions, func(a, b Edition) int { return cmp.Compare(a.Number, b.Number) })
		for _, e := range editions {
			subject := issued.subjectOf(e, n.Year)
			list = append(list, statusOf(subject, &issued, byID[subject.ID()]))
			listed[subject.ID()] = true
		}
		if subject := Assessment(n.Year); n.Kind == schemas.AssessmentKind && issued.Announced != nil && !listed[subject.ID()] {
			list = append(list, statusOf(subject, &issued, nil))
			listed[subject.ID()] = true
		}
	}
	for i := range drafts {
		if listed[drafts[i].ID] {
			continue
		}
		subject, err := ParseID(drafts[i].ID)
		if err != nil {
			return nil, err
		}
		list = append(list, statusOf(subject, new(Issued), &drafts[i]))
	}
	return list, nil
}

// Status gives all that is known of the edition; schemas.NotFound when there is
// neither a draft nor an edition.
func (d *Desk) Status(ctx context.Context, subject Subject) (schemas.EditionStatus, error) {
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return schemas.EditionStatus{}, err
	}
	var drafted *schemas.EditionDraft
	draft, _, err := d.Store.Draft(ctx, subject.ID())
	switch {
	case err == nil:
		drafted = &draft
	case schemas.CodeOf(err) != schemas.NotFound:
		return schemas.EditionStatus{}, err
	}
	_, published := issued.exactly(subject)
	announced := subject.Kind == schemas.AssessmentKind && subject.Correction == 0 && issued.Announced != nil
	if drafted == nil && !published && !announced {
		return schemas.EditionStatus{}, noDraft(subject)
	}
	return statusOf(subject, &issued, drafted), nil
}

func statusOf(subject Subject, issued *Issued, draft *schemas.EditionDraft) schemas.EditionStatus {
	s := schemas.EditionStatus{ID: subject.ID(), Kind: subject.Kind, Period: subject.Period, Draft: draft, Files: []schemas.EditionFile{}, Objections: []schemas.EditionObjection{}}
	if draft != nil {
		s.State, s.KnownSeq, s.RulesHash = draft.State, draft.KnownSeq, draft.RulesHash
		s.Preview = "/v1/editions/" + url.PathEscape(s.ID) + "/preview"
	}
	if corrected := issued.corrected(subject); corrected != nil {
		s.Corrects = &corrected.Number
	}
	edition, published := issued.exactly(subject)
	if subject.Kind == schemas.AssessmentKind {
		s.Objections = append(s.Objections, issued.Objections...)
		if issued.Announced != nil && subject.Correction == 0 {
			s.Until = &issued.Announced.Until
			s.State = schemas.EditionAnnounced
			if !published {
				described(&s, issued.Announced.Edition)
			}
		}
	}
	if published {
		s.State, s.Preview = schemas.EditionPublished, ""
		described(&s, edition)
		s.Number = &edition.Number
		if s.Withdrawn = edition.Withdrawn; s.Withdrawn != nil {
			s.State = schemas.EditionWithdrawn
		}
	}
	return s
}

// described fills what the event of the edition says.
func described(s *schemas.EditionStatus, e Edition) {
	s.KnownSeq, s.RulesHash, s.PublishedSeq, s.PublishedAt = e.KnownSeq, e.RulesHash, &e.Seq, &e.At
	for _, f := range e.Files {
		s.Files = append(s.Files, schemas.EditionFile{Name: f.Name, SHA256: f.SHA256, Path: "/v1/editions/" + url.PathEscape(s.ID) + "/files/" + url.PathEscape(f.Name)})
	}
}

// File gives a file of a published edition or an announced assessment, byte for
// byte as it was published; of a withdrawn one, schemas.Withdrawn with the
// reason.
func (d *Desk) File(ctx context.Context, subject Subject, name string) (File, schemas.PublishedFile, error) {
	var found schemas.PublishedFile
	issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
	if err != nil {
		return File{}, found, err
	}
	edition, published := issued.exactly(subject)
	announced := !published && issued.Announced != nil && subject.Correction == 0
	if announced {
		edition = issued.Announced.Edition
	}
	if !published && !announced {
		return File{}, found, &schemas.Error{Code: schemas.NotFound, Message: "not published", Field: "id", Value: subject.ID(), Hint: "a draft is read by its preview"}
	}
	if err := gone(subject, edition); err != nil {
		return File{}, found, err
	}
	i := slices.IndexFunc(edition.Files, func(f schemas.PublishedFile) bool { return f.Name == name })
	if i < 0 {
		return File{}, found, &schemas.Error{Code: schemas.NotFound, Message: "the edition has no such file", Field: "name", Value: schemas.Shorten(name), Hint: "GET /v1/editions/" + subject.ID() + " lists its files"}
	}
	found = edition.Files[i]
	if archive, ok := d.s.c.Shelf.(Archive); ok {
		content, err := archive.Kept(ctx, found)
		if announced || schemas.CodeOf(err) != schemas.NotFound {
			return File{Name: name, Content: content}, found, err
		}
	}
	// The archive lacks it: the edition is made again, and must be the same.
	files, err := d.s.again(ctx, &issued, subject, edition)
	if err != nil {
		return File{}, found, err
	}
	return files[i], found, nil
}
