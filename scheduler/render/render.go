// Package render turns the model of a bulletin into files: JSON, Markdown and
// one Chinese HTML page; that of an assessment into JSON and Markdown. Every figure comes from the model, and the same model
// gives the same bytes.
package render

import (
	"encoding/json"
	"fmt"
	"io"

	"milepost/schemas"
)

// TemplateVersion counts changes of wording and layout: an edition stores it,
// since its files can be made again only by the version that made them.
const TemplateVersion = 1

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
}

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
