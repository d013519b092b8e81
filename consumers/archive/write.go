package archive

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"milepost/schemas"
)

const (
	// SegmentMessages is how many messages a segment holds at the most, unless it is said otherwise.
	SegmentMessages = 50_000
	// segmentBytes is where a segment ends before: of its text, before it is compressed.
	segmentBytes = 64 << 20
	// unfinished ends the names of files that are being written.
	unfinished = ".partial"
)

// Writer appends messages to an archive. Nothing of a segment can be read before all of it is on the disk and was read back.
type Writer struct {
	archive *Archive
	limit   uint64 // messages of a segment
	version string
	now     func() time.Time

	made    []Segment
	file    *os.File
	pack    *zstd.Encoder
	sum     *hashing
	content *content
	segment Segment
	text    int64
}

// NewWriter appends to the archive, in segments of at most so many messages (0: SegmentMessages), made by a version of
// Milepost at the time that now tells.
func (a *Archive) NewWriter(messages int, version string, now func() time.Time) (*Writer, error) {
	if messages <= 0 {
		messages = SegmentMessages
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, a.unwritable(err)
	}
	return &Writer{archive: a, limit: uint64(messages), version: version, now: now}, nil
}

func (a *Archive) unwritable(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Field: "archive_dir", Value: a.dir, Message: "the archive cannot be written", Hint: "check the folder, who may write to it, and the room on its disk; begin again", Err: err}
}

// Append takes the next message. One that does not follow the last is refused with the code conflict.
func (w *Writer) Append(ctx context.Context, m *Message) error {
	last := w.archive.Last()
	if w.file != nil {
		last = w.segment.Last
	}
	if m.Sequence != last+1 {
		return &schemas.Error{
			Code: schemas.Conflict, Message: fmt.Sprintf("the stream lacks the sequences %d to %d, which are in no segment either", last+1, m.Sequence-1),
			Hint: "bring the segments back that held them, or restore the stream from its backup; nothing was purged",
		}
	}
	if w.file == nil {
		if err := w.begin(m); err != nil {
			return err
		}
	}
	text, err := encode(m)
	if err != nil {
		return err
	}
	if _, err := w.pack.Write(append(text, '\n')); err != nil {
		return w.archive.unwritable(err)
	}
	w.content.add(m)
	w.text += int64(len(text)) + 1
	w.segment.Last, w.segment.LastTime = m.Sequence, m.Time.UTC()
	w.segment.Messages++
	if w.segment.Messages >= w.limit || w.text >= segmentBytes {
		return w.Finish(ctx)
	}
	return nil
}

// begin begins a segment. What a crash left under its temporary name is written over.
func (w *Writer) begin(m *Message) (err error) {
	w.segment = Segment{Format: format, First: m.Sequence, FirstTime: m.Time.UTC(), Version: w.version}
	if n := len(w.archive.segments); n > 0 {
		w.segment.Previous = w.archive.segments[n-1].Seal
	}
	if w.file, err = os.OpenFile(filepath.Join(w.archive.dir, "segment"+unfinished), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return w.archive.unwritable(err)
	}
	w.sum = &hashing{to: w.file, hashed: hashed{sum: sha256.New()}}
	w.content, w.text = newContent(), 0
	w.pack, err = zstd.NewWriter(w.sum, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	return err
}

// hashing hashes and counts what is written through it.
type hashing struct {
	to *os.File
	hashed
}

func (h *hashing) Write(p []byte) (int, error) {
	n, err := h.to.Write(p)
	h.sum.Write(p[:n])
	h.n += int64(n)
	return n, err
}

// Finish ends the segment that is being written, if there is one: its messages come first, then its manifest, without which
// they are none; then it is read back from the disk and compared with what the stream gave.
func (w *Writer) Finish(ctx context.Context) error {
	if w.file == nil {
		return nil
	}
	s, temporary := &w.segment, w.file.Name()
	err := errors.Join(w.pack.Close(), w.file.Sync(), w.file.Close())
	w.file = nil
	if err != nil {
		return w.archive.unwritable(err)
	}
	s.File, s.Bytes, s.SHA256, s.Content = s.Name()+dataSuffix, w.sum.n, fmt.Sprintf("%x", w.sum.sum.Sum(nil)), w.content.String()
	s.MadeAt = w.now().UTC().Truncate(time.Second)
	if s.Seal, err = s.sum(); err != nil {
		return err
	}
	if err := w.replace(temporary); err != nil {
		return w.archive.unwritable(err)
	}
	if err := syncFolder(w.archive.dir); err != nil {
		return w.archive.unwritable(err)
	}
	if err := w.archive.verify(ctx, s); err != nil {
		return err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := writeDurably(w.archive.dir, s.manifest(), append(text, '\n')); err != nil {
		return w.archive.unwritable(err)
	}
	w.archive.segments = append(w.archive.segments, *s)
	w.made = append(w.made, *s)
	return nil
}

// replace gives the messages their name, in the place of what a crash may have left: messages from the same sequence on,
// without a manifest.
func (w *Writer) replace(temporary string) error {
	left, err := filepath.Glob(filepath.Join(w.archive.dir, fmt.Sprintf("%012d-*%s", w.segment.First, dataSuffix)))
	if err != nil {
		return err
	}
	for _, file := range left {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return os.Rename(temporary, filepath.Join(w.archive.dir, w.segment.File))
}

// Abort forgets the segment that is being written.
func (w *Writer) Abort() error {
	if w.file == nil {
		return nil
	}
	name := w.file.Name()
	w.pack.Reset(io.Discard)
	err := errors.Join(w.pack.Close(), w.file.Close())
	w.file = nil
	return errors.Join(err, os.Remove(name))
}

// Made lists the segments that were finished.
func (w *Writer) Made() []Segment { return w.made }

// writeDurably gives a file its name when it is on the disk.
func writeDurably(dir, name string, text []byte) error {
	temporary := filepath.Join(dir, name+unfinished)
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
