package clickhouse

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Codes of ClickHouse errors that the HTTP interface itself answers with; a test holds the names equal to the engine's.
const (
	codeNotImplemented     = 48
	codeSyntaxError        = 62
	codeUnknownFormat      = 73
	codeUnknownCompression = 89
	codeReadonly           = 164
	codeRequiredPassword   = 194
	codeTooManyQueries     = 202
	codeSocketTimeout      = 209
	codeQueryIDRunning     = 216
	codeQueryTooLarge      = 229
	codeAborted            = 236
	codeCannotDecompress   = 271
	codeTooManyBytes       = 307
	codeSessionNotFound    = 372
	codeSessionLocked      = 373
	codeInvalidTimeout     = 374
	codeAuthentication     = 516
	codeBadArguments       = 36
	codeCannotReadAllData  = 33
	codeUnknown            = 1002
)

var codeNames = map[int]string{
	codeNotImplemented: "NOT_IMPLEMENTED", codeSyntaxError: "SYNTAX_ERROR",
	codeUnknownFormat: "UNKNOWN_FORMAT", codeUnknownCompression: "UNKNOWN_COMPRESSION_METHOD",
	codeReadonly: "READONLY", codeRequiredPassword: "REQUIRED_PASSWORD",
	codeTooManyQueries: "TOO_MANY_SIMULTANEOUS_QUERIES", codeSocketTimeout: "SOCKET_TIMEOUT",
	codeQueryIDRunning: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", codeQueryTooLarge: "QUERY_IS_TOO_LARGE", codeAborted: "ABORTED",
	codeCannotDecompress: "CANNOT_DECOMPRESS", codeTooManyBytes: "TOO_MANY_BYTES", codeSessionNotFound: "SESSION_NOT_FOUND",
	codeSessionLocked: "SESSION_IS_LOCKED", codeInvalidTimeout: "INVALID_SESSION_TIMEOUT",
	codeAuthentication: "AUTHENTICATION_FAILED", codeBadArguments: "BAD_ARGUMENTS", codeCannotReadAllData: "CANNOT_READ_ALL_DATA",
	codeUnknown: "UNKNOWN_EXCEPTION",
}

// Exception is an error of the engine, or one that this package answers in the engine's manner.
type Exception struct {
	Code    int    // ClickHouse error code, such as 60
	Name    string // such as UNKNOWN_TABLE; found from Code when empty
	Message string // without code and name
	cause   error
}

// exceptionf makes an Exception; an error given for %w is wrapped.
func exceptionf(code int, format string, v ...any) *Exception {
	err := fmt.Errorf(format, v...)
	return &Exception{Code: code, Message: err.Error(), cause: err}
}

func (e *Exception) Unwrap() error { return e.cause }

func (e *Exception) name() string {
	if e.Name != "" {
		return e.Name
	}
	return codeNames[e.Code]
}

// Error gives the text in ClickHouse's form: Code: 60. DB::Exception: message. (UNKNOWN_TABLE).
func (e *Exception) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", e.Code, strings.TrimSuffix(e.Message, "."), e.name())
}

var engineText = regexp.MustCompile(`(?s)^(?:Error: )?Code: (\d+)\. DB::(?:[A-Za-z]*Exception: )(.*?)\.? ?(?:\(([A-Z0-9_]+)\))?\s*$`)

// parseException reads what the engine says when a statement fails.
func parseException(text string) *Exception {
	m := engineText.FindStringSubmatch(text)
	if m == nil {
		return &Exception{Code: codeUnknown, Message: text}
	}
	code, err := strconv.Atoi(m[1])
	if err != nil {
		return &Exception{Code: codeUnknown, Message: text}
	}
	message := m[2]
	// Errors that came through a second layer carry the whole text twice, with the version in the inner one.
	if inner := engineText.FindStringSubmatch(innerVersion.ReplaceAllString(message, "")); inner != nil && inner[1] == m[1] {
		message = inner[2]
	}
	name := m[3]
	if name == "" {
		name = codeNames[code]
	}
	return &Exception{Code: code, Name: name, Message: message}
}

var innerVersion = regexp.MustCompile(` \(version [^()]*(\([^()]*\))?\)$`)

// status maps the exception to the HTTP status that ClickHouse answers with.
func (e *Exception) status() int {
	name := e.name()
	switch {
	case name == "REQUIRED_PASSWORD":
		return http.StatusUnauthorized
	case name == "AUTHENTICATION_FAILED", name == "UNKNOWN_USER", name == "WRONG_PASSWORD", name == "SET_NON_GRANTED_ROLE":
		return http.StatusForbidden
	case strings.HasPrefix(name, "CANNOT_PARSE_"), badRequests[name]:
		return http.StatusBadRequest
	case notFound[name]:
		return http.StatusNotFound
	case name == "QUERY_IS_TOO_LARGE":
		return http.StatusRequestEntityTooLarge
	case name == "NOT_IMPLEMENTED":
		return http.StatusNotImplemented
	case name == "SOCKET_TIMEOUT", name == "TIMEOUT_EXCEEDED":
		return http.StatusRequestTimeout
	case name == "HTTP_LENGTH_REQUIRED":
		return http.StatusLengthRequired
	case name == "TOO_MANY_SIMULTANEOUS_QUERIES":
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

var (
	badRequests = nameSet(`UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE
		SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE INVALID_SESSION_TIMEOUT`)
	notFound = nameSet(`UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE UNKNOWN_SETTING
		UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY
		SESSION_NOT_FOUND`)
)
