package render

import "fmt"

// document is a bulletin in words, before it becomes Markdown or HTML.
type document struct {
	Title    string
	Number   string   // 第n期, or 草案
	Facts    []string // what the figures stand on
	Sections []section
	Annexes  []section
}

type section struct {
	Heading string
	Blocks  []block
}

// block is one of: a heading within the section, a paragraph, a list, a table.
type block struct {
	Heading string
	Text    string
	Items   []string
	Table   *table
}

type table struct {
	Columns []column
	Rows    [][]cell
	// Cards lets a narrow screen show each row as a card instead of a line.
	Cards bool
}

type column struct {
	Name string
	Kind columnKind
}

// columnKind says how the cells of a column are set.
type columnKind uint8

const (
	wordColumn   columnKind = iota
	numberColumn            // aligned right, on one line
	codeColumn              // an id or a date, on one line
)

// Class is the column's class on a page.
func (c column) Class() string { return [...]string{"", "n", "w"}[c.Kind] }

type cell struct {
	Text string
	// Light is the class of a cell that shows 亮灯, else empty.
	Light string
}

func text(s string) cell { return cell{Text: s} }
func number(n int) cell  { return cell{Text: fmt.Sprint(n)} }

func words(names ...string) []column   { return columns(wordColumn, names) }
func numbers(names ...string) []column { return columns(numberColumn, names) }
func codes(names ...string) []column   { return columns(codeColumn, names) }

func columns(kind columnKind, names []string) []column {
	list := make([]column, len(names))
	for i, name := range names {
		list[i] = column{Name: name, Kind: kind}
	}
	return list
}

func (s *section) say(format string, args ...any) {
	s.Blocks = append(s.Blocks, block{Text: fmt.Sprintf(format, args...)})
}

func (s *section) heading(name string)  { s.Blocks = append(s.Blocks, block{Heading: name}) }
func (s *section) list(items ...string) { s.Blocks = append(s.Blocks, block{Items: items}) }
func (s *section) table(t table)        { s.Blocks = append(s.Blocks, block{Table: &t}) }
func (d *document) section(name string) *section {
	d.Sections = append(d.Sections, section{Heading: name})
	return &d.Sections[len(d.Sections)-1]
}

// annex moves a table out of the main text and gives the name to refer to.
func (d *document) annex(title string, t table) string {
	name := fmt.Sprintf("附件%d", len(d.Annexes)+1)
	d.Annexes = append(d.Annexes, section{Heading: name + "　" + title, Blocks: []block{{Table: &t}}})
	return name
}
