package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// refusal is one change to the first example of a type that breaks one rule.
type refusal struct {
	typ   Type
	path  string // with dots
	value string // JSON; "" drops the member
	code  Code
	field string
	hint  string // a part of the hint
}

func refusals() []refusal {
	long := func(n int) string { return `"` + strings.Repeat("县", n) + `"` }
	many := func(n int, element string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]"
	}
	const (
		registered, amended, assigned = ProjectRegistered, ProjectAmended, ProjectAssigned
		planned, reached, progress    = MilestonePlanned, MilestoneReached, ProgressReported
		raised, adjusted, revoked     = IssueRaised, AdjustmentRecorded, EventRevoked
		published, announced          = BulletinPublished, AssessmentAnnounced
	)
	return []refusal{
		{progress, "specversion", "", Invalid, "specversion", "value"},
		{progress, "specversion", `"0.3"`, Invalid, "specversion", `"1.0"`},
		{progress, "specversion", `1.0`, Invalid, "specversion", `"1.0"`},
		{progress, "id", `""`, Invalid, "id", "128"},
		{progress, "id", `"a b"`, Invalid, "id", "128"},
		{progress, "id", `"` + strings.Repeat("a", 129) + `"`, Invalid, "id", "128"},
		{progress, "id", "null", Invalid, "id", "null is as not given"},
		{progress, "source", `"/offices/a b"`, Invalid, "source", "URI reference"},
		{progress, "source", `"/offices/%zz"`, Invalid, "source", "URI reference"},
		{progress, "source", long(257), Invalid, "source", "256"},
		{progress, "type", `"progress.report.v1"`, Unknown, "type", "did you mean progress.reported.v1?"},
		{progress, "type", `"something else entirely"`, Unknown, "type", "use one of project.registered.v1"},
		{progress, "type", `7`, Invalid, "type", "progress.reported.v1"},
		{progress, "type", "", Invalid, "type", "value"},
		{progress, "subject", `"_office"`, Invalid, "subject", "P-0012"},
		{progress, "subject", `"P.1"`, Invalid, "subject", "P-0012"},
		{progress, "subject", `"` + strings.Repeat("P", 65) + `"`, Invalid, "subject", "64"},
		{progress, "subject", `5`, Invalid, "subject", "P-0012"},
		{adjusted, "subject", `"P-0012"`, Invalid, "subject", `"_office"`},
		{published, "subject", `"P-0012"`, Invalid, "subject", "_month-2025"},
		{published, "subject", `"_month-2024"`, Invalid, "subject", `"_month-2025"`},
		{published, "subject", `"_week-2025"`, Invalid, "subject", `"_month-2025"`},
		{announced, "subject", `"_month-2025"`, Invalid, "subject", "_assessment-2025"},
		{revoked, "subject", `"_decade-2025"`, Invalid, "subject", "P-0012"},
		{progress, "time", `"2025-06-03T09:30:00"`, Invalid, "time", "offset"},
		{progress, "time", `"2025-06-03t09:30:00z"`, Invalid, "time", "RFC 3339"},
		{progress, "time", `"2025-06-30T23:59:60Z"`, Invalid, "time", "RFC 3339"},
		{progress, "time", `"2300-01-01T00:00:00Z"`, Invalid, "time", "2299"},
		{progress, "time", `"2299-12-31T16:00:00Z"`, Invalid, "time", "2299"},
		{progress, "time", `1748914200`, Invalid, "time", "RFC 3339"},
		{progress, "district", `"xiuwo"`, Unknown, "district", "did you mean xiuwu?"},
		{progress, "district", `"修武县"`, Unknown, "district", "write the code xiuwu"},
		{progress, "district", `""`, Invalid, "district", "district"},
		{progress, "district", `["xiuwu"]`, Invalid, "district", "district"},
		{progress, "datacontenttype", `"text/xml"`, Invalid, "datacontenttype", "application/json"},
		{progress, "data", "", Invalid, "data", "value"},
		{progress, "data", "null", Invalid, "data", "null is as not given"},
		{progress, "data", `"text"`, Invalid, "data", "braces"},
		{progress, "data.month", `"2025-13"`, Invalid, "data.month", "YYYY-MM"},
		{progress, "data.month", `"2025-07"`, Invalid, "data.month", "not after 2025-06"},
		{progress, "data.month", `202505`, Invalid, "data.month", "YYYY-MM"},
		{progress, "data.invested_ytd", `"12000"`, Invalid, "data.invested_ytd", "without quotes"},
		{progress, "data.invested_ytd", `-1`, Invalid, "data.invested_ytd", "from 0"},
		{progress, "data.invested_ytd", `0.001`, Invalid, "data.invested_ytd", "two decimals"},
		{progress, "data.invested_ytd", `10000000000.01`, Invalid, "data.invested_ytd", "10000000000"},
		{progress, "data.invested_ytd", `1e11`, Invalid, "data.invested_ytd", "10000000000"},
		{progress, "data.invested_ytd", `1e300`, Invalid, "data.invested_ytd", "exponent"},
		{progress, "data.invested_ytd", "null", Invalid, "data.invested_ytd", "null is as not given"},
		{progress, "data.note", long(4001), Invalid, "data.note", "4000"},
		{progress, "data.note", `"a\u0000b"`, Invalid, "data.note", "4000"},
		{registered, "data.name", `"  "`, Invalid, "data.name", "300"},
		{registered, "data.name", `"\u3000"`, Invalid, "data.name", "300"},
		{registered, "data.name", long(301), Invalid, "data.name", "300"},
		{registered, "data.name", `"two\nlines"`, Invalid, "data.name", "one line"},
		{registered, "data.total_investment", "", Invalid, "data.total_investment", "value"},
		{registered, "data.registered_on", `"2025-02-30"`, Invalid, "data.registered_on", "real day"},
		{registered, "data.registered_on", `"1899-12-31"`, Invalid, "data.registered_on", "1900"},
		{registered, "data.registered_on", `"2025/01/06"`, Invalid, "data.registered_on", "YYYY-MM-DD"},
		{registered, "data.registered_on", `20250106`, Invalid, "data.registered_on", "YYYY-MM-DD"},
		{registered, "data.tags", `"省重点"`, Invalid, "data.tags", "list"},
		{registered, "data.tags", `["a", null]`, Invalid, "data.tags[1]", "100"},
		{registered, "data.tags", `["a", ` + long(101) + `]`, Invalid, "data.tags[1]", "100"},
		{registered, "data.tags", many(51, `"t"`), Invalid, "data.tags", "50"},
		{registered, "data.annual_plan", `{"26": 1}`, Invalid, "data.annual_plan.26", "four digits"},
		{registered, "data.annual_plan", `{"2026": "1"}`, Invalid, "data.annual_plan.2026", "without quotes"},
		{registered, "data.annual_plan", `[1]`, Invalid, "data.annual_plan", "years"},
		{registered, "data.targets", `[]`, Invalid, "data.targets", "braces"},
		{registered, "data.targets.started", `"soon"`, Invalid, "data.targets.started", "YYYY-MM-DD"},
		{registered, "data.district", `"nowhere"`, Unknown, "data.district", "jiefang"},
		{registered, "data.district", `"city"`, Unknown, "data.district", "jiefang"},
		{registered, "district", `"city"`, Invalid, "data.district", ""},
		{amended, "data.effective_on", "", Invalid, "data.effective_on", "value"},
		{amended, "data.name", `""`, Invalid, "data.name", "300"},
		{amended, "data.withheld", `"true"`, Invalid, "data.withheld", "without quotes"},
		{amended, "data.total_investment", `true`, Invalid, "data.total_investment", "万元"},
		{amended, "data.district", `"xiuwo"`, Unknown, "data.district", "xiuwu"},
		{assigned, "data.lead", "", Invalid, "data.lead", "value"},
		{assigned, "data.lead", `{}`, Invalid, "data.lead", "300"},
		{planned, "data.milestone", `"finished"`, Invalid, "data.milestone", "landed, started or producing"},
		{planned, "data.approved", `1`, Invalid, "data.approved", "true or false"},
		{reached, "data.reached_on", `"2025-03-29"`, Invalid, "data.reached_on", "not after 2025-03-28"},
		{reached, "data.evidence", `{}`, Invalid, "data.evidence", "list"},
		{reached, "data.evidence", `[{"uri":"a"},{"uri":"b"},{"note":"c"}]`, Invalid, "data.evidence[2].uri", "value"},
		{reached, "data.evidence", `[{"uri":"a"},7]`, Invalid, "data.evidence[1]", "braces"},
		{reached, "data.evidence", `[{"uri":"a","sha256":"abc"}]`, Invalid, "data.evidence[0].sha256", "64"},
		{reached, "data.evidence", many(51, `{"uri":"a"}`), Invalid, "data.evidence", "50"},
		{raised, "data.category", `"weather"`, Invalid, "data.category", "land, finance"},
		{raised, "data.issue_id", long(129), Invalid, "data.issue_id", "128"},
		{raised, "data.due_on", "", Invalid, "data.due_on", "value"},
		{IssueResolved, "data.resolved_on", `""`, Invalid, "data.resolved_on", "YYYY-MM-DD"},
		{ProjectSuspended, "data.reason", "", Invalid, "data.reason", "value"},
		{ProjectSuspended, "data.reason", `""`, Invalid, "data.reason", "4000"},
		{ProjectCancelled, "data.reason", `" \n"`, Invalid, "data.reason", "4000"},
		{ProjectResumed, "data.effective_on", `"2025-02-29"`, Invalid, "data.effective_on", "real day"},
		{revoked, "data.revokes", "", Invalid, "data.revokes", "value"},
		{revoked, "data.revokes.id", "", Invalid, "data.revokes.id", "value"},
		{revoked, "data.revokes.source", `" "`, Invalid, "data.revokes.source", "URI reference"},
		{adjusted, "data.points", `5.01`, Invalid, "data.points", "-20 to 5"},
		{adjusted, "data.points", `-20.5`, Invalid, "data.points", "-20 to 5"},
		{adjusted, "data.points", `1.005`, Invalid, "data.points", "two decimals"},
		{adjusted, "data.year", `"2025"`, Invalid, "data.year", "without quotes"},
		{adjusted, "data.year", `2025.5`, Invalid, "data.year", "year"},
		{adjusted, "data.target.kind", `"project"`, Invalid, "data.target.kind", "district, department or lead"},
		{adjusted, "data.document", "null", Invalid, "data.document", "null is as not given"},
		{published, "data.kind", `"decade"`, Invalid, "data.kind", "month"},
		{published, "data.period", `"2025-W99"`, Invalid, "data.period", "2026-W40"},
		{published, "data.period", `"2025-Q4"`, Invalid, "data.period", "2026-W40"},
		{published, "data.number", `0`, Invalid, "data.number", "1 to"},
		{published, "data.known_seq", "", Invalid, "data.known_seq", "value"},
		{published, "data.files", `[{"name":"a"}]`, Invalid, "data.files[0].sha256", "value"},
		{announced, "data.kind", `"year"`, Invalid, "data.kind", "assessment"},
		{announced, "data.period", `"2025-10"`, Invalid, "data.period", "2026"},
	}
}

// changed gives the first example of a type with one member replaced.
func changed(t *testing.T, typ Type, path, value string) []byte {
	t.Helper()
	var event map[string]any
	decoder := json.NewDecoder(bytes.NewReader(readSchema(t, typ).Examples[0]))
	decoder.UseNumber()
	if err := decoder.Decode(&event); err != nil {
		t.Fatal(err)
	}
	object, steps := event, strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		object = object[step].(map[string]any)
	}
	last := steps[len(steps)-1]
	if value == "" {
		delete(object, last)
	} else {
		object[last] = json.RawMessage(value)
	}
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRefusals(t *testing.T) {
	fast, slow := bothValidators(t)
	for _, c := range refusals() {
		t.Run(string(c.typ)+" "+c.path+" "+Shorten(c.value), func(t *testing.T) {
			raw := changed(t, c.typ, c.path, c.value)
			_, _, decodeErr := fast.Decode(raw)
			_, _, validateErr := slow.Validate(raw)
			for name, err := range map[string]error{"Decode": decodeErr, "Validate": validateErr} {
				var e *Error
				if !errors.As(err, &e) {
					t.Errorf("%s: %v, want a refusal", name, err)
					continue
				}
				if e.Code != c.code || e.Field != c.field || !strings.Contains(e.Hint, c.hint) {
					t.Errorf("%s: %s %q, hint %q; want %s %q, hint with %q", name, e.Code, e.Field, e.Hint, c.code, c.field, c.hint)
				}
			}
			if t.Failed() {
				return
			}
			if sameWords(decodeErr) != sameWords(validateErr) {
				t.Errorf("different words:\nDecode:   %v\nValidate: %v", decodeErr, validateErr)
			}
		})
	}
}

// sameWords gives an error without the value, which the validators may spell
// with and without escapes.
func sameWords(err error) Error {
	var e *Error
	if !errors.As(err, &e) {
		return Error{}
	}
	words := *e
	words.Value = ""
	return words
}

func TestTextsThatAreNoEvents(t *testing.T) {
	fast, slow := bothValidators(t)
	large := `{"note":"` + strings.Repeat("a", MaxEventBytes) + `"}`
	for _, c := range []struct {
		name, text string
		code       Code
	}{
		{"nothing", "", Malformed},
		{"a word", "hello", Malformed},
		{"a half object", `{"id":"1"`, Malformed},
		{"two objects", `{"id":"1"} {"id":"2"}`, Malformed},
		{"a comma at the end", `{"id":"1",}`, Malformed},
		{"single quotes", `{'id':'1'}`, Malformed},
		{"a byte order mark", "\ufeff{}", Malformed},
		{"not UTF-8", "{\"id\":\"\xd0\xde\"}", Malformed},
		{"half a surrogate pair", `{"note":"\ud83d"}`, Malformed},
		{"a member given twice", `{"id":"1","id":"1"}`, Malformed},
		{"a member given twice, once with an escape", `{"id":"1","\u0069d":"1"}`, Malformed},
		{"an unknown member given twice", `{"x":1,"x":2}`, Malformed},
		{"a nested member given twice", `{"x":{"y":1,"y":2}}`, Malformed},
		{"a leading zero", `{"x":01}`, Malformed},
		{"NaN", `{"x":NaN}`, Malformed},
		{"null", "null", Invalid},
		{"a list", `[{"id":"1"}]`, Invalid},
		{"an empty object", "{}", Invalid},
		{"nested deeply", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), Invalid},
		{"a number too long", `{"x":` + strings.Repeat("1", 65) + `}`, Invalid},
		{"a number too large", `{"x":1e999999999}`, Invalid},
		{"too large", large, TooLarge},
	} {
		_, _, decodeErr := fast.Decode([]byte(c.text))
		_, _, validateErr := slow.Validate([]byte(c.text))
		for name, err := range map[string]error{"Decode": decodeErr, "Validate": validateErr} {
			var e *Error
			if !errors.As(err, &e) || e.Code != c.code || e.Hint == "" || !Permanent(err) || len(e.Error()) > 600 {
				t.Errorf("%s: %s: %v, want %s with a hint", c.name, name, err, c.code)
			}
		}
	}
}

func TestNestingIsLimited(t *testing.T) {
	fast, slow := bothValidators(t)
	for depth, ok := range map[int]bool{32: true, 33: false} {
		inside := depth - 1 // the event itself is the first level
		raw := changed(t, ProgressReported, "extra", strings.Repeat("[", inside)+strings.Repeat("]", inside))
		_, _, decodeErr := fast.Decode(raw)
		_, _, validateErr := slow.Validate(raw)
		if (decodeErr == nil) != ok || (validateErr == nil) != ok {
			t.Errorf("%d levels: Decode %v, Validate %v", depth, decodeErr, validateErr)
		}
	}
}

func TestUnknownMembersAreKeptAndNamed(t *testing.T) {
	fast, slow := bothValidators(t)
	raw := []byte(`{"data":{"milestone":"landed","reached_on":"2025-03-28","weather":"fine","nothing":null,"evidence":[{"uri":"a"},{"uri":"b","size":1.50}]},
		"specversion":"1.0","id":"1","source":"/o","type":"milestone.reached.v1","subject":"P-1","time":"2025-03-28T16:00:00Z","district":"xiuwu",
		"traceparent":"00-1","dataschema":"https://example.org/s","empty":null,"nested":{"a":[1, 2]}}`)
	for name, read := range map[string]func([]byte) (*Event, []Warning, error){"Decode": fast.Decode, "Validate": slow.Validate} {
		e, warnings, err := read(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var fields []string
		for _, w := range warnings {
			fields = append(fields, w.Field)
		}
		if got, want := strings.Join(fields, " "), "traceparent nested data.weather data.evidence[1].size"; got != want {
			t.Errorf("%s: warnings for %q, want %q", name, got, want)
		}
		if want := `{"traceparent":"00-1","dataschema":"https://example.org/s","nested":{"a":[1, 2]}}`; e.Extensions != want {
			t.Errorf("%s: Extensions %s, want %s", name, e.Extensions, want)
		}
		if !bytes.Equal(e.Raw, raw) || !bytes.HasPrefix(e.RawData, []byte(`{"milestone"`)) || !json.Valid(e.RawData) {
			t.Errorf("%s: Raw or RawData is not as sent: %s", name, e.RawData)
		}
	}
}

func TestManyUnknownMembersAreCounted(t *testing.T) {
	fast, _ := bothValidators(t)
	more := make(map[string]int)
	for i := range 5000 {
		more[strings.Repeat("x", i%300)+string(rune('a'+i%26))+strings.Repeat("y", i/300)] = i
	}
	value, err := json.Marshal(more)
	if err != nil {
		t.Fatal(err)
	}
	members := strings.TrimSuffix(strings.TrimPrefix(string(value), "{"), "}")
	if len(members) > 200<<10 {
		members = members[:strings.LastIndex(members[:200<<10], ",")]
	}
	raw := changed(t, ProgressReported, "data", `{"month":"2025-05","invested_ytd":1,`+members+`}`)
	_, warnings, decodeErr := fast.Decode(raw)
	if decodeErr != nil {
		t.Fatal(decodeErr)
	}
	if len(warnings) != maxUnknownNamed+1 || !strings.Contains(warnings[maxUnknownNamed].Message, "more unknown members") {
		t.Errorf("%d warnings, the last %v", len(warnings), warnings[len(warnings)-1])
	}
}

func TestWarnings(t *testing.T) {
	rules := DefaultRules()
	rules.Leads = NewDirectory([]Entry{{ID: "l1", Name: "领导甲", Aliases: []string{"甲"}}})
	rules.Departments = NewDirectory([]Entry{{ID: "d1", Name: "市财政局"}})
	v := NewValidator(rules)
	for _, c := range []struct {
		raw  []byte
		want string
	}{
		{changed(t, ProjectAssigned, "data.department", `"市财政局"`), ""},
		{changed(t, ProjectAssigned, "data", `{"lead":"甲","department":"市财政厅","effective_on":"2025-01-01"}`), "data.department"},
		{changed(t, IssueRaised, "data.department", `"市林业局"`), "data.department"},
		{changed(t, AdjustmentRecorded, "data.target.key", `"xiuwo"`), "data.target.key"},
		{changed(t, AdjustmentRecorded, "data.target.key", `"xiuwu"`), ""},
		{changed(t, ProjectAmended, "data", `{"effective_on":"2025-01-01","annual_plan":{},"name":null}`), "data"},
		{changed(t, ProjectAmended, "data", `{"effective_on":"2025-01-01","tags":[]}`), ""},
	} {
		_, warnings, err := v.Decode(c.raw)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range warnings {
			got += w.Field
		}
		if got != c.want {
			t.Errorf("%s: warnings for %q, want %q", c.raw, got, c.want)
		}
	}
}
