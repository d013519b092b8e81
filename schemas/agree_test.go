package schemas

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// seeds are the examples of the schemas, the sampled events and some texts
// that only just are or are not JSON.
func seeds(tb testing.TB) [][]byte {
	tb.Helper()
	var list [][]byte
	for _, t := range Types() {
		for _, example := range readSchema(tb, t).Examples {
			list = append(list, example)
		}
	}
	sample, err := os.ReadFile("testdata/events.ndjson")
	if err != nil {
		tb.Fatal(err)
	}
	return append(list, bytes.Split(bytes.TrimSpace(sample), []byte("\n"))...)
}

// reporter is what a fuzz test and a property test have in common.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

// holder holds the two validators against each other.
type holder struct {
	fast  *Validator
	slow  *SchemaValidator
	known map[Type][]string // members of data
}

func newHolder(tb testing.TB) *holder {
	fast, slow := bothValidators(tb)
	h := &holder{fast: fast, slow: slow, known: make(map[Type][]string)}
	for _, typ := range Types() {
		text, err := fs.ReadFile(Files(), "events/"+string(typ)+".json")
		if err != nil {
			tb.Fatal(err)
		}
		var schema struct {
			Properties struct {
				Data struct {
					Properties map[string]json.RawMessage `json:"properties"`
				} `json:"data"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			tb.Fatal(err)
		}
		for name := range schema.Properties.Data.Properties {
			h.known[typ] = append(h.known[typ], name)
		}
	}
	return h
}

// agree fails unless both validators say the same of raw, and the typed event
// says what the text says.
func (h *holder) agree(t reporter, raw []byte) {
	t.Helper()
	broken := h.slow.check(raw)
	h.taken(t, raw)
	shape := new(Event)
	wrong := h.fast.decode(new(decoder), raw, shape)
	if (broken == nil) != (wrong == nil) || wrong != nil && (broken.Code == Malformed) != (wrong.Code == Malformed) {
		t.Fatalf("%s\nschema: %v\ntyped:  %v", raw, broken, wrong)
	}
	if wrong != nil {
		for _, refusal := range []*Error{broken, wrong} {
			if text := refusal.Error(); !Permanent(refusal) || refusal.Hint == "" || refusal.Message == "" || len(text) > 8000 || !utf8.ValidString(text) {
				t.Fatalf("%s: a refusal without words, or with too many: %#v", raw, refusal)
			}
		}
		return
	}
	tree, bad := parseTree(raw)
	if bad != nil {
		t.Fatalf("%s: accepted, but %v", raw, bad)
	}
	h.sameContent(t, shape, tree.(map[string]any))
	e, warnings, err := h.fast.Decode(raw)
	same, sameWarnings, sameErr := h.slow.Validate(raw)
	if (err == nil) != (sameErr == nil) || err != nil && err.Error() != sameErr.Error() {
		t.Fatalf("%s\nDecode:   %v\nValidate: %v", raw, err, sameErr)
	}
	if err != nil {
		return
	}
	if !reflect.DeepEqual(e, same) || !reflect.DeepEqual(warnings, sameWarnings) {
		t.Fatalf("%s\n%s%s", raw, cmp.Diff(e, same), cmp.Diff(warnings, sameWarnings))
	}
	if _, err := FingerprintOf(raw); err != nil {
		t.Fatalf("%s: accepted, but without a fingerprint: %v", raw, err)
	}
	if data, err := DecodeData(e.Type, e.RawData); err != nil || !reflect.DeepEqual(e.Data, data) {
		t.Fatalf("%s: DecodeData: %v %s", raw, err, cmp.Diff(e.Data, data))
	}
	h.roundTrip(t, e)
}

// taken fails unless Take says what DecodeOwned and FingerprintOf say.
func (h *holder) taken(t reporter, raw []byte) {
	t.Helper()
	e, _, err := h.fast.DecodeOwned(raw)
	fingerprint, broken := FingerprintOf(raw)
	if err == nil {
		err = broken
	}
	used := Event{Source: "/before", Extensions: "{}"} // Take leaves nothing of it
	taken, wrong := h.fast.Take(raw, &used)
	switch {
	case (err == nil) != (wrong == nil) || err != nil && err.Error() != wrong.Error():
		t.Fatalf("%s\nDecodeOwned: %v\nTake:        %v", raw, err, wrong)
	case err == nil && (taken != fingerprint || !reflect.DeepEqual(&used, e)):
		t.Fatalf("%s: Take: %s %s", raw, taken, cmp.Diff(&used, e))
	}
}

// roundTrip writes the event anew and reads it again.
func (h *holder) roundTrip(t reporter, e *Event) {
	t.Helper()
	built, err := NewEvent(*e)
	if err != nil {
		t.Fatalf("%s: NewEvent: %v", e.Raw, err)
	}
	again, _, err := h.fast.Decode(built.Raw)
	if err != nil {
		t.Fatalf("%s\nwritten as %s: %v", e.Raw, built.Raw, err)
	}
	if !bytes.Equal(again.RawData, built.RawData) {
		t.Fatalf("RawData %s, written as %s", again.RawData, built.RawData)
	}
	if once, twice := canonicalData(t, e.Data), canonicalData(t, again.Data); once != twice || !e.Time.Equal(again.Time) || e.Extensions != again.Extensions {
		t.Fatalf("%s\nwritten as %s", e.Raw, built.Raw)
	}
}

func canonicalData(t reporter, data Data) string {
	t.Helper()
	text, err := EncodeData(data)
	if err != nil {
		t.Fatalf("EncodeData: %v", err)
	}
	return string(text)
}

// sameContent holds the typed event against the text read by another reader.
func (h *holder) sameContent(t reporter, e *Event, tree map[string]any) {
	t.Helper()
	for name, value := range map[string]string{"id": e.ID, "source": e.Source, "type": string(e.Type), "subject": e.Subject, "district": e.District} {
		if tree[name] != value {
			t.Fatalf("%s is %q, sent as %v", name, value, tree[name])
		}
	}
	written, bad := parseTree([]byte(canonicalData(t, e.Data)))
	if bad != nil {
		t.Fatalf("EncodeData wrote no JSON: %v", bad)
	}
	got, sent := written.(map[string]any), tree["data"].(map[string]any)
	for _, name := range h.known[e.Type] {
		if !sameValue(got[name], sent[name]) {
			t.Fatalf("data.%s is %v, sent as %v", name, got[name], sent[name])
		}
	}
}

// sameValue compares what was understood with what was sent: null, an empty
// text and an object without values are as not given, unknown members are not
// compared.
func sameValue(got, sent any) bool {
	switch g := got.(type) {
	case nil:
		return isNothing(sent)
	case bool:
		return got == sent || !g && sent == nil
	case string:
		return got == sent
	case json.Number:
		s, ok := sent.(json.Number)
		if !ok {
			return g == "0" && sent == nil
		}
		a, _ := new(big.Rat).SetString(string(g))
		b, _ := new(big.Rat).SetString(string(s))
		return a.Cmp(b) == 0
	case []any:
		s, ok := sent.([]any)
		return ok && slices.EqualFunc(g, s, sameValue)
	case map[string]any:
		s, ok := sent.(map[string]any)
		for name, value := range g {
			if !sameValue(value, s[name]) {
				return false
			}
		}
		return ok
	}
	return false
}

func isNothing(sent any) bool {
	members, ok := sent.(map[string]any)
	if ok {
		for name, value := range members {
			if _, known := ParseMilestone(name); known && value != nil {
				return false
			}
		}
		return true
	}
	return sent == nil || sent == ""
}

func FuzzValidatorsAgree(f *testing.F) {
	h := newHolder(f)
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	for _, text := range []string{
		"", "null", "[]", "{}", "{} {}", `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, `{"a":01}`, `{"a":1e999}`, "\ufeff{}",
		strings.Repeat("[", 40), `{"data":` + strings.Repeat(`{"a":`, 31) + "1" + strings.Repeat("}", 32),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { h.agree(t, raw) })
}

// oddValues are values that stand at the edge of some rule.
func oddValues() []any {
	numbers := []string{
		"0", "-0", "-0.0", "1", "-1", "0.01", "0.001", "0.010", "1.5e2", "100E-2", "1e10", "10000000000.01", "10000000001", "1e-2", "1e-3", "0e200", "0e201",
		"1e201", "5", "5.01", "-20", "-20.01", "2025", "2025.0", "2025.5", "2.025e3", "1899", "2300", "1000000", "1000001", "9007199254740991", "9007199254740992",
		"12345678901234567890.12", "0." + strings.Repeat("0", 70) + "1", strings.Repeat("9", 64), strings.Repeat("9", 65), "1" + strings.Repeat("0", 20),
	}
	texts := []string{
		"", " ", "\u3000", "\u00a0\n", "a\tb", "a\nb", "a\rb", "a\x00b", "a\x1fb", "a\x7fb", "a\u0080b", "é", "修武县", "a b", "a/b%20c", "a%2", "a%zz", "x\u2028y", `a"b`, `a\b`, "a/b",
		"2025-02-28", "2025-02-29", "2024-02-29", "2025-02-30", "2025-13-01", "1899-12-31", "1900-01-01", "2299-12-31", "2300-01-01", "2025-1-01", "0000-00-00",
		"2025-06", "2025-13", "2025-00", "1899-12", "2299-12", "2025", "2025-W01", "2025-W53", "2026-W53", "2025-Q4", "2025-Q5", "2025-H2", "1900", "2299",
		"2025-06-03T09:30:00+08:00", "2025-06-03T09:30:00Z", "2025-06-03t09:30:00z", "2025-06-03 09:30:00Z", "2025-06-03T09:30:60Z", "2025-06-03T24:00:00Z",
		"2025-06-03T09:30:00", "2025-06-03T09:30:00+0800", "2025-06-03T09:30:00.123456789Z", "2025-06-03T09:30:00.1234567890Z", "2025-06-03T09:30:00.Z",
		"2025-06-03T09:30:00,5Z", "2025-06-03T09:30:00+24:00", "2025-06-03T09:30:00-23:59", "2025-02-30T09:30:00Z", "1900-01-01T00:00:00+08:00", "1900-01-01T00:00:00Z",
		"2299-12-31T15:59:59Z", "2299-12-31T16:00:00Z", "2299-12-31T23:59:59+08:00", "2025-06-03T9:30:00Z", "1899-12-31T23:59:59-08:00", "2300-01-01T00:30:00+14:00",
		"landed", "started", "producing", "Landed", "land", "other", "week", "month", "assessment", "district", "lead", "city", "xiuwu", "xiuwo",
		"_office", "_month-2025", "_assessment-2025", "_month-25", "_decade-2025", "P-0012", "-P", "P.1", "application/json", "text/plain", "1.0", "1.1",
		strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("县", 100), strings.Repeat("县", 101), strings.Repeat("a", 128), strings.Repeat("a", 129),
		strings.Repeat("县", 256), strings.Repeat("县", 257), strings.Repeat("a", 300), strings.Repeat("a", 301), strings.Repeat("a", 2001), strings.Repeat("县", 4000), strings.Repeat("县", 4001),
		strings.Repeat("0aF", 21) + "f", strings.Repeat("0", 63), "project.registered.v1", "project.registered.v2",
	}
	var values []any
	for _, n := range numbers {
		values = append(values, json.Number(n))
	}
	for _, s := range texts {
		values = append(values, s)
	}
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	file := `{"uri":"u","name":"n","sha256":"` + strings.Repeat("0", 64) + `"},`
	for _, text := range []string{
		"null", "true", "false", "[]", "{}", nested(29), nested(30), nested(31), nested(32), "[null]", `["a","a"]`, `["a",1]`, "[" + strings.Repeat(`"t",`, 49) + `"t"]`, "[" + strings.Repeat(`"t",`, 50) + `"t"]`,
		"[" + strings.Repeat(file, 50) + "{}]", "[" + strings.TrimSuffix(strings.Repeat(file, 50), ",") + "]", `{"2025":1}`, `{"25":1}`, `{"1899":1}`, `{"1900":1}`, `{"2299":1}`, `{"2300":1}`, `{"2025":null}`, `{"2025":"1"}`, `{"\u0032025":1.25}`,
		`{"landed":"2025-01-01","strange":null}`, `{"uri":"u"}`, `[{"uri":"u","more":true}]`, `[{"name":"n","sha256":""}]`, `"\ud83d\ude00\/"`,
	} {
		values = append(values, json.RawMessage(text))
	}
	return values
}

// Every member of every type, replaced by every odd value and left out, gets
// the same answer from both validators.
func TestEveryChangedMemberGetsOneAnswer(t *testing.T) {
	h, odd := newHolder(t), oddValues()
	for _, typ := range Types() {
		tree, bad := parseTree(readSchema(t, typ).Examples[0])
		if bad != nil {
			t.Fatal(bad)
		}
		event := tree.(map[string]any)
		write := func() {
			raw, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			h.agree(t, raw)
		}
		if typ == ProgressReported {
			event["extra"] = nil
			replaceMembers(event, odd, write)
		}
		replaceMember(event, "subject", odd, write)
		data := event["data"].(map[string]any)
		data["extra"] = nil
		replaceMembers(data, odd, write)
	}
}

// replaceMembers puts every odd value into every member and first element of
// the object and of what it holds, and calls write after each change.
func replaceMembers(object map[string]any, odd []any, write func()) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		kept := object[name]
		replaceMember(object, name, odd, write)
		switch inner := kept.(type) {
		case map[string]any:
			if name != "data" {
				replaceMembers(inner, odd, write)
			}
		case []any:
			if len(inner) == 0 {
				continue
			}
			element := inner[0]
			if members, ok := element.(map[string]any); ok {
				replaceMembers(members, odd, write)
			}
			for _, value := range odd {
				inner[0] = value
				write()
			}
			inner[0] = element
		}
	}
}

func replaceMember(object map[string]any, name string, odd []any, write func()) {
	kept := object[name]
	for _, value := range odd {
		object[name] = value
		write()
	}
	delete(object, name)
	write()
	object[name] = kept
}

// Any few changes to the members of a good event get the same answer from
// both validators.
func TestChangedEventsGetOneAnswer(t *testing.T) {
	h := newHolder(t)
	good, odd := seeds(t), oddValues()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom(good).Draw(t, "event")
		tree, bad := parseTree(raw)
		if bad != nil {
			t.Fatalf("%v", bad)
		}
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			change(t, tree.(map[string]any), odd)
		}
		var text bytes.Buffer
		writer := json.NewEncoder(&text)
		writer.SetEscapeHTML(rapid.Bool().Draw(t, "escape"))
		if err := writer.Encode(tree); err != nil {
			t.Fatalf("%v", err)
		}
		h.agree(t, text.Bytes())
	})
}

func change(t *rapid.T, object map[string]any, odd []any) {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	if len(names) == 0 {
		object["extra"] = rapid.SampledFrom(odd).Draw(t, "value")
		return
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(t, "member")
	if inner, ok := object[name].(map[string]any); ok && rapid.IntRange(0, 5).Draw(t, "inside") > 0 {
		change(t, inner, odd)
		return
	}
	if list, ok := object[name].([]any); ok && len(list) > 0 && rapid.Bool().Draw(t, "element") {
		if inner, ok := list[0].(map[string]any); ok && rapid.Bool().Draw(t, "inside element") {
			change(t, inner, odd)
			return
		}
		list[0] = rapid.SampledFrom(odd).Draw(t, "value")
		return
	}
	switch rapid.IntRange(0, 4).Draw(t, "change") {
	case 0:
		delete(object, name)
	case 1:
		object[rapid.SampledFrom([]string{"extra", "Name", "", "注", "data", "district", "note", "2027", "landed"}).Draw(t, "new member")] = rapid.SampledFrom(odd).Draw(t, "value")
	default:
		object[name] = rapid.SampledFrom(odd).Draw(t, "value")
	}
}
