package schemas

// Cut says which ledger is meant: ledger(E, S) of the specification §4, and
// which editions item 6 of 七个一 sees.
type Cut struct {
	AsOf     Date   // E
	KnownSeq uint64 // S
	// EditionsBefore bounds the period ends of the editions that item 6 sees:
	// the period's first day for a bulletin, the day after AsOf for a ledger.
	EditionsBefore Date
	// Trace asks for the events behind each standing.
	Trace bool
}

// LedgerCut is the cut of a ledger as of the day, with what was known at the
// sequence.
func LedgerCut(asOf Date, knownSeq uint64) Cut {
	return Cut{AsOf: asOf, KnownSeq: knownSeq, EditionsBefore: asOf + 1}
}

// BulletinCut is the cut of a period's bulletin.
func BulletinCut(p Period, knownSeq uint64) Cut {
	return Cut{AsOf: p.End, KnownSeq: knownSeq, EditionsBefore: p.Start}
}
