package pages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"milepost/schemas"
)

// StoredFile is what is known of a file of evidence.
type StoredFile struct {
	SHA256, Name, MediaType string
	Size                    int64
}

// Evidence keeps the files that prove milestones (佐证材料), each under the
// SHA-256 of its content.
type Evidence interface {
	// Keep keeps a file; it tells what it is by its content.
	Keep(ctx context.Context, name string, content []byte) (StoredFile, error)
	// Find tells what is known of a file, with the code not_found for none.
	Find(ctx context.Context, sum string) (StoredFile, error)
	// Read gives a file with its content.
	Read(ctx context.Context, sum string) (StoredFile, []byte, error)
}

// evidencePath is where a file is; its hash follows.
const evidencePath = "/evidence/"

// Bounds of the files of one form.
const (
	maxEvidenceFiles = 10
	maxFormBytes     = 64 << 20
	formMemory       = 8 << 20
	uploadTime       = 10 * time.Minute
)

const evidenceHint = "PDF、OFD、JPG、PNG、DOCX、XLSX，每份不超过 20 MB，最多 10 份；不作病毒扫描，打开前请留意"

// upload is a file as it came.
type upload struct {
	name    string
	content []byte
}

// readFiles reads a form, with its files where it carries some.
func readFiles(w http.ResponseWriter, r *http.Request) ([]upload, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(uploadTime)) // a writer without deadlines is read without
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "multipart/form-data" {
		if err := r.ParseForm(); err != nil {
			return nil, badForm(err)
		}
		return nil, nil
	}
	if err := r.ParseMultipartForm(formMemory); err != nil {
		return nil, badForm(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }() // what stays is swept with the system's temporary files
	var files []upload
	for _, part := range r.MultipartForm.File["files"] {
		if part.Filename == "" && part.Size == 0 {
			continue // nothing was chosen
		}
		if len(files) == maxEvidenceFiles {
			return nil, &schemas.Error{Code: schemas.TooLarge, Field: "evidence", Message: "too many files at once", Hint: "send at most 10"}
		}
		file, err := part.Open()
		if err != nil {
			return nil, fmt.Errorf("a form's file does not open: %w", err)
		}
		content, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("a form's file does not read: %w", err)
		}
		files = append(files, upload{part.Filename, content})
	}
	return files, nil
}

func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &schemas.Error{Code: schemas.TooLarge, Message: "the body is too large", Hint: "send it in several goes"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &schemas.Error{Code: schemas.TooSlow, Message: "the body did not arrive in time", Hint: "send it again; nothing was done"}
	}
	return &schemas.Error{Code: schemas.Malformed, Message: "the form does not read", Hint: "send it again from its page", Err: err}
}

// keepFiles keeps the files of a form, and finds those that it kept when it was
// sent before and refused.
func (p *Pages) keepFiles(r *http.Request, files []upload) ([]StoredFile, error) {
	var kept []StoredFile
	for _, sum := range r.Form["kept"] {
		if len(kept) == maxEvidenceFiles || p.Evidence == nil {
			break
		}
		file, err := p.Evidence.Find(r.Context(), sum)
		if err != nil {
			return kept, err
		}
		kept = append(kept, file)
	}
	for _, one := range files {
		if p.Evidence == nil {
			return kept, &schemas.Error{Code: schemas.Unavailable, Message: "this process keeps no files", Hint: "give an address instead"}
		}
		if len(kept) == maxEvidenceFiles {
			return kept, &schemas.Error{Code: schemas.TooLarge, Field: "evidence", Message: "too many files at once", Hint: "send at most 10"}
		}
		file, err := p.Evidence.Keep(r.Context(), one.name, one.content)
		if err != nil {
			return kept, err
		}
		kept = append(kept, file)
	}
	return kept, nil
}

// evidence answers GET /evidence/{sha256} with a file to be saved: a browser is
// never to open it as a page of this server.
func (p *Pages) evidence(w http.ResponseWriter, r *http.Request) error {
	if p.Evidence == nil {
		return &schemas.Error{Code: schemas.NotFound, Field: "sha256", Message: "no such file", Hint: "the project's page lists its evidence"}
	}
	file, content, err := p.Evidence.Read(r.Context(), r.PathValue("sha256"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", file.MediaType)
	h.Set("Content-Length", fmt.Sprint(len(content)))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	h.Set("ETag", `"`+file.SHA256+`"`)
	_, _ = w.Write(content) // a browser that went away has nobody to tell
	return nil
}

// linkOf gives the address of a proof that a page may lead to, empty for one
// that is only to be read.
func linkOf(uri string) string {
	if sum, ok := strings.CutPrefix(uri, evidencePath); ok && len(sum) == 64 && !strings.ContainsAny(sum, "/?#.") {
		return uri
	}
	if strings.HasPrefix(uri, "https://") || strings.HasPrefix(uri, "http://") {
		return uri
	}
	return ""
}

// megabytes says a size.
func megabytes(size int64) string {
	if size < 1<<20 {
		return fmt.Sprintf("%d KB", (size+1023)/1024)
	}
	return fmt.Sprintf("%.1f MB", float64(size)/(1<<20))
}
