package ledger

import (
	"slices"

	"milepost/schemas"
)

// Older says of a project whose older progress reports were left out what there
// is of them. They are most of a long history and rarely matter: the history
// notices when they do (see History.lacks), and the project is judged again
// with everything.
type Older struct {
	// Before is a January: reports for earlier months may be left out.
	Before schemas.Month
	// Districts are those that sent what was left out; none: nothing was.
	Districts []string
}

// ReportsFrom gives the month, a January, before which the ledgers of the cuts
// do without the reports of most projects. A month's increment needs the
// reports of its whole year (specification §5, Status).
func ReportsFrom(rules *schemas.Rules, cuts []schemas.Cut) schemas.Month {
	var from schemas.Month
	for i, cut := range cuts {
		// 一本台账 looks at the month before the reporting month.
		month := rules.ReportingMonth(cut.AsOf) - schemas.Month(max(rules.StalledMonths-1, 1))
		if january := month - schemas.Month(month.Number()-1); i == 0 || january < from {
			from = january
		}
	}
	return from
}

// lacks tells whether what was left out of the history could change what it
// says at the cuts. It is asked after the cuts were judged, because only then
// is known how far back a standstill reaches.
func (h *History) lacks(cuts []schemas.Cut) bool {
	if len(h.older.Districts) == 0 {
		return false
	}
	if h.tooShort {
		return true
	}
	// Without a registration each event is an orphan, and counted.
	for _, cut := range cuts {
		if !h.registeredBy(cut.AsOf) {
			return true
		}
	}
	// Those that do not count because of who sent them are listed.
	for _, district := range h.older.Districts {
		if district != schemas.CityDistrict && !slices.Contains(h.districts, district) {
			return true
		}
	}
	return false
}

// reaches tells whether the history has what the status at the end of a month
// depends on, and notes when it has not.
func (h *History) reaches(month schemas.Month) bool {
	first := month - schemas.Month(max(h.rules.StalledMonths-1, 0))
	if len(h.older.Districts) > 0 && first < h.older.Before {
		h.tooShort = true
	}
	return !h.tooShort
}
