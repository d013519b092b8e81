// Package formats writes the editions of bulletins and assessments in every
// format, with the office's templates, wording and remarks.
package formats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"milepost/scheduler/render"
	"milepost/scheduler/render/document"
	"milepost/scheduler/render/docx"
	"milepost/scheduler/render/page"
	"milepost/scheduler/render/pdf"
	"milepost/scheduler/render/xlsx"
	"milepost/schemas"
)

// The formats.
const (
	HTML     = "html"
	PDF      = "pdf"
	DOCX     = "docx"
	XLSX     = "xlsx"
	Markdown = "md"
	JSON     = "json"
)

// All lists the formats.
func All() []string { return []string{HTML, PDF, DOCX, XLSX, Markdown, JSON} }

// Config says how an office's documents look. The zero value is the default.
type Config struct {
	// Templates is a folder whose files stand in for the embedded templates.
	Templates string `yaml:"templates"`
	// Browser is the path of Chromium; empty looks for it in PATH.
	Browser string `yaml:"browser"`
	// Remarks is a folder with an editor's blocks: bulletin-2025-10.yaml.
	Remarks      string `yaml:"remarks"`
	render.Style `yaml:",inline"`
}

// Writer writes documents. It may be used from several goroutines.
type Writer struct {
	config    Config
	templates *page.Templates
	printer   *pdf.Printer
}

// Option is something else that a writer works with.
type Option func(*pdf.Options)

// WithFonts has pages printed in these fonts where their style names them.
func WithFonts(f pdf.Fonts) Option { return func(o *pdf.Options) { o.Fonts = f } }

// New checks the configuration and its templates, and names everything that is
// wrong at once. A writer that has printed PDF is to be closed.
func New(c Config, options ...Option) (*Writer, error) {
	wrong := []error{c.Style.Check("documents")}
	if c.Remarks != "" {
		if info, err := os.Stat(c.Remarks); err != nil || !info.IsDir() {
			wrong = append(wrong, &schemas.Error{Code: schemas.NotFound, Message: "no folder of remarks", Field: "documents.remarks", Value: c.Remarks, Hint: "check the path"})
		}
	}
	templates, err := page.Load(c.Templates)
	if err := errors.Join(append(wrong, err)...); err != nil {
		return nil, err
	}
	printing := pdf.Options{Browser: c.Browser}
	for _, option := range options {
		option(&printing)
	}
	return &Writer{config: c, templates: templates, printer: pdf.New(printing)}, nil
}

// Close ends the browser that prints. PDF cannot be written any more, all else
// can.
func (w *Writer) Close() error { return w.printer.Close() }

// Expect has what writing the format needs started, for whoever makes the model meanwhile: the browser, which takes a
// second or two.
func (w *Writer) Expect(format string) {
	if format == PDF {
		w.printer.Warm()
	}
}

// Bulletin writes the model's edition in the format. names has the rules, the
// projects, the details and the edition; the office's wording and remarks are
// added here.
func (w *Writer) Bulletin(ctx context.Context, out io.Writer, format string, model *schemas.Bulletin, names render.Names) error {
	names.Style = w.config.Style
	if format != JSON && format != XLSX {
		var err error
		if names.Remarks, err = w.Remarks("bulletin-" + model.Period); err != nil {
			return err
		}
	}
	return w.FrozenBulletin(ctx, out, format, model, names)
}

// FrozenBulletin is Bulletin with the wording and remarks of names, whatever
// the office's are now: those of a published edition never change.
func (w *Writer) FrozenBulletin(ctx context.Context, out io.Writer, format string, model *schemas.Bulletin, names render.Names) error {
	public := names.Edition == document.Media
	if public && names.Details == nil {
		return &schemas.Error{Code: schemas.Internal, Message: "a media edition is printed with the ledger: it says which projects are withheld", Field: "details"}
	}
	names.RankLeads = names.RankLeads || names.Style.RankLeads
	switch format {
	case JSON:
		if public {
			model = render.Public(model, names.Details)
		}
		return render.JSON(out, model)
	case XLSX:
		return w.workbook(out, model, names, public)
	}
	w.Expect(format)
	doc, err := render.Bulletin(model, names)
	if err != nil {
		return err
	}
	return w.document(ctx, out, format, doc)
}

// workbook writes the bulletin as a workbook; what is withheld is left out of a
// public one.
func (w *Writer) workbook(out io.Writer, model *schemas.Bulletin, names render.Names, public bool) error {
	words := render.RestatementWords(model, names)
	sheet := xlsx.Names{Rules: names.Rules, Projects: names.Projects, RankLeads: names.RankLeads, Public: public, Notes: render.Notes(model, names), Path: words.Path,
		Value: func(value json.RawMessage) string { return words.Value(value) }}
	var ledger []schemas.LedgerRow
	if names.Details != nil {
		ledger = render.Ledger(names.Details, names.Rules, public)
	}
	if public {
		model = render.Public(model, names.Details)
	}
	return whole(out, func(b io.Writer) error { return xlsx.Bulletin(b, model, ledger, sheet) })
}

// Assessment writes the assessment in the format; number is that of the
// finalised edition, nil for a draft.
func (w *Writer) Assessment(ctx context.Context, out io.Writer, format string, model *schemas.Assessment, number *int, names render.Names) error {
	names.Style = w.config.Style
	return w.FrozenAssessment(ctx, out, format, model, number, names)
}

// FrozenAssessment is Assessment with the wording of names.
func (w *Writer) FrozenAssessment(ctx context.Context, out io.Writer, format string, model *schemas.Assessment, number *int, names render.Names) error {
	names.RankLeads = names.RankLeads || names.Style.RankLeads
	public := names.Edition == document.Media
	switch format {
	case JSON:
		if public {
			model = render.PublicAssessment(model, names)
		}
		return render.AssessmentJSON(out, model)
	case XLSX:
		sheet := xlsx.Names{Rules: names.Rules, RankLeads: names.RankLeads, Number: number, Public: public, Notes: render.AssessmentNotes(names.Rules)}
		if public {
			model, sheet.Notes = render.PublicAssessment(model, names), render.PublicAssessmentNotes(model.Year, names)
		}
		return whole(out, func(b io.Writer) error { return xlsx.Assessment(b, model, sheet) })
	}
	w.Expect(format)
	doc, err := render.Assessment(model, number, names)
	if err != nil {
		return err
	}
	return w.document(ctx, out, format, doc)
}

// document writes a composed document.
func (w *Writer) document(ctx context.Context, out io.Writer, format string, doc *document.Document) error {
	switch format {
	case Markdown:
		return render.WriteMarkdown(out, doc)
	case HTML:
		return w.templates.Write(out, doc, page.Options{Sources: true})
	case DOCX:
		return whole(out, func(b io.Writer) error {
			_, err := docx.Write(b, doc)
			return err
		})
	case PDF:
		var b bytes.Buffer
		if err := w.templates.Write(&b, doc, page.Options{}); err != nil {
			return err
		}
		printed, err := w.printer.Print(ctx, b.Bytes())
		if err != nil {
			return err
		}
		_, err = out.Write(printed)
		return err
	}
	return &schemas.Error{Code: schemas.Invalid, Message: "no such format", Field: "format", Value: schemas.Shorten(format), Hint: "choose of " + strings.Join(All(), ", ")}
}

// whole writes nothing when the writing fails.
func whole(out io.Writer, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	_, err := out.Write(b.Bytes())
	return err
}

// Style is the office's present wording.
func (w *Writer) Style() render.Style { return w.config.Style }

// Remarks reads an editor's blocks of the document from the configured folder,
// where there are any.
func (w *Writer) Remarks(name string) (render.Remarks, error) {
	if w.config.Remarks == "" {
		return render.Remarks{}, nil
	}
	for _, ending := range []string{".yaml", ".json"} {
		path := filepath.Join(w.config.Remarks, name+ending)
		file, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return render.Remarks{}, fmt.Errorf("remarks %s: %w", path, err)
		}
		remarks, err := render.ReadRemarks(file)
		return remarks, errors.Join(err, file.Close())
	}
	return render.Remarks{}, nil
}

// Known tells whether there is such a format.
func Known(format string) bool { return slices.Contains(All(), format) }
