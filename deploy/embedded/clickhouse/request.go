package clickhouse

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	maxURLBytes        = 1 << 20  // request line and headers together
	maxWriterStatement = 16 << 20 // text of a statement that is no INSERT with data
	maxInsertBytes     = 64 << 30 // data of one INSERT, uncompressed
	maxFormField       = 16 << 20
	maxSettings        = 256
	maxQueryID         = 256
)

// request is what an HTTP request asks for.
type request struct {
	writer   bool
	user     string
	queryID  string
	format   string // default format
	database string
	settings []setting
	params   map[string]string
	// query is the text from the URL or the form; body, uncompressed, goes on behind it.
	query string
	body  io.Reader

	sessionID      string
	sessionTimeout string
	sessionCheck   bool
	closeSession   bool

	compressBlocks  bool
	compression     string // network_compression_method
	encoding        string // Content-Encoding of the response, empty for none
	waitEndOfQuery  bool
	bufferSize      int
	protocolVersion uint64
}

// authenticate finds the user of a request. Credentials come from the headers X-ClickHouse-User and X-ClickHouse-Key,
// from basic authentication, or from the URL.
func (s *Server) authenticate(r *http.Request, query url.Values) (user string, writer bool, err error) {
	user, password := r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
	if user == "" && password == "" {
		if name, key, ok := r.BasicAuth(); ok {
			user, password = name, key
		} else {
			user, password = query.Get("user"), query.Get("password")
		}
	}
	anonymous := user == "" && password == ""
	if user == "" {
		user = readerUser
	}
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	switch {
	case user == s.config.WriterUser && same(password, s.config.WriterPassword):
		return user, true, nil
	case user != readerUser && user != AnalystUser:
	case s.config.ReaderPassword == "" && !askedByOwnName(r.Host):
		return "", false, exceptionf(codeAuthentication, "Host %q is not a name of this machine; hint: ask http://%s, or set a password for readers", r.Host[:min(len(r.Host), 100)], s.Addr())
	case s.config.ReaderPassword == "" || same(password, s.config.ReaderPassword):
		return user, false, nil
	case anonymous:
		return "", false, exceptionf(codeRequiredPassword, "%s: Authentication failed: a password is required", readerUser)
	}
	return "", false, exceptionf(codeAuthentication, "%s: Authentication failed: password is incorrect, or there is no user with such name", user)
}

// ownParameters are URL parameters that are no settings of the engine and were read before.
var ownParameters = nameSet(`query user password database default_format query_id session_id session_timeout session_check close_session
	compress decompress enable_http_compression wait_end_of_query buffer_size client_protocol_version quota_key stacktrace`)

// parseRequest reads everything but the body's data. body is the decompressed body.
func (s *Server) parseRequest(r *http.Request) (*request, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, exceptionf(codeBadArguments, "The URL cannot be read: %w", err)
	}
	q := &request{params: map[string]string{}, queryID: query.Get("query_id"), body: http.NoBody}
	if q.queryID == "" {
		q.queryID = uuid.NewString()
	}
	if len(q.queryID) > maxQueryID || strings.ContainsFunc(q.queryID, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		q.queryID = uuid.NewString()
		return q, exceptionf(codeBadArguments, "query_id is longer than %d bytes or has control characters", maxQueryID)
	}
	if q.user, q.writer, err = s.authenticate(r, query); err != nil {
		return q, err
	}
	if r.Method == http.MethodPost {
		if q.body, err = requestBody(r, query.Get("decompress") == "1"); err != nil {
			return q, err
		}
		if err := q.form(r, query); err != nil {
			return q, err
		}
	}
	q.query = query.Get("query")
	q.database = firstOf(query.Get("database"), r.Header.Get("X-ClickHouse-Database"))
	q.format = firstOf(query.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated")
	if strings.ContainsFunc(q.format, func(c rune) bool { return c >= utf8.RuneSelf || !wordByte(byte(c)) }) {
		// It becomes a part of the statement.
		return q, exceptionf(codeUnknownFormat, "Unknown format %q", q.format)
	}
	q.sessionID, q.sessionTimeout = query.Get("session_id"), query.Get("session_timeout")
	q.sessionCheck, q.closeSession = query.Get("session_check") == "1", query.Get("close_session") == "1"
	q.waitEndOfQuery = truth(query.Get("wait_end_of_query"))
	q.compressBlocks = query.Get("compress") == "1"
	q.compression = strings.ToUpper(query.Get("network_compression_method"))
	if truth(query.Get("enable_http_compression")) {
		q.encoding = chooseEncoding(r.Header.Get("Accept-Encoding"))
	}
	q.bufferSize = 1 << 20
	if n, err := strconv.Atoi(firstOf(query.Get("buffer_size"), query.Get("http_response_buffer_size"))); err == nil && n > 0 {
		q.bufferSize = min(n, 16<<20)
	}
	q.protocolVersion, _ = strconv.ParseUint(query.Get("client_protocol_version"), 10, 32)
	return q, q.readSettings(query, r.Method)
}

// readSettings takes the parameters' values and the settings out of the URL.
func (q *request) readSettings(query url.Values, method string) error {
	for name, values := range query {
		value := values[len(values)-1]
		switch parameter, isParameter := strings.CutPrefix(name, "param_"); {
		case isParameter:
			q.params[parameter] = value
		case name == "role":
			return exceptionf(codeNotImplemented, "Roles are not supported")
		case !ownParameters[name]:
			q.settings = append(q.settings, setting{name, value})
		}
	}
	if len(q.settings) > maxSettings || len(q.params) > maxSettings {
		return exceptionf(codeBadArguments, "More than %d settings or parameters", maxSettings)
	}
	sortSettings(q.settings)
	if method == http.MethodGet && q.writer && query.Get("readonly") == "" {
		// As ClickHouse does: what a GET asks for changes nothing.
		q.settings = append(q.settings, setting{"readonly", "2"})
	}
	return nil
}

// form reads a multipart form: the fields are parameters like those of the URL. Files (external tables) are refused.
func (q *request) form(r *http.Request, query url.Values) error {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		return nil
	}
	parts := multipart.NewReader(q.body, parameters["boundary"])
	q.body = http.NoBody
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return exceptionf(codeCannotReadAllData, "The form cannot be read: %w", err)
		}
		if part.FileName() != "" || !(part.FormName() == "query" || strings.HasPrefix(part.FormName(), "param_")) {
			return exceptionf(codeNotImplemented, "External tables are not supported; hint: join with a subquery or a parameter of type Array")
		}
		value, err := readAtMost(part, maxFormField)
		if err != nil {
			return err
		}
		query.Set(part.FormName(), string(value))
	}
}

// statementText reads the whole text of a statement that carries no data.
func (q *request) statementText(prefix []byte, limit int) (string, error) {
	rest, err := readAtMost(q.body, limit-min(len(prefix), limit))
	if err != nil {
		return "", err
	}
	return string(prefix) + string(rest), nil
}

func readAtMost(r io.Reader, limit int) ([]byte, error) {
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(r, int64(limit)+1)); err != nil {
		return nil, readError(err)
	}
	if b.Len() > limit {
		return nil, exceptionf(codeQueryTooLarge, "The statement or the form is larger than %d bytes; hint: only the data of an INSERT may be large", limit)
	}
	return b.Bytes(), nil
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

func truth(value string) bool { return value == "1" || strings.EqualFold(value, "true") }
