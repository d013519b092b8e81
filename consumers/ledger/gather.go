package ledger

import (
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"milepost/schemas"
)

// Packed is what was judged of a subject before, in its packed form.
type Packed struct {
	ProjectID string
	Text      string
}

// packedAtOnce is how many travel together between goroutines.
const packedAtOnce = 512

// Gather puts a ledger together of what was judged before, at most most of them by project, and of what was judged again,
// which takes the place of what there was of these subjects. It gives how many were judged before, those that were
// replaced included.
func Gather(rules *schemas.Rules, cut schemas.Cut, before iter.Seq2[Packed, error], most int, again []schemas.Judged) (*schemas.Ledger, int, error) {
	g := &gatherer{
		ledger: begun(rules, cut),
		rows:   make([]schemas.Standing, most+len(again)),
	}
	again = slices.SortedFunc(slices.Values(again), func(a, b schemas.Judged) int { return strings.Compare(a.ProjectID, b.ProjectID) })
	batches := make(chan packedBatch, 2*runtime.GOMAXPROCS(0))
	var group errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error { return g.unpack(batches) })
	}
	read, err := g.deal(before, most, again, batches)
	close(batches)
	if failed := group.Wait(); err == nil {
		err = failed
	}
	if err != nil {
		return nil, 0, err
	}
	g.ledger.Standings = g.rows[:g.taken:g.taken]
	orderEvents(g.ledger)
	return g.ledger, read, nil
}

type gatherer struct {
	rows  []schemas.Standing // of the ledger; the first taken ones are used
	taken int

	mu     sync.Mutex
	ledger *schemas.Ledger
}

// packedBatch is some of what was judged before, with the place of its first row.
type packedBatch struct {
	list  []Packed
	first int
}

// place takes the place of the next row.
func (g *gatherer) place() int {
	g.taken++
	return g.taken - 1
}

// deal gives every row its place, in the order of the projects.
func (g *gatherer) deal(before iter.Seq2[Packed, error], most int, again []schemas.Judged, batches chan<- packedBatch) (read int, err error) {
	batch := packedBatch{}
	send := func() {
		if len(batch.list) > 0 {
			batches <- batch
		}
		batch = packedBatch{first: g.taken}
	}
	// A batch has its rows in a row: what was judged again stands between two of them.
	put := func(j *schemas.Judged) {
		send()
		if j.Standing.ProjectID != "" {
			g.rows[g.place()] = j.Standing
		}
		g.mu.Lock()
		add(g.ledger, j)
		g.mu.Unlock()
		batch.first = g.taken
	}
	for p, err := range before {
		if err != nil {
			return 0, err
		}
		if read++; read > most {
			return 0, fmt.Errorf("more than %d subjects were judged before", most)
		}
		for len(again) > 0 && again[0].ProjectID < p.ProjectID {
			put(&again[0])
			again = again[1:]
		}
		if len(again) > 0 && again[0].ProjectID == p.ProjectID {
			put(&again[0])
			again = again[1:]
			continue
		}
		if schemas.JudgedStanding(p.Text) {
			g.place()
		}
		if batch.list = append(batch.list, p); len(batch.list) == packedAtOnce {
			send()
		}
	}
	send()
	for i := range again {
		put(&again[i])
	}
	return read, nil
}

// sharedWords bounds how many words one goroutine keeps.
const sharedWords = 8192

// unpack reads batches; each row is in the place that it was given.
func (g *gatherer) unpack(batches <-chan packedBatch) error {
	words := map[string]string{}
	shared := func(text string) string {
		if word, ok := words[text]; ok {
			return word
		}
		if len(words) < sharedWords {
			text = strings.Clone(text)
			words[text] = text
		}
		return text
	}
	var failed error
	for batch := range batches {
		if failed != nil {
			continue // the dealer must find a taker
		}
		place := batch.first
		for _, p := range batch.list {
			var j schemas.Judged
			if failed = schemas.UnpackJudged(p.ProjectID, p.Text, shared, &j); failed != nil {
				break
			}
			if j.Standing.ProjectID != "" {
				g.rows[place] = j.Standing
				place++
			}
			if addsMore(&j) {
				g.mu.Lock()
				add(g.ledger, &j)
				g.mu.Unlock()
			}
		}
	}
	return failed
}
