package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"milepost/schemas"
)

// Folder writes files into a directory: <kind>/<period>/<number>/<file> for
// editions, <class>/<period>/<id>.txt for letters. Each file appears whole;
// writing what is there already changes nothing. The files of an edition that was
// withdrawn are renamed to <file>.withdrawn, beside a notice that says why.
type Folder struct{ dir string }

// NewFolder gives one; the directory is made with the first delivery.
func NewFolder(dir string) *Folder { return &Folder{dir} }

// Send writes the files.
func (f *Folder) Send(ctx context.Context, m *Message) error {
	dir := filepath.Join(f.dir, fileName(m.Kind), fileName(m.Period), fmt.Sprint(m.Number))
	if m.Class == WithdrawalClass {
		return f.putAway(dir, m)
	}
	files := m.Files
	if m.Class != EditionClass {
		dir = filepath.Join(f.dir, fileName(string(m.Class)), fileName(m.Period))
		files = []File{{Name: fileName(m.ID) + ".txt", Content: []byte(strings.Join(append([]string{m.Title, m.Recipient.Name}, m.Lines...), "\n") + "\n")}}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return failure("the folder cannot be made", err)
	}
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if filepath.Base(file.Name) != file.Name || strings.HasPrefix(file.Name, ".") {
			return &schemas.Error{Code: schemas.Forbidden, Message: "not a file name", Value: schemas.Shorten(file.Name)}
		}
		if err := writeWhole(dir, file); err != nil {
			return failure("the folder cannot be written", err)
		}
	}
	return nil
}

// fileName keeps a part of a path from leaving its place.
func fileName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == 0 {
			return '-'
		}
		return r
	}, text)
	if strings.Trim(name, ".") == "" {
		return "none"
	}
	return name
}

func writeWhole(dir string, file File) (err error) {
	place := filepath.Join(dir, file.Name)
	if held, err := os.ReadFile(place); err == nil && bytes.Equal(held, file.Content) {
		return nil
	}
	temporary, err := os.CreateTemp(dir, ".unfinished-*")
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.Remove(temporary.Name()); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}()
	_, err = temporary.Write(file.Content)
	if err = errors.Join(err, temporary.Chmod(0o644), temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), place)
}
