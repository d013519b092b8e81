package render

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"milepost/scheduler/bulletin"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// TestEveryFigureStandsInTheModel holds the text against the model twice: a
// figure that names its path prints exactly the value there, and every other
// number of the text is one that the model, its lists or the rules give.
func TestEveryFigureStandsInTheModel(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"small", "city", "october"} {
		for _, edition := range document.Editions() {
			t.Run(name+" "+string(edition), func(t *testing.T) {
				t.Parallel()
				model, names := load(t, name)
				names.Edition = edition
				if names.Details == nil {
					if edition == document.Media {
						names.Details = &bulletin.Details{Ledger: &schemas.Ledger{}}
					}
				}
				doc, err := Bulletin(model, names)
				if err != nil {
					t.Fatal(err)
				}
				held := holdFigures(t, model, doc)
				if held < 60 && name != "small" {
					t.Errorf("only %d figures name their path", held)
				}
				scanNumbers(t, model, names, doc)
			})
		}
	}
}

// holdFigures compares every figure that names a path with the model.
func holdFigures(t *testing.T, model *schemas.Bulletin, doc *document.Document) int {
	t.Helper()
	figures, err := bulletin.Figures(model)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]json.RawMessage{}
	for _, f := range figures {
		values[f.Path] = f.Value
	}
	held := 0
	eachPiece(doc, func(text, path string) {
		if path == "" {
			return
		}
		value, known := values[path]
		if !known {
			t.Errorf("%q names %s, which is no value of the model", text, path)
			return
		}
		held++
		if !prints(text, value) {
			t.Errorf("%q stands for %s = %s", text, path, value)
		}
	})
	return held
}

var firstNumber = regexp.MustCompile(`[-+]?\d+(?:\.\d+)?`)

// prints tells whether the text says the value: a number in its own unit or in
// 亿元, its amount without sign, a date, or a word for null and zero.
func prints(text string, value json.RawMessage) bool {
	var word string
	switch {
	case string(value) == "null":
		return text == unknown || text == "无" || !firstNumber.MatchString(text) || strings.HasPrefix(text, "节点")
	case json.Unmarshal(value, &word) == nil:
		return strings.Contains(text, word) || !firstNumber.MatchString(text) || isWordOf(word)
	}
	want, ok := new(big.Rat).SetString(string(value))
	if !ok {
		return false
	}
	if want.Sign() == 0 && !firstNumber.MatchString(text) {
		return true
	}
	for _, found := range firstNumber.FindAllString(strings.ReplaceAll(text, "/", " "), -1) {
		got, _ := new(big.Rat).SetString(strings.TrimPrefix(found, "+"))
		if got.Cmp(want) == 0 || new(big.Rat).Abs(got).Cmp(new(big.Rat).Abs(want)) == 0 {
			return true
		}
		if strings.HasSuffix(text, "亿元") {
			off := new(big.Rat).Sub(new(big.Rat).Mul(got, big.NewRat(10_000, 1)), want)
			if off.Abs(off).Cmp(big.NewRat(50, 1)) <= 0 {
				return true
			}
		}
	}
	return false
}

// isWordOf tells whether the value is a code that is printed as a word.
func isWordOf(word string) bool {
	return document.LightName(schemas.Light(word)) != word || statusName(schemas.Status(word)) != word
}

// eachPiece visits every piece of text of the document that is no heading.
func eachPiece(doc *document.Document, visit func(text, path string)) {
	blocks := func(list []document.Block) {
		for _, block := range list {
			switch b := block.(type) {
			case *document.Paragraph:
				for _, s := range b.Text {
					visit(s.Text, s.Figure)
				}
			case *document.List:
				for _, item := range b.Items {
					for _, s := range item {
						visit(s.Text, s.Figure)
					}
				}
			case *document.Table:
				for _, row := range b.Rows {
					for _, cell := range row.Cells {
						visit(cell.Text, cell.Figure)
					}
				}
			case *document.Chart:
				visit(b.Alt, "")
			}
		}
	}
	for _, s := range doc.Sections {
		blocks(s.Blocks)
	}
	for _, a := range doc.Annexes {
		blocks(a.Blocks)
	}
}

// scanNumbers looks at the numbers of the text that name no path.
func scanNumbers(t *testing.T, model *schemas.Bulletin, names Names, doc *document.Document) {
	t.Helper()
	known := knownNumbers(t, model, names)
	forget := namesIn(model, names)
	dates := regexp.MustCompile(`\d{4}-\d\d-\d\d|\d{4}年\d+月(\d+日)?|\d{4}年|1—\d+月|\d+月\d*日?底?|附件\d+`)
	eachPiece(doc, func(text, path string) {
		if path != "" {
			return
		}
		bare := dates.ReplaceAllString(forget.Replace(text), " ")
		for _, number := range regexp.MustCompile(`\d+(?:\.\d+)?`).FindAllString(bare, -1) {
			if !known[number] {
				t.Errorf("%s stands nowhere: %q", number, text)
			}
		}
	})
}

// namesIn forgets names and ids that hold digits of their own, longest first.
func namesIn(model *schemas.Bulletin, names Names) *strings.Replacer {
	var list []string
	for id, name := range projectNames(model, names) {
		list = append(list, id, name)
	}
	for _, ids := range [][]string{model.Unreported, model.DataQuality.NoPlan, model.DataQuality.OutOfOrder} {
		list = append(list, ids...)
	}
	for i := range model.Lagging {
		list = append(list, model.Lagging[i].ProjectID)
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, name := range list {
		pairs = append(pairs, name, " ")
	}
	return strings.NewReplacer(pairs...)
}

// knownNumbers are those of the model, the lengths of its lists, the limits of
// the rules, and what the projects behind it give.
func knownNumbers(t *testing.T, model *schemas.Bulletin, names Names) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	add := func(n int) { known[fmt.Sprint(max(n, -n))] = true }
	figures, err := bulletin.Figures(model)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if n, ok := f.Number(); ok {
			known[strings.TrimPrefix(n, "-")] = true
		}
	}
	// Whether a list of so many is counted right is held where it is made; the
	// ordinals of a table's rows run up to its length.
	longest := max(len(model.Lagging), len(model.Reached), len(model.Upcoming), len(model.Unreported), len(model.Restatements), len(model.DataQuality.NoPlan), len(model.DataQuality.OutOfOrder), 12)
	for n := range longest + 1 {
		add(n)
	}
	r := names.Rules
	for _, n := range []int{r.ReportDay, r.YellowMonths, r.RedMonths, r.YellowLag, r.RedLag, r.StalledMonths, r.Weights.Milestones[0], r.Weights.Milestones[1], r.Weights.Milestones[2], r.Weights.Ledger, r.Weights.Investment,
		int(model.KnownSeq), 100, 12, defaultRowsInText} {
		add(n)
	}
	for _, r := range model.Restatements {
		known[strings.Trim(string(r.Published), `-"`)], known[strings.Trim(string(r.Now), `-"`)] = true, true
	}
	for i := range model.Lagging {
		add(int(model.Lagging[i].Forecast - model.Lagging[i].Target))
	}
	for i := range model.Upcoming {
		add(int(model.Upcoming[i].Forecast - model.Upcoming[i].Target))
	}
	for _, item := range model.Method.Items {
		known[schemas.Percent(int64(item.Satisfied), int64(item.Applicable)).String()] = true
	}
	if d := names.Details; d != nil {
		addProjects(d, add, known)
	}
	return known
}

func addProjects(d *bulletin.Details, add func(int), known map[string]bool) {
	for i := range d.Ledger.Standings {
		s := &d.Ledger.Standings[i]
		known[schemas.Percent(int64(s.Investment.Invested), int64(s.Investment.Plan)).String()] = true
		for _, m := range s.Milestones {
			add(int(m.Target - m.Baseline))
			add(int(m.Forecast - m.Target))
		}
	}
	for _, p := range d.Trend {
		for _, f := range []*schemas.Figure{p.Milestones.Landed.RateToDate, p.Milestones.Started.RateToDate, p.Milestones.Producing.RateToDate, p.Investment.Rate, p.Investment.TimeProgress} {
			known[f.String()] = true
		}
	}
	for i := range d.Ledger.Standings {
		add(i + 1) // of lists of moved lights
	}
}
