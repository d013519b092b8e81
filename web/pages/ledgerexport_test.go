package pages

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

// TestExportsAreHarmless writes a name that a spreadsheet would take for a
// formula.
func TestExportsAreHarmless(t *testing.T) {
	t.Parallel()
	const evil = "=HYPERLINK(\"http://example.org\")"
	s := schemas.Standing{ProjectID: "P-1", Name: evil, Enterprise: "@SUM(1)", RegisteredOn: schemas.NewDate(2025, 1, 2), TotalInvestment: 123456}
	c := &ledgerContent{view: &view{snapshot: snapshotOf(s)}, filter: filter{Sort: "id"}}
	rows := c.find(&c.filter)
	var text bytes.Buffer
	if err := c.writeCSV(&text, rows); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text.String(), "\uFEFF"))).ReadAll()
	if err != nil || len(records) != 2 || records[1][1] != "'"+evil || records[1][2] != "'@SUM(1)" || records[1][8] != "2025-01-02" || records[1][9] != "1234.56" {
		t.Errorf("%q %v", records, err)
	}
	text.Reset()
	if err := c.writeXLSX(t.Context(), &text, rows, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(text.Bytes()), int64(text.Len()))
	if err != nil {
		t.Fatal(err)
	}
	file, err := archive.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := io.ReadAll(file)
	if err != nil || bytes.Contains(sheet, []byte("<f>")) || !bytes.Contains(sheet, []byte(`t="inlineStr"><is><t>=HYPERLINK`)) || !bytes.Contains(sheet, []byte("<v>1234.56</v>")) || !bytes.Contains(sheet, []byte("<v>45659</v>")) {
		t.Errorf("%v %.3000s", err, sheet)
	}
}

// TestSheetsHaveAnEnd refuses what no spreadsheet opens.
func TestSheetsHaveAnEnd(t *testing.T) {
	t.Parallel()
	var refused *schemas.Error
	if err := fitsSheet(1_048_576); !errors.As(err, &refused) || refused.Code != schemas.TooLarge || inChinese(refused).Message == refused.Message || !strings.Contains(inChinese(refused).Hint, "1,048,575") {
		t.Errorf("%+v", refused)
	}
	if err := fitsSheet(1_048_575); err != nil {
		t.Error(err)
	}
}

// chunks notes how what is written comes.
type chunks struct{ number, largest, all int }

func (c *chunks) Write(b []byte) (int, error) {
	c.number, c.largest, c.all = c.number+1, max(c.largest, len(b)), c.all+len(b)
	return len(b), nil
}

// TestExportsStream hands files out in small parts, in the order of the page.
func TestExportsStream(t *testing.T) {
	t.Parallel()
	s := snapshotOf(someStandings(rand.New(rand.NewPCG(5, 6)), 3000)...)
	c := &ledgerContent{view: &view{snapshot: s}, filter: filter{Sort: "rate", Descending: true}}
	rows := c.find(&c.filter)
	var book, text chunks
	var whole bytes.Buffer
	if err := errors.Join(c.writeXLSX(t.Context(), &book, rows, time.Unix(0, 0)), c.writeCSV(io.MultiWriter(&text, &whole), rows)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []chunks{book, text} {
		if file.all < 200_000 || file.largest > 64<<10 {
			t.Errorf("%+v", file)
		}
	}
	lines := strings.Split(strings.TrimSuffix(whole.String(), "\n"), "\n")[1:]
	if len(lines) != rows.count {
		t.Fatalf("%d lines of %d projects", len(lines), rows.count)
	}
	for i, row := range rows.page(0, len(lines)) {
		if !strings.HasPrefix(lines[i], s.ledger.Standings[row].ProjectID+",") {
			t.Fatalf("line %d is %s", i, lines[i])
		}
	}
	// Who went away gets nothing, and the same rows are the same file.
	gone, leave := context.WithCancel(t.Context())
	leave()
	var none chunks
	if err := c.writeXLSX(gone, &none, rows, time.Unix(0, 0)); err != nil || none.number != 0 {
		t.Errorf("%+v %v", none, err)
	}
	var first, second bytes.Buffer
	if err := errors.Join(c.writeXLSX(t.Context(), &first, rows, time.Unix(0, 0)), c.writeXLSX(t.Context(), &second, rows, time.Unix(0, 0))); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("two files of the same rows differ, %v", err)
	}
}

// TestDaysOfSheets are those that the library counts.
func TestDaysOfSheets(t *testing.T) {
	t.Parallel()
	for day, want := range map[schemas.Date]any{
		schemas.NewDate(2025, 1, 2): 45659, schemas.NewDate(1900, 3, 1): 61, schemas.NewDate(1900, 2, 28): schemas.NewDate(1900, 2, 28).Time(),
	} {
		if got := sheetDay(day); got != want {
			t.Errorf("%s is %v, want %v", day, got, want)
		}
	}
}
