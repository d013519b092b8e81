package imports

import (
	"fmt"
	"regexp"
	"strings"

	"milepost/schemas"
)

// layout is the form of a date: YYYY, MM or M, DD or D, HH or H, mm, ss, AM,
// and any other sign as itself. One digit is as good as two where no other digits
// adjoin. A time of day is read and not used. Without a day it means the
// last day of the month.
type layout struct {
	text    string
	pattern *regexp.Regexp
	groups  [3]int // of year, month and day; 0: none
}

// tokens are longest first, so that MM is not read as two M.
var layoutTokens = []struct {
	token string
	part  int // 0 year, 1 month, 2 day, -1 not used
	wide  string
	loose string
}{
	{"YYYY", 0, `\d{4}`, `\d{4}`},
	{"MM", 1, `\d\d`, `\d{1,2}`}, {"M", 1, `\d{1,2}`, `\d{1,2}`},
	{"DD", 2, `\d\d`, `\d{1,2}`}, {"D", 2, `\d{1,2}`, `\d{1,2}`},
	{"HH", -1, `\d\d`, `\d{1,2}`}, {"H", -1, `\d{1,2}`, `\d{1,2}`},
	{"mm", -1, `\d\d`, `\d{1,2}`}, {"ss", -1, `\d\d`, `\d{1,2}`},
	{"AM", -1, `(?:AM|PM|am|pm)`, `(?:AM|PM|am|pm)`},
}

// parseLayout compiles a layout. A layout within is looked for anywhere in a
// text (a file's name); any other must be the whole cell.
func parseLayout(text string, within bool) (*layout, error) {
	if len(text) > 64 {
		return nil, fmt.Errorf("the layout is too long")
	}
	l := &layout{text: text}
	var pattern strings.Builder
	group := 0
	adjoining := false // the sign before was a digit of another token
	for rest := text; rest != ""; {
		token, size := nextToken(rest)
		if token < 0 {
			r := rest[:size]
			switch {
			case r == " ":
				pattern.WriteString(`\s+`)
			case r[0] >= '0' && r[0] <= '9' || r[0] >= 'a' && r[0] <= 'z' || r[0] >= 'A' && r[0] <= 'Z' && r != "T":
				return nil, fmt.Errorf("%q is no part of a layout; use YYYY, MM, DD, HH, mm, ss, AM", r)
			default:
				pattern.WriteString(regexp.QuoteMeta(r))
			}
			rest, adjoining = rest[size:], false
			continue
		}
		t := layoutTokens[token]
		rest = rest[size:]
		group++
		following, _ := nextToken(rest)
		if adjoining || following >= 0 && layoutTokens[following].token != "AM" {
			fmt.Fprintf(&pattern, "(%s)", t.wide)
		} else {
			fmt.Fprintf(&pattern, "(%s)", t.loose)
		}
		adjoining = true
		if t.part >= 0 {
			if l.groups[t.part] != 0 {
				return nil, fmt.Errorf("%s stands twice in the layout", t.token)
			}
			l.groups[t.part] = group
		}
	}
	if l.groups[0] == 0 || l.groups[1] == 0 {
		return nil, fmt.Errorf("a layout needs YYYY and MM")
	}
	whole := `^` + pattern.String() + `$`
	if within {
		whole = `(?:^|\D)` + pattern.String() + `(?:\D|$)`
	}
	compiled, err := regexp.Compile(whole)
	if err != nil {
		return nil, fmt.Errorf("the layout cannot be used: %w", err)
	}
	l.pattern = compiled
	return l, nil
}

// nextToken gives the token that a text starts with and its length, or -1 and
// the length of the sign.
func nextToken(text string) (token, size int) {
	for i, t := range layoutTokens {
		if strings.HasPrefix(text, t.token) {
			return i, len(t.token)
		}
	}
	for i := range text {
		if i > 0 {
			return -1, i
		}
	}
	return -1, len(text)
}

// parse reads a date; false when the text has another form or no such day
// exists.
func (l *layout) parse(text string) (schemas.Date, bool) {
	found := l.pattern.FindStringSubmatch(text)
	if found == nil {
		return 0, false
	}
	pad := func(s string) string {
		if len(s) == 1 {
			return "0" + s
		}
		return s
	}
	year, month := found[l.groups[0]], pad(found[l.groups[1]])
	if l.groups[2] == 0 {
		m, err := schemas.ParseMonth(year + "-" + month)
		return m.Last(), err == nil
	}
	day, err := schemas.ParseDate(year + "-" + month + "-" + pad(found[l.groups[2]]))
	return day, err == nil
}

// defaultLayouts are the forms that can only be read in one way.
func defaultLayouts() []string {
	return []string{"YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD", "YYYY年MM月DD日", "YYYYMMDD", "YYYY-MM-DD HH:mm:ss", "YYYY/MM/DD HH:mm"}
}
