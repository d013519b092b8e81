package imports

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"

	"milepost/schemas"
)

const officeMapping = `
source: /offices/xiuwu
sender: xiuwu
snapshot: {file_name: YYYYMMDD}
project: {column: id}
name: {column: name}
total_investment: {column: total}
`

func officeSheet(t testing.TB, extra string) *Mapping {
	t.Helper()
	m, err := ParseMapping([]byte(officeMapping+extra), schemas.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wide writes a text as UTF-16, little end first.
func wide(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}

func TestFilesAsOfficesWriteThem(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String("id,name,total\nA,修武电厂,1\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, extra, text string
		rows              int
		faults            string // row/line column: part of the message or hint
	}{
		{"byte order mark, CRLF, quoted line breaks", "", "\ufeffid,name,note,total\r\nA,\"甲\r\n项目\",\"x,y\n\",1\r\nB,乙,,2\r\n", 2, ""},
		{"semicolons", "file: {delimiter: ';'}", "id;name;total\nA;甲;1,5\n", 0, "2/2 total:not an amount"},
		{"tabs, titles above", "file: {delimiter: tab, header_row: 3}", "修武县台账\n(万元)\nid\tname\ttotal\nA\t甲\t1\n", 1, ""},
		{"GB18030", "file: {encoding: gb18030}", gb, 1, ""},
		{"GB18030 unsaid", "", gb, 0, "0/0 :file.encoding: gb18030"},
		{"UTF-16 as Excel's Unicode text", "file: {delimiter: tab}", "\xff\xfe" + wide("id\tname\ttotal\nA\t甲\t1\n"), 1, ""},
		{"UTF-16 cut short", "", "\xff\xfei\x00d", 0, "0/0 :begins as UTF-16"},
		{"UTF-16 without its mark", "", wide("id,name,total\n"), 0, "0/0 :zero bytes"},
		{"no GB18030", "file: {encoding: gb18030}", "id,name,total\nA,\xff\xff,1\n", 0, "0/0 :not GB18030"},
		{"a damaged workbook", "", "PK\x03\x04...", 0, "0/0 :damaged or cut short"},
		{"an old workbook", "", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 0, "0/0 :.xls"},
		{"a failed formula", "", "id,name,total\nA,甲,#N/A\n", 0, "2/2 total:the formula of this cell has failed"},
		{"full-width signs and units", "", "id,name,total\n\uff21-\uff11,甲,\"\uff11\uff0c\uff12\uff13\uff14\uff0e\uff15\"\nB,乙,1.2亿元\n", 2, ""},
		{"a cell that is too long", "", "id,name,total\nA," + strings.Repeat("长", 40000) + ",1\n", 0, "2/2 name:more than 32,767 characters"},
		{"empty", "", "", 0, "1/0 :no row of column names"},
		{"wrong delimiter", "", "id;name;total\nA;甲;1\n", 0, `1/1 id:set file.delimiter: ";"`},
		{"missing columns, all told", "", "id,nom\nA,甲\n", 0, "1/1 name:no such column|1/1 total:no such column"},
		{"a column twice", "", "id,name,total,name\nA,甲,1,乙\n", 0, "1/1 name:twice"},
		{"ragged", "", "id,name,total\nA,甲\nB,乙,1,,\nC,丙,1,x\nD,\"丁\n\",2\n", 2, "2/2 :2 cells and the header 3|4/4 :4 cells and the header 3"},
		{"a quote inside", "", "id,name,total\nA,5\" pipe,1\nB,乙,2\n", 1, "2/2 :a quote inside"},
		{"a quote that never closes", "", "id,name,total\nA,甲,1\nB,\"乙,2\nC,丙,3\n", 1, "3/3 :not closed"},
	} {
		r := &Reading{}
		r.Read(officeSheet(t, c.extra), "xiuwu-20250331.csv", strings.NewReader(c.text), 0, today)
		rows := 0
		for _, s := range r.Snapshots {
			rows += len(s.Rows)
			if s.Date != schemas.NewDate(2025, 3, 31) {
				t.Errorf("%s: snapshot of %s", c.name, s.Date)
			}
		}
		if rows != c.rows {
			t.Errorf("%s: %d rows, wanted %d", c.name, rows, c.rows)
		}
		var want []string
		if c.faults != "" {
			want = strings.Split(c.faults, "|")
		}
		if len(r.Faults) != len(want) {
			t.Errorf("%s: faults %+v", c.name, r.Faults)
			continue
		}
		for i, f := range r.Faults {
			place, words, _ := strings.Cut(want[i], ":")
			if got := fmt.Sprintf("%d/%d %s", f.Row, f.Line, f.Column); got != place || !strings.Contains(f.Message+" "+f.Hint, words) {
				t.Errorf("%s: %s: %s; %s, wanted %q", c.name, got, f.Message, f.Hint, want[i])
			}
		}
	}
}

func TestWhereTheDateOfAFileComesFrom(t *testing.T) {
	for _, c := range []struct {
		file string
		on   schemas.Date
		want string
	}{
		{"xiuwu-20250331.csv", 0, "2025-03-31"},
		{"xiuwu.csv", schemas.NewDate(2025, 4, 30), "2025-04-30"},
		{"xiuwu.csv", 0, "no date"},
		{"xiuwu-20270331.csv", 0, "future"},
	} {
		r := &Reading{}
		r.Read(officeSheet(t, ""), c.file, strings.NewReader("id,name,total\nA,甲,1\n"), c.on, today)
		got := fmt.Sprint(r.Faults)
		if len(r.Snapshots) == 1 {
			got = r.Snapshots[0].Date.String()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, wanted %s", c.file, got, c.want)
		}
	}
}

// FuzzCSV: whatever the file, nothing panics, each row is read or refused, and
// an import of what was published publishes nothing.
func FuzzCSV(f *testing.F) {
	f.Add([]byte(cityHeader + "2025-03-31,1,甲,10,山阳,领导甲,部门甲,5,2025-03-01,开工,2026-01-01,2026-02-01,3\n"))
	f.Add([]byte(cityHeader + "2025-03-31,1,甲,10,\"山阳、修武\",,,,,,,,\n2025-03-31,1,甲,11,,,,,,,,,\n2025-02-28,1,甲,11,修武,领导甲,部门甲,5,2025-02-01,前期,,2026-02-01,3\n"))
	f.Add([]byte("\ufeff" + cityHeader + "\"2025-03-31,1\r\n,,,,\"\",x\n"))
	f.Add([]byte("日期\n2025-03-31"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := newDesk(t)
		r := &Reading{}
		r.Read(d.mapping, "台账.csv", strings.NewReader(string(text)), 0, today)
		plan, err := MakePlan(d.mapping, schemas.DefaultRules(), r.Snapshots, d.all)
		if err != nil {
			t.Fatal(err)
		}
		if (r.Refused == 0) != (len(r.Faults) == 0) || (plan.Refused == 0) != (len(plan.Faults) == 0) {
			t.Fatalf("%d, %d refused and faults %v %v", r.Refused, plan.Refused, r.Faults, plan.Faults)
		}
		d.publish(plan)
		if len(d.published) != len(plan.Events) {
			t.Fatalf("%d events, %d of them with their own id", len(plan.Events), len(d.published))
		}
		again, err := MakePlan(d.mapping, schemas.DefaultRules(), r.Snapshots, d.all)
		if err != nil || len(again.Events) > 0 {
			t.Fatalf("again %v\n%s", err, brief(again))
		}
	})
}

func BenchmarkHundredThousandRows(b *testing.B) {
	d := newDesk(b)
	var text strings.Builder
	text.WriteString(cityHeader)
	for month := 1; month <= 10; month++ {
		for p := range 10_000 {
			fmt.Fprintf(&text, "2025-%02d-28,%d,项目%d,%d,山阳,领导%d,部门甲,500,,前期,2026-06-30,2026-%02d-30,%d\n", month, p, p, p, p%9, month/3+4, month*p)
		}
	}
	for b.Loop() {
		r := &Reading{}
		r.Read(d.mapping, "台账.csv", strings.NewReader(text.String()), 0, today)
		plan, err := MakePlan(d.mapping, schemas.DefaultRules(), r.Snapshots, d.all)
		if err != nil || len(plan.Events) < 100_000 {
			b.Fatal(err, len(plan.Events))
		}
	}
}
