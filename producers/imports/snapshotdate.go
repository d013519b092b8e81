package imports

import (
	"fmt"

	"milepost/schemas"
)

// staleDays is the age from which a sheet's date is probably last month's.
const staleDays = 45

// dateOfFile finds the snapshot's date where it is of the whole file: the one
// that the sender names, a labelled cell over the column names, the file's
// name, or today.
func (s *sheet) dateOfFile(on schemas.Date) *Fault {
	m := &s.mapping.Snapshot
	if m.Column != "" {
		return nil
	}
	value, at := "", ""
	switch labelled, where, found := s.labelled(); {
	case on != 0:
		s.on = on
	case found && labelled.text != "":
		value, at = labelled.text, where
		day, wrong := s.dayOf(&labelled, m.layouts)
		if wrong != nil {
			return s.dateFault(at, value, m.Label+": "+wrong.message, wrong.hint)
		}
		s.on = day
	case m.fileName != nil && s.dateInName():
		value = s.file
	case m.Today:
		s.on = s.today
		s.reading.warn(Warning{File: s.file, Sheet: s.place.sheet, Message: fmt.Sprintf("the sheet does not say of which day it is; %s is taken%s", s.on, s.labelHint(where))})
	case m.Label != "":
		return s.dateFault(where, "", "nothing tells the snapshot's date", "fill it in beside "+m.Label+", or name it with --date")
	case m.fileName == nil:
		return s.dateFault("", "", "nothing tells the snapshot's date", "set snapshot in the mapping: a column, or file_name: YYYY-MM-DD; or name it with --date")
	default:
		return s.dateFault("", s.file, "the file's name has no date", "name it with a date in the form "+m.FileName+", or name the date with --date")
	}
	switch {
	case s.on > s.today:
		return s.dateFault(at, s.on.String(), "the snapshot's date lies in the future", "")
	case at != "" && s.today-s.on > staleDays:
		s.reading.warn(Warning{File: s.file, Sheet: s.place.sheet, Value: value, Message: fmt.Sprintf("the sheet's date in %s is %d days old; is it still right?", at, s.today-s.on)})
	}
	return nil
}

func (s *sheet) labelled() (value cell, place string, found bool) {
	if s.mapping.Snapshot.Label == "" {
		return cell{}, "", false
	}
	return s.head.labelled(s.mapping.Snapshot.Label)
}

func (s *sheet) labelHint(where string) string {
	if where == "" {
		return ""
	}
	return fmt.Sprintf(" (fill in %s: %s)", where, s.mapping.Snapshot.Label)
}

func (s *sheet) dateInName() bool {
	found, ok := s.mapping.Snapshot.fileName.parse(s.file)
	if ok {
		s.on = found
	}
	return ok
}

// dateFault is a fault of the file, at a cell or at none.
func (s *sheet) dateFault(at, value, message, hint string) *Fault {
	return &Fault{File: s.file, Sheet: s.place.sheet, Cell: at, Value: schemas.Shorten(value), Message: message, Hint: hint}
}
