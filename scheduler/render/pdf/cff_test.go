package pdf

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// madeCFF is a font of three glyphs with outlines of the kind CFF: .notdef, a square for A, and for 喆 a square with one
// side bent. The square is as wide as the font's number times 100.
func madeCFF(number int) []byte {
	side := 100 * number
	// The numbers of outlines and dictionaries.
	short := func(v int) []byte { return []byte{28, byte(v >> 8), byte(v)} }
	long := func(v int) []byte { return []byte{29, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }
	program := func(steps ...any) (b []byte) {
		for _, s := range steps {
			switch s := s.(type) {
			case int:
				b = append(b, short(s)...)
			case string:
				b = append(b, map[string]byte{"moveto": 21, "lineto": 5, "curveto": 8, "end": 14}[s])
			}
		}
		return b
	}
	index := func(items ...[]byte) []byte {
		b := order.AppendUint16(nil, uint16(len(items)))
		if len(items) == 0 {
			return b
		}
		b = append(b, 2)
		at := uint16(1)
		b = order.AppendUint16(b, at)
		for _, item := range items {
			at += uint16(len(item))
			b = order.AppendUint16(b, at)
		}
		return append(b, bytes.Join(items, nil)...)
	}
	outlines := index(program("end"),
		program(10, 0, "moveto", side, 0, 0, side, -side, 0, "lineto", "end"),
		program(10, 0, "moveto", side, 0, "lineto", side, side/3, side, side/3, -2*side, side/3, "curveto", "end"))
	start := []byte{1, 0, 4, 2}
	start = append(start, index([]byte("Made"))...)
	top := func(at, private int) []byte {
		return append(append(append(append(long(at), 17), long(0)...), long(private)...), 18)
	}
	before := len(start) + len(index(top(0, 0))) + 2 + 2
	table := append(start, index(top(before, before+len(outlines)))...)
	table = append(table, index()...) // strings
	table = append(table, index()...) // common parts of programs
	table = append(table, outlines...)
	head := make([]byte, 54)
	order.PutUint16(head[18:], 1000)
	header := make([]byte, 36)
	order.PutUint16(header[34:], 2)
	font := assemble(map[string][]byte{
		"CFF ": table, "head": head, "hhea": header, "maxp": {0, 0, 0x50, 0, 0, 3}, "hmtx": {2, 0, 0, 0, 3, 0, 0, 0, 0, 0},
		"cmap": cmapOf(map[rune]uint16{'A': 1, '喆': 2}), "OS/2": make([]byte, 96), "name": make([]byte, 6), "post": append([]byte{0, 3}, make([]byte, 30)...)})
	copy(font, "OTTO")
	return font
}

// collection puts fonts into one file.
func collection(fonts ...[]byte) []byte {
	file := append([]byte("ttcf\x00\x01\x00\x00"), 0, 0, 0, byte(len(fonts)))
	at := len(file) + 4*len(fonts)
	var body []byte
	for _, font := range fonts {
		base := at + len(body)
		file = order.AppendUint32(file, uint32(base))
		font = bytes.Clone(font)
		for i := range int(order.Uint16(font[4:])) {
			offset := font[12+16*i+8:]
			order.PutUint32(offset, order.Uint32(offset)+uint32(base))
		}
		body = append(body, font...)
	}
	return append(file, body...)
}

// outlineOf gives the outline of the character in a TrueType font, and its left bearing.
func outlineOf(t *testing.T, f *font, r rune) (outline []byte, left int16) {
	t.Helper()
	glyphs, err := f.glyphsOf(map[rune]bool{r: true})
	if err != nil {
		t.Fatal(err)
	}
	loca, err := f.offsets()
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[uint16][]byte{}
	if err := f.collect(loca, wanted, glyphs[r], 0); err != nil {
		t.Fatal(err)
	}
	metrics, err := f.table("hmtx", 4*f.count)
	if err != nil {
		t.Fatal(err)
	}
	return wanted[glyphs[r]], int16(order.Uint16(metrics[4*glyphs[r]+2:]))
}

func TestAFontOfACollectionIsDrawnAsTrueType(t *testing.T) {
	t.Parallel()
	file := collection(madeCFF(1), madeCFF(3))
	subset, has, err := subsetFont(bytes.NewReader(file), 1, map[rune]bool{'A': true, '喆': true, '堃': true})
	if err != nil {
		t.Fatal(err)
	}
	if !has['A'] || !has['喆'] || has['堃'] {
		t.Errorf("the font has %v", has)
	}
	f, err := openFont(bytes.NewReader(subset), 0)
	if err != nil || f.cff || f.count != 3 {
		t.Fatalf("%+v, %v", f, err)
	}
	square, left := outlineOf(t, f, 'A')
	// One contour from (10, 0) to (310, 300), which ends at its fourth point.
	if want := []byte{0, 1, 0, 10, 0, 0, 1, 54, 1, 44, 0, 3}; !bytes.HasPrefix(square, want) || left != 10 {
		t.Errorf("the square is %v, %d from the left", square, left)
	}
	if bent, _ := outlineOf(t, f, '喆'); len(bent) <= len(square) || order.Uint16(bent[10:]) < 5 {
		t.Errorf("the bent square is %v", bent)
	}
	advances, err := f.advances()
	if err != nil || advances(1) != 0x300 || advances(2) != 0x300 {
		t.Errorf("the glyphs are %d and %d wide, %v", advances(1), advances(2), err)
	}
	if _, _, err := subsetFont(bytes.NewReader(file), 2, map[rune]bool{'A': true}); err == nil {
		t.Error("the collection has a third font")
	}
}

func TestABrokenCFFFontIsRefused(t *testing.T) {
	t.Parallel()
	whole := madeCFF(1)
	for at := range whole {
		broken := bytes.Clone(whole)
		broken[at] ^= 0xff
		// Whatever comes of it, it comes without a panic.
		_, _, _ = subsetFont(bytes.NewReader(broken), 0, map[rune]bool{'A': true, '喆': true})
	}
	if _, _, err := subsetFont(bytes.NewReader(whole[:len(whole)/2]), 0, map[rune]bool{'A': true}); err == nil {
		t.Error("half a font is one")
	}
}

func TestCurvesAreDrawnCloseToTheirOwn(t *testing.T) {
	t.Parallel()
	for _, c := range [][4]vector{
		{{0, 0}, {0, 55}, {45, 100}, {100, 100}},
		{{0, 0}, {300, 0}, {-200, 700}, {100, 700}},
		{{0, 0}, {900, 20}, {-800, 40}, {60, 60}},
		{{5, 5}, {5, 5}, {5, 5}, {5, 5}},
		{{0, 0}, {1000, 0}, {1000, 1000}, {0, 1000}},
	} {
		pieces := quadratics(c[0], c[1], c[2], c[3])
		if end := pieces[len(pieces)-1][1]; math.Hypot(end.x-c[3].x, end.y-c[3].y) > 1e-9 {
			t.Errorf("%v ends at %v", c, end)
		}
		from := c[0]
		for i, piece := range pieces {
			for step := range 21 {
				at := float64(step) / 20
				drawn := between(between(from, piece[0], at), between(piece[0], piece[1], at), at)
				u := (float64(i) + at) / float64(len(pieces))
				ab, bc, cd := between(c[0], c[1], u), between(c[1], c[2], u), between(c[2], c[3], u)
				own := between(between(ab, bc, u), between(bc, cd, u), u)
				if off := math.Hypot(drawn.x-own.x, drawn.y-own.y); off > maxOff*1.001 {
					t.Fatalf("%v: %.2f off at %.2f", c, off, u)
				}
			}
			from = piece[1]
		}
	}
}

func TestTheMachinesFontsAreEmbeddedWhereThePageNamesThem(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "made.ttc")
	if err := os.WriteFile(path, collection(madeCFF(1), madeCFF(3)), 0o600); err != nil {
		t.Fatal(err)
	}
	faces := parseFaces("200\t1\t" + path + "\tMade Serif\n80\t0\t" + path + "\tMade Serif\n80\t0\t" + path + "\tMade Sans\n80\t131072\t" + path + "\tMade Serif\n" +
		"50\t0\t" + path + "\tMade Serif\n80\t0\t/nowhere\tMade Serif\n80\n")
	if len(faces) != 4 {
		t.Fatalf("%+v", faces)
	}
	p := New(Options{})
	p.charset = func() (runeSet, bool) { return runeSet{{' ', '~'}, {'喆', '喆'}}, true }
	p.machineFaces = func() []Face { return faces }
	style, err := p.fontStyle(t.Context(), `<head><style>body { font-family: "Made Serif" }</style></head><body>A喆`)
	if err != nil {
		t.Fatal(err)
	}
	for text, times := range map[string]int{`font-family: "Made Serif"; font-weight: normal`: 1, `font-family: "Made Serif"; font-weight: bold`: 1, "Made Sans": 0} {
		if n := strings.Count(style, text); n != times {
			t.Errorf("%s stands there %d times", text, n)
		}
	}
}
