package docx

import (
	"fmt"
	"math"

	"milepost/scheduler/render/document"
)

// enclosures lists the annexes below the text (GB/T 9704-2012 §7.3.4).
func (b *body) enclosures() {
	// The last of them stay with the signature: it never stands alone on a page.
	const kept = 8
	for i, a := range b.doc.Annexes {
		opening, keep := "　　　", ""
		if len(b.doc.Annexes)-i <= kept && b.doc.Signature != nil {
			keep = `<w:keepNext/>`
		}
		if i == 0 {
			b.paragraph("BodyText", keep, "")
			opening = "附件："
		}
		if len(b.doc.Annexes) == 1 {
			b.paragraph("Enclosures", keep+enclosureIndent(3), opening+a.Title)
			return
		}
		b.paragraph("Enclosures", keep+enclosureIndent(4), fmt.Sprintf("%s%d. %s", opening, i+1, a.Title))
	}
}

// enclosureIndent lets the lines of a long title begin below its first
// character: hanging characters behind an indent of two.
func enclosureIndent(hanging int) string {
	return fmt.Sprintf(`<w:ind w:leftChars="%d" w:left="%d" w:hangingChars="%d" w:hanging="%d"/>`, (2+hanging)*100, (2+hanging)*320, hanging*100, hanging*320)
}

// signature writes who signs and when, at the right with four characters
// left free behind the day (GB/T 9704-2012 §7.3.5); the shorter of the two
// stands in the middle of the other.
func (b *body) signature() {
	s := b.doc.Signature
	if s == nil {
		return
	}
	day := s.Day
	if day == "" {
		day = "　　年　　月　　日"
	}
	behindDay, behindBody := 4.0, 4.0
	if free := (textEms(day) - textEms(s.Body)) / 2; free > 0 {
		behindBody += free
	} else {
		behindDay -= free
	}
	if most := behindDay + textEms(day); most > 24 {
		behindDay, behindBody = 4, 4
	}
	b.paragraph("BodyText", `<w:keepNext/>`, "")
	if s.Body != "" {
		b.paragraph("Signature", rightIndent(behindBody), s.Body)
	}
	b.paragraph("Signature", rightIndent(behindDay), day)
	if s.Contact != "" {
		b.paragraph("Contact", "", "（"+s.Contact+"）")
	}
}

func rightIndent(characters float64) string {
	return fmt.Sprintf(`<w:ind w:rightChars="%d" w:right="%d"/>`, int(characters*100), int(characters*320))
}

// annex writes an annex on a page of its own.
func (b *body) annex(a *document.Annex, n int) error {
	properties := `<w:pageBreakBefore/>`
	if a.Landscape != b.wide {
		b.endSection()
		b.turn(a.Landscape)
		properties = ""
	}
	b.xml.rawf(`<w:p><w:pPr><w:pStyle w:val="AnnexLabel"/>%s</w:pPr>`, properties)
	b.runs(document.Words(a.Label))
	b.xml.raw(`</w:p>`)
	b.paragraph("AnnexTitle", "", a.Title)
	return b.blocks(a.Blocks)
}

func (b *body) turn(wide bool) {
	b.wide, b.width = wide, typeWidth
	if wide {
		b.width = typeHeight
	}
}

// endSection closes the section with a paragraph that takes no room.
func (b *body) endSection() {
	b.xml.raw(`<w:p><w:pPr><w:pStyle w:val="SectionEnd"/>`)
	b.sectionProperties(b.wide, "nextPage")
	b.xml.raw(`</w:pPr></w:p>`)
}

// sectionProperties writes the page of a section; a page on its side has the
// same type area, turned.
func (b *body) sectionProperties(wide bool, kind string) {
	b.xml.rawf(`<w:sectPr><w:footerReference w:type="default" r:id="%s"/><w:footerReference w:type="even" r:id="%s"/>`, oddFooter, evenFooter)
	if kind != "" {
		b.xml.rawf(`<w:type w:val="%s"/>`, kind)
	}
	if wide {
		b.xml.rawf(`<w:pgSz w:w="%d" w:h="%d" w:orient="landscape"/><w:pgMar w:top="%d" w:right="%d" w:bottom="%d" w:left="%d" w:header="851" w:footer="%d" w:gutter="0"/>`,
			pageHeight, pageWidth, marginLeft, marginTop, marginRight, marginBottom, marginRight-footerRoom)
	} else {
		b.xml.rawf(`<w:pgSz w:w="%d" w:h="%d"/><w:pgMar w:top="%d" w:right="%d" w:bottom="%d" w:left="%d" w:header="851" w:footer="%d" w:gutter="0"/>`,
			pageWidth, pageHeight, marginTop, marginRight, marginBottom, marginLeft, footerDistance)
	}
	b.xml.rawf(`<w:docGrid w:type="lines" w:linePitch="%d"/></w:sectPr>`, linePitch)
}

// footerRoom is how far the page number lies below the type area.
const footerRoom = marginBottom - footerDistance

// imprint writes the 版记 at the foot of the last page (GB/T 9704-2012 §7.4):
// lines above, between and below. After annexes it has a page of its own, and
// room above it; else it floats to the foot of the page of the signature.
func (b *body) imprint() {
	m := b.doc.Imprint
	if m == nil {
		return
	}
	lines := 1
	copies := ""
	if m.Copies != "" {
		copies = "抄送：" + m.Copies + "。"
		lines += imprintLines(copies)
	}
	const rowHeight, slack, thick, thin = linePitch, 200, 8, 6
	position := `<w:tblpPr w:leftFromText="0" w:rightFromText="0" w:vertAnchor="margin" w:horzAnchor="margin" w:tblpX="0" w:tblpYSpec="bottom"/>`
	if len(b.doc.Annexes) > 0 {
		position = ""
		newPage := `<w:pageBreakBefore/>`
		if b.wide {
			b.endSection()
			b.turn(false)
			newPage = ""
		}
		// Whole lines: some programs hold even this paragraph to the grid.
		b.xml.rawf(`<w:p><w:pPr><w:pStyle w:val="SectionEnd"/>%s<w:spacing w:line="%d" w:lineRule="exact"/></w:pPr></w:p>`, newPage, max((typeHeight-lines*rowHeight-slack)/linePitch, 1)*linePitch)
	}
	edge := func(side string, eighths int) string {
		return fmt.Sprintf(`<w:%s w:val="single" w:sz="%d" w:space="0" w:color="000000"/>`, side, eighths)
	}
	b.xml.rawf(`<w:tbl><w:tblPr>%s<w:tblW w:w="%d" w:type="dxa"/><w:tblBorders>%s%s%s</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid><w:gridCol w:w="%d"/></w:tblGrid>`,
		position, typeWidth, edge("top", thick), edge("bottom", thick), edge("insideH", thin), typeWidth)
	row := func(lines int, left, right string) {
		b.xml.rawf(`<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="%d" w:hRule="exact"/></w:trPr><w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>`, lines*rowHeight, typeWidth)
		b.xml.rawf(`<w:p><w:pPr><w:pStyle w:val="Imprint"/><w:tabs><w:tab w:val="right" w:pos="%d"/></w:tabs></w:pPr>`, typeWidth-400)
		b.runs(document.Words(left))
		if right != "" {
			b.xml.raw(`<w:r><w:tab/></w:r>`)
			b.runs(document.Words(right))
		}
		b.xml.raw(`</w:p></w:tc></w:tr>`)
	}
	if copies != "" {
		row(lines-1, copies, "")
	}
	day := "　　年　月　日印发"
	if m.Day != "" {
		day = m.Day + "印发"
	}
	row(1, m.Body, day)
	b.xml.raw(`</w:tbl><w:p><w:pPr><w:pStyle w:val="SectionEnd"/></w:pPr></w:p>`)
}

// imprintLines is how many lines the text takes in the 版记.
func imprintLines(text string) int {
	const size, sides = 14, 2 * 400
	return max(1, int(math.Ceil(textEms(text)*size*twipsPerPoint*1.05/(typeWidth-sides))))
}
