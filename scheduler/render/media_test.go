package render

import (
	"slices"
	"strings"
	"testing"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// withholdLagging marks the first lagging project as withheld, and gives its
// name.
func withholdLagging(t *testing.T, model *schemas.Bulletin, names Names) (id, name string) {
	t.Helper()
	id = model.Lagging[0].ProjectID
	s := names.Details.Standing(id)
	if s == nil {
		t.Fatalf("%s is not in the ledger", id)
	}
	s.Withheld = true
	return id, s.Name
}

func TestWithheldProjectsAreLeftOutOfTheMediaEdition(t *testing.T) {
	t.Parallel()
	model, names := load(t, "october")
	id, name := withholdLagging(t, model, names)
	shown := 0
	for i := range model.Lagging {
		if s := names.Details.Standing(model.Lagging[i].ProjectID); !s.Withheld {
			shown++
		}
	}
	text := render(t, media(Markdown), model, names)
	if strings.Contains(text, name+"（") || strings.Contains(text, "| "+name+" |") || strings.Contains(text, id) {
		t.Errorf("%s is shown", name)
	}
	if want := count("", shown).Text + "个项目进展偏慢"; !strings.Contains(text, want) {
		t.Errorf("missing %q", want)
	}
	if official := render(t, Markdown, model, names); !strings.Contains(official, name) {
		t.Errorf("%s is missing in the official edition", name)
	}
	public := Public(model, names.Details)
	if len(public.Lagging) != shown {
		t.Errorf("%d lagging projects in the public model, want %d", len(public.Lagging), shown)
	}
	if rows := Ledger(names.Details, names.Rules, true); len(rows) >= len(names.Details.Ledger.Standings) {
		t.Errorf("%d rows in the public ledger", len(rows))
	}
}

func TestTheMediaEditionHasNothingInternal(t *testing.T) {
	t.Parallel()
	model, names := load(t, "october")
	names.Remarks = Remarks{Instructions: []string{"市领导批示全文。"}, Causes: []string{"原因甲。"}}
	text := render(t, media(Markdown), model, names)
	for _, word := range []string{"批示", "退件", "无权报送", "数据修订", "数据版本", "未分包", "附件"} {
		if strings.Contains(text, word) {
			t.Errorf("%s is shown", word)
		}
	}
	if !strings.Contains(text, "原因甲。") {
		t.Error("the editor's causes are missing")
	}
	if official := render(t, Markdown, model, names); !strings.Contains(official, "市领导批示全文。") {
		t.Error("the instructions are missing in the official edition")
	}
}

func TestAMediaEditionNeedsTheLedger(t *testing.T) {
	t.Parallel()
	model, names := load(t, "small")
	names.Edition = document.Media
	if _, err := Bulletin(model, names); schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("without a ledger: %v", err)
	}
}

func TestHeadlines(t *testing.T) {
	t.Parallel()
	model, names := load(t, "october")
	var parts []string
	headline := func() string {
		names.Edition = document.Media
		doc, err := Bulletin(model, names)
		if err != nil {
			t.Fatal(err)
		}
		parts = doc.Title
		return doc.Plain()
	}
	if got, want := headline(), "10月全市9个重大项目投产、2个开工、6个落地"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := []string{"10月全市9个重大项目投产、", "2个开工、", "6个落地"}; !slices.Equal(parts, want) {
		t.Errorf("it is broken between %q", parts)
	}
	model.Reached = nil
	if got, want := headline(), "全市重大项目完成年度投资计划的44.8%"; got != want {
		t.Errorf("without news: got %s, want %s", got, want)
	}
}
