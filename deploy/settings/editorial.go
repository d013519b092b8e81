package settings

import (
	"slices"
	"strings"

	"milepost/scheduler/render/formats"
	"milepost/schemas"
)

// Editorial says how editions are signed off, and in which formats they are
// kept. Its members are those of bulletins.
type Editorial struct {
	// Formats are those of published files; by default all that can be made:
	// html, md, json, docx, xlsx, and pdf where there is a Chromium.
	Formats []string `yaml:"formats"`
	// SecondPerson asks that another person than the drafter approves; then
	// nothing is published in one step by a person.
	SecondPerson bool `yaml:"second_person"`
	// AnnouncementDays is how long an assessment is announced (公示), by default
	// 5.
	AnnouncementDays *int `yaml:"announcement_days"`
}

const defaultAnnouncementDays = 5

// DaysOfAnnouncement is how long an assessment is announced.
func (e Editorial) DaysOfAnnouncement() int {
	if e.AnnouncementDays == nil {
		return defaultAnnouncementDays
	}
	return *e.AnnouncementDays
}

// PublishedFormats gives those of published files; the model as JSON is always there.
func (e Editorial) PublishedFormats() []string {
	if len(e.Formats) == 0 {
		return []string{formats.JSON, formats.Markdown, formats.HTML, formats.DOCX, formats.XLSX, formats.PDF}
	}
	return e.Formats
}

func (e Editorial) check() []error {
	var wrong []error
	add := func(field, value, message, hint string) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: "bulletins." + field, Value: schemas.Shorten(value), Message: message, Hint: hint})
	}
	for i, format := range e.Formats {
		if !formats.Known(format) {
			add("formats", format, "no such format", "choose of "+strings.Join(formats.All(), ", "))
		}
		if slices.Contains(e.Formats[:i], format) {
			add("formats", format, "the format stands there twice", "name each once")
		}
	}
	if days := e.DaysOfAnnouncement(); days < 1 || days > 90 {
		add("announcement_days", "", "out of range", "from 1 to 90 days, by default 5")
	}
	return wrong
}
