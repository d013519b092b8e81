// Package page writes documents as HTML: one file that needs no other, readable
// from a phone to a wide screen, printed on A4 as the official layout asks, and
// the master of the PDF edition.
package page

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

//go:embed page.html style.css
var embedded embed.FS

// The names of the files that a folder of templates may hold.
const (
	pageFile  = "page.html"
	styleFile = "style.css"
)

// maxTemplate bounds a template's file.
const maxTemplate = 1 << 20

// Templates are the page and its style. They may be used from several
// goroutines.
type Templates struct {
	page  *template.Template
	style template.CSS
}

// Load gives the embedded templates, with those files of the folder in their
// place that are there; an empty dir gives the embedded ones. Every template is
// tried on sample documents: the error lists everything that is wrong.
func Load(dir string) (*Templates, error) {
	var wrong []error
	read := func(name string) string {
		text, err := readTemplate(dir, name)
		if err != nil {
			wrong = append(wrong, err)
		}
		return text
	}
	pageText, style := read(pageFile), read(styleFile)
	t := &Templates{style: template.CSS(style)}
	var err error
	if t.page, err = template.New(pageFile).Option("missingkey=error").Parse(pageText); err != nil {
		wrong = append(wrong, broken(pageFile, err))
	} else {
		for _, sample := range samples() {
			if err := t.Write(io.Discard, sample, Options{Sources: true}); err != nil {
				wrong = append(wrong, broken(pageFile, err))
				break
			}
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return t, nil
}

func broken(name string, err error) error {
	return &schemas.Error{Code: schemas.Invalid, Message: "the template does not work: " + err.Error(), Field: "documents.templates", Value: name,
		Hint: "see docs/templates.md for the data that a page is given", Err: err}
}

func readTemplate(dir, name string) (string, error) {
	if dir == "" {
		text, err := embedded.ReadFile(name)
		return string(text), err
	}
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if _, err := os.Stat(dir); err != nil {
			return "", &schemas.Error{Code: schemas.NotFound, Message: "no folder of templates", Field: "documents.templates", Value: dir, Hint: "check the path"}
		}
		return readTemplate("", name)
	case err != nil:
		return "", fmt.Errorf("template %s: %w", name, err)
	case info.Size() > maxTemplate || !info.Mode().IsRegular():
		return "", &schemas.Error{Code: schemas.Invalid, Message: "not a template file", Field: "documents.templates", Value: path, Hint: "give a file of at most 1 MiB"}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	return string(text), nil
}

// Options say what a page holds.
type Options struct {
	// Sources lets every figure be asked where it comes from, and adds the
	// machine-readable annex; a page that is only printed does without.
	Sources bool
}

// Write writes the document as a page, whole or not at all. Equal documents give
// equal bytes.
func (t *Templates) Write(w io.Writer, doc *document.Document, o Options) error {
	f := &fragments{printed: !o.Sources, ids: map[document.Source]int{}, paths: map[string]int{}}
	if o.Sources {
		f.sources = doc.Sources
	}
	data, err := t.data(doc, f, o)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.page.Execute(&b, data); err != nil {
		return fmt.Errorf("%s as HTML: %w", doc.Name, err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("%s as HTML: %w", doc.Name, err)
	}
	return nil
}

// Data is what the page's template is given.
type Data struct {
	// Edition is official or media.
	Edition string
	Title   []string // it may be broken between its parts
	Plain   string   // the title on one line
	Number  string   // 第10期, 定稿 or 草案
	Facts   []string // what the figures stand on
	Style   template.CSS
	// Head, Signature and Imprint are those of the document; nil when it has
	// none.
	Head      *document.Head
	Signature *document.Signature
	Imprint   *document.Imprint
	Sections  []Section
	Annexes   []Annex
	// Sources are the answers that figures point to by their number.
	Sources []Source
	// Machine is the machine-readable annex as JSON; empty when there is none.
	Machine template.JS
}

// MarkSize is the size of the head's mark in millimetres: it fills the line, up
// to 12.
func (d Data) MarkSize() string {
	return fmt.Sprintf("%.2f", min(12, 150/float64(max(1, len([]rune(d.Head.Mark))))))
}

// Section is a part of the main text.
type Section struct {
	Key, Heading string // the heading may be empty
	Blocks       []template.HTML
}

// Annex is an annex on its own pages.
type Annex struct {
	Key, Label, Title string
	Landscape         bool
	Blocks            []template.HTML
}

// Source is an answer to where figures come from.
type Source struct {
	ID int
	document.Source
}

func (t *Templates) data(doc *document.Document, f *fragments, o Options) (*Data, error) {
	d := &Data{Edition: string(doc.Edition), Title: doc.Title, Plain: doc.Plain(), Number: doc.Number, Facts: doc.Facts, Style: t.style,
		Head: doc.Head, Signature: doc.Signature, Imprint: doc.Imprint}
	for _, s := range doc.Sections {
		blocks, err := f.blocks(s.Blocks)
		if err != nil {
			return nil, fmt.Errorf("%s, section %s: %w", doc.Name, s.Key, err)
		}
		d.Sections = append(d.Sections, Section{Key: s.Key, Heading: s.Heading, Blocks: blocks})
	}
	for _, a := range doc.Annexes {
		blocks, err := f.blocks(a.Blocks)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", doc.Name, a.Label, err)
		}
		d.Annexes = append(d.Annexes, Annex{Key: a.Key, Label: a.Label, Title: a.Title, Landscape: a.Landscape, Blocks: blocks})
	}
	d.Sources = f.asked
	if o.Sources && len(doc.Data) > 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, doc.Data); err != nil {
			return nil, fmt.Errorf("%s: machine-readable annex: %w", doc.Name, err)
		}
		// Nothing in a name may end the element.
		d.Machine = template.JS(bytes.ReplaceAll(compact.Bytes(), []byte("<"), []byte(`\u003c`)))
	}
	return d, nil
}
