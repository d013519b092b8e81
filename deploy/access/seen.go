package access

import (
	"encoding/json"
	"net/http"

	"milepost/schemas"
)

// seenWriter remembers how a request was answered.
type seenWriter struct {
	http.ResponseWriter
	status int
	start  []byte
	target string
	// refused is the code of a refusal that was answered as a page.
	refused schemas.Code
}

// maxSeen is as much of an answer as holds a problem's code.
const maxSeen = 16 << 10

// WriteHeader remembers the status.
func (s *seenWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write remembers the beginning of an error.
func (s *seenWriter) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	if s.status >= 400 && len(s.start) < maxSeen {
		s.start = append(s.start, p[:min(len(p), maxSeen-len(s.start))]...)
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *seenWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// code gives the code of a problem that was answered.
func (s *seenWriter) code() schemas.Code {
	if s.refused != "" {
		return s.refused
	}
	var e schemas.Error
	if s.status < 400 || json.Unmarshal(s.start, &e) != nil {
		return ""
	}
	return e.Code
}
