package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"milepost/scheduler/render"
	"milepost/schemas"
)

// File is a file of an edition.
type File struct {
	Name    string
	Content []byte
}

// Shelf keeps the files of editions.
type Shelf interface {
	// Holds tells whether exactly these contents are there under these names.
	Holds(ctx context.Context, subject Subject, files []schemas.PublishedFile) (bool, error)
	// Has tells whether files with these names are there.
	Has(ctx context.Context, subject Subject, names ...string) (bool, error)
	// Put stores the files all at once or not at all. Putting what is there
	// already changes nothing.
	Put(ctx context.Context, subject Subject, files []File) error
}

// settings is what an edition was made with, besides the events up to its S.
type settings struct {
	Period          string         `json:"period"`
	KnownSeq        uint64         `json:"known_seq"`
	TemplateVersion int            `json:"template_version"`
	RankLeads       bool           `json:"rank_leads"`
	RulesHash       string         `json:"rules_hash"`
	Rules           *schemas.Rules `json:"rules"`
}

// product is a model that waits for the number of its edition.
type product struct {
	knownSeq uint64
	rules    *schemas.Rules
	// writers print the model as number n; nil for a draft.
	writers func(n *int) []fileWriter
}

type fileWriter struct {
	name  string
	write func(io.Writer) error
}

// build makes the product of the subject at S = known.
func (s *Scheduler) build(ctx context.Context, subject Subject, known uint64, rulesHash string) (*product, error) {
	if subject.Kind == schemas.AssessmentKind {
		draft, err := s.c.Builder.Assess(ctx, subject.Year, known, rulesHash)
		if err != nil {
			return nil, err
		}
		return &product{knownSeq: draft.Model.KnownSeq, rules: draft.Rules, writers: func(n *int) []fileWriter {
			names, edition := render.Names{Rules: draft.Rules, RankLeads: s.c.RankLeads}, "assessment-"+subject.Period
			return []fileWriter{
				{edition + ".json", func(w io.Writer) error { return render.AssessmentJSON(w, draft.Model) }},
				{edition + ".md", func(w io.Writer) error { return render.AssessmentMarkdown(w, draft.Model, n, names) }},
			}
		}}, nil
	}
	period, err := schemas.ParsePeriod(subject.Period)
	if err != nil {
		return nil, err
	}
	draft, err := s.c.Builder.Build(ctx, period, known, rulesHash)
	if err != nil {
		return nil, err
	}
	return &product{knownSeq: draft.Model.KnownSeq, rules: draft.Rules, writers: func(n *int) []fileWriter {
		model := *draft.Model
		model.IssueNo = n
		names, edition := render.Names{Rules: draft.Rules, Projects: draft.Projects, RankLeads: s.c.RankLeads}, "bulletin-"+subject.Period
		return []fileWriter{
			{edition + ".json", func(w io.Writer) error { return render.JSON(w, &model) }},
			{edition + ".md", func(w io.Writer) error { return render.Markdown(w, &model, names) }},
			{edition + ".html", func(w io.Writer) error { return render.HTML(w, &model, names) }},
		}
	}}, nil
}

// editionFiles makes the files of the product as number n: the model, its
// printed forms, and the settings. Equal products give equal bytes.
func (s *Scheduler) editionFiles(p *product, subject Subject, n *int, rulesHash string) ([]File, error) {
	made := settings{Period: subject.Period, KnownSeq: p.knownSeq, TemplateVersion: render.TemplateVersion, RankLeads: s.c.RankLeads,
		RulesHash: rulesHash, Rules: p.rules}
	writers := append(p.writers(n), fileWriter{"settings-" + subject.Period + ".json", func(w io.Writer) error { return writeIndented(w, made) }})
	files := make([]File, 0, len(writers))
	for _, f := range writers {
		var b bytes.Buffer
		if err := f.write(&b); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		files = append(files, File{Name: f.name, Content: b.Bytes()})
	}
	return files, nil
}

func writeIndented(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func publishedFiles(files []File) []schemas.PublishedFile {
	list := make([]schemas.PublishedFile, len(files))
	for i, f := range files {
		list[i] = schemas.PublishedFile{Name: f.Name, SHA256: digest(f.Content)}
	}
	return list
}
