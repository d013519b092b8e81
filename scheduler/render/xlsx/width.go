package xlsx

import (
	"strings"

	"golang.org/x/text/width"
)

// displayWidth counts the digits that a text is as wide as; a Chinese character
// is as wide as two.
func displayWidth(s string) float64 {
	n := 0
	for _, r := range s {
		n++
		if r < 0x80 {
			continue
		}
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth, width.EastAsianAmbiguous:
			n++
		}
	}
	return float64(n)
}

// linesIn tells how many lines the text takes in a column; a character that
// does not fit whole begins a new one.
func linesIn(s string, columnWidth float64) int {
	room, lines := max(columnWidth-1, 2), 0
	for _, line := range strings.Split(s, "\n") {
		lines++
		used := 0.0
		for _, r := range line {
			w := displayWidth(string(r))
			if used+w > room {
				lines++
				used = 0
			}
			used += w
		}
	}
	return lines
}
