package xlsx

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// rowsInSheet is how many rows a sheet can have; longer lists go on in further
// sheets.
const rowsInSheet = excelize.TotalRows

// workbook is a workbook as it is written, sheet by sheet.
type workbook struct {
	file   *excelize.File
	styles *styles
	// title and facts stand above every sheet.
	title, facts string
	// names are the sheets so far, in lower case: they must differ in more than
	// case.
	names map[string]bool
	// rows is rowsInSheet, or less in a test.
	rows int
}

func newWorkbook(title, facts string, day schemas.Date) (*workbook, error) {
	f := excelize.NewFile()
	f.SetZipWriter(func(w io.Writer) excelize.ZipWriter { return newPacker(w) })
	b := &workbook{file: f, title: title, facts: facts, names: map[string]bool{}, rows: rowsInSheet}
	// The properties follow the model, not the clock.
	stamp := day.Start().UTC().Format(time.RFC3339)
	err := f.SetDocProps(&excelize.DocProperties{Title: title, Description: facts, Creator: "Milepost", LastModifiedBy: "Milepost", Created: stamp, Modified: stamp, Language: "zh-CN"})
	if err == nil {
		err = f.SetAppProps(&excelize.AppProperties{Application: "Milepost"})
	}
	if err == nil {
		err = f.SetDefaultFont(textFont)
	}
	if err == nil {
		b.styles, err = newStyles(f)
	}
	if err != nil {
		_ = f.Close() // nothing is written yet
		return nil, err
	}
	return b, nil
}

// sheet is a sheet with tables one under another. One table alone has filters, a
// frozen heading, and is repeated on every printed page.
type sheet struct {
	name   string
	notes  []string
	blocks []block
	// frozen is the number of columns at the left that always stay in sight.
	frozen int
	// spread prints on so many pages of A3 side by side; 0 is a page of A4.
	spread int
	// poster prints upright on one page.
	poster bool
	// charts are put below the tables; they may refer to their rows.
	charts func(at []place) []chart
}

type block struct {
	title string
	table table
}

// place says where a table came to stand: its sheet, the row of its headings,
// and the first and last row of its list.
type place struct {
	sheet                string
	heading, first, last int
	columns              []column
}

type chart struct {
	main  *excelize.Chart
	combo []*excelize.Chart
}

// chartRow is the height of a row below a chart: the height that excelize
// places charts by, 18 pixels.
const chartRow = 13.5

// rows is how many such rows the chart covers, with a gap.
func (c *chart) rows() int {
	const rowPixels = 18
	return int(c.main.Dimension.Height+rowPixels-1)/rowPixels + 1
}

// sheetName makes a name that Excel accepts and that no other sheet has.
func (b *workbook) sheetName(wanted string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`:\/?*[]'`, r) {
			return '_'
		}
		return r
	}, wanted)
	const longest = 31
	name := cut(clean, longest)
	for n := 2; b.names[strings.ToLower(name)]; n++ {
		suffix := fmt.Sprintf("（%d）", n)
		name = cut(clean, longest-len([]rune(suffix))) + suffix
	}
	if name == "" {
		name = "_"
	}
	b.names[strings.ToLower(name)] = true
	return name
}

// cut keeps the first n UTF-16 units, by which Excel counts.
func cut(s string, n int) string {
	for i, r := range s {
		n--
		if r > 0xFFFF {
			n--
		}
		if n < 0 {
			return s[:i]
		}
	}
	return s
}

// headRows are the rows above the tables: title, facts, notes.
func (s *sheet) headRows() int { return 2 + len(s.notes) }

// add writes the sheet and says where its tables stand.
func (b *workbook) add(s *sheet) ([]place, error) {
	name := b.sheetName(s.name)
	if err := b.newSheet(name); err != nil {
		return nil, err
	}
	places, row := make([]place, len(s.blocks)), s.headRows()
	for i := range s.blocks {
		t := &s.blocks[i].table
		if s.blocks[i].title != "" {
			row++
		}
		if t.sum != nil {
			row++
		}
		row++
		places[i] = place{sheet: name, heading: row, first: row + 1, last: row + max(t.size, 1), columns: t.columns}
		row = places[i].last
		if len(s.blocks) > 1 {
			row++
		}
	}
	if err := b.prepare(s, name, places); err != nil {
		return nil, fmt.Errorf("sheet %s: %w", name, err)
	}
	if err := b.write(s, name, places); err != nil {
		return nil, fmt.Errorf("sheet %s: %w", name, err)
	}
	return places, nil
}

func (b *workbook) newSheet(name string) error {
	if len(b.names) == 1 {
		return b.file.SetSheetName("Sheet1", name)
	}
	_, err := b.file.NewSheet(name)
	return err
}

// prepare sets everything but the cells: what is set after the cells are
// written is lost without a word, and what a filter sets must come before the
// properties of the sheet.
func (b *workbook) prepare(s *sheet, name string, places []place) error {
	if len(places) == 1 && places[0].last > places[0].heading {
		p := places[0]
		if err := b.file.AutoFilter(name, area(1, p.heading, len(p.columns), p.last), nil); err != nil {
			return err
		}
		titles := fmt.Sprintf("'%s'!$%d:$%d", name, p.heading, p.heading)
		if s.frozen > 0 {
			titles = fmt.Sprintf("'%s'!$A:$%s,", name, letters(s.frozen)) + titles
		}
		if err := b.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: titles, Scope: name}); err != nil {
			return err
		}
	}
	// Paper sizes and the number of pages are those of the format: A4 is 9, A3 is
	// 8, and a height of 0 pages is as many as it takes.
	yes, orientation, paper, across, down, order := true, "landscape", 9, 1, 0, "overThenDown"
	if s.spread > 0 {
		paper, across = 8, s.spread
	}
	if s.poster {
		orientation, down = "portrait", 1
	}
	if err := b.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &yes}); err != nil {
		return err
	}
	if err := b.file.SetPageLayout(name, &excelize.PageLayoutOptions{Size: &paper, Orientation: &orientation, FitToWidth: &across, FitToHeight: &down, PageOrder: &order}); err != nil {
		return err
	}
	side, edge, inner := 0.5, 0.6, 0.3
	if err := b.file.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{Left: &side, Right: &side, Top: &edge, Bottom: &edge, Header: &inner, Footer: &inner, Horizontally: &yes}); err != nil {
		return err
	}
	if err := b.file.SetHeaderFooter(name, &excelize.HeaderFooterOptions{OddFooter: "&L&A&C第 &P 页，共 &N 页"}); err != nil {
		return err
	}
	for _, p := range places {
		if err := b.conditions(p); err != nil {
			return err
		}
	}
	if s.charts == nil {
		return nil
	}
	return b.draw(name, places[len(places)-1].last+2, s.charts(places))
}

// draw lays the charts one under another.
func (b *workbook) draw(name string, row int, charts []chart) error {
	for _, c := range charts {
		if err := b.file.AddChart(name, fmt.Sprintf("A%d", row), c.main, c.combo...); err != nil {
			return err
		}
		row += c.rows()
	}
	return nil
}

// conditions colour the lights, and what is late or does not add up.
func (b *workbook) conditions(p place) error {
	for i, c := range p.columns {
		cells := area(i+1, p.first, i+1, p.last)
		var rules []excelize.ConditionalFormatOptions
		switch c.kind {
		case light:
			for _, name := range []string{"红", "黄", "绿", "灰"} {
				style := b.styles.lights[name]
				rules = append(rules, excelize.ConditionalFormatOptions{Type: "cell", Criteria: "==", Value: `"` + name + `"`, Format: &style})
			}
		case days:
			first := fmt.Sprintf("%s%d", letters(i+1), p.first)
			rules = append(rules, excelize.ConditionalFormatOptions{Type: "formula", Criteria: fmt.Sprintf("AND(ISNUMBER(%s),%s>0)", first, first), Format: &b.styles.alarm})
		}
		if len(rules) == 0 {
			continue
		}
		if err := b.file.SetConditionalFormat(p.sheet, cells, rules); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the workbook. The first sheet is the active one as it is; to
// say so would read every sheet again.
func (b *workbook) finish(w io.Writer) error { return b.file.Write(w) }

func letters(column int) string {
	name, err := excelize.ColumnNumberToName(column)
	if err != nil {
		return "XFD" // beyond the last column
	}
	return name
}

func area(column, row, lastColumn, lastRow int) string {
	return fmt.Sprintf("%s%d:%s%d", letters(column), row, letters(lastColumn), lastRow)
}

// cells refers to a column of a place from another sheet, for formulas and
// charts.
func (p place) cells(column int) string {
	return fmt.Sprintf("'%s'!$%s$%d:$%s$%d", p.sheet, letters(column), p.first, letters(column), p.last)
}

// head refers to the heading of a column.
func (p place) head(column int) string {
	return fmt.Sprintf("'%s'!$%s$%d", p.sheet, letters(column), p.heading)
}
