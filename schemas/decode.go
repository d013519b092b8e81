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
	warnings []Warning
	unknown  int
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
	if o.other == nil {
		o.other = new(nameSet)
	}
	if !o.other.add(o.name) {
		o.err = duplicate("")
		return nil
	}
	var value []byte
	if value, o.err = o.d.skip(); o.err != nil || value[0] == 'n' {
		return nil
	}
	o.d.unknown++
	if o.d.unknown <= maxUnknownNamed {
		o.d.warnings = append(o.d.warnings, Warning{Field: Shorten(string(o.name)), Message: "unknown member, kept but not used"})
		o.mark = len(o.d.warnings)
	}
	return value
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

// word reads a string that must pass the test.
func (d *decoder) word(out *string, rule def, test func([]byte) bool) *Error {
	content, start, err := d.chars(rule)
	if err != nil {
		return err
	}
	if !test(content) {
		return rule.broken(d.src[start:d.pos])
	}
	*out = string(content)
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
	if !l.allow(content) {
		return l.rule.broken(d.src[start:d.pos])
	}
	*out = string(content)
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

func (l limits) allow(content []byte) bool {
	if len(content) > l.max && utf8.RuneCount(content) > l.max {
		return false
	}
	if l.min > 0 && blank(content) {
		return false
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

func (d *decoder) date(out *Date) *Error {
	content, start, err := d.chars(defDate)
	if err != nil {
		return err
	}
	day, ok := parseDate(string(content))
	if !ok || day < FirstDate || day > LastDate {
		return defDate.broken(d.src[start:d.pos])
	}
	*out = day
	return nil
}

func (d *decoder) month(out *Month) *Error {
	content, start, err := d.chars(defMonth)
	if err != nil {
		return err
	}
	month, parseErr := ParseMonth(string(content))
	if parseErr != nil {
		return defMonth.broken(d.src[start:d.pos])
	}
	*out = month
	return nil
}

// hundredths reads a number exactly, from lowest to highest hundredths, in
// steps of so many hundredths.
func (d *decoder) hundredths(rule def, lowest, highest, step int64) (int64, *Error) {
	if c := d.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, d.wrong(rule)
	}
	number, err := d.number()
	if err != nil {
		return 0, err
	}
	units, ok := shortHundredths(number)
	if !ok {
		units, ok = parseHundredths(string(number))
	}
	if !ok || units < lowest || units > highest || units%step != 0 {
		return 0, rule.broken(number)
	}
	return units, nil
}

// shortHundredths reads the usual spellings: some digits, and perhaps a point
// and one or two more.
func shortHundredths(number []byte) (int64, bool) {
	if len(number) > 16 {
		return 0, false
	}
	decimals := 0
	if i := bytes.IndexByte(number, '.'); i >= 0 {
		decimals = len(number) - i - 1
	}
	if decimals > 2 {
		return 0, false
	}
	var units int64
	for _, c := range number {
		if c == '.' {
			continue
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		units = units*10 + int64(c-'0')
	}
	for ; decimals < 2; decimals++ {
		units *= 10
	}
	return units, true
}

func (d *decoder) money(out *Money) *Error {
	units, err := d.hundredths(defMoney, 0, int64(MaxMoney), 1)
	*out = Money(units)
	return err
}

func (d *decoder) moneyGiven(out **Money) *Error {
	amount := new(Money)
	if err := d.money(amount); err != nil {
		return err
	}
	*out = amount
	return nil
}

func (d *decoder) integer(rule def, lowest, highest int64) (int64, *Error) {
	units, err := d.hundredths(rule, lowest*100, highest*100, 100)
	return units / 100, err
}

func (d *decoder) flag(out *bool) *Error {
	switch d.peek() {
	case 't':
		*out = true
		return d.literal("true")
	case 'f':
		*out = false
		return d.literal("false")
	}
	return d.wrong(defFlag)
}

func (d *decoder) flagGiven(out **bool) *Error {
	value := new(bool)
	if err := d.flag(value); err != nil {
		return err
	}
	*out = value
	return nil
}

func (d *decoder) milestone(out *Milestone) *Error {
	content, start, err := d.chars(defMilestone)
	if err != nil {
		return err
	}
	m, ok := ParseMilestone(string(content))
	if !ok {
		return defMilestone.broken(d.src[start:d.pos])
	}
	*out = m
	return nil
}
