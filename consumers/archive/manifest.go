package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"milepost/schemas"
)

// format is that of the segments which this version writes, and the only one that it reads.
const format = 1

const (
	dataSuffix     = ".ndjson.zst"
	manifestSuffix = ".json"
	// maxManifest bounds what is read as a manifest.
	maxManifest = 64 << 10
)

// Segment is the manifest of one segment: the messages of the stream from First to Last, all of them.
type Segment struct {
	Format    int       `json:"format"`
	First     uint64    `json:"first_seq"`
	Last      uint64    `json:"last_seq"`
	FirstTime time.Time `json:"first_time"`
	LastTime  time.Time `json:"last_time"`
	Messages  uint64    `json:"messages"`
	// File is the name of the file with the messages, Bytes its size and SHA256 its hash.
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Content is the SHA-256 of the messages themselves, however they are written.
	Content string `json:"content_sha256"`
	// Previous is the seal of the segment before; "" of the first.
	Previous string    `json:"previous"`
	MadeAt   time.Time `json:"made_at"`
	Version  string    `json:"version"` // of Milepost
	// Seal is the SHA-256 of the manifest without it.
	Seal string `json:"seal"`
}

// Name is that of the segment's files, without what they end with.
func (s *Segment) Name() string { return fmt.Sprintf("%012d-%012d", s.First, s.Last) }

func (s *Segment) manifest() string { return s.Name() + manifestSuffix }

// Files gives the names of the segment's two files.
func (s *Segment) Files() []string { return []string{s.File, s.manifest()} }

func (s *Segment) sum() (string, error) {
	bare := *s
	bare.Seal = ""
	text, err := json.Marshal(&bare)
	return fmt.Sprintf("%x", sha256.Sum256(text)), err
}

// Archive is what a folder holds, as it was when it was opened. It is safe for concurrent use; one process at a time may
// write.
type Archive struct {
	dir      string
	segments []Segment
}

// Open reads the manifests of a folder; one that does not exist is an empty archive. A chain of segments that lacks one, or
// has one whose manifest was altered, is refused with the code conflict, and the error names the segment. The messages
// themselves are looked at by Verify.
func Open(dir string) (*Archive, error) {
	a := &Archive{dir: dir}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Field: "archive_dir", Value: dir, Message: "the archive cannot be read", Hint: "check the folder and who may read it", Err: err}
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), manifestSuffix) || !entry.Type().IsRegular() {
			continue
		}
		s, err := readManifest(dir, entry.Name())
		if err != nil {
			return nil, err
		}
		a.segments = append(a.segments, *s)
	}
	slices.SortFunc(a.segments, func(a, b Segment) int { return compare(a.First, b.First) })
	return a, a.chained()
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func readManifest(dir, name string) (*Segment, error) {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, damaged(name, "its manifest cannot be read", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxManifest))
	if err != nil {
		return nil, damaged(name, "its manifest cannot be read", err)
	}
	s := new(Segment)
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(s); err != nil {
		return nil, damaged(name, "its manifest was damaged", err)
	}
	if s.Format != format {
		return nil, damaged(name, fmt.Sprintf("its manifest has format %d, this version reads %d", s.Format, format), nil)
	}
	sum, err := s.sum()
	if err != nil || sum != s.Seal || s.manifest() != name || s.File != s.Name()+dataSuffix || s.Last < s.First || s.Messages != s.Last-s.First+1 {
		return nil, damaged(name, "its manifest was altered", err)
	}
	return s, nil
}

// chained checks that each segment follows the one before.
func (a *Archive) chained() error {
	next, previous := uint64(1), ""
	for i := range a.segments {
		s := &a.segments[i]
		switch {
		case s.First > next:
			return &schemas.Error{
				Code: schemas.Conflict, Field: "archive_dir", Value: a.dir, Message: fmt.Sprintf("the archive lacks the sequences %d to %d, before the segment %s", next, s.First-1, s.Name()),
				Hint: "bring the missing segments back from a backup; nothing was changed",
			}
		case s.First < next:
			return damaged(s.Name(), "it holds sequences of the segment before", nil)
		case s.Previous != previous:
			return damaged(s.Name(), "it was not made behind the segment before it", nil)
		}
		next, previous = s.Last+1, s.Seal
	}
	return nil
}

func damaged(segment, message string, err error) error {
	return &schemas.Error{
		Code: schemas.Conflict, Field: "segment", Value: strings.TrimSuffix(segment, manifestSuffix), Message: "a segment of the archive is not as it was written: " + message,
		Hint: "bring this segment back from a backup of the archive; nothing was changed", Err: err,
	}
}

// Dir is the archive's folder.
func (a *Archive) Dir() string { return a.dir }

// Segments lists the segments in the order of their sequences.
func (a *Archive) Segments() []Segment { return slices.Clone(a.segments) }

// Last is the sequence that the archive ends with, 0 when it is empty.
func (a *Archive) Last() uint64 {
	if len(a.segments) == 0 {
		return 0
	}
	return a.segments[len(a.segments)-1].Last
}

// Bytes is how much the segments take on the disk.
func (a *Archive) Bytes() (bytes int64) {
	for _, s := range a.segments {
		bytes += s.Bytes
	}
	return bytes
}
