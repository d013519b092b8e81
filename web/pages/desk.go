package pages

import (
	"context"
	"io"

	"milepost/schemas"
)

// Desk is where editions are signed off; the commands and the HTTP interface act
// through the same. Who acts is in the context (schemas.PrincipalOf); ids are
// those of schemas.EditionStatus.
type Desk interface {
	// Editions lists drafts and editions.
	Editions(ctx context.Context) ([]schemas.EditionStatus, error)
	// Edition fails with schemas.NotFound when there is neither a draft nor an
	// edition.
	Edition(ctx context.Context, id string) (schemas.EditionStatus, error)
	// Printed writes an edition (official or media) in a format, for who may
	// read it.
	Printed(ctx context.Context, w io.Writer, id, edition, format string) error
	EditionFile(ctx context.Context, id, name string) (content []byte, sha256 string, err error)

	DraftEdition(ctx context.Context, id string, blocks *schemas.EditorBlocks) (schemas.EditionStatus, error)
	Approve(ctx context.Context, id string) (schemas.EditionStatus, error)
	Return(ctx context.Context, id, remark string) (schemas.EditionStatus, error)
	PublishEdition(ctx context.Context, id string) (schemas.EditionStatus, error)
	Withdraw(ctx context.Context, id, reason string) (schemas.EditionStatus, error)
	CorrectEdition(ctx context.Context, id, remark string, blocks *schemas.EditorBlocks, draftOnly bool) (schemas.EditionStatus, error)

	// Consult asks departments until a day; without any, all that the draft
	// counts.
	Consult(ctx context.Context, id string, departments []string, until schemas.Date) (schemas.EditionStatus, error)
	CloseConsultation(ctx context.Context, id string) (schemas.EditionStatus, error)
	Answer(ctx context.Context, id, department, text string) (schemas.EditionStatus, error)
	// SpeaksFor gives those of the departments that the sender may answer for.
	SpeaksFor(ctx context.Context, departments []string) []string

	// Assess makes the year's assessment as known at the sequence, under the
	// rules in force.
	Assess(ctx context.Context, year int, known uint64) (*schemas.Assessment, error)
	Announce(ctx context.Context, year, days int, again bool) (schemas.EditionStatus, error)
	Object(ctx context.Context, year int, group, key, text string) (schemas.EditionStatus, error)
	// Finalise finalises the year once.
	Finalise(ctx context.Context, year int) error
	// EventsBehind gives the events of the references that the warehouse has,
	// with their projects.
	EventsBehind(ctx context.Context, refs []schemas.EventRef) ([]TracedEvent, error)
}

// TracedEvent is an event behind a point, with the project that it is about.
type TracedEvent struct {
	StoredEvent
	ProjectID, ProjectName string
}
