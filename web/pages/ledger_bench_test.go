package pages

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"milepost/schemas"
)

// provinceProjects is the size of the ledger that is measured.
const provinceProjects = 1_000_000

// province makes a ledger whose words lie apart in memory, as those of a ledger
// that was read do.
func province() *snapshot {
	random := rand.New(rand.NewPCG(1, 2))
	syllables := []rune("焦作修武温县博爱沁阳孟州解放中站马村山阳云台太行黄河重工新材料装备制造产业园扩建技改储能锂电食品冷链物流仓储数字智慧康养小镇")
	name := func(n int) string {
		text := make([]rune, n)
		for i := range text {
			text[i] = syllables[random.IntN(len(syllables))]
		}
		return string(text)
	}
	leads, departments := make([]string, 60), make([]string, 40)
	for i := range leads {
		leads[i] = fmt.Sprintf("领导%d", i)
	}
	for i := range departments {
		departments[i] = fmt.Sprintf("部门%d", i)
	}
	districts := schemas.DefaultRules().Districts
	standings := make([]schemas.Standing, provinceProjects)
	for i := range standings {
		s := &standings[i]
		s.ProjectID = fmt.Sprintf("P-%07d", i)
		s.Name, s.Enterprise = name(10)+fmt.Sprintf("年产%d万吨项目", random.IntN(100)), name(6)+"有限公司"
		s.District = strings.Clone(districts[random.IntN(len(districts))].Code)
		s.Holder = schemas.Holder{Lead: leads[random.IntN(len(leads))], Department: departments[random.IntN(len(departments))]}
		s.Tags = [][]string{nil, {"市重点"}, {"省重点", "市重点"}}[random.IntN(3)]
		s.Light, s.Status, s.Stage = lights()[random.IntN(5)], statuses()[random.IntN(5)], stages()[random.IntN(4)]
		s.Cancelled = random.IntN(50) == 0
		s.RegisteredOn = 20000
		s.TotalInvestment = schemas.Money(random.IntN(1e9))
		s.Investment = schemas.InvestmentStanding{Plan: schemas.Money(1 + random.IntN(1e8)), Invested: schemas.Money(random.IntN(1e8)), Known: random.IntN(10) > 0}
		for m := range s.Milestones {
			s.Milestones[m] = schemas.MilestoneStanding{Baseline: 20100, Target: schemas.Date(20200 + random.IntN(700)), Forecast: 20300, ReachedOn: schemas.Date(random.IntN(2) * 20250)}
		}
		for range random.IntN(3) {
			s.Issues = append(s.Issues, schemas.IssueStanding{ID: "i-1", Title: "用地手续", ResolvedOn: schemas.Date(random.IntN(2))})
		}
		s.Method = make([]schemas.Verdict, 7)
	}
	return snapshotOf(standings...)
}

// used measures the processor time of what it runs, which other programs of the
// machine disturb less than the time that passes.
func used(b *testing.B, run func()) {
	b.Helper()
	run()
	runtime.GC()
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	for b.Loop() {
		run()
	}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	spent := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(spent.Seconds()*1000/float64(b.N), "cpu-ms/op")
}

// heap gives the megabytes that are in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// BenchmarkProvince measures pages of a ledger of a million projects, each in
// the way of the pages and in the plain way, which asks every project for the choices
// and for what it shows, and sorts all that it finds.
//
//	go test ./web/pages -run xxx -bench Province -benchtime 5x
func BenchmarkProvince(b *testing.B) {
	s := province()
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			s.derive()
			ledger := heap()
			s.index()
			index := heap()
			s.text()
			text := heap()
			b.ReportMetric(ledger, "MB-ledger")
			b.ReportMetric(index-ledger, "MB-index")
			b.ReportMetric(text-index, "MB-search")
		}
	})
	plain := newPlainly(s.ledger.Standings)
	lastPage := func(count int) (from, to int) { return (count - 1) / rowsPerPage * rowsPerPage, count }
	middle := func(count int) (from, to int) { return count / 2, count/2 + rowsPerPage }
	firstPage := func(count int) (from, to int) { return 0, min(rowsPerPage, count) }
	rate := func(q string) filter { return filter{Sort: "rate", Descending: true, Q: q} }
	for _, c := range []struct {
		name   string
		filter filter
		page   func(count int) (from, to int)
	}{
		{"by id", filter{Sort: "id"}, firstPage},
		{"by id, the last page", filter{Sort: "id"}, lastPage},
		{"by rate descending, one district", filter{Sort: "rate", Descending: true, District: "xiuwu"}, firstPage},
		{"by rate descending", rate(""), firstPage},
		{"by rate descending, in the middle", rate(""), middle},
		{"by total, the last page", filter{Sort: "total"}, lastPage},
		{"by target, red, tagged", filter{Sort: "target", Light: "red", Tag: "市重点"}, firstPage},
		{"by issues descending", filter{Sort: "issues", Descending: true}, firstPage},
		{"search ncwd", rate("ncwd"), firstPage}, {"search p-0123456", rate("p-0123456"), firstPage}, {"search 重工", rate("重工"), firstPage}, {"search lng重工", rate("lng重工"), firstPage},
	} {
		b.Run(c.name+"/page", func(b *testing.B) {
			s.text()
			used(b, func() {
				found := s.find(&c.filter)
				found.page(c.page(found.count))
			})
		})
		b.Run(c.name+"/plain", func(b *testing.B) {
			used(b, func() {
				plain.choices()
				plain.find(&c.filter)
			})
		})
	}
	b.Run("by rate descending/served", func(b *testing.B) {
		f := &fakeCity{watermark: 1}
		p, err := New(Config{Rules: schemas.UndatedRules(s.rules), Ledgers: f, Knowledge: f, Figures: f, TokensUsed: func() bool { return false }, Now: func() time.Time { return s.asOf.Time() }})
		if err != nil {
			b.Fatal(err)
		}
		s.known = f.watermark
		p.adopt(s)
		mux := http.NewServeMux()
		p.Register(mux)
		used(b, func() {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ledger?sort=-rate", nil))
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "共 <b>") {
				b.Fatalf("%d %.300s", w.Code, w.Body)
			}
		})
	})
	b.Run("index and choices, once", func(b *testing.B) { used(b, func() { indexLedger(s.ledger.Standings, s.rules) }) })
	b.Run("text of the search, once", func(b *testing.B) { used(b, func() { newSearchText(s.ledger.Standings) }) })
	b.Run("board, once", func(b *testing.B) { used(b, func() { new(boardFigures).count(s.ledger) }) })
}

// BenchmarkExport measures files of 100,000 projects.
//
//	go test ./web/pages -run xxx -bench Export -benchtime 1x -benchmem
func BenchmarkExport(b *testing.B) {
	s := province()
	s = snapshotOf(s.ledger.Standings[:100_000]...)
	c := &ledgerContent{view: &view{snapshot: s}, filter: filter{Sort: "rate", Descending: true, Cancelled: true}}
	for name, write := range map[string]func(io.Writer, *found) error{
		"csv": c.writeCSV, "xlsx": func(w io.Writer, rows *found) error { return c.writeXLSX(b.Context(), w, rows, time.Unix(0, 0)) },
	} {
		b.Run(name, func(b *testing.B) {
			used(b, func() {
				if err := write(io.Discard, c.find(&c.filter)); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}
