package clickhouse

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	chcompress "github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// requestBody undoes the request's Content-Encoding and, when asked, ClickHouse's own block compression inside it.
func requestBody(r *http.Request, blocks bool) (io.Reader, error) {
	body, err := decoded(r.Body, strings.ToLower(r.Header.Get("Content-Encoding")))
	var unsupported *Exception
	if errors.As(err, &unsupported) {
		return nil, unsupported
	}
	if err != nil {
		return nil, exceptionf(codeCannotDecompress, "The body cannot be decompressed: %w", err)
	}
	if blocks {
		body = blockReader{chcompress.NewReader(body)}
	}
	return body, nil
}

func decoded(body io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(body)
	case "deflate":
		return zlib.NewReader(body)
	case "br":
		return brotli.NewReader(body), nil
	case "zstd":
		return zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
	case "lz4":
		return lz4.NewReader(body), nil
	}
	return nil, exceptionf(codeUnknownCompression, "Content-Encoding %q is not supported; hint: gzip, deflate, br, zstd and lz4 are", encoding)
}

// blockReader reads ClickHouse's compressed blocks; their end is the body's end.
type blockReader struct{ *chcompress.Reader }

func (r blockReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrDeadlineExceeded):
		return n, err
	case errors.Is(err, io.EOF):
		return n, io.EOF
	}
	return n, exceptionf(codeCannotDecompress, "The body is not in ClickHouse's compressed blocks: %w", err)
}

// readError tells why a body could not be read: it came too slowly, the client went away, or its compression is broken.
func readError(err error) error {
	var exception *Exception
	switch {
	case errors.As(err, &exception):
		return exception
	case errors.Is(err, os.ErrDeadlineExceeded):
		return exceptionf(codeSocketTimeout, "The body came too slowly: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return exceptionf(codeCannotReadAllData, "The body ended before its end: %w", err)
	}
	return exceptionf(codeCannotReadAllData, "The body cannot be read: %w", err)
}

// chooseEncoding takes the first encoding of Accept-Encoding that can be written.
func chooseEncoding(accepted string) string {
	for item := range strings.SplitSeq(accepted, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(item), ";")
		if strings.HasPrefix(strings.ReplaceAll(quality, " ", ""), "q=0") && !strings.HasPrefix(strings.ReplaceAll(quality, " ", ""), "q=0.") {
			continue
		}
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "gzip", "deflate", "br", "zstd", "lz4":
			return name
		}
	}
	return ""
}

// flushWriter is a compressor.
type flushWriter interface {
	io.WriteCloser
	Flush() error
}

// encodingWriter compresses a response for its Content-Encoding.
func encodingWriter(w io.Writer, encoding string) (flushWriter, error) {
	switch encoding {
	case "gzip":
		return gzip.NewWriterLevel(w, 3)
	case "deflate":
		return zlib.NewWriterLevel(w, 3)
	case "br":
		return brotli.NewWriterLevel(w, 3), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	case "lz4":
		return lz4.NewWriter(w), nil
	}
	return plainWriter{w}, nil
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }
func (plainWriter) Flush() error { return nil }

// blockWriter writes ClickHouse's compressed blocks: checksum, method, sizes, data.
type blockWriter struct {
	to     io.Writer
	writer *chcompress.Writer
}

func newBlockWriter(to io.Writer, method string) *blockWriter {
	methods := map[string]chcompress.Method{"ZSTD": chcompress.ZSTD, "NONE": chcompress.None, "LZ4HC": chcompress.LZ4HC}
	chosen, ok := methods[method]
	if !ok {
		chosen = chcompress.LZ4
	}
	return &blockWriter{to, chcompress.NewWriter(chcompress.LevelZero, chosen)}
}

func (b *blockWriter) Write(p []byte) (int, error) {
	const blockSize = 1 << 20
	written := 0
	for len(p) > 0 {
		n := min(len(p), blockSize)
		if err := b.writer.Compress(p[:n]); err != nil {
			return written, err
		}
		if _, err := b.to.Write(b.writer.Data); err != nil {
			return written, err
		}
		written += n
		p = p[n:]
	}
	return written, nil
}
