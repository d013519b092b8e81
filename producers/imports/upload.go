package imports

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"milepost/schemas"
)

// Server is the way to a server's HTTP interface. Call gives the body of a good
// answer (status 2xx), and the server's own error otherwise.
type Server interface {
	Call(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (io.ReadCloser, error)
}

// UploadOptions are the choices of Upload and UploadPreview.
type UploadOptions struct {
	DryRun, Wait bool
	// SnapshotDate is that of files where neither a column nor the name tells.
	SnapshotDate schemas.Date
	// District is who answers for a sheet without a mapping.
	District string
	// Progress, if set, is told now and then how far the server is.
	Progress func(Progression)
}

// Upload sends a mapping and files, given by their paths, to the server and
// gives the result; whether rows were refused is in it (Result.OK). Without a
// mapping ("") the columns are the template's. Errors are *schemas.Error: a
// file that cannot be read, a bad mapping, the way.
func Upload(ctx context.Context, server Server, mapping string, files []string, o UploadOptions) (*Result, error) {
	query := url.Values{"progress": {"true"}}
	if o.DryRun {
		query.Set("dry_run", "true")
	}
	if o.Wait {
		query.Set("wait", "true")
	}
	result := &Result{}
	return result, upload(ctx, server, "/v1/imports", query, mapping, files, o, result)
}

// UploadPreview sends the same and gives the preview, which waits on the
// server to be confirmed.
func UploadPreview(ctx context.Context, server Server, mapping string, files []string, o UploadOptions) (*Preview, error) {
	preview := &Preview{}
	return preview, upload(ctx, server, "/v1/imports/previews", url.Values{"progress": {"true"}}, mapping, files, o, preview)
}

// Confirm publishes a preview.
func Confirm(ctx context.Context, server Server, id string, wait bool, progress func(Progression)) (*Result, error) {
	query := url.Values{"progress": {"true"}}
	if wait {
		query.Set("wait", "true")
	}
	body, err := server.Call(ctx, http.MethodPost, previewPath(id)+"/confirm", query, "", nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	result := &Result{}
	return result, readLines(body, progress, result)
}

// DownloadErrors copies the errors file of a preview.
func DownloadErrors(ctx context.Context, server Server, id string, to io.Writer) error {
	return download(ctx, server, previewPath(id)+"/errors.xlsx", nil, to)
}

// DownloadTemplate copies the template of the server's configuration, or with
// "yaml" its mapping; district is empty for the sender's own, or the city.
func DownloadTemplate(ctx context.Context, server Server, form, district string, to io.Writer) error {
	query := url.Values{}
	if district != "" {
		query.Set("district", district)
	}
	return download(ctx, server, "/v1/imports/template."+form, query, to)
}

func previewPath(id string) string { return "/v1/imports/previews/" + url.PathEscape(id) }

func download(ctx context.Context, server Server, path string, query url.Values, to io.Writer) error {
	body, err := server.Call(ctx, http.MethodGet, path, query, "", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.Copy(to, body); err != nil {
		return &schemas.Error{Code: schemas.Unavailable, Message: "the file did not arrive whole", Hint: "try again", Err: err}
	}
	return nil
}

func upload(ctx context.Context, server Server, path string, query url.Values, mapping string, files []string, o UploadOptions, result any) error {
	for _, path := range append([]string{mapping}, files...) {
		if err := readable(path); path != "" && err != nil {
			return err
		}
	}
	in, out := io.Pipe()
	form := multipart.NewWriter(out)
	go func() {
		out.CloseWithError(writeForm(form, mapping, files, o))
	}()
	defer in.Close() // ends the writer if the server answers early
	body, err := server.Call(ctx, http.MethodPost, path, query, form.FormDataContentType(), in)
	if err != nil {
		return err
	}
	defer body.Close()
	return readLines(body, o.Progress, result)
}

// readLines reads the lines of progress and the result at their end.
func readLines(body io.Reader, progress func(Progression), result any) error {
	lines := json.NewDecoder(body)
	for {
		var line struct {
			Progress *Progression    `json:"progress"`
			Result   json.RawMessage `json:"result"`
			Error    *schemas.Error  `json:"error"`
		}
		err := lines.Decode(&line)
		switch {
		case err != nil:
			return &schemas.Error{Code: schemas.Unavailable, Message: "the server broke off before it was done", Hint: "import the same file again: what is there already is recognised", Err: err}
		case line.Error != nil:
			return line.Error
		case line.Result != nil:
			return json.Unmarshal(line.Result, result)
		case line.Progress != nil && progress != nil:
			progress(*line.Progress)
		}
	}
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

func writeForm(form *multipart.Writer, mapping string, files []string, o UploadOptions) error {
	for _, field := range [][2]string{{"snapshot_date", o.SnapshotDate.String()}, {"district", o.District}} {
		if field[1] == "" {
			continue
		}
		if err := form.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	if mapping != "" {
		if err := writeFile(form, "mapping", mapping); err != nil {
			return err
		}
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
