package schemas

import (
	"fmt"
	"strings"
	"time"
)

// Limits of an event (specification §3).
const (
	MaxEventBytes = 256 << 10
	MaxIDLength   = 128
)

// CityDistrict is the code of the city office itself (specification §2).
const CityDistrict = "city"

// OfficeSubject is the subject of an event that concerns no project, such as
// an adjustment.
const OfficeSubject = "_office"

// Type names what an event says.
type Type string

// The types of the specification §3.
const (
	ProjectRegistered   Type = "project.registered.v1"
	ProjectAmended      Type = "project.amended.v1"
	ProjectAssigned     Type = "project.assigned.v1"
	MilestonePlanned    Type = "milestone.planned.v1"
	MilestoneReached    Type = "milestone.reached.v1"
	ProgressReported    Type = "progress.reported.v1"
	IssueRaised         Type = "issue.raised.v1"
	IssueResolved       Type = "issue.resolved.v1"
	ProjectSuspended    Type = "project.suspended.v1"
	ProjectResumed      Type = "project.resumed.v1"
	ProjectCancelled    Type = "project.cancelled.v1"
	BulletinPublished   Type = "bulletin.published.v1"
	BulletinWithdrawn   Type = "bulletin.withdrawn.v1"
	AssessmentAnnounced Type = "assessment.announced.v1"
	AssessmentObjected  Type = "assessment.objected.v1"
	AssessmentFinalised Type = "assessment.finalised.v1"
	EventRevoked        Type = "event.revoked.v1"
	AdjustmentRecorded  Type = "adjustment.recorded.v1"
)

// Types lists every type in the order of the specification.
func Types() []Type {
	return []Type{
		ProjectRegistered, ProjectAmended, ProjectAssigned, MilestonePlanned, MilestoneReached, ProgressReported,
		IssueRaised, IssueResolved, ProjectSuspended, ProjectResumed, ProjectCancelled,
		BulletinPublished, BulletinWithdrawn, AssessmentAnnounced, AssessmentObjected, AssessmentFinalised,
		EventRevoked, AdjustmentRecorded,
	}
}

// System tells whether only the system or an editor writes events of the type.
func (t Type) System() bool {
	switch t {
	case BulletinPublished, BulletinWithdrawn, AssessmentAnnounced, AssessmentObjected, AssessmentFinalised:
		return true
	}
	return false
}

// CityOnly tells whether an event of the type counts only when the city sent
// it, whatever it says (specification §3, what counts from whom).
func (t Type) CityOnly() bool {
	switch t {
	case ProjectSuspended, ProjectResumed, ProjectCancelled, AdjustmentRecorded:
		return true
	}
	return t.System()
}

// Event is one CloudEvent of the contract, decoded. Identity is (Source, ID).
type Event struct {
	Source   string
	ID       string
	Type     Type
	Subject  string // the project id, or OfficeSubject
	District string // of the sender
	Time     time.Time
	Data     Data
	// RawData is the JSON text of data, and Raw that of the whole event, as
	// they were sent. They must not be changed: the texts of a decoded event
	// are parts of them.
	RawData []byte
	Raw     []byte
	// Extensions is a JSON object of the members beside data that the contract
	// does not know, as they were sent; "" when there are none.
	Extensions string
}

// EventID joins source and id; neither can hold a space.
func EventID(source, id string) string { return source + " " + id }

// EventID identifies the event in one word.
func (e *Event) EventID() string { return EventID(e.Source, e.ID) }

// BusinessDate is the day that the event is about, or none for the types that
// act on knowledge or on a year (specification §3).
func (e *Event) BusinessDate() Date {
	if e.Data == nil {
		return 0
	}
	return e.Data.BusinessDate()
}

// StreamName is the JetStream stream that takes every event.
const StreamName = "MILEPOST_EVENTS"

// StreamSubjects is the subject space of the stream.
const StreamSubjects = "milepost.events.>"

// StreamSubject is the subject that the event is published on:
// milepost.events.<district>.<project>.<type without .v1>.
func (e *Event) StreamSubject() string { return string(e.AppendStreamSubject(nil)) }

// AppendStreamSubject adds the subject that the event is published on.
func (e *Event) AppendStreamSubject(b []byte) []byte {
	b = append(append(b, "milepost.events."...), e.District...)
	b = append(append(b, '.'), e.Subject...)
	return append(append(b, '.'), strings.TrimSuffix(string(e.Type), ".v1")...)
}

// PublicationSubject is the subject of the events that publish or withdraw the
// editions of one kind and year, such as "_month-2025": their numbering is one
// sequence on the stream.
func PublicationSubject(kind string, year int) string {
	return fmt.Sprintf("_%s-%04d", kind, year)
}
