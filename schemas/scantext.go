package schemas

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// texts are the strings of a text in their order, as one pass over it found
// them, for a second one that goes the same way and need not read them again.
type texts struct {
	noted   bool // this is the first pass
	strings []textAt
	next    int // of the second pass
}

// textAt is a string from its opening quote on until behind its closing one.
type textAt struct {
	start, end int32
	escaped    bool
}

// note keeps a string for the second pass.
func (t *texts) note(start, end int, escaped bool) {
	t.strings = append(t.strings, textAt{int32(start), int32(end), escaped})
}

// known gives the string that begins at start when it is the next one that the
// first pass found.
func (t *texts) known(start int) (textAt, bool) {
	if t.noted || t.next >= len(t.strings) || t.strings[t.next].start != int32(start) {
		return textAt{}, false
	}
	t.next++
	return t.strings[t.next-1], true
}

// text reads a string and gives its content between the quotes as sent;
// escaped tells whether unescape must read it.
func (s *scanner) text() (content []byte, escaped bool, err *Error) {
	if t, ok := s.texts.known(s.pos); ok {
		s.pos = int(t.end)
		return s.src[t.start+1 : t.end-1], t.escaped, nil
	}
	start := s.pos + 1
	high := false
	for i := start; ; {
		var more bool
		i, more = plainRun(s.src, i)
		high = high || more
		if i >= len(s.src) {
			break
		}
		switch s.src[i] {
		case '"':
			content = s.src[start:i]
			if high && !utf8.Valid(content) {
				return nil, false, s.malformed("a string that is not UTF-8")
			}
			if escaped && !validEscapes(content) {
				return nil, false, s.malformed("a wrong escape in a string")
			}
			s.pos = i + 1
			if s.texts.noted {
				s.texts.note(start-1, s.pos, escaped)
			}
			return content, escaped, nil
		case '\\':
			escaped = true
			i++
			if i < len(s.src) {
				high = high || s.src[i] >= utf8.RuneSelf
				i++
			}
		default:
			s.pos = i
			return nil, false, s.malformed("a control character in a string")
		}
	}
	s.pos = len(s.src)
	return nil, false, s.malformed("a string without its end")
}

// Eight bytes at once: each of a word's bytes in turn is such a constant's.
const (
	ones     = 0x0101010101010101
	highBits = 0x80 * ones
)

// plainRun gives the first byte from i on that is a quote, a backslash or a
// control character, or the end of the text; high tells whether a byte before
// it is not ASCII.
func plainRun(src []byte, i int) (end int, high bool) {
	for i+8 <= len(src) {
		word := binary.LittleEndian.Uint64(src[i:])
		quote, backslash := word^'"'*ones, word^'\\'*ones
		// The lowest bit that is set is right; a borrow can set only higher ones.
		special := ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-' '*ones)&^word) & highBits
		if special != 0 {
			before := special&-special - 1 // every bit below the first special byte's highest
			return i + bits.TrailingZeros64(special)/8, high || word&highBits&before != 0
		}
		high = high || word&highBits != 0
		i += 8
	}
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case c == '"' || c == '\\' || c < ' ':
			return i, high
		case c >= utf8.RuneSelf:
			high = true
		}
	}
	return i, high
}

// plain gives the content of a string with its escapes undone; without escapes
// it is the text itself, not a copy.
func plain(content []byte, escaped bool) []byte {
	if !escaped {
		return content
	}
	return unescape(content)
}

func validEscapes(content []byte) bool {
	for i := 0; i < len(content); {
		if content[i] != '\\' {
			i++
			continue
		}
		_, size := escape(content[i:])
		if size == 0 {
			return false
		}
		i += size
	}
	return true
}

func unescape(content []byte) []byte {
	return appendUnescaped(make([]byte, 0, len(content)), content)
}

// appendUnescaped adds a text with its escapes undone, which were checked.
func appendUnescaped(out, content []byte) []byte {
	for i := 0; i < len(content); {
		if content[i] != '\\' {
			out = append(out, content[i])
			i++
			continue
		}
		r, size := escape(content[i:])
		out = utf8.AppendRune(out, r)
		i += size
	}
	return out
}

// escape reads the escape that b begins with; its size is 0 when it is wrong,
// and a surrogate without its other half is wrong.
func escape(b []byte) (rune, int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r, ok := unicodeEscape(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := unicodeEscape(b[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// unicodeEscape reads \uXXXX.
func unicodeEscape(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
