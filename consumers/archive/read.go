package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxLine bounds a message in a segment: JSON may write a byte as six.
	maxLine = 16 << 20
	// maxWindow bounds what a segment may ask of the memory while it is decompressed.
	maxWindow = 64 << 20
	// readAhead is the size of the buffers of files.
	readAhead = 256 << 10
)

// Verify reads every segment, and compares it byte for byte with what its manifest says. The error names each segment that
// is missing or altered.
func (a *Archive) Verify(ctx context.Context) error {
	var wrong []error
	for i := range a.segments {
		wrong = append(wrong, a.verify(ctx, &a.segments[i]))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(wrong...)
}

// VerifyBetween is Verify for the segments with messages between two sequences, both included.
func (a *Archive) VerifyBetween(ctx context.Context, first, last uint64) error {
	part := &Archive{dir: a.dir}
	for _, s := range a.segments {
		if s.Last >= first && s.First <= last {
			part.segments = append(part.segments, s)
		}
	}
	return part.Verify(ctx)
}

func (a *Archive) verify(ctx context.Context, s *Segment) error {
	reader, err := a.open(s)
	if err != nil {
		return err
	}
	defer reader.close()
	for {
		if _, err := reader.next(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Cursor reads the archive in the order of the sequences. It is not safe for concurrent use.
type Cursor struct {
	archive *Archive
	reader  *segmentReader
	index   int    // of the reader's segment
	at      uint64 // the last message that was read
}

// After gives a cursor whose first message is the one behind a sequence. The caller closes it.
func (a *Archive) After(sequence uint64) *Cursor { return &Cursor{archive: a, index: -1, at: sequence} }

// Next gives the next message, or io.EOF behind the last. A segment that is not as its manifest says is an error that
// names it, at its end at the latest.
func (c *Cursor) Next(ctx context.Context) (*Message, error) {
	for {
		if c.reader == nil {
			c.index = slices.IndexFunc(c.archive.segments, func(s Segment) bool { return s.Last > c.at })
			if c.index < 0 {
				return nil, io.EOF
			}
			reader, err := c.archive.open(&c.archive.segments[c.index])
			if err != nil {
				return nil, err
			}
			c.reader = reader
		}
		m, err := c.reader.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			c.Close()
		case err != nil:
			return nil, err
		case m.Sequence > c.at:
			c.at = m.Sequence
			return m, nil
		}
	}
}

// Seek gives the message of a sequence, or nil when the archive has none. Ascending sequences are read in one pass.
func (c *Cursor) Seek(ctx context.Context, sequence uint64) (*Message, error) {
	if sequence == 0 || sequence > c.archive.Last() {
		return nil, nil
	}
	if here := c.reader != nil && sequence > c.at && sequence <= c.reader.segment.Last; !here {
		c.Close()
		c.at = sequence - 1
	}
	for {
		m, err := c.Next(ctx)
		if err != nil || m.Sequence == sequence {
			return m, err
		}
	}
}

// Close ends the cursor; it may be used again.
func (c *Cursor) Close() {
	if c.reader != nil {
		c.reader.close()
		c.reader = nil
	}
}

// segmentReader reads one segment to its end, and checks it there.
type segmentReader struct {
	segment *Segment
	file    *os.File
	raw     *hashed
	unpack  *zstd.Decoder
	lines   *bufio.Reader
	content *content
	last    uint64
	count   uint64
}

// hashed hashes and counts what is read through it.
type hashed struct {
	from io.Reader
	sum  hash.Hash
	n    int64
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	h.sum.Write(p[:n])
	h.n += int64(n)
	return n, err
}

func (a *Archive) open(s *Segment) (*segmentReader, error) {
	file, err := os.Open(filepath.Join(a.dir, s.File))
	if err != nil {
		return nil, damaged(s.Name(), "its messages cannot be read", err)
	}
	raw := &hashed{from: file, sum: sha256.New()}
	// One goroutine: nothing reads ahead of what is hashed when the segment ends.
	unpack, err := zstd.NewReader(bufio.NewReaderSize(raw, readAhead), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &segmentReader{segment: s, file: file, raw: raw, unpack: unpack, lines: bufio.NewReaderSize(unpack, readAhead), content: newContent(), last: s.First - 1}, nil
}

func (r *segmentReader) close() {
	r.unpack.Close()
	_ = r.file.Close() // it was only read
}

func (r *segmentReader) next(ctx context.Context) (*Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, err := r.line()
	if errors.Is(err, io.EOF) && len(text) == 0 {
		if err := r.end(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	if err != nil {
		return nil, damaged(r.segment.Name(), fmt.Sprintf("it breaks off behind sequence %d", r.last), err)
	}
	m, err := decode(text)
	if err != nil {
		return nil, damaged(r.segment.Name(), fmt.Sprintf("what follows sequence %d is no message", r.last), err)
	}
	if m.Sequence != r.last+1 || m.Sequence > r.segment.Last {
		return nil, damaged(r.segment.Name(), fmt.Sprintf("sequence %d follows %d", m.Sequence, r.last), nil)
	}
	r.last = m.Sequence
	r.count++
	r.content.add(m)
	return m, nil
}

// line reads to the end of a line, which is not longer than maxLine.
func (r *segmentReader) line() ([]byte, error) {
	var text []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		text = append(text, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
		if len(text) > maxLine {
			return nil, errors.New("a line is too long")
		}
	}
}

// end compares what was read with the manifest.
func (r *segmentReader) end() error {
	if _, err := io.Copy(io.Discard, r.raw); err != nil { // what stands behind the last frame
		return damaged(r.segment.Name(), "its messages cannot be read", err)
	}
	s := r.segment
	switch {
	case r.raw.n != s.Bytes || fmt.Sprintf("%x", r.raw.sum.Sum(nil)) != s.SHA256:
		return damaged(s.Name(), fmt.Sprintf("%s has another hash than its manifest says", s.File), nil)
	case r.count != s.Messages || r.last != s.Last:
		return damaged(s.Name(), fmt.Sprintf("it holds %d messages up to %d", r.count, r.last), nil)
	case r.content.String() != s.Content:
		return damaged(s.Name(), "its messages are others than those that were archived", nil)
	}
	return nil
}
