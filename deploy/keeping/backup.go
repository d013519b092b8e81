package keeping

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// Source is the installation that is copied; it may be at work meanwhile.
type Source struct {
	Conn      *nats.Conn
	Warehouse *warehouse.Warehouse
	// Keys is the folder of the embedded NATS's keys; "" for other servers, whose keys are their own.
	Keys string
	// Archive is the folder with what was purged from the stream of events; "" for an installation that has none.
	Archive string
	// Version is that of Milepost.
	Version string
	Now     func() time.Time
	// Progress is told what is being copied, by default nobody.
	Progress func(what string)
}

// What is not copied: leases, which are worth nothing to another installation, and how far a restore is.
const (
	leases          = "KV_MILEPOST_LEASES"
	restoreUnderWay = "KV_" + progressBucket
)

// Backup copies the installation as it is at S, the last event of the stream at that moment.
//
// The order makes the copy that of one moment. Buckets come before the events: what they say was done stands on events
// that the copy has, and what was not yet written into them is done again, as after a crash. The object store comes after
// the events, so that it has every file that they name. The tables come last and are cut at S: what the position, which is
// read before the events, says to be in them is in them, and the rest is carried from the stream again.
func Backup(ctx context.Context, source Source, files Files) (*Manifest, error) {
	if source.Progress == nil {
		source.Progress = func(string) {}
	}
	ctx, release, err := holdArchive(ctx, source)
	if err != nil {
		return nil, err
	}
	defer release()
	m := &Manifest{Format: format, Version: source.Version, MadeAt: source.Now().UTC().Truncate(time.Second)}
	b := &backup{source, files, m}
	if err := b.run(ctx); err != nil {
		return nil, err
	}
	text, err := m.seal()
	if err != nil {
		return nil, err
	}
	_, err = put(files, ManifestName, func(w io.Writer) error { _, err := w.Write(text); return err })
	return m, err
}

// holdArchive has nobody archive or purge meanwhile.
func holdArchive(ctx context.Context, source Source) (held context.Context, release func(), err error) {
	js, err := jetstream.New(source.Conn)
	if err != nil {
		return nil, nil, err
	}
	return consumers.HoldArchive(ctx, js)
}

type backup struct {
	Source
	files    Files
	manifest *Manifest
}

func (b *backup) run(ctx context.Context) error {
	names, err := streamNames(ctx, b.Conn)
	if err != nil {
		return err
	}
	if !slices.Contains(names, schemas.StreamName) {
		return &schemas.Error{Code: schemas.NotFound, Field: "stream", Value: schemas.StreamName, Message: "there is nothing to copy: no server ever ran here", Hint: "name the data folder or the server that has the events"}
	}
	js, err := jetstream.New(b.Conn)
	if err != nil {
		return err
	}
	// Before the events and the tables: what it says is true of both.
	if b.manifest.Applied, err = consumers.NewApplied(js).Watermark(ctx); err != nil {
		return err
	}
	for _, name := range names {
		if err := b.stream(ctx, js, name); err != nil {
			return err
		}
	}
	b.manifest.Sequence = b.manifest.stream(schemas.StreamName).Last
	if err := b.archive(ctx, js); err != nil {
		return err
	}
	if b.manifest.Schema, err = b.Warehouse.Schema(ctx); err != nil {
		return err
	}
	for _, table := range warehouse.CopiedTables(b.manifest.Schema) {
		if err := b.table(ctx, table); err != nil {
			return err
		}
	}
	return b.keys()
}

// streamNames gives the project's streams in the order in which they are copied.
func streamNames(ctx context.Context, conn *nats.Conn) ([]string, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	var names []string
	lister := js.StreamNames(ctx)
	for name := range lister.Name() {
		if name != leases && name != restoreUnderWay && turn(name) > 0 {
			names = append(names, name)
		}
	}
	if err := lister.Err(); err != nil {
		return nil, away("listed", "", err)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := turn(a) - turn(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names, nil
}

// turn is when a stream is copied; 0 for those of others.
func turn(name string) int {
	switch {
	case name == consumers.PositionStream: // the manifest says it
		return 0
	case strings.HasPrefix(name, "KV_MILEPOST_"):
		return 1
	case name == schemas.StreamName:
		return 2
	case strings.HasPrefix(name, "MILEPOST_"):
		return 3
	case strings.HasPrefix(name, "OBJ_MILEPOST_"):
		return 4
	}
	return 0
}

func (b *backup) stream(ctx context.Context, js jetstream.JetStream, name string) error {
	b.Progress("stream " + name)
	var s Stream
	f, err := put(b.files, streamFile(name), func(w io.Writer) (err error) {
		if strings.HasPrefix(name, bucketPrefix) {
			s, err = stillSnapshot(ctx, b.Conn, js, name, w)
			return err
		}
		// The audit's consumer fills a table that is not copied, and begins anew.
		s, err = snapshotStream(ctx, b.Conn, name, name == schemas.StreamName, w)
		return err
	})
	if err != nil {
		return err
	}
	b.manifest.Streams, b.manifest.Files = append(b.manifest.Streams, s), append(b.manifest.Files, f)
	return nil
}

// bucketPrefix begins the names of the streams of key-value buckets.
const bucketPrefix = "KV_"

// stillAttempts bounds how often a bucket is copied that is written in between.
const stillAttempts = 50

// stillSnapshot writes a snapshot of a bucket during which nobody wrote into it: the server copies files while they
// change, and a value that takes the place of another one in the midst of it would be in the copy's state and not in its
// files.
func stillSnapshot(ctx context.Context, conn *nats.Conn, js jetstream.JetStream, name string, out io.Writer) (Stream, error) {
	var copied bytes.Buffer
	for range stillAttempts {
		copied.Reset()
		s, err := snapshotStream(ctx, conn, name, false, &copied)
		if err != nil {
			return s, err
		}
		stream, err := js.Stream(ctx, name)
		if err != nil {
			return s, away("read", name, err)
		}
		if state := stream.CachedInfo().State; state.LastSeq == s.Last && state.Msgs == s.Messages {
			_, err := out.Write(copied.Bytes())
			return s, err
		}
	}
	return Stream{}, &schemas.Error{Code: schemas.Unavailable, Field: "stream", Value: name, Message: "a bucket is written all the time", Hint: "take the backup when less goes on"}
}

func (b *backup) table(ctx context.Context, name string) error {
	b.Progress("table " + name)
	f, err := put(b.files, tableFile(name), func(w io.Writer) error {
		packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		return errors.Join(b.Warehouse.Dump(ctx, name, b.manifest.Sequence, packed), packed.Close())
	})
	b.manifest.Files = append(b.manifest.Files, f)
	return err
}

// keys copies the keys, without which the credentials that were handed out would open nothing.
func (b *backup) keys() error {
	if b.Keys == "" {
		return nil
	}
	entries, err := os.ReadDir(b.Keys)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(b.Keys, entry.Name()))
		if err != nil {
			return err
		}
		f, err := put(b.files, keysFolder+entry.Name(), func(w io.Writer) error { _, err := w.Write(text); return err })
		if err != nil {
			return err
		}
		b.manifest.Files = append(b.manifest.Files, f)
	}
	return nil
}

// StillCurrent tells, by an error, whether something came into the source's streams after the backup.
func StillCurrent(ctx context.Context, source Source, m *Manifest) error {
	js, err := jetstream.New(source.Conn)
	if err != nil {
		return err
	}
	names, err := streamNames(ctx, source.Conn)
	if err != nil {
		return err
	}
	for _, name := range names {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			return away("read", name, err)
		}
		copied := m.stream(name)
		if copied == nil || stream.CachedInfo().State.LastSeq != copied.Last {
			return &schemas.Error{Code: schemas.Conflict, Field: "stream", Value: name, Message: "it has gone on since the backup"}
		}
	}
	return nil
}
