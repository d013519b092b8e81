package pages

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"milepost/schemas"
)

// cut says which ledger a page shows (specification §4).
type cut struct {
	asOf  schemas.Date
	known uint64
}

// Bounds of the ledgers that are held in memory beside the newest one: those of
// other days, and those of today that links still lead to. A standing takes
// about a kilobyte.
const (
	keptSnapshots   = 4
	keptStandings   = 400_000 // of all; one ledger alone may have more
	keptUnused      = 10 * time.Minute
	snapshotsAtOnce = 1 // is made, beside the newest one
	// ledgerTime bounds how long a ledger, and its board, may take to be made: of a
	// million projects the first of a day takes four minutes.
	ledgerTime = 15 * time.Minute
)

func (p *Pages) newSnapshots() *shelf[cut, *snapshot] {
	return newHeavyShelf(keptSnapshots, &load[*snapshot]{
		most: keptStandings, weigh: func(s *snapshot) int { return len(s.ledger.Standings) }, turns: make(chan struct{}, snapshotsAtOnce), time: ledgerTime, idle: keptUnused,
	}, p.Now, p.takeSnapshot)
}

// turnedDays is how far back the board looks for what turned red.
const turnedDays = 7

// snapshot is a ledger and what pages derive from it. It never changes.
type snapshot struct {
	cut
	rules  *schemas.Rules
	ledger *schemas.Ledger
	// turned are the first of those that have turned red since turnedDays before,
	// as known now, and allTurned counts them.
	turned    []turnedRed
	allTurned int
	board     lasting[*boardFigures]
	index     func() *ledgerIndex
	text      func() *searchText
}

func (p *Pages) takeSnapshot(ctx context.Context, c cut) (*snapshot, error) {
	before := newWeekBefore()
	ledger, err := p.Ledgers.LedgerAndBefore(ctx, schemas.LedgerCut(c.asOf, c.known), schemas.LedgerCut(c.asOf-turnedDays, c.known), before.note)
	if err != nil {
		return nil, err
	}
	s := &snapshot{cut: c, rules: p.Rules.On(c.asOf), ledger: ledger}
	s.derive()
	s.turned, s.allTurned = before.turnedRed(ledger.Standings, maxListed)
	s.board.make = func() (*boardFigures, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTime)
		defer cancel()
		return p.countBoard(ctx, s)
	}
	return s, nil
}

// derive says how to make what is made when it is first asked for.
func (s *snapshot) derive() {
	s.index = sync.OnceValue(func() *ledgerIndex { return indexLedger(s.ledger.Standings, s.rules) })
	s.text = sync.OnceValue(func() *searchText { return newSearchText(s.ledger.Standings) })
}

// warm makes what nearly every visitor looks at.
func (s *snapshot) warm() error {
	s.index()
	_, err := s.board.get()
	return err
}

// view is the ledger that a request asks for, and how it asked.
type view struct {
	*snapshot
	// AsOf and Known are as given; empty for today and for what is known now.
	AsOf, Known string
}

// Live tells whether the page follows the news.
func (v *view) Live() bool { return v.AsOf == "" && v.Known == "" }

// view reads as_of (a day), known (a sequence, or a day whose end is meant) and
// seq (the least sequence that today's ledger must know).
func (p *Pages) view(r *http.Request) (*view, error) {
	v := &view{AsOf: r.FormValue("as_of"), Known: r.FormValue("known")}
	ctx := r.Context()
	if v.Live() {
		least, err := p.least(ctx, r.FormValue("seq"))
		if err != nil {
			return nil, err
		}
		v.snapshot, err = p.now(ctx, least)
		return v, err
	}
	c := cut{asOf: schemas.DateOf(p.Now())}
	var err error
	if v.AsOf != "" {
		if c.asOf, err = schemas.ParseDate(v.AsOf); err != nil {
			return nil, inField(err, "as_of", v.AsOf)
		}
	}
	if c.known, err = p.known(ctx, v.Known); err != nil {
		return nil, err
	}
	v.snapshot, err = p.at(ctx, c)
	return v, err
}

// least waits for the sequence that the browser has heard of.
func (p *Pages) least(ctx context.Context, given string) (uint64, error) {
	if given == "" {
		return 0, nil
	}
	seq, err := strconv.ParseUint(given, 10, 64)
	if err != nil {
		return 0, inField(err, "seq", given)
	}
	return seq, p.waitApplied(ctx, seq)
}

func (p *Pages) waitApplied(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return p.Knowledge.WaitApplied(ctx, seq)
}

func (p *Pages) known(ctx context.Context, given string) (uint64, error) {
	if given == "" {
		return p.Knowledge.Watermark(ctx)
	}
	if seq, err := strconv.ParseUint(given, 10, 64); err == nil {
		return seq, p.waitApplied(ctx, seq)
	}
	day, err := schemas.ParseDate(given)
	if err != nil {
		return 0, inField(err, "known", given)
	}
	return p.Knowledge.SequenceAt(ctx, (day + 1).Start().Add(-time.Nanosecond))
}

func inField(err error, field, value string) error {
	return &schemas.Error{Code: schemas.Invalid, Field: field, Value: schemas.Shorten(value), Message: "not a date", Hint: "write a day such as 2025-10-31", Err: err}
}
