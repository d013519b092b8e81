package imports

import (
	"fmt"
	"math"
	"strconv"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// templateBook is the workbook of a template while it is written.
type templateBook struct {
	*Template
	file   *excelize.File
	styles templateStyles
	ranges map[string]string // of the drop-down lists
}

type templateStyles struct {
	title, label, date, remark, group, required, optional, guideHead, guideText int
	cells                                                                       [amountColumn + 1]int // with borders
	columns                                                                     [amountColumn + 1]int // without
}

const (
	bodyFont  = "宋体"
	titleFont = "黑体"
	dark      = "1F4E79"
	middle    = "2E75B6"
	light     = "DDEBF7"
	input     = "FFF2CC"
	line      = "BFBFBF"
)

func newTemplateBook(t *Template) (*templateBook, error) {
	b := &templateBook{Template: t, file: excelize.NewFile(), ranges: map[string]string{}}
	if err := b.file.SetSheetName("Sheet1", ledgerSheet); err != nil {
		return nil, err
	}
	for _, name := range []string{issueSheet, guideSheet, listSheet} {
		if _, err := b.file.NewSheet(name); err != nil {
			return nil, err
		}
	}
	return b, b.makeStyles()
}

func (b *templateBook) makeStyles() error {
	border := []excelize.Border{{Type: "left", Color: line, Style: 1}, {Type: "right", Color: line, Style: 1}, {Type: "top", Color: line, Style: 1}, {Type: "bottom", Color: line, Style: 1}}
	font := func(size float64, bold bool, colour string) *excelize.Font {
		return &excelize.Font{Family: bodyFont, Size: size, Bold: bold, Color: colour}
	}
	fill := func(colour string) excelize.Fill {
		return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
	}
	centre := &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}
	day, amount, text := "yyyy-mm-dd", "#,##0.00", "@"
	s := &b.styles
	wanted := []struct {
		into  *int
		style excelize.Style
	}{
		{&s.title, excelize.Style{Font: &excelize.Font{Family: titleFont, Size: 20, Color: dark}, Alignment: &excelize.Alignment{Horizontal: "left", Vertical: "center"}}},
		{&s.label, excelize.Style{Font: font(11, true, dark), Alignment: &excelize.Alignment{Horizontal: "right", Vertical: "center"}}},
		{&s.date, excelize.Style{Font: font(11, true, "C00000"), Fill: fill(input), Border: border, Alignment: centre, CustomNumFmt: &day}},
		{&s.remark, excelize.Style{Font: font(10, false, "595959"), Alignment: &excelize.Alignment{Vertical: "center"}}},
		{&s.group, excelize.Style{Font: font(11, true, "FFFFFF"), Fill: fill(middle), Border: border, Alignment: centre}},
		{&s.required, excelize.Style{Font: font(11, true, "FFFFFF"), Fill: fill(dark), Border: border, Alignment: centre}},
		{&s.optional, excelize.Style{Font: font(11, true, dark), Fill: fill(light), Border: border, Alignment: centre}},
		{&s.guideHead, excelize.Style{Font: font(11, true, "FFFFFF"), Fill: fill(dark), Border: border, Alignment: centre}},
		{&s.guideText, excelize.Style{Font: font(11, false, "000000"), Border: border, Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}, CustomNumFmt: &text}},
	}
	for kind, base := range map[columnKind]excelize.Style{
		textColumn:   {CustomNumFmt: &text, Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "center"}},
		wideColumn:   {CustomNumFmt: &text, Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "center", WrapText: true}},
		dateColumn:   {CustomNumFmt: &day, Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center"}},
		amountColumn: {CustomNumFmt: &amount, Alignment: &excelize.Alignment{Horizontal: "right", Indent: 1, Vertical: "center"}},
	} {
		base.Font = font(11, false, "000000")
		bordered := base
		bordered.Border = border
		wanted = append(wanted, struct {
			into  *int
			style excelize.Style
		}{&s.columns[kind], base}, struct {
			into  *int
			style excelize.Style
		}{&s.cells[kind], bordered})
	}
	for _, w := range wanted {
		id, err := b.file.NewStyle(&w.style)
		if err != nil {
			return err
		}
		*w.into = id
	}
	return nil
}

// attempt runs steps until one fails.
func attempt(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func at(column, row int) string { return cellName(column-1, row) }

// text writes a word that is never a formula, whatever it begins with.
func (b *templateBook) text(sheet string, column, row int, word string, style int) error {
	cell := at(column, row)
	return attempt(
		func() error { return b.file.SetCellStr(sheet, cell, word) },
		func() error { return b.file.SetCellStyle(sheet, cell, cell, style) },
	)
}

// writeLists fills the hidden sheet of the drop-down lists.
func (b *templateBook) writeLists() error {
	for i, list := range b.lists() {
		if err := b.text(listSheet, i+1, 1, list.name, b.styles.guideHead); err != nil {
			return err
		}
		for k, word := range list.words {
			if err := b.text(listSheet, i+1, k+2, word, b.styles.columns[textColumn]); err != nil {
				return err
			}
		}
		if n := len(list.words); n > 0 {
			letters := columnLetters(i)
			b.ranges[list.name] = fmt.Sprintf("%s!$%s$2:$%s$%d", listSheet, letters, letters, n+1)
		}
	}
	return b.file.SetSheetVisible(listSheet, false)
}

func (b *templateBook) writeLedger() error {
	columns := b.columns()
	last := len(columns)
	f := b.file
	err := attempt(
		func() error { return b.formatColumns(ledgerSheet, columns, headRow) },
		func() error { return b.text(ledgerSheet, 1, titleRow, b.title(), b.styles.title) },
		func() error { return f.SetRowHeight(ledgerSheet, titleRow, 34) },
		func() error { return b.text(ledgerSheet, 1, dateRow, "数据截止日期", b.styles.label) },
		func() error {
			cell := at(2, dateRow)
			if err := f.SetCellStyle(ledgerSheet, cell, cell, b.styles.date); err != nil || b.On == 0 {
				return err
			}
			return f.SetCellValue(ledgerSheet, cell, serialOf(b.On))
		},
		func() error {
			return b.text(ledgerSheet, 3, dateRow, printed("每次报送前改为本期日期(累计投资按该日所在月份计)。深蓝列名为必填;单元格留空表示沿用上次报送的内容。各列要求见批注和“填表说明”。"), b.styles.remark)
		},
		func() error { return f.SetRowHeight(ledgerSheet, dateRow, 24) },
		func() error {
			return b.note(ledgerSheet, at(2, dateRow), "数据截止日期", "表内数据截至哪一天。每次报送前更改;不得晚于今天。")
		},
		func() error {
			return b.validate(ledgerSheet, at(2, dateRow), templateColumn{name: "数据截止日期", kind: dateColumn, closed: true})
		},
		func() error { return b.writeColumns(ledgerSheet, columns, headRow) },
		func() error { return f.SetRowHeight(ledgerSheet, groupRow, 22) },
	)
	if err != nil {
		return err
	}
	for first := 0; first < last; {
		end := first
		for end+1 < last && columns[end+1].group == columns[first].group {
			end++
		}
		for i := first; i <= end; i++ {
			if err := b.text(ledgerSheet, i+1, groupRow, "", b.styles.group); err != nil {
				return err
			}
		}
		if err := b.text(ledgerSheet, first+1, groupRow, columns[first].group, b.styles.group); err != nil {
			return err
		}
		if err := f.MergeCell(ledgerSheet, at(first+1, groupRow), at(end+1, groupRow)); err != nil {
			return err
		}
		first = end + 1
	}
	return b.arrange(ledgerSheet, last, headRow, 2)
}

func (b *templateBook) writeIssues() error {
	columns := b.issueColumns()
	return attempt(
		func() error { return b.formatColumns(issueSheet, columns, 1) },
		func() error { return b.writeColumns(issueSheet, columns, 1) },
		func() error { return b.arrange(issueSheet, len(columns), 1, 2) },
	)
}

// formatColumns gives columns their width and format. It comes before any cell,
// because the format of a column replaces those of its cells.
func (b *templateBook) formatColumns(sheet string, columns []templateColumn, row int) error {
	for i, c := range columns {
		letters := columnLetters(i)
		err := attempt(
			func() error { return b.file.SetColWidth(sheet, letters, letters, c.width) },
			func() error { return b.file.SetColStyle(sheet, letters, b.styles.columns[c.kind]) },
			func() error {
				return b.file.SetCellStyle(sheet, at(i+1, row+1), at(i+1, row+styledRows), b.styles.cells[c.kind])
			},
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeColumns writes names with their notes and checks.
func (b *templateBook) writeColumns(sheet string, columns []templateColumn, row int) error {
	for i, c := range columns {
		letters := columnLetters(i)
		style := b.styles.optional
		if c.required {
			style = b.styles.required
		}
		err := attempt(
			func() error { return b.text(sheet, i+1, row, c.name, style) },
			func() error { return b.note(sheet, at(i+1, row), c.name, b.noteOf(c)) },
			func() error {
				return b.validate(sheet, fmt.Sprintf("%s%d:%s%d", letters, row+1, letters, row+checkedRows), c)
			},
		)
		if err != nil {
			return err
		}
	}
	return b.file.SetRowHeight(sheet, row, 36)
}

func (b *templateBook) noteOf(c templateColumn) string {
	text := c.rule
	if c.required {
		text = "必填。" + text
	}
	if c.list != "" && !c.closed && b.ranges[c.list] != "" {
		text += "列表中没有的也可填写,导入时会提示。"
	}
	return text
}

func (b *templateBook) note(sheet, cell, head, text string) error {
	lines := 2 + len([]rune(text))/17
	return b.file.AddComment(sheet, excelize.Comment{
		Cell: cell, Author: "Milepost", Width: 250, Height: uint(24 + 17*lines),
		Paragraph: []excelize.RichTextRun{
			{Text: head + "\n", Font: &excelize.Font{Family: bodyFont, Size: 10, Bold: true}}, {Text: printed(text), Font: &excelize.Font{Family: bodyFont, Size: 10}},
		},
	})
}

// validate checks what is typed: a drop-down list, a date or an amount. A
// warning may be overruled where an import reads other forms too.
func (b *templateBook) validate(sheet, cells string, c templateColumn) error {
	v := excelize.NewDataValidation(true)
	v.Sqref = cells
	style := excelize.DataValidationErrorStyleWarning
	if c.closed {
		style = excelize.DataValidationErrorStyleStop
	}
	switch {
	case c.list != "":
		source := b.ranges[c.list]
		if source == "" {
			return nil
		}
		v.SetSqrefDropList(source)
		v.SetError(style, c.name, "列表中没有这一项,请从下拉列表中选择。")
	case c.kind == dateColumn:
		if err := v.SetRange(1, int(serialOf(schemas.LastDate)), excelize.DataValidationTypeDate, excelize.DataValidationOperatorBetween); err != nil {
			return err
		}
		v.SetError(style, c.name, "请写成日期,如 2026-03-05。")
	case c.kind == amountColumn:
		if err := v.SetRange(0, 1e10, excelize.DataValidationTypeDecimal, excelize.DataValidationOperatorBetween); err != nil {
			return err
		}
		v.SetError(style, c.name, "请写成不小于 0 的数,如 1234.56。")
	default:
		return nil
	}
	return b.file.AddDataValidation(sheet, v)
}

// arrange freezes the names, adds filters and sets up the printed page.
func (b *templateBook) arrange(sheet string, columns, row, frozen int) error {
	f := b.file
	return attempt(
		func() error {
			return f.SetPanes(sheet, &excelize.Panes{Freeze: true, XSplit: frozen, YSplit: row, TopLeftCell: at(frozen+1, row+1), ActivePane: "bottomRight"})
		},
		func() error { return f.AutoFilter(sheet, at(1, row)+":"+at(columns, row+checkedRows), nil) },
		func() error { return b.pageOf(sheet, paperA3) },
		func() error {
			return f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("%s!$%d:$%d", sheet, max(row-1, 1), row), Scope: sheet})
		},
	)
}

// The sizes of paper, as workbooks number them.
const (
	paperA3 = 8
	paperA4 = 9
)

// pageOf prints a sheet one page wide, on its side.
func (b *templateBook) pageOf(sheet string, paper int) error {
	side, wide, tall, fit, margin := "landscape", 1, 0, true, 0.4 // inches
	return attempt(
		func() error {
			return b.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Orientation: &side, Size: &paper, FitToWidth: &wide, FitToHeight: &tall})
		},
		func() error { return b.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}) },
		func() error {
			return b.file.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: &margin, Right: &margin, Top: &margin, Bottom: &margin})
		},
	)
}

func (b *templateBook) finish() error {
	f := b.file
	f.SetActiveSheet(0)
	return attempt(
		func() error {
			return f.SetDefinedName(&excelize.DefinedName{Name: templateName, RefersTo: templateMark{templateVersion, b.Sender}.text(), Comment: "Milepost " + strconv.Itoa(templateVersion)})
		},
		func() error {
			return f.SetDocProps(&excelize.DocProperties{Title: b.title(), Creator: "Milepost", Language: "zh-CN"})
		},
	)
}

// serialOf is the number by which spreadsheets count days from 1900.
func serialOf(day schemas.Date) float64 {
	return math.Max(float64(day-schemas.NewDate(1899, 12, 30)), 1)
}
