package schemas

import (
	"bytes"
	"strconv"
)

// Limits of the JSON text of an event, beside MaxEventBytes.
const (
	// maxDepth is how deep objects and arrays may nest, the event's own object
	// counted.
	maxDepth = 32
	// maxNumberLength and maxExponent bound the spelling of a number, so that
	// every number can be compared exactly and cheaply.
	maxNumberLength = 64
	maxExponent     = 200
)

// scanner reads strict JSON (RFC 8259 in UTF-8, without lone surrogates) from
// a text in one pass.
type scanner struct {
	src   []byte
	pos   int
	depth int
	texts texts
}

func (s *scanner) malformed(what string) *Error {
	return &Error{
		Code: Malformed, Message: "not JSON: " + what + " at byte " + strconv.Itoa(s.pos),
		Value: Shorten(s.around()), Hint: "send one JSON object in UTF-8",
	}
}

// around gives the text at the position for an error message.
func (s *scanner) around() string {
	end := min(s.pos+24, len(s.src))
	if s.pos >= end {
		return ""
	}
	return string(bytes.ToValidUTF8(s.src[s.pos:end], []byte("?")))
}

// peek skips white space and gives the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; c {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// finish refuses text after the value.
func (s *scanner) finish() *Error {
	s.peek()
	if s.pos < len(s.src) {
		return s.malformed("more text after the value")
	}
	return nil
}

// literal reads true, false or null.
func (s *scanner) literal(word string) *Error {
	if !bytes.HasPrefix(s.src[s.pos:], []byte(word)) {
		return s.malformed("unknown word")
	}
	s.pos += len(word)
	return nil
}

// null reads null if it comes next.
func (s *scanner) null() (bool, *Error) {
	if s.peek() != 'n' {
		return false, nil
	}
	return true, s.literal("null")
}

// enter counts one more level of nesting.
func (s *scanner) enter() *Error {
	s.depth++
	if s.depth > maxDepth {
		return tooDeep()
	}
	return nil
}

func tooDeep() *Error {
	return &Error{Code: Invalid, Message: "nested too deeply", Hint: "nest objects and lists at most " + strconv.Itoa(maxDepth) + " deep"}
}

// number reads a number and gives it as sent.
func (s *scanner) number() ([]byte, *Error) {
	number, err := s.anyNumber()
	if err == nil {
		err = checkNumber(number)
	}
	return number, err
}

// anyNumber reads a number of whatever length.
func (s *scanner) anyNumber() ([]byte, *Error) {
	start, i := s.pos, s.pos
	if i < len(s.src) && s.src[i] == '-' {
		i++
	}
	whole := i
	i = s.digitsFrom(i)
	if i == whole || s.src[whole] == '0' && i > whole+1 {
		return nil, s.malformed("a wrong number")
	}
	if i < len(s.src) && s.src[i] == '.' {
		fraction := i + 1
		if i = s.digitsFrom(fraction); i == fraction {
			return nil, s.malformed("a wrong number")
		}
	}
	if i < len(s.src) && (s.src[i] == 'e' || s.src[i] == 'E') {
		exponent := i + 1
		if exponent < len(s.src) && (s.src[exponent] == '+' || s.src[exponent] == '-') {
			exponent++
		}
		if i = s.digitsFrom(exponent); i == exponent {
			return nil, s.malformed("a wrong number")
		}
	}
	s.pos = i
	return s.src[start:i], nil
}

func (s *scanner) digitsFrom(i int) int {
	for i < len(s.src) && s.src[i] >= '0' && s.src[i] <= '9' {
		i++
	}
	return i
}

// checkNumber holds the limits on the spelling of a number.
func checkNumber(number []byte) *Error {
	if len(number) <= 20 && bytes.IndexByte(number, 'e') < 0 && bytes.IndexByte(number, 'E') < 0 {
		return nil
	}
	if len(number) <= maxNumberLength {
		i := bytes.IndexAny(number, "eE")
		if i < 0 {
			return nil
		}
		if e, err := strconv.Atoi(string(number[i+1:])); err == nil && e >= -maxExponent && e <= maxExponent {
			return nil
		}
	}
	return &Error{
		Code: Invalid, Message: "the number is too long or too large", Value: Shorten(string(number)),
		Hint: "write at most 64 characters and an exponent from -200 to 200",
	}
}

// skip reads any value and gives it as sent.
func (s *scanner) skip() ([]byte, *Error) {
	c := s.peek()
	start := s.pos
	var err *Error
	switch {
	case c == '{':
		err = s.skipObject()
	case c == '[':
		err = s.skipArray()
	case c == '"':
		_, _, err = s.text()
	case c == '-' || c >= '0' && c <= '9':
		_, err = s.number()
	case c == 't':
		err = s.literal("true")
	case c == 'f':
		err = s.literal("false")
	case c == 'n':
		err = s.literal("null")
	case s.pos >= len(s.src):
		err = s.malformed("the text ends too early")
	default:
		err = s.malformed("no value")
	}
	if err != nil {
		return nil, err
	}
	return s.src[start:s.pos], nil
}

func (s *scanner) skipObject() *Error {
	if err := s.enter(); err != nil {
		return err
	}
	s.pos++
	var names nameSet
	for first := true; ; first = false {
		name, more, err := s.member(first)
		if err != nil || !more {
			s.depth--
			return err
		}
		if !names.add(name) {
			return duplicate(string(name))
		}
		if _, err := s.skip(); err != nil {
			err.Field = joinPath(Shorten(string(name)), err.Field)
			return err
		}
	}
}

func (s *scanner) skipArray() *Error {
	if err := s.enter(); err != nil {
		return err
	}
	s.pos++
	for i := 0; ; i++ {
		more, err := s.element(i == 0)
		if err != nil || !more {
			s.depth--
			return err
		}
		if _, err := s.skip(); err != nil {
			err.Field = joinPath("["+strconv.Itoa(i)+"]", err.Field)
			return err
		}
	}
}

// member reads up to the value of an object's next member; more is false after
// the closing brace.
func (s *scanner) member(first bool) (name []byte, more bool, err *Error) {
	content, escaped, more, err := s.memberText(first)
	return plain(content, escaped), more, err
}

// memberText is member with the name as text gives it.
func (s *scanner) memberText(first bool) (content []byte, escaped, more bool, err *Error) {
	c := s.peek()
	if c == '}' {
		s.pos++
		return nil, false, false, nil
	}
	if !first {
		if c != ',' {
			return nil, false, false, s.malformed("no comma or brace after a member")
		}
		s.pos++
		c = s.peek()
	}
	if c != '"' {
		return nil, false, false, s.malformed("no name of a member")
	}
	content, escaped, err = s.text()
	if err != nil {
		return nil, false, false, err
	}
	if s.peek() != ':' {
		return nil, false, false, s.malformed("no colon after a name")
	}
	s.pos++
	return content, escaped, true, nil
}

// element reads up to an array's next element; more is false after the closing
// bracket.
func (s *scanner) element(first bool) (more bool, err *Error) {
	c := s.peek()
	if c == ']' {
		s.pos++
		return false, nil
	}
	if !first {
		if c != ',' {
			return false, s.malformed("no comma or bracket after an element")
		}
		s.pos++
		if s.peek() == ']' {
			return false, s.malformed("a comma before the bracket")
		}
	}
	return true, nil
}

func duplicate(name string) *Error {
	return &Error{Code: Malformed, Message: "the member is given twice", Field: Shorten(name), Hint: "give every member once"}
}

// nameSet finds a member that is given twice. It is cheap for small objects.
type nameSet struct {
	small [12][]byte
	n     int
	large map[string]struct{}
}

// add tells whether the name is new.
func (set *nameSet) add(name []byte) bool {
	if set.n < len(set.small) {
		for _, other := range set.small[:set.n] {
			if bytes.Equal(other, name) {
				return false
			}
		}
		set.small[set.n] = name
		set.n++
		return true
	}
	if set.large == nil {
		set.large = make(map[string]struct{})
		for _, other := range set.small {
			set.large[string(other)] = struct{}{}
		}
	}
	before := len(set.large)
	set.large[string(name)] = struct{}{}
	return len(set.large) > before
}
