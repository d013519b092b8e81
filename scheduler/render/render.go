// Package render says the model of a bulletin or an assessment in words: it
// composes the document of an edition, which the packages beside it write as
// HTML, PDF, DOCX and XLSX, and itself writes as Markdown. Every figure comes
// from the model, and the same model gives the same bytes.
package render

import (
	"encoding/json"
	"fmt"
	"io"

	"milepost/scheduler/bulletin"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// TemplateVersion counts changes of wording and layout: an edition stores it,
// since its files can be made again only by the version that made them.
const TemplateVersion = 5

// Names give words to the codes and ids of a model, and say what an edition may
// show.
type Names struct {
	// Rules are those that the model was built with: names of districts,
	// groups and items, and the limits that the notes explain.
	Rules *schemas.Rules
	// Projects names the projects that stand in the model by their id alone.
	Projects map[string]string
	// RankLeads shows scores and ranks of the city leaders; without it an
	// edition shows their figures only (the specification, §10).
	RankLeads bool

	// Edition is whom the document is for; empty stands for document.Official.
	Edition document.Edition
	// Details are the projects behind the model. An official edition does without
	// them, and then has neither causes nor movements; a media edition needs them
	// to know what is withheld.
	Details *bulletin.Details
	// Remarks are an editor's own blocks.
	Remarks Remarks
	// Style is the office's wording; the zero value is the default.
	Style Style
	// Signed is the 成文日期 of an edition; 0 leaves room for it.
	Signed schemas.Date
}

func (n *Names) edition() document.Edition {
	if n.Edition == "" {
		return document.Official
	}
	return n.Edition
}

func (n *Names) rankLeads() bool { return n.RankLeads || n.Style.RankLeads }

// JSON writes the model, indented by two spaces, with a line feed at the end.
func JSON(w io.Writer, model *schemas.Bulletin) error {
	if err := writeJSON(w, model); err != nil {
		return fmt.Errorf("bulletin %s as JSON: %w", model.Period, err)
	}
	return nil
}

func writeJSON(w io.Writer, model any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(model)
}
