package imports

import (
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"milepost/producers"
	"milepost/schemas"
)

// HandlerOptions tune NewHandler; the zero value is fine.
type HandlerOptions struct {
	// Actor names who sends a request, by default producers.RemoteActor.
	Actor func(*http.Request) string
	// Idle is how long a sender may be silent, by default 60 s.
	Idle time.Duration
	// MaxFile and MaxTotal bound the bytes of one file (64 MiB) and of all
	// (128 MiB), MaxFiles their number (500).
	MaxFile, MaxTotal int64
	MaxFiles          int
}

// NewHandler serves POST /v1/imports: multipart/form-data with one part
// "mapping" (YAML) and parts "file" (CSV, each with its file name), optionally
// "snapshot_date". ?dry_run=true only tells what would be sent, ?wait=true
// answers when the ledger knows what was published. The answer is a Result, also
// when rows were refused; a bad mapping is a problem of status 422.
func NewHandler(i *Importer, o HandlerOptions) http.Handler {
	if o.Actor == nil {
		o.Actor = producers.RemoteActor
	}
	if o.Idle <= 0 {
		o.Idle = time.Minute
	}
	if o.MaxFile <= 0 {
		o.MaxFile = 64 << 20
	}
	if o.MaxTotal <= 0 {
		o.MaxTotal = 128 << 20
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = 500
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		request, err := o.read(w, r)
		// The end of the form is known before the end of the body; no deadline
		// may pass while the import runs.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		if err != nil {
			schemas.WriteProblem(w, err)
			return
		}
		request.Actor = o.Actor(r)
		result, err := i.Run(r.Context(), *request)
		if err != nil {
			schemas.WriteProblem(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result) // a client that went away has nobody to tell
	})
}

func (o *HandlerOptions) read(w http.ResponseWriter, r *http.Request) (*Request, error) {
	q := &Request{}
	for _, option := range []struct {
		name string
		into *bool
	}{{"dry_run", &q.DryRun}, {"wait", &q.Wait}} {
		switch value := r.URL.Query().Get(option.name); value {
		case "true":
			*option.into = true
		case "", "false":
		default:
			return nil, &schemas.Error{Code: schemas.Invalid, Message: "not a choice", Field: option.name, Value: schemas.Shorten(value), Hint: "write true or false"}
		}
	}
	r.Body = producers.PatientBody(w, r, o.Idle)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Malformed, Message: "not multipart/form-data", Hint: "send parts mapping and file", Err: err}
	}
	total := o.MaxTotal
	mapped := false
	for {
		part, err := parts.NextPart()
		if err == io.EOF { // a form that breaks off gives a wrapped one
			break
		}
		if err != nil {
			return nil, brokenOff(err)
		}
		switch name := part.FormName(); name {
		case "mapping":
			if mapped {
				return nil, &schemas.Error{Code: schemas.Invalid, Message: "there are two mappings", Field: "mapping"}
			}
			mapped = true
			q.Mapping, err = readPart(part, MaxMappingBytes)
		case "file":
			if len(q.Files) == o.MaxFiles {
				return nil, &schemas.Error{Code: schemas.TooLarge, Message: "too many files at once", Field: "file", Hint: "import them in several goes"}
			}
			f := File{Name: part.FileName()}
			f.Text, err = readPart(part, min(o.MaxFile, total))
			total -= int64(len(f.Text))
			q.Files = append(q.Files, f)
		case "snapshot_date":
			var text []byte
			if text, err = readPart(part, 64); err == nil {
				q.SnapshotDate, err = schemas.ParseDate(string(text))
			}
		default:
			err = &schemas.Error{Code: schemas.Invalid, Message: "unknown part", Value: schemas.Shorten(name), Hint: "parts are mapping, file and snapshot_date"}
		}
		if err != nil {
			return nil, err
		}
	}
	if !mapped {
		return nil, &schemas.Error{Code: schemas.Invalid, Message: "the mapping is missing", Field: "mapping", Hint: "name it with --mapping"}
	}
	return q, nil
}

func readPart(part *multipart.Part, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, brokenOff(err)
	}
	if int64(len(text)) > limit {
		return nil, &schemas.Error{
			Code: schemas.TooLarge, Message: "too large to import at once", Field: part.FormName(), Value: schemas.Shorten(part.FileName()),
			Hint: "import fewer or smaller files at a time",
		}
	}
	return text, nil
}

func brokenOff(err error) error {
	return &schemas.Error{Code: schemas.Malformed, Message: "the request broke off", Hint: "send it again; nothing was published", Err: err}
}
