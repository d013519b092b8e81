package imports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	utf16 "golang.org/x/text/encoding/unicode"
)

// csvSource reads the rows of a CSV file.
type csvSource struct {
	csv    *csv.Reader
	number int
	cells  []cell
}

// openCSV reads a text in the form that the mapping describes. columns are the
// mapped ones: what they are called helps to tell the encoding and the
// delimiter where the mapping names none.
func openCSV(raw []byte, format *FileFormat, columns []string) (*csvSource, *flaw) {
	text, wrong := decodeText(raw, format.Encoding, columns)
	if wrong != nil {
		return nil, wrong
	}
	delimiter, _ := utf8.DecodeRuneInString(format.Delimiter)
	if format.Delimiter == autoDelimiter {
		delimiter = likelyDelimiter(text, columns)
	}
	c := csv.NewReader(bytes.NewReader(text))
	c.Comma = delimiter
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	return &csvSource{csv: c}, nil
}

// autoDelimiter asks to find the delimiter out.
const autoDelimiter = "auto"

// likelyDelimiter is the sign that divides the most mapped columns from each
// other in one of the first lines.
func likelyDelimiter(text []byte, columns []string) rune {
	best, most := ',', 0
	for _, sign := range []rune{',', '\t', ';', '|'} {
		for i, line := range bytes.SplitN(text, []byte("\n"), headerSearch+1) {
			if i == headerSearch || len(line) > 1<<16 {
				break
			}
			found := 0
			for _, field := range strings.Split(string(line), string(sign)) {
				for _, name := range columns {
					if columnKey(strings.Trim(field, "\"\r ")) == columnKey(name) {
						found++
					}
				}
			}
			if found > most {
				best, most = sign, found
			}
		}
	}
	return best
}

func (s *csvSource) next() (record, *flaw, bool) {
	fields, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return record{}, nil, false
	}
	s.number++
	r := record{number: s.number}
	if err != nil {
		wrong := &flaw{message: "the row cannot be read", hint: "a quote inside a quoted cell is written twice"}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			wrong.line = parse.StartLine
			if parse.Line > parse.StartLine {
				wrong.message = fmt.Sprintf("a quoted cell that begins in line %d is not closed; what follows was not read", parse.StartLine)
			}
		}
		return r, wrong, true
	}
	r.line, _ = s.csv.FieldPos(0)
	s.cells = s.cells[:0]
	for _, field := range fields {
		s.cells = append(s.cells, textOf(field))
	}
	r.cells = s.cells
	return r, nil, true
}

// decodeText gives the text in UTF-8. Without a named encoding it takes UTF-8,
// UTF-16 with its byte order mark, and GB18030 only where the names of mapped
// columns prove it: any other single-byte encoding would read as some Chinese
// or other, too.
func decodeText(raw []byte, name string, columns []string) ([]byte, *flaw) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}), bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		text, ok := strictly(utf16.UTF16(utf16.LittleEndian, utf16.UseBOM), raw)
		if !ok {
			return nil, &flaw{message: "the file begins as UTF-16 and breaks off", hint: "save it as CSV UTF-8"}
		}
		return text, nil
	case name == "gb18030":
		text, ok := strictly(simplifiedchinese.GB18030, raw)
		if !ok {
			return nil, &flaw{message: "the file is not GB18030", hint: "leave file.encoding out of the mapping, or save it as CSV UTF-8"}
		}
		return text, nil
	case utf8.Valid(raw):
		text := bytes.TrimPrefix(raw, []byte("\ufeff"))
		if bytes.IndexByte(text, 0) >= 0 {
			return nil, &flaw{message: "the file is no text: it has zero bytes", hint: "save it as CSV UTF-8"}
		}
		return text, nil
	case name == "":
		if text, ok := strictly(simplifiedchinese.GB18030, raw); ok && provenChinese(text, columns) {
			return text, nil
		}
	}
	return nil, &flaw{message: "the file is not UTF-8", hint: "set file.encoding: gb18030 in the mapping, or save it as CSV UTF-8"}
}

// strictly decodes a text that has no byte which the encoding does not know.
func strictly(e encoding.Encoding, raw []byte) ([]byte, bool) {
	text, err := e.NewDecoder().Bytes(raw)
	if err != nil || bytes.IndexByte(text, 0) >= 0 || bytes.Contains(text, []byte(string(utf8.RuneError))) {
		return nil, false
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), true
}

// provenChinese tells whether a mapped column that is named in Chinese stands
// in the first lines.
func provenChinese(text []byte, columns []string) bool {
	head := text
	for i, lines := 0, 0; i < len(text); i++ {
		if text[i] == '\n' {
			if lines++; lines == headerSearch {
				head = text[:i]
				break
			}
		}
	}
	for _, name := range columns {
		if strings.IndexFunc(name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0 && bytes.Contains(head, []byte(name)) {
			return true
		}
	}
	return false
}
