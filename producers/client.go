package producers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"milepost/schemas"
)

// Bounds of one request of Client.Publish. A bounded piece is sent whole
// before its receipts are read, so neither side can wait for the other.
const (
	chunkLines = 2000
	chunkBytes = 4 << 20
)

// Client speaks to the HTTP interface of a server.
type Client struct {
	server string
	http   *http.Client
}

// NewClient makes a client of the server at a base URL such as
// http://127.0.0.1:8080; httpClient nil is http.DefaultClient.
func NewClient(server string, httpClient *http.Client) *Client {
	if httpClient == nil {
		httpClient = http.DefaultClient
	}
	return &Client{server: strings.TrimRight(server, "/"), http: httpClient}
}

// Publish sends events, one a line, and gives each its receipt, in order and
// with its line. Refused events are in their receipts; the error is about the
// way: the server cannot be reached or failed (the lines that were under way
// then have a receipt of code Unavailable, the message tells from which line
// on nothing was sent), the input cannot be read, or, with wait, the ledger
// did not know the events in time.
func (c *Client) Publish(ctx context.Context, r io.Reader, wait bool, each func(Receipt)) error {
	lines := newLineReader(r)
	var last uint64
	for done := false; !done; {
		chunk, readErr := readChunk(lines)
		done = readErr != nil
		query := url.Values{}
		if wait && done {
			query.Set("wait", "true")
			if last > 0 {
				query.Set("wait", strconv.FormatUint(last, 10))
			}
		}
		if len(chunk.numbers) > 0 || len(query) > 0 {
			seq, err := c.sendChunk(ctx, chunk, query, each)
			if err != nil {
				return notSent(err, lines.number, done)
			}
			last = max(last, seq)
		}
		if done && !errors.Is(readErr, io.EOF) {
			return &schemas.Error{Code: schemas.Malformed, Message: "the input cannot be read beyond line " + strconv.Itoa(lines.number), Err: readErr}
		}
	}
	return nil
}

func notSent(err error, line int, done bool) error {
	var e *schemas.Error
	if done || !errors.As(err, &e) {
		return err
	}
	told := *e
	told.Message += "; nothing was sent beyond line " + strconv.Itoa(line)
	return &told
}

// chunk is a piece of the input: the lines without the blank ones, and the
// number of each.
type chunk struct {
	body    bytes.Buffer
	numbers []int
}

func readChunk(lines *lineReader) (*chunk, error) {
	c := &chunk{}
	for len(c.numbers) < chunkLines && c.body.Len() < chunkBytes {
		line, number, err := lines.next()
		if err != nil {
			return c, err
		}
		c.body.Write(line)
		c.body.WriteByte('\n')
		c.numbers = append(c.numbers, number)
	}
	return c, nil
}

// sendChunk sends a piece and gives the greatest sequence of its receipts.
func (c *Client) sendChunk(ctx context.Context, chunk *chunk, query url.Values, each func(Receipt)) (last uint64, err error) {
	response, err := c.post(ctx, "/v1/events", query, "application/x-ndjson", bytes.NewReader(chunk.body.Bytes()))
	told := 0
	if err == nil {
		defer response.Body.Close()
		told, last, err = readReceipts(response.Body, chunk.numbers, each)
	}
	lost := &schemas.Error{
		Code: schemas.Unavailable, Message: "no receipt came for the line",
		Hint: "send it again: what had arrived all the same is recognised", Err: err,
	}
	if err == nil && told < len(chunk.numbers) {
		err = lost
	}
	for _, number := range chunk.numbers[told:] {
		each(Receipt{Line: number, Warnings: []schemas.Warning{}, Error: lost})
	}
	return last, err
}

func readReceipts(body io.Reader, numbers []int, each func(Receipt)) (told int, last uint64, err error) {
	decoder := json.NewDecoder(bufio.NewReader(body))
	var late error
	for {
		var receipt Receipt
		if err := decoder.Decode(&receipt); err != nil {
			if errors.Is(err, io.EOF) {
				return told, last, late
			}
			return told, last, unreachable(err)
		}
		for _, w := range receipt.Warnings {
			if w.Field == WaitField {
				late = &schemas.Error{Code: schemas.Unavailable, Message: w.Message, Hint: "ask the ledger again later"}
			}
		}
		if told == len(numbers) {
			continue
		}
		receipt.Line = numbers[told]
		told++
		last = max(last, receipt.Seq)
		each(receipt)
	}
}

// post sends a request and gives a response of status 2xx, or the server's
// error.
func (c *Client) post(ctx context.Context, path string, query url.Values, contentType string, body io.Reader) (*http.Response, error) {
	target := c.server + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, body)
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Invalid, Message: "not the address of a server", Field: "server", Value: schemas.Shorten(c.server), Hint: "write it as http://127.0.0.1:8080"}
	}
	request.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unreachable(err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, readProblem(response)
}

// Post sends a body to a path of the server and decodes the JSON answer into
// result. Its errors are *schemas.Error.
func (c *Client) Post(ctx context.Context, path string, query url.Values, contentType string, body io.Reader, result any) error {
	response, err := c.post(ctx, path, query, contentType, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(result); err != nil {
		return unreachable(err)
	}
	return nil
}

func unreachable(err error) error {
	var inside *url.Error
	if errors.As(err, &inside) {
		err = inside.Err // the address is the user's own, but may carry a password
	}
	return &schemas.Error{Code: schemas.Unavailable, Message: "the server cannot be reached", Hint: "start it with milepost serve, or name it with --server", Err: err}
}

// maxProblem bounds what is read of an error's body.
const maxProblem = 64 << 10

func readProblem(response *http.Response) error {
	var p schemas.Problem
	err := json.NewDecoder(io.LimitReader(response.Body, maxProblem)).Decode(&p)
	if err != nil || p.Error == nil || p.Code == "" {
		code := schemas.Internal
		if response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusBadGateway {
			code = schemas.Unavailable
		}
		return &schemas.Error{Code: code, Message: "the server answered " + response.Status, Hint: "check that --server is a Milepost server"}
	}
	return p.Error
}
