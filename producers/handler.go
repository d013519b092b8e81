package producers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"milepost/schemas"
)

// Applied tells when the ledger knows an event.
type Applied interface {
	// WaitApplied returns once the applied watermark has reached seq, or with
	// an error when ctx ends.
	WaitApplied(ctx context.Context, seq uint64) error
}

// HandlerOptions tune NewHandler; the zero value is fine.
type HandlerOptions struct {
	// Applied serves ?wait; without it, wait is answered as not available.
	Applied Applied
	// Actor names who sends a request, by default RemoteActor.
	Actor func(*http.Request) string
	// Admit says what the sender of a request may send; nil is everything.
	Admit func(*http.Request) Admission
	// Done hears what became of the events of a request, after its last one.
	Done func(*http.Request, Tally)
	// Idle is how long a sender may be silent, by default 60 s.
	Idle time.Duration
	// Whole is how long a single event or a list may take to arrive, by
	// default 5 minutes; lines may take for ever, as long as they come.
	Whole time.Duration
	// WaitLimit is how long ?wait waits for the ledger, by default 60 s.
	WaitLimit time.Duration
	// MaxBody bounds the bytes of a stream of lines (by default 1 GiB), and
	// MaxBatch those of a JSON list (by default 32 MiB).
	MaxBody, MaxBatch int64
}

type handler struct {
	publisher *Publisher
	HandlerOptions
}

// NewHandler serves POST /v1/events. One event (application/json,
// application/cloudevents+json) is answered with its receipt: 201, or 200 when
// the stream had it, or a problem when it was refused. Events one a line
// (application/x-ndjson, text/plain or no type) are answered with 200 and a
// receipt a line, in order and while the body still arrives; a list
// (application/cloudevents-batch+json) with a list of receipts. ?wait=true
// answers only when the ledger knows what was published; ?wait=SEQ waits for
// that sequence too.
func NewHandler(p *Publisher, o HandlerOptions) http.Handler {
	if o.Actor == nil {
		o.Actor = RemoteActor
	}
	if o.Idle <= 0 {
		o.Idle = time.Minute
	}
	if o.Whole <= 0 {
		o.Whole = 5 * time.Minute
	}
	if o.WaitLimit <= 0 {
		o.WaitLimit = time.Minute
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 30
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 32 << 20
	}
	return &handler{publisher: p, HandlerOptions: o}
}

// RemoteActor names the sender of a request as the server knows it
// (schemas.PrincipalOf), else by the address: "http:192.0.2.7".
func RemoteActor(r *http.Request) string {
	if p := schemas.PrincipalOf(r.Context()); p != nil {
		return p.Actor()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return "http:" + host
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, &schemas.Error{Code: schemas.Invalid, Message: "events are sent with POST", Value: r.Method})
		return
	}
	wait, err := parseWait(r.URL.Query().Get("wait"))
	if err != nil {
		writeError(w, err)
		return
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		refuse(w, http.StatusUnsupportedMediaType, &schemas.Error{Code: schemas.Invalid, Message: "the body is compressed", Field: "Content-Encoding", Value: schemas.Shorten(coding), Hint: "send it plain"})
		return
	}
	control := http.NewResponseController(w)
	body := PatientBody(w, r, h.Idle)
	whole := &patientReader{ReadCloser: r.Body, control: control, idle: h.Idle, end: time.Now().Add(h.Whole)}
	switch kind := mediaType(r.Header.Get("Content-Type")); kind {
	case "application/json", "application/cloudevents+json":
		h.one(w, r, whole, wait)
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		h.lines(w, r, control, body, wait)
	case "application/cloudevents-batch+json":
		h.list(w, r, whole, wait)
	case "text/plain", "application/octet-stream", "":
		// Without a telling type one document is an event, all else is lines.
		peeked := bufio.NewReaderSize(body, lineLimit)
		start, err := peeked.Peek(lineLimit)
		if errors.Is(err, io.EOF) && isDocument(start) {
			h.one(w, r, peeked, wait)
			return
		}
		h.lines(w, r, control, peeked, wait)
	default:
		refuse(w, http.StatusUnsupportedMediaType, &schemas.Error{
			Code: schemas.Invalid, Message: "no kind of events", Field: "Content-Type", Value: schemas.Shorten(kind),
			Hint: "send application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson",
		})
	}
}

func (h *handler) admission(r *http.Request) Admission {
	if h.Admit == nil {
		return nil
	}
	return h.Admit(r)
}

func (h *handler) done(r *http.Request, tally Tally) {
	if h.Done != nil {
		h.Done(r, tally)
	}
}

func mediaType(header string) string {
	if kind, _, err := mime.ParseMediaType(header); err == nil {
		return kind
	}
	return header
}

func isDocument(text []byte) bool {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	return len(text) > 0 && text[0] == '{' && json.Valid(text)
}

// waiting is what ?wait asks for.
type waiting struct {
	asked bool
	atSeq uint64
}

func parseWait(value string) (waiting, error) {
	switch value {
	case "", "false":
		return waiting{}, nil
	case "true":
		return waiting{asked: true}, nil
	}
	seq, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return waiting{}, &schemas.Error{Code: schemas.Invalid, Message: "not a wish to wait", Field: "wait", Value: schemas.Shorten(value), Hint: "write true, false or a sequence"}
	}
	return waiting{asked: true, atSeq: seq}, nil
}

// WaitField is the field of the warning in the last receipt that says that
// the ledger did not know the events in the time given.
const WaitField = "wait"

// await waits for the ledger and gives a warning when that fails: the events
// are published all the same.
func (h *handler) await(ctx context.Context, wait waiting, last uint64) []schemas.Warning {
	last = max(last, wait.atSeq)
	if !wait.asked || last == 0 {
		return nil
	}
	if h.Applied == nil {
		return []schemas.Warning{{Field: WaitField, Message: "published, but this server does not know when the ledger has it"}}
	}
	ctx, cancel := context.WithTimeout(ctx, h.WaitLimit)
	defer cancel()
	if err := h.Applied.WaitApplied(ctx, last); err != nil {
		return []schemas.Warning{{Field: WaitField, Message: "published, but not yet in the ledger"}}
	}
	return nil
}

// one serves a single event.
func (h *handler) one(w http.ResponseWriter, r *http.Request, body io.Reader, wait waiting) {
	raw, err := io.ReadAll(io.LimitReader(body, lineLimit+1))
	if err != nil {
		writeError(w, cutShort(err))
		return
	}
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff")))
	if len(raw) > schemas.MaxEventBytes {
		writeError(w, tooLarge())
		return
	}
	var receipt Receipt
	var tally Tally
	for receipt = range h.publisher.Publish(r.Context(), slices.Values([]Submission{{Raw: raw, Admit: h.admission(r)}}), h.Actor(r)) {
		tally.Count(receipt)
	}
	h.done(r, tally)
	if receipt.Error != nil {
		writeError(w, receipt.Error)
		return
	}
	receipt.Warnings = append(receipt.Warnings, h.await(r.Context(), wait, receipt.Seq)...)
	status := http.StatusCreated
	if receipt.Duplicate {
		status = http.StatusOK
	}
	writeJSON(w, status, receipt)
}

// list serves a CloudEvents batch.
func (h *handler) list(w http.ResponseWriter, r *http.Request, body io.Reader, wait waiting) {
	limited := &io.LimitedReader{R: body, N: h.MaxBatch + 1}
	receipts := []Receipt{}
	var tally Tally
	var last uint64
	for receipt := range h.publisher.Publish(r.Context(), Admitted(listSubmissions(limited), h.admission(r)), h.Actor(r)) {
		receipts = append(receipts, receipt)
		tally.Count(receipt)
		last = max(last, receipt.Seq)
	}
	h.done(r, tally)
	if len(receipts) > 0 {
		end := &receipts[len(receipts)-1]
		end.Warnings = append(end.Warnings, h.await(r.Context(), wait, last)...)
	}
	writeJSON(w, http.StatusOK, receipts)
}

// listSubmissions reads the events of a JSON list; their lines are their
// numbers, from 1.
func listSubmissions(body *io.LimitedReader) iter.Seq[Submission] {
	return func(yield func(Submission) bool) {
		decoder := json.NewDecoder(body)
		bad := func(number int, err error) {
			refused := cutShort(err)
			switch {
			case body.N <= 0:
				refused = &schemas.Error{Code: schemas.TooLarge, Message: "the list is too large; from here on nothing was read", Hint: "send application/x-ndjson, or several lists"}
			case errors.Is(err, errNoList) || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !isReadError(err):
				refused = &schemas.Error{Code: schemas.Malformed, Message: "not a JSON list of events; from here on nothing was read", Hint: "send [{…}, {…}]", Err: err}
			}
			yield(Submission{Line: number, Refused: refused})
		}
		switch token, err := decoder.Token(); {
		case err != nil:
			bad(1, err)
			return
		case token != json.Delim('['):
			bad(1, errNoList)
			return
		}
		number := 0
		for decoder.More() {
			number++
			var raw json.RawMessage
			if err := decoder.Decode(&raw); err != nil {
				bad(number, err)
				return
			}
			if !yield(lineSubmission(raw, number)) {
				return
			}
		}
		if _, err := decoder.Token(); err != nil {
			bad(number+1, err)
			return
		}
		// Whoever sends more behind the list means it, and must not believe that it came.
		if _, err := decoder.Token(); err == nil {
			bad(number+1, errNoList)
		} else if !errors.Is(err, io.EOF) {
			bad(number+1, err)
		}
	}
}

// errNoList says that a body is not one list.
var errNoList = errors.New("not one list")

func isReadError(err error) bool {
	var syntax *json.SyntaxError
	return !errors.As(err, &syntax)
}

// cutShort says that a body ended before its time, or did not come in time.
func cutShort(err error) *schemas.Error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &schemas.Error{
			Code: schemas.TooSlow, Message: "the rest of the body did not come in time; from here on nothing was read",
			Hint: "send the rest, or all of it, again: what is there already is recognised", Err: err,
		}
	}
	return &schemas.Error{
		Code: schemas.Malformed, Message: "the body broke off; from here on nothing was read",
		Hint: "send the rest, or all of it, again: what is there already is recognised", Err: err,
	}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that went away has nobody to tell
}

// PatientBody gives the body of a request whose sender has a fresh spell for
// every piece that it sends, however long the whole takes.
func PatientBody(w http.ResponseWriter, r *http.Request, idle time.Duration) io.ReadCloser {
	return &patientReader{ReadCloser: r.Body, control: http.NewResponseController(w), idle: idle}
}

type patientReader struct {
	io.ReadCloser
	control *http.ResponseController
	idle    time.Duration
	end     time.Time // of all patience; zero is never
}

func (p *patientReader) Read(b []byte) (int, error) {
	deadline := time.Now().Add(p.idle)
	if !p.end.IsZero() && p.end.Before(deadline) {
		deadline = p.end
	}
	// A writer without deadlines (in a test, say) is read without them.
	_ = p.control.SetReadDeadline(deadline)
	n, err := p.ReadCloser.Read(b)
	if errors.Is(err, io.EOF) {
		// The server goes on listening for the sender to hang up; a deadline
		// that passes then would end the request. After any other error the
		// deadline stays, so that nothing waits for the rest.
		_ = p.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
