package scheduler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"milepost/schemas"
)

// Folder is a Shelf in a directory: DIR/<kind>/<period>/<file>. An edition
// appears there whole: it is written beside its place, synced, and renamed.
type Folder struct {
	dir string
	log *slog.Logger
}

// unfinished names the directories that an edition is written in; one that a
// crash left behind is removed after a day.
const (
	unfinished    = ".unfinished-"
	unfinishedFor = 24 * time.Hour
)

// NewFolder makes the directory if need be and clears what crashes left in it;
// now is compared with the ages of files.
func NewFolder(dir string, now func() time.Time, log *slog.Logger) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, folderError(dir, err)
	}
	f := &Folder{dir: dir, log: log}
	left, err := filepath.Glob(filepath.Join(dir, "*", unfinished+"*"))
	if err != nil {
		return nil, folderError(dir, err)
	}
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && now().Sub(info.ModTime()) > unfinishedFor {
			if err := os.RemoveAll(path); err != nil {
				return nil, folderError(path, err)
			}
		}
	}
	return f, nil
}

func folderError(path string, err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the bulletin folder cannot be used", Value: path,
		Hint: "let the server write there, with space left", Err: err}
}

func (f *Folder) place(subject Subject) string {
	return filepath.Join(f.dir, subject.Kind, subject.place())
}

// Has looks for the files.
func (f *Folder) Has(_ context.Context, subject Subject, names ...string) (bool, error) {
	for _, name := range names {
		_, err := os.Stat(filepath.Join(f.place(subject), name))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, folderError(f.place(subject), err)
		}
	}
	return true, nil
}

// Holds compares the hashes of the files.
func (f *Folder) Holds(_ context.Context, subject Subject, files []schemas.PublishedFile) (bool, error) {
	for _, file := range files {
		if filepath.Base(file.Name) != file.Name {
			return false, folderError(file.Name, errors.New("a published file's name is no file name"))
		}
		content, err := os.ReadFile(filepath.Join(f.place(subject), file.Name))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, folderError(f.place(subject), err)
		}
		if digest(content) != file.SHA256 {
			return false, nil
		}
	}
	return true, nil
}

// Put writes the edition. Files of the same place that differ were changed by
// somebody: they are kept beside it, with a warning.
func (f *Folder) Put(ctx context.Context, subject Subject, files []File) error {
	if held, err := f.Holds(ctx, subject, publishedFiles(files)); held || err != nil {
		return err
	}
	place := f.place(subject)
	kind := filepath.Dir(place)
	if err := os.MkdirAll(kind, 0o755); err != nil {
		return folderError(kind, err)
	}
	draft, err := os.MkdirTemp(kind, unfinished)
	if err != nil {
		return folderError(kind, err)
	}
	defer os.RemoveAll(draft) // nothing is there any more when all went well
	if err := writeSynced(draft, files); err != nil {
		return folderError(place, err)
	}
	err = os.Rename(draft, place)
	if errors.Is(err, fs.ErrExist) {
		// Another replica that shares the folder was first, or the files differ.
		if held, heldErr := f.Holds(ctx, subject, publishedFiles(files)); held || heldErr != nil {
			return heldErr
		}
		if err := f.setAside(place); err != nil {
			return folderError(place, err)
		}
		err = os.Rename(draft, place)
	}
	if err != nil {
		return folderError(place, err)
	}
	for _, dir := range []string{kind, f.dir} {
		if err := syncPath(dir); err != nil {
			return folderError(dir, err)
		}
	}
	return nil
}

// withdrawnNotice is the file that says why an edition was withdrawn.
const withdrawnNotice = "withdrawn.txt"

// MarkWithdrawn leaves the notice beside the edition's files, whose hashes stay
// what they are.
func (f *Folder) MarkWithdrawn(_ context.Context, subject Subject, notice string) error {
	path := filepath.Join(f.place(subject), withdrawnNotice)
	_, err := os.Stat(path)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return folderError(path, err)
	}
	err = os.WriteFile(path, []byte(notice), 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no files are here to be mistaken
	}
	if err != nil {
		return folderError(path, err)
	}
	return nil
}

func writeSynced(dir string, files []File) error {
	if err := os.Chmod(dir, 0o755); err != nil { // MkdirTemp made it private
		return err
	}
	for _, file := range files {
		path := filepath.Join(dir, file.Name)
		if err := os.WriteFile(path, file.Content, 0o644); err != nil {
			return err
		}
		if err := syncPath(path); err != nil {
			return err
		}
	}
	return syncPath(dir)
}

func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// setAside renames what stands in an edition's place to the first free name.
func (f *Folder) setAside(place string) error {
	siblings, err := os.ReadDir(filepath.Dir(place))
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.changed-%d", filepath.Base(place), n)
		if slices.ContainsFunc(siblings, func(e fs.DirEntry) bool { return strings.EqualFold(e.Name(), name) }) {
			continue
		}
		f.log.Warn("files on the shelf were changed; they are kept aside and written anew", "place", place, "kept", name)
		return os.Rename(place, filepath.Join(filepath.Dir(place), name))
	}
}
