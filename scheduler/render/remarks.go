package render

import (
	"fmt"
	"io"

	"github.com/goccy/go-yaml"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// Remarks are an editor's own blocks. They are kept apart from the model and
// stay when a draft is made again; no figure of the text comes from them.
type Remarks struct {
	// Instructions are 领导批示: of the official edition alone.
	Instructions []string `yaml:"instructions" json:"instructions"`
	// Causes are 原因分析, Next 下步要求, a paragraph each.
	Causes []string `yaml:"causes" json:"causes"`
	Next   []string `yaml:"next" json:"next"`
}

// Limits of what an editor may write.
const (
	maxRemarks     = 20
	maxRemark      = 4000 // characters
	maxRemarksFile = 1 << 20
)

// ReadRemarks reads remarks from YAML or JSON. Unknown members, too many and too
// long paragraphs are errors with their field.
func ReadRemarks(r io.Reader) (Remarks, error) {
	var remarks Remarks
	text, err := io.ReadAll(io.LimitReader(r, maxRemarksFile+1))
	if err != nil {
		return remarks, fmt.Errorf("remarks: %w", err)
	}
	if len(text) > maxRemarksFile {
		return remarks, &schemas.Error{Code: schemas.Invalid, Message: "the remarks are too long", Field: "remarks", Hint: "write at most 1 MiB"}
	}
	if err := yaml.UnmarshalWithOptions(text, &remarks, yaml.Strict()); err != nil {
		return Remarks{}, &schemas.Error{Code: schemas.Invalid, Message: "the remarks do not read:\n" + yaml.FormatError(err, false, true), Field: "remarks",
			Hint: "write lists of paragraphs under instructions, causes and next"}
	}
	for field, list := range map[string][]string{"instructions": remarks.Instructions, "causes": remarks.Causes, "next": remarks.Next} {
		if len(list) > maxRemarks {
			return Remarks{}, &schemas.Error{Code: schemas.Invalid, Message: "too many paragraphs", Field: "remarks." + field, Value: fmt.Sprint(len(list)), Hint: fmt.Sprintf("write at most %d", maxRemarks)}
		}
		for _, paragraph := range list {
			if n := len([]rune(paragraph)); n == 0 || n > maxRemark {
				return Remarks{}, &schemas.Error{Code: schemas.Invalid, Message: "not a paragraph", Field: "remarks." + field, Value: schemas.Shorten(paragraph),
					Hint: fmt.Sprintf("write 1 to %d characters", maxRemark)}
			}
		}
	}
	return remarks, nil
}

// of gives the paragraphs of an editor's section.
func (r *Remarks) of(key string) []string {
	switch key {
	case sectionInstructions:
		return r.Instructions
	case sectionCauses:
		return r.Causes
	case sectionNext:
		return r.Next
	}
	return nil
}

func editorBlocks(paragraphs []string) []document.Block {
	blocks := make([]document.Block, len(paragraphs))
	for i, p := range paragraphs {
		blocks[i] = &document.Paragraph{Text: document.Words(p), Editor: true}
	}
	return blocks
}
