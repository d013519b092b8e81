package xlsx

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"time"
)

// packer writes the parts of a workbook in a fixed order and with a fixed time,
// so that the same workbook gives the same bytes whatever order its parts are
// made in. It holds the parts compressed until it is closed.
type packer struct {
	w     io.Writer
	parts []*part
}

type part struct {
	name       string
	compressed bytes.Buffer
	deflate    *flate.Writer
	sum        hash.Hash32
	size       uint64
}

func newPart(name string) (*part, error) {
	made := &part{name: name, sum: crc32.NewIEEE()}
	var err error
	made.deflate, err = flate.NewWriter(&made.compressed, flate.BestSpeed+1)
	return made, err
}

// rewritten is a part that is small with another text.
func (p *part) rewritten(change func([]byte) []byte) (*part, error) {
	if err := p.deflate.Close(); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(flate.NewReader(&p.compressed))
	if err != nil {
		return nil, err
	}
	again, err := newPart(p.name)
	if err != nil {
		return nil, err
	}
	_, err = again.Write(change(text))
	return again, err
}

func newPacker(w io.Writer) *packer { return &packer{w: w} }

// Create begins the part of the name; what was begun before is complete.
func (p *packer) Create(name string) (io.Writer, error) {
	made, err := newPart(name)
	if err != nil {
		return nil, err
	}
	p.parts = append(p.parts, made)
	return made, nil
}

// listed is a default type in the list of types.
var listed = regexp.MustCompile(`<Default [^>]*></Default>`)

// sortTypes puts the default types in order; excelize takes them from a map.
func sortTypes(text []byte) []byte {
	found := listed.FindAll(text, -1)
	sorted := slices.Clone(found)
	slices.SortFunc(sorted, bytes.Compare)
	next := 0
	return listed.ReplaceAllFunc(text, func([]byte) []byte {
		next++
		return sorted[next-1]
	})
}

// Write compresses.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.deflate.Write(b)
	p.sum.Write(b[:n])
	p.size += uint64(n)
	return n, err
}

// AddFS refuses: a workbook is made of parts alone.
func (p *packer) AddFS(fs.FS) error { return fs.ErrInvalid }

// typesPart is the list of the types of the other parts.
const typesPart = "[Content_Types].xml"

// packedAt is the time of every part: the first that the format can say.
var packedAt = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Close writes the parts: first the list of their types, by which programs tell
// what the file is.
func (p *packer) Close() error {
	slices.SortFunc(p.parts, func(a, b *part) int {
		if (a.name == typesPart) != (b.name == typesPart) {
			return map[bool]int{true: -1, false: 1}[a.name == typesPart]
		}
		return cmp.Compare(a.name, b.name)
	})
	if len(p.parts) > 0 && p.parts[0].name == typesPart {
		var err error
		if p.parts[0], err = p.parts[0].rewritten(sortTypes); err != nil {
			return err
		}
	}
	archive := zip.NewWriter(p.w)
	for _, made := range p.parts {
		if err := made.deflate.Close(); err != nil {
			return err
		}
		raw, err := archive.CreateRaw(&zip.FileHeader{Name: made.name, Method: zip.Deflate, Modified: packedAt, CRC32: made.sum.Sum32(),
			CompressedSize64: uint64(made.compressed.Len()), UncompressedSize64: made.size})
		if err != nil {
			return err
		}
		if _, err := made.compressed.WriteTo(raw); err != nil {
			return err
		}
	}
	return archive.Close()
}
