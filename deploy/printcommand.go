package deploy

import (
	"io"
	"net/url"
)

// printDraftOrEdition prints what the server answers at the path: to a GET with
// a draft as known, to a POST with the edition that it publishes or has
// published.
func (s server) printDraftOrEdition(env *environment, path, format, known string, publish bool) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	values := url.Values{"format": {format}}
	setIf(values, "known", known)
	var body io.ReadCloser
	if publish {
		body, err = client.post(env.ctx, path, values, "", nil)
	} else {
		body, err = client.get(env.ctx, path, values)
	}
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(env.streams.Out, body)
	return err
}
