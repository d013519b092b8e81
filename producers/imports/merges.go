package imports

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// merges are the merged ranges of a sheet: every cell of a range has the value
// of its first one.
type merges struct {
	list   []merge // by first row
	opened int     // ranges of the list that begin at or above the row at hand
	active []merge
	width  int // of the active ones; ranges do not overlap
}

type merge struct {
	top, bottom, left, right int
	value                    cell
}

const maxMerges = 200_000

// readMerges reads what follows the rows of a sheet.
func readMerges(rest io.Reader) ([]merge, error) {
	var list []merge
	decoder := xml.NewDecoder(rest)
	decoder.Strict = false
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "mergeCell" {
			continue
		}
		if len(list) == maxMerges {
			return nil, errTooLarge
		}
		if one, ok := parseMerge(attribute(start, "ref")); ok {
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b merge) int { return cmp.Compare(a.top, b.top) })
	return list, nil
}

func parseMerge(ref string) (merge, bool) {
	first, last, ok := strings.Cut(ref, ":")
	if !ok {
		return merge{}, false
	}
	row := func(ref string) int {
		n, err := strconv.Atoi(strings.TrimLeft(ref, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
		if err != nil {
			return 0
		}
		return n
	}
	m := merge{top: row(first), bottom: row(last), left: columnOfRef(first), right: min(columnOfRef(last), maxColumns-1)}
	return m, m.top > 0 && m.bottom >= m.top && m.left >= 0 && m.right >= m.left
}

// fill gives the cells of a row with those that its merged ranges add. Rows
// come from the top.
func (m *merges) fill(row int, cells []cell) []cell {
	m.leave(row)
	for m.opened < len(m.list) && m.list[m.opened].top <= row {
		one := m.list[m.opened]
		m.opened++
		if one.bottom < row {
			continue
		}
		if one.top == row && one.left < len(cells) {
			one.value = cells[one.left]
		}
		if width := one.right - one.left + 1; m.width+width <= maxColumns {
			m.width += width
			m.active = append(m.active, one)
		}
	}
	if len(m.active) == 0 {
		return cells
	}
	for i := range m.active {
		one := &m.active[i]
		if one.value.text == "" && one.value.kind == textCell {
			continue
		}
		for len(cells) <= one.right {
			cells = append(cells, cell{})
		}
		for column := one.left; column <= one.right; column++ {
			cells[column] = one.value
			cells[column].spread = one.bottom > one.top || column > one.left
		}
	}
	return cells
}

// leave forgets the ranges that end above the row.
func (m *merges) leave(row int) {
	m.active = slices.DeleteFunc(m.active, func(one merge) bool {
		if one.bottom < row {
			m.width -= one.right - one.left + 1
		}
		return one.bottom < row
	})
}
