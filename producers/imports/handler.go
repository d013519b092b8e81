package imports

import (
	"bytes"
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
	// Sender tells who sends a request and what they may, or refuses it; by
	// default everybody may everything, named by producers.RemoteActor.
	Sender func(*http.Request) (Sender, error)
	// Previews serve /v1/imports/previews; without them it is not found.
	Previews *Previews
	// Idle is how long a sender may be silent, by default 60 s.
	Idle time.Duration
	// MaxFile and MaxTotal bound the bytes of one file (64 MiB) and of all
	// (128 MiB), MaxFiles their number (500).
	MaxFile, MaxTotal int64
	MaxFiles          int
}

// The types of what is sent and answered.
const (
	workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	linesType    = "application/x-ndjson"
)

// NewHandler serves /v1/imports and what is below it.
//
//	POST   /v1/imports                          imports at once; answers a Result, also when rows were refused
//	POST   /v1/imports/previews                 plans; answers 201 and a Preview
//	GET    /v1/imports/previews/{id}            the same Preview again
//	GET    /v1/imports/previews/{id}/errors.xlsx   the workbook to send back
//	POST   /v1/imports/previews/{id}/confirm    publishes exactly what was previewed; answers a Result
//	DELETE /v1/imports/previews/{id}            forgets it
//	GET    /v1/imports/template.xlsx            the workbook to fill in (?district=)
//	GET    /v1/imports/template.yaml            its mapping
//
// Files come as multipart/form-data: parts "file" (XLSX or CSV, each with its
// name), and where wanted "mapping" (YAML; else the columns are the
// template's), "snapshot_date" and "district". ?dry_run=true only tells what
// would be sent, ?wait=true answers when the ledger knows what was published. A
// bad mapping is a problem of status 422. With ?progress=true the answer is
// application/x-ndjson: a line {"progress":{…}} now and then, and at last
// {"result":…} or {"error":…}.
func NewHandler(i *Importer, o HandlerOptions) http.Handler {
	o = o.withDefaults()
	h := &handler{importer: i, HandlerOptions: o}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/imports", h.importFiles)
	mux.HandleFunc("GET /v1/imports/template.xlsx", h.template)
	mux.HandleFunc("GET /v1/imports/template.yaml", h.templateMapping)
	if o.Previews != nil {
		mux.HandleFunc("POST /v1/imports/previews", h.preview)
		mux.HandleFunc("GET /v1/imports/previews/{id}", h.showPreview)
		mux.HandleFunc("DELETE /v1/imports/previews/{id}", h.deletePreview)
		mux.HandleFunc("GET /v1/imports/previews/{id}/errors.xlsx", h.errorsFile)
		mux.HandleFunc("POST /v1/imports/previews/{id}/confirm", h.confirm)
	}
	return mux
}

func (o HandlerOptions) withDefaults() HandlerOptions {
	if o.Sender == nil {
		o.Sender = func(r *http.Request) (Sender, error) { return Sender{Actor: producers.RemoteActor(r)}, nil }
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
	return o
}

// ReadForm reads a form as POST /v1/imports does: files, and what is chosen
// beside them. The sender is left to the caller.
func ReadForm(w http.ResponseWriter, r *http.Request, o HandlerOptions) (*Request, error) {
	q, err := (&handler{HandlerOptions: o.withDefaults()}).read(w, r)
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // none may pass while the import runs
	return q, err
}

type handler struct {
	importer *Importer
	HandlerOptions
}

// importFiles serves POST /v1/imports.
func (h *handler) importFiles(w http.ResponseWriter, r *http.Request) {
	h.withFiles(w, r, http.StatusOK, func(q *Request) (any, error) { return h.importer.Run(r.Context(), *q) })
}

// withFiles reads a form and answers what is made of it.
func (h *handler) withFiles(w http.ResponseWriter, r *http.Request, status int, use func(*Request) (any, error)) {
	sender, err := h.Sender(r)
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	request, err := h.read(w, r)
	// The end of the form is known before the end of the body; no deadline may
	// pass while the import runs.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	request.Sender = sender
	h.answer(w, r, status, func(progress func(Progression)) (any, error) {
		request.Progress = progress
		return use(request)
	})
}

// answer runs the work and answers its result, with the progress if wished.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, status int, work func(func(Progression)) (any, error)) {
	wished, err := choice(r, "progress")
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	if !wished {
		result, err := work(nil)
		if err != nil {
			schemas.WriteProblem(w, err)
			return
		}
		writeJSON(w, status, result)
		return
	}
	control := http.NewResponseController(w)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	w.Header().Set("Content-Type", linesType)
	w.WriteHeader(http.StatusOK)
	say := func(line progressLine) {
		_ = lines.Encode(line) // a client that went away has nobody to tell
		_ = control.Flush()
	}
	result, err := work(func(p Progression) { say(progressLine{Progress: &p}) })
	if err != nil {
		say(progressLine{Error: problemOf(err)})
		return
	}
	say(progressLine{Result: result})
}

// progressLine is a line of an answer that tells of its progress.
type progressLine struct {
	Progress *Progression   `json:"progress,omitempty"`
	Result   any            `json:"result,omitempty"`
	Error    *schemas.Error `json:"error,omitempty"`
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_ = out.Encode(value) // a client that went away has nobody to tell
}

// choice reads a query parameter that is true or false.
func choice(r *http.Request, name string) (bool, error) {
	switch value := r.URL.Query().Get(name); value {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	default:
		return false, &schemas.Error{Code: schemas.Invalid, Message: "not a choice", Field: name, Value: schemas.Shorten(value), Hint: "write true or false"}
	}
}

func (h *handler) read(w http.ResponseWriter, r *http.Request) (q *Request, err error) {
	q = &Request{}
	if q.DryRun, err = choice(r, "dry_run"); err != nil {
		return nil, err
	}
	if q.Wait, err = choice(r, "wait"); err != nil {
		return nil, err
	}
	r.Body = producers.PatientBody(w, r, h.Idle)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Malformed, Message: "not multipart/form-data", Hint: "send parts file, and where wanted mapping", Err: err}
	}
	total := h.MaxTotal
	seen := map[string]bool{}
	for {
		part, err := parts.NextPart()
		if err == io.EOF { // a form that breaks off gives a wrapped one
			break
		}
		if err != nil {
			return nil, brokenOff(err)
		}
		name := part.FormName()
		if seen[name] && name != "file" {
			return nil, &schemas.Error{Code: schemas.Invalid, Message: "is given twice", Field: schemas.Shorten(name)}
		}
		seen[name] = true
		var text []byte
		switch name {
		case "mapping":
			q.Mapping, err = readPart(part, MaxMappingBytes)
			if err == nil && len(bytes.TrimSpace(q.Mapping)) == 0 {
				err = &schemas.Error{Code: schemas.Invalid, Message: "the mapping is empty", Field: "mapping", Hint: "leave it out to go by the template's"}
			}
		case "file":
			if len(q.Files) == h.MaxFiles {
				return nil, &schemas.Error{Code: schemas.TooLarge, Message: "too many files at once", Field: "file", Hint: "import them in several goes"}
			}
			f := File{Name: part.FileName()}
			f.Text, err = readPart(part, min(h.MaxFile, total))
			total -= int64(len(f.Text))
			q.Files = append(q.Files, f)
		case "snapshot_date":
			// A form in a browser sends the date that was left open, too.
			if text, err = readPart(part, 64); err == nil && len(text) > 0 {
				q.SnapshotDate, err = schemas.ParseDate(string(text))
			}
		case "district":
			text, err = readPart(part, 256)
			q.District = string(text)
		default:
			err = &schemas.Error{Code: schemas.Invalid, Message: "unknown part", Value: schemas.Shorten(name), Hint: "parts are file, mapping, snapshot_date and district"}
		}
		if err != nil {
			return nil, err
		}
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
