package scheduler

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"milepost/schemas"
)

// DayKind says what a day of a calendar file is.
type DayKind string

// The kinds of days.
const (
	WorkingDay DayKind = "working"
	Holiday    DayKind = "holiday"
)

// Limits of a calendar file.
const (
	maxCalendarBytes = 1 << 20
	maxCalendarDays  = 10_000
)

// ReadCalendar reads an office's own holidays and the days that are worked in
// exchange (调休). A .yaml or .yml file maps days to "holiday" or "working", any
// other is CSV with a day and one of these words a line, and perhaps a header.
// Errors are of code Invalid with the line, or NotFound.
func ReadCalendar(path string) (map[schemas.Date]DayKind, error) {
	refuse := func(message, value string, cause error) error {
		return &schemas.Error{Code: schemas.Invalid, Field: "schedule.calendar", Value: schemas.Shorten(value), Message: message, Err: cause,
			Hint: "a line for each day, such as 2027-10-01,holiday or 2027-10-09,working"}
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &schemas.Error{Code: schemas.NotFound, Field: "schedule.calendar", Value: path, Message: "no calendar file", Hint: "check the path"}
	}
	if err != nil {
		return nil, refuse("the calendar file cannot be read", path, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxCalendarBytes+1))
	if err != nil {
		return nil, refuse("the calendar file cannot be read", path, err)
	}
	if len(text) > maxCalendarBytes {
		return nil, refuse("the calendar file is larger than 1 MiB", path, nil)
	}
	read := calendarCSV
	if extension := strings.ToLower(filepath.Ext(path)); extension == ".yaml" || extension == ".yml" {
		read = calendarYAML
	}
	lines, err := read(text)
	if err != nil {
		return nil, refuse("the calendar file does not read: "+err.Error(), path, err)
	}
	days := make(map[schemas.Date]DayKind, len(lines))
	for _, line := range lines {
		day, err := schemas.ParseDate(line.day)
		kind := DayKind(line.kind)
		switch {
		case err != nil:
			return nil, refuse(fmt.Sprintf("line %d of the calendar file has no day", line.number), line.day, err)
		case kind != WorkingDay && kind != Holiday:
			return nil, refuse(fmt.Sprintf("line %d of the calendar file is neither holiday nor working", line.number), line.kind, nil)
		}
		if earlier, twice := days[day]; twice && earlier != kind {
			return nil, refuse(fmt.Sprintf("line %d of the calendar file contradicts an earlier line", line.number), line.day, nil)
		}
		days[day] = kind
	}
	return days, nil
}

type calendarLine struct {
	number    int
	day, kind string
}

func calendarCSV(text []byte) ([]calendarLine, error) {
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	reader.FieldsPerRecord, reader.Comment, reader.TrimLeadingSpace = -1, '#', true
	var lines []calendarLine
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		number, _ := reader.FieldPos(0)
		if len(record) < 2 {
			return nil, fmt.Errorf("line %d has one field", number)
		}
		// A name of the holiday may follow.
		line := calendarLine{number, strings.TrimSpace(record[0]), strings.TrimSpace(record[1])}
		if len(lines) == 0 && line.day == "date" {
			continue
		}
		if lines = append(lines, line); len(lines) > maxCalendarDays {
			return nil, fmt.Errorf("more than %d days", maxCalendarDays)
		}
	}
}

func calendarYAML(text []byte) ([]calendarLine, error) {
	var days yaml.MapSlice
	if err := yaml.Unmarshal(text, &days); err != nil {
		return nil, errors.New(yaml.FormatError(err, false, true))
	}
	if len(days) > maxCalendarDays {
		return nil, fmt.Errorf("more than %d days", maxCalendarDays)
	}
	var lines []calendarLine
	for i, item := range days {
		lines = append(lines, calendarLine{i + 1, fmt.Sprint(item.Key), fmt.Sprint(item.Value)})
	}
	return lines, nil
}
