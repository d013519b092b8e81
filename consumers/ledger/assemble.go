package ledger

import (
	"iter"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"milepost/schemas"
)

// Project is what the warehouse has under one subject.
type Project struct {
	ID string
	// Facts gives all of them but those of Older, each identity once, by
	// sequence. It is called once, on any goroutine.
	Facts func() ([]Fact, error)
	Older Older
}

// judged is what one project adds to the ledgers.
type judged struct {
	projectID   string
	lacking     string             // the project's id, when it is to be judged again with its older reports; then nothing else
	standings   []schemas.Standing // one for each cut; without an id where the project has no row
	orphans     []int              // one for each cut
	ignored     []schemas.Ignored
	adjustments []schemas.RecordedAdjustment
}

// batchSize is how many projects travel together between goroutines.
const batchSize = 64

// Assemble judges every project at each of the cuts, which share known.Seq.
// Subjects that are no project (adjustments, publications) add to the quality
// counts only. The projects are judged on all cores.
func Assemble(rules *schemas.Rules, known *Known, cuts []schemas.Cut, projects iter.Seq2[Project, error]) ([]*schemas.Ledger, error) {
	return AssembleShort(rules, known, cuts, projects, nil)
}

// AssembleShort is Assemble for projects of which older reports may be left
// out; whole gives those that need them, with everything.
func AssembleShort(rules *schemas.Rules, known *Known, cuts []schemas.Cut, projects iter.Seq2[Project, error], whole func(ids []string) iter.Seq2[Project, error]) ([]*schemas.Ledger, error) {
	judgements, err := JudgeShort(rules, known, cuts, projects, whole)
	if err != nil {
		return nil, err
	}
	ledgers := make([]*schemas.Ledger, len(cuts))
	for i := range cuts {
		ledgers[i] = judgements.Ledger(i)
	}
	return ledgers, nil
}

// Judgements are what projects add to the ledgers of some cuts.
type Judgements struct {
	rules *schemas.Rules
	cuts  []schemas.Cut
	all   []judged
}

// JudgeShort is AssembleShort before the ledgers are put together.
func JudgeShort(rules *schemas.Rules, known *Known, cuts []schemas.Cut, projects iter.Seq2[Project, error], whole func(ids []string) iter.Seq2[Project, error]) (*Judgements, error) {
	all, err := judgeEach(rules, known, cuts, projects)
	if err != nil {
		return nil, err
	}
	var lacking []string
	all = slices.DeleteFunc(all, func(j judged) bool {
		if j.lacking != "" {
			lacking = append(lacking, j.lacking)
		}
		return j.lacking != ""
	})
	if len(lacking) > 0 {
		slices.Sort(lacking)
		again, err := judgeEach(rules, known, cuts, whole(lacking))
		if err != nil {
			return nil, err
		}
		all = append(all, again...)
	}
	return &Judgements{rules, cuts, all}, nil
}

// Ledger puts the ledger of the i-th cut together.
func (j *Judgements) Ledger(i int) *schemas.Ledger {
	l := assembled(j.all, i, j.cuts[i])
	l.ReportingMonth = j.rules.ReportingMonth(l.AsOf)
	return l
}

// Len is how many subjects were judged.
func (j *Judgements) Len() int { return len(j.all) }

// Of yields what each subject adds to the ledger of the i-th cut, in any order.
func (j *Judgements) Of(i int) iter.Seq[schemas.Judged] {
	return func(yield func(schemas.Judged) bool) {
		for k := range j.all {
			one := &j.all[k]
			if !yield(schemas.Judged{ProjectID: one.projectID, Standing: one.standings[i], Orphans: one.orphans[i], Ignored: one.ignored, Adjustments: one.adjustments}) {
				return
			}
		}
	}
}

// judgeEach judges the projects on all cores.
func judgeEach(rules *schemas.Rules, known *Known, cuts []schemas.Cut, projects iter.Seq2[Project, error]) ([]judged, error) {
	batches := make(chan []Project, 2*runtime.GOMAXPROCS(0))
	results := make(chan []judged, 2*runtime.GOMAXPROCS(0))
	var group errgroup.Group
	group.Go(func() error {
		defer close(batches)
		return deal(projects, batches)
	})
	var judges errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		judges.Go(func() error { return judgeAll(rules, known, cuts, batches, results) })
	}
	group.Go(func() error {
		defer close(results)
		return judges.Wait()
	})
	var all []judged
	for batch := range results {
		all = append(all, batch...)
	}
	return all, group.Wait()
}

// assembled puts together what the projects add to the ledger of the i-th cut.
// Standings are large: they are put in order by reference and copied once.
func assembled(all []judged, i int, cut schemas.Cut) *schemas.Ledger {
	l := &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq}
	var order []*schemas.Standing
	for k := range all {
		j := &all[k]
		add(l, j.orphans[i], j.ignored, j.adjustments)
		if s := &j.standings[i]; s.ProjectID != "" {
			order = append(order, s)
		}
	}
	orderEvents(l)
	slices.SortFunc(order, func(a, b *schemas.Standing) int { return strings.Compare(a.ProjectID, b.ProjectID) })
	l.Standings = make([]schemas.Standing, len(order))
	for k, s := range order {
		l.Standings[k] = *s
	}
	return l
}

// add adds what one subject brings beside its row.
func add(l *schemas.Ledger, orphans int, ignored []schemas.Ignored, adjustments []schemas.RecordedAdjustment) {
	for _, i := range ignored {
		if i.Foreign {
			l.Quality.Foreign++
		}
	}
	l.Quality.Orphans += orphans
	l.Ignored, l.Adjustments = append(l.Ignored, ignored...), append(l.Adjustments, adjustments...)
}

// orderEvents puts what does not count and adjustments into the order of the stream.
func orderEvents(l *schemas.Ledger) {
	slices.SortStableFunc(l.Ignored, func(a, b schemas.Ignored) int { return compareSeq(a.Event.Seq, b.Event.Seq) })
	slices.SortFunc(l.Adjustments, func(a, b schemas.RecordedAdjustment) int { return compareSeq(a.Event.Seq, b.Event.Seq) })
}

// deal hands the projects out in batches.
func deal(projects iter.Seq2[Project, error], batches chan<- []Project) error {
	var batch []Project
	for p, err := range projects {
		if err != nil {
			return err
		}
		if batch = append(batch, p); len(batch) == batchSize {
			batches <- batch
			batch = nil
		}
	}
	if len(batch) > 0 {
		batches <- batch
	}
	return nil
}

func judgeAll(rules *schemas.Rules, known *Known, cuts []schemas.Cut, batches <-chan []Project, results chan<- []judged) error {
	var failed error
	for batch := range batches {
		if failed != nil {
			continue // the dealer must find a taker until it has dealt everything
		}
		out := make([]judged, 0, len(batch))
		for _, p := range batch {
			facts, err := p.Facts()
			if err != nil {
				failed = err
				break
			}
			h := NewHistory(rules, known, p.ID, facts)
			h.older = p.Older
			out = append(out, judge(h, cuts))
		}
		results <- out
	}
	return failed
}

func judge(h *History, cuts []schemas.Cut) judged {
	j := judged{projectID: h.ProjectID, ignored: h.Ignored(), adjustments: h.Adjustments(), orphans: make([]int, len(cuts)), standings: make([]schemas.Standing, len(cuts))}
	for i, cut := range cuts {
		j.orphans[i] = h.Orphans(cut.AsOf)
		j.standings[i], _ = h.At(cut)
	}
	if h.lacks(cuts) {
		return judged{lacking: h.ProjectID}
	}
	return j
}
