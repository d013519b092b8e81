package ledger

import (
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

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

// Sink takes what one subject adds to the ledger of the i-th of some cuts. What it is given holds until it returns.
type Sink func(i int, j *schemas.Judged) error

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
	judged, err := Judge(rules, known, cuts, projects, whole)
	if err != nil {
		return nil, err
	}
	ledgers := make([]*schemas.Ledger, len(cuts))
	for i, cut := range cuts {
		ledgers[i] = Assembled(rules, cut, judged[i])
	}
	return ledgers, nil
}

// Judge is AssembleShort before the ledgers are put together: for each cut what
// the subjects add to its ledger, in any order.
func Judge(rules *schemas.Rules, known *Known, cuts []schemas.Cut, projects iter.Seq2[Project, error], whole func(ids []string) iter.Seq2[Project, error]) ([][]schemas.Judged, error) {
	all := NewCollection(cuts)
	if err := JudgeEach(rules, known, cuts, projects, whole, all.Sink); err != nil {
		return nil, err
	}
	return all.Of, nil
}

// Collection holds what JudgeEach judges.
type Collection struct {
	mu sync.Mutex
	// Of is for each cut what the subjects add to its ledger, in any order.
	Of [][]schemas.Judged
}

// NewCollection gives an empty one.
func NewCollection(cuts []schemas.Cut) *Collection {
	return &Collection{Of: make([][]schemas.Judged, len(cuts))}
}

// Sink gives a sink that collects.
func (c *Collection) Sink() Sink {
	return func(i int, j *schemas.Judged) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.Of[i] = append(c.Of[i], *j)
		return nil
	}
}

// JudgeEach judges every project at each of the cuts, on all cores, and holds
// nothing of what it judged: each core hands it to a sink of its own, which
// sinks makes; texts and lists of it may be kept. Projects that need the older reports that were left out come
// last, as whole gives them.
func JudgeEach(rules *schemas.Rules, known *Known, cuts []schemas.Cut, projects iter.Seq2[Project, error], whole func(ids []string) iter.Seq2[Project, error], sinks func() Sink) error {
	lacking, err := judgeEach(rules, known, cuts, projects, sinks)
	if err != nil || len(lacking) == 0 {
		return err
	}
	slices.Sort(lacking)
	_, err = judgeEach(rules, known, cuts, whole(lacking), sinks)
	return err
}

// judgeEach gives the projects that lack older reports.
func judgeEach(rules *schemas.Rules, known *Known, cuts []schemas.Cut, projects iter.Seq2[Project, error], sinks func() Sink) (lacking []string, err error) {
	batches := make(chan []Project, 2*runtime.GOMAXPROCS(0))
	var group errgroup.Group
	group.Go(func() error {
		defer close(batches)
		return deal(projects, batches)
	})
	var mu sync.Mutex
	for range runtime.GOMAXPROCS(0) {
		worker := &judging{rules: rules, known: known, cuts: cuts, sink: sinks(), standings: make([]schemas.Standing, len(cuts))}
		group.Go(func() error {
			err := worker.all(batches)
			mu.Lock()
			defer mu.Unlock()
			lacking = append(lacking, worker.lacking...)
			return err
		})
	}
	return lacking, group.Wait()
}

// judging is what one core judges with.
type judging struct {
	rules     *schemas.Rules
	known     *Known
	cuts      []schemas.Cut
	sink      Sink
	standings []schemas.Standing // of one project, one for each cut
	judged    schemas.Judged
	lacking   []string
}

// all judges batches of projects.
func (w *judging) all(batches <-chan []Project) error {
	var failed error
	for batch := range batches {
		for i := range batch {
			if failed != nil {
				break // the dealer must find a taker until it has dealt everything
			}
			failed = w.one(&batch[i])
		}
	}
	return failed
}

func (w *judging) one(p *Project) error {
	facts, err := p.Facts()
	if err != nil {
		return err
	}
	h := NewHistory(w.rules, w.known, p.ID, facts)
	h.older = p.Older
	for i, cut := range w.cuts {
		w.standings[i], _ = h.At(cut)
	}
	// How far back a standstill reaches is known only now.
	if h.lacks(w.cuts) {
		w.lacking = append(w.lacking, h.ProjectID)
		return nil
	}
	w.judged = schemas.Judged{ProjectID: h.ProjectID, Ignored: h.Ignored(), Adjustments: h.Adjustments()}
	for i, cut := range w.cuts {
		w.judged.Standing, w.judged.Orphans = w.standings[i], h.Orphans(cut.AsOf)
		if err := w.sink(i, &w.judged); err != nil {
			return err
		}
	}
	return nil
}

// Assembled puts a ledger together of what its subjects add to it. Standings are
// large: they are put in order by reference and copied once.
func Assembled(rules *schemas.Rules, cut schemas.Cut, judged []schemas.Judged) *schemas.Ledger {
	l := begun(rules, cut)
	order := make([]*schemas.Standing, 0, len(judged))
	for k := range judged {
		j := &judged[k]
		add(l, j)
		if s := &j.Standing; s.ProjectID != "" {
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

// begun gives the ledger of a cut without anything in it.
func begun(rules *schemas.Rules, cut schemas.Cut) *schemas.Ledger {
	return &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq, ReportingMonth: rules.ReportingMonth(cut.AsOf)}
}

// add adds what one subject brings beside its row.
func add(l *schemas.Ledger, j *schemas.Judged) {
	for _, i := range j.Ignored {
		if i.Foreign {
			l.Quality.Foreign++
		}
	}
	l.Quality.Orphans += j.Orphans
	l.Ignored, l.Adjustments = append(l.Ignored, j.Ignored...), append(l.Adjustments, j.Adjustments...)
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
