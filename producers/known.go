package producers

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// A batch is refused as a whole when the stream has one of its events already,
// without a word on which. A file that is sent again would so fall apart into
// single events, each with a turn of its own; therefore the stream is asked
// about all of them at once.
//
// The question is a message without content that can never be stored: the
// stream looks whether it knows the id first, and answers with the sequence;
// else it comes upon a rollup header of a value that does not exist.
const (
	rollupHeader                          = "Nats-Rollup"
	question                              = "question"
	codeNoRollup      jetstream.ErrorCode = 10111
	statusHeader                          = "Status"
	statusNoResponder                     = "503"
)

// settleKnown gives the receipts of those entries that the stream has already,
// and the other entries in their order.
func (p *Publisher) settleKnown(ctx context.Context, pending []*entry) ([]*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, p.ack)
	defer cancel()
	inbox := p.conn.NewInbox()
	answers, err := p.conn.SubscribeSync(inbox + ".*")
	if err != nil {
		return pending, err
	}
	defer func() { _ = answers.Unsubscribe() }() // a closed connection has none
	letter := newEnvelope()
	msg := &nats.Msg{Header: letter.header}
	for i, e := range pending {
		letter.clear()
		letter.set(jetstream.MsgIDHeader, e.message.id)
		letter.set(jetstream.ExpectedStreamHeader, schemas.StreamName)
		letter.set(rollupHeader, question)
		msg.Subject, msg.Reply = e.message.subject, inbox+"."+strconv.Itoa(i)
		if err := p.conn.PublishMsg(msg); err != nil {
			return pending, err
		}
	}
	sequences, err := hear(ctx, answers, len(pending))
	if err != nil {
		return pending, err
	}
	unknown := make([]*entry, 0, len(pending))
	for i, e := range pending {
		if sequences[i] == 0 {
			unknown = append(unknown, e)
			continue
		}
		e.receipt.Seq, e.receipt.Duplicate = sequences[i], true
	}
	return unknown, nil
}

// hear collects the answers to so many questions: the sequences of what is
// known, and 0 for what is not.
func hear(ctx context.Context, answers *nats.Subscription, questions int) ([]uint64, error) {
	sequences := make([]uint64, questions)
	heard := make([]bool, questions)
	for left := questions; left > 0; {
		msg, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		i, err := strconv.Atoi(msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:])
		if err != nil || i < 0 || i >= questions || heard[i] {
			continue // nothing that was asked
		}
		if sequences[i], err = known(msg); err != nil {
			return nil, err
		}
		heard[i] = true
		left--
	}
	return sequences, nil
}

// known reads an answer.
func known(msg *nats.Msg) (uint64, error) {
	if len(msg.Data) == 0 && msg.Header.Get(statusHeader) == statusNoResponder {
		return 0, nats.ErrNoResponders
	}
	ack, err := readAcknowledgement(msg.Data)
	if code, _ := apiCode(err); code == codeNoRollup {
		return 0, nil
	}
	if err == nil && !ack.Duplicate {
		err = errors.New("the stream took a question for an event")
	}
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}
