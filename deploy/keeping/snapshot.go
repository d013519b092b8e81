package keeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"milepost/schemas"
)

// JetStream copies a stream byte for byte, with its sequences and times, by two requests of its API that the client
// library has no methods for: a snapshot comes as chunks to a subject of ours, and a restore takes them on one of its own.
// A mirror would keep sequences, too, but only while both sides run; a source would not.
const (
	snapshotRequest = "$JS.API.STREAM.SNAPSHOT."
	restoreRequest  = "$JS.API.STREAM.RESTORE."

	chunkBytes = 128 << 10
	// restoreBytes is how much is put back at a time: the server gives up when it cannot store a piece within five seconds,
	// and one that syncs each message stores a few hundred of them in that time.
	restoreBytes = 16 << 10
	// windowBytes is how much may be under way; it stays below what a subscription holds.
	windowBytes = 8 << 20
	// stall is how long the other side may say nothing.
	stall = 30 * time.Second
)

// apiError is how JetStream says no.
type apiError struct {
	Code        int    `json:"code"`
	ErrorCode   int    `json:"err_code"`
	Description string `json:"description"`
}

// Error serves error.
func (e *apiError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.ErrorCode) }

type streamState struct {
	Messages uint64 `json:"messages"`
	First    uint64 `json:"first_seq"`
	Last     uint64 `json:"last_seq"`
}

// snapshotStream writes a snapshot of the stream as it is at the moment of the request; with consumers, what they have
// acknowledged comes along, never beyond the stream's end.
func snapshotStream(ctx context.Context, conn *nats.Conn, name string, consumers bool, out io.Writer) (Stream, error) {
	s := Stream{Name: name}
	chunks, err := conn.SubscribeSync(conn.NewInbox())
	if err != nil {
		return s, away("read", name, err)
	}
	defer func() { _ = chunks.Unsubscribe() }() // the connection may be gone
	if err := chunks.SetPendingLimits(-1, 2*windowBytes); err != nil {
		return s, away("read", name, err)
	}
	request, err := json.Marshal(map[string]any{
		"deliver_subject": chunks.Subject, "no_consumers": !consumers, "chunk_size": chunkBytes, "window_size": windowBytes, "jsck": true,
	})
	if err != nil {
		return s, err
	}
	var answer struct {
		Error  *apiError       `json:"error"`
		Config json.RawMessage `json:"config"`
		State  json.RawMessage `json:"state"`
	}
	if err := ask(ctx, conn, snapshotRequest+name, request, &answer); err != nil {
		return s, away("read", name, err)
	}
	if answer.Error != nil {
		return s, away("read", name, answer.Error)
	}
	var state streamState
	if err := json.Unmarshal(answer.State, &state); err != nil {
		return s, away("read", name, err)
	}
	s.Messages, s.First, s.Last, s.Config, s.State = state.Messages, state.First, state.Last, answer.Config, answer.State
	for {
		message, err := nextChunk(ctx, chunks)
		if err != nil {
			return s, away("read", name, err)
		}
		if len(message.Data) == 0 {
			if status := message.Header.Get("Status"); status != "" && status != "204" {
				return s, away("read", name, fmt.Errorf("%s %s", status, message.Header.Get("Description")))
			}
			return s, nil
		}
		if _, err := out.Write(message.Data); err != nil {
			return s, err
		}
		if message.Reply != "" {
			if err := message.Respond(nil); err != nil {
				return s, away("read", name, err)
			}
		}
	}
}

func nextChunk(ctx context.Context, chunks *nats.Subscription) (*nats.Msg, error) {
	waiting, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	return chunks.NextMsgWithContext(waiting)
}

func ask(ctx context.Context, conn *nats.Conn, subject string, request []byte, answer any) error {
	waiting, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	message, err := conn.RequestWithContext(waiting, subject, request)
	if err != nil {
		return err
	}
	return json.Unmarshal(message.Data, answer)
}

// restoreStream makes the stream from its snapshot, or nothing. replicas is how many servers are to keep it; a purgeable one
// does not deny to be purged, though it did.
func restoreStream(ctx context.Context, conn *nats.Conn, s *Stream, replicas int, purgeable bool, in io.Reader) error {
	config := map[string]json.RawMessage{}
	if err := json.Unmarshal(s.Config, &config); err != nil {
		return err
	}
	// Where the streams lay in the old place says nothing of the new one.
	delete(config, "placement")
	if purgeable {
		delete(config, "deny_purge")
	}
	config["num_replicas"] = json.RawMessage(strconv.Itoa(max(replicas, 1)))
	request, err := json.Marshal(map[string]any{"config": config, "state": s.State})
	if err != nil {
		return err
	}
	var begun struct {
		Error   *apiError `json:"error"`
		Deliver string    `json:"deliver_subject"`
	}
	if err := ask(ctx, conn, restoreRequest+s.Name, request, &begun); err != nil {
		return away("made", s.Name, err)
	}
	if begun.Error != nil {
		return away("made", s.Name, begun.Error)
	}
	chunk := make([]byte, restoreBytes)
	for {
		n, err := io.ReadFull(in, chunk)
		if n > 0 {
			if err := sendChunk(ctx, conn, begun.Deliver, chunk[:n]); err != nil {
				return away("made", s.Name, err)
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	var ended struct {
		Error *apiError   `json:"error"`
		State streamState `json:"state"`
	}
	if err := ask(ctx, conn, begun.Deliver, nil, &ended); err != nil {
		return away("made", s.Name, err)
	}
	if ended.Error != nil {
		return away("made", s.Name, ended.Error)
	}
	if ended.State.Last != s.Last || ended.State.Messages != s.Messages {
		return away("made", s.Name, fmt.Errorf("it has %d messages up to %d, the backup %d up to %d", ended.State.Messages, ended.State.Last, s.Messages, s.Last))
	}
	return nil
}

// sendChunk sends a piece; the answer is empty, or says why the restore failed.
func sendChunk(ctx context.Context, conn *nats.Conn, subject string, chunk []byte) error {
	waiting, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	answer, err := conn.RequestWithContext(waiting, subject, chunk)
	if err != nil || len(answer.Data) == 0 {
		return err
	}
	var failed struct {
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &failed); err != nil {
		return err
	}
	if failed.Error != nil {
		return failed.Error
	}
	return nil
}

func away(doing, stream string, err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Field: "stream", Value: stream, Message: "a stream cannot be " + doing, Hint: "check that NATS runs with JetStream and has room, then begin again", Err: err}
}
