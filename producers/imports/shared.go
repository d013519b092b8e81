package imports

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// PreviewBucket is the object store in which the processes of an installation
// find each other's previews.
const PreviewBucket = "MILEPOST_PREVIEWS"

const (
	// maxWaiting bounds the bytes of all previews that wait.
	maxWaiting = 1 << 30
	// sharedMargin keeps objects a little longer than previews, whose end the
	// preview itself says.
	sharedMargin = 10 * time.Minute
	// maxMember bounds the bytes of one part of a preview.
	maxMember = 1 << 30
)

// OpenPreviewStore opens the object store for previews that may be confirmed for
// so long, and makes it when missing. It fails with schemas.Unavailable.
func OpenPreviewStore(ctx context.Context, js jetstream.JetStream, keep time.Duration) (jetstream.ObjectStore, error) {
	if keep <= 0 {
		keep = usualKeep
	}
	objects, err := js.ObjectStore(ctx, PreviewBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		objects, err = js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: PreviewBucket, Description: "Milepost: imports that wait to be confirmed", TTL: keep + sharedMargin, MaxBytes: maxWaiting})
	}
	if err != nil {
		return nil, previewsAway(err)
	}
	return objects, nil
}

func previewsAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the previews of imports cannot be kept", Hint: "check that NATS runs with JetStream and has room, and try again", Err: err}
}

// The parts of a shared preview, in this order.
const (
	aboutMember  = "preview.json"
	errorsMember = "errors.xlsx"
	planMember   = "plan.ndjson"
)

// about is what a shared preview is, besides its files.
type about struct {
	Preview Preview `json:"preview"`
	Actor   string  `json:"actor"`
	Count   int     `json:"count"` // of planned events
	// Events and Last tell the state of the source that the plan was made of.
	Events int    `json:"events"`
	Last   uint64 `json:"last"`
}

// progress is how far the confirmation of a shared preview has come.
type progress struct {
	Tried     bool    `json:"tried"`
	Confirmed *Result `json:"confirmed,omitempty"`
}

func progressName(id string) string { return id + ".state" }

// share gives the preview to the other processes.
func (p *Previews) share(ctx context.Context, kept *preview) error {
	if p.options.Objects == nil {
		return nil
	}
	from, to := io.Pipe()
	go func() { to.CloseWithError(kept.pack(to)) }()
	_, err := p.options.Objects.Put(ctx, jetstream.ObjectMeta{Name: kept.shown.ID}, from)
	_ = from.Close() // what packs ends, too
	if err != nil {
		return previewsAway(err)
	}
	return nil
}

// pack writes the preview with its files.
func (k *preview) pack(w io.Writer) error {
	text, err := json.Marshal(about{Preview: k.shown, Actor: k.actor, Count: k.prepared.events.count, Events: k.prepared.before.events, Last: k.prepared.before.last})
	if err != nil {
		return err
	}
	compressed := gzip.NewWriter(w)
	packed := tar.NewWriter(compressed)
	add := func(name string, size int64, content io.Reader) error {
		if err := packed.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size}); err != nil {
			return err
		}
		_, err := io.Copy(packed, content)
		return err
	}
	if err := add(aboutMember, int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	if k.errors != "" {
		file, err := os.Open(k.errors)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if err := add(errorsMember, info.Size(), file); err != nil {
			return err
		}
	}
	info, err := k.prepared.events.file.Stat()
	if err != nil {
		return err
	}
	if err := add(planMember, info.Size(), io.NewSectionReader(k.prepared.events.file, 0, info.Size())); err != nil {
		return err
	}
	return errors.Join(packed.Close(), compressed.Close())
}

// fetch brings a preview that another process made; nil when there is none.
func (p *Previews) fetch(ctx context.Context, id string) (*preview, error) {
	if p.options.Objects == nil || !isPreviewID(id) {
		return nil, nil
	}
	object, err := p.options.Objects.Get(ctx, id)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, previewsAway(err)
	}
	defer object.Close()
	kept, err := p.unpack(object)
	if err != nil {
		return nil, fmt.Errorf("the preview %s: %w", id, err)
	}
	if p.importer.Now().After(kept.expires) {
		kept.remove()
		return nil, nil
	}
	return kept, nil
}

// isPreviewID tells whether the text may be the id of a preview.
func isPreviewID(text string) bool {
	return len(text) >= 26 && len(text) <= 64 && !strings.ContainsFunc(text, func(c rune) bool { return (c < 'A' || c > 'Z') && (c < '2' || c > '7') })
}

func (p *Previews) unpack(r io.Reader) (kept *preview, err error) {
	compressed, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	kept = &preview{prepared: &prepared{mapping: &Mapping{}}}
	defer func() {
		if err != nil && kept.prepared.events != nil {
			kept.remove()
		}
	}()
	packed := tar.NewReader(compressed)
	for {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		content := io.LimitReader(packed, maxMember)
		switch header.Name {
		case aboutMember:
			err = kept.describe(content)
		case errorsMember:
			kept.errors, err = p.newErrorsFile(func(w io.Writer) error {
				_, err := io.Copy(w, content)
				return err
			})
		case planMember:
			err = kept.prepared.plan(p.importer.Dir, content)
		}
		if err != nil {
			return nil, err
		}
	}
	if kept.prepared.events == nil || kept.shown.ID == "" {
		return nil, errors.New("it is not whole")
	}
	kept.prepared.events.count = kept.count
	return kept, nil
}

// describe reads what the preview is.
func (k *preview) describe(r io.Reader) error {
	var a about
	if err := json.NewDecoder(r).Decode(&a); err != nil {
		return err
	}
	k.shown, k.actor, k.expires, k.count = a.Preview, a.Actor, a.Preview.ExpiresAt, a.Count
	k.prepared.before = known{a.Events, a.Last}
	k.prepared.mapping.Source, k.prepared.mapping.Sender = a.Preview.Source, a.Preview.Sender
	k.prepared.result = a.Preview.Result()
	k.prepared.result.DryRun = false
	return nil
}

// plan copies planned events to a file of this process.
func (p *prepared) plan(dir string, r io.Reader) error {
	events, err := newPlanFile(dir)
	if err != nil {
		return err
	}
	p.events = events
	if _, err := io.Copy(events.writer, r); err != nil {
		return err
	}
	return events.seal()
}

// refresh tells how far other processes came with the preview; false when it was
// forgotten.
func (p *Previews) refresh(ctx context.Context, kept *preview) (there bool, err error) {
	if p.options.Objects == nil {
		return true, nil
	}
	if _, err := p.options.Objects.GetInfo(ctx, kept.shown.ID); errors.Is(err, jetstream.ErrObjectNotFound) {
		return false, nil
	} else if err != nil {
		return false, previewsAway(err)
	}
	text, err := p.options.Objects.GetBytes(ctx, progressName(kept.shown.ID))
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return true, nil
	}
	if err != nil {
		return false, previewsAway(err)
	}
	var told progress
	if err := json.Unmarshal(text, &told); err != nil {
		return false, fmt.Errorf("the state of the preview %s: %w", kept.shown.ID, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	kept.tried = kept.tried || told.Tried
	if kept.shown.Confirmed == nil {
		kept.shown.Confirmed = told.Confirmed
	}
	return true, nil
}

// tell says how far the confirmation has come.
func (p *Previews) tell(ctx context.Context, id string, told progress) error {
	if p.options.Objects == nil {
		return nil
	}
	text, err := json.Marshal(told)
	if err != nil {
		return err
	}
	if _, err := p.options.Objects.PutBytes(ctx, progressName(id), text); err != nil {
		return previewsAway(err)
	}
	return nil
}

// forget takes the preview from the other processes.
func (p *Previews) forget(ctx context.Context, id string) error {
	if p.options.Objects == nil {
		return nil
	}
	for _, name := range []string{progressName(id), id} {
		if err := p.options.Objects.Delete(ctx, name); err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
			return previewsAway(err)
		}
	}
	return nil
}
