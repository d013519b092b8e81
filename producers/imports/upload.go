package imports

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/url"
	"os"
	"path/filepath"

	"milepost/producers"
	"milepost/schemas"
)

// UploadOptions are the choices of Upload.
type UploadOptions struct {
	DryRun, Wait bool
	// SnapshotDate is that of files where neither a column nor the name tells.
	SnapshotDate schemas.Date
}

// Upload sends a mapping and files, given by their paths, to the server and
// gives the result; whether rows were refused is in it (Result.OK). Errors
// are *schemas.Error: a file that cannot be read, a bad mapping, the way.
func Upload(ctx context.Context, client *producers.Client, mapping string, files []string, o UploadOptions) (*Result, error) {
	for _, path := range append([]string{mapping}, files...) {
		if err := readable(path); err != nil {
			return nil, err
		}
	}
	query := url.Values{}
	if o.DryRun {
		query.Set("dry_run", "true")
	}
	if o.Wait {
		query.Set("wait", "true")
	}
	in, out := io.Pipe()
	form := multipart.NewWriter(out)
	go func() {
		out.CloseWithError(writeForm(form, mapping, files, o.SnapshotDate))
	}()
	defer in.Close() // ends the writer if the server answers early
	result := &Result{}
	if err := client.Post(ctx, "/v1/imports", query, form.FormDataContentType(), in, result); err != nil {
		return nil, err
	}
	return result, nil
}

func readable(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder")
	}
	if err != nil {
		return &schemas.Error{Code: schemas.NotFound, Message: "the file cannot be read", Value: schemas.Shorten(path), Err: err}
	}
	return nil
}

func writeForm(form *multipart.Writer, mapping string, files []string, on schemas.Date) error {
	if on != 0 {
		if err := form.WriteField("snapshot_date", on.String()); err != nil {
			return err
		}
	}
	if err := writeFile(form, "mapping", mapping); err != nil {
		return err
	}
	for _, path := range files {
		if err := writeFile(form, "file", path); err != nil {
			return err
		}
	}
	return form.Close()
}

func writeFile(form *multipart.Writer, name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	part, err := form.CreateFormFile(name, filepath.Base(path))
	if err != nil {
		return err
	}
	_, err = io.Copy(part, file)
	return err
}
