package pages

import (
	"cmp"
	"slices"

	"milepost/schemas"
)

// turnedRed is a project that is red and was not turnedDays before.
type turnedRed struct {
	row int           // in the ledger
	was schemas.Light // "" for a project that was not there yet
}

// weekBefore takes down the light of each project at an earlier cut: its id and
// a byte of each, and nothing else of what was judged. Standings may come in any
// order.
type weekBefore struct {
	ids    []byte   // one behind the other
	ends   []uint32 // of each id
	lights []uint8  // places in lights()
	sorted bool
	words  []schemas.Light
}

func newWeekBefore() *weekBefore { return &weekBefore{sorted: true, words: lights()} }

// note takes a standing's light down.
func (w *weekBefore) note(s *schemas.Standing) {
	n := len(w.ends)
	w.sorted = w.sorted && (n == 0 || string(w.id(n-1)) < s.ProjectID)
	w.ids = append(w.ids, s.ProjectID...)
	w.ends = append(w.ends, uint32(len(w.ids)))
	w.lights = append(w.lights, uint8(slices.Index(w.words, s.Light)))
}

func (w *weekBefore) id(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = w.ends[i-1]
	}
	return w.ids[from:w.ends[i]]
}

// order gives the places of the ids in their order.
func (w *weekBefore) order() []uint32 {
	order := make([]uint32, len(w.ends))
	for i := range order {
		order[i] = uint32(i)
	}
	if !w.sorted {
		slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(string(w.id(int(x))), string(w.id(int(y)))) })
	}
	return order
}

// turnedRed gives the first projects of a ledger that have turned red since, and
// how many did.
func (w *weekBefore) turnedRed(standings []schemas.Standing, most int) (first []turnedRed, count int) {
	order := w.order()
	for row := range standings {
		s := &standings[row]
		if s.Cancelled || s.Light != schemas.Red {
			continue
		}
		for len(order) > 0 && string(w.id(int(order[0]))) < s.ProjectID {
			order = order[1:]
		}
		var was schemas.Light
		if len(order) > 0 && string(w.id(int(order[0]))) == s.ProjectID {
			was = w.words[w.lights[order[0]]]
		}
		if was == schemas.Red {
			continue
		}
		if count++; len(first) < most {
			first = append(first, turnedRed{row, was})
		}
	}
	return first, count
}
