package warehouse

import (
	"context"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

// The models whose rows are stored.
const (
	bulletinModel   = "bulletin"
	assessmentModel = "assessment"
)

// ModelCut says which stored bulletin or assessment is meant.
type ModelCut struct {
	// Assessment tells that it is an assessment; its Period is the year.
	Assessment bool
	Period     string
	KnownSeq   uint64
	RulesHash  string
}

// AssessmentCut is the cut of a year's assessment.
func AssessmentCut(year int, known uint64, rulesHash string) ModelCut {
	return ModelCut{Assessment: true, Period: strconv.Itoa(year), KnownSeq: known, RulesHash: rulesHash}
}

// periodValue is the value of the column period, or year.
func (c ModelCut) periodValue() any {
	if year, err := strconv.ParseUint(c.Period, 10, 16); c.Assessment && err == nil {
		return uint16(year)
	}
	return c.Period
}

func (c ModelCut) model() string {
	if c.Assessment {
		return assessmentModel
	}
	return bulletinModel
}

// HoldsModel tells whether the model is stored and answers for a while yet.
func (w *Warehouse) HoldsModel(ctx context.Context, cut ModelCut) (bool, error) {
	var stored uint64
	err := w.conn.QueryRow(ctx, "SELECT count() FROM model_cuts WHERE model = {model:String} AND period = {period:String} AND known_seq = {known:UInt64} AND rules_hash = {hash:String} AND expires_at > fromUnixTimestamp({soon:Int64})",
		named("model", cut.model()), named("period", cut.Period), named("known", cut.KnownSeq), named("hash", cut.RulesHash), named("soon", w.now().Add(time.Hour).Unix())).Scan(&stored)
	if err != nil {
		return false, unavailable("look for the stored figures", err)
	}
	return stored > 0, nil
}

// StoreBulletin keeps the figures and group rows of a bulletin where
// figures(period, known) and rankings(period, known) find them, for some days.
// Storing it twice changes nothing.
func (w *Warehouse) StoreBulletin(ctx context.Context, model *schemas.Bulletin, figures []schemas.ModelFigure, rulesHash string) error {
	cut := ModelCut{Period: model.Period, KnownSeq: model.KnownSeq, RulesHash: rulesHash}
	at := w.now()
	last := cut.lastCells(at)
	if err := w.insertFigures(ctx, "figure_rows", figures, last); err != nil {
		return err
	}
	var rows [][]cell
	for i := range model.Groups {
		for j := range model.Groups[i].Rows {
			rows = append(rows, append(rankingCells(&model.Groups[i], &model.Groups[i].Rows[j]), last...))
		}
	}
	if err := w.insertCells(ctx, "ranking_rows", rows); err != nil {
		return err
	}
	return w.recordModel(ctx, cut, at)
}

// StoreAssessment keeps the rows of an assessment where assessment(year, known)
// and assessment_items(year, known) find them, for some days. Storing it twice
// changes nothing.
func (w *Warehouse) StoreAssessment(ctx context.Context, model *schemas.Assessment, rulesHash string) error {
	cut := AssessmentCut(model.Year, model.KnownSeq, rulesHash)
	at := w.now()
	last := cut.lastCells(at)
	var rows, items [][]cell
	for i := range model.Groups {
		g := &model.Groups[i]
		for j := range g.Rows {
			rows = append(rows, append(assessedCells(g, &g.Rows[j]), last...))
			for k := range g.Rows[j].Items {
				items = append(items, append(itemCells(g, &g.Rows[j], &g.Rows[j].Items[k]), last...))
			}
		}
	}
	if err := w.insertCells(ctx, "assessment_rows", rows); err != nil {
		return err
	}
	if err := w.insertCells(ctx, "assessment_item_rows", items); err != nil {
		return err
	}
	return w.recordModel(ctx, cut, at)
}

// recordModel notes that a model's rows are complete.
func (w *Warehouse) recordModel(ctx context.Context, cut ModelCut, at time.Time) error {
	err := w.conn.Exec(ctx, "INSERT INTO model_cuts (model, period, known_seq, rules_hash, stored_at, expires_at) SELECT {model:String}, {period:String}, {known:UInt64}, {hash:String}, fromUnixTimestamp64Milli({at:Int64}), fromUnixTimestamp({expires:Int64})",
		named("model", cut.model()), named("period", cut.Period), named("known", cut.KnownSeq), named("hash", cut.RulesHash), named("at", at.UnixMilli()), named("expires", at.Add(storedLife).Unix()))
	if err != nil {
		return unavailable("record the stored figures", err)
	}
	return nil
}

// ForgetModels forgets the stored models for which outdated holds: after a
// change of the rules they must be made anew.
func (w *Warehouse) ForgetModels(ctx context.Context, outdated func(ModelCut) bool) error {
	type key struct{ model, period, hash string }
	var forget []key
	err := w.each(ctx, "SELECT DISTINCT model, period, rules_hash FROM model_cuts", func(rows driver.Rows) error {
		var k key
		if err := rows.Scan(&k.model, &k.period, &k.hash); err != nil {
			return err
		}
		if outdated(ModelCut{Assessment: k.model == assessmentModel, Period: k.period, RulesHash: k.hash}) {
			forget = append(forget, k)
		}
		return nil
	})
	if err != nil {
		return unavailable("look for figures of other rules", err)
	}
	for _, k := range forget {
		err := w.conn.Exec(ctx, "DELETE FROM model_cuts WHERE model = {model:String} AND period = {period:String} AND rules_hash = {hash:String}",
			named("model", k.model), named("period", k.period), named("hash", k.hash))
		if err != nil {
			return unavailable("forget figures of other rules", err)
		}
	}
	return nil
}
