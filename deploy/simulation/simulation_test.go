package simulation

import (
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"milepost/scheduler"
	"milepost/schemas"
)

const seed = 20260112

// scale gives the long form where it is asked for.
func scale(short, long int) int {
	if os.Getenv("MILEPOST_SOAK") == "1" {
		return long
	}
	return short
}

// bulletins are the default jobs of months, quarters and half-years.
func bulletins(t *testing.T) []scheduler.Job {
	t.Helper()
	words := scheduler.ScheduleWords{Calendar: scheduler.NewCalendar(slog.New(slog.NewTextHandler(io.Discard, nil))), ReportDay: func(schemas.Month) int { return 10 }}
	schedule, err := words.Parse("after-report-day")
	if err != nil {
		t.Fatal(err)
	}
	return []scheduler.Job{{Kind: schemas.MonthOf, Schedule: schedule}, {Kind: schemas.Quarter, Schedule: schedule}, {Kind: schemas.Half, Schedule: schedule}}
}

// TestYearsWithFaults runs three replicas on a cluster of three NATS servers
// through months in each of which something goes wrong.
func TestYearsWithFaults(t *testing.T) {
	t.Parallel()
	start := schemas.NewDate(2010, 1, 4).Start()
	w := newWorld(t, start, bulletins(t))
	random := rand.New(rand.NewPCG(seed, 1))
	var replicas []*replica
	for i := range clusterSize {
		replicas = append(replicas, newReplica(w, i))
	}
	months, down := scale(200, 2000), 0
	first := schemas.DateOf(start).Month()
	for n := range months {
		month := first + 1 + schemas.Month(n)
		due := w.jobs[0].Schedule.Next(month.Day(11).Start().Add(-1))
		w.advance(due.Add(-time.Hour).Sub(w.clock()))
		w.report()
		w.advance(due.Add(time.Duration(1+random.IntN(50)) * time.Second).Sub(w.clock()))
		if down == 0 && random.IntN(25) == 0 {
			down = 1 + random.IntN(3)
		}
		if down > 0 {
			down--
			w.count("months without any replica")
			for _, r := range replicas {
				r.dead.Store(true)
			}
			continue
		}
		plan(w, replicas, random)
		if random.IntN(4) == 0 {
			w.count("looks all at once")
			var wait sync.WaitGroup
			for _, r := range replicas {
				wait.Go(r.wake)
			}
			wait.Wait()
		} else {
			for _, i := range random.Perm(clusterSize) {
				replicas[i].wake()
			}
		}
		// What is left comes with the next looks, by whoever is there; the lease of
		// the killed has run out then.
		w.advance(5 * time.Minute)
		for _, i := range random.Perm(clusterSize) {
			replicas[i].off = 0
			replicas[i].wake()
		}
	}
	// A last look of all, once more where the servers were too slow to answer.
	for range 20 {
		w.advance(5 * time.Minute)
		failed := w.counts["failed and tried again"]
		for _, r := range replicas {
			r.wake()
		}
		if w.counts["failed and tried again"] == failed {
			break
		}
	}
	editions := w.check()
	// The next looks find nothing to do.
	before := len(w.recorded)
	for _, r := range replicas {
		r.dead.Store(true)
		r.wake()
	}
	if len(w.recorded) != before {
		t.Errorf("%d editions too many", len(w.recorded)-before)
	}
	t.Logf("%d simulated months, %d editions, each once and with the right cut", months, editions)
	for _, what := range slices.Sorted(maps.Keys(w.counts)) {
		t.Logf("%6d %s", w.counts[what], what)
	}
	for _, happened := range []string{"kills planned", "pauses past the lease", "clocks that jumped", "months without any replica", "killed", "second editions refused by the stream", "refused because of the clock"} {
		if w.counts[happened] == 0 {
			t.Errorf("%q never happened: the simulation proves less than it says", happened)
		}
	}
	for _, job := range w.jobs {
		runs, err := scheduler.NewRunLog(w.bucket[0]).Last(t.Context(), job.Name())
		if err != nil || len(runs) == 0 || len(runs) > 24 {
			t.Fatalf("%s: %d runs, %v", job.Name(), len(runs), err)
		}
		for _, run := range runs {
			if run.Result != scheduler.Published || run.Number == 0 {
				t.Errorf("recorded %+v", run)
			}
		}
	}
}

// plan chooses what goes wrong in this month's first look: one or two of the
// replicas are killed or paused somewhere, or have a wrong clock.
func plan(w *world, replicas []*replica, random *rand.Rand) {
	for _, i := range random.Perm(len(replicas))[:1+random.IntN(2)] {
		r := replicas[i]
		r.at = point(1 + random.IntN(int(points)-1))
		switch random.IntN(4) {
		case 0, 1:
			w.count("kills planned")
			r.fault = func() { r.dead.Store(true) }
		case 2:
			w.count("pauses planned")
			others := slices.DeleteFunc(slices.Clone(replicas), func(other *replica) bool { return other == r })
			r.fault = func() {
				w.count("pauses past the lease")
				w.advance(4 * time.Minute)
				// A new process stands for whatever the others do meanwhile: they
				// may be looking themselves at this moment.
				stand := &replica{w: w, name: others[0].name + "-meanwhile", js: others[0].js, kv: others[0].kv}
				stand.restart()
				stand.wake()
			}
		default:
			w.count("clocks that jumped")
			r.at = nowhere
			r.off = jump(random)
		}
	}
}

// jump is how far a clock is off: by minutes, which nobody notices, or by days
// or years, either way.
func jump(random *rand.Rand) time.Duration {
	far := []time.Duration{3 * time.Minute, 9 * time.Minute, 40 * 24 * time.Hour, 5 * 365 * 24 * time.Hour}[random.IntN(4)]
	if random.IntN(2) == 0 {
		return -far
	}
	return far
}

// TestTwoMonthsOfDowntime stops every replica for two months.
func TestTwoMonthsOfDowntime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, schemas.NewDate(2025, 1, 4).Start(), bulletins(t)[:1])
	r := newReplica(w, 0)
	at := func(day schemas.Date, hour int) {
		w.advance(day.Start().Add(time.Duration(hour) * time.Hour).Sub(w.clock()))
		w.report()
	}
	at(schemas.NewDate(2025, 2, 11), 8)
	at(schemas.NewDate(2025, 2, 12), 9)
	r.wake()
	r.dead.Store(true)
	at(schemas.NewDate(2025, 3, 11), 8) // known to February's
	at(schemas.NewDate(2025, 3, 11), 10)
	at(schemas.NewDate(2025, 4, 11), 8) // known to March's
	at(schemas.NewDate(2025, 4, 20), 10)
	r.wake()
	w.check()
	list := w.issued()[scheduler.Numbering{Kind: "month", Year: 2025}]
	if got := names(list); !slices.Equal(got, []string{"2025-01/1", "2025-02/2", "2025-03/3"}) {
		t.Fatalf("published %v", got)
	}
	// Sequences: 1 and 2 reports, 3 January's edition, 4 to 7 reports, 8 and 9 editions.
	if list[1].Publication.KnownSeq != 4 || list[2].Publication.KnownSeq != 6 || list[1].Seq != 8 || list[2].Seq != 9 {
		t.Errorf("February at S = %d as sequence %d, March at S = %d as sequence %d", list[1].Publication.KnownSeq, list[1].Seq, list[2].Publication.KnownSeq, list[2].Seq)
	}
	t.Logf("downtime from 2025-02-12 to 2025-04-20: %v, S = %d and %d", names(list[1:]), list[1].Publication.KnownSeq, list[2].Publication.KnownSeq)
}
