// Package keeping copies an installation into a folder and back: its streams (events, audit, key-value buckets, object
// stores) as snapshots that keep every sequence, the tables of the warehouse that do not follow from the streams, and the
// keys of the embedded NATS.
package keeping

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"milepost/schemas"
)

// ManifestName is the file of a backup that says what it holds. It is written last: a folder without one is no backup.
const ManifestName = "manifest.json"

// format is that of the backups which this version writes, and the only one that it reads.
const format = 1

// maxManifest bounds what is read as a manifest.
const maxManifest = 16 << 20

// Manifest says what a backup holds.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of Milepost
	MadeAt  time.Time `json:"made_at"`
	// Sequence is S: the last event that the backup holds. Every table in it is that of S.
	Sequence uint64 `json:"sequence"`
	// Applied is a position of the warehouse: everything up to it is in the tables.
	Applied uint64 `json:"applied"`
	// Schema is the newest migration of the tables.
	Schema  uint32   `json:"schema"`
	Streams []Stream `json:"streams"`
	Files   []File   `json:"files"`
	// Seal is the SHA-256 of the manifest without it.
	Seal string `json:"seal"`
}

// Stream is one stream of the backup, in the file streams/NAME.
type Stream struct {
	Name     string          `json:"name"`
	Messages uint64          `json:"messages"`
	First    uint64          `json:"first_seq"`
	Last     uint64          `json:"last_seq"`
	Config   json.RawMessage `json:"config"`
	State    json.RawMessage `json:"state"`
}

// File is one file of the backup; its name has slashes.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func streamFile(name string) string { return "streams/" + name }

func tableFile(name string) string { return "tables/" + name + ".native.gz" }

const keysFolder = "keys/"

// seal gives the manifest's text with its seal.
func (m *Manifest) seal() ([]byte, error) {
	sum, err := m.sum()
	if err != nil {
		return nil, err
	}
	m.Seal = sum
	return json.MarshalIndent(m, "", "  ")
}

func (m *Manifest) sum() (string, error) {
	bare := *m
	bare.Seal = ""
	text, err := json.Marshal(&bare)
	if err != nil {
		return "", err
	}
	// Raw members keep the white space that they were read with.
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return "", err
	}
	sum := sha256.Sum256(compact.Bytes())
	return hex.EncodeToString(sum[:]), nil
}

// Verify reads a backup's manifest and hashes every file that it names. A backup that was cut off, altered, or made by a
// newer version is refused, and the error names every file that is wrong.
func Verify(dir string) (*Manifest, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, f := range m.Files {
		if err := f.verify(dir); err != nil {
			wrong = append(wrong, err)
		}
	}
	return m, errors.Join(wrong...)
}

func readManifest(dir string) (*Manifest, error) {
	refuse := func(message, hint string, err error) (*Manifest, error) {
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "DIR", Value: dir, Message: message, Hint: hint, Err: err}
	}
	file, err := os.Open(filepath.Join(dir, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("no whole backup: it has no "+ManifestName+", which is written last", "take another backup; this one was cut off, or the folder is another one", nil)
	}
	if err != nil {
		return refuse("the backup cannot be read", "check the folder and who may read it", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxManifest))
	if err != nil {
		return refuse("the backup cannot be read", "", err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return refuse("the backup's "+ManifestName+" was damaged", "take another backup", err)
	}
	if m.Format != format {
		return refuse(fmt.Sprintf("the backup has format %d, this version reads %d", m.Format, format), "restore it with Milepost "+schemas.Shorten(m.Version), nil)
	}
	sum, err := m.sum()
	if err != nil || sum != m.Seal {
		return refuse("the backup's "+ManifestName+" was altered", "take another backup", err)
	}
	return m, nil
}

func (f *File) verify(dir string) error {
	refuse := func(message string, err error) error {
		return &schemas.Error{Code: schemas.Invalid, Field: "DIR", Value: f.Name, Message: message, Hint: "nothing was touched; take another backup, or another copy of this one", Err: err}
	}
	if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
		return refuse("a file of the backup has a name outside of it", nil)
	}
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Name)))
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("a file of the backup is missing", nil)
	}
	if err != nil {
		return refuse("a file of the backup cannot be read", err)
	}
	defer file.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, file)
	switch {
	case err != nil:
		return refuse("a file of the backup cannot be read", err)
	case n < f.Bytes:
		return refuse(fmt.Sprintf("a file of the backup was cut off: it has %d bytes of %d", n, f.Bytes), nil)
	case n > f.Bytes || hex.EncodeToString(hash.Sum(nil)) != f.SHA256:
		return refuse("a file of the backup was altered", nil)
	}
	return nil
}

func (m *Manifest) stream(name string) *Stream {
	for i := range m.Streams {
		if m.Streams[i].Name == name {
			return &m.Streams[i]
		}
	}
	return nil
}

func (m *Manifest) holds(name string) bool {
	for _, f := range m.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}
