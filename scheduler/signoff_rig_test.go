package scheduler

import (
	"context"

	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

// Numberings lists the subjects of the stream.
func (s *stream) Numberings(context.Context) ([]Numbering, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Numbering
	seen := map[string]bool{}
	for _, e := range s.events {
		if p := e.Data.(*schemas.Publication); !seen[e.Subject] {
			seen[e.Subject] = true
			parsed, err := schemas.ParsePeriod(p.Period)
			if err != nil {
				return nil, err
			}
			list = append(list, Numbering{p.Kind, parsed.IssueYear()})
		}
	}
	return list, nil
}

// Correct compares with the corrected edition's own model.
func (b *builder) Correct(ctx context.Context, period schemas.Period, known uint64, rulesHash string, corrected Edition) (*Draft, error) {
	published, err := bulletin.Build(ctx, b, b.rules, period, corrected.KnownSeq)
	if err != nil {
		return nil, err
	}
	draft, err := bulletin.NewDraft(ctx, b, b.rules, period, known, bulletin.ComparedWith(published, func(ctx context.Context) (*schemas.Bulletin, error) {
		return bulletin.Build(ctx, b, b.rules, period, known)
	}))
	if err != nil {
		return nil, err
	}
	return &Draft{Draft: *draft, Rules: b.rules}, nil
}
