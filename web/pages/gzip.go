package pages

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// leastZipped is from how many bytes a page is worth compressing.
const leastZipped = 1 << 10

// zippers are kept because each holds much memory.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// acceptsGzip tells whether a browser takes compressed answers.
func acceptsGzip(r *http.Request) bool {
	for _, one := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") && strings.ReplaceAll(weight, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// pageWriter is the answer to a request for a page.
type pageWriter struct {
	http.ResponseWriter
	request *http.Request
}

// Unwrap lets http.ResponseController reach the connection.
func (w *pageWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// secretive is content with a secret in it.
type secretive interface{ HasSecret() bool }

// send writes text, compressed where the browser takes that. A page with a
// secret goes as it is, since its length would tell of the secret to one who
// can have the page made again and again with words of his own. Other pages
// have none: what protects forms is where they were sent from, and a form's
// number opens nothing.
func send(w http.ResponseWriter, status int, text []byte, secret bool) {
	h := w.Header()
	if page, ok := w.(*pageWriter); ok {
		h.Add("Vary", "Accept-Encoding")
		if !secret && len(text) >= leastZipped && acceptsGzip(page.request) {
			if zipped, err := gzipped(text); err == nil {
				h.Set("Content-Encoding", "gzip")
				text = zipped
			}
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a browser that went away has nobody to tell
}

func gzipped(text []byte) ([]byte, error) {
	var zipped bytes.Buffer
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(&zipped)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return zipped.Bytes(), nil
}
