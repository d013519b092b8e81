package pdf

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// maxMachineFaces bounds the machine's fonts that one page takes glyphs of.
const maxMachineFaces = 8

// machineCFF asks fontconfig for the machine's fonts with outlines of the kind CFF, regular and bold; none when it does not
// say.
func machineCFF() []Face {
	said, err := exec.Command("fc-list", ":fontformat=CFF:slant=0:width=100", "--format", "%{weight}\t%{index}\t%{file}\t%{family[0]}\n").Output()
	if err != nil {
		return nil
	}
	return parseFaces(string(said))
}

// The weights of fontconfig that styles call normal and bold.
const (
	regularWeight = "80"
	boldWeight    = "200"
)

// parseFaces reads a line for each font: weight, place in its file, file, family. Fonts of other weights, and instances of
// variable ones, are left out.
func parseFaces(said string) []Face {
	var faces []Face
	for line := range strings.Lines(said) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 4)
		if len(fields) < 4 || fields[0] != regularWeight && fields[0] != boldWeight {
			continue
		}
		index, err := strconv.Atoi(fields[1])
		if err != nil || index < 0 || index >= 1<<16 { // beyond: an instance
			continue
		}
		faces = append(faces, Face{Family: fields[3], Bold: fields[0] == boldWeight, Path: fields[2], Index: index})
	}
	slices.SortFunc(faces, func(a, b Face) int {
		if order := strings.Compare(a.Family, b.Family); order != 0 {
			return order
		}
		return strings.Compare(a.Path, b.Path)
	})
	return faces
}

// embeddedOfMachine writes those of the faces that the page names into a style, under the names that they have anyway. One
// that cannot be drawn anew is left to Chromium.
func embeddedOfMachine(faces []Face, page string, needed map[rune]bool) string {
	var named []Face
	for _, face := range faces {
		if len(named) < maxMachineFaces && strings.Contains(page, strconv.Quote(face.Family)) {
			named = append(named, face)
		}
	}
	var b strings.Builder
	for i, s := range subsets(named, needed) {
		if s.err == nil {
			named[i].write(&b, s.font)
		}
	}
	return b.String()
}

// runeSet is a set of characters as ranges, in order.
type runeSet [][2]rune

func (s runeSet) has(r rune) bool {
	_, found := slices.BinarySearchFunc(s, r, func(span [2]rune, r rune) int {
		switch {
		case span[1] < r:
			return -1
		case span[0] > r:
			return 1
		}
		return 0
	})
	return found
}

// machineCharset asks fontconfig for the characters that the machine's fonts have; false when it does not say.
func machineCharset() (runeSet, bool) {
	said, err := exec.Command("fc-list", "--format", "%{charset}\n").Output()
	if err != nil {
		return nil, false
	}
	return parseCharset(string(said)), true
}

// parseCharset reads ranges like "20-7e a0" of any number of fonts.
func parseCharset(said string) runeSet {
	seen := map[string]bool{}
	var spans runeSet
	for line := range strings.Lines(said) {
		if seen[line] {
			continue // the same characters in another weight
		}
		seen[line] = true
		for _, span := range strings.Fields(line) {
			from, to, many := strings.Cut(span, "-")
			first, err := strconv.ParseUint(from, 16, 32)
			last := first
			if many && err == nil {
				last, err = strconv.ParseUint(to, 16, 32)
			}
			if err == nil {
				spans = append(spans, [2]rune{rune(first), rune(last)})
			}
		}
	}
	slices.SortFunc(spans, func(a, b [2]rune) int { return int(a[0]) - int(b[0]) })
	merged := spans[:0]
	for _, span := range spans {
		if n := len(merged); n > 0 && span[0] <= merged[n-1][1]+1 {
			merged[n-1][1] = max(merged[n-1][1], span[1])
			continue
		}
		merged = append(merged, span)
	}
	return merged
}
