package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// canonicalForm is what the fingerprint stands for, made by another reader: the
// text as RFC 8785 writes it.
func canonicalForm(raw []byte) (string, bool) {
	text := jsontext.Value(bytes.Clone(raw))
	if err := text.Canonicalize(); err != nil {
		return "", false
	}
	return string(text), true
}

// sameFingerprints fails unless two texts have one fingerprint exactly when
// they have one canonical form, and none exactly when they have no form.
func sameFingerprints(t reporter, a, b []byte) {
	t.Helper()
	formA, okA := canonicalForm(a)
	formB, okB := canonicalForm(b)
	printA, errA := FingerprintOf(a)
	printB, errB := FingerprintOf(b)
	if okA != (errA == nil) || okB != (errB == nil) {
		t.Fatalf("%q: %v\n%q: %v\nforms: %t %t", a, errA, b, errB, okA, okB)
	}
	for _, err := range []error{errA, errB} {
		if err != nil && CodeOf(err) != Malformed {
			t.Fatalf("%q, %q: %v", a, b, err)
		}
	}
	if okA && okB && (formA == formB) != (printA == printB) {
		t.Fatalf("%q: %s\n%q: %s\nforms alike: %t", a, printA, b, printB, formA == formB)
	}
}

// jsonValue draws a value as nested []any, map[string]any, string, json.Number,
// bool and nil. Its parts come from few alternatives, so that two values often
// have something in common.
func jsonValue(t *rapid.T, depth int) any {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "flag")
	case 2:
		return json.Number(rapid.SampledFrom([]string{
			"0", "-0", "0.0", "1", "1.0", "10e-1", "100e-2", "-1", "1.5", "15e-1", "1e2", "100", "0.1", "0.10", "1e-1", "9007199254740993", "9007199254740992",
			"123456789012345", "1234567890123456", "0.30000000000000004", "0.3", "1e400", "1e999", "-1e400", "1e-400", "4.35", "435e-2", "0.001", "123456.789012345",
		}).Draw(t, "number"))
	case 3, 4, 5:
		return drawnText(t)
	case 6:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, jsonValue(t, depth-1))
		}
		return list
	}
	object := map[string]any{}
	most := 3
	if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
		most = 40
	}
	for range rapid.IntRange(0, most).Draw(t, "members") {
		object[drawnText(t)] = jsonValue(t, depth-1)
	}
	return object
}

func drawnText(t *rapid.T) string {
	if rapid.IntRange(0, 3).Draw(t, "any text") == 0 {
		return rapid.String().Draw(t, "text")
	}
	return rapid.SampledFrom([]string{
		"", "a", "b", "ab", "aa", "data", "datacontenttype", "a\x00", "a\x00\x00\x00\x00\x00\x00\x00\x00", "abcdefgh", "abcdefghi", "县", "😀", "\u2028", "/", `"`, `\`, "é\n\t\r\b\f",
	}).Draw(t, "text")
}

// spell writes a value as one of its many texts.
func spell(out *bytes.Buffer, value any, random *rand.Rand) {
	space(out, random)
	switch v := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		fmt.Fprint(out, v)
	case json.Number:
		out.WriteString(v.String())
	case string:
		spellText(out, v, random)
	case []any:
		out.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			spell(out, element, random)
		}
		out.WriteByte(']')
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		out.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			space(out, random)
			spellText(out, name, random)
			space(out, random)
			out.WriteByte(':')
			spell(out, v[name], random)
		}
		space(out, random)
		out.WriteByte('}')
	}
	space(out, random)
}

func space(out *bytes.Buffer, random *rand.Rand) {
	out.WriteString(strings.Repeat(string(" \t\r\n"[random.IntN(4)]), max(0, random.IntN(4)-2)))
}

func spellText(out *bytes.Buffer, text string, random *rand.Rand) {
	out.WriteByte('"')
	for _, r := range text {
		short := strings.IndexRune("\"\\/\b\f\n\r\t", r)
		switch {
		case short >= 0 && random.IntN(2) == 0:
			out.WriteString([]string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`}[short])
		case r >= 0x10000 && random.IntN(2) == 0:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(out, `\u%04X\u%04x`, high, low)
		case r < 0x10000 && (r < ' ' || r == '"' || r == '\\' || random.IntN(4) == 0):
			fmt.Fprintf(out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

func spelled(t *rapid.T, value any) []byte {
	var out bytes.Buffer
	spell(&out, value, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "spelling"), 0)))
	return out.Bytes()
}

// Whatever way a content is spelled it has one fingerprint, and two contents
// have two.
func TestFingerprintsAreAsCanonicalForms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := jsonValue(t, 3)
		a, b := spelled(t, value), spelled(t, value)
		if _, ok := canonicalForm(a); !ok {
			t.Fatalf("%q is not JSON", a)
		}
		sameFingerprints(t, a, b)
		sameFingerprints(t, a, spelled(t, jsonValue(t, 3)))
		sameFingerprints(t, a, spelled(t, []any{value}))
	})
}

// A changed byte makes another content, or none, or the same one, as the
// canonical form says.
func TestChangedBytesChangeTheFingerprint(t *testing.T) {
	t.Parallel()
	good := seeds(t)
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom(good).Draw(t, "event")
		changed := bytes.Clone(raw)
		for range rapid.IntRange(1, 2).Draw(t, "changes") {
			at := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "change") {
			case 0:
				changed = slices.Delete(changed, at, at+1)
			case 1:
				changed = slices.Insert(changed, at, rapid.SampledFrom([]byte("\"\\{}[]:,0 u\x00\xe5")).Draw(t, "byte"))
			default:
				changed[at] = rapid.Byte().Draw(t, "byte")
			}
		}
		sameFingerprints(t, raw, changed)
	})
}

// Forms that a careless way of putting members together would mix up.
func TestFingerprintsTellNeighboursApart(t *testing.T) {
	t.Parallel()
	texts := []string{
		`{}`, `[]`, `""`, `0`, `null`, `true`, `false`, `[[]]`, `[{}]`, `[null]`, `[[],[]]`, `[[[]]]`, `[{},{}]`, `{"a":{}}`, `{"a":[]}`, `{"a":"b"}`, `["a","b"]`, `{"b":"a"}`,
		`{"a":{"b":1},"c":2}`, `{"a":{"b":1,"c":2}}`, `{"ab":"c"}`, `{"a":"bc"}`, `{"a":1,"b":2}`, `{"a":2,"b":1}`, `["ab"]`, `["a","b",""]`, `[1,2]`, `[2,1]`, `"1"`, `1`, `"null"`, `"true"`,
		`{"a":null}`, `{"a":"\u0000"}`, `{"a\u0000":""}`, `{"":"a"}`, `{"":""}`, `"\u0000"`, `1.5`, `-1`, `1e21`, `0.1`, strings.Repeat("[", 200) + strings.Repeat("]", 200),
	}
	for i, a := range texts {
		for _, b := range texts[i:] {
			sameFingerprints(t, []byte(a), []byte(b))
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	good := seeds(f)
	for i, seed := range good {
		f.Add(seed, good[(i+1)%len(good)])
	}
	for _, text := range []string{
		"", " ", "{", `{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, "\"\xff\"", `"\ud800"`, `"\ud83d\ude00"`, "01", "-", "1.", "1e", "1e+999", "[1,]", `{"a":1,}`, "[1 2]", "nul", "\ufeff1", "1 1", "\"\x1f\"", `"\x"`, "-0", "0e5",
	} {
		f.Add([]byte(text), []byte(strings.TrimSpace(text)+" "))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) { sameFingerprints(t, a, b) })
}
