package consumers

import (
	"context"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
)

// batch is what is written together, and the messages that it came in.
type batch struct {
	messages []jetstream.Msg
	bytes    int
	content  warehouse.Batch
}

// projects lists the projects of the batch's events, sorted, each once.
func (b *batch) projects() []string {
	var projects []string
	for i := range b.content.Deliveries {
		projects = append(projects, b.content.Deliveries[i].Event.Subject)
	}
	slices.Sort(projects)
	return slices.Compact(projects)
}

// collect decodes what is received and hands it on in batches. It ends with the subscription, when the last batch is
// handed on, and closes batches. What is received after ctx ended is given back to the stream.
func (c *Consumer) collect(ctx context.Context, received <-chan jetstream.Msg, ended <-chan struct{}, batches chan<- *batch) {
	defer close(batches)
	var (
		current = &batch{}
		first   time.Time
		ripe    bool // current may be handed on
		timer   = time.NewTimer(0)
	)
	defer timer.Stop()
	for {
		in, out := received, batches
		if c.full(current) {
			in, ripe = nil, true
		}
		if !ripe {
			out = nil
		}
		select {
		case message := <-in:
			if ctx.Err() != nil {
				c.giveBack(message)
				continue
			}
			now := time.Now()
			if len(current.messages) == 0 {
				first = now
			}
			c.add(current, message)
			timer.Reset(max(0, min(c.config.Quiet, c.config.MaxWait-now.Sub(first))))
		case <-ended:
			if len(current.messages) > 0 {
				batches <- current
			}
			return
		case <-timer.C:
			ripe = len(current.messages) > 0
		case out <- current:
			current, ripe = &batch{}, false
		}
	}
}

func (c *Consumer) full(b *batch) bool {
	return len(b.messages) >= c.config.MaxEvents || b.bytes >= c.config.MaxBytes
}

func (c *Consumer) add(b *batch, message jetstream.Msg) {
	metadata, err := message.Metadata()
	if err != nil {
		// Only a message without the stream's reply subject has none: the stream did not send it.
		c.log.Error("a message that is not the stream's was ignored", "subject", message.Subject(), "error", err)
		return
	}
	b.messages = append(b.messages, message)
	b.bytes += len(message.Data())
	delivery, letter := decode(c.config.Decoder, recordOf(message, metadata))
	if letter == nil {
		b.content.Deliveries = append(b.content.Deliveries, delivery)
		return
	}
	b.content.DeadLetters = append(b.content.DeadLetters, *letter)
	c.log.Warn("dead letter", "sequence", letter.Sequence, "subject", letter.Subject, "code", letter.Reason.Code,
		"field", letter.Reason.Field, "reason", letter.Reason.Message)
}

// giveBack lets the stream deliver the message again at once, perhaps to another process.
func (c *Consumer) giveBack(message jetstream.Msg) {
	if err := message.Nak(); err != nil {
		c.log.Warn("a message could not be given back, the stream will deliver it after the ack wait", "error", err)
	}
}
