package pages

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"milepost/schemas"
)

// TestTurnedRedComparesTwoLedgers holds what was taken down of the earlier one,
// in and out of order, against both ledgers.
func TestTurnedRedComparesTwoLedgers(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		now, before := someStandings(random, random.IntN(60)), someStandings(random, random.IntN(60))
		was := map[string]schemas.Light{}
		for i := range before {
			was[before[i].ProjectID] = before[i].Light
		}
		var want []turnedRed
		for i := range now {
			if s := &now[i]; !s.Cancelled && s.Light == schemas.Red && was[s.ProjectID] != schemas.Red {
				want = append(want, turnedRed{i, was[s.ProjectID]})
			}
		}
		for _, shuffled := range []bool{false, true} {
			if shuffled {
				random.Shuffle(len(before), func(i, j int) { before[i], before[j] = before[j], before[i] })
			}
			w := newWeekBefore()
			for i := range before {
				w.note(&before[i])
			}
			const most = 5
			first, count := w.turnedRed(now, most)
			if count != len(want) || !slices.Equal(first, want[:min(most, len(want))]) {
				t.Errorf("shuffled %t: %v of %d, want %v", shuffled, first, count, want)
			}
		}
	}
}

// TestBoardListsTheNearestFirst counts what is due, of which it lists the
// nearest in the ledger's order.
func TestBoardListsTheNearestFirst(t *testing.T) {
	t.Parallel()
	l := &schemas.Ledger{AsOf: schemas.NewDate(2025, 10, 31)}
	for i := range 2 * maxListed {
		s := schemas.Standing{ProjectID: string(rune('A' + i)), Light: schemas.Green, Cancelled: i == 0, Suspended: i == 1}
		s.Milestones[schemas.Started].Target = l.AsOf + schemas.Date(1+i%2*5)
		s.Milestones[schemas.Producing].Target = l.AsOf + dueDays + 1
		l.Standings = append(l.Standings, s)
	}
	l.Standings[3].Milestones[schemas.Started].ReachedOn = l.AsOf
	var b boardFigures
	b.count(l)
	want := []due{}
	for i := 2; i < 2*maxListed; i += 2 {
		want = append(want, due{i, schemas.Started})
	}
	want = append(want, due{5, schemas.Started})
	if b.Cancelled != 1 || b.Projects != 2*maxListed-1 || b.allDue != 2*maxListed-3 || !reflect.DeepEqual(b.due, want) {
		t.Errorf("%d due of %d: %v", b.allDue, b.Projects, b.due)
	}
}
