package keeping

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/consumers/archive"
	"milepost/schemas"
)

// archiveFolder holds the segments in a backup.
const archiveFolder = "archive/"

// archive copies the segments that end at or before S. It comes after the stream, so that what was purged from that is in
// them; and nobody archives meanwhile.
func (b *backup) archive(ctx context.Context, js jetstream.JetStream) error {
	if b.Archive == "" {
		return nil
	}
	held, err := consumers.OpenArchive(ctx, js, b.Archive)
	if err != nil {
		return err
	}
	for _, s := range held.Segments() {
		if s.Last > b.manifest.Sequence {
			break
		}
		b.Progress("segment " + s.Name())
		for _, name := range s.Files() {
			f, err := copyFile(b.files, archiveFolder+name, filepath.Join(held.Dir(), name))
			if err != nil {
				return err
			}
			b.manifest.Files = append(b.manifest.Files, f)
		}
	}
	return nil
}

func copyFile(files Files, name, path string) (File, error) {
	file, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	return put(files, name, func(w io.Writer) error { _, err := io.Copy(w, file); return err })
}

// HasArchive tells whether the backup holds segments, without which its streams lack what was purged.
func (m *Manifest) HasArchive() bool {
	for _, f := range m.Files {
		if strings.HasPrefix(f.Name, archiveFolder) {
			return true
		}
	}
	return false
}

// RestoreArchive puts the segments of a verified backup into a folder and reads them back there. Segments that are there
// already, from an earlier attempt, must be the same.
func RestoreArchive(ctx context.Context, m *Manifest, dir, to string) error {
	if !m.HasArchive() {
		return nil
	}
	into, err := archive.Open(to)
	if err != nil {
		return err
	}
	from, err := archive.Open(filepath.Join(dir, filepath.FromSlash(archiveFolder)))
	if err != nil {
		return err
	}
	wanted, there := from.Segments(), into.Segments()
	for i, s := range there {
		if i >= len(wanted) || wanted[i].Seal != s.Seal {
			return &schemas.Error{Code: schemas.Conflict, Field: "--to-archive", Value: to, Message: "the folder holds another archive: segment " + s.Name(), Hint: "nothing was changed; name a new folder"}
		}
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	folder := &Folder{to}
	for _, s := range wanted[len(there):] {
		for _, name := range s.Files() { // the manifest last, without which the messages are no segment
			half := filepath.Join(to, name+".partial") // an interrupted attempt may have left one
			if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if _, err := copyFile(folder, name+".partial", filepath.Join(from.Dir(), name)); err != nil {
				return err
			}
			if err := os.Rename(half, filepath.Join(to, name)); err != nil {
				return err
			}
		}
	}
	if into, err = archive.Open(to); err != nil {
		return err
	}
	return into.Verify(ctx)
}
