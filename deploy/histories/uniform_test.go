package histories

import (
	"testing"

	"milepost/schemas"
)

// TestUniformEventsAreOfRealShape holds what the measured figures rest on: the events
// are valid, distinct, of the size that is told, and reach over three years.
func TestUniformEventsAreOfRealShape(t *testing.T) {
	t.Parallel()
	const n = 8000
	validator, err := schemas.NewSchemaValidator(schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	identities, types, years := map[string]bool{}, map[schemas.Type]int{}, map[int]int{}
	size, least, most := 0, 1<<20, 0
	for e, err := range Uniform(n) {
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := validator.Validate(e.Raw); err != nil {
			t.Fatalf("%s: %v", e.Raw, err)
		}
		identities[e.EventID()] = true
		types[e.Type]++
		years[e.BusinessDate().Year()]++
		size, least, most = size+len(e.Raw), min(least, len(e.Raw)), max(most, len(e.Raw))
	}
	if len(identities) != n {
		t.Errorf("%d identities", len(identities))
	}
	if mean := size / n; mean < 430 || mean > 470 || most-least < 200 {
		t.Errorf("%d bytes on average, %d to %d", mean, least, most)
	}
	if len(types) < 7 || types[schemas.ProgressReported] > n*9/10 {
		t.Errorf("types: %v", types)
	}
	for year := 2023; year <= 2025; year++ {
		if years[year] < n/5 {
			t.Errorf("business dates by year: %v", years)
		}
	}
}
