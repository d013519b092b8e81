package schemas

import "time"

// The instants that an event may carry: their days in UTC and in Shanghai lie
// from FirstDate to LastDate.
var (
	firstInstant = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	endOfTime    = time.Date(2300, 1, 1, 0, 0, 0, 0, Location)
)

// ParseTime reads the time of an event: RFC 3339 with an offset, T and Z in
// capitals, at most nine decimals of a second, no leap second, and a day from
// 1900 to 2299 as written, in UTC and in Shanghai.
func ParseTime(s string) (time.Time, error) {
	t, ok := parseTime([]byte(s))
	if !ok {
		return time.Time{}, defTime.broken([]byte(quoteShort(s)))
	}
	return t, nil
}

func parseTime(b []byte) (time.Time, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	day, ok := parseDate(string(b[:10]))
	hour, ok1 := digits(string(b[11:13]))
	minute, ok2 := digits(string(b[14:16]))
	second, ok3 := digits(string(b[17:19]))
	if !ok || day < FirstDate || day > LastDate || !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nano, rest, ok := fractionOfSecond(b[19:])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := offsetSeconds(rest)
	if !ok {
		return time.Time{}, false
	}
	seconds := int64(day.UnixDays())*86400 + int64(hour*3600+minute*60+second) - int64(offset)
	t := time.Unix(seconds, nano).In(Location)
	return t, !t.Before(firstInstant) && t.Before(endOfTime)
}

func fractionOfSecond(b []byte) (nano int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	i := 1
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		nano = nano*10 + int64(b[i]-'0')
		if i > 9 {
			return 0, nil, false
		}
	}
	for n := i; n <= 9; n++ {
		nano *= 10
	}
	return nano, b[i:], i > 1
}

func offsetSeconds(b []byte) (int, bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if len(b) != len("+08:00") || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return 0, false
	}
	hours, ok1 := digits(string(b[1:3]))
	minutes, ok2 := digits(string(b[4:6]))
	if !ok1 || !ok2 || hours > 23 || minutes > 59 {
		return 0, false
	}
	seconds := hours*3600 + minutes*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}
