package schemas

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"sync"
)

// Fingerprint is a hash of an event's whole content as parsed JSON: order of
// members, white space and spelling of numbers and texts do not matter. Two
// deliveries of one identity with different fingerprints are a conflict
// (specification §4).
type Fingerprint [16]byte

// String gives the hexadecimal form, which is also the Nats-Msg-Id.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// AppendText adds the hexadecimal form; it never fails.
func (f Fingerprint) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, f[:]), nil }

// FingerprintOf hashes the content of a JSON text. Texts have the same
// fingerprint exactly when RFC 8785 writes them alike: numbers are compared as
// 64-bit floating point, and a member that is given twice is an error of code
// Malformed, as is everything else that is not JSON in UTF-8.
//
// The text is written anew in one pass, in a form without choices: a kind for
// each value, lengths before texts, numbers as their eight bytes, and for each
// object the SHA-256 of its members in order of their names. No two contents
// have one form but by a collision of SHA-256, and the fingerprint is the half
// of the outermost hash: 2⁶⁴ events would have to be tried for two of the same
// fingerprint, and 2¹²⁸ for one of a given fingerprint.
//
// Fingerprints are compared with each other, and not promised to the world:
// another version of this function may give others. The stream then takes an
// event once more that is sent again within its window of duplicates, and a
// later delivery of an identity that was stored before counts as a conflict
// until a replay has taken all fingerprints anew.
func FingerprintOf(raw []byte) (Fingerprint, error) {
	f := fingerprinters.Get().(*fingerprinter)
	defer f.release()
	f.src = raw
	fingerprint, err := f.fingerprint()
	if err != nil {
		return Fingerprint{}, err
	}
	return fingerprint, nil
}

func (f *fingerprinter) fingerprint() (Fingerprint, *Error) {
	if err := f.value(); err != nil {
		return Fingerprint{}, err
	}
	if err := f.finish(); err != nil {
		return Fingerprint{}, err
	}
	if f.written[0] == kindObject {
		return Fingerprint(f.written[1:]), nil
	}
	sum := sha256.Sum256(f.written)
	return Fingerprint(sum[:]), nil
}

// fingerprinters keeps the memory of those that are done.
var fingerprinters = sync.Pool{New: func() any { return new(fingerprinter) }}

// keptForm is up to how many bytes of a form are kept for the next one.
const keptForm = 64 << 10

func (f *fingerprinter) release() {
	if cap(f.written)+cap(f.sorted)+cap(f.members)+cap(f.texts.strings) > keptForm {
		return
	}
	f.scanner = scanner{texts: texts{strings: f.texts.strings[:0]}}
	f.written, f.sorted, f.members = f.written[:0], f.sorted[:0], f.members[:0]
	fingerprinters.Put(f)
}

// The kinds of values in the form that is hashed.
const (
	kindNull byte = iota
	kindTrue
	kindFalse
	kindNumber
	kindText
	kindArray
	kindEnd // of an array
	kindObject
)

// deepestContent is how deep a text may nest to have a fingerprint. Events
// nest less deep (maxDepth); this bounds the stack.
const deepestContent = 10_000

// fingerprinter writes the form of a text's content.
type fingerprinter struct {
	scanner
	written []byte       // the form so far
	sorted  []byte       // of one object at a time
	members []memberForm // of the objects that are open
}

// memberForm is where in written a member stands: its name from name to value,
// and its value from there to end.
type memberForm struct {
	prefix           uint64 // the first bytes of the name, which mostly decide
	name, value, end int
}

func (f *fingerprinter) value() *Error {
	switch c := f.peek(); {
	case c == '{':
		return f.object()
	case c == '[':
		return f.array()
	case c == '"':
		f.written = append(f.written, kindText)
		content, escaped, err := f.text()
		if err == nil {
			f.content(content, escaped)
		}
		return err
	case c == '-' || c >= '0' && c <= '9':
		return f.numberForm()
	case c == 't':
		f.written = append(f.written, kindTrue)
		return f.literal("true")
	case c == 'f':
		f.written = append(f.written, kindFalse)
		return f.literal("false")
	case c == 'n':
		f.written = append(f.written, kindNull)
		return f.literal("null")
	}
	if f.pos >= len(f.src) {
		return f.malformed("the text ends too early")
	}
	return f.malformed("no value")
}

// content writes a text as its length and its bytes.
func (f *fingerprinter) content(content []byte, escaped bool) {
	if !escaped {
		f.written = binary.LittleEndian.AppendUint32(f.written, uint32(len(content)))
		f.written = append(f.written, content...)
		return
	}
	at := len(f.written)
	f.written = append(f.written, 0, 0, 0, 0)
	f.written = appendUnescaped(f.written, content)
	binary.LittleEndian.PutUint32(f.written[at:], uint32(len(f.written)-at-4))
}

func (f *fingerprinter) numberForm() *Error {
	number, err := f.anyNumber()
	if err != nil {
		return err
	}
	value, ok := smallNumber(number)
	if !ok {
		value, _ = strconv.ParseFloat(string(number), 64) // infinite when it is too large
	}
	switch {
	case value == 0:
		value = 0 // there is no other zero
	case math.IsInf(value, 0):
		value = math.Copysign(math.MaxFloat64, value)
	}
	f.written = append(f.written, kindNumber)
	f.written = binary.LittleEndian.AppendUint64(f.written, math.Float64bits(value))
	return nil
}

// smallNumber reads a number of few digits. A quotient of two integers that
// floating point holds exactly is rounded once, and so what strconv gives.
func smallNumber(number []byte) (float64, bool) {
	if len(number) > 15 {
		return 0, false
	}
	var digits int64
	divisor := 0.0
	for i, c := range number {
		switch {
		case c >= '0' && c <= '9':
			digits = digits*10 + int64(c-'0')
			divisor *= 10
		case c == '.':
			divisor = 1
		case c == '-' && i == 0:
		default:
			return 0, false // an exponent
		}
	}
	value := float64(digits)
	if divisor != 0 {
		value /= divisor
	}
	if number[0] == '-' {
		value = -value
	}
	return value, true
}

func (f *fingerprinter) array() *Error {
	if err := f.open(); err != nil {
		return err
	}
	f.written = append(f.written, kindArray)
	for first := true; ; first = false {
		more, err := f.element(first)
		if err != nil {
			return err
		}
		if !more {
			f.depth--
			f.written = append(f.written, kindEnd)
			return nil
		}
		if err := f.value(); err != nil {
			return err
		}
	}
}

// open goes into an object or an array.
func (f *fingerprinter) open() *Error {
	f.depth++
	f.pos++
	if f.depth > deepestContent {
		return f.malformed("nested too deeply")
	}
	return nil
}

// object writes the hash of an object's members.
func (f *fingerprinter) object() *Error {
	if err := f.open(); err != nil {
		return err
	}
	start, mark := len(f.written), len(f.members)
	for first := true; ; first = false {
		name, escaped, more, err := f.memberText(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		m := memberForm{name: len(f.written)}
		f.content(name, escaped)
		m.value = len(f.written)
		m.prefix = prefixOf(f.written[m.name+4 : m.value])
		if err := f.value(); err != nil {
			return err
		}
		m.end = len(f.written)
		f.members = append(f.members, m)
	}
	f.depth--
	members := f.members[mark:]
	if twice := f.sort(members); twice != nil {
		return duplicate(string(twice))
	}
	f.sorted = append(f.sorted[:0], kindObject)
	for _, m := range members {
		f.sorted = append(f.sorted, f.written[m.name:m.end]...)
	}
	sum := sha256.Sum256(f.sorted)
	f.members = f.members[:mark]
	f.written = append(append(f.written[:start], kindObject), sum[:]...)
	return nil
}

// prefixOf gives the first eight bytes of a name as a number of the same
// order; what is missing is as zeros.
func prefixOf(name []byte) uint64 {
	if len(name) >= 8 {
		return binary.BigEndian.Uint64(name)
	}
	var prefix uint64
	for i, c := range name {
		prefix |= uint64(c) << (56 - 8*i)
	}
	return prefix
}

// sort puts members in order of their names and gives a name that is there
// twice.
func (f *fingerprinter) sort(members []memberForm) (twice []byte) {
	if len(members) > 24 {
		slices.SortFunc(members, f.compare)
	} else {
		for i := 1; i < len(members); i++ {
			m, k := members[i], i
			for ; k > 0 && f.compare(m, members[k-1]) < 0; k-- {
				members[k] = members[k-1]
			}
			members[k] = m
		}
	}
	for i := 1; i < len(members); i++ {
		if f.compare(members[i-1], members[i]) == 0 {
			return f.nameOf(members[i])
		}
	}
	return nil
}

func (f *fingerprinter) nameOf(m memberForm) []byte { return f.written[m.name+4 : m.value] }

func (f *fingerprinter) compare(a, b memberForm) int {
	switch {
	case a.prefix < b.prefix:
		return -1
	case a.prefix > b.prefix:
		return 1
	}
	return bytes.Compare(f.nameOf(a), f.nameOf(b))
}
