package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// Markdown writes the bulletin as one Markdown text with tables.
func Markdown(w io.Writer, model *schemas.Bulletin, names Names) error {
	doc, err := Bulletin(model, names)
	if err != nil {
		return err
	}
	return WriteMarkdown(w, doc)
}

// WriteMarkdown writes the document at once, or nothing.
func WriteMarkdown(w io.Writer, doc *document.Document) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n**%s**\n", escapeMarkdown(doc.Plain()), doc.Number)
	if h := doc.Head; h != nil {
		if h.Reference != "" {
			fmt.Fprintf(&b, "\n%s\n", escapeMarkdown(h.Reference))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", escapeMarkdown(strings.Join(doc.Facts, "　")))
	if h := doc.Head; h != nil && h.Addressees != "" {
		fmt.Fprintf(&b, "\n%s：\n", escapeMarkdown(h.Addressees))
	}
	for _, s := range doc.Sections {
		if s.Heading != "" {
			fmt.Fprintf(&b, "\n## %s\n", escapeMarkdown(s.Heading))
		}
		markdownBlocks(&b, s.Blocks)
	}
	if len(doc.Annexes) > 0 {
		b.WriteString("\n附件：\n\n")
		for i, a := range doc.Annexes {
			fmt.Fprintf(&b, "%d. %s\n", i+1, escapeMarkdown(a.Title))
		}
	}
	if s := doc.Signature; s != nil {
		fmt.Fprintf(&b, "\n%s\n", escapeMarkdown(s.Body))
		if s.Day != "" {
			fmt.Fprintf(&b, "\n%s\n", s.Day)
		}
	}
	for _, a := range doc.Annexes {
		fmt.Fprintf(&b, "\n## %s　%s\n", a.Label, escapeMarkdown(a.Title))
		markdownBlocks(&b, a.Blocks)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("%s as Markdown: %w", doc.Name, err)
	}
	return nil
}

func markdownBlocks(b *bytes.Buffer, blocks []document.Block) {
	for _, block := range blocks {
		b.WriteByte('\n')
		switch block := block.(type) {
		case *document.Heading:
			fmt.Fprintf(b, "%s %s\n", strings.Repeat("#", block.Level+1), escapeMarkdown(block.Text))
		case *document.Paragraph:
			fmt.Fprintf(b, "%s\n", markdownText(block.Text))
		case *document.List:
			for i, item := range block.Items {
				mark := "-"
				if block.Numbered {
					mark = fmt.Sprintf("%d.", i+1)
				}
				fmt.Fprintf(b, "%s %s\n", mark, markdownText(item))
			}
		case *document.Table:
			markdownTable(b, block)
		case *document.Chart:
			fmt.Fprintf(b, "**图　%s**：%s\n", escapeMarkdown(block.Title), escapeMarkdown(block.Alt))
		}
	}
}

func markdownText(t document.Text) string {
	var b strings.Builder
	for _, span := range t {
		if span.Strong {
			fmt.Fprintf(&b, "**%s**", escapeMarkdown(span.Text))
		} else {
			b.WriteString(escapeMarkdown(span.Text))
		}
	}
	return b.String()
}

// markdownTable writes one row of header: a column under a group is named by
// both.
func markdownTable(b *bytes.Buffer, t *document.Table) {
	if t.Caption != "" || t.Unit != "" {
		fmt.Fprintf(b, "%s\n\n", escapeMarkdown(strings.TrimSpace(t.Caption+"　"+t.Unit)))
	}
	for _, c := range t.Columns {
		name := c.Name
		if c.Group != "" {
			name = c.Group + "：" + name
		}
		fmt.Fprintf(b, "| %s ", escapeMarkdown(name))
	}
	b.WriteString("|\n")
	for _, c := range t.Columns {
		if c.Kind == document.NumberColumn {
			b.WriteString("| ---: ")
		} else {
			b.WriteString("| --- ")
		}
	}
	b.WriteString("|\n")
	for _, row := range t.Rows {
		for _, c := range row.Cells {
			fmt.Fprintf(b, "| %s ", escapeMarkdown(c.Text))
		}
		b.WriteString("|\n")
	}
}

// escapeMarkdown keeps names that people wrote from becoming markup: a name may
// hold any character.
func escapeMarkdown(s string) string {
	if !strings.ContainsAny(s, "\\`*_[]<>|#&~\r\n\t") {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '\r', '\n', '\t':
			b.WriteByte(' ')
			continue
		case '\\', '`', '*', '_', '[', ']', '<', '>', '|', '#', '&', '~':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
