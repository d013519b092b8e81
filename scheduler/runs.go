package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Result is how a run of a job ended.
type Result string

// The results of runs.
const (
	// Running is a run that has not ended, or whose process ended with it; then
	// another one goes on.
	Running Result = "running"
	// Published made an edition.
	Published Result = "published"
	// Drafted made a draft for people to publish.
	Drafted Result = "drafted"
	// Told is a notice that went to those whom it concerns, if any.
	Told Result = "told"
	// Skipped is a run that had nothing to do, or nobody to do it; Reason tells.
	Skipped Result = "skipped"
	// Missed is a firing that passed while no replica ran, too long ago to make
	// up for.
	Missed Result = "missed"
	// Failed is tried again; Reason tells why.
	Failed Result = "failed"
)

// settled tells whether nothing is left to do.
func (r Result) settled() bool { return r != Running && r != Failed }

// Run is the record of one run: what was due, when it ran, and why it did or did
// not.
type Run struct {
	Job string `json:"job"`
	// Period is that of the bulletin or assessment; empty for notices.
	Period string `json:"period,omitempty"`
	// Due is when it should have run.
	Due     time.Time `json:"due"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Result  Result    `json:"result"`
	// Reason explains a result that does not explain itself.
	Reason   string `json:"reason,omitempty"`
	Number   int    `json:"number,omitempty"`
	KnownSeq uint64 `json:"known_seq,omitempty"`
	Seq      uint64 `json:"seq,omitempty"`
	// Replica is the process that ran it.
	Replica string `json:"replica,omitempty"`
	// Tries counts the runs until the result.
	Tries int `json:"tries"`
}

// same tells whether both are tries of the same thing.
func (r Run) same(other Run) bool {
	return r.Job == other.Job && r.Period == other.Period && (r.Period != "" || r.Due.Equal(other.Due))
}

// Runs keeps the record of runs where every replica sees it.
type Runs interface {
	// Last gives the last runs of a job, newest first.
	Last(ctx context.Context, job string) ([]Run, error)
	// Record adds the run, or replaces an earlier try of the same.
	Record(ctx context.Context, run Run) error
}

// Limits of the record: runs of a job, characters of a reason, and how often
// others may write first.
const (
	maxRuns        = 24
	maxReason      = 500
	maxRecordTries = 100
	runsKeyOfJob   = "runs."
	shownRuns      = 8
)

// RunLog keeps the last runs of each job in a bucket of JetStream.
type RunLog struct{ bucket jetstream.KeyValue }

// NewRunLog gives the record of runs in the bucket.
func NewRunLog(bucket jetstream.KeyValue) *RunLog { return &RunLog{bucket} }

// Last gives the last runs of a job, newest first, at most 24. Errors are of code
// Unavailable.
func (l *RunLog) Last(ctx context.Context, job string) ([]Run, error) {
	runs, _, err := l.read(ctx, job)
	return runs, err
}

func (l *RunLog) read(ctx context.Context, job string) (runs []Run, revision uint64, err error) {
	entry, err := l.bucket.Get(ctx, runsKeyOfJob+job)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, unavailableRuns(err)
	}
	// What does not read is begun anew: it is a record, and nothing hangs on it.
	if json.Unmarshal(entry.Value(), &runs) != nil {
		runs = nil
	}
	return runs, entry.Revision(), nil
}

// Record adds the run in front, or replaces an earlier try of the same where it
// stands. Errors are of code Unavailable.
func (l *RunLog) Record(ctx context.Context, run Run) error {
	for range maxRecordTries {
		runs, revision, err := l.read(ctx, run.Job)
		if err != nil {
			return err
		}
		text, err := json.Marshal(withRun(runs, run))
		if err != nil {
			return err
		}
		_, err = replaceRevision(ctx, l.bucket, runsKeyOfJob+run.Job, text, revision)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errReplaced) {
			return unavailableRuns(err)
		}
	}
	return &schemas.Error{Code: schemas.Unavailable, Message: "other replicas kept writing the record of runs first", Hint: "it is written with the next run"}
}

// withRun gives the runs with one more, or with one replaced.
func withRun(runs []Run, run Run) []Run {
	run.Reason = shortReason(run.Reason)
	for i, earlier := range runs {
		if earlier.same(run) {
			runs[i] = run
			return runs
		}
	}
	runs = append([]Run{run}, runs...)
	return runs[:min(len(runs), maxRuns)]
}

// shortReason keeps one line of bounded length.
func shortReason(reason string) string {
	reason = strings.Join(strings.Fields(reason), " ")
	if runes := []rune(reason); len(runes) > maxReason {
		return string(runes[:maxReason-1]) + "…"
	}
	return reason
}

func unavailableRuns(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the record of runs cannot be reached", Hint: "check that NATS runs with JetStream", Err: err}
}
