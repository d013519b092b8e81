package scheduler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

// Source is the source of the events that the scheduler writes.
const Source = "/milepost/scheduler"

// Edition is a published bulletin.
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

func (i *Issued) of(period schemas.Period) (Edition, bool) {
	for _, e := range i.Editions {
		if e.Period == period.String() {
			return e, true
		}
	}
	return Edition{}, false
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
	// Published gives the editions of the kind whose numbers belong to the year.
	Published(ctx context.Context, kind schemas.PeriodKind, year int) (Issued, error)
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

// Builder makes the draft of a period at S = known. An empty rulesHash asks for
// the rules in force; else the rules with that hash are meant, and
// schemas.NotFound is the answer when they are no longer known.
type Builder interface {
	Build(ctx context.Context, period schemas.Period, known uint64, rulesHash string) (*Draft, error)
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// publicationEvent says on the stream what was published. Its id is that of the
// period, so that a second one could not count even if it were appended.
func publicationEvent(p schemas.Publication, period schemas.Period, at time.Time) *schemas.Event {
	return &schemas.Event{
		Source: Source, ID: "bulletin.published-" + p.Period, Type: schemas.BulletinPublished,
		Subject: schemas.PublicationSubject(p.Kind, period.IssueYear()), District: schemas.CityDistrict, Time: at.In(schemas.Location), Data: &p,
	}
}
