package imports

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"time"

	"milepost/producers"
	"milepost/schemas"
)

// Published gives what a source has published.
type Published interface {
	// EventsFrom yields the events of a source in the order of the stream,
	// each identity once, revocations among them.
	EventsFrom(ctx context.Context, source string) iter.Seq2[PublishedEvent, error]
}

// Publisher puts events on the stream; *producers.Publisher is one.
type Publisher interface {
	Publish(ctx context.Context, submissions iter.Seq[producers.Submission], actor string) iter.Seq[producers.Receipt]
}

// Stream tells the sequence of the newest event on the stream.
type Stream interface {
	LastSequence(ctx context.Context) (uint64, error)
}

// Importer reads snapshots, plans and publishes. One import runs at a time.
type Importer struct {
	Published Published
	Publisher Publisher
	// Stream and Applied let an import wait until the published events of
	// before are known, and serve Request.Wait.
	Stream  Stream
	Applied producers.Applied
	Rules   *schemas.Rules
	Now     func() time.Time

	turn chan struct{}
}

// NewImporter checks and completes an importer.
func NewImporter(i Importer) (*Importer, error) {
	if i.Published == nil || i.Publisher == nil || i.Stream == nil || i.Applied == nil || i.Rules == nil {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "an importer needs Published, Publisher, Stream, Applied and Rules"}
	}
	if i.Now == nil {
		i.Now = time.Now
	}
	i.turn = make(chan struct{}, 1)
	return &i, nil
}

// File is a spreadsheet in CSV.
type File struct {
	Name string
	Text []byte
}

// Request asks for an import.
type Request struct {
	Mapping []byte
	Files   []File
	// SnapshotDate is that of files where neither a column nor the name tells.
	SnapshotDate schemas.Date
	DryRun       bool
	// Wait until the ledger knows what was published.
	Wait  bool
	Actor string
}

// Result says what an import did, or would do.
type Result struct {
	DryRun bool `json:"dry_run"`
	// Added, Changed and Unchanged count projects; Refused counts rows, and
	// files that cannot be read.
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"`
	// Planned counts the events that were missing, by type in Events; of them
	// Published are new on the stream, Duplicates were there already, and
	// Failed are not known to be there.
	Planned    int                  `json:"planned"`
	Published  int                  `json:"published"`
	Duplicates int                  `json:"duplicates"`
	Failed     int                  `json:"failed"`
	Events     map[schemas.Type]int `json:"events"`
	LastSeq    uint64               `json:"last_seq"`
	Warnings   []Warning            `json:"warnings"`
	Errors     []Fault              `json:"errors"`
	// Changes are given by a dry run.
	Changes []ProjectChange `json:"changes,omitempty"`
}

// ProjectChange is what an import would send of one project.
type ProjectChange struct {
	ProjectID string        `json:"project_id"`
	Events    []EventChange `json:"events"`
}

// EventChange is one event of it.
type EventChange struct {
	ID       string       `json:"id"`
	Type     schemas.Type `json:"type"`
	Snapshot schemas.Date `json:"snapshot"`
	Changes  []Difference `json:"changes"`
}

// OK tells whether nothing was refused and nothing failed.
func (r *Result) OK() bool { return r.Refused == 0 && r.Failed == 0 }

const (
	// catchUp is how long an import waits to know what was published before.
	catchUp = 30 * time.Second
	// waitLimit is how long Request.Wait waits for the ledger.
	waitLimit = 2 * time.Minute
	// maxChanges bounds the projects that a dry run lists.
	maxChanges = 20_000
)

// Run imports. Its errors are of the mapping (Invalid) or of the way
// (Unavailable); what is wrong with rows is in the result.
func (i *Importer) Run(ctx context.Context, q Request) (*Result, error) {
	mapping, err := ParseMapping(q.Mapping, i.Rules)
	if err != nil {
		return nil, err
	}
	if len(q.Files) == 0 {
		return nil, &schemas.Error{Code: schemas.Invalid, Message: "no file to import", Field: "file"}
	}
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "another import is running", Hint: "try again when it is done", Err: ctx.Err()}
	}
	result := &Result{DryRun: q.DryRun, Events: map[schemas.Type]int{}, Warnings: []Warning{}, Errors: []Fault{}}
	if err := i.settle(ctx, result); err != nil {
		return nil, err
	}
	reading := &Reading{}
	today := schemas.DateOf(i.Now())
	for _, f := range q.Files {
		reading.Read(mapping, f.Name, bytes.NewReader(f.Text), q.SnapshotDate, today)
	}
	plan, err := MakePlan(mapping, i.Rules, reading.Snapshots, i.Published.EventsFrom(ctx, mapping.Source))
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "what was published before cannot be read", Hint: "check the warehouse and try again", Err: err}
	}
	result.take(reading, plan)
	if q.DryRun {
		result.Changes = changesOf(plan)
		return result, nil
	}
	i.publish(ctx, plan, q.Actor, result)
	if q.Wait && result.LastSeq > 0 && !i.wait(ctx, result.LastSeq, waitLimit) {
		result.Warnings = append(result.Warnings, Warning{Message: "published, but not yet in the ledger"})
	}
	return result, nil
}

// settle waits until what is on the stream is also in the warehouse. When that
// takes too long the import goes on: what it does not know of, it sends once
// more under the same ids, which changes nothing.
func (i *Importer) settle(ctx context.Context, result *Result) error {
	last, err := i.Stream.LastSequence(ctx)
	if err != nil {
		return err
	}
	if last > 0 && !i.wait(ctx, last, catchUp) {
		result.Warnings = append(result.Warnings, Warning{
			Message: "the warehouse is behind the stream: some of what is sent may be there already, which does no harm",
		})
	}
	return nil
}

func (i *Importer) wait(ctx context.Context, seq uint64, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return i.Applied.WaitApplied(ctx, seq) == nil
}

func (r *Result) take(reading *Reading, plan *Plan) {
	r.Added, r.Changed, r.Unchanged = plan.Added, plan.Changed, plan.Unchanged
	r.Refused = reading.Refused + plan.Refused
	r.Planned = len(plan.Events)
	r.Warnings = append(append(r.Warnings, reading.Warnings...), plan.Warnings...)
	r.Errors = append(append(r.Errors, reading.Faults...), plan.Faults...)
	for _, e := range plan.Events {
		r.Events[e.Type]++
	}
}

func changesOf(plan *Plan) []ProjectChange {
	changes := []ProjectChange{}
	at := map[string]int{}
	for _, e := range plan.Events {
		k, ok := at[e.ProjectID]
		if !ok {
			if len(changes) == maxChanges {
				continue
			}
			k = len(changes)
			at[e.ProjectID] = k
			changes = append(changes, ProjectChange{ProjectID: e.ProjectID})
		}
		changes[k].Events = append(changes[k].Events, EventChange{ID: e.ID, Type: e.Type, Snapshot: e.Snapshot, Changes: e.Changes})
	}
	return changes
}

// publish sends the plan. After a failure the rest is not tried: the same
// import later sends what is missing.
func (i *Importer) publish(ctx context.Context, plan *Plan, actor string, result *Result) {
	submissions := func(yield func(producers.Submission) bool) {
		for k := range plan.Events {
			if !yield(producers.Submission{Raw: plan.Events[k].Raw}) {
				return
			}
		}
	}
	k := 0
	for receipt := range i.Publisher.Publish(ctx, submissions, actor) {
		e := &plan.Events[k]
		k++
		switch {
		case receipt.Error == nil && receipt.Duplicate:
			result.Duplicates++
		case receipt.Error == nil:
			result.Published++
		default:
			result.Failed++
			if len(result.Errors) < maxFaultsKept {
				result.Errors = append(result.Errors, Fault{
					File: e.File, Row: e.Row, Message: fmt.Sprintf("event %s was not published: %s", e.ID, receipt.Error.Message), Value: receipt.Error.Value, Hint: receipt.Error.Hint,
				})
			}
		}
		result.LastSeq = max(result.LastSeq, receipt.Seq)
	}
}
