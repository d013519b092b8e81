package schemas

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDatesAreRealDays(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"2024-02-29", true}, {"2025-02-28", true}, {"2025-02-29", false}, {"2000-02-29", true}, {"1900-02-29", false}, {"2100-02-29", false},
		{"1900-01-01", true}, {"1899-12-31", false}, {"2299-12-31", true}, {"2300-01-01", false}, {"2025-04-31", false}, {"2025-00-10", false},
		{"2025-13-01", false}, {"2025-1-01", false}, {"2025-01-1", false}, {"2025/01/01", false}, {"20250101", false}, {"", false}, {" 2025-01-01", false}, {"２025-01-01", false},
	} {
		d, err := ParseDate(c.text)
		if (err == nil) != c.ok || c.ok && d.String() != c.text || err != nil && CodeOf(err) != Invalid {
			t.Errorf("ParseDate(%q) = %v, %v", c.text, d, err)
		}
	}
}

func TestEveryDayIsTheCalendars(t *testing.T) {
	day := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	for d := FirstDate; d <= LastDate; d++ {
		if d.Year() != day.Year() || d.Month() != NewMonth(day.Year(), day.Month()) || d.Day() != day.Day() || d.UnixDays() != int32(day.Unix()/86400) || DateFromUnixDays(d.UnixDays()) != d {
			t.Fatalf("day %d is %s, the calendar says %s", d, d, day.Format(time.DateOnly))
		}
		next := day.AddDate(0, 0, 1)
		if d.IsMonthEnd() != (next.Month() != day.Month()) {
			t.Fatalf("%s: IsMonthEnd %v", d, d.IsMonthEnd())
		}
		day = next
	}
	if day.Year() != 2300 {
		t.Errorf("LastDate is followed by %s", day)
	}
}

func TestDateOfIsTheDayInShanghai(t *testing.T) {
	for text, want := range map[string]string{
		"2025-06-30T15:59:59Z": "2025-06-30", "2025-06-30T16:00:00Z": "2025-07-01", "2025-07-01T07:59:59+08:00": "2025-07-01",
		"2024-12-31T23:59:59-12:00": "2025-01-01", "1950-06-30T16:00:00Z": "1950-07-01", "1988-06-30T15:30:00Z": "1988-06-30",
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		d := DateOf(at)
		if d.String() != want {
			t.Errorf("DateOf(%s) = %s, want %s", text, d, want)
		}
		if d.Start().After(at) || !(d + 1).Start().After(at) {
			t.Errorf("%s does not lie in %s", text, d)
		}
	}
}

func TestMonths(t *testing.T) {
	for m := NewMonth(1900, 1); m <= NewMonth(2299, 12); m++ {
		parsed, err := ParseMonth(m.String())
		if err != nil || parsed != m || m.First().Month() != m || m.Last().Month() != m || m.Last()+1 != (m+1).First() || !m.Last().IsMonthEnd() || m.Day(10).Day() != 10 {
			t.Fatalf("%s: %v %v, from %s to %s", m, parsed, err, m.First(), m.Last())
		}
	}
	for _, text := range []string{"", "2025", "2025-1", "2025-00", "2025-13", "1899-12", "2300-01", "2025-012", "2025/01"} {
		if m, err := ParseMonth(text); err == nil {
			t.Errorf("ParseMonth(%q) = %s", text, m)
		}
	}
}

func TestDatesAndMonthsInJSON(t *testing.T) {
	type both struct {
		D Date
		M Month
	}
	for text, want := range map[string]both{
		`{"D":"2025-06-03","M":"2025-06"}`: {NewDate(2025, 6, 3), NewMonth(2025, 6)},
		`{"D":null,"M":null}`:              {},
	} {
		var got both
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		back, err := json.Marshal(want)
		if err != nil || string(back) != text {
			t.Errorf("%s written as %s, %v", text, back, err)
		}
	}
	for _, text := range []string{`{"D":"2025-02-30"}`, `{"D":7}`, `{"M":"2025-13"}`, `{"M":[]}`} {
		if err := json.Unmarshal([]byte(text), new(both)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestPeriods(t *testing.T) {
	for text, days := range map[string][2]string{
		"2026-W01": {"2025-12-29", "2026-01-04"}, "2020-W53": {"2020-12-28", "2021-01-03"}, "2021-W01": {"2021-01-04", "2021-01-10"},
		"2026-W53": {"2026-12-28", "2027-01-03"}, "2025-W52": {"2025-12-22", "2025-12-28"}, "2024-02": {"2024-02-01", "2024-02-29"},
		"2026-Q4": {"2026-10-01", "2026-12-31"}, "2026-H1": {"2026-01-01", "2026-06-30"}, "2026-H2": {"2026-07-01", "2026-12-31"}, "2026": {"2026-01-01", "2026-12-31"},
	} {
		p, err := ParsePeriod(text)
		if err != nil || p.Start.String() != days[0] || p.End.String() != days[1] || p.String() != text {
			t.Errorf("%s: %s to %s as %s, %v", text, p.Start, p.End, p, err)
		}
		if strconv.Itoa(p.IssueYear()) != text[:4] {
			t.Errorf("%s is numbered in %d", text, p.IssueYear())
		}
	}
	for _, text := range []string{
		"", "2025-W53", "2025-W00", "2026-W54", "2025-W1", "2025-W001", "2025-Q0", "2025-Q5", "2025-Q01", "2025-H3", "2025-13", "2025-00", "2025-1", "25-01", "2025-", "2025-X1", "2025-01-01", "1899", "2299", "2025-w01",
	} {
		if p, err := ParsePeriod(text); err == nil {
			t.Errorf("ParsePeriod(%q) = %s", text, p)
		}
	}
}

// Periods of one kind cover every day once, and read back what they write.
func TestPeriodsCoverTheCalendar(t *testing.T) {
	for _, kind := range []PeriodKind{Week, MonthOf, Quarter, Half, Year} {
		p := PeriodContaining(kind, NewDate(1905, 1, 1))
		for p.End < NewDate(2290, 1, 1) {
			parsed, err := ParsePeriod(p.String())
			next := p.Next()
			if err != nil || parsed != p || next.Start != p.End+1 || next.Previous() != p || !p.Contains(p.Start) || !p.Contains(p.End) || p.Contains(next.Start) || p.Contains(0) {
				t.Fatalf("%s %s: parsed %v %v, next %s", kind, p, parsed, err, next)
			}
			for _, d := range []Date{p.Start, p.Start + (p.End-p.Start)/2, p.End} {
				if PeriodContaining(kind, d) != p {
					t.Fatalf("%s lies in %s, not in %s", d, PeriodContaining(kind, d), p)
				}
			}
			p = next
		}
	}
}

// numberText draws the spelling of a JSON number.
func numberText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign") + rapid.StringMatching(`0|[1-9][0-9]{0,14}`).Draw(t, "whole")
		if rapid.Bool().Draw(t, "point") {
			text += "." + rapid.StringMatching(`[0-9]{0,3}0{0,6}[0-9]?`).Filter(func(s string) bool { return s != "" }).Draw(t, "fraction")
		}
		if rapid.Bool().Draw(t, "exponent") {
			text += rapid.StringMatching(`[eE][+-]?[0-2]?[0-9]`).Draw(t, "e")
		}
		return text
	})
}

func TestMoneyIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := numberText().Draw(t, "number")
		exact, _ := new(big.Rat).SetString(text)
		hundred := new(big.Rat).Mul(exact, big.NewRat(100, 1))
		units, ok := parseHundredths(text)
		fits := hundred.IsInt() && new(big.Int).Abs(hundred.Num()).Cmp(big.NewInt(1e18)) < 0
		if ok != fits || ok && hundred.Cmp(new(big.Rat).SetInt64(units)) != 0 {
			t.Fatalf("parseHundredths(%s) = %d, %v; exactly %s", text, units, ok, hundred)
		}
		short, shortOK := shortHundredths([]byte(text))
		if shortOK && (!ok || short != units) {
			t.Fatalf("shortHundredths(%s) = %d, want %d, %v", text, short, units, ok)
		}
		amount, err := ParseMoney(text)
		if allowed := fits && exact.Sign() >= 0 && hundred.Cmp(big.NewRat(int64(MaxMoney), 1)) <= 0; (err == nil) != allowed {
			t.Fatalf("ParseMoney(%s) = %s, %v", text, amount, err)
		}
		if err != nil {
			return
		}
		again, err := ParseMoney(amount.String())
		if err != nil || again != amount {
			t.Fatalf("%s is written %s and read %s, %v", text, amount, again, err)
		}
	})
}

func TestMoneySpellings(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-0.00": "0", "0e99": "0", "12000": "12000", "12000.00": "12000", "0.5": "0.5", "0.50": "0.5", "12.34": "12.34", "1.5e2": "150", "100E-2": "1", "1e-2": "0.01", "10000000000": "10000000000",
	} {
		m, err := ParseMoney(text)
		if err != nil || m.String() != want {
			t.Errorf("ParseMoney(%s) = %s, %v; want %s", text, m, err, want)
		}
	}
	for _, text := range []string{"", "-", "-1", "0.001", "1e-3", "10000000000.01", "1e11", "1e99999999999999999999", "1.2.3", "abc", "1e", "NaN"} {
		if m, err := ParseMoney(text); err == nil {
			t.Errorf("ParseMoney(%q) = %s", text, m)
		}
	}
}

// roundHalfAway rounds by another way than Rounded: it looks at the digits.
func roundHalfAway(value *big.Rat, decimals int) string {
	sign := ""
	if value.Sign() < 0 {
		sign = "-"
	}
	digits := new(big.Rat).Abs(value).FloatString(decimals + 40)
	kept, rest := digits[:len(digits)-40], digits[len(digits)-40:]
	units, _ := new(big.Int).SetString(strings.Replace(kept, ".", "", 1), 10)
	if rest[0] >= '5' {
		units.Add(units, big.NewInt(1))
	}
	if units.Sign() == 0 {
		sign = ""
	}
	text := units.String()
	for len(text) <= decimals {
		text = "0" + text
	}
	if decimals == 0 {
		return sign + text
	}
	return sign + text[:len(text)-decimals] + "." + text[len(text)-decimals:]
}

func TestFiguresRoundHalfAwayFromZero(t *testing.T) {
	for _, den := range []int64{16, 32, 3, 7, 8, 1000, 2000} {
		for num := int64(-700); num <= 700; num++ {
			for _, decimals := range []int{0, 1, 2, 4} {
				value := big.NewRat(num, den)
				if got, want := Rounded(value, decimals).String(), roundHalfAway(value, decimals); got != want {
					t.Fatalf("%s to %d decimals is %s, want %s", value, decimals, got, want)
				}
			}
			if got, want := Percent(num, den).String(), roundHalfAway(new(big.Rat).Mul(big.NewRat(num, den), big.NewRat(100, 1)), 1); got != want {
				t.Fatalf("Percent(%d, %d) = %s, want %s", num, den, got, want)
			}
		}
	}
	for _, c := range []struct {
		num, den int64
		want     string
	}{{6290, 6474, "97.2"}, {206, 255, "80.8"}, {1, 16, "6.3"}, {-1, 16, "-6.3"}, {1, 2000, "0.1"}, {1, 2001, "0.0"}, {3, 2, "150.0"}, {5, 0, "-"}, {-5, -10, "50.0"}} {
		if got := Percent(c.num, c.den).String(); got != c.want {
			t.Errorf("Percent(%d, %d) = %s, want %s", c.num, c.den, got, c.want)
		}
	}
	if got := Quotient(1e18, 1e18-1, 100, 2).String(); got != "100.00" {
		t.Errorf("a quotient of large numbers is %s", got)
	}
}

func TestFiguresInJSON(t *testing.T) {
	for _, text := range []string{"97.2", "0.0", "-13.5", "100.00", "-0.05", "7"} {
		var f Figure
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		if back, err := json.Marshal(f); err != nil || string(back) != text {
			t.Errorf("%s is written %s, %v", text, back, err)
		}
		if exact, err := strconv.ParseFloat(text, 64); err != nil || f.Float() != exact {
			t.Errorf("%s as a float is %v", text, f.Float())
		}
	}
	var none *Figure
	if text, err := json.Marshal(struct{ F *Figure }{none}); err != nil || string(text) != `{"F":null}` {
		t.Errorf("no figure is written %s, %v", text, err)
	}
}

func TestFingerprintIsOfTheContent(t *testing.T) {
	same := []string{
		`{"id":"1","data":{"x":1.50,"y":"é/"}}`,
		` { "data" : { "y" : "\u00e9\/" , "x" : 15e-1 } , "id" : "1" } `,
		"{\"data\":{\"x\":1.5,\"y\":\"é/\"},\n\"id\":\"1\"}",
	}
	first, err := FingerprintOf([]byte(same[0]))
	if err != nil || len(first.String()) != 32 {
		t.Fatalf("%s, %v", first, err)
	}
	for _, text := range same {
		raw := []byte(text)
		f, err := FingerprintOf(raw)
		if err != nil || f != first || string(raw) != text {
			t.Errorf("%s: %s, %v; want %s and the text as it was", text, f, err, first)
		}
	}
	for _, text := range []string{`{"id":"1","data":{"x":1.51,"y":"é/"}}`, `{"id":"1","data":{"x":"1.50","y":"é/"}}`, `{"id":"1","data":{"x":1.5,"y":"é/","z":null}}`, `[]`} {
		if f, err := FingerprintOf([]byte(text)); err != nil || f == first {
			t.Errorf("%s: %s, %v; want another", text, f, err)
		}
	}
	for _, text := range []string{"", "{", `{"a":1,"a":1}`, "{\"a\":\"\xff\"}"} {
		if _, err := FingerprintOf([]byte(text)); CodeOf(err) != Malformed {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""}, {"修武县", "修武县"}, {strings.Repeat("县", 80), strings.Repeat("县", 80)}, {strings.Repeat("县", 81), strings.Repeat("县", 80) + "…"}, {strings.Repeat("a", 100000), strings.Repeat("a", 80) + "…"},
	} {
		if got := Shorten(c.text); got != c.want {
			t.Errorf("Shorten(%d bytes) = %q", len(c.text), got)
		}
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2025-06-03T09:30:00+08:00": "2025-06-03T09:30:00+08:00", "2025-06-03T01:30:00Z": "2025-06-03T09:30:00+08:00", "2025-06-03T01:30:00-00:00": "2025-06-03T09:30:00+08:00",
		"2025-06-03T01:30:00.5Z": "2025-06-03T09:30:00.5+08:00", "2025-06-03T01:30:00.123456789Z": "2025-06-03T09:30:00.123456789+08:00",
		"2024-12-31T20:00:00-23:59": "2025-01-02T03:59:00+08:00", "1900-01-01T00:00:00Z": "1900-01-01T08:00:00+08:00", "2299-12-31T15:59:59.999999999Z": "2299-12-31T23:59:59.999999999+08:00",
	} {
		got, err := ParseTime(text)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("ParseTime(%s) = %s, %v; want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
	for _, text := range []string{
		"", "2025-06-03", "2025-06-03T09:30", "2025-06-03T09:30Z", "2025-06-03T09:30:00", "2025-06-03t09:30:00Z", "2025-06-03T09:30:00z", "2025-06-03 09:30:00Z", "2025-06-03T24:00:00Z", "2025-06-03T09:60:00Z",
		"2025-06-30T23:59:60Z", "2025-02-29T09:30:00Z", "2025-06-03T09:30:00,5Z", "2025-06-03T09:30:00.Z", "2025-06-03T09:30:00.1234567890Z", "2025-06-03T09:30:00+8:00", "2025-06-03T09:30:00+0800",
		"2025-06-03T09:30:00+24:00", "2025-06-03T09:30:00+08:60", "1900-01-01T00:00:00+08:00", "1899-12-31T23:59:59-08:00", "2300-01-01T00:30:00+14:00", "2299-12-31T16:00:00Z", "2025-06-03T09:30:00Zx",
	} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("ParseTime(%q) = %s", text, got)
		}
	}
}
