package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"milepost/schemas"
)

// client asks a running server.
type client struct {
	base string
	http *http.Client
}

func newClient(address string, with *http.Client) (*client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError("--server", address, "not a server address", "write http://host:port")
	}
	return &client{base: strings.TrimSuffix(u.String(), "/"), http: with}, nil
}

func (c *client) get(ctx context.Context, path string, values url.Values) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodGet, path, values, "", nil)
}

func (c *client) post(ctx context.Context, path string, values url.Values, contentType string, body io.Reader) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodPost, path, values, contentType, body)
}

// do gives the body of a good answer, and the server's own error otherwise.
func (c *client) do(ctx context.Context, method, path string, values url.Values, contentType string, body io.Reader) (io.ReadCloser, error) {
	target := c.base + path
	if len(values) > 0 {
		target += "?" + values.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.send(request)
	if err != nil {
		return nil, c.silent(err)
	}
	if response.StatusCode < 300 {
		return response.Body, nil
	}
	defer response.Body.Close()
	return nil, problemOf(response)
}

// How often, and how long at most each time, a command waits for a server that
// has too much to do.
const (
	maxBusyTries = 5
	maxBusyWait  = 30 * time.Second
)

// send asks again while the server has too much to do, when it says, unless that
// is too far away or the body can be read but once.
func (c *client) send(request *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		response, err := c.http.Do(request)
		if err != nil || response.StatusCode != http.StatusTooManyRequests || try == maxBusyTries || request.Body != nil && request.GetBody == nil {
			return response, err
		}
		wait := busyWait(response.Header.Get("Retry-After"))
		if wait > maxBusyWait {
			return response, nil
		}
		// The rest of the answer is read so that the connection serves again.
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
		response.Body.Close()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-request.Context().Done():
			timer.Stop()
			return nil, request.Context().Err()
		}
		if request.GetBody != nil {
			if request.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// busyWait reads the seconds of Retry-After; what it does not say is one.
func busyWait(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 32)
	if err != nil {
		return time.Second
	}
	return time.Duration(seconds) * time.Second
}

// silent says that no answer came, and why.
func (c *client) silent(err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		err = cause
	}
	return &schemas.Error{Code: schemas.Unavailable, Field: "--server", Value: c.base, Message: "the server does not answer", Hint: "start it with milepost serve, or name it by --server or MILEPOST_SERVER", Err: err}
}

func problemOf(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err == nil && strings.HasPrefix(response.Header.Get("Content-Type"), "application/problem+json") {
		var e schemas.Error
		if json.Unmarshal(text, &e) == nil && e.Message != "" {
			return &e
		}
	}
	return &schemas.Error{Code: schemas.Internal, Message: "the server answered " + response.Status, Value: schemas.Shorten(strings.TrimSpace(string(text))), Hint: "is this a Milepost server of the same version?"}
}
