package schemas

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// decoder reads the members of an event into typed values. What is wrong is
// found where it stands; the path is put together on the way out, so that
// good events pay nothing for it.
type decoder struct {
	scanner
	// copied is src as a string: the texts of an event are parts of it, so that
	// they cost no allocation of their own.
	copied   string
	warnings []Warning
	unknown  int
	// checked says that a pass before found the text to be JSON in which no
	// member is given twice, and that nobody asks for warnings.
	checked bool
}

// maxUnknownNamed is how many unknown members are named one by one.
const maxUnknownNamed = 20

// object reads the members of one object.
type object struct {
	d     *decoder
	name  []byte
	seen  uint32 // members met, by the bit that the reader gives them
	have  uint32 // members that are not null
	other *nameSet
	mark  int // warnings from here on belong into the present member
	later bool
	err   *Error
}

// object begins an object.
func (d *decoder) object() object {
	o := object{d: d, mark: len(d.warnings)}
	if d.peek() != '{' {
		o.err = d.wrong(defObject)
		return o
	}
	if o.err = d.enter(); o.err == nil {
		d.pos++
	}
	return o
}

// next reads up to the value of the next member.
func (o *object) next() bool {
	if o.err != nil {
		return false
	}
	if len(o.d.warnings) > o.mark {
		o.locateWarnings()
	}
	var more bool
	o.name, more, o.err = o.d.member(!o.later)
	o.later = true
	if o.err == nil && !more {
		o.d.depth--
	}
	return more
}

func (o *object) locateWarnings() {
	for i := o.mark; i < len(o.d.warnings); i++ {
		w := &o.d.warnings[i]
		w.Field = joinPath(string(o.name), w.Field)
	}
	o.mark = len(o.d.warnings)
}

// given notes the member and tells whether it has a value: null is as not
// given.
func (o *object) given(bit int) bool {
	if o.seen&(1<<bit) != 0 {
		o.err = duplicate("")
		return false
	}
	o.seen |= 1 << bit
	null, err := o.d.null()
	if null || err != nil {
		o.err = err
		return false
	}
	o.have |= 1 << bit
	return true
}

// ignore reads a member that the contract does not know: it is kept in the
// text, and named as a warning.
func (o *object) ignore() []byte {
	if o.again() {
		return nil
	}
	var value []byte
	if value, o.err = o.d.skip(); o.err != nil || value[0] == 'n' {
		return nil
	}
	if o.d.checked {
		return value
	}
	o.d.unknown++
	if o.d.unknown <= maxUnknownNamed {
		o.d.warnings = append(o.d.warnings, Warning{Field: Shorten(string(o.name)), Message: "unknown member, kept but not used"})
		o.mark = len(o.d.warnings)
	}
	return value
}

// again tells whether a member that has no bit was met before, which is an
// error.
func (o *object) again() bool {
	if o.d.checked {
		return false
	}
	if o.other == nil {
		o.other = new(nameSet)
	}
	if o.other.add(o.name) {
		return false
	}
	o.err = duplicate("")
	return true
}

// end gives the object's error with its path, or the first of the required
// members, whose bits begin at 0, that was not given.
func (o *object) end(required ...string) *Error {
	if o.err != nil {
		if o.name != nil {
			o.err.Field = joinPath(Shorten(string(o.name)), o.err.Field)
		}
		return o.err
	}
	for bit, name := range required {
		if o.have&(1<<bit) == 0 {
			return missing(name, o.seen&(1<<bit) != 0)
		}
	}
	return nil
}

func joinPath(name, rest string) string {
	if rest == "" || rest[0] == '[' {
		return name + rest
	}
	return name + "." + rest
}

// array reads the elements of one array.
type array struct {
	d     *decoder
	count int
	rule  def
	start int
	mark  int
	err   *Error
}

// maxElements bounds every list of an event.
const maxElements = 50

// array begins an array.
func (d *decoder) array(rule def) array {
	a := array{d: d, rule: rule, count: -1, mark: len(d.warnings)}
	if d.peek() != '[' {
		a.err = d.wrong(rule)
		return a
	}
	a.start = d.pos
	if a.err = d.enter(); a.err == nil {
		d.pos++
	}
	return a
}

// next reads up to the next element.
func (a *array) next() bool {
	if a.err != nil {
		return false
	}
	for i := a.mark; i < len(a.d.warnings); i++ {
		a.d.warnings[i].Field = joinPath(a.path(), a.d.warnings[i].Field)
	}
	a.mark = len(a.d.warnings)
	more, err := a.d.element(a.count < 0)
	if err != nil {
		a.err = err
		return false
	}
	if !more {
		a.d.depth--
		return false
	}
	a.count++
	if a.count == maxElements {
		a.count = -1
		a.err = a.rule.broken(a.d.src[a.start:a.d.pos])
		return false
	}
	return true
}

func (a *array) path() string { return "[" + strconv.Itoa(a.count) + "]" }

// end gives the array's error with its path.
func (a *array) end() *Error {
	if a.err != nil && a.count >= 0 {
		a.err.Field = joinPath(a.path(), a.err.Field)
	}
	return a.err
}

// wrong reads a value of the wrong type and gives the error.
func (d *decoder) wrong(rule def) *Error {
	value, err := d.skip()
	if err != nil {
		return err
	}
	return rule.broken(value)
}

// chars reads a string; its content is not a copy.
func (d *decoder) chars(rule def) (content []byte, start int, err *Error) {
	if d.peek() != '"' {
		return nil, 0, d.wrong(rule)
	}
	start = d.pos
	content, escaped, err := d.text()
	if err != nil {
		return nil, 0, err
	}
	return plain(content, escaped), start, nil
}

// keep gives the content of the string that was just read, from its quote at
// start on, as a string that stays.
func (d *decoder) keep(content []byte, start int) string {
	if d.escaped(content, start) {
		return string(content)
	}
	return d.copied[start+1 : d.pos-1]
}

// escaped tells whether the string that was just read holds escapes: they are
// longer than what they stand for.
func (d *decoder) escaped(content []byte, start int) bool { return len(content) < d.pos-start-2 }

// word reads a string that must pass the test.
func (d *decoder) word(out *string, rule def, test func([]byte) bool) *Error {
	content, start, err := d.chars(rule)
	if err != nil {
		return err
	}
	if !test(content) {
		return rule.broken(d.src[start:d.pos])
	}
	*out = d.keep(content, start)
	return nil
}

// limits of a text, in characters.
type limits struct {
	rule     def
	min, max int
	lines    bool // several lines are allowed
}

func (d *decoder) prose(out *string, l limits) *Error {
	content, start, err := d.chars(l.rule)
	if err != nil {
		return err
	}
	if !l.allow(content, d.escaped(content, start)) {
		return l.rule.broken(d.src[start:d.pos])
	}
	*out = d.keep(content, start)
	return nil
}

func (d *decoder) proseGiven(out **string, l limits) *Error {
	s := new(string)
	if err := d.prose(s, l); err != nil {
		return err
	}
	*out = s
	return nil
}

func (l limits) allow(content []byte, escaped bool) bool {
	if len(content) > l.max && utf8.RuneCount(content) > l.max {
		return false
	}
	if l.min > 0 && blank(content) {
		return false
	}
	if !escaped { // JSON has no control characters but DEL then
		return bytes.IndexByte(content, 0x7f) < 0
	}
	for _, c := range content {
		if c < ' ' && !(l.lines && (c == '\n' || c == '\t' || c == '\r')) || c == 0x7f {
			return false
		}
	}
	return true
}

// blank tells whether a text shows nothing.
func blank(content []byte) bool {
	for i := 0; i < len(content); {
		r, size := utf8.DecodeRune(content[i:])
		switch r {
		case ' ', '\t', '\n', '\r', 0x00a0, 0x3000:
		default:
			return false
		}
		i += size
	}
	return true
}

// The limits of texts (see events/common.json).
var (
	nameLimits   = limits{rule: defName, min: 1, max: 300}
	lineLimits   = limits{rule: defLine, max: 4000}
	textLimits   = limits{rule: defText, max: 4000, lines: true}
	reasonLimits = limits{rule: defReason, min: 1, max: 4000, lines: true}
	tagLimits    = limits{rule: defTag, min: 1, max: 100}
	issueLimits  = limits{rule: defIssue, min: 1, max: 128}
	uriLimits    = limits{rule: defURI, min: 1, max: 2000}
)
