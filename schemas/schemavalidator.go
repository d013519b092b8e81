package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// schemaBase is the address that the schemas name themselves by. Nothing is
// ever fetched from it.
const schemaBase = "https://milepost.example/schemas/"

// SchemaValidator refuses events in the words of the JSON Schemas of events/,
// and of the rules that a schema cannot say. It accepts the same events as
// Validator, which therefore goes first: a schema costs twenty times as much
// and is asked only what is wrong with an event that will not get in. It is
// safe for concurrent use.
type SchemaValidator struct {
	typed    *Validator
	envelope *jsonschema.Schema
	types    map[string]*jsonschema.Schema
}

// NewSchemaValidator compiles the embedded schemas. The rules must not change
// afterwards.
func NewSchemaValidator(rules *Rules) (*SchemaValidator, error) {
	return NewBookSchemaValidator(UndatedRules(rules))
}

// NewBookSchemaValidator is NewSchemaValidator for the rule sets of a book, as
// NewBookValidator takes them.
func NewBookSchemaValidator(book *RuleBook) (*SchemaValidator, error) {
	compiler, err := newCompiler("events")
	if err != nil {
		return nil, err
	}
	v := &SchemaValidator{typed: NewBookValidator(book), types: make(map[string]*jsonschema.Schema)}
	if v.envelope, err = compiler.Compile(schemaBase + "events/common.json#/$defs/envelope"); err != nil {
		return nil, fmt.Errorf("compile the schema of the envelope: %w", err)
	}
	for _, t := range Types() {
		if v.types[string(t)], err = compiler.Compile(schemaBase + "events/" + string(t) + ".json"); err != nil {
			return nil, fmt.Errorf("compile the schema of %s: %w", t, err)
		}
	}
	return v, nil
}

// newCompiler makes a compiler that knows the embedded schemas of a folder.
func newCompiler(folder string) (*jsonschema.Compiler, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "date", Validate: formatOf(isCalendarDate)})
	compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: formatOf(isInstant)})
	compiler.RegisterFormat(&jsonschema.Format{Name: "milepost-period", Validate: formatOf(func(s string) bool { return isPeriod([]byte(s)) })})
	names, err := fs.Glob(files, folder+"/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := compiler.AddResource(schemaBase+name, document); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return compiler, nil
}

// noLoader refuses to fetch: every schema is embedded.
type noLoader struct{}

// Load refuses.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is not embedded", path.Base(url))
}

func formatOf(test func(string) bool) func(any) error {
	bad := errors.New("not of this format")
	return func(value any) error {
		if s, ok := value.(string); ok && !test(s) {
			return bad
		}
		return nil
	}
}

// isCalendarDate and isInstant read dates and times by the standard library,
// apart from the typed validator; the patterns of the schemas hold the
// spelling.
func isCalendarDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isInstant(s string) bool {
	t, err := time.Parse(time.RFC3339Nano, s)
	return err == nil && t.UTC().Year() >= 1900 && t.In(Location).Year() <= 2299
}

// Validate reads one event. Event and warnings are those of Validator.Decode.
// The error is that of the schema; when the event keeps to its schema and
// breaks another rule, it is that of Decode.
func (v *SchemaValidator) Validate(raw []byte) (*Event, []Warning, error) {
	event, warnings, err := v.typed.Decode(raw)
	if err == nil {
		return event, warnings, nil
	}
	if broken := v.check(raw); broken != nil {
		return nil, nil, broken
	}
	return nil, nil, err
}

// check holds the event against its schema alone.
func (v *SchemaValidator) check(raw []byte) *Error {
	if err := checkSize(raw); err != nil {
		return err
	}
	tree, bad := parseTree(raw)
	if bad != nil {
		return bad
	}
	schema := v.envelope
	if object, ok := tree.(map[string]any); ok {
		if word, ok := object["type"].(string); ok && word != "" {
			if schema, ok = v.types[word]; !ok {
				err := unknownType(word)
				err.Field = "type"
				return err
			}
		}
	}
	err := schema.Validate(tree)
	if err == nil {
		return nil
	}
	var broken *jsonschema.ValidationError
	if !errors.As(err, &broken) {
		return &Error{Code: Internal, Message: "the schema cannot be applied", Err: err}
	}
	return explain(firstLeaf(broken), tree)
}

// firstLeaf finds the broken rule without a further cause whose place comes
// first in alphabetical order, so that equal events get equal errors.
func firstLeaf(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return e
	}
	first := firstLeaf(e.Causes[0])
	for _, cause := range e.Causes[1:] {
		if leaf := firstLeaf(cause); slices.Compare(leaf.InstanceLocation, first.InstanceLocation) < 0 {
			first = leaf
		}
	}
	return first
}

// explain puts a broken rule of a schema into the words of the contract.
func explain(leaf *jsonschema.ValidationError, tree any) *Error {
	location := leaf.InstanceLocation
	value := valueAt(tree, location)
	rule := definitionOf(leaf.SchemaURL)
	var e *Error
	switch k := leaf.ErrorKind.(type) {
	case *kind.Required:
		e = missing(k.Missing[0], memberIsNull(value, k.Missing[0]))
		location = append(location[:len(location):len(location)], k.Missing[0])
		if slices.Equal(location, []string{"data", "district"}) {
			e.Hint = hintForCity
		}
	case *kind.AdditionalProperties:
		e = rule.broken(jsonText(k.Properties[0]))
		location = append(location[:len(location):len(location)], k.Properties[0])
		if rule == defAnnual {
			e.Message, e.Hint = defPlan.words()
		}
	case *kind.Type:
		if _, element := valueAt(tree, location[:max(0, len(location)-1)]).([]any); k.Got == "null" && len(location) > 0 && !element {
			e = missing("", true)
			break
		}
		if rule == "" {
			rule = map[string]def{"object": defObject, "array": defList}[k.Want[0]]
		}
		e = rule.broken(jsonText(value))
	default:
		e = rule.broken(jsonText(value))
	}
	e.Field = fieldPath(tree, location)
	return e
}

// definitionOf finds the definition of events/common.json that a rule's
// address lies in.
func definitionOf(address string) def {
	_, rest, ok := strings.Cut(address, "#/$defs/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	switch name {
	case "envelope", "proof", "file":
		return ""
	case "targetsOrNull":
		return defObject
	case "kindAssessment":
		return defKind
	}
	return def(strings.TrimSuffix(name, "OrNull"))
}

func valueAt(tree any, location []string) any {
	for _, step := range location {
		switch t := tree.(type) {
		case map[string]any:
			tree = t[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(t) {
				return nil
			}
			tree = t[i]
		}
	}
	return tree
}

func memberIsNull(object any, name string) bool {
	members, _ := object.(map[string]any)
	value, given := members[name]
	return given && value == nil
}

// fieldPath writes a location as data.evidence[2].uri.
func fieldPath(tree any, location []string) string {
	field := ""
	for i, step := range location {
		switch valueAt(tree, location[:i]).(type) {
		case []any:
			field += "[" + step + "]"
		default:
			if field != "" {
				field += "."
			}
			field += Shorten(step)
		}
	}
	return field
}

// jsonText writes a value of the tree for an error message.
func jsonText(value any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}
