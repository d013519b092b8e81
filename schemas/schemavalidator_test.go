package schemas

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
)

// bothValidators makes the two validators of the default rules.
func bothValidators(tb testing.TB) (*Validator, *SchemaValidator) {
	tb.Helper()
	slow, err := NewSchemaValidator(DefaultRules())
	if err != nil {
		tb.Fatal(err)
	}
	return NewValidator(DefaultRules()), slow
}

// schemaFile is what the tests read of a schema.
type schemaFile struct {
	Schema      string            `json:"$schema"`
	ID          string            `json:"$id"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Examples    []json.RawMessage `json:"examples"`
}

func readSchema(tb testing.TB, t Type) schemaFile {
	tb.Helper()
	text, err := fs.ReadFile(Files(), "events/"+string(t)+".json")
	if err != nil {
		tb.Fatal(err)
	}
	var s schemaFile
	if err := json.Unmarshal(text, &s); err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestExamplesPassBothValidators(t *testing.T) {
	fast, slow := bothValidators(t)
	for _, typ := range Types() {
		schema := readSchema(t, typ)
		if len(schema.Examples) == 0 || schema.Title == "" || schema.Description == "" || schema.ID != schemaBase+"events/"+string(typ)+".json" {
			t.Errorf("%s: the schema lacks its id, title, description or examples", typ)
		}
		for i, example := range schema.Examples {
			e, warnings, err := fast.Decode(example)
			if err != nil {
				t.Errorf("%s example %d: Decode: %v", typ, i, err)
				continue
			}
			if e.Type != typ || len(warnings) > 0 {
				t.Errorf("%s example %d: type %s, warnings %v", typ, i, e.Type, warnings)
			}
			if _, _, err := slow.Validate(example); err != nil {
				t.Errorf("%s example %d: Validate: %v", typ, i, err)
			}
		}
	}
}

func TestExampleFilesAreTheFirstExamples(t *testing.T) {
	entries, err := fs.ReadDir(Files(), "events/examples")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(Types()) {
		t.Errorf("%d example files for %d types", len(entries), len(Types()))
	}
	for _, entry := range entries {
		typ, err := ParseEventType(strings.TrimSuffix(entry.Name(), ".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := fs.ReadFile(Files(), "events/examples/"+entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		inFile, err := FingerprintOf(text)
		if err != nil {
			t.Fatal(err)
		}
		inSchema, err := FingerprintOf(readSchema(t, typ).Examples[0])
		if err != nil {
			t.Fatal(err)
		}
		if inFile != inSchema {
			t.Errorf("%s differs from the first example of its schema", entry.Name())
		}
	}
}

func TestEventSchemasAreTheTypes(t *testing.T) {
	names, err := fs.Glob(Files(), "events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != len(Types())+1 {
		t.Errorf("%d schema files for %d types and common.json", len(names), len(Types()))
	}
}

// Every definition that a broken rule can name has words of its own.
func TestEveryDefinitionHasWords(t *testing.T) {
	text, err := fs.ReadFile(Files(), "events/common.json")
	if err != nil {
		t.Fatal(err)
	}
	var common struct {
		Defs map[string]struct {
			Description string `json:"description"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &common); err != nil {
		t.Fatal(err)
	}
	for name, d := range common.Defs {
		if d.Description == "" {
			t.Errorf("%s has no description", name)
		}
		rule := definitionOf(schemaBase + "events/common.json#/$defs/" + name)
		if rule == "" {
			continue
		}
		if _, hint := rule.words(); hint == "" {
			t.Errorf("%s has no hint", name)
		}
	}
}
