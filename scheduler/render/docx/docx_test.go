package docx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func TestEveryPartIsWellFormedAndEveryRelationResolves(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]*document.Document{"everything": everything(), "city": example(t), "nothing": {}} {
		_, parts := write(t, doc)
		for part, text := range parts {
			decoder := xml.NewDecoder(strings.NewReader(text))
			for {
				if _, err := decoder.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %s: %v", name, part, err)
				}
			}
			if part != "[Content_Types].xml" && !strings.HasSuffix(part, ".rels") && !strings.Contains(parts["[Content_Types].xml"], `"/`+part+`"`) {
				t.Errorf("%s: %s has no type", name, part)
			}
			if strings.HasSuffix(part, ".rels") {
				for _, target := range regexp.MustCompile(`Target="([^"]*)"`).FindAllStringSubmatch(text, -1) {
					if _, ok := parts[path.Join(path.Dir(path.Dir(part)), target[1])]; !ok {
						t.Errorf("%s: %s points to %s", name, part, target[1])
					}
				}
			}
		}
		relations := parts["word/_rels/document.xml.rels"]
		for _, id := range regexp.MustCompile(`r:id="([^"]*)"`).FindAllStringSubmatch(parts["word/document.xml"], -1) {
			if !strings.Contains(relations, `Id="`+id[1]+`"`) {
				t.Errorf("%s: no relation %s", name, id[1])
			}
		}
		for _, style := range regexp.MustCompile(`<w:(?:pStyle|tblStyle) w:val="([^"]*)"`).FindAllStringSubmatch(parts["word/document.xml"], -1) {
			if !strings.Contains(parts["word/styles.xml"], `w:styleId="`+style[1]+`"`) {
				t.Errorf("%s: no style %s", name, style[1])
			}
		}
	}
}

// orders are those of the schema, of which Word refuses a file that departs.
var orders = map[string]string{
	"pPr":    "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr pBdr shd tabs kinsoku snapToGrid spacing ind jc textAlignment outlineLvl rPr sectPr",
	"rPr":    "rStyle rFonts b bCs i color spacing w kern position sz szCs lang",
	"tblPr":  "tblStyle tblpPr tblW jc tblInd tblBorders shd tblLayout tblCellMar tblLook tblCaption tblDescription",
	"tcPr":   "tcW gridSpan vMerge tcBorders shd noWrap tcMar vAlign",
	"sectPr": "headerReference footerReference type pgSz pgMar pgNumType docGrid",
	"tc":     "tcPr p", "tbl": "tblPr tblGrid tr", "tr": "trPr tc",
}

func TestChildrenStandInTheOrderOfTheSchema(t *testing.T) {
	t.Parallel()
	_, parts := write(t, everything())
	for _, part := range []string{"word/document.xml", "word/styles.xml", "word/footer-odd.xml", "word/footer-even.xml"} {
		type open struct {
			name string
			last int
		}
		var stack []open
		decoder := xml.NewDecoder(strings.NewReader(parts[part]))
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			switch e := token.(type) {
			case xml.StartElement:
				if n := len(stack); n > 0 {
					if order := orders[stack[n-1].name]; order != "" && e.Name.Space == wordSpace {
						at := strings.Index(" "+order+" ", " "+e.Name.Local+" ")
						if at < 0 || at < stack[n-1].last {
							t.Errorf("%s: %s stands in %s where it may not", part, e.Name.Local, stack[n-1].name)
						}
						stack[n-1].last = at
					}
				}
				stack = append(stack, open{name: e.Name.Local})
			case xml.EndElement:
				stack = stack[:len(stack)-1]
			}
		}
	}
}

func TestTablesFillTheTypeArea(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]*document.Document{"everything": everything(), "city": example(t)} {
		doc.Imprint = nil // a table without a heading
		_, parts := write(t, doc)
		tables := regexp.MustCompile(`(?s)<w:tbl>.*?</w:tbl>`).FindAllString(parts["word/document.xml"], -1)
		if len(tables) == 0 {
			t.Fatalf("%s has no tables", name)
		}
		for _, table := range tables {
			total := 0
			for _, column := range regexp.MustCompile(`<w:gridCol w:w="(-?\d+)"`).FindAllStringSubmatch(table, -1) {
				var width int
				if _, err := fmt.Sscan(column[1], &width); err != nil || width <= 0 {
					t.Errorf("%s: a column is %s wide", name, column[1])
				}
				total += width
			}
			if total != typeWidth && total != typeHeight {
				t.Errorf("%s: a table is %d wide", name, total)
			}
			rows := strings.Count(table, "<w:tr>")
			if strings.Count(table, "<w:cantSplit/>") != rows || !strings.Contains(table, "<w:tblHeader/>") {
				t.Errorf("%s: rows may be divided, or no heading is repeated", name)
			}
		}
	}
	fit := fitTable(everything().Sections[0].Blocks[4].(*document.Table), typeWidth)
	if need := textEms("2025-10-31") * float64(fit.size) / 2 * twipsPerPoint; float64(fit.widths[2]) < need+2*57 {
		t.Errorf("a day needs %v and has %d", need, fit.widths[2])
	}
}

func TestPagesFollowTheStandard(t *testing.T) {
	t.Parallel()
	_, parts := write(t, everything())
	text := parts["word/document.xml"]
	if n := strings.Count(text, "<w:sectPr>"); n != 3 {
		t.Errorf("%d sections: the text, the annexes on their side, and the last upright", n)
	}
	for _, want := range []string{`<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1587"`, `w:orient="landscape"`,
		`<w:docGrid w:type="lines" w:linePitch="579"/>`, `<w:footerReference w:type="even" r:id="rIdEven"/>`, `<w:pageBreakBefore/>`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	doc := everything()
	doc.Annexes = nil
	if _, parts := write(t, doc); !strings.Contains(parts["word/document.xml"], `w:tblpYSpec="bottom"`) {
		t.Error("the imprint does not stand at the foot of the page")
	}
	if lines := typeHeight / linePitch; lines != 22 {
		t.Errorf("a page has %d lines", lines)
	}
	if !strings.Contains(parts["word/settings.xml"], "<w:evenAndOddHeaders/>") {
		t.Error("odd and even pages are the same")
	}
	for part, side := range map[string]string{"odd": "right", "even": "left"} {
		if footer := parts["word/footer-"+part+".xml"]; !strings.Contains(footer, `<w:jc w:val="`+side+`"/>`) || !strings.Contains(footer, " PAGE ") {
			t.Errorf("the footer of %s pages: %s", part, footer)
		}
	}
	if !strings.Contains(parts["word/styles.xml"], `w:firstLineChars="200"`) {
		t.Error("paragraphs are not indented by two characters")
	}
}

func TestDrawingsHaveTheirOwnIdAndAText(t *testing.T) {
	t.Parallel()
	_, parts := write(t, everything())
	ids := map[string]bool{}
	found := regexp.MustCompile(`<wp:docPr id="(\d+)" name="[^"]+" descr="([^"]+)"/>`).FindAllStringSubmatch(parts["word/document.xml"], -1)
	for _, drawing := range found {
		if ids[drawing[1]] {
			t.Errorf("two drawings have the id %s", drawing[1])
		}
		ids[drawing[1]] = true
	}
	if len(found) != 4 || parts["word/charts/chart4.xml"] == "" || parts["word/charts/chart5.xml"] != "" {
		t.Errorf("%d drawings", len(found))
	}
	if chart := parts["word/charts/chart3.xml"]; !strings.Contains(chart, "<c:v>44.8</c:v>") || strings.Count(chart, "<c:v>83.3</c:v>") != 2 {
		t.Error("a chart lacks its values or its reference")
	}
}

// texts are the words of the main part, a line for each paragraph.
func texts(part string) string {
	var b strings.Builder
	for _, paragraph := range strings.Split(part, "</w:p>") {
		for _, run := range regexp.MustCompile(`<w:t xml:space="preserve">([^<]*)</w:t>`).FindAllStringSubmatch(paragraph, -1) {
			b.WriteString(run[1])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestEveryWordOfTheDocumentIsThere(t *testing.T) {
	t.Parallel()
	doc := example(t)
	_, parts := write(t, doc)
	written := texts(parts["word/document.xml"])
	var want []string
	blocks := func(list []document.Block) {
		for _, block := range list {
			switch block := block.(type) {
			case *document.Heading:
				want = append(want, block.Text)
			case *document.Paragraph:
				want = append(want, block.Text.String())
			case *document.List:
				for _, item := range block.Items {
					want = append(want, item.String())
				}
			case *document.Table:
				for _, row := range block.Rows {
					for _, cell := range row.Cells {
						want = append(want, cell.Text)
					}
				}
			case *document.Chart:
				want = append(want, block.Title, block.Alt)
			}
		}
	}
	for _, s := range doc.Sections {
		want = append(want, s.Heading)
		blocks(s.Blocks)
	}
	for _, a := range doc.Annexes {
		want = append(want, a.Label, a.Title)
		blocks(a.Blocks)
	}
	for _, words := range want {
		var escaped xmlText
		escaped.text(words)
		if !strings.Contains(written, escaped.String()) {
			t.Errorf("%q is not in the file", words)
		}
	}
	if len(want) < 300 {
		t.Errorf("only %d texts were looked for", len(want))
	}
}

func TestNamesNeverBecomeMarkup(t *testing.T) {
	t.Parallel()
	doc := everything()
	hostile := "<w:p/>&\"'\x00\x0b\ufffe\xff\t甲\n乙"
	doc.Title, doc.Head.Mark, doc.Annexes[0].Title = []string{hostile}, hostile, hostile
	doc.Sections[0].Blocks[4].(*document.Table).Rows[0].Cells[1].Text = hostile
	doc.Annexes[2].Blocks[0].(*document.Chart).Alt = hostile
	doc.Annexes[2].Blocks[0].(*document.Chart).Labels = []string{hostile, "乙"}
	var b bytes.Buffer
	dropped, err := Write(&b, doc)
	if err != nil || dropped == 0 {
		t.Errorf("%d characters were dropped, %v", dropped, err)
	}
	_, parts := write(t, doc)
	for part, text := range parts {
		if err := xml.Unmarshal([]byte(text), new(struct{})); err != nil {
			t.Errorf("%s: %v", part, err)
		}
		if strings.Contains(text, "<w:p/>&") {
			t.Errorf("%s: a name became an element", part)
		}
	}
	if !strings.Contains(parts["word/document.xml"], `&lt;w:p/&gt;&amp;&quot;' 甲 乙`) {
		t.Error("the name is not as it was")
	}
}

func TestTheSameDocumentGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	first, _ := write(t, everything())
	again, _ := write(t, everything())
	if !bytes.Equal(first, again) {
		t.Error("other bytes")
	}
}

func TestWhatCannotBeDrawnIsRefused(t *testing.T) {
	t.Parallel()
	for _, chart := range []*document.Chart{{Key: "x", Kind: "pie"}, {Key: "x", Kind: document.Lines, Labels: []string{"甲"}, Series: []document.Series{{Name: "乙"}}}} {
		doc := &document.Document{Sections: []document.Section{{Blocks: []document.Block{chart}}}}
		var refused *schemas.Error
		if _, err := Write(io.Discard, doc); !errors.As(err, &refused) || refused.Code != schemas.Internal {
			t.Errorf("%v", err)
		}
	}
	if _, err := Write(brokenWriter{}, everything()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func BenchmarkWrite(b *testing.B) {
	doc := everything()
	table := doc.Annexes[0].Blocks[0].(*document.Table)
	for len(table.Rows) < 1000 {
		table.Rows = append(table.Rows, table.Rows[len(table.Rows)-50])
	}
	size := 0
	for b.Loop() {
		var file bytes.Buffer
		if _, err := Write(&file, doc); err != nil {
			b.Fatal(err)
		}
		size = file.Len()
	}
	b.ReportMetric(float64(size), "file-bytes")
}
