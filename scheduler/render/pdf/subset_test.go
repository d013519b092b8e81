package pdf

import (
	"bytes"
	"errors"
	"testing"
)

// madeFont is a font of four glyphs: .notdef, one for A, one for 喆 that is made of the first two, and one for B. Its
// characters stand in a subtable of format 4, its offsets are short.
func madeFont() []byte {
	simple := func(mark byte) []byte {
		return append([]byte{0, 1, 0, 0, 0, 0, 0, 9, 0, 9}, mark, mark)
	}
	composite := []byte{0xff, 0xff, 0, 0, 0, 0, 0, 9, 0, 9,
		0x00, 0x21, 0, 0, 0, 0, 0, 0, // .notdef, word arguments, more to come
		0x00, 0x08, 0, 1, 1, 1, 0x40, 0} // A, byte arguments, with a scale
	var glyf, loca []byte
	for _, glyph := range [][]byte{simple(1), simple(2), composite, simple(3)} {
		loca = order.AppendUint16(loca, uint16(len(glyf)/2))
		glyf = append(glyf, glyph...)
	}
	loca = order.AppendUint16(loca, uint16(len(glyf)/2))
	var cmap []byte
	for _, v := range []uint16{0, 1, 3, 1, 0, 12, // one subtable, at 12
		4, 16 + 8*3, 0, 6, 4, 1, 2, // format 4 with three segments
		'B', '喆', 0xffff, 0, // ends
		'A', '喆', 0xffff, // starts
		0, 0x10000 + 2 - '喆', 1, // deltas
		6, 0, 0, // the first segment looks its glyphs up
		1, 3} {
		cmap = order.AppendUint16(cmap, v)
	}
	head := make([]byte, 54)
	return assemble(map[string][]byte{"glyf": glyf, "loca": loca, "cmap": cmap, "head": head, "maxp": {0, 1, 0, 0, 0, 4}, "GSUB": {1, 2, 3, 4}, "hmtx": make([]byte, 16)})
}

func TestASubsetHasWhatIsNeeded(t *testing.T) {
	t.Parallel()
	subset, has, err := subsetFont(bytes.NewReader(madeFont()), 0, map[rune]bool{'喆': true, '堃': true})
	if err != nil {
		t.Fatal(err)
	}
	if !has['喆'] || has['堃'] || has['B'] {
		t.Errorf("the font has %v", has)
	}
	f, err := openFont(bytes.NewReader(subset), 0)
	if err != nil {
		t.Fatal(err)
	}
	loca, err := f.offsets()
	if err != nil {
		t.Fatal(err)
	}
	for glyph, kept := range []bool{true, true, true, false} {
		if length := loca[glyph+1] - loca[glyph]; (length > 0) != kept {
			t.Errorf("glyph %d has %d bytes", glyph, length)
		}
	}
	if _, ok := f.tables["GSUB"]; ok {
		t.Error("glyphs may be put for others that are not there")
	}
	glyphs, err := f.glyphsOf(map[rune]bool{'喆': true, 'A': true, 'B': true})
	if err != nil || len(glyphs) != 1 || glyphs['喆'] != 2 {
		t.Errorf("characters %v, %v", glyphs, err)
	}
	all, has, err := subsetFont(bytes.NewReader(madeFont()), 0, map[rune]bool{'A': true, 'B': true})
	if err != nil || !has['A'] || !has['B'] {
		t.Errorf("the font has %v, %v", has, err)
	}
	if again, _, err := subsetFont(bytes.NewReader(all), 0, map[rune]bool{'B': true}); err != nil || len(again) >= len(all) {
		t.Errorf("a subset of a subset: %d bytes of %d, %v", len(again), len(all), err)
	}
}

func TestABrokenFontIsRefused(t *testing.T) {
	t.Parallel()
	whole := madeFont()
	for length := 0; length < len(whole)-16; length += 7 {
		if _, _, err := subsetFont(bytes.NewReader(whole[:length]), 0, map[rune]bool{'A': true, '喆': true}); !errors.Is(err, errFont) {
			t.Errorf("%d of %d bytes: %v", length, len(whole), err)
		}
	}
	for at := range whole {
		broken := bytes.Clone(whole)
		broken[at] ^= 0xff
		// Whatever comes of it, it comes without a panic.
		if _, _, err := subsetFont(bytes.NewReader(broken), 0, map[rune]bool{'A': true, 'B': true, '喆': true}); err != nil && !errors.Is(err, errFont) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

func TestTheMachinesCharactersAreRead(t *testing.T) {
	t.Parallel()
	set := parseCharset("20-7e a0\n4e00-9fff\n20-7e a0\n7f nonsense\n")
	for r, want := range map[rune]bool{' ': true, '~': true, 0x7f: true, 0x80: false, 0xa0: true, '喆': true, 0xa000: false} {
		if set.has(r) != want {
			t.Errorf("%U: %v", r, !want)
		}
	}
}
