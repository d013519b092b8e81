package warehouse

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// openJudging gives a warehouse that keeps what it judged of however few subjects.
func openJudging(t *testing.T) *Warehouse {
	w := open(t)
	w.stream, w.program, w.judgedFrom = &fakeStream{}, "test", 1
	return w
}

// taken gives the ledger of a cut of what was judged before, nil when everything has to be judged.
func taken(t *testing.T, r *Reader, cut schemas.Cut) *schemas.Ledger {
	t.Helper()
	facts, err := r.knownFacts(t.Context(), 0, cut.KnownSeq)
	if err != nil {
		t.Fatal(err)
	}
	store, err := r.judgedBefore(t.Context(), ledger.NewKnown(cut.KnownSeq, facts), facts)
	if err != nil {
		t.Fatal(err)
	}
	l, err := store.ledgers(t.Context(), []schemas.Cut{cut})
	if err != nil {
		t.Fatal(err)
	}
	return l[0]
}

// judgingSeeds is how many random histories there are; more were tried when this was written.
const judgingSeeds = 1

// TestWhatWasJudgedBeforeIsWhatIsJudgedNow asks for bulletins of a few periods again and again while random histories arrive
// batch by batch, at what is known now and at what was known before, and compares each answer with a judgement of all
// events. Among them are late events, repeated and contested identities, revocations, moves and publications.
func TestWhatWasJudgedBeforeIsWhatIsJudgedNow(t *testing.T) {
	t.Parallel()
	w := openJudging(t)
	reader := NewReader(w, schemas.DefaultRules())
	type question struct {
		month schemas.Month
		known uint64
	}
	type part struct {
		deliveries []Delivery
		questions  []question
	}
	parts := rapid.Custom(func(rt *rapid.T) []part {
		var list []part
		history := drawHistory(rt, 12)
		for from, to := 0, 0; from < len(history); from = to {
			to = min(from+rapid.IntRange(2, 9).Draw(rt, "batch"), len(history))
			p := part{deliveries: history[from:to]}
			for range 2 {
				known := rapid.OneOf(rapid.Just(to), rapid.Just(to), rapid.IntRange(max(1, to-15), to)).Draw(rt, "known")
				month := schemas.NewMonth(2019, time.March) + schemas.Month(24*rapid.IntRange(0, 2).Draw(rt, "month"))
				p.questions = append(p.questions, question{month, uint64(known)})
			}
			list = append(list, p)
		}
		return list
	})
	asked, before, older := 0, 0, 0
	for seed := 1; seed <= judgingSeeds; seed++ {
		for _, table := range []string{"events", "content_hashes", "contested", "conflict_checks"} {
			if err := w.Clear(t.Context(), table); err != nil {
				t.Fatal(err)
			}
		}
		w.stream = &fakeStream{}
		var history []Delivery
		for _, p := range parts.Example(seed) {
			history = append(history, p.deliveries...)
			w.stream.(*fakeStream).hold(p.deliveries)
			store(t, w, p.deliveries)
			for _, q := range p.questions {
				w.eventsAtOnce = [...]uint64{eventsAtOnce, 7}[q.known%2]
				period := schemas.PeriodContaining(schemas.MonthOf, q.month.First())
				cuts := []schemas.Cut{schemas.BulletinCut(period, q.known), schemas.BulletinCut(period.Previous(), q.known)}
				if q.known%3 == 0 {
					// What is not kept yet is judged while it is shown.
					sameSurvey(t, reader, cuts, judgedWhole(t, history, cuts))
				}
				asked++
				if taken(t, reader, cuts[0]) != nil {
					if before++; q.known < uint64(len(history)) {
						older++
					}
				}
				got, err := reader.Ledgers(t.Context(), cuts...)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(textOf(t, judgedWhole(t, history, cuts)), textOf(t, got)); diff != "" {
					t.Fatalf("seed %d, %s, known %d of %d: %s", seed, period, q.known, len(history), diff)
				}
				sameRows(t, reader, cuts[0], got[0].Standings)
				sameSurvey(t, reader, cuts, got)
			}
		}
	}
	t.Logf("%d bulletins, %d of what was judged before, %d of them of what was known earlier", asked, before, older)
	if before < asked/4 || older == 0 {
		t.Error("too few to tell")
	}
	var cuts, partitions uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT (SELECT count() FROM judged_cuts FINAL), (SELECT uniqExact(partition) FROM system.parts WHERE database = currentDatabase() AND table = 'judged_rows' AND active)").Scan(&cuts, &partitions); err != nil {
		t.Fatal(err)
	}
	if cuts > judgedCuts || partitions > judgedCuts {
		t.Errorf("%d cuts and %d partitions are kept, at most %d are wanted", cuts, partitions, judgedCuts)
	}
}

// sameRows compares the rows of a ledger with those that are yielded, from the beginning and from somewhere behind it.
func sameRows(t *testing.T, r *Reader, cut schemas.Cut, want []schemas.Standing) {
	t.Helper()
	after := ""
	for _, skipped := range []int{0, len(want) / 2} {
		if skipped > 0 {
			after = want[skipped-1].ProjectID
		}
		var got []schemas.Standing
		for s, err := range r.Standings(t.Context(), cut, after) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, *s)
		}
		if diff := cmp.Diff(want[skipped:], got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("known %d, behind %q: %s", cut.KnownSeq, after, diff)
		}
	}
}

// sameSurvey compares a survey of cuts with their ledgers.
func sameSurvey(t *testing.T, r *Reader, cuts []schemas.Cut, want []*schemas.Ledger) {
	t.Helper()
	var mu sync.Mutex
	standings := make([][]schemas.Standing, len(cuts))
	got, err := r.Survey(t.Context(), cuts, func() schemas.Observer {
		busy := false
		return func(i int, s *schemas.Standing) error {
			if busy {
				t.Error("one observer is used by two goroutines")
			}
			busy = true
			defer func() { busy = false }()
			mu.Lock()
			defer mu.Unlock()
			standings[i] = append(standings[i], s.Clone())
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		slices.SortFunc(standings[i], func(a, b schemas.Standing) int { return strings.Compare(a.ProjectID, b.ProjectID) })
		got[i].Standings = standings[i]
	}
	if diff := cmp.Diff(textOf(t, want), textOf(t, got)); diff != "" {
		t.Fatalf("a survey, known %d: %s", cuts[0].KnownSeq, diff)
	}
}

// TestAnObserverEndsASurvey sees that what an observer says reaches who asked.
func TestAnObserverEndsASurvey(t *testing.T) {
	t.Parallel()
	w := openJudging(t)
	w.stream = &fakeStream{}
	var deliveries []Delivery
	for n := range uint64(5) {
		deliveries = append(deliveries, delivery(t, n+1, fmt.Sprintf(`{"specversion":"1.0","id":"e%[1]d","source":"/offices/shanyang","type":"project.registered.v1","subject":"P-%[1]d",
"time":"2025-03-09T10:00:00+08:00","district":"shanyang","datacontenttype":"application/json","data":{"name":"项目","total_investment":1200,"registered_on":"2025-01-08"}}`, n+1)))
	}
	store(t, w, deliveries)
	w.stream.(*fakeStream).hold(deliveries)
	reader := NewReader(w, schemas.DefaultRules())
	cut := schemas.BulletinCut(schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, time.March, 31)), 5)
	enough := errors.New("enough")
	for _, asked := range []string{"judged", "judged again", "taken over"} {
		_, err := reader.Survey(t.Context(), []schemas.Cut{cut}, func() schemas.Observer { return func(int, *schemas.Standing) error { return enough } })
		if !errors.Is(err, enough) {
			t.Errorf("%s: %v", asked, err)
		}
		if asked == "judged again" {
			if taken(t, reader, cut) != nil {
				t.Error("what was judged in part is kept")
			}
			if _, err := reader.Ledger(t.Context(), cut); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWhatWasJudgedIsNotTakenOver sees that nothing is taken over that was judged by another program, under other rules, for
// another day, of a making that lost rows, before what is kept or before the applied watermark reached it.
func TestWhatWasJudgedIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := openJudging(t)
	stream := w.stream.(*fakeStream)
	rules := schemas.DefaultRules()
	var deliveries []Delivery
	for n := range uint64(20) {
		deliveries = append(deliveries, delivery(t, n+1, fmt.Sprintf(`{"specversion":"1.0","id":"e%[1]d","source":"/offices/shanyang","type":"project.registered.v1","subject":"P-%[1]d",
"time":"2025-03-09T10:00:00+08:00","district":"shanyang","datacontenttype":"application/json","data":{"name":"项目","total_investment":1200,"registered_on":"2025-01-08"}}`, n+1)))
	}
	store(t, w, deliveries)
	stream.hold(deliveries[:19])
	period := schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, time.March, 31))
	cut := schemas.BulletinCut(period, 20)
	reader := NewReader(w, rules)
	judge := func(cut schemas.Cut) {
		t.Helper()
		if l, err := reader.Ledger(t.Context(), cut); err != nil || len(l.Standings) != int(cut.KnownSeq) {
			t.Fatal(l, err)
		}
	}
	judge(cut)
	if taken(t, reader, cut) != nil {
		t.Error("what is not applied yet was kept")
	}
	stream.hold(deliveries)
	judge(cut)
	var partition string
	if err := w.conn.QueryRow(t.Context(), "SELECT making FROM judged_cuts FINAL").Scan(&partition); err != nil {
		t.Fatal(err)
	}
	w.mergeNow(t.Context(), "judged_rows PARTITION "+quoted([]string{partition}))
	l := taken(t, reader, cut)
	if l == nil || len(l.Standings) != 20 {
		t.Fatalf("what was judged is not taken over: %v", l)
	}
	other := *w
	other.program = "another"
	strict := schemas.DefaultRules()
	strict.StalledMonths++
	earlier := schemas.BulletinCut(period, 19)
	for name, made := range map[string]*schemas.Ledger{
		"another program":      taken(t, NewReader(&other, rules), cut),
		"other rules":          taken(t, NewReader(w, strict), cut),
		"another day":          taken(t, reader, schemas.BulletinCut(period.Previous(), 20)),
		"before what was kept": taken(t, reader, earlier),
		"with its trace":       taken(t, reader, schemas.Cut{AsOf: cut.AsOf, KnownSeq: 20, EditionsBefore: cut.EditionsBefore, Trace: true}),
	} {
		if made != nil {
			t.Errorf("taken over: %s", name)
		}
	}
	judge(earlier)
	if err := w.conn.Exec(t.Context(), "DELETE FROM judged_rows WHERE project_id = 'P-7'"); err != nil {
		t.Fatal(err)
	}
	if taken(t, reader, cut) != nil {
		t.Error("a making that lost rows was taken over")
	}
	judge(cut)
}

// TestATrendIsNotKept asks for more cuts than a bulletin always does, again and again.
func TestATrendIsNotKept(t *testing.T) {
	t.Parallel()
	w := openJudging(t)
	deliveries := []Delivery{progress(t, 1, "a", 1)}
	store(t, w, deliveries)
	w.stream.(*fakeStream).hold(deliveries)
	reader := NewReader(w, schemas.DefaultRules())
	var cuts []schemas.Cut
	for p := schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, time.June, 30)); len(cuts) < 6; p = p.Previous() {
		cuts = append(cuts, schemas.BulletinCut(p, 1))
	}
	for range 3 {
		if _, err := reader.Survey(t.Context(), cuts, func() schemas.Observer { return func(int, *schemas.Standing) error { return nil } }); err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Ledgers(t.Context(), cuts...); err != nil {
			t.Fatal(err)
		}
	}
	for i, cut := range cuts {
		if kept := taken(t, reader, cut) != nil; kept != (i < cutsOfBulletin) {
			t.Errorf("the cut at place %d is kept: %v", i, kept)
		}
	}
}

// TestWhatCannotBeKeptIsAnsweredAllTheSame takes the tables of what was judged away.
func TestWhatCannotBeKeptIsAnsweredAllTheSame(t *testing.T) {
	t.Parallel()
	w := openJudging(t)
	write(t, w, progress(t, 1, "a", 1))
	if err := w.conn.Exec(t.Context(), "ALTER TABLE judged_rows ADD CONSTRAINT full CHECK project_id = ''"); err != nil {
		t.Fatal(err)
	}
	period := schemas.PeriodContaining(schemas.MonthOf, schemas.NewDate(2025, time.March, 31))
	reader := NewReader(w, schemas.DefaultRules())
	if _, err := reader.Ledger(t.Context(), schemas.BulletinCut(period, 1)); err != nil {
		t.Error(err)
	}
	if taken(t, reader, schemas.BulletinCut(period, 1)) != nil {
		t.Error("what the engine refused is taken over")
	}
}
