package pdf

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Debian's Chinese fonts have outlines of the kind CFF. Chromium writes such into a PDF glyph by glyph, as Type 3, after it
// has copied the font of twenty megabytes about. subsetCFF draws the glyphs that a page needs as TrueType, which is
// embedded as it is.

// maxOff is how far a drawn outline may lie from the font's own, in units of which a glyph is 1,000 or more high.
const maxOff = 0.4

// maxPieces bounds the curves that one curve becomes.
const maxPieces = 16

// subsetCFF gives the tables of a TrueType font with these glyphs, and gives them numbers from 1 on.
func (f *font) subsetCFF(glyphs map[rune]uint16) (map[string][]byte, error) {
	of, err := f.parsed()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFont, err)
	}
	wanted := []uint16{0} // .notdef
	for _, glyph := range glyphs {
		wanted = append(wanted, glyph)
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	numbers := make(map[rune]uint16, len(glyphs))
	for r, glyph := range glyphs {
		number, _ := slices.BinarySearch(wanted, glyph) // it is there
		numbers[r] = uint16(number)
	}
	advances, err := f.advances()
	if err != nil {
		return nil, err
	}
	var buffer sfnt.Buffer
	drawn := make(map[uint16][]byte, len(wanted))
	var metrics []byte
	points, contours := 0, 0
	for number, glyph := range wanted {
		segments, err := of.LoadGlyph(&buffer, sfnt.GlyphIndex(glyph), fixed.I(int(of.UnitsPerEm())), nil)
		if err != nil {
			return nil, fmt.Errorf("%w: glyph %d: %w", errFont, glyph, err)
		}
		shape := drawnFrom(segments)
		outline, left := shape.encode()
		drawn[uint16(number)] = outline
		points, contours = max(points, shape.points()), max(contours, len(shape))
		metrics = order.AppendUint16(metrics, advances(glyph))
		metrics = order.AppendUint16(metrics, uint16(left))
	}
	tables := map[string][]byte{"cmap": cmapOf(numbers), "hmtx": metrics, "head": slices.Clone(f.head)}
	tables["glyf"], tables["loca"] = outlines(drawn, len(wanted))
	order.PutUint16(tables["head"][50:], 1) // long offsets
	header, err := f.table("hhea", 36)
	if err != nil {
		return nil, err
	}
	order.PutUint16(header[34:], uint16(len(wanted)))
	tables["hhea"] = header
	if tables["OS/2"], err = f.table("OS/2", 78); err != nil {
		return nil, err
	}
	if tables["name"], err = f.table("name", 6); err != nil {
		return nil, err
	}
	tables["maxp"] = make([]byte, 32)
	order.PutUint32(tables["maxp"], 0x00010000)
	for i, v := range []int{len(wanted), points, contours, 0, 0, 2} { // the last one: no twilight zone is asked for
		order.PutUint16(tables["maxp"][4+2*i:], uint16(v))
	}
	tables["post"] = make([]byte, 32)
	order.PutUint32(tables["post"], 0x00030000) // no names of glyphs
	return tables, nil
}

// parsed gives the font to the library that reads the outlines.
func (f *font) parsed() (*sfnt.Font, error) {
	all, err := sfnt.ParseCollectionReaderAt(f.r)
	if err != nil {
		return nil, err
	}
	return all.Font(f.index)
}

// advances gives how wide glyphs are.
func (f *font) advances() (func(glyph uint16) uint16, error) {
	header, err := f.table("hhea", 36)
	if err != nil {
		return nil, err
	}
	given := int(order.Uint16(header[34:])) // later glyphs are as wide as the last one
	metrics, err := f.table("hmtx", 4*max(1, given))
	if err != nil {
		return nil, err
	}
	return func(glyph uint16) uint16 {
		return order.Uint16(metrics[4*min(int(glyph), max(1, given)-1):])
	}, nil
}

// point is one of an outline, in the font's units with y upwards.
type point struct {
	x, y int
	on   bool // the curve goes through it
}

// shape is a glyph's contours, each closed.
type shape [][]point

func (s shape) points() int {
	n := 0
	for _, contour := range s {
		n += len(contour)
	}
	return n
}

// drawnFrom gives the outline with curves of the second degree.
func drawnFrom(segments sfnt.Segments) shape {
	var all shape
	var contour []point
	var at vector
	end := func() {
		if n := len(contour); n > 1 && contour[0] == contour[n-1] {
			contour = contour[:n-1]
		}
		if len(contour) > 1 {
			all = append(all, contour)
		}
		contour = nil
	}
	for _, segment := range segments {
		a, b, c := vectorOf(segment.Args[0]), vectorOf(segment.Args[1]), vectorOf(segment.Args[2])
		switch segment.Op {
		case sfnt.SegmentOpMoveTo:
			end()
			contour = append(contour, a.point(true))
			at = a
		case sfnt.SegmentOpLineTo:
			contour = append(contour, a.point(true))
			at = a
		case sfnt.SegmentOpQuadTo:
			contour = append(contour, a.point(false), b.point(true))
			at = b
		case sfnt.SegmentOpCubeTo:
			for _, piece := range quadratics(at, a, b, c) {
				contour = append(contour, piece[0].point(false), piece[1].point(true))
			}
			at = c
		}
	}
	end()
	return all
}

type vector struct{ x, y float64 }

// vectorOf turns y upwards.
func vectorOf(p fixed.Point26_6) vector { return vector{float64(p.X) / 64, -float64(p.Y) / 64} }

func (v vector) point(on bool) point {
	return point{int(math.Round(v.x)), int(math.Round(v.y)), on}
}

func (v vector) plus(w vector) vector       { return vector{v.x + w.x, v.y + w.y} }
func (v vector) times(by float64) vector    { return vector{v.x * by, v.y * by} }
func between(v, w vector, t float64) vector { return v.times(1 - t).plus(w.times(t)) }

// quadratics gives curves of the second degree (control and end) along one of the third, at most maxOff away from it.
func quadratics(a, b, c, d vector) [][2]vector {
	// The distance of the curve of the second degree that has the same ends and the mean of both controls is √3/36 of
	// this difference; it falls with the third power of the number of pieces.
	third := d.plus(c.times(-3)).plus(b.times(3)).plus(a.times(-1))
	off := math.Sqrt(3) / 36 * math.Hypot(third.x, third.y)
	n := min(maxPieces, max(1, int(math.Ceil(math.Cbrt(off/maxOff)))))
	pieces := make([][2]vector, 0, n)
	for left := n; left > 0; left-- {
		t := 1 / float64(left)
		// The first part of the curve, and the rest of it.
		ab, bc, cd := between(a, b, t), between(b, c, t), between(c, d, t)
		abc, bcd := between(ab, bc, t), between(bc, cd, t)
		middle := between(abc, bcd, t)
		control := ab.plus(abc).times(3).plus(a.plus(middle).times(-1)).times(0.25)
		pieces = append(pieces, [2]vector{control, middle})
		a, b, c = middle, bcd, cd
	}
	return pieces
}

// The flags of a point in the table glyf.
const (
	onCurve   = 0x01
	shortX    = 0x02
	shortY    = 0x04
	positiveX = 0x10 // of a short one; of a long one: none, the same as before
	positiveY = 0x20
)

// encode writes the outline as the table glyf has it, and says how far left it begins.
func (s shape) encode() (outline []byte, left int16) {
	if len(s) == 0 {
		return nil, 0
	}
	low, high := s[0][0], s[0][0]
	var ends, flags, xs, ys []byte
	var before point
	last := -1
	for _, contour := range s {
		last += len(contour)
		ends = order.AppendUint16(ends, uint16(last))
		for _, p := range contour {
			low.x, low.y, high.x, high.y = min(low.x, p.x), min(low.y, p.y), max(high.x, p.x), max(high.y, p.y)
			flag := byte(0)
			if p.on {
				flag = onCurve
			}
			flag |= step(&xs, p.x-before.x, shortX, positiveX) | step(&ys, p.y-before.y, shortY, positiveY)
			flags = append(flags, flag)
			before = p
		}
	}
	for _, v := range []int{len(s), low.x, low.y, high.x, high.y} {
		outline = order.AppendUint16(outline, uint16(v))
	}
	outline = append(outline, ends...)
	outline = append(outline, 0, 0) // no instructions
	return slices.Concat(outline, flags, xs, ys), int16(low.x)
}

// step writes the way from one point to the next along an axis and gives its flags.
func step(to *[]byte, by int, short, positive byte) byte {
	switch {
	case by == 0:
		return positive
	case by > 0 && by < 256:
		*to = append(*to, byte(by))
		return short | positive
	case by < 0 && by > -256:
		*to = append(*to, byte(-by))
		return short
	}
	*to = order.AppendUint16(*to, uint16(by))
	return 0
}
