package keeping

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// Target is where a backup is put back: engines that hold nothing of the project yet, or what an earlier attempt with the
// same backup left.
type Target struct {
	Conn      *nats.Conn
	Warehouse *warehouse.Warehouse
	// Replicas is how many NATS servers keep each stream, at least one.
	Replicas int
	// AllowPurge lets the stream of events be purged of what is archived, though it denied that where the backup was taken.
	AllowPurge bool
	// Progress is told what is being put back, by default nobody.
	Progress func(what string)
}

// RestoreKeys puts the keys of the embedded NATS back, before it starts. It tells whether the backup has any.
func RestoreKeys(m *Manifest, dir, keys string) (bool, error) {
	found := false
	for _, f := range m.Files {
		name, isKey := strings.CutPrefix(f.Name, keysFolder)
		if !isKey {
			continue
		}
		found = true
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Name)))
		if err != nil {
			return found, err
		}
		if err := os.MkdirAll(keys, 0o700); err != nil {
			return found, err
		}
		if err := os.WriteFile(filepath.Join(keys, name), text, 0o600); err != nil {
			return found, err
		}
	}
	return found, nil
}

// Restore puts a verified backup into the target. What is there already from an earlier attempt is kept, so that an
// interrupted one is simply begun again; what is there and differs is refused with the code conflict, and nothing of it is
// changed.
func Restore(ctx context.Context, m *Manifest, dir string, target Target) error {
	if target.Progress == nil {
		target.Progress = func(string) {}
	}
	r := &restore{target, m, dir, nil}
	whole, err := r.examine(ctx)
	if err != nil || whole {
		return err
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.tables(ctx); err != nil {
		return err
	}
	for i := range m.Streams {
		if err := r.stream(ctx, &m.Streams[i]); err != nil {
			return err
		}
	}
	if err := r.checkConsumer(ctx); err != nil {
		return err
	}
	return r.end(ctx)
}

type restore struct {
	Target
	manifest *Manifest
	dir      string
	progress jetstream.KeyValue
}

// progressBucket keeps, while a restore is under way, whose tables are being filled.
const progressBucket = "MILEPOST_RESTORE"

func (r *restore) js() (jetstream.JetStream, error) { return jetstream.New(r.Conn) }

// examine refuses a target that holds something else, before anything is made in it. It tells whether an earlier attempt
// has put back everything.
func (r *restore) examine(ctx context.Context) (whole bool, err error) {
	js, err := r.js()
	if err != nil {
		return false, err
	}
	r.progress, err = js.KeyValue(ctx, progressBucket)
	underWay := !errors.Is(err, jetstream.ErrBucketNotFound)
	if err != nil && underWay {
		return false, away("read", progressBucket, err)
	}
	whole = !underWay
	for i := range r.manifest.Streams {
		s := &r.manifest.Streams[i]
		found, err := r.look(ctx, s)
		if err != nil {
			return false, err
		}
		ours := false
		if found == differs && underWay {
			if ours, err = r.half(ctx, s); err != nil {
				return false, err
			}
		}
		if found == differs && !ours {
			return false, &schemas.Error{
				Code: schemas.Conflict, Field: "stream", Value: s.Name, Message: fmt.Sprintf("the target has the stream already, and it is not that of the backup, which has %d messages up to %d", s.Messages, s.Last),
				Hint: "nothing was changed; restore into NATS servers that hold nothing of Milepost",
			}
		}
		whole = whole && found == equal
	}
	return whole, nil
}

// found is what the target has of a stream.
type found int

const (
	absent found = iota
	equal
	differs
)

// look compares the target's stream with that of the backup: an earlier attempt leaves the same sequences with the same
// times.
func (r *restore) look(ctx context.Context, s *Stream) (found, error) {
	js, err := r.js()
	if err != nil {
		return absent, err
	}
	stream, err := js.Stream(ctx, s.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return absent, nil
	}
	if err != nil {
		return absent, away("read", s.Name, err)
	}
	var was struct {
		Time time.Time `json:"last_ts"`
	}
	if err := json.Unmarshal(s.State, &was); err != nil {
		return absent, away("read", s.Name, err)
	}
	state := stream.CachedInfo().State
	if state.LastSeq != s.Last || state.Msgs != s.Messages || s.Messages > 0 && !state.LastTime.Equal(was.Time) {
		return differs, nil
	}
	return equal, nil
}

// half tells whether the stream is what an interrupted attempt with this backup left.
func (r *restore) half(ctx context.Context, s *Stream) (bool, error) {
	begun, err := r.done(ctx, begunStep(s))
	if err != nil || !begun {
		return false, err
	}
	ended, err := r.done(ctx, endedStep(s))
	return !ended, err
}

func begunStep(s *Stream) string { return "begun-" + s.Name }
func endedStep(s *Stream) string { return "ended-" + s.Name }

// begin makes sure that the tables are ours to fill.
func (r *restore) begin(ctx context.Context) error {
	js, err := r.js()
	if err != nil {
		return err
	}
	if r.progress, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: progressBucket, Description: "Milepost: how far a restore is", Replicas: max(r.Replicas, 1)}); err != nil {
		return away("made", progressBucket, err)
	}
	if err := r.Warehouse.MigrateTo(ctx, r.manifest.Schema); err != nil {
		return err
	}
	ours, err := r.done(ctx, "backup")
	if err != nil || ours {
		return err
	}
	for _, table := range warehouse.CopiedTables(r.manifest.Schema) {
		mark, err := r.Warehouse.Mark(ctx, table, r.manifest.Sequence)
		if err != nil {
			return err
		}
		if mark.Rows > 0 {
			return &schemas.Error{Code: schemas.Conflict, Field: "clickhouse", Value: table, Message: "the target's table holds rows already", Hint: "nothing was changed; restore into a database that holds nothing of Milepost"}
		}
	}
	return r.note(ctx, "backup")
}

// done tells whether a step of this backup's restore is noted.
func (r *restore) done(ctx context.Context, step string) (bool, error) {
	entry, err := r.progress.Get(ctx, step)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, away("read", progressBucket, err)
	}
	return bytes.Equal(entry.Value(), []byte(r.manifest.Seal)), nil
}

func (r *restore) note(ctx context.Context, step string) error {
	if _, err := r.progress.Put(ctx, step, []byte(r.manifest.Seal)); err != nil {
		return away("written", progressBucket, err)
	}
	return nil
}

// tables fills the tables; one that an interrupted attempt left half is filled anew.
func (r *restore) tables(ctx context.Context) error {
	for _, table := range warehouse.CopiedTables(r.manifest.Schema) {
		if !r.manifest.holds(tableFile(table)) {
			continue // the backup is older than the table
		}
		step := "table-" + table
		done, err := r.done(ctx, step)
		if err != nil {
			return err
		}
		if done {
			continue
		}
		r.Progress("table " + table)
		if err := r.table(ctx, table); err != nil {
			return err
		}
		if err := r.note(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func (r *restore) table(ctx context.Context, name string) error {
	if err := r.Warehouse.Clear(ctx, name); err != nil {
		return err
	}
	file, err := os.Open(filepath.Join(r.dir, filepath.FromSlash(tableFile(name))))
	if err != nil {
		return err
	}
	defer file.Close()
	packed, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	rows := bufio.NewReader(packed)
	if _, err := rows.Peek(1); err != nil {
		return nil // a table without rows has no block
	}
	return r.Warehouse.Load(ctx, name, rows)
}

// stream puts a stream back, unless an earlier attempt did; half a stream that one left is made anew.
func (r *restore) stream(ctx context.Context, s *Stream) error {
	found, err := r.look(ctx, s)
	if err != nil || found == equal {
		return err
	}
	if found == differs { // examine let only our own through
		js, err := r.js()
		if err != nil {
			return err
		}
		if err := js.DeleteStream(ctx, s.Name); err != nil {
			return away("made anew", s.Name, err)
		}
	}
	if err := r.note(ctx, begunStep(s)); err != nil {
		return err
	}
	r.Progress("stream " + s.Name)
	file, err := os.Open(filepath.Join(r.dir, filepath.FromSlash(streamFile(s.Name))))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := restoreStream(ctx, r.Conn, s, r.Replicas, r.AllowPurge && s.Name == schemas.StreamName, file); err != nil {
		return err
	}
	return r.note(ctx, endedStep(s))
}

// checkConsumer looks that no consumer stands beyond the stream's end: it would pass over what comes next. A snapshot of
// an old NATS may have one so; it then begins anew, which changes no figure.
func (r *restore) checkConsumer(ctx context.Context) error {
	js, err := r.js()
	if err != nil {
		return err
	}
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return away("read", schemas.StreamName, err)
	}
	standing := stream.ListConsumers(ctx)
	for info := range standing.Info() {
		if max(info.AckFloor.Stream, info.Delivered.Stream) > r.manifest.Sequence {
			if err := stream.DeleteConsumer(ctx, info.Name); err != nil {
				return away("mended", schemas.StreamName, err)
			}
		}
	}
	if err := standing.Err(); err != nil {
		return away("read", schemas.StreamName, err)
	}
	return nil
}

// end forgets the progress: the installation is whole.
func (r *restore) end(ctx context.Context) error {
	js, err := r.js()
	if err != nil {
		return err
	}
	if err := consumers.SetPosition(ctx, js, min(r.manifest.Applied, r.manifest.Sequence)); err != nil {
		return away("made", consumers.PositionStream, err)
	}
	if err := js.DeleteKeyValue(ctx, progressBucket); err != nil {
		return away("removed", progressBucket, err)
	}
	return nil
}
