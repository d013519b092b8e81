package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"

	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/scheduler/render/document"
	"milepost/scheduler/render/formats"
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

// Archive keeps the contents of published files by their hash, where every
// replica finds them. A Shelf that is one, too, is given the files before they
// are published, so that what cannot be printed again byte for byte, such as
// PDF, is never lost.
type Archive interface {
	// Keep stores the contents; what is there already stays.
	Keep(ctx context.Context, files []File) error
	// Kept gives the content with the file's hash, and schemas.NotFound when it
	// is not there or is damaged.
	Kept(ctx context.Context, file schemas.PublishedFile) ([]byte, error)
}

// Tombstones is a Shelf that can say beside an edition's files that it was
// withdrawn. Saying it again changes nothing.
type Tombstones interface {
	MarkWithdrawn(ctx context.Context, subject Subject, notice string) error
}

// markWithdrawn leaves the reason beside the files, where the shelf can.
func (s *Scheduler) markWithdrawn(ctx context.Context, subject Subject, e *Edition) error {
	shelf, can := s.c.Shelf.(Tombstones)
	if !can {
		return nil
	}
	notice := fmt.Sprintf("已撤回：%s 第%d期\n原因：%s\n撤回时间：%s\n", subject.ID(), e.Number, e.Withdrawn.Reason, e.Withdrawn.At.In(schemas.Location).Format("2006-01-02 15:04"))
	if err := shelf.MarkWithdrawn(ctx, subject, notice); err != nil {
		return fmt.Errorf("notice of the withdrawn %s: %w", subject, err)
	}
	return nil
}

// settings is what an edition was made with, besides the events up to its S.
type settings struct {
	Period          string         `json:"period"`
	Corrects        *int           `json:"corrects,omitempty"` // the number
	KnownSeq        uint64         `json:"known_seq"`
	TemplateVersion int            `json:"template_version"`
	RankLeads       bool           `json:"rank_leads"`
	Signed          schemas.Date   `json:"signed"` // 成文日期; null in a draft
	Formats         []string       `json:"formats"`
	Style           any            `json:"style"`
	Remarks         render.Remarks `json:"remarks"`
	RulesHash       string         `json:"rules_hash"`
	Rules           *schemas.Rules `json:"rules"`
}

// making is what a product's files depend on besides its model.
type making struct {
	number   *int         // nil in a draft
	signed   schemas.Date // 0 in a draft
	corrects *int         // the number of the corrected edition
}

func (e *Edition) making(corrected *Edition) making {
	m := making{number: &e.Number, signed: schemas.DateOf(e.At)}
	if corrected != nil {
		m.corrects = &corrected.Number
	}
	return m
}

// product is a model that waits for the number of its edition.
type product struct {
	knownSeq  uint64
	rules     *schemas.Rules
	printing  Printing
	rankLeads bool
	details   *bulletin.Details // nil: an assessment, or a bulletin that is official only
	public    bool              // there is a media edition without details
	restated  int               // how many restatements
	// changes are an assessment's against the one before; nil when there is none.
	changes *assessmentChanges
	// rows are the keys of an assessment's rows, as kind/key.
	rows map[string]bool
	// departments name those that a bulletin counts.
	departments []string
	// write prints the model in a format.
	write func(ctx context.Context, w io.Writer, writer *formats.Writer, edition document.Edition, format string, m making) error
}

// basis is what an edition is made from when that was settled before.
type basis struct {
	known     uint64
	rulesHash string
	blocks    *schemas.EditorBlocks // nil: as the Builder has them
	remark    string                // of the publication
}

// build makes the product of the subject at S = known. A correction is built
// with the edition that it corrects, a second announcement of an assessment with
// the first.
func (s *Scheduler) build(ctx context.Context, subject Subject, b basis, corrected *Edition) (*product, error) {
	if subject.Kind == schemas.AssessmentKind {
		return s.buildAssessment(ctx, subject, b, corrected)
	}
	draft, err := s.buildBulletin(ctx, subject, b, corrected)
	if err != nil {
		return nil, err
	}
	p := &product{knownSeq: draft.Model.KnownSeq, rules: draft.Rules, printing: draft.Printing, details: draft.Details, restated: len(draft.Model.Restatements),
		rankLeads: s.c.RankLeads || draft.Style.RankLeads}
	for _, group := range draft.Model.Groups {
		for _, row := range group.Rows {
			if group.Kind == "department" && row.Key != "unassigned" {
				p.departments = append(p.departments, row.Name)
			}
		}
	}
	p.write = func(ctx context.Context, w io.Writer, writer *formats.Writer, edition document.Edition, format string, m making) error {
		model := *draft.Model
		model.IssueNo = m.number
		return writer.FrozenBulletin(ctx, w, format, &model, render.Names{Rules: draft.Rules, Projects: draft.Projects, RankLeads: p.rankLeads,
			Edition: edition, Details: draft.Details, Remarks: draft.Remarks, Style: draft.Style, Signed: m.signed})
	}
	return p, nil
}

func (s *Scheduler) buildBulletin(ctx context.Context, subject Subject, b basis, corrected *Edition) (*Draft, error) {
	period, err := schemas.ParsePeriod(subject.Period)
	if err != nil {
		return nil, err
	}
	var draft *Draft
	if corrected != nil {
		draft, err = s.c.Builder.Correct(ctx, period, b.known, b.rulesHash, *corrected)
	} else {
		draft, err = s.c.Builder.Build(ctx, period, b.known, b.rulesHash)
	}
	if err == nil && b.blocks != nil {
		draft.Remarks = render.Remarks(*b.blocks)
	}
	return draft, err
}

func (s *Scheduler) buildAssessment(ctx context.Context, subject Subject, b basis, before *Edition) (*product, error) {
	draft, err := s.c.Builder.Assess(ctx, subject.Year, b.known, b.rulesHash)
	if err != nil {
		return nil, err
	}
	p := &product{knownSeq: draft.Model.KnownSeq, rules: draft.Rules, printing: draft.Printing, rankLeads: s.c.RankLeads || draft.Style.RankLeads, public: true, rows: map[string]bool{}}
	for _, group := range draft.Model.Groups {
		for _, row := range group.Rows {
			p.rows[group.Kind+"/"+row.Key] = true
		}
	}
	p.write = func(ctx context.Context, w io.Writer, writer *formats.Writer, edition document.Edition, format string, m making) error {
		return writer.FrozenAssessment(ctx, w, format, draft.Model, m.number, render.Names{Rules: draft.Rules, Edition: edition, RankLeads: p.rankLeads, Style: draft.Style, Signed: m.signed})
	}
	if before == nil {
		return p, nil
	}
	earlier, err := s.c.Builder.Assess(ctx, subject.Year, before.KnownSeq, before.RulesHash)
	if err != nil {
		return nil, fmt.Errorf("the assessment before: %w", err)
	}
	if p.changes, err = compareAssessments(earlier.Model, draft.Model); err != nil {
		return nil, err
	}
	p.restated = len(p.changes.Changes)
	return p, nil
}

// editionFiles makes the files of the product: the model, its printed forms in
// both editions, the details behind them, and the settings. Equal products give
// equal bytes, but for PDF. A PDF that no browser prints is left out and told.
func (s *Scheduler) editionFiles(ctx context.Context, p *product, subject Subject, m making, rulesHash string) ([]File, error) {
	writer, style, err := p.printing.resolve()
	if err != nil {
		return nil, err
	}
	var files []File
	add := func(name string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, File{Name: name, Content: b.Bytes()})
		return nil
	}
	forms := p.printing.forms()
	for _, edition := range document.Editions() {
		name := subject.ID()
		if edition == document.Media {
			if p.details == nil && !p.public {
				continue // without the ledger nobody knows what is withheld
			}
			name += "-" + string(edition)
		}
		for _, format := range forms {
			err := add(name+"."+format, func(w io.Writer) error { return p.write(ctx, w, writer, edition, format, m) })
			if format == formats.PDF && schemas.CodeOf(err) == schemas.Unavailable && ctx.Err() == nil {
				s.c.Log.WarnContext(ctx, "no PDF was printed; the edition is without", "edition", name, "error", err)
				continue
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if p.details != nil {
		if err := add("details-"+subject.place()+".json", func(w io.Writer) error { return json.NewEncoder(w).Encode(p.details) }); err != nil {
			return nil, err
		}
	}
	if p.changes != nil {
		if err := add("changes-"+subject.place()+".json", func(w io.Writer) error { return writeIndented(w, p.changes) }); err != nil {
			return nil, err
		}
		if err := add("changes-"+subject.place()+".md", func(w io.Writer) error { return p.changes.write(w, p.rankLeads) }); err != nil {
			return nil, err
		}
	}
	made := settings{Period: subject.Period, Corrects: m.corrects, KnownSeq: p.knownSeq, TemplateVersion: render.TemplateVersion, RankLeads: p.rankLeads, Signed: m.signed,
		Formats: forms, Style: style, Remarks: p.printing.Remarks, RulesHash: rulesHash, Rules: p.rules}
	err = add("settings-"+subject.place()+".json", func(w io.Writer) error { return writeIndented(w, made) })
	return files, err
}

// forms are the formats of the files, the model first.
func (p *Printing) forms() []string {
	list, given := []string{formats.JSON}, p.Formats
	if given == nil {
		given = []string{formats.Markdown, formats.HTML}
	}
	for _, format := range given {
		if format != formats.JSON {
			list = append(list, format)
		}
	}
	return list
}

// resolve gives the writer, and the style under the names of the configuration.
func (p *Printing) resolve() (*formats.Writer, any, error) {
	writer := p.Writer
	if writer == nil {
		var err error
		if writer, err = formats.New(formats.Config{}); err != nil {
			return nil, nil, err
		}
	}
	text, err := yaml.Marshal(p.Style)
	if err != nil {
		return nil, nil, fmt.Errorf("style of the documents: %w", err)
	}
	var style map[string]any
	if err := yaml.Unmarshal(text, &style); err != nil {
		return nil, nil, fmt.Errorf("style of the documents: %w", err)
	}
	return writer, style, nil
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
