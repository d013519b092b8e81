package pages

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
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
	if err := c.writeXLSX(&text, rows, time.Unix(0, 0)); err != nil {
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
