package pages

import (
	"strings"
	"unicode"

	"github.com/mozillazg/go-pinyin"

	"milepost/schemas"
)

// initialsOf gives, for each standing, the pinyin initials of its names in
// small letters: 年产5万吨 is nc5wd.
func initialsOf(standings []schemas.Standing) []string {
	seen := map[rune]string{}
	all := make([]string, len(standings))
	var b strings.Builder
	for i := range standings {
		b.Reset()
		for _, c := range standings[i].Name + " " + standings[i].Enterprise {
			text, known := seen[c]
			if !known {
				text = initial(c)
				seen[c] = text
			}
			b.WriteString(text)
		}
		all[i] = b.String()
	}
	return all
}

func initial(c rune) string {
	switch {
	case c < unicode.MaxASCII:
		return strings.ToLower(string(c))
	case !unicode.Is(unicode.Han, c):
		return ""
	}
	args := pinyin.NewArgs()
	args.Style = pinyin.FirstLetter
	if found := pinyin.SinglePinyin(c, args); len(found) > 0 {
		return found[0]
	}
	return ""
}
