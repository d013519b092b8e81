package producers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"milepost/schemas"
)

// Headers of an atomic batch: the stream takes all of its messages, one after
// the other, or none. That is what keeps the order of a file when a connection
// breaks in the middle; with plain asynchronous publishing a message that
// reached the stream behind a lost one could not be taken back.
const (
	batchIDHeader     = "Nats-Batch-Id"
	batchSeqHeader    = "Nats-Batch-Sequence"
	batchCommitHeader = "Nats-Batch-Commit"
)

// Codes of the JetStream API that a batch can be answered with.
const (
	codeBatchDisabled  jetstream.ErrorCode = 10174
	codeIDInFlight     jetstream.ErrorCode = 10158
	codeTooManyBatches jetstream.ErrorCode = 10210
	codeTooManyWaiting jetstream.ErrorCode = 10167
	codeBatchCut       jetstream.ErrorCode = 10176
	codeNoResources    jetstream.ErrorCode = 10023
	codeStoreFailed    jetstream.ErrorCode = 10077
)

// entry is one submission on its way. Its message is nil when it was refused,
// and twin points to an equal event in the same window.
type entry struct {
	msg     *nats.Msg
	twin    *entry
	receipt Receipt
}

// window gathers entries and publishes them together.
type window struct {
	publisher *Publisher
	actor     string
	entries   []*entry
	byID      map[string]*entry
	bytes     int
	// away is set once the stream stayed away; nothing is sent after that.
	away error
}

func (w *window) add(s Submission) {
	msg, receipt := w.publisher.admit(s, w.actor)
	e := &entry{msg: msg, receipt: receipt}
	w.entries = append(w.entries, e)
	w.bytes += len(s.Raw)
	if msg == nil {
		return
	}
	id := msg.Header.Get(jetstream.MsgIDHeader)
	if w.byID == nil {
		w.byID = map[string]*entry{}
	}
	if first, ok := w.byID[id]; ok {
		e.twin = first
		return
	}
	w.byID[id] = e
}

func (w *window) full() bool {
	return len(w.entries) >= w.publisher.window || w.bytes >= windowBytes
}

// flush publishes the window and yields its receipts; false when the caller
// wants no more.
func (w *window) flush(ctx context.Context, yield func(Receipt) bool) bool {
	pending := make([]*entry, 0, len(w.entries))
	for _, e := range w.entries {
		if e.msg != nil && e.twin == nil {
			pending = append(pending, e)
		}
	}
	if w.away == nil {
		w.away = w.publisher.send(ctx, pending)
	}
	if w.away != nil {
		for _, e := range pending {
			if e.receipt.Seq == 0 && e.receipt.Error == nil {
				e.receipt.Error = unavailable(w.away)
			}
		}
	}
	goOn := true
	for _, e := range w.entries {
		if e.twin != nil {
			e.receipt.Seq, e.receipt.Error = e.twin.receipt.Seq, e.twin.receipt.Error
			e.receipt.Duplicate = e.receipt.Error == nil
		}
		if goOn = yield(e.receipt); !goOn {
			break
		}
	}
	w.entries, w.byID, w.bytes = w.entries[:0], nil, 0
	return goOn
}

// send tries until every entry is acknowledged or refused for good. An error
// means that the stream stayed away; entries without a sequence were then not
// acknowledged.
func (p *Publisher) send(ctx context.Context, pending []*entry) error {
	if len(pending) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.giveUp)
	defer cancel()
	together := len(pending) > 1 && p.knowsBatches()
	wait := 20 * time.Millisecond
	for {
		var err error
		if together {
			err = p.sendBatch(ctx, pending)
		} else {
			pending, err = p.sendEach(ctx, pending)
		}
		if err == nil {
			return nil
		}
		switch code, fromStream := apiCode(err); {
		case together && fromStream && !passing(code):
			// The batch holds something that the stream has already or
			// refuses, or the stream knows no batches: one by one shows
			// which. Order is kept, only slower.
			together = false
			continue
		case ctx.Err() != nil || p.conn.IsClosed():
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Second)
	}
}

// knowsBatches tells whether the server is of version 2.12 or later; an older
// one would ignore the headers of a batch.
func (p *Publisher) knowsBatches() bool {
	var major, minor int
	_, err := fmt.Sscanf(p.conn.ConnectedServerVersion(), "%d.%d", &major, &minor)
	return err != nil || major > 2 || major == 2 && minor >= 12
}

// sendEach sends one message after the other, each after the acknowledgement
// of the one before, and gives those that are left when it fails.
func (p *Publisher) sendEach(ctx context.Context, pending []*entry) ([]*entry, error) {
	for i, e := range pending {
		ack, err := p.request(ctx, e.msg)
		if code, fromStream := apiCode(err); err != nil && (!fromStream || passing(code)) {
			return pending[i:], err
		}
		if err != nil {
			e.receipt.Error = &schemas.Error{Code: schemas.Invalid, Message: "the stream refused the event", Hint: "see the stream's limits", Err: err}
			continue
		}
		e.receipt.Seq, e.receipt.Duplicate = ack.Sequence, ack.Duplicate
	}
	return nil, nil
}

// sendBatch sends the messages as one atomic batch.
func (p *Publisher) sendBatch(ctx context.Context, pending []*entry) error {
	id := nuid.Next()
	last := len(pending) - 1
	for i, e := range pending {
		msg := &nats.Msg{Subject: e.msg.Subject, Data: e.msg.Data, Header: nats.Header{}}
		for name, values := range e.msg.Header {
			msg.Header[name] = values
		}
		msg.Header.Set(batchIDHeader, id)
		msg.Header.Set(batchSeqHeader, strconv.Itoa(i+1))
		if i < last {
			if err := p.conn.PublishMsg(msg); err != nil {
				return err
			}
			continue
		}
		msg.Header.Set(batchCommitHeader, "1")
		ack, err := p.request(ctx, msg)
		if err != nil {
			return err
		}
		if ack.BatchID != id || ack.BatchSize != len(pending) {
			// Part of the cluster is older than batches and took the messages
			// one by one: ask for each what became of it.
			return &jetstream.APIError{ErrorCode: codeBatchDisabled, Description: "the server knows no batches"}
		}
		for k, e := range pending {
			e.receipt.Seq = ack.Sequence - uint64(last-k)
		}
	}
	return nil
}

// request sends a message and waits for the stream's word on it.
func (p *Publisher) request(ctx context.Context, msg *nats.Msg) (*acknowledgement, error) {
	ctx, cancel := context.WithTimeout(ctx, p.ack)
	defer cancel()
	reply, err := p.conn.RequestMsgWithContext(ctx, msg)
	if err != nil {
		return nil, err
	}
	var answer acknowledgement
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return nil, jetstream.ErrInvalidJSAck
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	if answer.Sequence == 0 {
		return nil, jetstream.ErrInvalidJSAck
	}
	return &answer, nil
}

// acknowledgement is the stream's answer to a message or to a whole batch,
// whose last sequence it then gives.
type acknowledgement struct {
	Error     *jetstream.APIError `json:"error"`
	Sequence  uint64              `json:"seq"`
	Duplicate bool                `json:"duplicate"`
	BatchID   string              `json:"batch"`
	BatchSize int                 `json:"count"`
}

// apiCode gives the code of an answer of the stream; false when there was no
// answer.
func apiCode(err error) (jetstream.ErrorCode, bool) {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode, true
	}
	return 0, false
}

// passing tells whether an answer of the stream may be another one soon.
func passing(code jetstream.ErrorCode) bool {
	switch code {
	case codeIDInFlight, codeTooManyBatches, codeTooManyWaiting, codeBatchCut, codeNoResources, codeStoreFailed:
		return true
	}
	return false
}

func unavailable(cause error) *schemas.Error {
	var e *schemas.Error
	if errors.As(cause, &e) && e.Code == schemas.Unavailable {
		return e
	}
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "the stream did not acknowledge the event",
		Hint: "send it again: what had arrived all the same is recognised", Err: cause,
	}
}

// asError gives err as the contract's error.
func asError(err error) *schemas.Error {
	var e *schemas.Error
	if errors.As(err, &e) {
		return e
	}
	return &schemas.Error{Code: schemas.Internal, Message: "unexpected failure", Hint: "see the server's log", Err: err}
}
