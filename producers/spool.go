package producers

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"milepost/schemas"
)

// Bounds of a spool.
const (
	spoolBytes   = 1 << 30
	segmentBytes = 16 << 20
	// spoolBuffer is how much is written to a file at once.
	spoolBuffer = 256 << 10
)

// SpoolOptions tune OpenSpool; the zero value is fine.
type SpoolOptions struct {
	// MaxBytes bounds the events that wait, by default 1 GiB; SegmentBytes one
	// file of them, by default 16 MiB.
	MaxBytes, SegmentBytes int64
	// flush makes a file durable, by default its Sync.
	flush flush
}

// Spool keeps events in a folder until the stream has them: durably, in order,
// through any crash. What Sync has returned for is never lost; what Remove has
// returned for never comes again, and what it was called for comes at the most
// once more, which the stream and the warehouse recognise.
//
// The events are in numbered files, one after the other, each record with its
// length and checksum; the file sent.position says up to where they are done.
// A number is never used again, so that a position never speaks of other events
// than those it was written for. One process at a time may use a folder: the
// caller sees to that. A Spool is used by one goroutine at a time.
type Spool struct {
	dir      string
	max      int64
	segment  int64
	flush    flush
	segments []segment
	adding   bool // the last segment is this process's own
	position spoolPosition
	waiting  int      // records behind the position
	bytes    int64    // of the files
	open     *os.File // the last segment, once this process has added to it
	pending  []byte   // written with the next Sync, or before
	dirty    bool     // open has something that is not on the disk
	refused  []byte   // written with the next Remove
	damaged  []string
}

// segment is a file of records.
type segment struct {
	number uint64
	size   int64 // what is whole, and not yet on the disk included
}

// OpenSpool opens the spool in the folder, which it makes when there is none.
// The end of a file that a crash left half written is set aside, see Damaged.
func OpenSpool(dir string, o SpoolOptions) (*Spool, error) {
	s := &Spool{dir: dir, max: o.MaxBytes, segment: o.SegmentBytes, flush: o.flush}
	if s.flush == nil {
		s.flush = (*os.File).Sync
	}
	if s.max <= 0 {
		s.max = spoolBytes
	}
	if s.segment <= 0 {
		s.segment = segmentBytes
	}
	if err := s.load(); err != nil {
		return nil, spoolError(dir, err)
	}
	return s, nil
}

func spoolError(dir string, err error) error {
	var e *schemas.Error
	if errors.As(err, &e) {
		return err
	}
	return &schemas.Error{Code: schemas.Unavailable, Field: "spool", Value: dir, Message: "the spool cannot be read or written", Hint: "check the folder's permissions and the space on its disk", Err: err}
}

func (s *Spool) load() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	var err error
	if s.position, err = readPosition(s.dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, ours := strings.CutSuffix(entry.Name(), segmentSuffix)
		number, err := strconv.ParseUint(name, 10, 64)
		if !ours || err != nil {
			continue
		}
		if number < s.position.segment { // done; a crash left it
			if err := os.Remove(s.path(number)); err != nil {
				return err
			}
			continue
		}
		s.segments = append(s.segments, segment{number: number})
	}
	slices.SortFunc(s.segments, func(a, b segment) int { return cmp.Compare(a.number, b.number) })
	for i := range s.segments {
		if err := s.examine(&s.segments[i]); err != nil {
			return err
		}
	}
	s.segments = slices.DeleteFunc(s.segments, func(g segment) bool { return g.size == 0 })
	return nil
}

// examine counts a file's records and cuts off what is not whole.
func (s *Spool) examine(g *segment) error {
	file, err := os.OpenFile(s.path(g.number), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	records := newRecordReader(file)
	for {
		_, err := records.next()
		if err == nil {
			if records.offset > s.startOf(g.number) {
				s.waiting++
			}
			continue
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, errRecord) {
			return err
		}
		g.size = records.offset
		s.bytes += g.size
		if errors.Is(err, errRecord) {
			return s.setAside(file, g)
		}
		// What a process wrote that died before it synced is kept from now on.
		return s.flush(file)
	}
}

// setAside moves the end of a file, which is no whole record, into another: a
// crash leaves such an end, and nobody was told that it is kept; but if a disk
// has rotted, a person may want to see it.
func (s *Spool) setAside(file *os.File, g *segment) error {
	if _, err := file.Seek(g.size, io.SeekStart); err != nil {
		return err
	}
	rest, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	aside := fmt.Sprintf("%s.damaged-at-%d", s.path(g.number), g.size)
	if err := s.flush.write(aside, rest); err != nil {
		return err
	}
	s.damaged = append(s.damaged, aside)
	return errors.Join(file.Truncate(g.size), s.flush(file))
}

// startOf gives where the events of a file begin that are not done.
func (s *Spool) startOf(number uint64) int64 {
	if number == s.position.segment {
		return s.position.offset
	}
	return 0
}

const segmentSuffix = ".events"

func (s *Spool) path(number uint64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%016d%s", number, segmentSuffix))
}

// Waiting gives the number of events that are not done.
func (s *Spool) Waiting() int { return s.waiting }

// Damaged names the files into which OpenSpool moved what was no whole record.
func (s *Spool) Damaged() []string { return s.damaged }

// ErrSpoolFull is wrapped by Add's error when there is no room.
var ErrSpoolFull = errors.New("no room")

// Add appends an event; it is kept once Sync has returned. A full spool refuses
// it with the code unavailable, an event over 256 KiB with too_large, and what
// is no JSON object on one line with malformed.
func (s *Spool) Add(event []byte) error {
	switch {
	case len(event) > schemas.MaxEventBytes:
		return tooLarge()
	case len(event) == 0 || event[0] != '{' || bytes.IndexByte(event, '\n') >= 0:
		return &schemas.Error{Code: schemas.Malformed, Message: "not a JSON object on one line", Hint: "write one event a line"}
	}
	length := int64(recordHeader + len(event))
	if s.bytes+length > s.max {
		return &schemas.Error{
			Code: schemas.Unavailable, Field: "spool", Value: s.dir, Message: fmt.Sprintf("the spool is full: %d events wait", s.waiting),
			Hint: "send what waits when the server is back, and then this event again", Err: ErrSpoolFull,
		}
	}
	// A file that another process wrote is never added to: a crash may have left
	// it shorter than it was.
	if !s.adding || s.last().size >= s.segment {
		if err := s.begin(); err != nil {
			return spoolError(s.dir, err)
		}
	}
	s.pending = appendRecord(s.pending, event)
	s.last().size += length
	s.bytes += length
	s.waiting++
	if len(s.pending) >= spoolBuffer {
		return s.write()
	}
	return nil
}

func (s *Spool) last() *segment { return &s.segments[len(s.segments)-1] }

// begin begins a new file.
func (s *Spool) begin() error {
	if err := s.Sync(); err != nil {
		return err
	}
	if err := s.closeFile(); err != nil {
		return err
	}
	number := s.position.segment + 1
	if len(s.segments) > 0 {
		number = max(number, s.last().number+1)
	}
	s.segments, s.adding = append(s.segments, segment{number: number}), true
	return nil
}

func (s *Spool) closeFile() error {
	if s.open == nil {
		return nil
	}
	file := s.open
	s.open = nil
	return file.Close()
}

// write hands to the system what is pending.
func (s *Spool) write() error {
	if len(s.pending) == 0 {
		return nil
	}
	if s.open == nil {
		file, err := os.OpenFile(s.path(s.last().number), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return spoolError(s.dir, err)
		}
		s.open = file
	}
	if _, err := s.open.Write(s.pending); err != nil {
		return spoolError(s.dir, err)
	}
	s.pending, s.dirty = s.pending[:0], true
	return nil
}

// Sync returns when everything that was added is on the disk. After an error
// the spool must be opened anew: nobody knows what the disk has.
func (s *Spool) Sync() error {
	if err := s.write(); err != nil {
		return err
	}
	if s.open == nil || !s.dirty {
		return nil
	}
	if err := errors.Join(s.flush(s.open), s.flush.folder(s.dir)); err != nil {
		return spoolError(s.dir, err)
	}
	s.dirty = false
	return nil
}

// All yields the events that are not done, in order; those that were added are
// synced first. Nothing may be added or removed while it runs.
func (s *Spool) All() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := s.Sync(); err != nil {
			yield(nil, err)
			return
		}
		for _, g := range s.segments {
			if !s.eachOf(g, yield) {
				return
			}
		}
	}
}

func (s *Spool) eachOf(g segment, yield func([]byte, error) bool) bool {
	if g.size == 0 {
		return true
	}
	file, err := os.Open(s.path(g.number))
	if err != nil {
		return yield(nil, spoolError(s.dir, err))
	}
	defer file.Close()
	records := newRecordReader(file)
	if err := records.skipTo(file, s.startOf(g.number)); err != nil {
		return yield(nil, spoolError(s.dir, err))
	}
	for records.offset < g.size {
		event, err := records.next()
		if err != nil {
			yield(nil, spoolError(s.dir, err))
			return false
		}
		if !yield(event, nil) {
			return false
		}
	}
	return true
}

// Refuse keeps the text of an event that the server refused, and why, in the
// file refused.ndjson; it is there when the Remove that follows has returned.
func (s *Spool) Refuse(event []byte, reason *schemas.Error) error {
	line, err := json.Marshal(struct {
		Error *schemas.Error `json:"error"`
		Event string         `json:"event"`
	}{reason, string(event)})
	if err != nil {
		return spoolError(s.dir, err)
	}
	s.refused = append(append(s.refused, line...), '\n')
	return nil
}

func (s *Spool) writeRefused() error {
	if len(s.refused) == 0 {
		return nil
	}
	if err := s.flush.add(filepath.Join(s.dir, "refused.ndjson"), s.refused); err != nil {
		return err
	}
	s.refused = nil
	return nil
}

// Remove marks the first n events as done, durably.
func (s *Spool) Remove(n int) error {
	if n == 0 {
		return nil
	}
	// A position must never be ahead of the events on the disk.
	if err := errors.Join(s.Sync(), s.writeRefused()); err != nil {
		return spoolError(s.dir, err)
	}
	position, left := s.position, n
	for i, g := range s.segments {
		if left == 0 {
			break
		}
		offset, passed, err := s.pass(g, left)
		if err != nil {
			return spoolError(s.dir, err)
		}
		left -= passed
		position = spoolPosition{g.number, offset}
		if i == len(s.segments)-1 && left > 0 {
			return spoolError(s.dir, fmt.Errorf("there are no %d events to remove", n))
		}
	}
	if err := s.flush.position(s.dir, position); err != nil {
		return spoolError(s.dir, err)
	}
	s.position = position
	s.waiting -= n
	return s.forget()
}

// pass gives where the file stands after so many more events, or all it has.
func (s *Spool) pass(g segment, n int) (offset int64, passed int, err error) {
	offset = s.startOf(g.number)
	if offset >= g.size {
		return g.size, 0, nil
	}
	file, err := os.Open(s.path(g.number))
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	records := newRecordReader(file)
	if err := records.skipTo(file, offset); err != nil {
		return 0, 0, err
	}
	for passed < n && records.offset < g.size {
		if _, err := records.next(); err != nil {
			return 0, 0, err
		}
		passed++
	}
	return records.offset, passed, nil
}

// forget removes the files that are done. The last one, too: the position keeps
// its number from being used again.
func (s *Spool) forget() error {
	for len(s.segments) > 0 {
		g := s.segments[0]
		if g.number > s.position.segment || g.number == s.position.segment && s.position.offset < g.size {
			return nil
		}
		if len(s.segments) == 1 {
			s.adding = false
			if err := s.closeFile(); err != nil {
				return spoolError(s.dir, err)
			}
		}
		if err := os.Remove(s.path(g.number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return spoolError(s.dir, err)
		}
		s.bytes -= g.size
		s.segments = s.segments[1:]
	}
	return nil
}

// Close syncs and closes the files.
func (s *Spool) Close() error { return errors.Join(s.Sync(), s.closeFile()) }
