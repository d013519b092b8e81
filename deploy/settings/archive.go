package settings

import (
	"path/filepath"
	"strconv"

	"milepost/schemas"
)

// ArchiveConfig says how the beginning of the stream of events is kept.
type ArchiveConfig struct {
	// ArchiveDir is the folder of the segments, by default DATA/archive. Every process that replays, consumes or shows dead
	// letters must reach it.
	ArchiveDir string `yaml:"archive_dir"`
	// ArchiveKeepDays is how many days events stay on the stream. The scheduler archives what is older, and purges it, once
	// a day; 0 leaves that to people.
	ArchiveKeepDays int `yaml:"archive_keep_days"`
	// ArchiveSegmentMessages is how many messages a segment holds at the most; 0 is 50,000.
	ArchiveSegmentMessages int `yaml:"archive_segment_messages"`
	// NATSDenyPurge makes a stream that can never be purged, also not of what is archived.
	NATSDenyPurge bool `yaml:"nats_deny_purge"`
}

// Bounds of the configuration.
const (
	// MaxKeepDays is of archive_keep_days.
	MaxKeepDays        = 36_500
	maxSegmentMessages = 1_000_000
)

func (c ArchiveConfig) check() (wrong []error) {
	for _, one := range []struct {
		field      string
		value, max int
	}{{"archive_keep_days", c.ArchiveKeepDays, MaxKeepDays}, {"archive_segment_messages", c.ArchiveSegmentMessages, maxSegmentMessages}} {
		if one.value < 0 || one.value > one.max {
			wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: one.field, Value: strconv.Itoa(one.value), Message: "out of range", Hint: "from 0 to " + strconv.Itoa(one.max)})
		}
	}
	if c.ArchiveKeepDays > 0 && c.NATSDenyPurge {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: "archive_keep_days", Value: strconv.Itoa(c.ArchiveKeepDays), Message: "nothing can be purged from a stream that denies it", Hint: "leave out archive_keep_days or nats_deny_purge"})
	}
	return wrong
}

// ArchiveFolder is the folder of the archive.
func (c Config) ArchiveFolder() string {
	if c.ArchiveDir != "" {
		return c.ArchiveDir
	}
	return filepath.Join(c.Data, "archive")
}
