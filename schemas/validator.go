package schemas

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"
	"unsafe"
)

// Validator reads events and holds every rule of the specification §3 that
// one event alone can break. It is safe for concurrent use.
type Validator struct {
	book      *RuleBook
	rules     *Rules // of any day
	types     map[string]Type
	districts map[string]struct{}
	guesses   guesses
	decoders  sync.Pool
}

// NewValidator makes a validator for the configured districts and directory.
// The rules must not change afterwards.
func NewValidator(rules *Rules) *Validator { return NewBookValidator(UndatedRules(rules)) }

// NewBookValidator makes a validator for the districts and the directories of
// all rule sets of the book: an event may speak of any time. Whether a list of
// names is closed is decided by the rules of the event's business date.
func NewBookValidator(book *RuleBook) *Validator {
	rules := book.Any()
	v := &Validator{book: book, rules: rules, types: make(map[string]Type), districts: map[string]struct{}{CityDistrict: {}}}
	for _, t := range Types() {
		v.types[string(t)] = t
	}
	for _, d := range rules.Districts {
		v.districts[d.Code] = struct{}{}
	}
	return v
}

// Decode reads one event. The error is an *Error: Malformed when the text is
// not JSON, TooLarge above MaxEventBytes, Unknown for a type, district or name
// of a closed list that nobody knows, and Invalid for every other broken rule, with field, value and
// hint. Warnings name what is accepted but not used or not known. The event
// does not share memory with raw.
func (v *Validator) Decode(raw []byte) (*Event, []Warning, error) {
	if err := checkSize(raw); err != nil {
		return nil, nil, err
	}
	return v.DecodeOwned(bytes.Clone(raw))
}

// DecodeOwned is Decode without a copy: the event's texts are parts of raw,
// which nobody may change afterwards.
func (v *Validator) DecodeOwned(raw []byte) (*Event, []Warning, error) {
	d := v.decoder()
	defer v.release(d)
	e := new(Event)
	err := v.decode(d, raw, e)
	if err == nil {
		err = v.judge(e)
	}
	if err != nil {
		return nil, nil, err
	}
	return e, v.warnings(d, e), nil
}

// Take is DecodeOwned and FingerprintOf in one, for those who want no warnings:
// the texts are read once for both. It writes over e, which can serve for one
// event after the other. The error is that of DecodeOwned.
func (v *Validator) Take(raw []byte, e *Event) (Fingerprint, error) {
	if err := checkSize(raw); err != nil {
		return Fingerprint{}, err
	}
	f := fingerprinters.Get().(*fingerprinter)
	defer f.release()
	f.src, f.texts.noted = raw, true
	fingerprint, broken := f.fingerprint()
	d := v.decoder()
	defer v.release(d)
	if broken == nil {
		d.checked, d.texts.strings = true, f.texts.strings
	}
	err := v.decode(d, raw, e)
	if err == nil {
		err = v.judge(e)
	}
	if err == nil {
		err = broken
	}
	if err != nil {
		return Fingerprint{}, err
	}
	return fingerprint, nil
}

// decoder gives one that is not in use.
func (v *Validator) decoder() *decoder {
	if d, ok := v.decoders.Get().(*decoder); ok {
		return d
	}
	return new(decoder)
}

func (v *Validator) release(d *decoder) {
	*d = decoder{} // the event and its warnings are the caller's
	v.decoders.Put(d)
}

// decode reads one event as far as its JSON Schema goes, and keeps raw.
func (v *Validator) decode(d *decoder, raw []byte, e *Event) *Error {
	if err := checkSize(raw); err != nil {
		return err
	}
	d.src = raw
	// Nobody writes to an event's texts, Raw among them, so that one copy
	// serves as both: half of what an event costs the memory.
	d.copied = unsafe.String(unsafe.SliceData(d.src), len(d.src))
	*e = Event{Raw: d.src}
	err := v.envelope(d, e)
	if err == nil {
		err = d.finish()
	} else if broken := checkJSON(raw); broken != nil {
		err = broken // a text that is not JSON says nothing
	}
	return err
}

// checkJSON reads the text without its meaning.
func checkJSON(raw []byte) *Error {
	s := scanner{src: raw}
	if _, err := s.skip(); err != nil {
		return err
	}
	return s.finish()
}

func checkSize(raw []byte) *Error {
	if len(raw) <= MaxEventBytes {
		return nil
	}
	return &Error{
		Code: TooLarge, Message: "the event is too large", Value: strconv.Itoa(len(raw)) + " bytes",
		Hint: "send at most 256 KiB; keep documents elsewhere and give their address",
	}
}

// requiredAttributes are in the order of their bits.
var requiredAttributes = []string{"specversion", "id", "source", "type", "subject", "time", "district", "data"}

func (v *Validator) envelope(d *decoder, e *Event) *Error {
	var dataAt, subjectAt int
	var extensions []byte
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "specversion":
			if o.given(0) {
				var version string
				o.err = d.word(&version, defVersion, isVersion)
			}
		case "id":
			if o.given(1) {
				o.err = d.word(&e.ID, defID, isID)
			}
		case "source":
			if o.given(2) {
				o.err = d.word(&e.Source, defSource, isSource)
			}
		case "type":
			if o.given(3) {
				o.err = v.typeOf(d, e)
			}
		case "subject":
			if o.given(4) {
				subjectAt = d.pos
				o.err = d.subject(e)
			}
		case "time":
			if o.given(5) {
				o.err = d.time(e)
			}
		case "district":
			if o.given(6) {
				o.err = v.district(d, e)
			}
		case "data":
			if o.given(7) {
				dataAt = d.pos
				o.err = d.dataOrLater(e)
			}
		case "datacontenttype":
			if o.given(8) {
				var mediaType string
				o.err = d.word(&mediaType, defMediaType, isMediaType)
			}
		case "dataschema":
			if o.given(9) {
				from := d.pos
				var address string
				if o.err = d.prose(&address, uriLimits); o.err == nil {
					extensions = appendMember(extensions, "dataschema", d.src[from:d.pos])
				}
			}
		default:
			if value := o.ignore(); value != nil {
				extensions = appendMember(extensions, string(o.name), value)
			}
		}
	}
	if err := o.end(requiredAttributes...); err != nil {
		return err
	}
	if extensions != nil {
		e.Extensions = string(append(extensions, '}'))
	}
	if rule := subjectRule(e.Type); !isSubject(rule, []byte(e.Subject)) {
		value := scanner{src: d.src, pos: subjectAt}
		sent, _ := value.skip()
		err := rule.broken(sent)
		err.Field = "subject"
		return err
	}
	if e.Data == nil {
		if err := d.laterData(e, dataAt); err != nil {
			return err
		}
	}
	return needsDistrict(e)
}

const hintForCity = "say which district the project belongs to: the city office sends for all of them"

// needsDistrict refuses a registration from the city office that does not say
// which district the project belongs to.
func needsDistrict(e *Event) *Error {
	data, ok := e.Data.(*Registered)
	if !ok || data.District != "" || e.District != CityDistrict {
		return nil
	}
	err := missing("data.district", false)
	err.Hint = hintForCity
	return err
}

// subject reads the subject, which is judged when the type is known; what is
// not a string stays empty and fails then.
func (d *decoder) subject(e *Event) *Error {
	if d.peek() != '"' {
		_, err := d.skip()
		return err
	}
	content, start, err := d.chars(defAnySubject)
	if err == nil {
		e.Subject = d.keep(content, start)
	}
	return err
}

// dataOrLater reads data at once when the type is known already; else it only
// checks the JSON.
func (d *decoder) dataOrLater(e *Event) (err *Error) {
	start := d.pos
	if e.Type == "" {
		_, err = d.skip()
	} else {
		e.Data, err = d.data(e.Type)
	}
	e.RawData = d.src[start:d.pos:d.pos]
	return err
}

// laterData reads data that stood before the type.
func (d *decoder) laterData(e *Event, at int) *Error {
	end, mark := d.pos, len(d.warnings)
	d.pos, d.depth = at, 1
	var err *Error
	if e.Data, err = d.data(e.Type); err != nil {
		err.Field = joinPath("data", err.Field)
		return err
	}
	for i := mark; i < len(d.warnings); i++ {
		d.warnings[i].Field = joinPath("data", d.warnings[i].Field)
	}
	d.pos, d.depth = end, 0
	return nil
}

func (v *Validator) typeOf(d *decoder, e *Event) *Error {
	content, start, err := d.chars(defType)
	if err != nil {
		return err
	}
	if len(content) == 0 {
		return defType.broken(d.src[start:d.pos])
	}
	t, ok := v.types[string(content)]
	if !ok {
		return unknownType(string(content))
	}
	e.Type = t
	return nil
}

func unknownType(word string) *Error {
	types := Types()
	known := make([]string, len(types))
	for i, t := range types {
		known[i] = string(t)
	}
	return unknownWord("unknown type of event", word, known)
}

// ParseEventType reads the name of a type; the error names the nearest one.
func ParseEventType(s string) (Type, error) {
	for _, t := range Types() {
		if string(t) == s {
			return t, nil
		}
	}
	return "", unknownType(s)
}

func (v *Validator) district(d *decoder, e *Event) *Error {
	content, start, err := d.chars(defDistrict)
	if err != nil {
		return err
	}
	if !isDistrictCode(content) {
		return defDistrict.broken(d.src[start:d.pos])
	}
	e.District = d.keep(content, start) // judged afterwards
	return nil
}

func (d *decoder) time(e *Event) *Error {
	content, start, err := d.chars(defTime)
	if err != nil {
		return err
	}
	t, ok := parseTime(content)
	if !ok {
		return defTime.broken(d.src[start:d.pos])
	}
	e.Time = t
	return nil
}

// appendMember adds a member to the text of an object that is still open.
func appendMember(object []byte, name string, value []byte) []byte {
	if object == nil {
		object = append(object, '{')
	} else {
		object = append(object, ',')
	}
	object = appendString(object, name)
	object = append(object, ':')
	return append(object, value...)
}

// appendString adds a JSON string.
func appendString(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string can always be written
	return append(b, quoted...)
}

// DecodeData reads the data of an event that was accepted before: the members
// that the type knows, by the same rules, without warnings.
func DecodeData(t Type, raw []byte) (Data, error) {
	d := decoder{scanner: scanner{src: raw, depth: 1}, copied: string(raw)}
	data, err := d.data(t)
	if err == nil {
		err = d.finish()
	}
	if err != nil {
		err.Field = joinPath("data", err.Field)
		return nil, err
	}
	return data, nil
}
