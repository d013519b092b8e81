// Package histories makes up histories of any size: the events of a province's
// offices over years. Every name is made up. It keeps no events: what a project
// does in a month follows from the seed, so that memory does not grow with the
// size.
package histories

import (
	"fmt"
	"iter"
	"time"

	"milepost/schemas"
)

// The bounds of a [Province].
const (
	MaxProjects = 2_000_000
	MaxYears    = 30
	MinLife     = 6
	MaxLife     = 360
	// DefaultLife is how many months a project reports, on average.
	DefaultLife = 24
)

// defaultLast is the last month that is reported.
func defaultLast() schemas.Month { return schemas.NewMonth(2025, time.December) }

// Province is a province whose projects come, report month by month and are
// completed, over some years.
type Province struct {
	Projects int           // 1 to MaxProjects
	Years    int           // 1 to MaxYears
	Seed     uint64        // the same seed gives the same events
	Last     schemas.Month // the last reported month; 0 is defaultLast()
	Life     int           // months that a project reports, on average, MinLife to MaxLife; 0 is DefaultLife
}

// settled fills in defaults and checks the bounds; an error has the code
// invalid and names the field.
func (p Province) settled() (Province, error) {
	if p.Last == 0 {
		p.Last = defaultLast()
	}
	if p.Life == 0 {
		p.Life = DefaultLife
	}
	for _, bound := range []struct {
		field              string
		value, least, most int
	}{
		{"projects", p.Projects, 1, MaxProjects}, {"years", p.Years, 1, MaxYears}, {"life", p.Life, MinLife, MaxLife},
		{"last", p.Last.Year(), 1950, 2200},
	} {
		if bound.value < bound.least || bound.value > bound.most {
			return p, &schemas.Error{
				Code: schemas.Invalid, Field: bound.field, Value: fmt.Sprint(bound.value), Message: "out of range",
				Hint: fmt.Sprintf("choose %d to %d", bound.least, bound.most),
			}
		}
	}
	return p, nil
}

// Events yields the events month by month, and within a month project by
// project: about the order in which they reach a stream. All are valid under
// the rules by default and no two have the same identity. Among them are late
// and corrected reports, approved and other plans, moves, suspensions,
// cancellations and revocations.
func (p Province) Events() iter.Seq2[*schemas.Event, error] {
	return func(yield func(*schemas.Event, error) bool) {
		p, err := p.settled()
		if err != nil {
			yield(nil, err)
			return
		}
		districts := schemas.DefaultRules().DistrictCodes()
		first := p.Last - schemas.Month(12*p.Years) + 1
		for month := first; month <= p.Last; month++ {
			for n := range p.Projects {
				l := p.lifeOf(n, districts)
				if month < l.registered || month > l.end {
					continue
				}
				for i := range maxInMonth {
					if made, happens := l.event(month, i); happens && !yield(schemas.NewEvent(made)) {
						return
					}
				}
			}
		}
	}
}

// lifeOf gives what the seed has in mind for a project.
func (p Province) lifeOf(n int, districts []string) life {
	l := life{fact: fact{project: n, random: scramble(scramble(p.Seed) + uint64(n))}, districts: districts}
	span := 12 * p.Years
	l.months = min(MinLife+l.number(1, 2*(p.Life-MinLife)+1), span)
	// A life as long as the history begins in its first half.
	l.registered = p.Last - schemas.Month(span) + 1 + schemas.Month(l.number(2, span-l.months/2))
	l.end = min(l.registered+schemas.Month(l.months), p.Last)
	l.district = districts[l.number(3, len(districts))]
	l.annual = schemas.MoneyFromWan(int64(1200 + 12*l.number(4, 4000)))
	l.pace = 55 + l.number(5, 55)
	if l.number(6, 50) == 0 {
		l.suspended = l.registered + schemas.Month(3+l.number(7, max(1, l.months-3)))
	}
	if l.number(8, 60) == 0 {
		l.cancelled = l.registered + schemas.Month(l.months)
	}
	if l.number(9, 100) == 0 {
		l.moved = l.registered + schemas.Month(2+l.number(10, max(1, l.months-2)))
	}
	return l
}
