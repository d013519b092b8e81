package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"milepost/consumers"
	"milepost/schemas"
)

// replayLine is a line of the answer to POST /v1/replay: how far it is, and at
// last its result or its error.
type replayLine struct {
	*consumers.ReplayProgress
	Result *consumers.ReplayResult `json:"result,omitempty"`
	Error  *schemas.Error          `json:"error,omitempty"`
}

// progressEvery is the least time between two lines of one phase.
const progressEvery = 200 * time.Millisecond

// serveReplay answers POST /v1/replay?partial=&judge_again= while it rebuilds
// the warehouse. The consumers may run in any process: the stream itself holds
// them back for the exchange. A client that goes away ends the replay.
func (a *App) serveReplay(w http.ResponseWriter, r *http.Request) {
	partial, err := choice(r, "partial")
	judgeAgain, alsoErr := choice(r, "judge_again")
	if err := errors.Join(err, alsoErr); err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	ctx, leave := a.longRuns.join(r.Context())
	defer leave()
	// A client that does not read must not hold up the replay: only the latest
	// progress waits for it.
	progress := make(chan consumers.ReplayProgress, 1)
	ended := make(chan replayLine, 1)
	go func() {
		result, err := consumers.Replay(ctx, consumers.ReplayConfig{
			JetStream: a.js, Decoder: schemas.NewBookValidator(a.book), Warehouse: a.warehouse, Actors: a.actors(), Archive: a.config.ArchiveFolder(), Partial: partial, JudgeAgain: judgeAgain, Log: a.log,
			Progress: func(p consumers.ReplayProgress) {
				select {
				case <-progress:
				default:
				}
				progress <- p
			},
		})
		if result != nil && result.Changed && a.refresher != nil {
			a.refresher.applied(0)
		}
		ended <- replayLine{Result: result, Error: a.replayError(ctx, err)}
	}()
	relayReplay(w, progress, ended)
}

// relayReplay writes a line for each phase, and now and then within one.
func relayReplay(w http.ResponseWriter, progress <-chan consumers.ReplayProgress, ended <-chan replayLine) {
	control := http.NewResponseController(w)
	started := false
	put := func(line replayLine) {
		if !started {
			started = true
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		// A client that is gone ends the request's context, and so the replay.
		_ = json.NewEncoder(w).Encode(line)
		_ = control.Flush()
	}
	var last consumers.ReplayProgress
	var told time.Time
	for {
		select {
		case p := <-progress:
			if p.Phase != last.Phase || time.Since(told) >= progressEvery {
				last, told = p, time.Now()
				put(replayLine{ReplayProgress: &p})
			}
		case line := <-ended:
			if line.Error != nil && !started {
				schemas.WriteProblem(w, line.Error)
				return
			}
			put(line)
			return
		}
	}
}

func (a *App) replayError(ctx context.Context, err error) *schemas.Error {
	if err == nil {
		return nil
	}
	a.log.WarnContext(ctx, "the replay ended early", "error", err)
	var e *schemas.Error
	if ctx.Err() != nil || !errors.As(err, &e) {
		return &schemas.Error{Code: schemas.Unavailable, Message: "the replay ended early", Hint: "the server ends, or its log says why; start the replay again"}
	}
	return e
}

func choice(r *http.Request, name string) (bool, error) {
	given := r.FormValue(name)
	if given == "" {
		return false, nil
	}
	chosen, err := strconv.ParseBool(given)
	if err != nil {
		return false, &schemas.Error{Code: schemas.Invalid, Field: name, Value: schemas.Shorten(given), Message: "neither true nor false"}
	}
	return chosen, nil
}

// longRuns are the requests that a process does not wait for when it ends.
type longRuns struct {
	mu    sync.Mutex
	ended bool
	next  int
	stops map[int]context.CancelFunc
}

// join gives a context that ends with the process, too.
func (l *longRuns) join(ctx context.Context) (joined context.Context, leave func()) {
	joined, stop := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		stop()
		return joined, stop
	}
	if l.stops == nil {
		l.stops = map[int]context.CancelFunc{}
	}
	l.next++
	number := l.next
	l.stops[number] = stop
	return joined, func() {
		stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.stops, number)
	}
}

// end ends all that run and all that come.
func (l *longRuns) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, stop := range l.stops {
		stop()
	}
}
