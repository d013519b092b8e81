package imports

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

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
	// Objects, of OpenPreviewStore, lets every process of the installation
	// confirm what one of them previewed; without it a preview is of one process
	// and ends with it.
	Objects jetstream.ObjectStore
}

// usualKeep is how long a preview may be confirmed where nothing else is said.
const usualKeep = time.Hour

// Previews keep imports that are planned until somebody confirms them.
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
	count    int    // of planned events, while it is unpacked
	// tried tells that publishing has begun, busy that it goes on.
	tried, busy bool
}

const sweepAfter = 24 * time.Hour

// NewPreviews makes a keeper of previews. Close removes what it keeps.
func NewPreviews(i *Importer, o PreviewOptions) (*Previews, error) {
	if o.Keep <= 0 {
		o.Keep = usualKeep
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
	if err := p.share(ctx, kept); err != nil {
		kept.remove()
		return nil, err
	}
	gone, err := p.keep(kept)
	if err != nil {
		kept.remove()
		return nil, errors.Join(err, p.forget(ctx, kept.shown.ID))
	}
	if gone != "" {
		if err := p.forget(ctx, gone); err != nil {
			return nil, err
		}
	}
	return &kept.shown, nil
}

// keep makes room and adds a preview; gone is the one that gave way.
func (p *Previews) keep(kept *preview) (gone string, err error) {
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
	if own >= p.options.MostOfActor && p.drop(oldest) {
		gone = oldest
	}
	if len(p.byID) >= p.options.Most {
		return gone, &schemas.Error{Code: schemas.Unavailable, Message: "too many previews wait to be confirmed", Hint: "confirm or delete one, or try again later"}
	}
	p.made++
	kept.order = p.made
	p.byID[kept.shown.ID] = kept
	return gone, nil
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

// find gives a preview of this process or of another, as far as its confirmation
// has come anywhere.
func (p *Previews) find(ctx context.Context, id string) (*preview, error) {
	p.mu.Lock()
	kept, unknown := p.known(id)
	p.mu.Unlock()
	if kept == nil {
		fetched, err := p.fetch(ctx, id)
		if err != nil {
			return nil, err
		}
		if fetched == nil {
			return nil, unknown
		}
		if kept, err = p.adopt(fetched); err != nil {
			fetched.remove()
			return nil, err
		}
	}
	there, err := p.refresh(ctx, kept)
	if err != nil {
		return nil, err
	}
	if !there {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.drop(id) {
			return kept, nil // it is being published here
		}
		return p.known(id)
	}
	return kept, nil
}

// adopt keeps another process's preview here, too; the one that is kept already
// stays.
func (p *Previews) adopt(fetched *preview) (*preview, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept := p.byID[fetched.shown.ID]; kept != nil {
		fetched.remove()
		return kept, nil
	}
	if len(p.byID) >= p.options.Most {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "too many previews wait to be confirmed", Hint: "confirm or delete one, or try again later"}
	}
	p.made++
	fetched.order = p.made
	p.byID[fetched.shown.ID] = fetched
	return fetched, nil
}

func (p *Previews) known(id string) (*preview, error) {
	p.expire()
	kept := p.byID[id]
	if kept == nil {
		return nil, &schemas.Error{
			Code: schemas.NotFound, Field: "id", Value: schemas.Shorten(id), Message: "no such preview; it may have expired",
			Hint: fmt.Sprintf("a preview can be confirmed for %s; preview the file again", p.options.Keep),
		}
	}
	return kept, nil
}

// Get gives a preview; NotFound for one that is unknown or has expired.
func (p *Previews) Get(ctx context.Context, id string) (*Preview, error) {
	kept, err := p.find(ctx, id)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := kept.shown
	return &shown, nil
}

// Delete forgets a preview.
func (p *Previews) Delete(ctx context.Context, id string) error {
	if _, err := p.find(ctx, id); err != nil {
		return err
	}
	p.mu.Lock()
	dropped := p.drop(id)
	p.mu.Unlock()
	if !dropped {
		return &schemas.Error{Code: schemas.Conflict, Field: "id", Value: schemas.Shorten(id), Message: "the preview is being published", Hint: "revoke what should not count"}
	}
	return p.forget(ctx, id)
}

// ErrorsFile gives the path of the workbook to send back; NotFound when
// nothing was refused.
func (p *Previews) ErrorsFile(ctx context.Context, id string) (string, error) {
	kept, err := p.find(ctx, id)
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
	return p.newErrorsFile(func(w io.Writer) error { return WriteErrorsFile(w, made.mapping, files, made.result.Errors) })
}

// newErrorsFile makes a file of this process, and gives its path.
func (p *Previews) newErrorsFile(write func(io.Writer) error) (string, error) {
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
	err = errors.Join(write(out), out.Close())
	if err != nil {
		_ = os.Remove(path) // swept later
		return "", noRoom(err)
	}
	return path, nil
}
