package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"milepost/consumers/warehouse"
	"milepost/scheduler/assessment"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/schemas"
)

// printedEditions keeps published_figures: what each published bulletin and
// finalised assessment printed. Its methods are for one goroutine.
type printedEditions struct {
	press     *press
	warehouse *warehouse.Warehouse
	log       *slog.Logger
	// hopeless are the sequences of publications that this process cannot make
	// again.
	hopeless map[uint64]bool
}

func newPrintedEditions(a *App) *printedEditions {
	return &printedEditions{press: a.press, warehouse: a.warehouse, log: a.log, hopeless: map[uint64]bool{}}
}

// store sees that every edition published with a sequence up to known has its
// rows; it heals what a crash left. An edition that cannot be made again as it
// was is told once, and no other waits for it.
func (p *printedEditions) store(ctx context.Context, known uint64) error {
	// What could be read comes also with an error.
	editions, err := p.warehouse.EditionsWithoutFigures(ctx, known)
	failures := []error{err}
	for i := range editions {
		edition := &editions[i]
		if p.hopeless[edition.Seq] {
			continue
		}
		err := p.storeOne(ctx, edition)
		if err == nil {
			continue
		}
		err = fmt.Errorf("figures of %s %s: %w", edition.Kind, edition.Period, err)
		switch schemas.CodeOf(err) {
		case schemas.NotFound, schemas.Conflict, schemas.Invalid:
			p.hopeless[edition.Seq] = true
			p.log.ErrorContext(ctx, "a published edition cannot be made again; published_figures lacks it", "kind", edition.Kind, "period", edition.Period, "number", edition.Number, "error", err)
		default:
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (p *printedEditions) storeOne(ctx context.Context, edition *warehouse.PublishedEdition) error {
	figures, text, err := p.again(ctx, edition)
	if err != nil {
		return err
	}
	if !printedAs(edition, text) {
		return &schemas.Error{Code: schemas.Conflict, Message: "made again, it would not be what was published", Field: "rules_hash", Value: edition.RulesHash,
			Hint: "start the version of Milepost that published it once; its figures are then stored for ever"}
	}
	return p.warehouse.StorePublished(ctx, *edition, figures)
}

// again makes the edition from its S and rules: its figures, and its JSON file.
func (p *printedEditions) again(ctx context.Context, edition *warehouse.PublishedEdition) ([]schemas.ModelFigure, []byte, error) {
	period, err := schemas.ParsePeriod(edition.Period)
	if err != nil {
		return nil, nil, err
	}
	var figures []schemas.ModelFigure
	var text bytes.Buffer
	if edition.Kind == schemas.AssessmentKind {
		draft, err := p.press.Assess(ctx, period.End.Year(), edition.KnownSeq, edition.RulesHash)
		if err != nil {
			return nil, nil, err
		}
		if figures, err = assessment.Figures(draft.Model); err != nil {
			return nil, nil, err
		}
		err = render.AssessmentJSON(&text, draft.Model)
		return figures, text.Bytes(), err
	}
	draft, err := p.press.reprint(ctx, period, edition.Publication)
	if err != nil {
		return nil, nil, err
	}
	if figures, err = bulletin.Figures(draft.Model); err != nil {
		return nil, nil, err
	}
	err = render.JSON(&text, draft.Model)
	return figures, text.Bytes(), err
}

// printedAs holds the JSON against the edition's file of the model. A
// publication that names no such file cannot be held against anything.
func printedAs(edition *warehouse.PublishedEdition, text []byte) bool {
	sum := sha256.Sum256(text)
	for _, f := range edition.Files {
		name, isJSON := strings.CutSuffix(f.Name, ".json")
		if isJSON && !strings.HasSuffix(name, "-media") && (strings.HasPrefix(name, "bulletin-"+edition.Period) || strings.HasPrefix(name, "assessment-"+edition.Period)) {
			return f.SHA256 == hex.EncodeToString(sum[:])
		}
	}
	return true
}
