package scheduler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"milepost/scheduler/assessment"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/scheduler/render/formats"
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
	// Correction is n for the n-th 更正 of the period; 0 is its first edition.
	Correction int
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
func (s Subject) String() string { return strings.Replace(s.ID(), "-", " ", 1) }

// ID names the edition for people and machines, and its files: bulletin-2025-10,
// bulletin-2025-10-c1 for its first correction, assessment-2025.
func (s Subject) ID() string {
	prefix := "bulletin-"
	if s.Kind == schemas.AssessmentKind {
		prefix = "assessment-"
	}
	return prefix + s.place()
}

// place is the part of the id after its kind.
func (s Subject) place() string {
	if s.Correction == 0 {
		return s.Period
	}
	return s.Period + "-c" + strconv.Itoa(s.Correction)
}

// ParseID reads what ID wrote; a period alone stands for its first bulletin.
func ParseID(id string) (Subject, error) {
	bad := &schemas.Error{Code: schemas.Invalid, Message: "not the id of an edition", Field: "id", Value: schemas.Shorten(id),
		Hint: "write it like bulletin-2025-10, bulletin-2025-10-c1 or assessment-2025; see milepost editions"}
	kind, rest := "bulletin", id
	for _, known := range []string{"bulletin", "assessment"} {
		if after, ok := strings.CutPrefix(id, known+"-"); ok {
			kind, rest = known, after
		}
	}
	correction := 0
	if period, n, found := strings.Cut(rest, "-c"); found {
		var err error
		if correction, err = strconv.Atoi(n); err != nil || correction < 1 || correction > 999 || strconv.Itoa(correction) != n {
			return Subject{}, bad
		}
		rest = period
	}
	period, err := schemas.ParsePeriod(rest)
	if err != nil || kind == "assessment" && period.Kind != schemas.Year {
		return Subject{}, bad
	}
	subject := Bulletin(period)
	if kind == "assessment" {
		subject = Assessment(period.End.Year())
	}
	subject.Correction = correction
	return subject, nil
}

// Edition is a published bulletin or a finalised assessment.
type Edition struct {
	schemas.Publication
	// Seq is the publication's sequence on the stream.
	Seq uint64
	// At is the time of the publication; its Shanghai day is the 成文日期.
	At time.Time
	// Withdrawn is the tombstone; nil while the edition stands.
	Withdrawn *schemas.EditionWithdrawal
}

// Announcement is an assessment that was announced (公示) until a day.
type Announcement struct {
	Edition
	Until schemas.Date
}

// Issued is what was published of one kind and year.
type Issued struct {
	// Editions may be in any order; an edition that was withdrawn keeps its
	// number and stays among them.
	Editions []Edition
	// LastSeq is the last sequence of the subject that the editions share, 0
	// while it has no message.
	LastSeq uint64
	// Announced is the latest announcement of an assessment; nil when there is
	// none.
	Announced *Announcement
	// Announcements counts them: the second and later ones replace the one before.
	Announcements int
	Objections    []schemas.EditionObjection
}

// ofPeriod gives the editions of the period by number: the first one and its
// corrections.
func (i *Issued) ofPeriod(period string) []Edition {
	var list []Edition
	for _, e := range i.Editions {
		if e.Period == period {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Edition) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

// exactly gives the edition of the subject: the first of its period, or the
// correction that the subject names.
func (i *Issued) exactly(subject Subject) (Edition, bool) {
	list := i.ofPeriod(subject.Period)
	if subject.Correction >= len(list) {
		return Edition{}, false
	}
	return list[subject.Correction], true
}

// subjectOf gives the subject that names the edition exactly.
func (i *Issued) subjectOf(edition Edition, year int) Subject {
	place := slices.IndexFunc(i.ofPeriod(edition.Period), func(e Edition) bool { return e.Number == edition.Number })
	return Subject{Kind: edition.Kind, Period: edition.Period, Year: year, Correction: max(place, 0)}
}

// corrected gives the edition that a correction corrects: the one before it.
func (i *Issued) corrected(subject Subject) *Edition {
	if subject.Correction == 0 {
		return nil
	}
	subject.Correction--
	before, found := i.exactly(subject)
	if !found {
		return nil
	}
	return &before
}

// of gives the edition of the subject's period with the greatest number.
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

// Numbering is a sequence of numbers: those of a kind and a year.
type Numbering struct {
	Kind string
	Year int
}

// Editions are the publications on the stream. They are read from the stream
// itself, since the warehouse may lag behind it.
type Editions interface {
	// Published gives the editions of the kind (that of a period, or
	// schemas.AssessmentKind) whose numbers belong to the year.
	Published(ctx context.Context, kind string, year int) (Issued, error)
	// Numberings lists the kinds and years that have events on editions.
	Numberings(ctx context.Context) ([]Numbering, error)
	// Append adds the publication if the last sequence of its subject is still
	// last; else it fails with schemas.Conflict and adds nothing. The event has
	// no Raw and no RawData yet.
	Append(ctx context.Context, publication *schemas.Event, last uint64) (seq uint64, err error)
}

// Draft is a model with all that its files are made from.
type Draft struct {
	bulletin.Draft
	Rules *schemas.Rules
	Printing
}

// Printing is how the files of an edition are made. The zero value prints HTML
// and Markdown in the default words.
type Printing struct {
	Writer  *formats.Writer // nil: the embedded templates
	Formats []string        // nil: html and md; the model itself is always there as JSON
	Style   render.Style
	Remarks render.Remarks
}

// AssessmentDraft is the model of an assessment with the rules it was built
// with.
type AssessmentDraft struct {
	Model *schemas.Assessment
	Rules *schemas.Rules
	Printing
}

// Builder makes drafts at S = known, with the editor's paragraphs of the stored
// draft of the same edition, if there is one. An empty rulesHash asks for the rules in
// force; else the rules with that hash are meant, and schemas.NotFound is the
// answer when they are no longer known.
type Builder interface {
	Build(ctx context.Context, period schemas.Period, known uint64, rulesHash string) (*Draft, error)
	// Correct is Build with restatements against the edition that is corrected.
	Correct(ctx context.Context, period schemas.Period, known uint64, rulesHash string, corrected Edition) (*Draft, error)
	// Assess makes the assessment of the year. It sees the finalised result of
	// the year before when that has a sequence up to known.
	Assess(ctx context.Context, year int, known uint64, rulesHash string) (*AssessmentDraft, error)
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// publicationEvent says on the stream what was published. Its id is that of the
// edition, so that a second one could not count even if it were appended.
func publicationEvent(p schemas.Publication, subject Subject, at time.Time) *schemas.Event {
	if subject.Kind == schemas.AssessmentKind {
		id := "assessment.finalised-" + p.Period
		if p.Number > 1 {
			id += fmt.Sprintf("-%d", p.Number)
		}
		return editionEvent(schemas.AssessmentFinalised, id, p, subject, at)
	}
	return editionEvent(schemas.BulletinPublished, "bulletin.published-"+subject.place(), p, subject, at)
}

// editionEvent makes an event on the editions of the subject's kind and year.
func editionEvent(t schemas.Type, id string, p schemas.Publication, subject Subject, at time.Time) *schemas.Event {
	return &schemas.Event{
		Source: Source, ID: id, Type: t, Subject: schemas.PublicationSubject(p.Kind, subject.Year), District: schemas.CityDistrict,
		Time: at.In(schemas.Location), Data: &p,
	}
}
