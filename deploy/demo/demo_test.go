package demo

import (
	"testing"

	"milepost/schemas"
)

// TestEventsAreGoodAndTheSame holds the demonstration to the contract.
func TestEventsAreGoodAndTheSame(t *testing.T) {
	t.Parallel()
	events, err := Events(1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Events(1)
	if err != nil {
		t.Fatal(err)
	}
	validator, err := schemas.NewSchemaValidator(schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, e := range events {
		if string(e.Raw) != string(again[i].Raw) {
			t.Fatalf("event %d differs the second time:\n%s\n%s", i, e.Raw, again[i].Raw)
		}
		if _, warnings, err := validator.Validate(e.Raw); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", e.Raw, err, warnings)
		}
		if seen[e.EventID()] {
			t.Errorf("%s comes twice", e.EventID())
		}
		seen[e.EventID()] = true
	}
	if len(events) < 800 {
		t.Errorf("only %d events", len(events))
	}
}
