package render

import (
	"strings"
	"testing"

	"milepost/schemas"
)

// TestAWeekSaysNothingOfMissingReports prints the same model as a month and as a
// week.
func TestAWeekSaysNothingOfMissingReports(t *testing.T) {
	t.Parallel()
	model, names := load(t, "october")
	const word = "应报未报"
	if text := render(t, Markdown, model, names); len(model.Unreported) == 0 || !strings.Contains(text, word) {
		t.Fatal("the month has no missing reports: the test proves nothing")
	}
	week := *model
	week.Kind, week.Restatements = schemas.Week, []schemas.Restatement{{Path: "unreported/P-0001"}}
	for name, text := range map[string]string{"official": render(t, Markdown, &week, names), "media": render(t, media(Markdown), &week, names)} {
		if strings.Contains(text, word) {
			t.Errorf("%s: a week prints %s:\n%s", name, word, text)
		}
	}
}
