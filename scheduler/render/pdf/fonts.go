package pdf

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
	"sync"

	"milepost/schemas"
)

// Face is a font that pages may be printed in, with outlines of TrueType or CFF.
type Face struct {
	Family string // as styles name it
	Bold   bool
	Path   string
	Index  int // of the font, when the file is a collection
}

// Fonts gives fonts for pages that name their families.
type Fonts interface {
	// Faces gives those that are at hand; with fetch set it brings them, which may take minutes.
	Faces(ctx context.Context, fetch bool) ([]Face, error)
}

// unseen keeps the screen from a layout that nobody looks at: a third of the time of a long page.
const unseen = "<style>@media screen { body { display: none } }</style>\n"

// hidden is the page without a layout for the screen.
func hidden(page string) string {
	head := strings.Index(page, "</head>")
	if head < 0 {
		return page
	}
	return page[:head] + unseen + page[head:]
}

// fontStyle gives a style with the glyphs that the page needs of the faces at hand, or else of those of the machine that
// its own style names. When the machine has no font for some character, the faces are fetched; a character that then has
// no glyph is refused.
func (p *Printer) fontStyle(ctx context.Context, text string) (string, error) {
	needed := runesOf(text)
	var faces []Face
	if p.options.Fonts != nil {
		var err error
		if faces, err = p.options.Fonts.Faces(ctx, false); err != nil {
			return "", err
		}
	}
	style, covered, err := embedded(faces, needed)
	if err != nil {
		return "", err
	}
	missing := p.uncovered(needed, covered)
	switch {
	case len(missing) > 0 && len(faces) == 0 && p.options.Fonts != nil:
		if faces, err = p.options.Fonts.Faces(ctx, true); err != nil {
			return "", noGlyphs(missing, err)
		}
		if style, covered, err = embedded(faces, needed); err != nil {
			return "", err
		}
		missing = p.uncovered(needed, covered)
	case len(faces) == 0:
		style = embeddedOfMachine(p.machineFaces(), text, needed)
	}
	if len(missing) > 0 {
		return "", noGlyphs(missing, nil)
	}
	return style, nil
}

func noGlyphs(missing []rune, err error) error {
	shown := missing[:min(len(missing), 20)]
	return &schemas.Error{Code: schemas.Unavailable, Message: "no font on this machine has some characters of the document", Field: "documents", Value: string(shown),
		Hint: "install fonts with them (apt-get install fonts-noto-cjk), or fetch fonts by milepost engine --fonts", Err: err}
}

// runesOf gives the characters of a page that need a glyph, and some of its markup.
func runesOf(page string) map[rune]bool {
	needed := map[rune]bool{}
	for r := rune(' '); r <= '~'; r++ {
		needed[r] = true
	}
	for _, r := range html.UnescapeString(page) {
		if r > ' ' {
			needed[r] = true
		}
	}
	return needed
}

// uncovered gives the characters, in order, that neither the faces nor the machine's fonts have; none when the
// machine's fonts are not known.
func (p *Printer) uncovered(needed, covered map[rune]bool) []rune {
	machine, known := p.charset()
	if !known {
		return nil
	}
	var missing []rune
	for r := range needed {
		if !covered[r] && !invisible(r) && !machine.has(r) {
			missing = append(missing, r)
		}
	}
	slices.Sort(missing)
	return missing
}

// invisible tells whether a character shows nothing of its own: spaces, joiners, direction marks, variation selectors.
func invisible(r rune) bool {
	return r < ' ' || r == 0x7f || r == 0xad || r >= 0x2000 && r <= 0x200f || r >= 0x2028 && r <= 0x202f || r >= 0x2060 && r <= 0x206f || r == 0x3000 || r == 0xa0 ||
		r >= 0xfe00 && r <= 0xfe0f || r == 0xfeff || r >= 0xe0000
}

// embedded writes the faces with the needed glyphs into a style, and says which characters every face has.
func embedded(faces []Face, needed map[rune]bool) (style string, covered map[rune]bool, err error) {
	covered = map[rune]bool{}
	var b strings.Builder
	for i, s := range subsets(faces, needed) {
		if s.err != nil {
			return "", nil, fmt.Errorf("the font %s: %w", faces[i].Family, s.err)
		}
		faces[i].write(&b, s.font)
		if i == 0 {
			covered = s.has
			continue
		}
		for r := range covered {
			if !s.has[r] {
				delete(covered, r)
			}
		}
	}
	return b.String(), covered, nil
}

// subset is a face with the glyphs of a page.
type subset struct {
	font []byte
	has  map[rune]bool
	err  error
}

// subsets makes those of the faces, several at once.
func subsets(faces []Face, needed map[rune]bool) []subset {
	made := make([]subset, len(faces))
	var all sync.WaitGroup
	for i, face := range faces {
		all.Go(func() { made[i].font, made[i].has, made[i].err = subsetFile(face.Path, face.Index, needed) })
	}
	all.Wait()
	return made
}

// write writes the font into a style under the face's name.
func (f Face) write(b *strings.Builder, font []byte) {
	weight := "normal"
	if f.Bold {
		weight = "bold"
	}
	fmt.Fprintf(b, "@font-face { font-family: %q; font-weight: %s; src: url(data:font/ttf;base64,%s) }\n", f.Family, weight, base64.StdEncoding.EncodeToString(font))
}

func subsetFile(path string, index int, needed map[rune]bool) (subset []byte, has map[rune]bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return subsetFont(file, index, needed)
}
