package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"milepost/scheduler/render/formats"
	"milepost/schemas"
)

// printed are the flags of commands that print documents.
type printed struct {
	Format []string `default:"json" sep:"," help:"html, pdf, docx, xlsx, md, json; several with commas need --out."`
	Out    string   `help:"Write files into this folder instead of standard output." placeholder:"DIR" type:"path"`
}

// printing is what the server is asked for, and the name of its files.
type printing struct {
	path, name, edition, known string
	publish                    bool
}

// print prints what the server answers at the path: to a GET with a draft as
// known, to a POST with the edition that it publishes or has published. The
// forms of one draft are all of the same S.
func (c *printed) print(env *environment, s server, p printing) error {
	for i, format := range c.Format {
		if !formats.Known(format) {
			return usageError("--format", schemas.Shorten(format), "no such format", "choose of "+strings.Join(formats.All(), ", "))
		}
		if slices.Contains(c.Format[:i], format) {
			return usageError("--format", format, "the format stands there twice", "name each once")
		}
	}
	if c.Out == "" && len(c.Format) != 1 {
		return usageError("--format", strings.Join(c.Format, ","), "several formats need a folder", "name one by --out")
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	if p.known == "" && !p.publish && len(c.Format) > 1 {
		if p.known, err = watermark(env, client); err != nil {
			return err
		}
	}
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o755); err != nil {
			return usageError("--out", c.Out, "cannot make the folder", err.Error())
		}
	}
	for _, format := range c.Format {
		if err := c.one(env, client, p, format); err != nil {
			return err
		}
	}
	return nil
}

// one prints one form.
func (c *printed) one(env *environment, client *client, p printing, format string) (err error) {
	values := url.Values{"format": {format}}
	setIf(values, "known", p.known)
	setIf(values, "edition", p.edition)
	var body io.ReadCloser
	if p.publish {
		body, err = client.post(env.ctx, p.path, values, "", nil)
	} else {
		body, err = client.get(env.ctx, p.path, values)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if c.Out == "" {
		_, err = io.Copy(env.streams.Out, body)
		return err
	}
	path := filepath.Join(c.Out, p.name+"."+format)
	if err := writeWhole(path, body); err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.streams.Out, path)
	return err
}

// watermark asks the server for the sequence up to which everything is applied.
func watermark(env *environment, client *client) (string, error) {
	body, err := client.get(env.ctx, "/v1/watermark", nil)
	if err != nil {
		return "", err
	}
	defer body.Close()
	var answer struct {
		KnownSeq uint64 `json:"known_seq"`
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return "", fmt.Errorf("the server's watermark does not read: %w", err)
	}
	return strconv.FormatUint(answer.KnownSeq, 10), nil
}

// writeWhole puts the content at the path when all of it is there: a file that
// was there before stays until then.
func writeWhole(path string, content io.Reader) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".milepost-*")
	if err != nil {
		return usageError("--out", filepath.Dir(path), "cannot write into the folder", err.Error())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = io.Copy(file, content)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.Rename(file.Name(), path)
}
