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
	// Dir keeps plans while they are worked on; by default that of the
	// system's temporary files.
	Dir string

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

// File is a spreadsheet, XLSX or CSV.
type File struct {
	Name string
	Text []byte
}

// Sender is who asks for an import.
type Sender struct {
	// Actor is named in the events.
	Actor string
	// District is that of the sender's own office; a sheet without a mapping
	// is sent as its. Empty: of any, or of the city.
	District string
	// Admit says which events the sender may send; nil admits all. It is
	// asked when the import is planned, so that a row with an event that is
	// refused is refused whole, and again when it is published.
	Admit producers.Admission
}

// Request asks for an import.
type Request struct {
	// Mapping says what the columns mean; without one they are the template's.
	Mapping []byte
	Files   []File
	// SnapshotDate is that of files where neither a column nor the name tells.
	SnapshotDate schemas.Date
	// District is who answers for a sheet without a mapping, where its
	// template does not say so.
	District string
	DryRun   bool
	// Wait until the ledger knows what was published.
	Wait   bool
	Sender Sender
	// Progress, if set, is told now and then how far the import is.
	Progress func(Progression)
}

// Progression is how far an import is: Stage "read" and "planned" count rows,
// "published" events. Total is 0 where it is not known.
type Progression struct {
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	Total int    `json:"total,omitempty"`
}

func (q *Request) tell(stage string, total int) func(int) {
	if q.Progress == nil {
		return nil
	}
	return func(done int) { q.Progress(Progression{Stage: stage, Done: done, Total: total}) }
}

// Result says what an import did, or would do.
type Result struct {
	DryRun bool `json:"dry_run"`
	// Source and Sender are those of the events; Snapshots the days of the
	// sheets.
	Source    string         `json:"source"`
	Sender    string         `json:"sender"`
	Snapshots []schemas.Date `json:"snapshots"`
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
	// Ignored lists the columns that the import does not read.
	Ignored []string `json:"ignored_columns,omitempty"`
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
	// maxChanges bounds the projects that a preview lists.
	maxChanges = 5_000
)

// Run imports. Its errors are of the mapping (Invalid) or of the way
// (Unavailable); what is wrong with rows is in the result.
func (i *Importer) Run(ctx context.Context, q Request) (*Result, error) {
	if err := i.enter(ctx); err != nil {
		return nil, err
	}
	defer i.leave()
	p, err := i.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	defer p.events.remove()
	p.result.DryRun = q.DryRun
	if q.DryRun {
		p.result.Changes = p.changes
		return p.result, nil
	}
	i.publish(ctx, p, &q)
	return p.result, nil
}

// enter waits for the turn of an import; leave ends it.
func (i *Importer) enter(ctx context.Context) error {
	select {
	case i.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &schemas.Error{Code: schemas.Unavailable, Message: "another import is running", Hint: "try again when it is done", Err: ctx.Err()}
	}
}

func (i *Importer) leave() { <-i.turn }

// prepared is an import that is planned and not yet published.
type prepared struct {
	mapping *Mapping
	events  *planFile
	result  *Result
	changes []ProjectChange
	// before is what the source had published when the import was planned.
	before known
}

// known tells one state of a source from another.
type known struct {
	events int
	last   uint64
}

// prepare reads the files and plans.
func (i *Importer) prepare(ctx context.Context, q Request) (*prepared, error) {
	if len(q.Files) == 0 {
		return nil, &schemas.Error{Code: schemas.Invalid, Message: "no file to import", Field: "file"}
	}
	mapping, err := i.mappingOf(&q)
	if err != nil {
		return nil, err
	}
	p := &prepared{mapping: mapping, changes: []ProjectChange{}, result: &Result{
		Source: mapping.Source, Sender: mapping.Sender, Snapshots: []schemas.Date{},
		Events: map[schemas.Type]int{}, Warnings: []Warning{}, Errors: []Fault{},
	}}
	if err := i.settle(ctx, p.result); err != nil {
		return nil, err
	}
	reading := &Reading{Progress: q.tell("read", 0)}
	today := schemas.DateOf(i.Now())
	for _, f := range q.Files {
		reading.Read(mapping, f.Name, bytes.NewReader(f.Text), q.SnapshotDate, today)
	}
	reading.release()
	if p.events, err = newPlanFile(i.Dir); err != nil {
		return nil, err
	}
	listed := map[string]int{}
	plan, err := makePlan(mapping, i.Rules, reading.Snapshots, p.noting(i.Published.EventsFrom(ctx, mapping.Source)), planOptions{
		take: func(events []PlannedEvent) error {
			p.list(listed, events)
			return p.events.add(events)
		},
		admit: q.Sender.Admit, progress: q.tell("planned", reading.rows),
	})
	if err == nil {
		err = p.events.seal()
	}
	if err != nil {
		p.events.remove()
		if schemas.CodeOf(err) != schemas.Internal {
			return nil, err
		}
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "what was published before cannot be read", Hint: "check the warehouse and try again", Err: err}
	}
	p.result.take(reading, plan)
	return p, nil
}

// noting keeps what tells the state of the source.
func (p *prepared) noting(published iter.Seq2[PublishedEvent, error]) iter.Seq2[PublishedEvent, error] {
	return func(yield func(PublishedEvent, error) bool) {
		p.before = known{}
		for e, err := range published {
			p.before.note(e)
			if !yield(e, err) {
				return
			}
		}
	}
}

func (k *known) note(e PublishedEvent) {
	k.events++
	k.last = max(k.last, e.Seq)
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
	r.Planned, r.Events = plan.Count, plan.Kinds
	r.Snapshots = append(r.Snapshots, plan.Dates...)
	r.Warnings = append(append(r.Warnings, reading.Warnings...), plan.Warnings...)
	r.Errors = append(append(r.Errors, reading.Faults...), plan.Faults...)
	r.Ignored = reading.Ignored
}

// list adds what events change, up to a number of projects.
func (p *prepared) list(at map[string]int, events []PlannedEvent) {
	for _, e := range events {
		k, ok := at[e.ProjectID]
		if !ok {
			if len(p.changes) == maxChanges {
				continue
			}
			k = len(p.changes)
			at[e.ProjectID] = k
			p.changes = append(p.changes, ProjectChange{ProjectID: e.ProjectID})
		}
		p.changes[k].Events = append(p.changes[k].Events, EventChange{ID: e.ID, Type: e.Type, Snapshot: e.Snapshot, Changes: e.Changes})
	}
}

// publish sends a plan and, if wished, waits for the ledger. After a failure
// the rest is not tried: the same import later sends what is missing.
func (i *Importer) publish(ctx context.Context, p *prepared, q *Request) {
	result := p.result
	var sent []plannedLine // those without a receipt yet
	var failed error
	submissions := func(yield func(producers.Submission) bool) {
		for line, err := range p.events.all() {
			if err != nil {
				failed = err
				return
			}
			sent = append(sent, line)
			if !yield(producers.Submission{Raw: line.Raw, Admit: q.Sender.Admit}) {
				return
			}
		}
	}
	told := q.tell("published", p.events.count)
	done := 0
	for receipt := range i.Publisher.Publish(ctx, submissions, q.Sender.Actor) {
		e := sent[0]
		sent = sent[1:]
		if done++; told != nil && done%progressStep == 0 {
			told(done)
		}
		switch {
		case receipt.Error == nil && receipt.Duplicate:
			result.Duplicates++
		case receipt.Error == nil:
			result.Published++
		default:
			result.Failed++
			if len(result.Errors) < maxFaultsKept {
				result.Errors = append(result.Errors, Fault{
					File: e.File, Sheet: e.Sheet, Row: e.Row, Value: receipt.Error.Value, Hint: receipt.Error.Hint,
					Message: fmt.Sprintf("event %s was not published: %s", e.ID, receipt.Error.Message),
				})
			}
		}
		result.LastSeq = max(result.LastSeq, receipt.Seq)
	}
	if missing := p.events.count - done; missing > 0 {
		result.Failed += missing
		message := "the rest of the import was not published"
		if failed != nil {
			message += ": " + failed.Error()
		}
		result.Errors = append(result.Errors, Fault{Message: message, Hint: "import the same file again: only what is missing is sent"})
	}
	if q.Wait && result.LastSeq > 0 && !i.wait(ctx, result.LastSeq, waitLimit) {
		result.Warnings = append(result.Warnings, Warning{Message: "published, but not yet in the ledger"})
	}
}
