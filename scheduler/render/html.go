package render

import (
	"io"

	"milepost/scheduler/render/page"
	"milepost/schemas"
)

// HTML writes the bulletin as one page that needs no other file: readable on a
// phone, and printed on A4.
func HTML(w io.Writer, model *schemas.Bulletin, names Names) error {
	doc, err := Bulletin(model, names)
	if err != nil {
		return err
	}
	templates, err := page.Load("")
	if err != nil {
		return err
	}
	return templates.Write(w, doc, page.Options{Sources: true})
}
