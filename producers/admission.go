package producers

import (
	"milepost/schemas"
)

// Admission says whether the sender of an acceptable event may send it, with
// an error of code Forbidden, and what the sender should know. A publisher
// asks it after the event's own rules.
type Admission func(*schemas.Event) ([]schemas.Warning, error)

// admitted adds what the admission warns of.
func (s *Submission) admitted(event *schemas.Event, warnings []schemas.Warning) ([]schemas.Warning, error) {
	if s.Admit == nil {
		return warnings, nil
	}
	more, err := s.Admit(event)
	return append(warnings, more...), err
}
