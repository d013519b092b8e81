package pages

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"milepost/schemas"
)

// TestFormsAgreeWithTheSchemas holds every form against the schema of its type:
// all its members can be filled in, and what is required says so.
func TestFormsAgreeWithTheSchemas(t *testing.T) {
	t.Parallel()
	today := schemas.NewDate(2025, 10, 31)
	var forms []eventForm
	for _, f := range append(eventForms(), eventForm{Type: schemas.ProgressReported}) {
		f, found := formOfType(f.Type)
		if !found {
			t.Fatalf("no form of %s", f.Type)
		}
		forms = append(forms, f)
	}
	if len(forms) != 12 {
		t.Errorf("%d forms", len(forms))
	}
	for _, form := range forms {
		text, err := fs.ReadFile(schemas.Files(), "events/"+string(form.Type)+".json")
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Properties struct {
				Data struct {
					Required   []string
					Properties map[string]json.RawMessage
				}
			}
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		has, must := map[string]bool{}, map[string]bool{}
		for _, f := range form.Fields {
			head, _, _ := strings.Cut(f.Name, ".")
			has[head] = true
			if f.Required && !f.City {
				must[head] = true
			}
			if f.Label == "" || len(f.inputs(today)) == 0 {
				t.Errorf("%s: %+v", form.Type, f)
			}
		}
		if want := slices.Sorted(maps.Keys(schema.Properties.Data.Properties)); !slices.Equal(slices.Sorted(maps.Keys(has)), want) {
			t.Errorf("%s has the fields %v, the schema %v", form.Type, slices.Sorted(maps.Keys(has)), want)
		}
		slices.Sort(schema.Properties.Data.Required)
		if got := slices.Sorted(maps.Keys(must)); !slices.Equal(got, schema.Properties.Data.Required) {
			t.Errorf("%s asks for %v, the schema for %v", form.Type, got, schema.Properties.Data.Required)
		}
	}
}

// TestDataOfAForm makes events' data of what people write.
func TestDataOfAForm(t *testing.T) {
	t.Parallel()
	form, _ := formOf("register")
	c := &reportContent{Today: schemas.NewDate(2025, 10, 31), fields: form.of(false), Given: map[string]string{
		"name": "=新材料产业园", "total_investment": "1,234.50", "annual_plan.2025": "600", "annual_plan.2026": " ", "tags": "省重点、市重点,", "targets.landed": "2026-01-31", "registered_on": "2025-10-30", "district": "xiuwu",
	}}
	got, err := json.Marshal(c.data(c.fields))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"annual_plan":{"2025":600},"name":"=新材料产业园","registered_on":"2025-10-30","tags":["省重点","市重点"],"targets":{"landed":"2026-01-31"},"total_investment":1234.50}`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	for field, want := range map[string]string{"data.annual_plan.2026": "annual_plan.2026", "data.annual_plan": "annual_plan.2025", "data.tags[1]": "tags", "data.targets.started": "targets.started", "subject": "subject", "type": "", "data.other": ""} {
		if got := fieldOf(c.fields, c.Today, field); got != want {
			t.Errorf("%s is told beside %q, want %q", field, got, want)
		}
	}
	adjust, _ := formOf("adjust")
	c = &reportContent{fields: adjust.Fields, Given: map[string]string{"points": "−2.5", "veto": "true", "target.kind": "lead", "target.key": "领导甲", "year": "2025"}}
	if got, err := json.Marshal(c.data(c.fields)); err != nil || string(got) != `{"points":-2.5,"target":{"key":"领导甲","kind":"lead"},"veto":true,"year":2025}` {
		t.Errorf("%s %v", got, err)
	}
}

// TestLinksOfProofs leads only to files of this server and to the web.
func TestLinksOfProofs(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("a1", 32)
	for uri, want := range map[string]string{
		evidencePath + sum: evidencePath + sum, "https://example.org/a.pdf": "https://example.org/a.pdf", "javascript:alert(1)": "", "档案/1.jpg": "", evidencePath + "../" + sum[:61]: "", "/logout": "",
	} {
		if got := linkOf(uri); got != want {
			t.Errorf("%q leads to %q, want %q", uri, got, want)
		}
	}
}
