package schemas

import (
	"fmt"
	"strings"
	"time"
)

// PeriodKind is the length of a bulletin's period (specification §9).
type PeriodKind string

// The kinds of period.
const (
	Week    PeriodKind = "week"
	MonthOf PeriodKind = "month"
	Quarter PeriodKind = "quarter"
	Half    PeriodKind = "half"
	Year    PeriodKind = "year"
)

// Period is a week, month, quarter, half or year: Start and End are its first
// and last day.
type Period struct {
	Kind  PeriodKind
	Start Date
	End   Date
}

// ParsePeriod reads "2026-W40" (ISO week), "2026-10", "2026-Q4", "2026-H2" or
// "2026".
func ParsePeriod(s string) (Period, error) {
	bad := &Error{Code: Invalid, Message: "not a period", Field: "period", Value: quoteShort(s), Hint: "write 2026-W40, 2026-10, 2026-Q4, 2026-H2 or 2026"}
	head, tail, divided := strings.Cut(s, "-")
	year, ok := digits(head)
	if !ok || len(head) != 4 || year < 1901 || year > 2298 {
		return Period{}, bad
	}
	if !divided {
		return monthsFrom(Year, NewMonth(year, 1), 12), nil
	}
	letter, number := byte(0), tail
	if tail != "" && (tail[0] < '0' || tail[0] > '9') {
		letter, number = tail[0], tail[1:]
	}
	n, ok := digits(number)
	if !ok {
		return Period{}, bad
	}
	switch {
	case letter == 0 && len(number) == 2 && n >= 1 && n <= 12:
		return monthsFrom(MonthOf, NewMonth(year, time.Month(n)), 1), nil
	case letter == 'Q' && len(number) == 1 && n >= 1 && n <= 4:
		return monthsFrom(Quarter, NewMonth(year, time.Month(3*n-2)), 3), nil
	case letter == 'H' && len(number) == 1 && n >= 1 && n <= 2:
		return monthsFrom(Half, NewMonth(year, time.Month(6*n-5)), 6), nil
	case letter == 'W' && len(number) == 2 && n >= 1:
		p := PeriodContaining(Week, NewDate(year, 1, 4)+Date(7*(n-1)))
		if p.String() == s {
			return p, nil
		}
	}
	return Period{}, bad
}

// PeriodContaining gives the period of the kind that the day lies in.
func PeriodContaining(kind PeriodKind, d Date) Period {
	m := d.Month()
	switch kind {
	case Week:
		monday := d - Date((int(d.Time().Weekday())+6)%7)
		return Period{Kind: Week, Start: monday, End: monday + 6}
	case Quarter:
		return monthsFrom(Quarter, m-m%3, 3)
	case Half:
		return monthsFrom(Half, m-m%6, 6)
	case Year:
		return monthsFrom(Year, m-m%12, 12)
	}
	return monthsFrom(MonthOf, m, 1)
}

func monthsFrom(kind PeriodKind, first Month, count Month) Period {
	return Period{Kind: kind, Start: first.First(), End: (first + count - 1).Last()}
}

// Next gives the period of the same kind that follows.
func (p Period) Next() Period { return PeriodContaining(p.Kind, p.End+1) }

// Previous gives the period of the same kind that precedes.
func (p Period) Previous() Period { return PeriodContaining(p.Kind, p.Start-1) }

// Contains tells whether the day lies in the period.
func (p Period) Contains(d Date) bool { return d != 0 && p.Start <= d && d <= p.End }

// IssueYear is the year whose numbering the period's bulletin belongs to: the
// year of its last day, and for a week its ISO year.
func (p Period) IssueYear() int {
	if p.Kind == Week {
		y, _ := p.Start.Time().ISOWeek()
		return y
	}
	return p.End.Year()
}

// String gives the form that ParsePeriod reads.
func (p Period) String() string {
	m := p.Start.Month()
	switch p.Kind {
	case Week:
		y, w := p.Start.Time().ISOWeek()
		return fmt.Sprintf("%04d-W%02d", y, w)
	case Quarter:
		return fmt.Sprintf("%04d-Q%d", m.Year(), (m.Number()+2)/3)
	case Half:
		return fmt.Sprintf("%04d-H%d", m.Year(), (m.Number()+5)/6)
	case Year:
		return fmt.Sprintf("%04d", m.Year())
	}
	return m.String()
}
