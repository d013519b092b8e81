package pdf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A Chinese font has tens of thousands of glyphs, and Chromium copies the whole of it several times for each document,
// a second of work for each face. subsetFont keeps what a page needs. TrueType's glyphs keep their numbers, so that only
// the tables of outlines and of characters are made anew; those of CFF are drawn and numbered anew. Tables that put one
// glyph for another are left out, and with them whatever could ask for a glyph that is not there.

var order = binary.BigEndian

const (
	maxTables     = 64
	maxTableBytes = 64 << 20
	maxDepth      = 8 // of glyphs that are made of glyphs
)

var errFont = errors.New("not a font as it should be")

// The marks at the start of a file or of a font in it.
const (
	trueTypeMark   = 0x00010000
	cffMark        = 'O'<<24 | 'T'<<16 | 'T'<<8 | 'O'
	collectionMark = 't'<<24 | 't'<<16 | 'c'<<8 | 'f'
)

// kept are the tables that are taken as they are.
func keptTables() []string {
	return []string{"OS/2", "cvt ", "fpgm", "gasp", "hhea", "hmtx", "maxp", "name", "post", "prep"}
}

type span struct{ offset, length uint32 }

// subsetFont gives a TrueType font with the glyphs of the needed characters, and says which of them the font has. index
// is the font's place in a collection.
func subsetFont(r io.ReaderAt, index int, needed map[rune]bool) ([]byte, map[rune]bool, error) {
	f, err := openFont(r, index)
	if err != nil {
		return nil, nil, err
	}
	glyphs, err := f.glyphsOf(needed)
	if err != nil {
		return nil, nil, err
	}
	has := make(map[rune]bool, len(glyphs))
	for r := range glyphs {
		has[r] = true
	}
	subset := f.subsetTrueType
	if f.cff {
		subset = f.subsetCFF
	}
	tables, err := subset(glyphs)
	if err != nil {
		return nil, nil, err
	}
	return assemble(tables), has, nil
}

// subsetTrueType gives the tables of a font with these glyphs and those that they are made of.
func (f *font) subsetTrueType(glyphs map[rune]uint16) (map[string][]byte, error) {
	loca, err := f.offsets()
	if err != nil {
		return nil, err
	}
	wanted := map[uint16][]byte{}
	for _, glyph := range glyphs {
		if err := f.collect(loca, wanted, glyph, 0); err != nil {
			return nil, err
		}
	}
	if err := f.collect(loca, wanted, 0, 0); err != nil { // .notdef
		return nil, err
	}
	tables := map[string][]byte{"cmap": cmapOf(glyphs), "head": slices.Clone(f.head)}
	tables["glyf"], tables["loca"] = outlines(wanted, f.count)
	order.PutUint16(tables["head"][50:], 1) // long offsets
	for _, name := range keptTables() {
		if at, ok := f.tables[name]; ok {
			if tables[name], err = f.read(at.offset, at.length); err != nil {
				return nil, err
			}
		}
	}
	return tables, nil
}

type font struct {
	r      io.ReaderAt
	index  int // in a collection
	cff    bool
	tables map[string]span
	head   []byte
	count  int // glyphs
}

func (f *font) read(offset, length uint32) ([]byte, error) {
	if length > maxTableBytes {
		return nil, errFont
	}
	b := make([]byte, length)
	if _, err := f.r.ReadAt(b, int64(offset)); err != nil {
		return nil, fmt.Errorf("%w: %w", errFont, err)
	}
	return b, nil
}

func (f *font) table(name string, least int) ([]byte, error) {
	at, ok := f.tables[name]
	if !ok {
		return nil, fmt.Errorf("%w: no table %s", errFont, name)
	}
	b, err := f.read(at.offset, at.length)
	if err == nil && len(b) < least {
		err = fmt.Errorf("%w: table %s is short", errFont, name)
	}
	return b, err
}

func openFont(r io.ReaderAt, index int) (*font, error) {
	f := &font{r: r, index: index, tables: map[string]span{}}
	at := uint32(0)
	start, err := f.read(at, 12)
	if err != nil {
		return nil, err
	}
	if order.Uint32(start) == collectionMark {
		if index < 0 || uint32(index) >= order.Uint32(start[8:]) || index > maxTables {
			return nil, fmt.Errorf("%w: no font %d in the collection", errFont, index)
		}
		offset, err := f.read(12+4*uint32(index), 4)
		if err != nil {
			return nil, err
		}
		at = order.Uint32(offset)
		if start, err = f.read(at, 12); err != nil {
			return nil, err
		}
	}
	number := int(order.Uint16(start[4:]))
	mark := order.Uint32(start)
	f.cff = mark == cffMark
	if mark != trueTypeMark && !f.cff || number > maxTables {
		return nil, errFont
	}
	directory, err := f.read(at+12, uint32(16*number))
	if err != nil {
		return nil, err
	}
	for entry := range slices.Chunk(directory, 16) {
		f.tables[string(entry[:4])] = span{order.Uint32(entry[8:]), order.Uint32(entry[12:])}
	}
	if f.head, err = f.table("head", 54); err != nil {
		return nil, err
	}
	most, err := f.table("maxp", 6)
	if err != nil {
		return nil, err
	}
	f.count = int(order.Uint16(most[4:]))
	return f, nil
}

// offsets gives where the outline of each glyph starts in the table glyf.
func (f *font) offsets() ([]uint32, error) {
	long := order.Uint16(f.head[50:]) == 1
	size := 2
	if long {
		size = 4
	}
	table, err := f.table("loca", (f.count+1)*size)
	if err != nil {
		return nil, err
	}
	loca := make([]uint32, f.count+1)
	for i := range loca {
		if long {
			loca[i] = order.Uint32(table[4*i:])
		} else {
			loca[i] = 2 * uint32(order.Uint16(table[2*i:]))
		}
	}
	return loca, nil
}

// collect adds the outline of the glyph, and those of the glyphs that it is made of.
func (f *font) collect(loca []uint32, wanted map[uint16][]byte, glyph uint16, depth int) error {
	if _, known := wanted[glyph]; known {
		return nil
	}
	if int(glyph) >= f.count || depth > maxDepth || loca[glyph+1] < loca[glyph] {
		return fmt.Errorf("%w: glyph %d", errFont, glyph)
	}
	outline, err := f.read(f.tables["glyf"].offset+loca[glyph], loca[glyph+1]-loca[glyph])
	if err != nil {
		return err
	}
	wanted[glyph] = outline
	if len(outline) < 10 || order.Uint16(outline) < 0x8000 { // empty, or simple
		return nil
	}
	for at := 10; ; {
		if len(outline) < at+4 {
			return fmt.Errorf("%w: glyph %d", errFont, glyph)
		}
		flags := order.Uint16(outline[at:])
		if err := f.collect(loca, wanted, order.Uint16(outline[at+2:]), depth+1); err != nil {
			return err
		}
		at += 6
		if flags&0x0001 != 0 { // arguments are words
			at += 2
		}
		switch {
		case flags&0x0008 != 0: // one scale
			at += 2
		case flags&0x0040 != 0: // two
			at += 4
		case flags&0x0080 != 0: // a matrix
			at += 8
		}
		if flags&0x0020 == 0 { // the last one
			return nil
		}
	}
}

// outlines writes the tables glyf and loca; glyphs that are not wanted are empty.
func outlines(wanted map[uint16][]byte, count int) (glyf, loca []byte) {
	loca = make([]byte, 0, 4*(count+1))
	for i := range count {
		loca = order.AppendUint32(loca, uint32(len(glyf)))
		glyf = append(glyf, wanted[uint16(i)]...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
	}
	return glyf, order.AppendUint32(loca, uint32(len(glyf)))
}

// assemble writes the tables as a font file.
func assemble(tables map[string][]byte) []byte {
	names := make([]string, 0, len(tables))
	for name := range tables {
		names = append(names, name)
	}
	slices.Sort(names)
	power, log := 1, 0
	for 2*power <= len(names) {
		power, log = 2*power, log+1
	}
	file := order.AppendUint32(nil, 0x00010000)
	for _, v := range []int{len(names), 16 * power, log, 16 * (len(names) - power)} {
		file = order.AppendUint16(file, uint16(v))
	}
	at := 12 + 16*len(names)
	var body []byte
	for _, name := range names {
		table := tables[name]
		padded := append(slices.Clone(table), make([]byte, (4-len(table)%4)%4)...)
		var sum uint32
		for word := range slices.Chunk(padded, 4) {
			sum += order.Uint32(word)
		}
		file = append(file, name...)
		file = order.AppendUint32(file, sum)
		file = order.AppendUint32(file, uint32(at+len(body)))
		file = order.AppendUint32(file, uint32(len(table)))
		body = append(body, padded...)
	}
	return append(file, body...)
}
