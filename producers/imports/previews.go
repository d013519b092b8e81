package imports

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"milepost/schemas"
)

// PreviewOptions tune NewPreviews; the zero value is fine.
type PreviewOptions struct {
	// Dir keeps what was previewed until it is confirmed; by default a folder
	// among the system's temporary files. Others' previews in it are left
	// alone, and swept a day later.
	Dir string
	// Keep is how long a preview may be confirmed, by default an hour.
	Keep time.Duration
	// Most bounds how many wait to be confirmed, by default 64, MostOfActor
	// those of one actor, by default 8: the oldest gives way.
	Most, MostOfActor int
}

// Previews keep imports that are planned until somebody confirms them. They are
// of one process: after its end a preview is unknown and is made again.
type Previews struct {
	importer *Importer
	options  PreviewOptions
	dir      string

	mu   sync.Mutex
	byID map[string]*preview
	made uint64
}

// Preview says what an import would do, in a form for machines.
type Preview struct {
	ID string `json:"id"`
	// ExpiresAt is until when it can be confirmed.
	ExpiresAt time.Time `json:"expires_at"`
	// Source and Sender are those of the events, Snapshots the sheets' days.
	Source    string         `json:"source"`
	Sender    string         `json:"sender"`
	Snapshots []schemas.Date `json:"snapshots"`
	// Added, Changed and Unchanged count projects, RefusedRows rows and files
	// that cannot be read; Refused has their cells.
	Added       int     `json:"added"`
	Changed     int     `json:"changed"`
	Unchanged   int     `json:"unchanged"`
	RefusedRows int     `json:"refused_rows"`
	Refused     []Fault `json:"refused"`
	// Planned counts the events that a confirmation publishes, Events by type.
	Planned int                  `json:"planned"`
	Events  map[schemas.Type]int `json:"events"`
	Changes []ProjectChange      `json:"changes"`
	// Ignored lists the columns that the import does not read.
	Ignored  []string  `json:"ignored_columns"`
	Warnings []Warning `json:"warnings"`
	// HasErrorsFile tells that there is an errors file to send back.
	HasErrorsFile bool `json:"has_errors_file"`
	// Confirmed is the result, once it is confirmed.
	Confirmed *Result `json:"confirmed,omitempty"`
}

// Result gives the preview as the result of a dry run.
func (p *Preview) Result() *Result {
	return &Result{
		DryRun: true, Source: p.Source, Sender: p.Sender, Snapshots: p.Snapshots, Added: p.Added, Changed: p.Changed, Unchanged: p.Unchanged,
		Refused: p.RefusedRows, Planned: p.Planned, Events: p.Events, Warnings: p.Warnings, Errors: p.Refused, Ignored: p.Ignored, Changes: p.Changes,
	}
}

// preview is a kept import.
type preview struct {
	prepared *prepared
	actor    string
	order    uint64
	expires  time.Time
	shown    Preview
	errors   string // path of the errors file, or none
	// tried tells that publishing has begun, busy that it goes on.
	tried, busy bool
}

const sweepAfter = 24 * time.Hour

// NewPreviews makes a keeper of previews. Close removes what it keeps.
func NewPreviews(i *Importer, o PreviewOptions) (*Previews, error) {
	if o.Keep <= 0 {
		o.Keep = time.Hour
	}
	if o.Most <= 0 {
		o.Most = 64
	}
	if o.MostOfActor <= 0 {
		o.MostOfActor = 8
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(os.TempDir(), "milepost-previews")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, noRoom(err)
	}
	sweep(o.Dir, i.Now().Add(-sweepAfter))
	dir, err := os.MkdirTemp(o.Dir, "run-")
	if err != nil {
		return nil, noRoom(err)
	}
	return &Previews{importer: i, options: o, dir: dir, byID: map[string]*preview{}}, nil
}

// sweep removes what processes left behind that did not end well.
func sweep(dir string, before time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // a folder that cannot be read is told when it is written to
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && info.ModTime().Before(before) {
			_ = os.RemoveAll(filepath.Join(dir, e.Name())) // tried again at the next start
		}
	}
}

// Close removes all that is kept.
func (p *Previews) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, kept := range p.byID {
		delete(p.byID, id)
		kept.remove()
	}
	if err := os.RemoveAll(p.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("previews: %w", err)
	}
	return nil
}

// Make plans an import and keeps it. Its errors are those of Importer.Run, and
// Unavailable when too many previews wait.
func (p *Previews) Make(ctx context.Context, q Request) (*Preview, error) {
	if err := p.importer.enter(ctx); err != nil {
		return nil, err
	}
	defer p.importer.leave()
	made, err := p.importer.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	kept := &preview{prepared: made, actor: q.Sender.Actor, expires: p.importer.Now().Add(p.options.Keep)}
	if len(made.result.Errors) > 0 {
		if kept.errors, err = p.writeErrors(made, q.Files); err != nil {
			made.events.remove()
			return nil, err
		}
	}
	r := made.result
	kept.shown = Preview{
		ID: rand.Text(), ExpiresAt: kept.expires.In(schemas.Location).Truncate(time.Second), Source: r.Source, Sender: r.Sender, Snapshots: r.Snapshots, Added: r.Added, Changed: r.Changed,
		Unchanged: r.Unchanged, RefusedRows: r.Refused, Refused: r.Errors, Planned: r.Planned, Events: r.Events, Changes: made.changes,
		Ignored: append([]string{}, r.Ignored...), Warnings: r.Warnings, HasErrorsFile: kept.errors != "",
	}
	if err := p.keep(kept); err != nil {
		kept.remove()
		return nil, err
	}
	return &kept.shown, nil
}

// keep makes room and adds a preview.
func (p *Previews) keep(kept *preview) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	oldest, own := "", 0
	for id, other := range p.byID {
		if other.actor == kept.actor && !other.busy {
			own++
			if oldest == "" || other.order < p.byID[oldest].order {
				oldest = id
			}
		}
	}
	if own >= p.options.MostOfActor {
		p.drop(oldest)
	}
	if len(p.byID) >= p.options.Most {
		return &schemas.Error{Code: schemas.Unavailable, Message: "too many previews wait to be confirmed", Hint: "confirm or delete one, or try again later"}
	}
	p.made++
	kept.order = p.made
	p.byID[kept.shown.ID] = kept
	return nil
}

// expire lets go of what is too old.
func (p *Previews) expire() {
	now := p.importer.Now()
	for id, kept := range p.byID {
		if now.After(kept.expires) {
			p.drop(id)
		}
	}
}

// drop forgets a preview, unless it is being published.
func (p *Previews) drop(id string) bool {
	kept := p.byID[id]
	if kept == nil || kept.busy {
		return kept == nil
	}
	delete(p.byID, id)
	kept.remove()
	return true
}

func (k *preview) remove() {
	k.prepared.events.remove()
	if k.errors != "" {
		_ = os.Remove(k.errors) // swept later
	}
}

func (p *Previews) find(id string) (*preview, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known(id)
}

func (p *Previews) known(id string) (*preview, error) {
	p.expire()
	kept := p.byID[id]
	if kept == nil {
		return nil, &schemas.Error{
			Code: schemas.NotFound, Field: "id", Value: schemas.Shorten(id), Message: "no such preview; it may have expired, or been made by another server",
			Hint: fmt.Sprintf("a preview can be confirmed for %s; preview the file again", p.options.Keep),
		}
	}
	return kept, nil
}

// Get gives a preview; NotFound for one that is unknown or has expired.
func (p *Previews) Get(id string) (*Preview, error) {
	kept, err := p.find(id)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := kept.shown
	return &shown, nil
}

// Delete forgets a preview.
func (p *Previews) Delete(id string) error {
	if _, err := p.find(id); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.drop(id) {
		return &schemas.Error{Code: schemas.Conflict, Field: "id", Value: schemas.Shorten(id), Message: "the preview is being published", Hint: "revoke what should not count"}
	}
	return nil
}

// ErrorsFile gives the path of the workbook to send back; NotFound when
// nothing was refused.
func (p *Previews) ErrorsFile(id string) (string, error) {
	kept, err := p.find(id)
	if err != nil {
		return "", err
	}
	if kept.errors == "" {
		return "", &schemas.Error{Code: schemas.NotFound, Field: "id", Value: schemas.Shorten(id), Message: "nothing was refused, so there is no errors file"}
	}
	return kept.errors, nil
}

// writeErrors writes the errors file of a preview.
func (p *Previews) writeErrors(made *prepared, files []File) (string, error) {
	name := make([]byte, 8)
	_, _ = rand.Read(name) // never fails
	// The folder may have been swept as another's leftover.
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return "", noRoom(err)
	}
	path := filepath.Join(p.dir, hex.EncodeToString(name)+".xlsx")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", noRoom(err)
	}
	err = errors.Join(WriteErrorsFile(out, made.mapping, files, made.result.Errors), out.Close())
	if err != nil {
		_ = os.Remove(path) // swept later
		return "", noRoom(err)
	}
	return path, nil
}
