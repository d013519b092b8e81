package keeping

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"milepost/schemas"
)

// maxProblem bounds the text of a problem.
const maxProblem = 64 << 10

// Receive takes a backup that Parts sends into a folder, verifies it there, and gives its manifest.
func Receive(body io.Reader, contentType, dir string) (*Manifest, error) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || parameters["boundary"] == "" {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "the server did not answer with a backup", Value: schemas.Shorten(contentType), Hint: "is this a Milepost server of the same version?"}
	}
	folder, err := NewFolder(dir)
	if err != nil {
		return nil, err
	}
	parts := multipart.NewReader(body, parameters["boundary"])
	whole := false
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) && whole {
			break
		}
		if err != nil {
			return nil, cutOff(err)
		}
		if part.Header.Get(problemHeader) != "" {
			return nil, problemOf(part)
		}
		_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil {
			return nil, cutOff(err)
		}
		name := disposition["filename"]
		whole = name == ManifestName
		out, err := folder.Create(name)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(out, part)
		if err := errors.Join(err, out.Close()); err != nil {
			return nil, cutOff(err)
		}
	}
	return Verify(dir)
}

func cutOff(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the backup was cut off before its end", Hint: "what has come is no backup: remove the folder and begin again", Err: err}
}

func problemOf(r io.Reader) error {
	e := new(schemas.Error)
	if err := json.NewDecoder(io.LimitReader(r, maxProblem)).Decode(e); err != nil || e.Message == "" {
		return cutOff(err)
	}
	return e
}
