package imports

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// rezip replaces parts of a workbook.
func rezip(t testing.TB, raw []byte, parts map[string]func(io.Writer)) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, f := range in.File {
		w, err := out.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if replace := parts[f.Name]; replace != nil {
			replace(w)
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func text(parts ...string) func(io.Writer) {
	return func(w io.Writer) {
		for _, part := range parts {
			_, _ = io.WriteString(w, part) // into memory
		}
	}
}

const sheetPath = "xl/worksheets/sheet1.xml"

const headCells = `<row r="1"><c r="A1" t="inlineStr"><is><t>编号</t></is></c><c r="B1" t="inlineStr"><is><t>名称</t></is></c><c r="C1" t="inlineStr"><is><t>总投资</t></is></c><c r="D1" t="inlineStr"><is><t>县区</t></is></c></row>`

const dataCells = `<row r="%d"><c r="A%d" t="inlineStr"><is><t>P-%d</t></is></c><c r="B%d" t="inlineStr"><is><t>甲</t></is></c><c r="C%d"><v>1</v></c><c r="D%d" t="inlineStr"><is><t>xiuwu</t></is></c></row>`

func dataRow(n int) string { return fmt.Sprintf(dataCells, n, n, n, n, n, n) }

func TestWorkbooksThatHarm(t *testing.T) {
	good := book(t, [][]any{{"编号"}})
	const begin, end = `<?xml version="1.0"?><worksheet><sheetData>`, `</sheetData></worksheet>`
	million := strings.Repeat("m", 1<<20)
	for _, c := range []struct {
		name  string
		raw   []byte
		rows  int
		fault string
	}{
		{"a zip bomb", rezip(t, good, map[string]func(io.Writer){sheetPath: text(begin, strings.Repeat(" ", 40<<20), end)}), 0, "unpacks to more than 250 times its size"},
		{"a bomb of shared texts", rezip(t, good, map[string]func(io.Writer){"xl/sharedStrings.xml": text("<sst>", strings.Repeat("<si/>", 12<<20), "</sst>")}), 0, "unpacks to more than"},
		{"one endless text", rezip(t, good, map[string]func(io.Writer){sheetPath: text(begin, headCells, `<row r="2"><c r="A2" t="inlineStr"><is><t>`, million, million, `</t></is></c></row>`, end)}), 0, "unpacks to more than"},
		{"an endless text that packs badly", rezip(t, good, map[string]func(io.Writer){sheetPath: text(begin, headCells, `<row r="2"><c r="A2" t="inlineStr"><is><t>`, noise(3<<20), `</t></is></c></row>`, end)}), 0, "what no spreadsheet program writes"},
		{"entities", rezip(t, good, map[string]func(io.Writer){sheetPath: text(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData/></worksheet>`)}), 0, "what no spreadsheet program writes"},
		{"a part cut short", rezip(t, good, map[string]func(io.Writer){sheetPath: text(begin, headCells, dataRow(2), `<row r="3"><c r="A3"><v>7</v></c>`)}), 1, "it breaks off; from row 3 on nothing was read"},
		{"rows out of order", rezip(t, good, map[string]func(io.Writer){sheetPath: text(begin, headCells, dataRow(5), dataRow(2), end)}), 1, "row 2 is out of order"},
		{"a file cut short", good[:len(good)/2], 0, "damaged or cut short"},
		{"shared texts cut short", rezip(t, good, map[string]func(io.Writer){"xl/sharedStrings.xml": text("<sst><si><t>编号</t>")}), 0, "cannot be read: EOF"},
		{"no workbook inside", rezip(t, good, map[string]func(io.Writer){"xl/workbook.xml": text("<other/>")}), 0, "the workbook has no sheet"},
		{"a text that is not there", rezip(t, good, map[string]func(io.Writer){sheetPath: text(begin, headCells, `<row r="2"><c r="A2" t="s"><v>99</v></c></row>`, end)}), 0, "refers to a text that the workbook does not have"},
		{"a cell beyond the last column", rezip(t, good, map[string]func(io.Writer){sheetPath: text(begin, headCells, `<row r="2"><c r="ZZZZZZZZZ2"><v>1</v></c></row>`, dataRow(3), end)}), 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rows, faults := readBook(t, sheetMapping, "台账-20250331.xlsx", c.raw)
			told := strings.Join(faults, "\n")
			if len(rows) != c.rows || c.fault == "" != (len(faults) == 0) || !strings.Contains(told, c.fault) {
				t.Errorf("%d rows, faults %s", len(rows), told)
			}
		})
	}
}

// noise is a text that hardly packs.
func noise(n int) string {
	b := make([]byte, n)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = 'A' + byte(state>>24)%26
	}
	return string(b)
}

// TestAMillionEmptyRows reads a sheet that was formatted to its very end: in
// little memory, and without looking at the empty rows.
func TestAMillionEmptyRows(t *testing.T) {
	raw := rezip(t, book(t, [][]any{{"编号"}}), map[string]func(io.Writer){sheetPath: func(w io.Writer) {
		text(`<?xml version="1.0"?><worksheet><sheetData>`, headCells, dataRow(2))(w)
		for row := 3; row <= maxSheetRows; row++ {
			fmt.Fprintf(w, `<row r="%d" spans="1:20" ht="15.75" customHeight="1"><c r="A%d" s="1"/></row>`, row, row)
		}
		text(`</sheetData></worksheet>`)(w)
	}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows, faults := readBook(t, sheetMapping, "台账-20250331.xlsx", raw)
	runtime.ReadMemStats(&after)
	if len(rows) != 1 || len(faults) > 0 {
		t.Errorf("%v %v", rows, faults)
	}
	// The file itself is copied once; a million rows that were parsed would
	// take hundreds of megabytes.
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
}

// TestManyRowsInLittleMemory: what the reader of a sheet holds does not grow
// with its rows.
func TestManyRowsInLittleMemory(t *testing.T) {
	const rows = 20_000
	raw := rezip(t, book(t, [][]any{{"编号"}}), map[string]func(io.Writer){sheetPath: func(w io.Writer) {
		text(`<?xml version="1.0"?><worksheet><sheetData>`, headCells)(w)
		for row := 2; row <= rows; row++ {
			_, _ = io.WriteString(w, dataRow(row))
		}
		text(`</sheetData></worksheet>`)(w)
	}})
	b, wrong := openWorkbook(raw)
	if wrong != nil {
		t.Fatal(wrong)
	}
	sheet, wrong := b.openSheet(b.sheets[0])
	if wrong != nil {
		t.Fatal(wrong)
	}
	defer sheet.close()
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var early uint64
	seen := 0
	for {
		_, wrong, more := sheet.next()
		if !more {
			break
		}
		if wrong != nil {
			t.Fatal(wrong)
		}
		if seen++; seen == 1000 {
			early = held()
		}
	}
	if late := held(); seen != rows || late > early+4<<20 {
		t.Errorf("%d rows; the heap grew from %d to %d bytes", seen, early, late)
	}
}
