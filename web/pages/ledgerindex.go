package pages

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"milepost/schemas"
)

// ledgerIndex has what filters and orders look at, in 28 bytes of each standing
// that lie one behind the other: the standings are twenty times as large, and
// their words lie elsewhere.
type ledgerIndex struct {
	rows        []indexRow
	districts   []string // in order, as the words of the others
	leads       []string
	departments []string
	tagSets     [][]string
	choices     Choices
}

// indexRow refers to words by their place.
type indexRow struct {
	district, lead, department, tags uint32
	target                           schemas.Date // of the next milestone
	issues                           uint32       // open ones
	light, status, stage             uint8        // places in their orders, from 1
	cancelled                        bool
}

// lightOrder puts the worst first.
func lightOrder() []schemas.Light {
	return []schemas.Light{schemas.Red, schemas.Yellow, schemas.Green, schemas.Grey, schemas.NoneOn}
}

// place gives the place of a word from 1; 0 for none of them.
func place[T comparable](words []T, word T) uint8 { return uint8(slices.Index(words, word) + 1) }

// dictionary numbers words in the order in which they come.
type dictionary struct {
	places map[string]uint32
	words  []string
}

func newDictionary() *dictionary { return &dictionary{places: map[string]uint32{}} }

func (d *dictionary) place(word string) uint32 {
	at, known := d.places[word]
	if !known {
		at = uint32(len(d.words))
		d.places[word], d.words = at, append(d.words, word)
	}
	return at
}

// inOrder gives the words in order, and the new place of each.
func (d *dictionary) inOrder() (words []string, places []uint32) {
	words = slices.Sorted(slices.Values(d.words))
	places = make([]uint32, len(words))
	for i, word := range words {
		places[d.places[word]] = uint32(i)
	}
	return words, places
}

// indexLedger reads the standings once.
func indexLedger(standings []schemas.Standing, rules *schemas.Rules) *ledgerIndex {
	x := &ledgerIndex{rows: make([]indexRow, len(standings))}
	districts, leads, departments, tagSets := newDictionary(), newDictionary(), newDictionary(), map[string]uint32{}
	byLight, byStatus, byStage := lightOrder(), statuses(), stages()
	var tags []byte
	for i := range standings {
		s := &standings[i]
		tags = tags[:0]
		for _, tag := range s.Tags {
			tags = append(append(tags, tag...), 0)
		}
		set, known := tagSets[string(tags)]
		if !known {
			set = uint32(len(x.tagSets))
			tagSets[string(tags)], x.tagSets = set, append(x.tagSets, s.Tags)
		}
		x.rows[i] = indexRow{
			district: districts.place(s.District), lead: leads.place(s.Holder.Lead), department: departments.place(s.Holder.Department), tags: set,
			target: nextTarget(s), issues: uint32(s.OpenIssues()),
			light: place(byLight, s.Light), status: place(byStatus, s.Status), stage: place(byStage, s.Stage), cancelled: s.Cancelled,
		}
	}
	var district, lead, department []uint32
	x.districts, district = districts.inOrder()
	x.leads, lead = leads.inOrder()
	x.departments, department = departments.inOrder()
	for i := range x.rows {
		r := &x.rows[i]
		r.district, r.lead, r.department = district[r.district], lead[r.lead], department[r.department]
	}
	x.choices = Choices{Districts: rules.Districts, Lights: lights(), Statuses: statuses(), Stages: stages()}
	x.choices.Leads, x.choices.Departments = named(x.leads), named(x.departments)
	x.choices.Tags = slices.Compact(slices.Sorted(slices.Values(slices.Concat(x.tagSets...))))
	return x
}

// named gives the words of a filter, in order, in which nobody has a name, too.
func named(words []string) []string {
	names := make([]string, 0, len(words))
	for _, word := range words {
		names = append(names, cmp.Or(word, unassigned))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nextTarget is the target of the next milestone; the last day for none.
func nextTarget(s *schemas.Standing) schemas.Date {
	if m, ok := nextMilestone(s); ok && s.Milestones[m].Target != 0 {
		return s.Milestones[m].Target
	}
	return schemas.LastDate
}

// narrowed is a filter in the index's terms: which places it admits; nil admits
// all.
type narrowed struct {
	district, lead, department, tags, light, status, stage []bool
	cancelled                                              bool
}

func (x *ledgerIndex) narrow(f *filter) *narrowed {
	return &narrowed{
		district:   admitted(f.District, x.districts, func(word string) bool { return word == f.District }),
		lead:       admitted(f.Lead, x.leads, func(word string) bool { return cmp.Or(word, unassigned) == f.Lead }),
		department: admitted(f.Department, x.departments, func(word string) bool { return cmp.Or(word, unassigned) == f.Department }),
		tags:       admitted(f.Tag, x.tagSets, func(tags []string) bool { return slices.Contains(tags, f.Tag) }),
		light:      admitted(f.Light, slices.Insert(lightOrder(), 0, ""), func(l schemas.Light) bool { return string(l) == f.Light }),
		status:     admitted(f.Status, slices.Insert(statuses(), 0, ""), func(s schemas.Status) bool { return string(s) == f.Status }),
		stage:      admitted(f.Stage, slices.Insert(stages(), 0, ""), func(s schemas.Stage) bool { return string(s) == f.Stage }),
		cancelled:  f.Cancelled,
	}
}

func admitted[T any](wanted string, words []T, admits func(T) bool) []bool {
	if wanted == "" {
		return nil
	}
	list := make([]bool, len(words))
	for i, word := range words {
		list[i] = admits(word)
	}
	return list
}

func (n *narrowed) admits(r *indexRow) bool {
	return (n.cancelled || !r.cancelled) &&
		(n.district == nil || n.district[r.district]) && (n.lead == nil || n.lead[r.lead]) && (n.department == nil || n.department[r.department]) &&
		(n.tags == nil || n.tags[r.tags]) && (n.light == nil || n.light[r.light]) && (n.status == nil || n.status[r.status]) && (n.stage == nil || n.stage[r.stage])
}

// sorters give, by the words of "sort", a number for each row whose order is
// that of the rows. Rows of the same number are in the order of the ledger.
var sorters = map[string]func(x *ledgerIndex, standings []schemas.Standing) func(row uint32) uint64{
	"id": func(*ledgerIndex, []schemas.Standing) func(uint32) uint64 {
		return func(row uint32) uint64 { return uint64(row) }
	},
	"district": ofIndex(func(r *indexRow) uint64 { return uint64(r.district) }),
	"lead":     ofIndex(func(r *indexRow) uint64 { return uint64(r.lead) }),
	"light":    ofIndex(func(r *indexRow) uint64 { return uint64(r.light) }),
	"status":   ofIndex(func(r *indexRow) uint64 { return uint64(r.status) }),
	"stage":    ofIndex(func(r *indexRow) uint64 { return uint64(r.stage) }),
	"target":   ofIndex(func(r *indexRow) uint64 { return orderedInt(int64(r.target)) }),
	"issues":   ofIndex(func(r *indexRow) uint64 { return uint64(r.issues) }),
	"total":    ofStanding(func(s *schemas.Standing) uint64 { return orderedInt(int64(s.TotalInvestment)) }),
	"plan":     ofStanding(func(s *schemas.Standing) uint64 { return orderedInt(int64(s.Investment.Plan)) }),
	"invested": ofStanding(func(s *schemas.Standing) uint64 { return orderedInt(int64(s.Investment.Invested)) }),
	"rate":     ofStanding(func(s *schemas.Standing) uint64 { return orderedFloat(rateOf(s)) }),
}

func ofIndex(number func(*indexRow) uint64) func(*ledgerIndex, []schemas.Standing) func(uint32) uint64 {
	return func(x *ledgerIndex, _ []schemas.Standing) func(uint32) uint64 {
		return func(row uint32) uint64 { return number(&x.rows[row]) }
	}
}

func ofStanding(number func(*schemas.Standing) uint64) func(*ledgerIndex, []schemas.Standing) func(uint32) uint64 {
	return func(_ *ledgerIndex, standings []schemas.Standing) func(uint32) uint64 {
		return func(row uint32) uint64 { return number(&standings[row]) }
	}
}

// rateOf is invested ÷ plan; without a plan or a report it is the least.
func rateOf(s *schemas.Standing) float64 {
	if s.Investment.Plan == 0 || !s.Investment.Known {
		return -1
	}
	return float64(s.Investment.Invested) / float64(s.Investment.Plan)
}

// orderedInt keeps the order of signed numbers.
func orderedInt(v int64) uint64 { return uint64(v) ^ 1<<63 }

// orderedFloat keeps the order of numbers that are not NaN; both zeros are one.
func orderedFloat(v float64) uint64 {
	bits := math.Float64bits(v + 0)
	if v < 0 {
		return ^bits
	}
	return bits | 1<<63
}

// standing finds a project in the ledger; nil for none.
func (s *snapshot) standing(id string) *schemas.Standing {
	at, found := slices.BinarySearchFunc(s.ledger.Standings, id, func(one schemas.Standing, id string) int { return strings.Compare(one.ProjectID, id) })
	if !found {
		return nil
	}
	return &s.ledger.Standings[at]
}
