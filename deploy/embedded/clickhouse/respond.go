package clickhouse

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// writeTimeout bounds how long a client may take to accept a piece of a response.
const writeTimeout = 60 * time.Second

// exceptionGrace is how long a connection stays open behind an exception in mid-stream.
const exceptionGrace = 3 * time.Second

// responder writes a response. It keeps the first bytes back until the buffer is full or the result is complete, so
// that an exception before that still gets its own HTTP status.
type responder struct {
	server  *Server
	http    http.ResponseWriter
	control *http.ResponseController
	gone    <-chan struct{} // closed when the client went away
	request *request

	format  string
	held    []byte
	spilled *os.File // what a wait_end_of_query response has beyond the buffer
	sent    bool     // the headers are out
	encoder flushWriter
	out     io.Writer
	tag     string
	failed  error // the client is gone
}

func (s *Server) newResponder(w http.ResponseWriter, r *http.Request) *responder {
	return &responder{server: s, http: w, control: http.NewResponseController(w), gone: r.Context().Done()}
}

// Write takes the next bytes of the result.
func (r *responder) Write(p []byte) (int, error) {
	if r.failed != nil {
		return 0, r.failed
	}
	switch {
	case r.sent:
		return len(p), r.forward(p)
	case r.spilled == nil && len(r.held)+len(p) <= r.request.bufferSize:
		r.held = append(r.held, p...)
		return len(p), nil
	case r.request.waitEndOfQuery:
		return len(p), r.spill(p)
	}
	r.sendHeaders(http.StatusOK, summary{})
	if err := r.forward(r.held); err != nil {
		return 0, err
	}
	r.held = nil
	return len(p), r.forward(p)
}

func (r *responder) spill(p []byte) error {
	if r.spilled == nil {
		f, err := os.CreateTemp(r.server.temporary, "response-")
		if err != nil {
			return err
		}
		// The name goes at once; the file goes with its descriptor.
		if err := os.Remove(f.Name()); err != nil {
			return err
		}
		r.spilled = f
	}
	_, err := r.spilled.Write(p)
	return err
}

func (r *responder) forward(p []byte) error {
	_ = r.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // a ResponseWriter without deadlines has none to keep
	if _, err := r.out.Write(p); err != nil {
		r.failed = err
		return err
	}
	return nil
}

func (r *responder) flush() error {
	if err := r.encoder.Flush(); err != nil {
		return err
	}
	return r.control.Flush()
}

// start names the format before the result comes.
func (r *responder) start(format string) { r.format = format }

func (r *responder) commonHeaders() http.Header {
	h := r.http.Header()
	h.Set("X-ClickHouse-Server-Display-Name", displayName)
	h.Set("X-ClickHouse-Timezone", timezone)
	if r.request != nil {
		h.Set("X-ClickHouse-Query-Id", r.request.queryID)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	return h
}

func (r *responder) sendHeaders(status int, sum summary) {
	h := r.commonHeaders()
	h.Set("Content-Type", contentType(r.format))
	if r.format != "" {
		h.Set("X-ClickHouse-Format", r.format)
	}
	h.Set("X-ClickHouse-Summary", sum.header())
	r.tag = strings.ToLower(rand.Text()[:16])
	h.Set("X-ClickHouse-Exception-Tag", r.tag)
	if r.request.encoding != "" {
		h.Set("Content-Encoding", r.request.encoding)
		h.Set("Vary", "Accept-Encoding")
	}
	r.http.WriteHeader(status)
	r.sent = true
	encoder, err := encodingWriter(r.http, r.request.encoding)
	if err != nil { // no encoder of ours refuses its level
		encoder = plainWriter{r.http}
	}
	r.encoder, r.out = encoder, encoder
	if r.request.compressBlocks {
		r.out = newBlockWriter(encoder, r.request.compression)
	}
}

// finish ends a response that succeeded.
func (r *responder) finish(sum summary) error {
	if r.failed != nil {
		return r.failed
	}
	if !r.sent {
		if len(r.held) == 0 && r.spilled == nil && r.request.encoding == "" {
			r.http.Header().Set("Content-Length", "0")
		}
		r.sendHeaders(http.StatusOK, sum)
		if len(r.held) > 0 {
			if err := r.forward(r.held); err != nil {
				return err
			}
		}
		if err := r.sendSpilled(); err != nil {
			return err
		}
	}
	return r.encoder.Close()
}

func (r *responder) sendSpilled() error {
	if r.spilled == nil {
		return nil
	}
	if _, err := r.spilled.Seek(0, io.SeekStart); err != nil {
		return err
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := r.spilled.Read(buffer)
		if n > 0 {
			if err := r.forward(buffer[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// reset forgets what was held back, before a statement runs once more.
func (r *responder) reset() {
	r.held = nil
	r.release()
}

func (r *responder) release() {
	if r.spilled != nil {
		_ = r.spilled.Close() // a file without a name: nothing is lost
		r.spilled = nil
	}
}

// fail answers with an exception. Once the headers are out it ends the response in ClickHouse's way: a block that
// clients look for, and then a connection that breaks before the body's end.
func (r *responder) fail(e *Exception) {
	text := e.Error() + " (version " + r.server.version() + " (milepost embedded))"
	if !r.sent {
		h := r.commonHeaders()
		h.Set("Content-Type", "text/plain; charset=UTF-8")
		h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.Code))
		body := text + "\n"
		h.Set("Content-Length", strconv.Itoa(len(body)))
		h.Del("Content-Encoding")
		status := e.status()
		if status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", `Basic realm="ClickHouse server HTTP API"`)
		}
		r.http.WriteHeader(status)
		r.sent = true
		_, _ = io.WriteString(r.http, body) // the client may be gone: nobody to tell
		return
	}
	if r.failed == nil {
		block := fmt.Sprintf("\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", r.tag, text, len(text)+1, r.tag)
		// Some clients look for the whole block in one piece: it goes out apart from what stands before it.
		if r.flush() == nil && r.forward([]byte(block)) == nil && r.flush() == nil {
			// Some clients throw away what they have not read yet when the connection breaks: give them time to read the
			// block. One that understood it goes away at once.
			grace := time.NewTimer(exceptionGrace)
			defer grace.Stop()
			select {
			case <-r.gone:
			case <-grace.C:
			}
		}
	}
	panic(http.ErrAbortHandler) // net/http's way to break the connection; it logs nothing
}

func (s summary) header() string {
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"0","result_rows":"%d","result_bytes":"%d","elapsed_ns":"%d"}`,
		s.rowsRead, s.bytesRead, s.rowsWritten, s.bytesWritten, s.resultRows, s.resultBytes, int64(s.elapsedSeconds*1e9))
}

// contentType is what ClickHouse says of a format.
func contentType(format string) string {
	if binary, ok := binaryTypes[format]; ok {
		return binary
	}
	switch {
	case strings.Contains(format, "EachRow"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		header := "absent"
		if strings.Contains(format, "WithNames") {
			header = "present"
		}
		return "text/csv; charset=UTF-8; header=" + header
	case strings.HasPrefix(format, "TSV"), strings.HasPrefix(format, "TabSeparated"):
		return "text/tab-separated-values; charset=UTF-8"
	case format == "XML":
		return "application/xml; charset=UTF-8"
	case format == "Markdown":
		return "text/markdown; charset=UTF-8"
	}
	return "text/plain; charset=UTF-8"
}

var binaryTypes = map[string]string{
	"Native": "application/octet-stream", "RowBinary": "application/octet-stream", "RowBinaryWithNames": "application/octet-stream",
	"RowBinaryWithNamesAndTypes": "application/octet-stream", "Parquet": "application/octet-stream", "ORC": "application/octet-stream",
	"Arrow": "application/octet-stream", "ArrowStream": "application/octet-stream", "Avro": "application/octet-stream",
	"MsgPack": "application/octet-stream", "BSONEachRow": "application/octet-stream", "Npy": "application/octet-stream",
	"Protobuf": "application/octet-stream", "CapnProto": "application/octet-stream", "RawBLOB": "application/octet-stream",
}
