// Package evidence keeps the files that prove milestones (佐证材料) in a
// JetStream object store, each under the SHA-256 of its content. What a file is
// is told by its content, never by its name; it is not searched for viruses,
// which is for those who open it.
package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"strings"
	"unicode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Bucket is the object store's name.
const Bucket = "MILEPOST_EVIDENCE"

// Bounds of what is kept: a file's bytes, and those of all of them.
const (
	MaxFile  = 20 << 20
	MaxTotal = 20 << 30
	maxName  = 120 // characters of a file's name
)

// File is what is known of a file.
type File struct {
	SHA256    string `json:"sha256"` // hexadecimal, lower case
	Name      string `json:"name"`   // as the first sender called it
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"` // bytes
}

// Store keeps the files. It is safe for concurrent use, and shared by all
// processes of the same NATS.
type Store struct{ objects jetstream.ObjectStore }

// Open opens the object store and makes it when missing; what an administrator
// chose for it stays.
func Open(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	objects, err := js.ObjectStore(ctx, Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		objects, err = js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: Bucket, Description: "Milepost: the files that prove milestones, by SHA-256"})
	}
	if err != nil {
		return nil, away(err)
	}
	return &Store{objects}, nil
}

func away(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the evidence cannot be reached", Hint: "check that NATS runs with JetStream", Err: err}
}

// The headers of an object.
const (
	nameHeader = "Milepost-Name"
	typeHeader = "Milepost-Media-Type"
)

// Keep keeps a file. The same content again is kept once, under its first name.
// Errors are TooLarge, Invalid for a kind of file that is not taken, and
// Unavailable.
func (s *Store) Keep(ctx context.Context, name string, content []byte) (File, error) {
	name = plainName(name)
	switch {
	case len(content) == 0:
		return File{}, &schemas.Error{Code: schemas.Invalid, Field: "evidence", Value: name, Message: "the file is empty", Hint: "choose the file again"}
	case len(content) > MaxFile:
		return File{}, &schemas.Error{Code: schemas.TooLarge, Field: "evidence", Value: name, Message: "the file has more than 20 MiB", Hint: "scan it smaller, or send several files"}
	}
	kind, ok := kindOf(content)
	if !ok {
		return File{}, &schemas.Error{Code: schemas.Invalid, Field: "evidence", Value: name, Message: "not a kind of file that is kept", Hint: "send PDF, OFD, JPEG, PNG, DOCX or XLSX without macros"}
	}
	sum := sha256.Sum256(content)
	file := File{SHA256: hex.EncodeToString(sum[:]), Name: withExtension(name, kind.extension), MediaType: kind.mediaType, Size: int64(len(content))}
	if kept, err := s.Find(ctx, file.SHA256); err == nil {
		return kept, nil
	} else if schemas.CodeOf(err) != schemas.NotFound {
		return File{}, err
	}
	status, err := s.objects.Status(ctx)
	if err != nil {
		return File{}, away(err)
	}
	if status.Size()+uint64(len(content)) > MaxTotal {
		return File{}, &schemas.Error{Code: schemas.Unavailable, Message: "there is no more room for evidence", Hint: "ask the operator to move old files away"}
	}
	meta := jetstream.ObjectMeta{Name: file.SHA256, Headers: nats.Header{nameHeader: {encodeName(file.Name)}, typeHeader: {file.MediaType}}}
	if _, err := s.objects.Put(ctx, meta, bytes.NewReader(content)); err != nil {
		return File{}, away(err)
	}
	return file, nil
}

// Find tells what is known of a file; NotFound when it is not kept.
func (s *Store) Find(ctx context.Context, sum string) (File, error) {
	if !isSum(sum) {
		return File{}, notKept(sum)
	}
	info, err := s.objects.GetInfo(ctx, sum)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return File{}, notKept(sum)
	}
	if err != nil {
		return File{}, away(err)
	}
	return fileOf(info), nil
}

// Read gives a file with its content, which is what its name says: it is held
// against the hash.
func (s *Store) Read(ctx context.Context, sum string) (File, []byte, error) {
	file, err := s.Find(ctx, sum)
	if err != nil {
		return File{}, nil, err
	}
	object, err := s.objects.Get(ctx, sum)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return File{}, nil, notKept(sum)
	}
	if err != nil {
		return File{}, nil, away(err)
	}
	defer object.Close()
	content, err := io.ReadAll(io.LimitReader(object, MaxFile+1))
	if err != nil {
		return File{}, nil, away(err)
	}
	if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != sum {
		return File{}, nil, &schemas.Error{Code: schemas.Internal, Field: "sha256", Value: sum, Message: "the file is not what its hash says", Hint: "ask its sender for it again"}
	}
	return file, content, nil
}

func notKept(sum string) error {
	return &schemas.Error{Code: schemas.NotFound, Field: "sha256", Value: schemas.Shorten(sum), Message: "no such file", Hint: "the project's page lists its evidence"}
}

func fileOf(info *jetstream.ObjectInfo) File {
	return File{SHA256: info.Name, Name: decodeName(info.Headers.Get(nameHeader)), MediaType: info.Headers.Get(typeHeader), Size: int64(info.Size)}
}

func isSum(text string) bool {
	return len(text) == 2*sha256.Size && !strings.ContainsFunc(text, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

// plainName takes the folder and what no name needs off a name that a browser
// sent.
func plainName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), "\\", "/"))
	name = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || strings.ContainsRune(`"<>|:*?`, c) {
			return -1
		}
		return c
	}, name)
	if name = strings.Trim(name, ". "); name == "" || name == "/" {
		name = "evidence"
	}
	letters := []rune(name)
	return string(letters[max(0, len(letters)-maxName):]) // its end tells the kind
}

// withExtension gives the name the extension of what the file is.
func withExtension(name, extension string) string {
	if had := strings.ToLower(path.Ext(name)); had == extension || extension == ".jpg" && had == ".jpeg" {
		return name
	}
	return name + extension
}
