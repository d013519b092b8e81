package pdf

import (
	"fmt"
	"slices"
)

// glyphsOf gives the glyphs of those characters that the font has, by its table of Unicode's characters.
func (f *font) glyphsOf(needed map[rune]bool) (map[rune]uint16, error) {
	table, err := f.table("cmap", 4)
	if err != nil {
		return nil, err
	}
	glyphs := map[rune]uint16{}
	number := int(order.Uint16(table[2:]))
	for i := range number {
		at := 4 + 8*i
		if len(table) < at+8 {
			return nil, fmt.Errorf("%w: table cmap is short", errFont)
		}
		platform, encoding, offset := order.Uint16(table[at:]), order.Uint16(table[at+2:]), int(order.Uint32(table[at+4:]))
		unicode := platform == 0 && encoding <= 4 || platform == 3 && (encoding == 1 || encoding == 10)
		if !unicode || offset < 0 || len(table) < offset+16 {
			continue
		}
		lookUp := segments(table[offset:])
		if order.Uint16(table[offset:]) == 12 {
			lookUp = groups(table[offset:])
		} else if order.Uint16(table[offset:]) != 4 {
			continue
		}
		for r := range needed {
			if glyph := lookUp(r); glyph != 0 && int(glyph) < f.count {
				glyphs[r] = glyph
			}
		}
	}
	return glyphs, nil
}

// segments looks characters up in a subtable of format 4.
func segments(b []byte) func(rune) uint16 {
	n := int(order.Uint16(b[6:])) / 2
	ends, starts, deltas, offsets := 14, 16+2*n, 16+4*n, 16+6*n
	return func(r rune) uint16 {
		if r > 0xffff || len(b) < offsets+2*n {
			return 0
		}
		for i := range n {
			if rune(order.Uint16(b[ends+2*i:])) < r {
				continue
			}
			first := rune(order.Uint16(b[starts+2*i:]))
			if first > r {
				return 0
			}
			delta := order.Uint16(b[deltas+2*i:])
			offset := int(order.Uint16(b[offsets+2*i:]))
			if offset == 0 {
				return uint16(r) + delta
			}
			at := offsets + 2*i + offset + 2*int(r-first)
			if len(b) < at+2 {
				return 0
			}
			if glyph := order.Uint16(b[at:]); glyph != 0 {
				return glyph + delta
			}
			return 0
		}
		return 0
	}
}

// groups looks characters up in a subtable of format 12.
func groups(b []byte) func(rune) uint16 {
	n := min(int(order.Uint32(b[12:])), (len(b)-16)/12)
	return func(r rune) uint16 {
		for i := range n {
			at := 16 + 12*i
			first, last := order.Uint32(b[at:]), order.Uint32(b[at+4:])
			if uint32(r) >= first && uint32(r) <= last {
				return uint16(order.Uint32(b[at+8:]) + uint32(r) - first)
			}
		}
		return 0
	}
}

// cmapOf writes a table with the characters, in a subtable of format 12.
func cmapOf(glyphs map[rune]uint16) []byte {
	runes := make([]rune, 0, len(glyphs))
	for r := range glyphs {
		runes = append(runes, r)
	}
	slices.Sort(runes)
	var b []byte
	for _, v := range []uint16{0, 1, 3, 10} {
		b = order.AppendUint16(b, v)
	}
	b = order.AppendUint32(b, 12)
	b = order.AppendUint16(b, 12)
	b = order.AppendUint16(b, 0)
	for _, v := range []int{16 + 12*len(runes), 0, len(runes)} {
		b = order.AppendUint32(b, uint32(v))
	}
	for _, r := range runes {
		for _, v := range []uint32{uint32(r), uint32(r), uint32(glyphs[r])} {
			b = order.AppendUint32(b, v)
		}
	}
	return b
}
