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
	codeBatchTooLarge  jetstream.ErrorCode = 10199
	codeBatchRepeats   jetstream.ErrorCode = 10201
	codeNoResources    jetstream.ErrorCode = 10023
	codeStoreFailed    jetstream.ErrorCode = 10077
)

// maxQuestions is how often a load asks what the stream has of it: others may
// send the same in the meantime.
const maxQuestions = 3

// send tries until every entry is acknowledged or refused for good. An error
// means that the stream stayed away; entries without a sequence were then not
// acknowledged. repeats says whether it is likely that the stream has some of
// them already, and is told whether it had.
func (p *Publisher) send(ctx context.Context, pending []*entry, repeats *bool) error {
	ctx, cancel := context.WithTimeout(ctx, p.giveUp)
	defer cancel()
	together := len(pending) > 1 && p.knowsBatches()
	ask, asked := together && *repeats, 0
	wait := 20 * time.Millisecond
	for {
		var err error
		switch {
		case ask:
			before := len(pending)
			if pending, err = p.settleKnown(ctx, pending); err == nil {
				*repeats = len(pending) < before
				ask, asked = false, asked+1
				continue
			}
		case together:
			pending, err = p.sendBatches(ctx, pending)
		default:
			pending, err = p.sendEach(ctx, pending)
		}
		if err == nil {
			return nil
		}
		switch code, fromStream := apiCode(err); {
		case fromStream && code == codeBatchTooLarge && p.shorten():
			continue
		case fromStream && code == codeBatchRepeats && !ask && asked < maxQuestions:
			ask = true
			continue
		case (ask || together) && fromStream && !passing(code):
			// The batch holds something that the stream refuses, or the stream
			// knows no batches: one by one shows which. Order is kept, only
			// slower.
			ask, together = false, false
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
	letter := newEnvelope()
	for i, e := range pending {
		ack, err := p.request(ctx, letter.of(&e.message))
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

// sendBatches sends the messages in batches as large as the server takes, by
// default all in one, each after the acknowledgement of the one before, and
// gives those that are left when it fails.
func (p *Publisher) sendBatches(ctx context.Context, pending []*entry) ([]*entry, error) {
	for len(pending) > 0 {
		n := min(len(pending), int(p.batch.Load()))
		if err := p.sendBatch(ctx, pending[:n]); err != nil {
			return pending, err
		}
		pending = pending[n:]
	}
	return nil, nil
}

// shorten makes batches smaller for a server that takes less than the usual;
// false when they cannot become smaller.
func (p *Publisher) shorten() bool {
	n := p.batch.Load()
	return n > 1 && (p.batch.CompareAndSwap(n, n/2) || p.batch.Load() < n)
}

// sendBatch sends the messages as one atomic batch.
func (p *Publisher) sendBatch(ctx context.Context, pending []*entry) error {
	id := nuid.Next()
	last := len(pending) - 1
	letter := newEnvelope()
	msg := &nats.Msg{Header: letter.header}
	for i, e := range pending {
		letter.addressed(&e.message)
		letter.set(batchIDHeader, id)
		letter.set(batchSeqHeader, strconv.Itoa(i+1))
		if i == 0 { // one stream has all of the batch
			letter.set(jetstream.ExpectedStreamHeader, schemas.StreamName)
		}
		msg.Subject, msg.Data = e.message.subject, e.message.data
		if i < last {
			if err := p.conn.PublishMsg(msg); err != nil {
				return err
			}
			continue
		}
		letter.set(batchCommitHeader, "1")
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
	return readAcknowledgement(reply.Data)
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

func readAcknowledgement(text []byte) (*acknowledgement, error) {
	var answer acknowledgement
	switch err := json.Unmarshal(text, &answer); {
	case err != nil:
		return nil, jetstream.ErrInvalidJSAck
	case answer.Error != nil:
		return nil, answer.Error
	case answer.Sequence == 0:
		return nil, jetstream.ErrInvalidJSAck
	}
	return &answer, nil
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
