package chart

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// The sizes of type, in the chart's units.
const (
	body  = 13.0
	small = 11.0
)

// Colours that stay apart in grey print, dark to light.
const (
	ink    = "#1c1c1c"
	faint  = "#d9d9d9"
	middle = "#767676"
	accent = "#a61b1b"
)

// drawing collects what a chart shows, from the top down.
type drawing struct {
	b             strings.Builder
	width, height float64
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// at rounds a place to tenths: finer ones only make files larger.
func at(v float64) string { return strconv.FormatFloat(float64(int64(v*10+0.5))/10, 'f', -1, 64) }

func (d *drawing) rect(x, y, w, h float64, style string) {
	if w <= 0 {
		return
	}
	fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="%s" height="%s" %s/>`, at(x), at(y), at(w), at(h), style)
}

func (d *drawing) line(x1, y1, x2, y2 float64, style string) {
	fmt.Fprintf(&d.b, `<line x1="%s" y1="%s" x2="%s" y2="%s" %s/>`, at(x1), at(y1), at(x2), at(y2), style)
}

// anchors of a text.
const (
	begins  = "start"
	centred = "middle"
	ends    = "end"
)

func (d *drawing) text(x, y, size float64, anchor, s string) { d.styled(x, y, size, anchor, "", s) }

func (d *drawing) styled(x, y, size float64, anchor, style, s string) {
	fmt.Fprintf(&d.b, `<text x="%s" y="%s" font-size="%s" text-anchor="%s"%s>%s</text>`, at(x), at(y), number(size), anchor, style, html.EscapeString(s))
}

// shape draws a mark around its middle: circle, triangle, square, diamond or
// ring, as lights and lines use them.
func (d *drawing) shape(form int, x, y, r float64, fill string) {
	style := fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="1"`, fill, ink)
	switch form {
	case 1:
		fmt.Fprintf(&d.b, `<path d="M%s %sL%s %sL%s %sZ" %s/>`, at(x), at(y-r), at(x+r), at(y+r*0.8), at(x-r), at(y+r*0.8), style)
	case 2:
		d.rect(x-r*0.85, y-r*0.85, r*1.7, r*1.7, style)
	case 3:
		fmt.Fprintf(&d.b, `<path d="M%s %sL%s %sL%s %sL%s %sZ" %s/>`, at(x), at(y-r), at(x+r), at(y), at(x), at(y+r), at(x-r), at(y), style)
	default:
		fmt.Fprintf(&d.b, `<circle cx="%s" cy="%s" r="%s" %s/>`, at(x), at(y), at(r), style)
	}
}

// lightForm is the shape of a light; document.LightShape is the same in type.
func lightForm(l schemas.Light) int {
	return map[schemas.Light]int{schemas.Green: 0, schemas.Yellow: 1, schemas.Red: 2, schemas.Grey: 3, schemas.NoneOn: 4}[l]
}

func lightColour(l schemas.Light) string {
	switch l {
	case schemas.Green:
		return "#2e7d32"
	case schemas.Yellow:
		return "#f2b600"
	case schemas.Red:
		return "#c62828"
	case schemas.Grey:
		return "#9e9e9e"
	}
	return "#ffffff"
}

// The fills of series, apart by lightness and by pattern.
var fillColours = [...]string{"#1f4e79", "#8fb3d3", "#ffffff", "#c9a227"}

const fillCount = len(fillColours)

// filled draws a bar in the fill of the series in that place: plain, strokes one
// way, nothing, strokes the other way. The strokes are drawn one by one, since
// printers turn patterns into pictures.
func (d *drawing) filled(place int, x, y, w, h float64) {
	place %= fillCount
	d.rect(x, y, w, h, fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="0.8"`, fillColours[place], fillColours[0]))
	if place != 1 && place != 3 || w <= 0 {
		return
	}
	const gap = 5.0
	var strokes strings.Builder
	for start := gap; start < w+h; start += gap {
		// A stroke runs from the lower left to the upper right, or mirrored.
		x1, y1 := max(0, start-h), min(h, start)
		x2, y2 := min(w, start), max(0, start-w)
		if place == 3 {
			x1, x2 = w-x1, w-x2
		}
		fmt.Fprintf(&strokes, "M%s %sL%s %s", at(x+x1), at(y+y1), at(x+x2), at(y+y2))
	}
	fmt.Fprintf(&d.b, `<path d="%s" stroke="%s" stroke-width="0.9"/>`, strokes.String(), fillColours[0])
}

// advance is about how wide the text is set: a Chinese character is as wide as
// its size.
func advance(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		if r < 0x2e80 {
			w += 0.56
		} else {
			w++
		}
	}
	return w * size
}

// widest is the width of the widest text.
func widest(list []string, size float64) float64 {
	w := 0.0
	for _, s := range list {
		w = max(w, advance(s, size))
	}
	return w
}

// legend writes swatches with their names and gives the height it took.
func (d *drawing) legend(y float64, names []string, swatch func(i int, x, y float64)) float64 {
	x := 4.0
	for i, name := range names {
		need := 24 + advance(name, small) + 18
		if x+need > d.width && x > 4 {
			x, y = 4, y+18
		}
		swatch(i, x, y)
		d.text(x+24, y+4, small, begins, name)
		x += need
	}
	return y + 20
}

// finish wraps the drawing with its title and its text for those who do not see
// it.
func (d *drawing) finish(c *document.Chart) string {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-label="%s" font-family="&#34;Noto Sans SC&#34;,&#34;Noto Sans CJK SC&#34;,&#34;Microsoft YaHei&#34;,SimHei,sans-serif" fill="%s">`,
		number(d.width), at(d.height), html.EscapeString(c.Title+"。"+c.Alt), ink)
	out.WriteString(d.b.String())
	out.WriteString("</svg>")
	return out.String()
}
