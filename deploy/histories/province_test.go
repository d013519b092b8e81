package histories

import (
	"testing"

	"milepost/schemas"
)

// TestProvinceIsValidAndVaried holds the events to the contract and looks for
// what a history must have to be worth measuring: every kind, no identity
// twice, the size that was asked for, and the same events for the same seed.
func TestProvinceIsValidAndVaried(t *testing.T) {
	t.Parallel()
	p := Province{Projects: 400, Years: 5, Seed: 7}
	validator, err := schemas.NewSchemaValidator(schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	kinds, years, projects := map[schemas.Type]int{}, map[int]int{}, map[string]bool{}
	moves, revocations, named := 0, 0, 0
	for e, err := range p.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if _, warnings, err := validator.Validate(e.Raw); err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v %v", e.Raw, err, warnings)
		}
		if texts[e.EventID()] != "" {
			t.Fatalf("%s comes twice", e.EventID())
		}
		texts[e.EventID()] = string(e.Raw)
		kinds[e.Type]++
		years[e.Time.Year()]++
		projects[e.Subject] = true
		switch d := e.Data.(type) {
		case *schemas.Amended:
			if d.District != "" {
				moves++
			}
		case *schemas.Revoked:
			revocations++
			if texts[schemas.EventID(d.Source, d.ID)] != "" {
				named++
			}
		}
	}
	if len(projects) != p.Projects || len(texts) < 20*p.Projects || len(texts) > 40*p.Projects {
		t.Errorf("%d projects with %d events", len(projects), len(texts))
	}
	if len(kinds) < 11 || moves == 0 || revocations == 0 || named == 0 {
		t.Errorf("kinds %v, %d moves, %d revocations of which %d name an event", kinds, moves, revocations, named)
	}
	for year := 2021; year <= 2025; year++ {
		if years[year] < len(texts)/12 {
			t.Errorf("events by year: %v", years)
		}
	}
	for e, err := range p.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if texts[e.EventID()] != string(e.Raw) {
			t.Fatalf("%s differs the second time", e.EventID())
		}
	}
	p.Seed++
	for e := range p.Events() {
		if texts[e.EventID()] == string(e.Raw) {
			t.Fatalf("another seed gives %s again", e.Raw)
		}
		break
	}
}

// TestProvinceIsBounded asks for what is too much or too little.
func TestProvinceIsBounded(t *testing.T) {
	t.Parallel()
	for field, p := range map[string]Province{
		"projects": {Projects: MaxProjects + 1, Years: 1}, "years": {Projects: 1, Years: MaxYears + 1}, "life": {Projects: 1, Years: 1, Life: 2},
	} {
		for e, err := range p.Events() {
			if schemas.CodeOf(err) != schemas.Invalid {
				t.Errorf("%s: %v, %v", field, e, err)
			}
		}
	}
}
