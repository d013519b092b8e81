package pages

import (
	"cmp"
	"iter"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
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

// everything is from where to where rows lie.
var everything = bracket{upper: numbered{math.MaxUint64, math.MaxUint32}}

// bracket is a part of the order, its ends included.
type bracket struct{ lower, upper numbered }

// page gives the rows from one place to another, which is behind the last one.
// Without an order they are counted off; else a sample tells about where the
// page lies, and only what lies there is looked at closely.
func (f *found) page(from, to int) []uint32 {
	if f.number == nil {
		return f.countOff(from, to)
	}
	rows, hit := f.pageWithin(f.guess(from, to), from, to)
	if !hit {
		rows, _ = f.pageWithin(everything, from, to)
	}
	return rows
}

func (f *found) countOff(from, to int) []uint32 {
	rows := make([]uint32, 0, to-from)
	at := 0
	for row := range f.rows.all() {
		if at >= to {
			break
		}
		if at >= from {
			rows = append(rows, row)
		}
		at++
	}
	return rows
}

// sampled is how many rows the guess is made of.
const sampled = 1000

// guess gives the part of the order in which a page very likely lies: rows taken
// at random are about as far from both ends as among all, with a deviation of
// √(np(1−p)), of which it leaves four on either side.
func (f *found) guess(from, to int) bracket {
	stride := f.count / sampled
	if stride < 2 {
		return everything
	}
	sample := make([]numbered, 0, sampled+1)
	at, next := 0, rand.IntN(stride)
	for row := range f.rows.all() {
		if at == next {
			sample = append(sample, numbered{f.number(row), row})
			next = len(sample)*stride + rand.IntN(stride)
		}
		at++
	}
	slices.SortFunc(sample, compareNumbered)
	place := func(among, side int) int {
		share := float64(among) / float64(f.count)
		return int(share*float64(len(sample))) + side*int(4*math.Sqrt(float64(len(sample))*share*(1-share))+8)
	}
	within := everything
	if i := place(from, -1); i >= 0 {
		within.lower = sample[i]
	}
	if i := place(to, 1); i < len(sample) {
		within.upper = sample[i]
	}
	return within
}

// pageWithin gives the page when it lies in a part of the order.
func (f *found) pageWithin(within bracket, from, to int) (page []uint32, hit bool) {
	below := 0
	var inside []numbered
	for row := range f.rows.all() {
		one := numbered{f.number(row), row}
		switch {
		case compareNumbered(one, within.lower) < 0:
			below++
		case compareNumbered(one, within.upper) <= 0:
			inside = append(inside, one)
		}
	}
	from, to = from-below, to-below
	if from < 0 || to > len(inside) {
		return nil, false
	}
	selectLeast(inside, to)
	selectLeast(inside[:to], from)
	slices.SortFunc(inside[from:to], compareNumbered)
	page = make([]uint32, 0, to-from)
	for _, one := range inside[from:to] {
		page = append(page, one.row)
	}
	return page, true
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
