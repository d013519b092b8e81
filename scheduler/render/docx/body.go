package docx

import (
	"fmt"
	"math"
	"strings"

	"milepost/scheduler/render/document"
)

// body writes the main part of a document.
type body struct {
	doc    *document.Document
	xml    xmlText
	charts [][]byte
	// drawings counts those that have an id.
	drawings int
	// width is that of the type area in twips.
	width int
	// wide tells that the section being written lies on its side.
	wide bool
	// last is the block that stays with the signature.
	last document.Block
}

// The page of GB/T 9704-2012 §5.2 in twips (twentieths of a point): A4, a type
// area of 156 mm by 225 mm, and 22 lines in it.
const (
	pageWidth, pageHeight     = 11906, 16838
	marginTop, marginRight    = 2098, 1474
	marginBottom, marginLeft  = 1984, 1587
	typeWidth                 = pageWidth - marginLeft - marginRight
	typeHeight                = pageHeight - marginTop - marginBottom
	linePitch                 = 579
	footerDistance            = 1304
	twipsPerPoint, emuPerTwip = 20, 635
)

func (b *body) compose() error {
	b.width = typeWidth
	b.xml.rawf(head+`<w:document xmlns:w="%s" xmlns:r="%s" xmlns:wp="%s"><w:body>`, wordSpace, relationSpace, wordDrawingSpace)
	b.opening()
	if n := len(b.doc.Sections); n > 0 && b.doc.Signature != nil {
		if blocks := b.doc.Sections[n-1].Blocks; len(blocks) > 0 {
			b.last = blocks[len(blocks)-1]
		}
	}
	for i := range b.doc.Sections {
		if err := b.section(&b.doc.Sections[i]); err != nil {
			return err
		}
	}
	b.enclosures()
	b.signature()
	for i := range b.doc.Annexes {
		if err := b.annex(&b.doc.Annexes[i], i); err != nil {
			return err
		}
	}
	b.imprint()
	b.sectionProperties(b.wide, "")
	b.xml.raw(`</w:body></w:document>`)
	return nil
}

// paragraph writes a paragraph of words in a style. properties are those of
// the paragraph beyond its style, in the order of the schema.
func (b *body) paragraph(style, properties, words string) {
	b.rich(style, properties, document.Words(words))
}

func (b *body) rich(style, properties string, text document.Text) {
	b.xml.rawf(`<w:p><w:pPr><w:pStyle w:val="%s"/>%s</w:pPr>`, style, properties)
	b.runs(text)
	b.xml.raw(`</w:p>`)
}

func (b *body) runs(text document.Text) {
	for _, span := range text {
		b.xml.raw(`<w:r>`)
		if span.Strong {
			b.xml.raw(`<w:rPr><w:b/><w:bCs/></w:rPr>`)
		}
		b.xml.raw(`<w:t xml:space="preserve">`)
		b.xml.text(span.Text)
		b.xml.raw(`</w:t></w:r>`)
	}
}

// opening writes what stands above the text.
func (b *body) opening() {
	number := b.doc.Number
	if h := b.doc.Head; h != nil {
		b.mark(h.Mark)
		reference := h.Reference
		if reference == "" {
			reference = "（" + number + "）"
		}
		b.paragraph("Reference", "", reference)
		number = ""
	}
	b.title(b.doc.Title)
	facts := b.doc.Facts
	if number != "" {
		facts = append([]string{number}, facts...)
	}
	if len(facts) > 0 {
		b.paragraph("Facts", "", strings.Join(facts, "　"))
	}
	if h := b.doc.Head; h != nil && h.Addressees != "" {
		b.paragraph("Addressees", "", h.Addressees+"：")
	}
}

// mark writes the 发文机关标志 on one line, as large as it fits, and at most
// 36 pt.
func (b *body) mark(text string) {
	if text == "" {
		return
	}
	const largest = 36.0
	size := min(largest, float64(b.width)/twipsPerPoint/max(textEms(text), 1))
	b.xml.rawf(`<w:p><w:pPr><w:pStyle w:val="Mark"/></w:pPr><w:r><w:rPr><w:sz w:val="%d"/><w:szCs w:val="%d"/></w:rPr><w:t xml:space="preserve">`, int(size*2), int(size*2))
	b.xml.text(text)
	b.xml.raw(`</w:t></w:r></w:p>`)
}

// title writes a title that is broken only between its parts, and only when it
// does not fit a line; one without parts that is a little too long is set
// smaller.
func (b *body) title(parts []string) {
	const usual, least = 22.0, 18.0
	room := float64(b.width) / twipsPerPoint
	lines, size := []string{strings.Join(parts, "")}, usual
	if ems := textEms(lines[0]); ems*usual > room {
		if len(parts) > 1 {
			lines = fill(parts, room/usual)
		} else if ems*least <= room {
			size = math.Floor(room/ems*2) / 2
		}
	}
	b.xml.raw(`<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr>`)
	for i, line := range lines {
		b.xml.raw(`<w:r>`)
		if size != usual {
			b.xml.rawf(`<w:rPr><w:sz w:val="%d"/><w:szCs w:val="%d"/></w:rPr>`, int(size*2), int(size*2))
		}
		if i > 0 {
			b.xml.raw(`<w:br/>`)
		}
		b.xml.raw(`<w:t xml:space="preserve">`)
		b.xml.text(line)
		b.xml.raw(`</w:t></w:r>`)
	}
	b.xml.raw(`</w:p>`)
}

// fill puts parts on as few lines as they need.
func fill(parts []string, ems float64) []string {
	var lines []string
	for _, part := range parts {
		if n := len(lines); n > 0 && textEms(lines[n-1]+part) <= ems {
			lines[n-1] += part
		} else {
			lines = append(lines, part)
		}
	}
	return lines
}

func (b *body) section(s *document.Section) error {
	if s.Heading != "" {
		b.paragraph("Heading1", "", s.Heading)
	}
	return b.blocks(s.Blocks)
}

func (b *body) blocks(blocks []document.Block) error {
	for _, block := range blocks {
		keep := ""
		if block == b.last {
			keep = `<w:keepNext/>`
		}
		switch block := block.(type) {
		case *document.Heading:
			properties := ""
			if block.NewPage {
				properties = `<w:pageBreakBefore/>`
			}
			b.paragraph(fmt.Sprintf("Heading%d", min(max(block.Level, 1), 3)), properties, block.Text)
		case *document.Paragraph:
			b.rich(textStyle(block.Note), keep, block.Text)
		case *document.List:
			for i, item := range block.Items {
				if block.Numbered {
					item = append(document.Words(fmt.Sprintf("%d. ", i+1)), item...)
				}
				if i < len(block.Items)-1 {
					b.rich(textStyle(block.Note), "", item)
					continue
				}
				b.rich(textStyle(block.Note), keep, item)
			}
		case *document.Table:
			b.table(block)
		case *document.Chart:
			if err := b.chart(block); err != nil {
				return err
			}
		}
	}
	return nil
}

func textStyle(note bool) string {
	if note {
		return "Note"
	}
	return "BodyText"
}
