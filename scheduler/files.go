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
	Holds(ctx context.Context, period schemas.Period, files []schemas.PublishedFile) (bool, error)
	// Put stores the files all at once or not at all. Putting what is there
	// already changes nothing.
	Put(ctx context.Context, period schemas.Period, files []File) error
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

// editionFiles makes the files of the draft as number n: the model, its printed
// forms, and the settings. Equal drafts give equal bytes.
func editionFiles(draft *Draft, n int, rulesHash string, rankLeads bool) ([]File, error) {
	model := *draft.Model
	model.IssueNo = &n
	names := render.Names{Rules: draft.Rules, Projects: draft.Projects, RankLeads: rankLeads}
	made := settings{Period: model.Period, KnownSeq: model.KnownSeq, TemplateVersion: render.TemplateVersion, RankLeads: rankLeads,
		RulesHash: rulesHash, Rules: draft.Rules}
	var files []File
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"bulletin-" + model.Period + ".json", func(w io.Writer) error { return render.JSON(w, &model) }},
		{"bulletin-" + model.Period + ".md", func(w io.Writer) error { return render.Markdown(w, &model, names) }},
		{"bulletin-" + model.Period + ".html", func(w io.Writer) error { return render.HTML(w, &model, names) }},
		{"settings-" + model.Period + ".json", func(w io.Writer) error { return writeIndented(w, made) }},
	} {
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
