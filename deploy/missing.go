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

// missingLedgers makes the ledgers that the view ledger(as_of, known) did not
// find. The ClickHouse endpoint serves before there is a warehouse to make them
// from; until then nothing can be made.
type missingLedgers struct {
	maker atomic.Pointer[ledgerMaker]
}

type ledgerMaker struct {
	ledgers datedLedgers
	applied *consumers.Applied
	log     *slog.Logger
}

func (m *missingLedgers) serve(a *App) {
	m.maker.Store(&ledgerMaker{ledgers: a.ledgers, applied: a.applied, log: a.log})
}

// store makes the ledger that the view's exception names, and tells whether
// the statement can run again. A ledger past the applied watermark is not known
// yet; the exception then stands.
func (m *missingLedgers) store(ctx context.Context, exception string) bool {
	maker := m.maker.Load()
	cut, named := missingCut(exception)
	if maker == nil || !named {
		return false
	}
	watermark, err := maker.applied.Watermark(ctx)
	if err != nil || cut.KnownSeq > watermark {
		return false
	}
	if err := maker.ledgers.on(cut.AsOf).Store(ctx, cut); err != nil {
		maker.log.WarnContext(ctx, "a ledger that an analyst asked for was not stored", "as_of", cut.AsOf.String(), "known", cut.KnownSeq, "error", err)
		return false
	}
	return true
}

// missingCut reads what the view's exception says.
func missingCut(exception string) (schemas.Cut, bool) {
	_, rest, found := strings.Cut(exception, "ledger not stored: as_of=")
	if !found {
		return schemas.Cut{}, false
	}
	day, rest, found := strings.Cut(rest, " known=")
	if !found {
		return schemas.Cut{}, false
	}
	asOf, err := schemas.ParseDate(day)
	if err != nil {
		return schemas.Cut{}, false
	}
	number, _, _ := strings.Cut(rest, ";")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return schemas.Cut{}, false
	}
	return schemas.LedgerCut(asOf, seq), true
}
