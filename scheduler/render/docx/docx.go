// Package docx writes a document as an Office Open XML text that an office
// edits in Word or WPS: real styles and headings, pages after GB/T 9704-2012,
// tables with repeated headings, native charts. The same document gives the
// same bytes.
package docx

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"embed"
	"fmt"
	"io"
	"strings"
	"time"

	"milepost/scheduler/render/document"
)

//go:embed parts/*.xml
var parts embed.FS

const (
	head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

	wordSpace         = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
	relationSpace     = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageRelations  = "http://schemas.openxmlformats.org/package/2006/relationships"
	drawingSpace      = "http://schemas.openxmlformats.org/drawingml/2006/main"
	wordDrawingSpace  = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
	chartSpace        = "http://schemas.openxmlformats.org/drawingml/2006/chart"
	wordTypes         = "application/vnd.openxmlformats-officedocument.wordprocessingml."
	chartType         = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
	packageProperties = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
)

// Write writes the document. Characters that XML cannot hold are left out;
// dropped says how many, so that the caller can tell. It fails with
// schemas.Internal for a chart whose values do not fit its labels.
func Write(w io.Writer, doc *document.Document) (dropped int, err error) {
	b := body{doc: doc}
	if err := b.compose(); err != nil {
		return 0, fmt.Errorf("%s as DOCX: %w", doc.Name, err)
	}
	if err := b.pack(w); err != nil {
		return 0, fmt.Errorf("%s as DOCX: %w", doc.Name, err)
	}
	return b.xml.dropped, nil
}

// packedAt is the time of every part: the first that the format can say.
var packedAt = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

type packed struct {
	name string
	text []byte
}

// pack writes the parts in a fixed order, the list of their types first.
func (b *body) pack(w io.Writer) error {
	list := []packed{
		{"[Content_Types].xml", b.contentTypes()},
		{"_rels/.rels", packageRelationships()},
		{"docProps/app.xml", []byte(head + `<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Application>Milepost</Application></Properties>`)},
		{"docProps/core.xml", b.properties()},
		{"word/document.xml", []byte(b.xml.String())},
		{"word/_rels/document.xml.rels", b.relationships()},
	}
	for _, name := range staticParts() {
		text, err := parts.ReadFile("parts/" + name)
		if err != nil {
			return fmt.Errorf("part %s: %w", name, err)
		}
		list = append(list, packed{"word/" + name, text})
	}
	for i, chart := range b.charts {
		list = append(list, packed{fmt.Sprintf("word/charts/chart%d.xml", i+1), chart})
	}
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.DefaultCompression) })
	for _, part := range list {
		file, err := archive.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: packedAt})
		if err != nil {
			return err
		}
		if _, err := file.Write(part.text); err != nil {
			return err
		}
	}
	return archive.Close()
}

// staticParts are the parts that are the same in every document.
func staticParts() []string {
	return []string{"styles.xml", "settings.xml", "fontTable.xml", "footer-odd.xml", "footer-even.xml"}
}

func (b *body) contentTypes() []byte {
	var text bytes.Buffer
	text.WriteString(head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>`)
	override := func(part, kind string) {
		fmt.Fprintf(&text, `<Override PartName="/%s" ContentType="%s"/>`, part, kind)
	}
	override("docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml")
	override("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml")
	override("word/document.xml", wordTypes+"document.main+xml")
	for _, name := range staticParts() {
		kind, _, _ := strings.Cut(strings.TrimSuffix(name, ".xml"), "-")
		override("word/"+name, wordTypes+kind+"+xml")
	}
	for i := range b.charts {
		override(fmt.Sprintf("word/charts/chart%d.xml", i+1), chartType)
	}
	text.WriteString(`</Types>`)
	return text.Bytes()
}

func packageRelationships() []byte {
	return []byte(head + `<Relationships xmlns="` + packageRelations + `"><Relationship Id="rId1" Type="` + relationSpace + `/officeDocument" Target="word/document.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>` +
		`<Relationship Id="rId3" Type="` + relationSpace + `/extended-properties" Target="docProps/app.xml"/></Relationships>`)
}

// The relationships of the footers, which every section refers to.
const oddFooter, evenFooter = "rIdOdd", "rIdEven"

func chartRelation(n int) string { return fmt.Sprintf("rIdChart%d", n) }

func (b *body) relationships() []byte {
	var text bytes.Buffer
	text.WriteString(head + `<Relationships xmlns="` + packageRelations + `">`)
	relation := func(id, kind, target string) {
		fmt.Fprintf(&text, `<Relationship Id="%s" Type="%s/%s" Target="%s"/>`, id, relationSpace, kind, target)
	}
	relation("rIdStyles", "styles", "styles.xml")
	relation("rIdSettings", "settings", "settings.xml")
	relation("rIdFonts", "fontTable", "fontTable.xml")
	relation(oddFooter, "footer", "footer-odd.xml")
	relation(evenFooter, "footer", "footer-even.xml")
	for i := range b.charts {
		relation(chartRelation(i+1), "chart", fmt.Sprintf("charts/chart%d.xml", i+1))
	}
	text.WriteString(`</Relationships>`)
	return text.Bytes()
}

// properties name the document; it bears no time, so that it does not follow
// the clock.
func (b *body) properties() []byte {
	var x xmlText
	x.raw(head + `<cp:coreProperties xmlns:cp="` + packageProperties + `" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>`)
	x.text(b.doc.Plain())
	x.raw(`</dc:title><dc:subject>`)
	x.text(b.doc.Number)
	x.raw(`</dc:subject><dc:creator>Milepost</dc:creator><dc:language>zh-CN</dc:language></cp:coreProperties>`)
	return []byte(x.String())
}
