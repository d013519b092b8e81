package render

import (
	"fmt"
	"io"
	"strings"

	"milepost/schemas"
)

// Markdown writes the bulletin as one Markdown text with tables.
func Markdown(w io.Writer, model *schemas.Bulletin, names Names) error {
	doc, err := compose(model, names)
	if err != nil {
		return err
	}
	if err := writeMarkdownDocument(w, doc); err != nil {
		return fmt.Errorf("bulletin %s as Markdown: %w", model.Period, err)
	}
	return nil
}

// writeMarkdownDocument writes the document at once, or nothing.
func writeMarkdownDocument(w io.Writer, doc *document) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n**%s**\n\n", escapeMarkdown(doc.Title), doc.Number)
	for _, fact := range doc.Facts {
		fmt.Fprintf(&b, "- %s\n", escapeMarkdown(fact))
	}
	for _, s := range doc.Sections {
		writeMarkdown(&b, s)
	}
	for _, s := range doc.Annexes {
		writeMarkdown(&b, s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeMarkdown(b *strings.Builder, s section) {
	fmt.Fprintf(b, "\n## %s\n", escapeMarkdown(s.Heading))
	for _, block := range s.Blocks {
		b.WriteByte('\n')
		switch {
		case block.Heading != "":
			fmt.Fprintf(b, "### %s\n", escapeMarkdown(block.Heading))
		case block.Table != nil:
			writeMarkdownTable(b, block.Table)
		case block.Items != nil:
			for _, item := range block.Items {
				fmt.Fprintf(b, "- %s\n", escapeMarkdown(item))
			}
		default:
			fmt.Fprintf(b, "%s\n", escapeMarkdown(block.Text))
		}
	}
}

func writeMarkdownTable(b *strings.Builder, t *table) {
	for _, c := range t.Columns {
		fmt.Fprintf(b, "| %s ", escapeMarkdown(c.Name))
	}
	b.WriteString("|\n")
	for _, c := range t.Columns {
		if c.Kind == numberColumn {
			b.WriteString("| ---: ")
		} else {
			b.WriteString("| --- ")
		}
	}
	b.WriteString("|\n")
	for _, row := range t.Rows {
		for _, c := range row {
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
