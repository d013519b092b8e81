package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"milepost/schemas"
)

// DraftStore keeps drafts where every replica sees them.
type DraftStore interface {
	// Draft gives the draft with its revision. It fails with schemas.NotFound.
	Draft(ctx context.Context, id string) (draft schemas.EditionDraft, revision uint64, err error)
	// Drafts lists all.
	Drafts(ctx context.Context) ([]schemas.EditionDraft, error)
	// Save stores the draft if it is still at the revision, 0 for a new one;
	// else it fails with schemas.Conflict.
	Save(ctx context.Context, draft schemas.EditionDraft, revision uint64) error
}

// Drafting makes drafts that wait for people. It needs no Scheduler, so that
// jobs in manual mode can be given it.
type Drafting struct {
	Store    DraftStore
	Editions Editions
	Builder  Builder
	Now      func() time.Time
}

// systemActor is who acts when no person does.
const systemActor = "system"

// maxSaves bounds how often another writer of the same draft may be first.
const maxSaves = 10

// DraftDue is that of Drafter.
func (d *Drafting) DraftDue(ctx context.Context, subject Subject, known uint64) (made bool, err error) {
	if _, _, err := d.Store.Draft(ctx, subject.ID()); schemas.CodeOf(err) != schemas.NotFound {
		return false, err
	}
	b, err := d.settle(ctx, subject, known)
	if err != nil {
		return false, err
	}
	_, made, err = d.redraft(ctx, systemActor, subject, b)
	return made, err
}

// settle builds the draft once, so that one that cannot be built is never
// stored, and gives what it stands on: S, the rules of the period, and the
// paragraphs that the office has for it.
func (d *Drafting) settle(ctx context.Context, subject Subject, known uint64) (basis, error) {
	period, err := schemas.ParsePeriod(subject.Period)
	if err != nil {
		return basis{}, err
	}
	draft, err := d.Builder.Build(ctx, period, known, "")
	if err != nil {
		return basis{}, err
	}
	hash, err := draft.Rules.Hash()
	blocks := schemas.EditorBlocks(draft.Remarks)
	return basis{known: known, rulesHash: hash, blocks: &blocks}, err
}

// redraft stores a draft made from the basis. A draft that is there keeps its
// own blocks, unless others are given, its remarks and its consultation; it
// loses its approval. The same again changes nothing.
func (d *Drafting) redraft(ctx context.Context, by string, subject Subject, b basis) (draft schemas.EditionDraft, changed bool, err error) {
	return d.save(ctx, subject.ID(), func(draft *schemas.EditionDraft, there bool) (bool, error) {
		blocks := draft.Blocks
		if b.blocks != nil {
			blocks = *b.blocks
		}
		if there && draft.State == schemas.EditionDrafted && draft.KnownSeq == b.known && draft.RulesHash == b.rulesHash && draft.Remark == b.remark && sameBlocks(draft.Blocks, blocks) {
			return false, nil
		}
		draft.ID, draft.Kind, draft.Period = subject.ID(), subject.Kind, subject.Period
		draft.KnownSeq, draft.RulesHash, draft.Remark, draft.Blocks = b.known, b.rulesHash, b.remark, blocks
		draft.State, draft.Approved, draft.Drafted = schemas.EditionDrafted, nil, d.act(by)
		return true, nil
	})
}

func sameBlocks(a, b schemas.EditorBlocks) bool {
	return slices.Equal(a.Instructions, b.Instructions) && slices.Equal(a.Causes, b.Causes) && slices.Equal(a.Next, b.Next)
}

func (d *Drafting) act(by string) schemas.EditionAct {
	return schemas.EditionAct{By: by, At: d.Now().Truncate(time.Millisecond)}
}

// save changes the draft and stores it; when another writer comes first it
// looks at what that one wrote, and changes that.
func (d *Drafting) save(ctx context.Context, id string, change func(draft *schemas.EditionDraft, there bool) (changed bool, err error)) (schemas.EditionDraft, bool, error) {
	for range maxSaves {
		draft, revision, err := d.Store.Draft(ctx, id)
		if err != nil && schemas.CodeOf(err) != schemas.NotFound {
			return draft, false, err
		}
		changed, err := change(&draft, err == nil)
		if err != nil || !changed {
			return draft, false, err
		}
		err = d.Store.Save(ctx, draft, revision)
		if schemas.CodeOf(err) == schemas.Conflict {
			continue
		}
		return draft, err == nil, err
	}
	return schemas.EditionDraft{}, false, &schemas.Error{Code: schemas.Unavailable, Message: "others kept changing the draft", Field: "id", Value: id, Hint: "try again"}
}

// Limits of what people write about a draft.
const (
	maxTextLength  = 2000 // characters
	maxReturns     = 20
	maxDepartments = 200
	maxAnswerBytes = 300_000
)

// checkText refuses an empty or a too long text.
func checkText(field, text string) error {
	if n := len([]rune(text)); n == 0 || n > maxTextLength {
		return &schemas.Error{Code: schemas.Invalid, Message: "a text is needed here, and not a long one", Field: field, Value: schemas.Shorten(text), Hint: fmt.Sprintf("write 1 to %d characters", maxTextLength)}
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return &schemas.Error{Code: schemas.Invalid, Message: "the text has control characters", Field: field, Hint: "write plain text"}
		}
	}
	return nil
}

// checkBlocks holds an editor's own paragraphs to what a document takes.
func checkBlocks(b *schemas.EditorBlocks) error {
	if b == nil {
		return nil
	}
	for _, list := range []struct {
		field      string
		paragraphs []string
	}{{"remarks.instructions", b.Instructions}, {"remarks.causes", b.Causes}, {"remarks.next", b.Next}} {
		if len(list.paragraphs) > 20 {
			return &schemas.Error{Code: schemas.Invalid, Message: "too many paragraphs", Field: list.field, Value: fmt.Sprint(len(list.paragraphs)), Hint: "write at most 20"}
		}
		for _, text := range list.paragraphs {
			if err := checkText(list.field, text); err != nil {
				return err
			}
		}
	}
	return nil
}
