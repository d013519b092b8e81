package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	chproto "github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

const (
	// copySize is how much of a result or of an INSERT's data is taken at once.
	copySize = 256 << 10
	// killInterval is how often the engine is asked to end a statement until it did: one that has not begun cannot be ended.
	killInterval = 50 * time.Millisecond
)

// runSelect runs a SELECT and writes its result to w as it comes. The engine's own streaming gives every block as a
// document of its own, which is right for few formats; so the engine writes the result, in any format and with bounded
// memory, into a pipe as if it were a file on its machine (readonly=1 allows that).
func (s *Server) runSelect(ctx context.Context, c *connection, st statement, format string, params map[string]string, w io.Writer) (summary, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	read, write, err := os.Pipe()
	if err != nil {
		return summary{}, exceptionf(codeUnknown, "No pipe for the result: %w", err)
	}
	defer func() { _ = read.Close() }() // a pipe's end that was only read
	sql := fmt.Sprintf("%s INTO OUTFILE '/dev/fd/%d' TRUNCATE", st.text[:st.end], write.Fd())
	if st.format == "" {
		sql += " FORMAT " + format
	} else {
		sql += st.text[st.end:]
	}
	type outcome struct {
		sum summary
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		_, sum, err := c.run(sql, "Null", params)
		// The reader sees the end only when nobody holds the other end any more.
		ended <- outcome{sum, errors.Join(err, write.Close())}
	}()
	// Whatever happens here, the connection stays in use until the engine is done with it.
	finish := sync.OnceValue(func() outcome {
		// An engine that writes into a pipe without a reader would send the process a signal.
		_, _ = io.Copy(io.Discard, read)
		return <-ended
	})
	defer finish()
	stop := s.killWhenDone(ctx, c)
	defer stop()
	written, writeErr := io.CopyBuffer(onlyWriter{w}, onlyReader{read}, make([]byte, copySize))
	if writeErr != nil {
		giveUp(writeErr)
	}
	result := finish()
	switch {
	case ctx.Err() != nil:
		return summary{}, exceptionf(codeAborted, "The statement was given up: %w", context.Cause(ctx))
	case result.err != nil:
		return summary{}, result.err
	case writeErr != nil:
		return summary{}, writeErr
	case written == 0 && format == "Native":
		return result.sum, c.writeEmptyBlock(st, params, w)
	}
	return result.sum, nil
}

// onlyWriter and onlyReader hide what else the values can do, which io.CopyBuffer would prefer to the buffer.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)

// killWhenDone ends what runs on c once ctx is done. stop must be called when the statement ended.
func (s *Server) killWhenDone(ctx context.Context, c *connection) (stop func()) {
	over, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		again := time.NewTicker(killInterval)
		defer again.Stop()
		for {
			if err := s.engine.kill(c); err != nil {
				s.config.Log.Error("a statement could not be ended", "error", err)
			}
			select {
			case <-over:
				return
			case <-again.C:
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(over)
		<-finished
	})
}

// writeEmptyBlock writes the block without rows that a server sends for an empty result in Native; the engine as a
// library writes nothing, and clients would not learn the columns.
func (c *connection) writeEmptyBlock(st statement, params map[string]string, w io.Writer) error {
	described, _, err := c.run("DESCRIBE TABLE ("+st.text[:st.end]+"\n)", "RowBinary", params)
	if err != nil {
		return err
	}
	// Every row is seven strings, of which the first two are name and type.
	fields := proto.NewReader(bytes.NewReader(described))
	var names []string
	for i := 0; ; i++ {
		value, err := fields.Str()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return exceptionf(codeUnknown, "The columns of an empty result cannot be read: %w", err)
		}
		if i%7 < 2 {
			names = append(names, value)
		}
	}
	var block proto.Buffer
	block.PutUVarInt(uint64(len(names) / 2))
	block.PutUVarInt(0)
	for _, name := range names {
		block.PutString(name)
	}
	_, err = w.Write(block.Buf)
	return err
}

// runInsert feeds an INSERT's data, which is what follows the head in rest and then the body.
func (s *Server) runInsert(ctx context.Context, c *connection, head insertHead, rest string, body io.Reader, params map[string]string) (sum summary, err error) {
	in, err := c.insert(head.text, head.format, params)
	if err != nil {
		return summary{}, err
	}
	defer s.killWhenDone(ctx, c)()
	committed := false
	defer func() {
		if !committed {
			in.abort()
		}
	}()
	data := io.MultiReader(bytes.NewReader([]byte(rest)), body)
	buffer := make([]byte, copySize)
	for total := 0; ; {
		n, err := data.Read(buffer)
		if total += n; total > maxInsertBytes {
			return summary{}, exceptionf(codeTooManyBytes, "The data of one INSERT is larger than %d bytes", maxInsertBytes)
		}
		if writeErr := in.write(buffer[:n]); writeErr != nil {
			return summary{}, writeErr
		}
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return summary{}, readError(err)
		}
	}
	if ctx.Err() != nil {
		return summary{}, exceptionf(codeAborted, "The INSERT was given up: %w", context.Cause(ctx))
	}
	committed = true
	return in.commit()
}

// helloStatement is what clickhouse-go asks first.
var helloStatement = []string{"SELECT", "displayName", "(", ")", ",", "version", "(", ")", ",", "revision", "(", ")", ",", "timezone", "(", ")"}

// isHello reports whether the request is clickhouse-go's first: it decodes the answer at its own protocol revision and
// everything after at the revision that the answer names.
func isHello(q *request, st statement) bool {
	if q.protocolVersion == 0 || st.format != "" || q.format != "Native" || len(st.tokens) != len(helloStatement) {
		return false
	}
	for i, t := range st.tokens {
		if t.text != helloStatement[i] {
			return false
		}
	}
	return true
}

// writeHello answers with revision 0, in which the engine writes Native.
func (s *Server) writeHello(q *request, w io.Writer) error {
	block := chproto.NewBlock()
	for _, field := range [][2]string{{"displayName()", "String"}, {"version()", "String"}, {"revision()", "UInt32"}, {"timezone()", "String"}} {
		if err := block.AddColumn(field[0], column.Type(field[1])); err != nil {
			return err
		}
	}
	if err := block.Append(displayName, s.version(), uint32(0), timezone); err != nil {
		return err
	}
	var buffer proto.Buffer
	if err := block.Encode(&buffer, q.protocolVersion); err != nil {
		return err
	}
	_, err := w.Write(buffer.Buf)
	return err
}
