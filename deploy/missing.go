package deploy

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"

	"milepost/consumers"
	"milepost/schemas"
)

// missingRows makes what the views with parameters did not find: ledgers,
// bulletins and assessments. The ClickHouse endpoint serves before there is a
// warehouse to make them from; until then nothing can be made.
type missingRows struct {
	maker atomic.Pointer[rowMaker]
}

type rowMaker struct {
	ledgers datedLedgers
	figures *figureMaker
	applied *consumers.Applied
	log     *slog.Logger
}

func (m *missingRows) serve(a *App) {
	m.maker.Store(&rowMaker{ledgers: a.ledgers, figures: a.figures, applied: a.applied, log: a.log})
}

// store makes what the view's exception names, and tells whether the statement
// can run again. What lies past the applied watermark is not known yet; the
// exception then stands.
func (m *missingRows) store(ctx context.Context, exception string) bool {
	maker := m.maker.Load()
	wanted, named := missingIn(exception)
	if maker == nil || !named {
		return false
	}
	watermark, err := maker.applied.Watermark(ctx)
	if err != nil || wanted.known > watermark {
		return false
	}
	if err := wanted.make(ctx, maker); err != nil {
		maker.log.WarnContext(ctx, "what an analyst asked for was not stored", "wanted", wanted.name, "known", wanted.known, "error", err)
		return false
	}
	return true
}

// missing is what a view did not find.
type missing struct {
	name  string
	known uint64
	make  func(context.Context, *rowMaker) error
}

// missingIn reads what the view's exception says.
func missingIn(exception string) (missing, bool) {
	if day, known, ok := marked(exception, "ledger not stored: as_of="); ok {
		asOf, err := schemas.ParseDate(day)
		return missing{"ledger " + day, known, func(ctx context.Context, m *rowMaker) error {
			return m.ledgers.on(asOf).Store(ctx, schemas.LedgerCut(asOf, known))
		}}, err == nil
	}
	if text, known, ok := marked(exception, "bulletin not stored: period="); ok {
		period, err := schemas.ParsePeriod(text)
		return missing{"bulletin " + text, known, func(ctx context.Context, m *rowMaker) error { return m.figures.bulletin(ctx, period, known) }}, err == nil
	}
	if text, known, ok := marked(exception, "assessment not stored: year="); ok {
		year, err := schemas.ParseYear(text)
		return missing{"assessment " + text, known, func(ctx context.Context, m *rowMaker) error { return m.figures.assessment(ctx, year, known) }}, err == nil
	}
	return missing{}, false
}

// marked reads the marker, its value, " known=", a sequence and ";".
func marked(exception, marker string) (value string, known uint64, ok bool) {
	_, rest, found := strings.Cut(exception, marker)
	if !found {
		return "", 0, false
	}
	value, rest, found = strings.Cut(rest, " known=")
	if !found {
		return "", 0, false
	}
	number, _, _ := strings.Cut(rest, ";")
	known, err := strconv.ParseUint(number, 10, 64)
	return value, known, err == nil
}
