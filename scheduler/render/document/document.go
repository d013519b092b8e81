// Package document is the structure that every printed form is made from: what
// a bulletin or an assessment says, in words, before it becomes HTML, PDF,
// DOCX, XLSX or Markdown. A document is data alone; writers only set it.
package document

import "milepost/schemas"

// Edition says for whom a document is written.
type Edition string

// The editions.
const (
	// Official (公文) is for the government and the standing committee.
	Official Edition = "official"
	// Media (媒体稿) is an article for newspapers and public accounts: no
	// internal remarks, and nothing of projects that are withheld (不公开).
	Media Edition = "media"
)

// Editions lists the editions.
func Editions() []Edition { return []Edition{Official, Media} }

// Document is one edition of a bulletin or of an assessment.
type Document struct {
	Edition Edition
	// Name is the name of its files, without their ending:
	// bulletin-2025-10-official.
	Name string
	// Title is printed above the text; it may be broken only between its parts.
	Title []string
	// Number says which edition it is: 第10期, 定稿, or 草案 for a draft.
	Number string
	// Head is the head of an official document; nil in the media edition.
	Head *Head
	// Facts say what the figures stand on, a line each: 数据截至….
	Facts []string
	// Sections are the main text, in order.
	Sections []Section
	// Annexes follow the signature, each on a new page.
	Annexes []Annex
	// Signature closes the text; nil when there is none.
	Signature *Signature
	// Imprint is the 版记 at the very end; nil in the media edition.
	Imprint *Imprint
	// Data is the machine-readable annex: JSON text, UTF-8. Nil in the media
	// edition.
	Data []byte
	// Sources answer where the figures come from, by their path (Span.Figure).
	// Only the HTML edition shows them.
	Sources Sources
}

// Plain is the title on one line.
func (d *Document) Plain() string {
	title := ""
	for _, part := range d.Title {
		title += part
	}
	return title
}

// Head is what stands above the title of an official document (GB/T 9704-2012,
// §7.2).
type Head struct {
	// Mark is the 发文机关标志, printed large and red: 某某市重点项目建设指挥部办公室文件.
	Mark string
	// Reference is the 发文字号: 某重点〔2025〕10号. Empty in a draft without one.
	Reference string
	// Addressees is the 主送 line, without the colon that follows it.
	Addressees string
}

// Signature is what closes the text (GB/T 9704-2012, §7.3.5).
type Signature struct {
	// Body is the 发文机关署名.
	Body string
	// Day is the 成文日期, written 2025年11月12日; empty in a draft.
	Day string
	// Contact is the 附注, printed in brackets; may be empty.
	Contact string
}

// Imprint is the 版记 (GB/T 9704-2012, §7.4).
type Imprint struct {
	// Copies is the 抄送 line, without the word and the colon; may be empty.
	Copies string
	// Body and Day are the 印发机关 and 印发日期; Day may be empty.
	Body, Day string
}

// Section is a part of the main text under a heading of the first level.
type Section struct {
	// Key names the section for machines: overview, reached, rankings …
	Key string
	// Heading is printed with its number: 一、总体情况.
	Heading string
	Blocks  []Block
}

// Annex is a table or list too long for the main text (附件).
type Annex struct {
	// Key names the annex for machines.
	Key string
	// Label is how the text refers to it: 附件1. Title is its heading.
	Label, Title string
	// Landscape asks for a wide page.
	Landscape bool
	Blocks    []Block
}

// Block is one of *Heading, *Paragraph, *List, *Table and *Chart.
type Block interface{ block() }

// Heading is a heading within a section: level 2 is （一）, level 3 is 1.
type Heading struct {
	Level int // 2 or 3
	Text  string
	// NewPage begins a page.
	NewPage bool
}

// Paragraph is a paragraph of the text.
type Paragraph struct {
	Text Text
	// Lead marks the opening paragraph of an article.
	Lead bool
	// Note marks an explanation in small type.
	Note bool
	// Editor marks what an editor wrote; it holds figures of nobody's model.
	Editor bool
}

// List is a list of short paragraphs.
type List struct {
	Items []Text
	// Numbered lists count their items: 1. 2. 3.
	Numbered bool
	// Note marks explanations in small type.
	Note bool
}

func (*Heading) block()   {}
func (*Paragraph) block() {}
func (*List) block()      {}
func (*Table) block()     {}
func (*Chart) block()     {}

// Text is a line of text in pieces.
type Text []Span

// Span is a piece of text of one sort.
type Span struct {
	Text string
	// Figure is the path of the model's value that the piece prints, as in the
	// view figures: milestones/landed/done. Empty for words.
	Figure string
	// Strong asks for bold type.
	Strong bool
}

// Words is a text of one plain piece.
func Words(s string) Text { return Text{{Text: s}} }

// String is the text without its marks.
func (t Text) String() string {
	if len(t) == 1 {
		return t[0].Text
	}
	whole := ""
	for _, span := range t {
		whole += span.Text
	}
	return whole
}

// LightName is the Chinese name of a light: 绿, 黄, 红, 灰; 未亮灯 for none.
func LightName(l schemas.Light) string {
	switch l {
	case schemas.Green:
		return "绿"
	case schemas.Yellow:
		return "黄"
	case schemas.Red:
		return "红"
	case schemas.Grey:
		return "灰"
	case schemas.NoneOn:
		return "未亮灯"
	}
	return string(l)
}

// LightShape is a sign that tells the lights apart without their colour.
func LightShape(l schemas.Light) string {
	switch l {
	case schemas.Green:
		return "●"
	case schemas.Yellow:
		return "▲"
	case schemas.Red:
		return "■"
	case schemas.Grey:
		return "◆"
	}
	return "○"
}
