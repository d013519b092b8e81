package warehouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"milepost/schemas"
)

// cell is a value of a row with the name of its column.
type cell struct {
	name  string
	value any
}

// insertCells writes rows that all have the same columns.
func (w *Warehouse) insertCells(ctx context.Context, table string, rows [][]cell) error {
	if len(rows) == 0 {
		return nil
	}
	return w.insertRows(ctx, table, rows[0], func(send func([]cell) error) error {
		for _, row := range rows {
			if err := send(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertFigures writes the figures, with further cells that every row has.
func (w *Warehouse) insertFigures(ctx context.Context, table string, figures []schemas.ModelFigure, further []cell) error {
	row := append([]cell{{name: "path"}, {name: "value"}, {name: "number"}}, further...)
	return w.insertRows(ctx, table, row, func(send func([]cell) error) error {
		for i := range figures {
			f := &figures[i]
			var number *decimal.Decimal
			if digits, ok := f.Number(); ok {
				exact, err := decimal.NewFromString(digits)
				if err != nil {
					return fmt.Errorf("figure %s: %w", f.Path, err)
				}
				number = &exact
			}
			row[0].value, row[1].value, row[2].value = f.Path, string(f.Value), number
			if err := send(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertRows writes what each sends as one batch; all rows have the columns of
// the head.
func (w *Warehouse) insertRows(ctx context.Context, table string, head []cell, each func(send func([]cell) error) error) error {
	names := make([]string, len(head))
	for i, c := range head {
		names[i] = c.name
	}
	batch, err := w.conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return unavailable("store the rows of "+table, err)
	}
	defer batch.Close()
	record := make([]any, len(head))
	err = each(func(row []cell) error {
		for i, c := range row {
			record[i] = sqlValue(c.value)
		}
		return batch.Append(record...)
	})
	if err != nil {
		return fmt.Errorf("a row of %s: %w", table, err)
	}
	if err := batch.Send(); err != nil {
		return unavailable("store the rows of "+table, err)
	}
	return nil
}

// lastCells end every stored row of the cut.
func (c ModelCut) lastCells(at time.Time) []cell {
	period := "period"
	if c.Assessment {
		period = "year"
	}
	return []cell{{period, c.periodValue()}, {"known_seq", c.KnownSeq}, {"rules_hash", c.RulesHash}, {"stored_at", at}, {"expires_at", at.Add(storedLife)}}
}

func rankingCells(g *schemas.RankedGroup, r *schemas.RankedRow) []cell {
	cells := []cell{
		{"kind", g.Kind}, {"group", g.Group}, {"key", r.Key}, {"name", r.Name}, {"projects", r.Projects},
		{"score", r.Score}, {"rank", r.Rank}, {"rank_change", r.RankChange},
		{"completeness", r.Completeness}, {"reports_due", r.ReportsDue}, {"reports_on_time", r.ReportsOnTime},
	}
	return append(append(cells, investmentCells(&r.Investment)...), tallyCells(&r.Milestones)...)
}

func assessedCells(g *schemas.AssessedGroup, r *schemas.AssessedRow) []cell {
	hints := make([]string, len(r.Hints))
	for i, h := range r.Hints {
		hints[i] = string(h)
	}
	reasons := make(map[string]string, len(r.HintReasons))
	for _, h := range r.HintReasons {
		reasons[string(h.Hint)] = h.Reason
	}
	cells := []cell{
		{"kind", g.Kind}, {"group", g.Group}, {"key", r.Key}, {"name", r.Name}, {"projects", r.Projects},
		{"score", r.Score}, {"bonus", r.Bonus}, {"penalty", r.Penalty}, {"adjustment", r.Adjustment}, {"veto", r.Veto}, {"final", r.Final},
		{"rank", r.Rank}, {"grade", (*string)(r.Grade)}, {"hints", hints}, {"hint_reasons", reasons},
		{"completeness", r.Completeness}, {"reports_due", r.ReportsDue}, {"reports_on_time", r.ReportsOnTime},
	}
	return append(append(cells, investmentCells(&r.Investment)...), tallyCells(&r.Milestones)...)
}

func itemCells(g *schemas.AssessedGroup, r *schemas.AssessedRow, item *schemas.AssessmentItem) []cell {
	events := make([][]any, len(item.Events))
	for i, e := range item.Events {
		events[i] = []any{e.Source, e.ID}
	}
	return []cell{
		{"kind", g.Kind}, {"group", g.Group}, {"key", r.Key}, {"name", r.Name}, {"item", item.Item}, {"weight", item.Weight},
		{"numerator", item.Numerator}, {"divisor", item.Divisor}, {"fraction", item.Fraction}, {"points", item.Points}, {"events", events},
	}
}

func investmentCells(c *schemas.InvestmentCount) []cell {
	return []cell{{"plan", c.Plan}, {"invested", c.Invested}, {"rate", c.Rate}, {"time_progress", c.TimeProgress}, {"vs_time", c.VsTime}}
}

func tallyCells(counts *schemas.MilestoneCounts) []cell {
	var cells []cell
	for _, m := range schemas.Milestones() {
		t, word := counts.Of(m), m.String()
		cells = append(cells,
			cell{word + "_due_year", t.DueYear}, cell{word + "_due_to_date", t.DueToDate}, cell{word + "_done", t.Done}, cell{word + "_on_time", t.OnTime},
			cell{word + "_late", t.Late}, cell{word + "_judged", t.Judged}, cell{word + "_new_in_period", t.NewInPeriod},
			cell{word + "_rate_to_date", t.RateToDate}, cell{word + "_rate_year", t.RateYear})
	}
	return cells
}
