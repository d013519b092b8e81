package render

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"milepost/schemas"
)

//go:embed page.html
var pageSource string

// HTML writes the bulletin as one page that needs no other file: readable on a
// phone, and printed on A4.
func HTML(w io.Writer, model *schemas.Bulletin, names Names) error {
	doc, err := compose(model, names)
	if err != nil {
		return err
	}
	page, err := template.New("page").Parse(pageSource)
	if err != nil {
		return fmt.Errorf("page template: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, doc); err != nil {
		return fmt.Errorf("bulletin %s as HTML: %w", model.Period, err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("bulletin %s as HTML: %w", model.Period, err)
	}
	return nil
}
