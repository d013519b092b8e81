package pages

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// news tells those who watch that the watermark has moved. It asks the stream
// only while somebody watches.
type news struct {
	knowledge Knowledge

	mu       sync.Mutex
	watchers int
	stop     context.CancelFunc
	known    uint64
	changed  chan struct{}
}

func newNews(k Knowledge) *news { return &news{knowledge: k, changed: make(chan struct{})} }

// maxWatchers bounds the browsers that follow the news at once; those beyond
// see the news when they load the page.
const maxWatchers = 500

// watchTime ends a connection; the browser comes again by itself, and is asked
// anew who it is.
const watchTime = 10 * time.Minute

// restBetween bounds how often browsers are told.
const restBetween = time.Second

// watch begins to watch; false when too many do.
func (n *news) watch() (leave func(), ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watchers >= maxWatchers {
		return nil, false
	}
	n.watchers++
	if n.watchers == 1 {
		ctx, stop := context.WithCancel(context.Background())
		n.stop = stop
		go n.follow(ctx)
	}
	var left atomic.Bool
	return func() {
		if left.Swap(true) {
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.watchers--; n.watchers == 0 {
			n.stop()
		}
	}, true
}

func (n *news) follow(ctx context.Context) {
	for ctx.Err() == nil {
		known, err := n.knowledge.Watermark(ctx)
		if err == nil {
			n.tell(known)
			waiting, cancel := context.WithTimeout(ctx, watchTime)
			_ = n.knowledge.WaitApplied(waiting, known+1) // whatever it says, the watermark is asked again
			cancel()
		}
		rest := time.NewTimer(restBetween)
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
		}
	}
}

func (n *news) tell(known uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if known == n.known {
		return
	}
	n.known = known
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *news) latest() (known uint64, changed <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known, n.changed
}

// heartbeat is how often a line says that the connection lives.
const heartbeat = 20 * time.Second

// live answers GET /live with the watermark, and again whenever it moves.
func (p *Pages) live(w http.ResponseWriter, r *http.Request) {
	secure(w)
	leave, ok := p.news.watch()
	if !ok {
		http.Error(w, "too many watch at once", http.StatusServiceUnavailable)
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), watchTime)
	defer cancel()
	if p.Join != nil {
		joined, leave := p.Join(ctx)
		defer leave()
		ctx = joined
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var told uint64
	for line := ": 里程桩\n\n"; ; {
		_ = control.SetWriteDeadline(time.Now().Add(heartbeat)) // a writer without deadlines is written without
		if _, err := fmt.Fprint(w, line); err != nil || control.Flush() != nil {
			return
		}
		known, changed := p.news.latest()
		if known != told {
			told, line = known, fmt.Sprintf("event: watermark\ndata: %d\n\n", known)
			continue
		}
		line = ": -\n\n"
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-beat.C:
		}
	}
}
