package schemas

import (
	"bytes"
	"unicode/utf8"
)

// isID holds the rule for an event's id.
func isID(b []byte) bool {
	if len(b) == 0 || len(b) > MaxIDLength {
		return false
	}
	for _, c := range b {
		if characters[c]&inID == 0 {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool { return characters[c]&alphanumeric != 0 }

// What an ASCII character may be part of.
const (
	alphanumeric = 1 << iota
	inID
	inHex
	plainInSource // what stands in a source without further ado
)

// characters looks up what a byte may be part of; nothing from 0x80 on.
var characters = func() (table [256]uint8) {
	for i := range 0x80 {
		c := byte(i)
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			table[c] |= alphanumeric | inID
		}
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' {
			table[c] |= inHex
		}
		if c > ' ' && c < 0x7f && bytes.IndexByte([]byte("%<>\"\\^`{|}"), c) < 0 {
			table[c] |= plainInSource
		}
	}
	for _, c := range []byte("._:-") {
		table[c] |= inID
	}
	return table
}()

// IsProjectID tells whether a text may be a project's id, and so a token of a
// stream subject.
func IsProjectID(id string) bool { return isProjectID([]byte(id)) }

func isProjectID(b []byte) bool {
	if len(b) == 0 || len(b) > 64 || !isAlphanumeric(b[0]) {
		return false
	}
	for _, c := range b {
		if !isAlphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// isSource holds the rule for a source: a URI reference in which letters of
// any language may stand unescaped.
func isSource(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	i := 0
	for i < len(b) && characters[b[i]]&plainInSource != 0 {
		i++
	}
	return i == len(b) && i <= maxSource || isLongSource(b)
}

// maxSource is in characters.
const maxSource = 256

// isLongSource is isSource without its short cut.
func isLongSource(b []byte) bool {
	length := 0
	for i, r := range string(b) {
		length++
		switch {
		case length > maxSource || r <= ' ' || r >= 0x7f && r <= 0xa0:
			return false
		case r == '%':
			if i+2 >= len(b) || !isHex(b[i+1]) || !isHex(b[i+2]) {
				return false
			}
		case r < 0x7f && characters[r]&plainInSource == 0:
			return false
		case r == 0x2028 || r == 0x2029 || r == 0x3000:
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return characters[c]&inHex != 0 }

// isDistrictCode bounds what may be looked up in the configured districts.
func isDistrictCode(b []byte) bool {
	return len(b) > 0 && (len(b) <= 64 || utf8.RuneCount(b) <= 64)
}

func isMediaType(b []byte) bool { return string(b) == "application/json" }

func isVersion(b []byte) bool { return string(b) == "1.0" }

func isCategory(b []byte) bool {
	switch string(b) {
	case "land", "finance", "approval", "environment", "utilities", "labour", "other":
		return true
	}
	return false
}

func isRowKind(b []byte) bool {
	switch AdjustmentKind(b) {
	case AdjustDistrict, AdjustDepartment, AdjustLead:
		return true
	}
	return false
}

// assessmentKind is the kind of an edition that is a year's assessment.
const assessmentKind = "assessment"

func isEditionKind(b []byte) bool {
	switch PeriodKind(b) {
	case Week, MonthOf, Quarter, Half, Year:
		return true
	}
	return false
}

func isAssessmentKind(b []byte) bool { return string(b) == assessmentKind }

func isPeriod(b []byte) bool {
	if len(b) > len("2026-W40") {
		return false
	}
	_, err := ParsePeriod(string(b))
	return err == nil
}

func isSHA256(b []byte) bool {
	if len(b) != 64 {
		return false
	}
	for _, c := range b {
		if !isHex(c) {
			return false
		}
	}
	return true
}

func isSHA256OrEmpty(b []byte) bool { return len(b) == 0 || isSHA256(b) }

// subjectRule gives the rule for the subject of a type's events.
func subjectRule(t Type) def {
	switch t {
	case AdjustmentRecorded:
		return defOffice
	case BulletinPublished, BulletinWithdrawn:
		return defEdition
	case AssessmentAnnounced, AssessmentObjected, AssessmentFinalised:
		return defAssessed
	case EventRevoked:
		return defAnySubject
	}
	return defProject
}

func isSubject(rule def, b []byte) bool {
	switch rule {
	case defOffice:
		return string(b) == OfficeSubject
	case defEdition:
		kind, ok := editionOf(b)
		return ok && isEditionKind(kind)
	case defAssessed:
		kind, ok := editionOf(b)
		return ok && isAssessmentKind(kind)
	case defAnySubject:
		return isProjectID(b) || isSubject(defOffice, b) || isSubject(defEdition, b) || isSubject(defAssessed, b)
	}
	return isProjectID(b)
}

// editionOf takes the kind out of a subject such as "_month-2025".
func editionOf(b []byte) ([]byte, bool) {
	kind, year, ok := bytes.Cut(b, []byte("-"))
	if !ok || len(kind) < 2 || kind[0] != '_' || len(year) != 4 {
		return nil, false
	}
	_, ok = digits(string(year))
	return kind[1:], ok
}
