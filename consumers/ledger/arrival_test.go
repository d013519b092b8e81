package ledger_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// TestArrivalOrderDoesNotMatter shuffles the golden histories. Kept is the
// order of events that share an identity, or project, type and business date;
// besides, where the specification lets the sequence decide: between the
// registrations of a project (§3: the first one settles the district), and on
// one day between types that speak of the same thing (registrations, amendments
// and plans; suspensions and resumptions).
func TestArrivalOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"small", "city"} {
		_, all := facts(t, "../../testdata/golden/"+name+"/events.ndjson", 1<<62)
		subjects := subjectsOf(t, "../../testdata/golden/"+name+"/events.ndjson")
		want := ledgersOf(t, all, subjects)
		rapid.Check(t, func(rt *rapid.T) {
			seed := rapid.Uint64().Draw(rt, "seed")
			shuffled := arrive(all, subjects, rand.New(rand.NewPCG(seed, 1)))
			if got := ledgersOf(t, shuffled, subjects); got != want {
				rt.Fatalf("%s: another order of arrival gives another ledger", name)
			}
		})
	}
}

func subjectsOf(t *testing.T, path string) map[string]string {
	projects, _ := facts(t, path, 1<<62)
	subjects := map[string]string{}
	for project, list := range projects {
		for _, f := range list {
			subjects[schemas.EventID(f.Source, f.ID)] = project
		}
	}
	return subjects
}

// ledgersOf gives the ledgers of several days, and the quality counts, as text.
func ledgersOf(t *testing.T, all []ledger.Fact, subjects map[string]string) string {
	t.Helper()
	projects := map[string][]ledger.Fact{}
	for _, f := range all {
		project := subjects[schemas.EventID(f.Source, f.ID)]
		projects[project] = append(projects[project], f)
	}
	rules := schemas.DefaultRules()
	const known = 1 << 62
	var cuts []schemas.Cut
	for _, day := range []string{"2025-03-31", "2025-06-18", "2025-10-31", "2026-01-05"} {
		asOf, err := schemas.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		cuts = append(cuts, schemas.LedgerCut(asOf, known))
	}
	ledgers, err := ledger.Assemble(rules, ledger.NewKnown(known, all), cuts, byProject(projects))
	if err != nil {
		t.Fatal(err)
	}
	var out []any
	for _, l := range ledgers {
		for i := range l.Standings {
			out = append(out, l.Standings[i].Row(rules, l.AsOf))
		}
		out = append(out, l.Quality)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// arrive gives the facts new sequences in a random order that keeps the chains.
func arrive(all []ledger.Fact, subjects map[string]string, random *rand.Rand) []ledger.Fact {
	before := make([]int, len(all)) // how many predecessors are still to come
	after := make([][]int, len(all))
	last := map[string]int{}
	for i, f := range all {
		for _, chain := range chains(f, subjects[schemas.EventID(f.Source, f.ID)]) {
			if previous, ok := last[chain]; ok {
				before[i]++
				after[previous] = append(after[previous], i)
			}
			last[chain] = i
		}
	}
	var ready []int
	for i, n := range before {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	var order []ledger.Fact
	for len(ready) > 0 {
		at, end := random.IntN(len(ready)), len(ready)-1
		i := ready[at]
		ready[at] = ready[end]
		ready = ready[:end]
		f := all[i]
		f.Seq = uint64(len(order) + 1)
		order = append(order, f)
		for _, next := range after[i] {
			if before[next]--; before[next] == 0 {
				ready = append(ready, next)
			}
		}
	}
	return order
}

func chains(f ledger.Fact, project string) []string {
	date := f.Data.BusinessDate()
	group := string(f.Type)
	switch f.Type {
	case schemas.ProjectRegistered, schemas.ProjectAmended, schemas.MilestonePlanned:
		group = "plan"
	case schemas.ProjectSuspended, schemas.ProjectResumed:
		group = "pause"
	}
	list := []string{
		"identity " + schemas.EventID(f.Source, f.ID),
		fmt.Sprint("day ", project, " ", group, " ", date),
	}
	if f.Type == schemas.ProjectRegistered {
		list = append(list, "registrations "+project)
	}
	return list
}
