package pages

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"milepost/schemas"
)

// plainly is the ledger's page in the plainest way: each project is asked, and
// all that are found are sorted.
type plainly struct {
	standings []schemas.Standing
	initials  []string
}

func newPlainly(standings []schemas.Standing) *plainly {
	p := &plainly{standings: standings}
	for _, s := range standings {
		text := ""
		for _, c := range s.Name + " " + s.Enterprise {
			if letter := initial(c); letter != 0 {
				text += string(rune(letter))
			}
		}
		p.initials = append(p.initials, text)
	}
	return p
}

// choices are those that the filters offer.
func (p *plainly) choices() (leads, departments, tags []string) {
	words := [3]map[string]bool{{}, {}, {}}
	for i := range p.standings {
		s := &p.standings[i]
		words[0][cmp.Or(s.Holder.Lead, unassigned)] = true
		words[1][cmp.Or(s.Holder.Department, unassigned)] = true
		for _, tag := range s.Tags {
			words[2][tag] = true
		}
	}
	return slices.Sorted(maps.Keys(words[0])), slices.Sorted(maps.Keys(words[1])), slices.Sorted(maps.Keys(words[2]))
}

func (p *plainly) admits(f *filter, i int) bool {
	s := &p.standings[i]
	is := func(want, have string) bool { return want == "" || want == have }
	if s.Cancelled && !f.Cancelled || f.Tag != "" && !slices.Contains(s.Tags, f.Tag) {
		return false
	}
	if !is(f.District, s.District) || !is(f.Lead, cmp.Or(s.Holder.Lead, unassigned)) || !is(f.Department, cmp.Or(s.Holder.Department, unassigned)) ||
		!is(f.Light, string(s.Light)) || !is(f.Status, string(s.Status)) || !is(f.Stage, string(s.Stage)) {
		return false
	}
	if f.Q == "" {
		return true
	}
	return slices.ContainsFunc([]string{s.ProjectID, s.Name, s.Enterprise, p.initials[i]}, func(text string) bool {
		return strings.Contains(strings.ToLower(text), strings.ToLower(f.Q))
	})
}

var plainOrders = map[string]func(x, y *schemas.Standing) int{
	"id":       func(x, y *schemas.Standing) int { return strings.Compare(x.ProjectID, y.ProjectID) },
	"district": func(x, y *schemas.Standing) int { return strings.Compare(x.District, y.District) },
	"lead":     func(x, y *schemas.Standing) int { return strings.Compare(x.Holder.Lead, y.Holder.Lead) },
	"light": func(x, y *schemas.Standing) int {
		return cmp.Compare(slices.Index(lightOrder(), x.Light), slices.Index(lightOrder(), y.Light))
	},
	"status": func(x, y *schemas.Standing) int {
		return cmp.Compare(slices.Index(statuses(), x.Status), slices.Index(statuses(), y.Status))
	},
	"stage": func(x, y *schemas.Standing) int {
		return cmp.Compare(slices.Index(stages(), x.Stage), slices.Index(stages(), y.Stage))
	},
	"total":    func(x, y *schemas.Standing) int { return cmp.Compare(x.TotalInvestment, y.TotalInvestment) },
	"plan":     func(x, y *schemas.Standing) int { return cmp.Compare(x.Investment.Plan, y.Investment.Plan) },
	"invested": func(x, y *schemas.Standing) int { return cmp.Compare(x.Investment.Invested, y.Investment.Invested) },
	"rate":     func(x, y *schemas.Standing) int { return cmp.Compare(rateOf(x), rateOf(y)) },
	"target":   func(x, y *schemas.Standing) int { return cmp.Compare(nextTarget(x), nextTarget(y)) },
	"issues":   func(x, y *schemas.Standing) int { return cmp.Compare(x.OpenIssues(), y.OpenIssues()) },
}

func (p *plainly) find(f *filter) []uint32 {
	rows := []uint32{}
	for i := range p.standings {
		if p.admits(f, i) {
			rows = append(rows, uint32(i))
		}
	}
	slices.SortStableFunc(rows, func(x, y uint32) int {
		if f.Descending {
			x, y = y, x
		}
		return plainOrders[f.Sort](&p.standings[x], &p.standings[y])
	})
	return rows
}

// someFilter gives a filter of which most words occur.
func someFilter(random *rand.Rand) *filter {
	one := func(words ...string) string {
		if random.IntN(3) > 0 {
			return ""
		}
		return words[random.IntN(len(words))]
	}
	f := &filter{
		Q:        one("P-00", "x", "jzz", "JZ", "重工", "lng储罐", "产5万吨L", "ü", "ed 港", "abc", " ", "yts", "没有", "(集", "\x00", "K"),
		District: one("shanyang", "xiuwu", "none"), Lead: one("领导甲", unassigned, "none"), Department: one("发改委", unassigned),
		Light: one("red", "none", "other"), Status: one("slow", "other"), Stage: one("landed", "started", "registered"), Tag: one("市重点", "省重点", "none"),
		Cancelled: random.IntN(2) == 0, Descending: random.IntN(2) == 0,
	}
	if random.IntN(2) == 0 {
		f.Light, f.Status, f.Stage, f.District = "", "", "", ""
	}
	return f
}

// TestPagesAreThoseOfAFullSort compares the rows of pages near either end and in
// the middle, and of exports, with those of the plain way.
func TestPagesAreThoseOfAFullSort(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	pages := 0
	for range 8 {
		s := snapshotOf(someStandings(random, random.IntN(4000))...)
		plain := newPlainly(s.ledger.Standings)
		leads, departments, tags := plain.choices()
		if c := s.index().choices; !slices.Equal(c.Leads, leads) || !slices.Equal(c.Departments, departments) || !slices.Equal(c.Tags, tags) {
			t.Errorf("choices: %+v", c)
		}
		for word := range sorters {
			f := someFilter(random)
			f.Sort = word
			want, got := plain.find(f), s.find(f)
			if all := slices.Collect(got.all()); got.count != len(want) || !slices.Equal(all, want) {
				t.Fatalf("%+v: %v, want %v", f, all, want)
			}
			for _, size := range []int{1, 7, rowsPerPage} {
				for from := 0; from < len(want); from += size * (1 + random.IntN(40)) {
					to := min(from+size, len(want))
					if page := got.page(from, to); !slices.Equal(page, want[from:to]) {
						t.Fatalf("%+v: %d–%d of %d: %v, want %v", f, from, to, len(want), page, want[from:to])
					}
					pages++
				}
			}
			if page := got.page(len(want), len(want)); len(page) != 0 {
				t.Errorf("an empty page has %v", page)
			}
			if n := len(want); n > 2 && got.number != nil {
				at := func(i int) numbered { return numbered{got.number(want[i]), want[i]} }
				for _, within := range []bracket{{at(1), at(n - 1)}, {at(0), at(n - 2)}} {
					if page, hit := got.pageWithin(within, 0, n); hit {
						t.Errorf("%+v: %v is all that there is", f, page)
					}
				}
				if page, hit := got.pageWithin(bracket{at(1), at(n - 2)}, 1, n-1); !hit || !slices.Equal(page, want[1:n-1]) {
					t.Errorf("%+v: %v, %t", f, page, hit)
				}
			}
		}
	}
	if len(plainOrders) != len(sorters) || pages < 500 {
		t.Errorf("%d of %d orders, %d pages", len(plainOrders), len(sorters), pages)
	}
}

// TestOrdersOfNumbers holds also where amounts are below zero.
func TestOrdersOfNumbers(t *testing.T) {
	t.Parallel()
	rates := []float64{-1e300, -2, -1, -0.5, 0, 0.25, 1, 3, 1e300}
	for i := 1; i < len(rates); i++ {
		if orderedFloat(rates[i-1]) >= orderedFloat(rates[i]) || orderedInt(int64(i-5)) >= orderedInt(int64(i-4)) {
			t.Errorf("%v is not below %v", rates[i-1], rates[i])
		}
	}
	zero := 0.0
	if orderedFloat(-zero) != orderedFloat(zero) || orderedFloat(zero*-1) != orderedFloat(zero) {
		t.Error("zeros differ")
	}
}

// TestChoicesAreWhatThereIs in order, with those that nobody answers for.
func TestChoicesAreWhatThereIs(t *testing.T) {
	t.Parallel()
	s := snapshotOf(
		schemas.Standing{ProjectID: "a", Holder: schemas.Holder{Lead: "领导乙", Department: "b"}, Tags: []string{"z", "a"}},
		schemas.Standing{ProjectID: "b", Holder: schemas.Holder{Lead: unassigned}, Tags: []string{"a"}, Cancelled: true},
		schemas.Standing{ProjectID: "c"},
	)
	c := s.index().choices
	if !slices.Equal(c.Leads, []string{unassigned, "领导乙"}) || !slices.Equal(c.Departments, []string{"b", unassigned}) || !slices.Equal(c.Tags, []string{"a", "z"}) || len(c.Lights) != 5 || len(c.Districts) == 0 {
		t.Errorf("%+v", c)
	}
	if s.standing("b") == nil || s.standing("b").ProjectID != "b" || s.standing("bb") != nil || s.standing("") != nil {
		t.Error("a project is not found by its id")
	}
}
