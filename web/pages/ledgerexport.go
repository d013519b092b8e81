package pages

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// exportColumn is a column of an exported ledger.
type exportColumn struct {
	name  string
	width float64
	value func(*schemas.LedgerRow) any
}

// exportColumns are those of the flat ledger, in words, with the seven items
// side by side.
func exportColumns(rules *schemas.Rules) []exportColumn {
	var columns []exportColumn
	for _, c := range schemas.LedgerColumns() {
		switch c.Name {
		case "district":
			c.Value = func(r *schemas.LedgerRow) any { return rules.DistrictName(r.District) }
		case "stage":
			c.Value = func(r *schemas.LedgerRow) any { return stageNames[r.Stage] }
		case "status":
			c.Value = func(r *schemas.LedgerRow) any { return statusNames[r.Status] }
		case "light":
			c.Value = func(r *schemas.LedgerRow) any { return lightNames[r.Light] }
		case "method":
			for i, item := range rules.Method {
				columns = append(columns, exportColumn{item.Name, 13, func(r *schemas.LedgerRow) any { return verdictWord(r, i) }})
			}
			continue
		}
		width := 14.0
		if c.Name == "name" || c.Name == "enterprise" {
			width = 30
		}
		columns = append(columns, exportColumn{c.Chinese, width, c.Value})
	}
	return columns
}

func verdictWord(r *schemas.LedgerRow, i int) string {
	if i >= len(r.Method.Items) {
		return ""
	}
	return [...]string{schemas.NotApplicable: "不适用", schemas.Unsatisfied: "缺", schemas.Satisfied: "有"}[r.Method.Items[i].Verdict]
}

// exportLedger answers GET /ledger/export with the rows that the filters find,
// as a workbook or as CSV.
func (p *Pages) exportLedger(w http.ResponseWriter, r *http.Request) error {
	v, err := p.view(r)
	if err != nil {
		return err
	}
	c := &ledgerContent{view: v, filter: readFilter(r)}
	format := r.FormValue("format")
	media, known := map[string]string{"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}[format]
	if !known {
		return &schemas.Error{Code: schemas.Invalid, Field: "format", Value: schemas.Shorten(format), Message: "no such format", Hint: "xlsx or csv"}
	}
	rows := c.find(&c.filter)
	file := &download{ResponseWriter: w, media: media, name: fmt.Sprintf("台账-%s.%s", v.asOf, format)}
	// A file that nobody fetches would hold its ledger.
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(downloadTime)) // a writer without deadlines is written without
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	if format == "csv" {
		return c.writeCSV(file, rows)
	}
	if err := fitsSheet(rows.count); err != nil {
		return err
	}
	select {
	case p.workbooks <- struct{}{}:
		defer func() { <-p.workbooks }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	return c.writeXLSX(r.Context(), file, rows, p.Now())
}

// Bounds of exports. A workbook takes a minute and a temporary file of two
// gigabytes for each million projects.
const (
	downloadTime    = 30 * time.Minute
	workbooksAtOnce = 2
)

// download says that it is a file when its first byte comes: what failed before
// is told as a page.
type download struct {
	http.ResponseWriter
	media, name string
	begun       bool
}

// Write writes a part of the file.
func (d *download) Write(b []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.Header().Set("Content-Type", d.media)
		d.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.name}))
	}
	return d.ResponseWriter.Write(b)
}

// writeCSV writes with a byte-order mark, so that spreadsheets read UTF-8.
func (c *ledgerContent) writeCSV(w io.Writer, rows *found) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return nil // a browser that went away has nobody to tell
	}
	out := csv.NewWriter(w)
	columns := exportColumns(c.rules)
	record := make([]string, len(columns))
	for i, column := range columns {
		record[i] = column.name
	}
	_ = out.Write(record)
	for at := range rows.all() {
		row := c.snapshot.ledger.Standings[at].Row(c.rules, c.asOf)
		for i, column := range columns {
			record[i] = csvText(column.value(&row))
		}
		if out.Write(record) != nil {
			return nil
		}
	}
	out.Flush()
	return nil
}

// plainCell gives a value as a cell has it: text, a number, a day or nothing.
func plainCell(value any) any {
	switch v := value.(type) {
	case *string:
		if v == nil {
			return nil
		}
		return *v
	case []string:
		return strings.Join(v, "、")
	case bool:
		return map[bool]string{true: "是", false: "否"}[v]
	case schemas.Date:
		if v == 0 {
			return nil
		}
		return v
	case *schemas.Money:
		if v == nil {
			return nil
		}
		return *v
	case *schemas.Figure:
		if v == nil {
			return nil
		}
		return *v
	case *int:
		if v == nil {
			return nil
		}
		return *v
	}
	return value
}

// csvText keeps a spreadsheet from taking text for a formula.
func csvText(value any) string {
	switch v := plainCell(value).(type) {
	case nil:
		return ""
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			return "'" + v
		}
		return v
	case schemas.Figure:
		return (&v).String()
	default:
		return fmt.Sprint(v)
	}
}

// maxSheetRows is how many projects a sheet holds beside its head.
const maxSheetRows = excelize.TotalRows - 1

// fitsSheet refuses what no spreadsheet opens, before anything is sent. A second
// sheet would hold the rest, but orders, filters and sums would stop at the end
// of the first without saying so.
func fitsSheet(count int) error {
	if count <= maxSheetRows {
		return nil
	}
	return &schemas.Error{Code: schemas.TooLarge, Field: "format", Value: fmt.Sprint(count), Message: "more projects than a sheet holds", Hint: fmt.Sprintf("narrow the filters, or take csv; a sheet holds %d", maxSheetRows)}
}

// writeXLSX writes the rows with real numbers and days. Text is text, whatever
// it begins with. Rows beyond some thousands wait in a temporary file, and are
// compressed on their way out.
func (c *ledgerContent) writeXLSX(ctx context.Context, w io.Writer, rows *found, now time.Time) error {
	const sheet, about = "台账", "说明"
	book := excelize.NewFile()
	defer func() { _ = book.Close() }()
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	styles, err := sheetStyles(book)
	if err != nil {
		return err
	}
	out, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	columns := exportColumns(c.rules)
	for i, column := range columns {
		if err := out.SetColWidth(i+1, i+1, column.width); err != nil {
			return err
		}
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, XSplit: 2, YSplit: 1, TopLeftCell: "C2", ActivePane: "bottomRight"}); err != nil {
		return err
	}
	cells := make([]any, len(columns))
	for i, column := range columns {
		cells[i] = excelize.Cell{StyleID: styles["head"], Value: column.name}
	}
	if err := out.SetRow("A1", cells, excelize.RowOpts{Height: 32}); err != nil {
		return err
	}
	line := 1
	for at := range rows.all() {
		if line%1000 == 0 && ctx.Err() != nil {
			return nil // nobody waits for it any more
		}
		row := c.snapshot.ledger.Standings[at].Row(c.rules, c.asOf)
		for i, column := range columns {
			cells[i] = sheetCell(column.value(&row), styles)
		}
		line++
		if err := out.SetRow(fmt.Sprintf("A%d", line), cells); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if _, err := book.NewSheet(about); err != nil {
		return err
	}
	for i, line := range [][2]string{
		{"截至日期", c.asOf.String()}, {"已知到流序号", c.KnownSeq()}, {"项目数", fmt.Sprint(rows.count)}, {"筛选", c.said()}, {"导出时间", moment(now)}, {"单位", "金额为万元，比率为 %"},
	} {
		if err := book.SetSheetRow(about, fmt.Sprintf("A%d", i+1), &[]any{line[0], line[1]}); err != nil {
			return err
		}
	}
	if err := book.SetColWidth(about, "A", "B", 24); err != nil {
		return err
	}
	// Write hands out a buffer with the whole file; what is zipped goes past it.
	book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(w) })
	_ = book.Write(io.Discard) // a browser that went away has nobody to tell
	return nil
}

// sheetStyles are the styles of a sheet's cells by name; the same each time, so
// that the same rows are the same file.
func sheetStyles(book *excelize.File) (map[string]int, error) {
	styles := map[string]int{}
	for _, one := range []struct {
		name  string
		style excelize.Style
	}{
		{"head", excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E6EEF8"}}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "center"}}},
		{"day", excelize.Style{CustomNumFmt: pointer("yyyy-mm-dd")}},
		{"money", excelize.Style{CustomNumFmt: pointer("#,##0.##")}},
		{"rate", excelize.Style{CustomNumFmt: pointer("0.0")}},
	} {
		id, err := book.NewStyle(&one.style)
		if err != nil {
			return nil, err
		}
		styles[one.name] = id
	}
	return styles, nil
}

func pointer[T any](value T) *T { return &value }

func sheetCell(value any, styles map[string]int) any {
	switch v := plainCell(value).(type) {
	case schemas.Date:
		return excelize.Cell{StyleID: styles["day"], Value: sheetDay(v)}
	case schemas.Money:
		return excelize.Cell{StyleID: styles["money"], Value: float64(v) / 100}
	case schemas.Figure:
		return excelize.Cell{StyleID: styles["rate"], Value: (&v).Float()}
	default:
		return v
	}
}

// sheetDay gives a day as spreadsheets count it. Those before March of 1900 are
// counted by the library, which knows of the day that never was.
func sheetDay(d schemas.Date) any {
	if d < schemas.NewDate(1900, 3, 1) {
		return d.Time()
	}
	return int(d - schemas.NewDate(1899, 12, 30))
}

// said says the filters in words.
func (c *ledgerContent) said() string {
	var words []string
	for _, one := range [][2]string{{"名称", c.Q}, {"县(市)区", c.rules.DistrictName(c.filter.District)}, {"市级领导", c.filter.Lead}, {"市直部门", c.filter.Department}, {"亮灯", lightNames[schemas.Light(c.filter.Light)]}, {"进展", statusNames[schemas.Status(c.Status)]}, {"阶段", stageNames[schemas.Stage(c.Stage)]}, {"标签", c.Tag}} {
		if one[1] != "" {
			words = append(words, one[0]+"："+one[1])
		}
	}
	if c.filter.Cancelled {
		words = append(words, "包括已取消的项目")
	}
	if len(words) == 0 {
		return "全部"
	}
	return strings.Join(words, "，")
}
