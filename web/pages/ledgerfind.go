package pages

import (
	"cmp"
	"iter"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync"
)

// rowSet is a set of rows of a ledger, a bit for each of the ledger's.
type rowSet []uint64

func newRowSet(rows int) rowSet { return make(rowSet, (rows+63)/64) }

func (s rowSet) add(row uint32)  { s[row/64] |= 1 << (row % 64) }
func (s rowSet) drop(row uint32) { s[row/64] &^= 1 << (row % 64) }

// keep drops what is not in the other set.
func (s rowSet) keep(other rowSet) {
	for i := range s {
		s[i] &= other[i]
	}
}

func (s rowSet) count() int {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// all yields the rows in the order of the ledger.
func (s rowSet) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(uint32(i*64 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// found are the rows that a filter found, and their order.
type found struct {
	rows  rowSet
	count int
	// number gives the order; nil is that of the ledger.
	number func(row uint32) uint64
}

// find gives the rows that the filter admits, in its order.
func (s *snapshot) find(f *filter) *found {
	x := s.index()
	rows := newRowSet(len(x.rows))
	n := x.narrow(f)
	for i := range x.rows {
		if n.admits(&x.rows[i]) {
			rows.add(uint32(i))
		}
	}
	if f.Q != "" {
		s.search(f.Q, rows)
	}
	found := &found{rows: rows, count: rows.count()}
	if f.Sort != "id" || f.Descending {
		number := sorters[f.Sort](x, s.ledger.Standings)
		found.number = number
		if f.Descending {
			found.number = func(row uint32) uint64 { return ^number(row) }
		}
	}
	return found
}

// numbered is a row with what it is ordered by.
type numbered struct {
	number uint64
	row    uint32
}

func compareNumbered(a, b numbered) int {
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.row, b.row))
}

// numberedRows are kept because those of a page in the middle of a large ledger
// take much memory.
var numberedRows = sync.Pool{New: func() any { return new([]numbered) }}

// page gives the rows from one place to another, which is behind the last one.
// Without an order they are counted off; else those on the nearer side of the
// page's far end are selected, and only the page is sorted.
func (f *found) page(from, to int) []uint32 {
	rows := make([]uint32, 0, to-from)
	if from == to {
		return rows
	}
	if f.number == nil {
		before := from
		for row := range f.rows.all() {
			if len(rows) == to-from {
				break
			}
			if before > 0 {
				before--
				continue
			}
			rows = append(rows, row)
		}
		return rows
	}
	// Seen from the end, the last pages are the first ones: all that is compared is
	// turned round.
	turn, turnRow := uint64(0), uint32(0)
	fromEnd := f.count-from < to
	if fromEnd {
		turn, turnRow = ^turn, ^turnRow
		from, to = f.count-to, f.count-from
	}
	kept := numberedRows.Get().(*[]numbered)
	defer numberedRows.Put(kept)
	*kept = f.least(slices.Grow((*kept)[:0], min(f.count, max(2*to, leastSelected))), to, turn, turnRow)
	selectLeast(*kept, from)
	page := (*kept)[from:to]
	slices.SortFunc(page, compareNumbered)
	for _, one := range page {
		rows = append(rows, one.row^turnRow)
	}
	if fromEnd {
		slices.Reverse(rows)
	}
	return rows
}

// leastSelected is from how many rows on it is worth to select among them.
const leastSelected = 1000

// least gives the n least, in no order. Whenever twice as many have come
// together, the greater half of them goes, and what is greater than those that
// stay does not come any more.
func (f *found) least(kept []numbered, n int, turn uint64, turnRow uint32) []numbered {
	var bound numbered
	bounded := false
	for row := range f.rows.all() {
		one := numbered{f.number(row) ^ turn, row ^ turnRow}
		if bounded && compareNumbered(one, bound) > 0 {
			continue
		}
		if kept = append(kept, one); len(kept) >= max(2*n, leastSelected) {
			selectLeast(kept, n)
			kept = kept[:n]
			bound, bounded = slices.MaxFunc(kept, compareNumbered), true
		}
	}
	selectLeast(kept, n)
	return kept[:n]
}

// selectLeast brings the n least to the front. The pivots are random, so that no
// order of rows is a slow one.
func selectLeast(list []numbered, n int) {
	for n > 0 && n < len(list) {
		pivot := list[rand.IntN(len(list))]
		i, j := 0, len(list)-1
		for i <= j {
			for compareNumbered(list[i], pivot) < 0 {
				i++
			}
			for compareNumbered(list[j], pivot) > 0 {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			list = list[:j+1]
		case n >= i:
			list, n = list[i:], n-i
		default:
			return
		}
	}
}

// all yields all rows in their order.
func (f *found) all() iter.Seq[uint32] {
	if f.number == nil {
		return f.rows.all()
	}
	return func(yield func(uint32) bool) {
		list := make([]numbered, 0, f.count)
		for row := range f.rows.all() {
			list = append(list, numbered{f.number(row), row})
		}
		slices.SortFunc(list, compareNumbered)
		for _, one := range list {
			if !yield(one.row) {
				return
			}
		}
	}
}
