package scheduler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"milepost/scheduler/assessment"
	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

// Source is the source of the events that the scheduler writes.
const Source = "/milepost/scheduler"

// Subject is what an edition is about: the period of a bulletin, or the year of
// an assessment.
type Subject struct {
	Kind   string // of the period, or schemas.AssessmentKind
	Period string // as in Period.String
	Year   int    // whose numbers the edition is one of
}

// Bulletin is the subject of a period's bulletin.
func Bulletin(period schemas.Period) Subject {
	return Subject{Kind: string(period.Kind), Period: period.String(), Year: period.IssueYear()}
}

// Assessment is the subject of a year's assessment.
func Assessment(year int) Subject {
	return Subject{Kind: schemas.AssessmentKind, Period: assessment.Period(year).String(), Year: year}
}

// String names the subject in messages.
func (s Subject) String() string {
	if s.Kind == schemas.AssessmentKind {
		return "assessment " + s.Period
	}
	return "bulletin " + s.Period
}

// Edition is a published bulletin or a finalised assessment.
type Edition struct {
	schemas.Publication
	// Seq is the publication's sequence on the stream.
	Seq uint64
}

// Issued is what was published of one kind and year.
type Issued struct {
	// Editions may be in any order; an edition that was withdrawn keeps its
	// number and stays among them.
	Editions []Edition
	// LastSeq is the last sequence of the subject that the editions share, 0
	// while it has no message.
	LastSeq uint64
}

// of gives the edition of the subject with the greatest number.
func (i *Issued) of(subject Subject) (latest Edition, found bool) {
	for _, e := range i.Editions {
		if e.Period == subject.Period && (!found || e.Number > latest.Number) {
			latest, found = e, true
		}
	}
	return latest, found
}

// next is the number after the last: 1 to n without gaps, as every append
// states the last sequence that it has seen.
func (i *Issued) next() int {
	last := 0
	for _, e := range i.Editions {
		last = max(last, e.Number)
	}
	return last + 1
}

// Editions are the publications on the stream. They are read from the stream
// itself, since the warehouse may lag behind it.
type Editions interface {
	// Published gives the editions of the kind (that of a period, or
	// schemas.AssessmentKind) whose numbers belong to the year.
	Published(ctx context.Context, kind string, year int) (Issued, error)
	// Append adds the publication if the last sequence of its subject is still
	// last; else it fails with schemas.Conflict and adds nothing. The event has
	// no Raw and no RawData yet.
	Append(ctx context.Context, publication *schemas.Event, last uint64) (seq uint64, err error)
}

// Draft is a model with all that its files are made from.
type Draft struct {
	bulletin.Draft
	Rules *schemas.Rules
}

// AssessmentDraft is the model of an assessment with the rules it was built
// with.
type AssessmentDraft struct {
	Model *schemas.Assessment
	Rules *schemas.Rules
}

// Builder makes drafts at S = known. An empty rulesHash asks for the rules in
// force; else the rules with that hash are meant, and schemas.NotFound is the
// answer when they are no longer known.
type Builder interface {
	Build(ctx context.Context, period schemas.Period, known uint64, rulesHash string) (*Draft, error)
	// Assess makes the assessment of the year. It sees the finalised result of
	// the year before when that has a sequence up to known.
	Assess(ctx context.Context, year int, known uint64, rulesHash string) (*AssessmentDraft, error)
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// publicationEvent says on the stream what was published. Its id is that of the
// subject and, for a correction, its number, so that a second one could not
// count even if it were appended.
func publicationEvent(p schemas.Publication, subject Subject, at time.Time) *schemas.Event {
	event := &schemas.Event{
		Source: Source, ID: "bulletin.published-" + p.Period, Type: schemas.BulletinPublished,
		Subject: schemas.PublicationSubject(p.Kind, subject.Year), District: schemas.CityDistrict, Time: at.In(schemas.Location), Data: &p,
	}
	if subject.Kind == schemas.AssessmentKind {
		event.ID, event.Type = "assessment.finalised-"+p.Period, schemas.AssessmentFinalised
		if p.Number > 1 {
			event.ID += fmt.Sprintf("-%d", p.Number)
		}
	}
	return event
}
