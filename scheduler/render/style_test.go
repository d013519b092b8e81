package render

import (
	"errors"
	"strings"
	"testing"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func TestStyleNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	s := Style{RowsInText: 99, Reference: "办〔2025〕号", Headings: map[string]string{"weather": "天气", "overview": ""},
		Sections: map[document.Edition][]string{"press": nil, document.Media: {"quality", "reached", "reached"}, document.Official: {"gossip"}}}
	err := s.Check("documents")
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) || len(list.Unwrap()) != 8 {
		t.Fatalf("%v", err)
	}
	for _, field := range []string{"documents.rows_in_text", "documents.reference", "documents.headings", "documents.headings.overview", "documents.sections.media", "documents.sections.official"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("missing: %s in %v", field, err)
		}
	}
	if err := (&Style{}).Check("documents"); err != nil {
		t.Errorf("the default: %v", err)
	}
}

func TestStyleChoosesSectionsAndWords(t *testing.T) {
	t.Parallel()
	model, names := load(t, "october")
	names.Style = Style{City: "全县", Body: "县重大项目办", Addressees: "各乡镇", Closing: "此通报。", Headings: map[string]string{"reached": "新进展"},
		Sections: map[document.Edition][]string{document.Official: {"reached", "overview"}, document.Media: {"reached"}}}
	text := render(t, Markdown, model, names)
	for _, want := range []string{"## 一、新进展", "## 二、总体情况", "各乡镇：", "此通报。", "县重大项目办"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(text, "## 三、") || strings.Contains(text, "应报未报项目") {
		t.Errorf("more sections than were chosen:\n%s", text)
	}
	if text := render(t, media(Markdown), model, names); !strings.Contains(text, "# 10月全县") {
		t.Errorf("the city's word is missing:\n%s", text)
	}
}

func TestRemarksStandApart(t *testing.T) {
	t.Parallel()
	remarks, err := ReadRemarks(strings.NewReader("instructions: [请抓紧。]\ncauses:\n  - 一是用地。\nnext: [对照节点。]\n"))
	if err != nil {
		t.Fatal(err)
	}
	model, names := load(t, "small")
	names.Remarks = remarks
	doc, err := Bulletin(model, names)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, s := range doc.Sections {
		for _, b := range s.Blocks {
			if p, ok := b.(*document.Paragraph); ok && p.Editor {
				found[s.Key+" "+p.Text.String()] = true
			}
		}
	}
	for _, want := range []string{"instructions 请抓紧。", "causes 一是用地。", "next 对照节点。"} {
		if !found[want] {
			t.Errorf("missing: %s in %v", want, found)
		}
	}
	for _, wrong := range []string{"cause: [甲]", "causes: 甲: 乙", "next: ['']", "next: [" + strings.Repeat("甲,", 30) + "]", "causes: [" + strings.Repeat("长", 5000) + "]"} {
		if _, err := ReadRemarks(strings.NewReader(wrong)); schemas.CodeOf(err) != schemas.Invalid {
			t.Errorf("%.20s: %v", wrong, err)
		}
	}
}

func TestSourcesAnswerFigures(t *testing.T) {
	t.Parallel()
	model, names := load(t, "october")
	doc, err := Bulletin(model, names)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	eachPiece(doc, func(text, path string) {
		if path == "" {
			return
		}
		asked++
		source, ok := doc.Sources.Source(path)
		if !ok || source.Definition == "" || !strings.Contains(source.Select, "figures(period = '2025-10', known = ") || !strings.Contains(source.Events, " WHERE stream_seq <= ") {
			t.Errorf("%s (%s): %+v", path, text, source)
		}
	})
	if asked < 200 {
		t.Errorf("only %d figures can be asked", asked)
	}
}
