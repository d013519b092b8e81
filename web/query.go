package web

import (
	"io"
	"net/http"
	"unicode/utf8"

	"milepost/schemas"
)

// maxStatement bounds an analyst's SQL text.
const maxStatement = 256 << 10

// query answers POST /v1/query?format=… with the result of the statement in
// the body; the format is one of ClickHouse's.
func (a *api) query(w http.ResponseWriter, r *http.Request) error {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxStatement))
	if err != nil {
		return &schemas.Error{Code: schemas.TooLarge, Field: "query", Message: "the statement is too long or was cut off", Hint: "at most 256 KiB", Err: err}
	}
	if !utf8.Valid(text) {
		return &schemas.Error{Code: schemas.Malformed, Field: "query", Message: "the statement is not UTF-8"}
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		format = "PrettyCompact"
	}
	if !wordOnly(format) {
		return unknownFormat(format, "a format of ClickHouse, such as PrettyCompact, JSON, CSVWithNames")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	return a.Analyst.Query(r.Context(), w, string(text), format)
}

func wordOnly(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) <= 64
}
