package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"milepost/schemas"
)

// uploadTime bounds how long a file may take to arrive.
const uploadTime = 10 * time.Minute

// pagePath is where the pages give a file; its hash follows. Events name it.
const pagePath = "/evidence/"

// answer is a kept file, and the address that an event names it by.
type answer struct {
	File
	URI string `json:"uri"`
}

// Register adds the store's HTTP interface: POST /v1/evidence?name= takes a file
// as its body, GET /v1/evidence/{sha256} gives it back.
func (s *Store) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/evidence", s.take)
	mux.HandleFunc("GET /v1/evidence/{sha256}", s.give)
}

func (s *Store) take(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(uploadTime)) // a writer without deadlines is read without
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	// One byte more than a file may have, so that Keep says what is wrong.
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxFile+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		err = nil // Keep refuses what was read of it
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = &schemas.Error{Code: schemas.TooSlow, Message: "the body did not arrive in time", Hint: "send it again; nothing was done"}
	case err != nil:
		err = &schemas.Error{Code: schemas.Malformed, Message: "the body does not read", Hint: "send the file as it is", Err: err}
	}
	var file File
	if err == nil {
		file, err = s.Keep(r.Context(), r.URL.Query().Get("name"), content)
	}
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", "/v1/evidence/"+file.SHA256)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(answer{file, pagePath + file.SHA256}) // a client that went away has nobody to tell
}

// give answers with a file to be saved: a browser is never to open it as a page
// of this server.
func (s *Store) give(w http.ResponseWriter, r *http.Request) {
	file, content, err := s.Read(r.Context(), r.PathValue("sha256"))
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.MediaType)
	h.Set("Content-Length", fmt.Sprint(len(content)))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	h.Set("ETag", `"`+file.SHA256+`"`)
	_, _ = w.Write(content) // a client that went away has nobody to tell
}
