package docx

import (
	"math"
	"unicode"

	"golang.org/x/text/width"

	"milepost/scheduler/render/document"
)

// textEms measures a text in widths of a Chinese character; others take about
// half of one, and a quarter is left free between the two kinds.
func textEms(s string) float64 {
	const other, gap = 0.53, 0.25
	total := 0.0
	var before rune
	for i, r := range s {
		wide := isWide(r)
		if wide {
			total++
		} else {
			total += other
		}
		if i > 0 && wide != isWide(before) && (unicode.IsLetter(r) || unicode.IsDigit(r)) && (unicode.IsLetter(before) || unicode.IsDigit(before)) {
			total += gap
		}
		before = r
	}
	return total
}

func isWide(r rune) bool {
	if r < 0x80 {
		return false
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianHalfwidth, width.EastAsianNarrow, width.Neutral:
		return false
	}
	return true
}

// fitted are the columns of a table in twips, and the size of its type in half
// points.
type fitted struct {
	widths []int
	size   int
}

// cellRoom is what a cell leaves free at its sides, in twips.
const cellRoom = 2*57 + 20

// fitTable shares the width among the columns in the largest type in which
// what must stay on one line does, and words have room for a few characters.
func fitTable(t *document.Table, total int) fitted {
	least, wish := needs(t)
	var fit fitted
	for _, size := range []int{24, 21, 20, 18, 17, 16, 15, 14, 13, 12} {
		fit.size = size
		if scaled(least, size) <= total {
			break
		}
	}
	em := float64(fit.size) / 2 * twipsPerPoint
	free := float64(total) - float64(scaled(least, fit.size))
	wanted := 0.0
	for i := range wish {
		wanted += max(wish[i]-least[i], 0)
	}
	fit.widths = make([]int, len(least))
	used := 0
	for i := range least {
		share := 1 / float64(len(least))
		if wanted > 0 {
			share = max(wish[i]-least[i], 0) / wanted
		}
		// What is left after every wish is shared by all alike.
		extra := free * share
		if wanted > 0 && free > wanted*em {
			extra = (wish[i]-least[i])*em + (free-wanted*em)/float64(len(least))
		}
		fit.widths[i] = int(math.Round(least[i]*em + cellRoom + extra))
		used += fit.widths[i]
	}
	if n := len(fit.widths); n > 0 {
		fit.widths[n-1] += total - used
	}
	return fit
}

func scaled(ems []float64, size int) int {
	total := 0.0
	for _, n := range ems {
		total += n*float64(size)/2*twipsPerPoint + cellRoom
	}
	return int(math.Ceil(total))
}

// needs gives for each column the width that it cannot do without, and the one
// that it wishes, in characters.
func needs(t *document.Table) (least, wish []float64) {
	least, wish = make([]float64, len(t.Columns)), make([]float64, len(t.Columns))
	for i, c := range t.Columns {
		longest := 0.0
		for r := range t.Rows {
			if i < len(t.Rows[r].Cells) {
				longest = max(longest, textEms(t.Rows[r].Cells[i].Text))
			}
		}
		// A heading may take three lines, of two characters at least.
		heading := max(2, math.Ceil(textEms(c.Name)/3))
		if c.Kind == document.WordColumn {
			least[i] = max(heading, min(longest, min(max(c.Width*0.75, 6), 9)))
			wish[i] = max(least[i], min(longest, max(c.Width, 16)), min(textEms(c.Name), 8))
		} else {
			least[i] = max(heading, longest)
			wish[i] = max(least[i], min(textEms(c.Name), 8))
		}
	}
	return least, wish
}
