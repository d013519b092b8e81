package pages

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"

	"milepost/schemas"
)

// searchText has, of each standing, its id and the pinyin initials of its names
// in small letters, one behind the other: 年产5万吨 is nc5wd. Letters and digits
// of names are among the initials, so that it has all that plain letters can
// find.
type searchText struct {
	text []byte // with a zero byte behind each id and each initials
	ends []int  // of each standing
}

func newSearchText(standings []schemas.Standing) *searchText {
	t := &searchText{ends: make([]int, len(standings))}
	letters := initials{}
	for i := range standings {
		s := &standings[i]
		t.text = append(append(t.text, strings.ToLower(s.ProjectID)...), 0)
		t.text = letters.add(t.text, s.Name)
		t.text = append(t.text, ' ')
		t.text = append(letters.add(t.text, s.Enterprise), 0)
		t.ends[i] = len(t.text)
		if i == len(standings)/64 && i > 0 { // how much there will be shows early
			t.text = append(make([]byte, 0, len(t.text)/i*len(standings)*9/8), t.text...)
		}
	}
	return t
}

// find drops the rows of a set in which the words do not occur.
func (t *searchText) find(q string, rows rowSet) {
	words, hits := []byte(q), newRowSet(len(t.ends))
	row, at := 0, 0
	for {
		next := bytes.Index(t.text[at:], words)
		if next < 0 {
			break
		}
		for at += next; t.ends[row] <= at; row++ {
		}
		hits.add(uint32(row))
		at = t.ends[row]
	}
	rows.keep(hits)
}

// search drops the rows of a set in whose id, names and initials the words do
// not occur; capital letters are as small ones.
func (s *snapshot) search(q string, rows rowSet) {
	q = strings.ToLower(q)
	if isPlain(q) {
		s.text().find(q, rows)
		return
	}
	// Ids are plain, and initials are.
	caseless := longestCaseless(q)
	occurs := func(text string) bool {
		return strings.Contains(text, caseless) && (len(caseless) == len(q) || strings.Contains(strings.ToLower(text), q))
	}
	for row := range rows.all() {
		if one := &s.ledger.Standings[row]; !occurs(one.Name) && !occurs(one.Enterprise) {
			rows.drop(row)
		}
	}
}

// isPlain tells whether all characters may stand in initials.
func isPlain(q string) bool {
	return strings.IndexFunc(q, func(c rune) bool { return c == 0 || c >= unicode.MaxASCII }) < 0
}

// longestCaseless gives the longest part of the words without letters that are
// large or small: it stands in a text as it is, which is a fast question.
func longestCaseless(q string) string {
	longest := ""
	for len(q) > 0 {
		n := strings.IndexFunc(q, hasCase)
		if n < 0 {
			n = len(q)
		}
		if n > len(longest) {
			longest = q[:n]
		}
		_, size := utf8.DecodeRuneInString(q[n:])
		q = q[n+size:]
	}
	return longest
}

func hasCase(c rune) bool { return c == utf8.RuneError || unicode.SimpleFold(c) != c }

// initials gives the pinyin initial of characters, each of which it looks up
// once.
type initials [unicode.MaxRune>>8 + 1]*[256]byte

// notAsked marks characters that were not looked up yet; zero has no initial.
const notAsked = 0xFF

// add appends the initials of a text.
func (known *initials) add(to []byte, text string) []byte {
	for _, c := range text {
		page := known[c>>8]
		if page == nil {
			page = (*[256]byte)(bytes.Repeat([]byte{notAsked}, 256))
			known[c>>8] = page
		}
		letter := page[c&0xFF]
		if letter == notAsked {
			letter = initial(c)
			page[c&0xFF] = letter
		}
		if letter != 0 {
			to = append(to, letter)
		}
	}
	return to
}

// initial gives the small letter of a character; 0 for none.
func initial(c rune) byte {
	switch small := unicode.ToLower(c); {
	case small < unicode.MaxASCII:
		return byte(small)
	case !unicode.Is(unicode.Han, c):
		return 0
	}
	args := pinyin.NewArgs()
	args.Style = pinyin.FirstLetter
	if found := pinyin.SinglePinyin(c, args); len(found) > 0 && found[0] != "" {
		return found[0][0]
	}
	return 0
}
