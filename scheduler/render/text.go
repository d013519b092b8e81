package render

import (
	"fmt"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// line joins words (string), marked pieces (document.Span) and texts.
func line(parts ...any) document.Text {
	var t document.Text
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			if p != "" {
				t = append(t, document.Span{Text: p})
			}
		case document.Span:
			t = append(t, p)
		case document.Text:
			t = append(t, p...)
		default:
			panic(fmt.Sprintf("render: no part of a text: %T", p))
		}
	}
	return t
}

// count prints the number at the path of the model.
func count(path string, n int) document.Span {
	return document.Span{Text: fmt.Sprint(n), Figure: path}
}

// things prints a number of things, 无 for none.
func things(path string, n int, measure string) document.Text {
	if n == 0 {
		return document.Text{{Text: "无", Figure: path}}
	}
	return line(count(path, n), measure)
}

func amount(path string, m schemas.Money) document.Span {
	return document.Span{Text: money(m), Figure: path}
}

func rate(path string, f *schemas.Figure) document.Span {
	return document.Span{Text: percent(f), Figure: path}
}

// part is a number of things of one sort.
type part struct {
	name string
	path string // of the number, empty when it is not one of the model's
	n    int
}

// parts says 已完成3个、进展缓慢11个（无进展、停缓建：无）: what there is none of comes
// last and without a number.
func parts(measure string, list ...part) document.Text {
	var some, missing document.Text
	for _, p := range list {
		if p.n == 0 {
			if missing != nil {
				missing = append(missing, document.Span{Text: "、"})
			}
			missing = append(missing, document.Span{Text: p.name, Figure: p.path})
			continue
		}
		if some != nil {
			some = append(some, document.Span{Text: "、"})
		}
		some = append(some, line(p.name, count(p.path, p.n), measure)...)
	}
	switch {
	case missing == nil:
		return some
	case some == nil:
		return line(missing, "：无")
	}
	return line(some, "（", missing, "：无）")
}

// Cells of tables.

func word(s string) document.Cell { return document.Cell{Text: s} }

func number(path string, n int) document.Cell {
	return document.Cell{Text: fmt.Sprint(n), Figure: path, Value: n}
}

func numberOrNone(path string, n *int) document.Cell {
	if n == nil {
		return document.Cell{Text: unknown, Figure: path}
	}
	return number(path, *n)
}

func day(path string, d schemas.Date) document.Cell {
	if d == 0 {
		return document.Cell{Text: unknown, Figure: path}
	}
	return document.Cell{Text: d.String(), Figure: path, Value: d}
}

func figure(path string, f *schemas.Figure) document.Cell {
	if f == nil {
		return document.Cell{Text: unknown, Figure: path}
	}
	return document.Cell{Text: f.String(), Figure: path, Value: f}
}

func signedFigure(path string, f *schemas.Figure) document.Cell {
	cell := figure(path, f)
	cell.Text = signed(f)
	return cell
}

func percentage(path string, f *schemas.Figure) document.Cell {
	cell := figure(path, f)
	cell.Text, cell.Percent = percent(f), f != nil
	return cell
}

func wan(path string, m *schemas.Money) document.Cell {
	if m == nil {
		return document.Cell{Text: unknown, Figure: path}
	}
	return document.Cell{Text: m.String(), Figure: path, Value: *m}
}

func light(path string, l schemas.Light) document.Cell {
	return document.Cell{Text: document.LightName(l), Figure: path, Light: l}
}

// Columns of tables, with the width that they want in characters.

func words(width float64, name string) document.Column {
	return document.Column{Name: name, Kind: document.WordColumn, Width: width}
}

func numbers(width float64, names ...string) []document.Column {
	list := make([]document.Column, len(names))
	for i, name := range names {
		list[i] = document.Column{Name: name, Kind: document.NumberColumn, Width: width}
	}
	return list
}

func codes(width float64, name string) document.Column {
	return document.Column{Name: name, Kind: document.CodeColumn, Width: width}
}

func days(name string) document.Column {
	return document.Column{Name: name, Kind: document.DateColumn, Width: 5.6}
}

func under(group string, columns ...document.Column) []document.Column {
	for i := range columns {
		columns[i].Group = group
	}
	return columns
}
