package keeping

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/textproto"
	"os"
	"path/filepath"

	"milepost/schemas"
)

// Files takes the files of a backup, one after the other; the manifest comes last.
type Files interface {
	// Create begins a file, whose name has slashes; Close ends it.
	Create(name string) (io.WriteCloser, error)
}

// put writes a file and gives its size and hash.
func put(files Files, name string, write func(io.Writer) error) (f File, err error) {
	out, err := files.Create(name)
	if err != nil {
		return f, err
	}
	hash := sha256.New()
	counted := &counter{to: io.MultiWriter(out, hash)}
	err = errors.Join(write(counted), out.Close())
	return File{Name: name, Bytes: counted.n, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// Folder takes a backup into a folder, durably and readable by its user only, since a backup holds secrets.
type Folder struct{ dir string }

// NewFolder makes the folder; one that holds something already is refused.
func NewFolder(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, &schemas.Error{Code: schemas.Invalid, Field: "DIR", Value: dir, Message: "the folder cannot be made", Hint: "check the path and who may write to it", Err: err}
		}
	case err != nil:
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "DIR", Value: dir, Message: "not a folder that can be read", Hint: "name a new or empty folder", Err: err}
	case len(entries) > 0:
		return nil, &schemas.Error{Code: schemas.Conflict, Field: "DIR", Value: dir, Message: "the folder is not empty", Hint: "name a new or empty folder; a backup is never written over another"}
	}
	return &Folder{dir}, nil
}

// Create begins a file of the folder.
func (f *Folder) Create(name string) (io.WriteCloser, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "name", Value: schemas.Shorten(name), Message: "a file of the backup has a name outside of it"}
	}
	path := filepath.Join(f.dir, local)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return durable{file}, nil
}

// durable is a file that is on the disk when it is closed.
type durable struct{ *os.File }

// Close syncs the file and its folder.
func (d durable) Close() error {
	err := errors.Join(d.Sync(), d.File.Close())
	folder, failed := os.Open(filepath.Dir(d.Name()))
	if failed != nil {
		return errors.Join(err, failed)
	}
	return errors.Join(err, folder.Sync(), folder.Close())
}

// problemHeader marks the part that tells why a backup ended early.
const problemHeader = "X-Milepost-Problem"

// Parts sends a backup as parts of a message (RFC 2046), so that it goes over HTTP while it is made.
type Parts struct{ out *multipart.Writer }

// NewParts sends to the writer.
func NewParts(w io.Writer) *Parts { return &Parts{multipart.NewWriter(w)} }

// ContentType is that of the message.
func (p *Parts) ContentType() string { return "multipart/mixed; boundary=" + p.out.Boundary() }

// Create begins a part.
func (p *Parts) Create(name string) (io.WriteCloser, error) {
	part, err := p.out.CreatePart(textproto.MIMEHeader{
		"Content-Type":        {"application/octet-stream"},
		"Content-Disposition": {mime.FormatMediaType("attachment", map[string]string{"filename": name})},
	})
	return unclosed{part}, err
}

type unclosed struct{ io.Writer }

// Close has nothing to do: the next part ends the one before.
func (unclosed) Close() error { return nil }

// End ends the message; with a problem it says why it is not whole.
func (p *Parts) End(problem []byte) error {
	if problem == nil {
		return p.out.Close()
	}
	part, err := p.out.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/problem+json"}, problemHeader: {"1"}})
	if err != nil {
		return err
	}
	if _, err := part.Write(problem); err != nil {
		return err
	}
	return p.out.Close()
}
