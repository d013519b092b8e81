package formats

import (
	"bytes"
	"context"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// word is a word of a printed page with its place in points from the upper left
// corner.
type word struct {
	XMin float64 `xml:"xMin,attr"`
	YMin float64 `xml:"yMin,attr"`
	XMax float64 `xml:"xMax,attr"`
	YMax float64 `xml:"yMax,attr"`
	Text string  `xml:",chardata"`
}

type textLine struct {
	YMin  float64 `xml:"yMin,attr"`
	YMax  float64 `xml:"yMax,attr"`
	Words []word  `xml:"word"`
}

type sheet struct {
	Width  float64    `xml:"width,attr"`
	Height float64    `xml:"height,attr"`
	Lines  []textLine `xml:"flow>block>line"`
}

func (s *sheet) text() string {
	var all []string
	for _, l := range s.Lines {
		for _, w := range l.Words {
			all = append(all, w.Text)
		}
	}
	return strings.Join(all, " ")
}

// sheets asks poppler where every word of the PDF stands.
func sheets(t *testing.T, printed []byte) []sheet {
	t.Helper()
	path := filepath.Join(t.TempDir(), "printed.pdf")
	if err := os.WriteFile(path, printed, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-bbox-layout", path, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext of poppler-utils: %v", err)
	}
	var read struct {
		Pages []sheet `xml:"body>doc>page"`
	}
	decoder := xml.NewDecoder(bytes.NewReader(out))
	decoder.Entity = xml.HTMLEntity
	decoder.Strict = false
	if err := decoder.Decode(&read); err != nil {
		t.Fatal(err)
	}
	if len(read.Pages) == 0 {
		t.Fatal("no pages")
	}
	return read.Pages
}

const millimetre = 72 / 25.4

// The measures of GB/T 9704-2012: the type area of A4, and its lines.
const (
	areaTop, areaRight, areaBottom, areaLeft = 37.0, 26.0, 35.0, 28.0
	linesOnPage                              = 22
	closing                                  = "，。、；：？！）〕》”’」』】％…"
)

// TestTheOfficialPDFIsSetAsTheStandardAsks prints a bulletin of more than 1,000
// projects and measures it.
func TestTheOfficialPDFIsSetAsTheStandardAsks(t *testing.T) {
	t.Parallel()
	pages := sheets(t, write(t, newWriter(t, Config{}), PDF, thousand(t), document.Official))
	main := 0
	for i := range pages {
		p := &pages[i]
		if strings.HasPrefix(p.text(), "附件1 ") && main == 0 {
			main = i
		}
		portrait := p.Height > p.Width
		if portrait {
			measure(t, i+1, p)
		}
		folio(t, i+1, p)
		for _, l := range p.Lines {
			if first := []rune(l.Words[0].Text); strings.ContainsRune(closing, first[0]) && !strings.HasPrefix(l.Words[0].Text, "…") {
				t.Errorf("page %d: a line starts with %s: %v", i+1, string(first[0]), l.Words)
			}
		}
	}
	if main == 0 || main > 6 {
		t.Errorf("the main text has %d pages, want at most 6", main)
	}
	headed(t, pages)
}

// measure holds a page's words in the type area, its body to 22 lines on the
// grid, and a line to 28 characters. A word's box is as high as the font's tallest
// sign, so heights are told by its middle.
func measure(t *testing.T, number int, p *sheet) {
	t.Helper()
	const slack = 1.0 // mm; glyphs are narrower than their boxes
	var body []float64
	for _, l := range p.Lines {
		for _, w := range l.Words {
			middle := (w.YMin + w.YMax) / 2
			if middle > p.Height-areaBottom*millimetre {
				continue // the page number
			}
			if w.XMin < (areaLeft-slack)*millimetre || w.XMax > p.Width-(areaRight-slack)*millimetre || middle < areaTop*millimetre {
				t.Errorf("page %d: %q stands outside the type area: %+v", number, w.Text, w)
			}
			if signs := []rune(w.Text); isBody(w, signs) {
				body = append(body, middle)
				if len(signs) > 28 {
					t.Errorf("page %d: a line of %d characters: %s", number, len(signs), w.Text)
				}
			}
		}
	}
	slices.Sort(body)
	lines := 0
	for i, y := range body {
		if i > 0 && y-body[i-1] < 2 {
			continue // on the same line
		}
		lines++
		if i > 0 && y-body[i-1] < 225.0/linesOnPage*millimetre-0.5 {
			t.Errorf("page %d: lines at %.1f and %.1f are too close", number, body[i-1], y)
		}
	}
	if lines > linesOnPage {
		t.Errorf("page %d has %d lines", number, lines)
	}
}

// isBody tells a word of 三号 type by its pitch: 156/28 mm a character.
func isBody(w word, signs []rune) bool {
	for _, r := range signs {
		if r < 0x3000 {
			return false
		}
	}
	pitch := (w.XMax - w.XMin) / float64(len(signs)) / millimetre
	return len(signs) >= 4 && pitch > 5.4 && pitch < 5.8
}

// folio looks for — n —, at the right of odd pages and at the left of even ones.
func folio(t *testing.T, number int, p *sheet) {
	t.Helper()
	for _, l := range p.Lines {
		text := ""
		for _, w := range l.Words {
			text += w.Text
		}
		if !strings.HasPrefix(text, "—") || !strings.HasSuffix(text, "—") {
			continue
		}
		right := l.Words[0].XMin > p.Width/2
		if right != (number%2 == 1) {
			t.Errorf("page %d: its number stands at the wrong side", number)
		}
		return
	}
	t.Errorf("page %d has no number", number)
}

// headed looks for the header on every page of the longest annex.
func headed(t *testing.T, pages []sheet) {
	t.Helper()
	inside, found := false, 0
	for i := range pages {
		text := pages[i].text()
		if strings.Contains(text, "进展缓慢和无进展项目") && strings.HasPrefix(text, "附件") {
			inside = true
		} else if strings.HasPrefix(text, "附件") {
			inside = false
		}
		if !inside {
			continue
		}
		found++
		for _, name := range []string{"序号", "市直部门", "未销号问题"} {
			if !strings.Contains(strings.ReplaceAll(text, " ", ""), name) {
				t.Errorf("page %d of the annex does not repeat %s", i+1, name)
			}
		}
	}
	if found < 10 {
		t.Errorf("the annex of lagging projects has only %d pages", found)
	}
}

func TestThePDFsOfBothEditionsAreWhole(t *testing.T) {
	t.Parallel()
	e := october(t)
	printed := write(t, newWriter(t, Config{}), PDF, e, document.Media)
	pages := sheets(t, printed)
	if len(pages) > 6 || !strings.Contains(strings.ReplaceAll(pages[0].text(), " ", ""), "10月全市9个重大项目投产") {
		t.Errorf("%d pages, the first says %s", len(pages), pages[0].text())
	}
}

func TestWithoutABrowserThereIsAHintAndNoFile(t *testing.T) {
	t.Parallel()
	e := october(t)
	w := newWriter(t, Config{Browser: filepath.Join(t.TempDir(), "chromium")})
	var b bytes.Buffer
	err := w.Bulletin(context.Background(), &b, PDF, e.Model, e.names(document.Official))
	if schemas.CodeOf(err) != schemas.Unavailable || b.Len() > 0 || !strings.Contains(err.Error(), "install chromium") {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
}
