// Package ledger is the meaning of the events: which of them count at a stream
// sequence S, and what they say of a project as of a day E (specification §3 to
// §8). It is pure: no I/O, no clock.
package ledger

import (
	"strings"
	"time"

	"milepost/schemas"
)

// Fact is an accepted event as the ledger needs it.
type Fact struct {
	Seq      uint64
	Source   string
	ID       string
	Type     schemas.Type
	District string // of the sender
	Time     time.Time
	Data     schemas.Data
}

// ref names the fact's event.
func (f *Fact) ref() schemas.EventRef {
	if f == nil {
		return schemas.EventRef{}
	}
	// A reference outlives the facts; it must not keep their text in memory.
	return schemas.EventRef{Source: strings.Clone(f.Source), ID: strings.Clone(f.ID), Seq: f.Seq}
}

// Edition is a bulletin that was published and not withdrawn.
type Edition struct {
	schemas.Publication
	Event schemas.EventRef // of the publication
	End   schemas.Date     // of the period
}

// Known is what holds for every project at one S: the revocations and the
// editions. It is made once and read by many.
type Known struct {
	// Seq is S: facts with a greater sequence are not known.
	Seq uint64
	// revoked gives, by event id, the lowest sequence of a revocation that
	// counts.
	revoked map[string]uint64
	// editions are in the order of their sequence.
	editions []Edition
}

// NewKnown collects the revocations and editions with a sequence up to seq.
// Facts of other types are passed over; the order of facts does not matter, but
// each identity must come once.
func NewKnown(seq uint64, facts []Fact) *Known {
	k := &Known{Seq: seq, revoked: map[string]uint64{}}
	for i := range facts {
		f := &facts[i]
		r, ok := f.Data.(*schemas.Revoked)
		if !ok || f.Seq > seq || !revocationCounts(f, r) {
			continue
		}
		id := schemas.EventID(r.Source, r.ID)
		if first, ok := k.revoked[id]; !ok || f.Seq < first {
			k.revoked[id] = f.Seq
		}
	}
	k.editions = k.editionsOf(facts)
	return k
}

// Revoked tells whether a revocation that is known at S names the event.
// Revoking a revocation has no effect (specification §4).
func (k *Known) Revoked(f *Fact) bool { return k.revokedAt(f, k.Seq) }

func (k *Known) revokedAt(f *Fact, seq uint64) bool {
	if len(k.revoked) == 0 || f.Type == schemas.EventRevoked {
		return false
	}
	first, ok := k.revoked[schemas.EventID(f.Source, f.ID)]
	return ok && first <= seq
}

// revocationCounts holds for a revocation whose source is that of the revoked
// event, and for the city's (specification §3).
func revocationCounts(f *Fact, r *schemas.Revoked) bool {
	return f.Source == r.Source || f.District == schemas.CityDistrict
}
