package ledger

import (
	"fmt"
	"slices"
	"strings"

	"milepost/schemas"
)

// editionsOf gives the bulletins published with a sequence up to S that were
// neither withdrawn nor revoked by then.
func (k *Known) editionsOf(facts []Fact) []Edition {
	type numbered struct {
		kind, period string
		number       int
	}
	withdrawn := map[numbered]uint64{}
	for i := range facts {
		if p, ok := facts[i].Data.(*schemas.Publication); ok && facts[i].Type == schemas.BulletinWithdrawn && facts[i].Seq <= k.Seq && facts[i].District == schemas.CityDistrict {
			withdrawn[numbered{p.Kind, p.Period, p.Number}] = facts[i].Seq
		}
	}
	var list []Edition
	for i := range facts {
		f := &facts[i]
		p, ok := f.Data.(*schemas.Publication)
		if !ok || f.Type != schemas.BulletinPublished || f.Seq > k.Seq || f.District != schemas.CityDistrict || k.Revoked(f) {
			continue
		}
		if at, gone := withdrawn[numbered{p.Kind, p.Period, p.Number}]; gone && at > f.Seq {
			continue
		}
		period, err := schemas.ParsePeriod(p.Period)
		if err != nil {
			continue // refused by the schema before it came here
		}
		list = append(list, Edition{Publication: *p, Event: f.ref(), End: period.End})
	}
	slices.SortFunc(list, func(a, b Edition) int { return compareSeq(a.Event.Seq, b.Event.Seq) })
	return list
}

// editionFor gives the latest edition whose period ended on or after the day
// of registration and before the bound.
func (k *Known) editionFor(registeredOn, endBefore schemas.Date) (Edition, bool) {
	for i := len(k.editions) - 1; i >= 0; i-- {
		if e := k.editions[i]; e.End >= registeredOn && e.End < endBefore {
			return e, true
		}
	}
	return Edition{}, false
}

// Latest gives the latest edition of a kind.
func (k *Known) Latest(kind schemas.PeriodKind) (Edition, bool) {
	for i := len(k.editions) - 1; i >= 0; i-- {
		if k.editions[i].Kind == string(kind) {
			return k.editions[i], true
		}
	}
	return Edition{}, false
}

// EditionsFor names the editions that item 6 of 七个一 can see at a cut (the specification, §7): where two S name the same, a
// project about which nothing came between them has the same verdict.
func (k *Known) EditionsFor(endBefore schemas.Date) string {
	var b strings.Builder
	for _, e := range k.editions {
		if e.End < endBefore {
			fmt.Fprintf(&b, "%q %d %s %d\n", schemas.EventID(e.Event.Source, e.Event.ID), e.Event.Seq, e.End, e.KnownSeq)
		}
	}
	return b.String()
}
