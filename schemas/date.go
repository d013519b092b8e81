package schemas

import (
	"encoding/json"
	"fmt"
	"time"
)

// Location is Asia/Shanghai, where every date is made from a time
// (specification §2). China has kept UTC+8 without summer time since 1991; a
// fixed zone makes dates independent of the machine's zone files.
var Location = time.FixedZone("Asia/Shanghai", 8*60*60)

// Date is a calendar day, counted so that the zero value means "no date":
// it prints as "" and is null in JSON.
type Date int32

// unixDay is the Date of 1970-01-01; 0001-01-01 is Date(1).
const unixDay = 719163

// FirstDate and LastDate bound the dates that an event may carry; they are the
// range of the warehouse's Date32.
var (
	FirstDate = NewDate(1900, 1, 1)
	LastDate  = NewDate(2299, 12, 31)
)

// NewDate gives the day; month and day overflow as in time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()/86400 + unixDay)
}

// DateOf gives the day of t in Asia/Shanghai.
func DateOf(t time.Time) Date {
	const day, eastOfUTC = 86400, 8 * 60 * 60
	seconds := t.Unix() + eastOfUTC
	days := seconds / day
	if seconds%day < 0 {
		days--
	}
	return Date(days + unixDay)
}

// DateFromUnixDays gives the day that lies n days after 1970-01-01.
func DateFromUnixDays(n int32) Date { return Date(n + unixDay) }

// UnixDays counts the days since 1970-01-01. It must not be asked of no date.
func (d Date) UnixDays() int32 { return int32(d) - unixDay }

// ParseDate reads "2006-01-02" and accepts only real days from 1900 to 2299.
func ParseDate(s string) (Date, error) {
	if d, ok := parseDate(s); ok && d >= FirstDate && d <= LastDate {
		return d, nil
	}
	return 0, &Error{Code: Invalid, Message: "not a date", Value: quoteShort(s), Hint: "write a real day from 1900 to 2299 as YYYY-MM-DD"}
}

func parseDate(s string) (Date, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y, ok1 := digits(s[0:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || m < 1 || m > 12 || d < 1 || d > daysIn(y, time.Month(m)) {
		return 0, false
	}
	return NewDate(y, time.Month(m), d), true
}

func digits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

func daysIn(year int, month time.Month) int {
	switch month {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// Time gives midnight UTC of the day, for calendar arithmetic only.
func (d Date) Time() time.Time { return time.Unix(int64(d.UnixDays())*86400, 0).UTC() }

// Start gives the instant at which the day begins in Asia/Shanghai.
func (d Date) Start() time.Time {
	y, m, day := d.Time().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, Location)
}

// Year gives the day's year.
func (d Date) Year() int { return d.Time().Year() }

// Month gives the month that the day lies in.
func (d Date) Month() Month {
	y, m, _ := d.Time().Date()
	return NewMonth(y, m)
}

// Day gives the day of the month.
func (d Date) Day() int { return d.Time().Day() }

// IsMonthEnd tells whether the day is the last of its month.
func (d Date) IsMonthEnd() bool { return (d + 1).Time().Day() == 1 }

// String gives "2006-01-02", or "" for no date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// MarshalJSON gives the day as a string, or null for no date.
func (d Date) MarshalJSON() ([]byte, error) {
	if d == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + d.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Date) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*d = 0
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("date: %w", err)
	}
	parsed, err := ParseDate(s)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Month is a calendar month, counted as 12·year + month − 1; zero is none.
type Month int32

// NewMonth gives the month; the month number overflows as in time.Date.
func NewMonth(year int, month time.Month) Month { return Month(year*12 + int(month) - 1) }

// ParseMonth reads "2006-01", from 1900 to 2299.
func ParseMonth(s string) (Month, error) {
	if len(s) == 7 && s[4] == '-' {
		y, ok1 := digits(s[0:4])
		m, ok2 := digits(s[5:7])
		if ok1 && ok2 && m >= 1 && m <= 12 && y >= 1900 && y <= 2299 {
			return NewMonth(y, time.Month(m)), nil
		}
	}
	return 0, &Error{Code: Invalid, Message: "not a month", Value: quoteShort(s), Hint: "write a month from 1900 to 2299 as YYYY-MM"}
}

// Year gives the month's year.
func (m Month) Year() int { return int(m) / 12 }

// Number gives 1 for January to 12 for December.
func (m Month) Number() int { return int(m)%12 + 1 }

// First gives the month's first day.
func (m Month) First() Date { return NewDate(m.Year(), time.Month(m.Number()), 1) }

// Last gives the month's last day.
func (m Month) Last() Date { return (m + 1).First() - 1 }

// Day gives the n-th day of the month.
func (m Month) Day(n int) Date { return m.First() + Date(n-1) }

// String gives "2006-01", or "" for none.
func (m Month) String() string {
	if m == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", m.Year(), m.Number())
}

// MarshalJSON gives the month as a string, or null for none.
func (m Month) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + m.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Month) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*m = 0
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("month: %w", err)
	}
	parsed, err := ParseMonth(s)
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

func quoteShort(s string) string { return fmt.Sprintf("%q", Shorten(s)) }
