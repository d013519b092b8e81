package warehouse

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// TestShortHistoriesAreJudgedAsWhole leaves older reports out of random histories over ten years, and compares everything
// with a judgement of all events. Among them are events for which nobody registered a project, of other districts, late,
// repeated, in conflict, revoked, and moves.
func TestShortHistoriesAreJudgedAsWhole(t *testing.T) {
	t.Parallel()
	again, short := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		history := drawHistory(rt, 3)
		cuts := drawCuts(rt, len(history))
		known, projects := inMemory(history, cuts[0].KnownSeq)
		from := ledger.ReportsFrom(schemas.DefaultRules(), cuts)
		all := func(ids []string) iter.Seq2[ledger.Project, error] {
			again += len(ids)
			return each(projects, func(id string) bool { return slices.Contains(ids, id) }, 0)
		}
		got, err := ledger.AssembleShort(schemas.DefaultRules(), known, cuts, each(projects, func(string) bool { return true }, from), all)
		if err != nil {
			rt.Fatal(err)
		}
		short += len(projects)
		if g, want := textOf(rt, got), textOf(rt, judgedWhole(rt, history, cuts)); g != want {
			rt.Fatalf("as of %s, known %d, reports from %s\nshort %s\nwhole %s", cuts[0].AsOf, cuts[0].KnownSeq, from, g, want)
		}
	})
	if again == 0 || again >= short {
		t.Errorf("%d of %d projects were judged again", again, short)
	}
}

// TestHistoriesReadInPartAreJudgedAsWhole does the same with the engine, batch by batch: reports that are left out, projects
// that are read again, what FINAL and the statements that do without it make of repeated identities.
func TestHistoriesReadInPartAreJudgedAsWhole(t *testing.T) {
	w := open(t)
	w.stream = &fakeStream{}
	reader := NewReader(w, schemas.DefaultRules())
	type part struct {
		deliveries []Delivery
		cuts       [][]schemas.Cut
	}
	parts := rapid.Custom(func(rt *rapid.T) []part {
		var list []part
		history := drawHistory(rt, 3)
		for from, to := 0, 0; from < len(history); from = to {
			to = min(from+rapid.IntRange(10, 40).Draw(rt, "batch"), len(history))
			p := part{deliveries: history[from:to]}
			for range 4 {
				p.cuts = append(p.cuts, drawCuts(rt, to))
			}
			list = append(list, p)
		}
		return list
	})
	for seed := 1; seed <= 2; seed++ {
		for _, table := range []string{"events", "content_hashes", "contested", "conflict_checks"} {
			if err := w.Clear(t.Context(), table); err != nil {
				t.Fatal(err)
			}
		}
		var history []Delivery
		for _, p := range parts.Example(seed) {
			history = append(history, p.deliveries...)
			write(t, w, p.deliveries...)
			for _, cuts := range p.cuts {
				got, err := reader.Ledgers(t.Context(), cuts...)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(textOf(t, judgedWhole(t, history, cuts)), textOf(t, got)); diff != "" {
					t.Fatalf("seed %d, as of %s, known %d: %s", seed, cuts[0].AsOf, cuts[0].KnownSeq, diff)
				}
			}
		}
	}
}

// drawCuts draws two days and what is known then: everything, or what was known at some sequence.
func drawCuts(rt *rapid.T, last int) []schemas.Cut {
	known := uint64(rapid.OneOf(rapid.Just(last), rapid.IntRange(1, last)).Draw(rt, "known"))
	day := schemas.NewDate(2015, time.January, 1) + schemas.Date(rapid.IntRange(0, 4100).Draw(rt, "day"))
	cuts := []schemas.Cut{schemas.LedgerCut(day, known), schemas.LedgerCut(day-31, known)}
	cuts[0].Trace = rapid.Bool().Draw(rt, "trace")
	return cuts
}

// drawHistory draws deliveries of so many projects with sequences from 1.
func drawHistory(rt *rapid.T, projects int) []Delivery {
	districts := append(schemas.DefaultRules().DistrictCodes()[:2:2], schemas.CityDistrict)
	total := schemas.MoneyFromWan(1200)
	var history []Delivery
	for sequence := uint64(1); sequence <= 60; sequence++ {
		number := func(what string, below int) int { return rapid.IntRange(0, below-1).Draw(rt, what) }
		// Most come from the first office, and most months follow the ones before.
		month := schemas.NewMonth(2015, time.January) + schemas.Month(min(2*int(sequence)+number("month", 12), 131))
		if number("late", 8) == 0 {
			month = schemas.NewMonth(2015, time.January) + schemas.Month(number("any month", 132))
		}
		e := schemas.Event{
			ID: fmt.Sprint("e", sequence), Type: schemas.ProgressReported, Subject: fmt.Sprint("P-", 1+number("project", projects)),
			District: districts[max(0, number("district", 12)-9)], Time: month.Last().Start().Add(40 * 24 * time.Hour),
		}
		if int(sequence) <= projects {
			e.Subject = fmt.Sprint("P-", sequence)
		} else if number("repeated", 10) == 0 {
			e.ID = fmt.Sprint("e", 1+number("identity", int(sequence)))
		}
		invested := total * schemas.Money(number("invested", 3)) / 4
		e.Data = &schemas.Progress{Month: month, InvestedYTD: invested}
		switch kind := number("kind", 16); {
		case kind == 0 || int(sequence) <= projects:
			e.Type, e.Data = schemas.ProjectRegistered, &schemas.Registered{
				Name: "项目", TotalInvestment: total, AnnualPlan: map[int]schemas.Money{month.Year(): total, month.Year() + 3: total}, RegisteredOn: month.Day(5),
				Targets: schemas.Targets{month.Last() + 60, month.Last() + 200, month.Last() + 700}, District: districts[number("of", 2)],
			}
		case kind == 1:
			e.Type, e.Data = schemas.EventRevoked, &schemas.Revoked{
				Source: "/offices/" + districts[0], ID: fmt.Sprint("e", 1+number("revoked", 60)), Reason: "误报", DecidedOn: month.Day(7),
			}
		case kind == 2:
			moved := &schemas.Amended{EffectiveOn: month.Day(9), AnnualPlan: map[int]schemas.Money{month.Year(): total}}
			if number("moves", 2) == 0 {
				moved.District = districts[number("to", 2)]
			}
			e.Type, e.Data = schemas.ProjectAmended, moved
		case kind == 3:
			e.Type, e.Data = schemas.MilestoneReached, &schemas.Reached{Milestone: schemas.Milestone(number("milestone", 3)), ReachedOn: month.Day(11)}
		case kind == 4 && number("suspends", 3) == 0:
			e.Type, e.Data = schemas.ProjectSuspended, &schemas.StatusChange{EffectiveOn: month.Day(13), Reason: "停建"}
		case kind == 5 && number("publishes", 2) == 0:
			e.Type, e.Subject, e.District = schemas.BulletinPublished, schemas.OfficeSubject, schemas.CityDistrict
			if number("withdraws", 4) == 0 {
				e.Type = schemas.BulletinWithdrawn
			}
			e.Data = &schemas.Publication{Kind: "month", Period: month.String(), Number: 1 + number("issue", 2), KnownSeq: uint64(number("known to it", int(sequence)))}
		}
		e.Source = "/offices/" + e.District
		made, err := schemas.NewEvent(e)
		if err != nil {
			rt.Fatal(err)
		}
		fingerprint, err := schemas.FingerprintOf(made.Raw)
		if err != nil {
			rt.Fatal(err)
		}
		history = append(history, Delivery{Event: made, Fingerprint: fingerprint, Sequence: sequence, RecordedAt: made.Time})
	}
	return history
}

// inMemory gives what is known at a sequence, by project.
func inMemory(history []Delivery, seq uint64) (*ledger.Known, map[string][]ledger.Fact) {
	projects, used := map[string][]ledger.Fact{}, map[string]bool{}
	var all []ledger.Fact
	for _, d := range history {
		e := d.Event
		if d.Sequence > seq || used[e.EventID()] {
			continue
		}
		used[e.EventID()] = true
		f := ledger.Fact{Seq: d.Sequence, Source: e.Source, ID: e.ID, Type: e.Type, District: e.District, Time: e.Time, Data: e.Data}
		projects[e.Subject], all = append(projects[e.Subject], f), append(all, f)
	}
	return ledger.NewKnown(seq, all), projects
}

// each gives some of the projects without the reports before a month.
func each(projects map[string][]ledger.Fact, wanted func(id string) bool, from schemas.Month) iter.Seq2[ledger.Project, error] {
	return func(yield func(ledger.Project, error) bool) {
		for id, facts := range projects {
			if !wanted(id) {
				continue
			}
			older := ledger.Older{Before: from}
			kept := slices.DeleteFunc(slices.Clone(facts), func(f ledger.Fact) bool {
				report, ok := f.Data.(*schemas.Progress)
				if ok && report.Month < from {
					older.Districts = append(older.Districts, f.District)
				}
				return ok && report.Month < from
			})
			if !yield(ledger.Project{ID: id, Facts: func() ([]ledger.Fact, error) { return kept, nil }, Older: older}, nil) {
				return
			}
		}
	}
}

// judgedWhole judges the deliveries without any engine.
func judgedWhole(t rapid.TB, history []Delivery, cuts []schemas.Cut) []*schemas.Ledger {
	known, projects := inMemory(history, cuts[0].KnownSeq)
	made, err := ledger.Assemble(schemas.DefaultRules(), known, cuts, each(projects, func(string) bool { return true }, 0))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func textOf(t rapid.TB, ledgers []*schemas.Ledger) string {
	for _, l := range ledgers {
		l.Quality.Conflicts = 0 // counted elsewhere
	}
	text, err := json.Marshal(ledgers)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestManyProjectsAreReadAgain names as many projects as one statement may, with the longest ids, and behind them one of
// them again, which is read by the statement for a few.
func TestManyProjectsAreReadAgain(t *testing.T) {
	w := open(t)
	write(t, w, progress(t, 1, "a", 1), progress(t, 2, "b", 2))
	write(t, w, progress(t, 3, "a", 3), progress(t, 4, "later", 4))
	ids := make([]string, projectsAtOnce, projectsAtOnce+1)
	for i := range ids {
		ids[i] = fmt.Sprintf("N-%062d", i)
	}
	ids[7] = "P-0012"
	source := &factsSource{Reader: NewReader(w, schemas.DefaultRules()), words: newWords(schemas.DefaultRules()), seq: 3}
	read := 0
	for p, err := range source.whole(t.Context(), append(ids, "P-0012")) {
		if err != nil {
			t.Fatal(err)
		}
		facts, err := p.Facts()
		if err != nil || p.ID != "P-0012" || len(facts) != 2 || facts[0].Seq != 1 || facts[1].Seq != 2 {
			t.Errorf("project %s: %v, %v", p.ID, facts, err)
		}
		read++
	}
	if read != 2 {
		t.Errorf("read %d times", read)
	}
}
