package docx

import (
	"fmt"
	"strings"
)

// xmlText is XML as it is written. Names that people wrote are escaped; what
// XML cannot hold is left out and counted.
type xmlText struct {
	strings.Builder
	dropped int
}

// raw writes XML as it is.
func (x *xmlText) raw(s string) { x.WriteString(s) }

// rawf writes XML with numbers and fixed words in it.
func (x *xmlText) rawf(format string, args ...any) { fmt.Fprintf(x, format, args...) }

// text writes characters that stand for themselves, between tags or in an
// attribute. Line ends and tabs become blanks.
func (x *xmlText) text(s string) {
	for i, r := range s {
		switch {
		case r == '&':
			x.WriteString("&amp;")
		case r == '<':
			x.WriteString("&lt;")
		case r == '>':
			x.WriteString("&gt;")
		case r == '"':
			x.WriteString("&quot;")
		case r == '\t' || r == '\n' || r == '\r':
			x.WriteByte(' ')
		case r < ' ' || r == 0xFFFE || r == 0xFFFF || r == 0xFFFD && !strings.HasPrefix(s[i:], "\uFFFD"):
			x.dropped++
		default:
			x.WriteRune(r)
		}
	}
}
