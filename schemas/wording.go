package schemas

import "strings"

// def names a definition of events/common.json. Both validators speak of a
// broken rule in the words of its definition.
type def string

// The definitions; one that ends in OrNull there has its words here once.
const (
	defObject     def = "object"
	defList       def = "list"
	defVersion    def = "version"
	defID         def = "id"
	defSource     def = "source"
	defType       def = "type"
	defTime       def = "time"
	defDistrict   def = "district"
	defMediaType  def = "mediaType"
	defProject    def = "project"
	defOffice     def = "office"
	defEdition    def = "edition"
	defAssessed   def = "assessed"
	defAnySubject def = "anySubject"
	defDate       def = "date"
	defMonth      def = "month"
	defPeriod     def = "period"
	defYear       def = "year"
	defPlan       def = "plan"
	defMoney      def = "money"
	defPoints     def = "points"
	defCount      def = "count"
	defSequence   def = "sequence"
	defFlag       def = "flag"
	defName       def = "name"
	defLine       def = "line"
	defText       def = "text"
	defReason     def = "reason"
	defTag        def = "tag"
	defTags       def = "tags"
	defIssue      def = "issue"
	defURI        def = "uri"
	defSHA256     def = "sha256"
	defEvidence   def = "evidence"
	defFiles      def = "files"
	defMilestone  def = "milestone"
	defCategory   def = "category"
	defRow        def = "row"
	defKind       def = "kind"
	defAnnual     def = "annual"
)

// words gives what is wrong with a value that breaks the definition, and what
// would be right.
func (d def) words() (message, hint string) {
	switch d {
	case defObject:
		return "not an object", "write an object in braces"
	case defList:
		return "not a list", "write a list in brackets"
	case defVersion:
		return "not the version of CloudEvents that is spoken here", `write "1.0"`
	case defID:
		return "not an event id", "write 1 to 128 of A-Z a-z 0-9 . _ : -"
	case defSource:
		return "not a source", "write a URI reference of 1 to 256 characters without spaces, such as /offices/shanyang"
	case defType:
		return "not a type", "write the type of the event, such as progress.reported.v1"
	case defTime:
		return "not a time", "write RFC 3339 with an offset and a year from 1900 to 2299, such as 2025-06-03T09:30:00+08:00"
	case defDistrict:
		return "not a district", "write the code of a configured district, or city"
	case defMediaType:
		return "not a content type that is spoken here", `write "application/json", or leave it out`
	case defProject:
		return "not a project id", "write 1 to 64 of A-Z a-z 0-9 _ -, with a letter or digit first, such as P-0012"
	case defOffice:
		return "not the subject of an adjustment", `write "_office"`
	case defEdition:
		return "not the subject of an edition", "write _week-, _month-, _quarter-, _half- or _year- and the year, such as _month-2025"
	case defAssessed:
		return "not the subject of an assessment", "write _assessment- and the year, such as _assessment-2025"
	case defAnySubject:
		return "not a subject", "write the subject of the revoked event, such as P-0012"
	case defDate:
		return "not a date", `write a real day from 1900 to 2299 as "YYYY-MM-DD"`
	case defMonth:
		return "not a month", `write a month from 1900 to 2299 as "YYYY-MM"`
	case defPeriod:
		return "not a period", `write "2026-W40", "2026-10", "2026-Q4", "2026-H2" or "2026"`
	case defYear:
		return "not a year", "write a year from 1900 to 2299 as a number, such as 2025"
	case defPlan:
		return "not a year", `name the years of the plan from 1900 to 2299 with four digits, such as {"2026": 12000}`
	case defMoney:
		return "not an amount", "write 万元 as a number from 0 to 10000000000 with at most two decimals"
	case defPoints:
		return "not an adjustment's points", "write a number from -20 to 5 with at most two decimals"
	case defCount:
		return "not a number of an edition", "write a whole number from 1 to 1000000"
	case defSequence:
		return "not a sequence", "write a whole number from 0 to 9007199254740991"
	case defFlag:
		return "neither true nor false", "write true or false, without quotes"
	case defName:
		return "not a name", "write a text of 1 to 300 characters in one line"
	case defLine:
		return "not a line of text", "write a text of at most 4000 characters in one line"
	case defText:
		return "not a text", "write a text of at most 4000 characters"
	case defReason:
		return "not a text", "write a text of 1 to 4000 characters"
	case defTag:
		return "not a tag", "write a text of 1 to 100 characters in one line"
	case defTags:
		return "not a list of tags", "write a list of at most 50 texts"
	case defIssue:
		return "not the id of an issue", "write a text of 1 to 128 characters in one line"
	case defURI:
		return "not an address", "write an address of 1 to 2000 characters in one line"
	case defSHA256:
		return "not a SHA-256", "write 64 hexadecimal digits"
	case defEvidence:
		return "not a list of evidence", `write a list of at most 50 objects such as {"uri": "https://example.org/photo.jpg"}`
	case defFiles:
		return "not a list of files", `write a list of at most 50 objects with name and sha256`
	case defMilestone:
		return "not a milestone", "write landed, started or producing"
	case defCategory:
		return "not a category", "write one of " + strings.Join(IssueCategories(), ", ")
	case defRow:
		return "not a kind of row", "write district, department or lead"
	case defKind:
		return "not a kind of edition", "write week, month, quarter, half or year; assessment for an assessment"
	case defAnnual:
		return "not a plan by year", `write an object of years and 万元, such as {"2026": 12000}`
	}
	return "not acceptable", ""
}

// broken makes the error of a value that breaks the definition; value is the
// JSON text as sent.
func (d def) broken(value []byte) *Error {
	message, hint := d.words()
	if d.numeric() && len(value) > 0 && value[0] == '"' {
		hint = "write a number, without quotes"
	}
	return &Error{Code: Invalid, Message: message, Value: Shorten(string(value)), Hint: hint}
}

func (d def) numeric() bool {
	switch d {
	case defYear, defMoney, defPoints, defCount, defSequence:
		return true
	}
	return false
}

// missing makes the error of a required member that was not given, or was
// given as null.
func missing(name string, null bool) *Error {
	e := &Error{Code: Invalid, Message: "required, but not given", Field: name, Hint: "give it a value"}
	if null {
		e.Value = "null"
		e.Hint = "give it a value; null is as not given"
	}
	return e
}

// unknownWord makes the error of a word that is none of the known ones.
func unknownWord(message, word string, known []string) *Error {
	hint := "use one of " + strings.Join(known, ", ")
	if near := nearest(word, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &Error{Code: Unknown, Message: message, Value: quoteShort(word), Hint: hint}
}

// nearest gives the known word that differs least, or "" when none is near.
func nearest(word string, known []string) string {
	const longest = 100
	if len(word) > longest {
		return ""
	}
	runes := []rune(strings.ToLower(word))
	best, least, length := "", 0, 0
	for _, k := range known {
		other := []rune(strings.ToLower(k))
		if d := editDistance(runes, other); best == "" || d < least {
			best, least, length = k, d, max(len(runes), len(other))
		}
	}
	if best == "" || least*2 > length {
		return ""
	}
	return best
}

// editDistance counts the characters to insert, delete or replace between a
// and b.
func editDistance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
