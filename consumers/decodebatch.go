package consumers

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
)

// decodeAll decodes batches, one after the other, and closes decoded after the last.
func (c *Consumer) decodeAll(ctx context.Context, batches <-chan *batch, decoded chan<- *batch) {
	defer close(decoded)
	for b := range batches {
		c.decodeBatch(ctx, b)
		decoded <- b
	}
}

// decodedTogether is how many messages are worth a goroutine of their own.
const decodedTogether = 512

// decodeBatch fills the batch's content on all cores; the order of the messages is kept.
func (c *Consumer) decodeBatch(ctx context.Context, b *batch) {
	n := len(b.messages)
	parts := max(1, min(runtime.GOMAXPROCS(0), n/decodedTogether))
	// Each part writes into its own range of one slice, which is closed up afterwards where there were dead letters.
	deliveries := slices.Grow(b.content.Deliveries[:0], n)[:n]
	contents := make([]warehouse.Batch, parts)
	var group sync.WaitGroup
	for i := range parts {
		from, to := i*n/parts, (i+1)*n/parts
		contents[i].Deliveries = deliveries[from:from:to]
		group.Go(func() { c.decodeRange(ctx, b.messages[from:to], &contents[i]) })
	}
	group.Wait()
	b.content = contents[0]
	b.content.Deliveries = deliveries[:len(contents[0].Deliveries)]
	for _, part := range contents[1:] {
		b.content.Deliveries = append(b.content.Deliveries, part.Deliveries...)
		b.content.DeadLetters = append(b.content.DeadLetters, part.DeadLetters...)
	}
	// A few events are looked up at once, as all are that the stream has nothing behind.
	b.content.Backlog = len(b.content.Deliveries) > lookedUpAlways && b.pending() > 0
}

// lookedUpAlways is how many events are looked up for conflicts even while more wait.
const lookedUpAlways = 500

func (c *Consumer) decodeRange(ctx context.Context, messages []jetstream.Msg, content *warehouse.Batch) {
	for _, message := range messages {
		metadata, err := message.Metadata()
		if err != nil {
			// Only a message without the stream's reply subject has none: the stream did not send it.
			c.log.ErrorContext(ctx, "a message that is not the stream's was ignored", "subject", message.Subject(), "error", err)
			continue
		}
		delivery, letter := decode(c.config.Decoder, c.config.Actors, recordOf(message, metadata))
		if letter == nil {
			content.Deliveries = append(content.Deliveries, delivery)
			continue
		}
		content.DeadLetters = append(content.DeadLetters, *letter)
		c.log.WarnContext(ctx, "dead letter", "sequence", letter.Sequence, "subject", letter.Subject, "code", letter.Reason.Code,
			"field", letter.Reason.Field, "reason", letter.Reason.Message)
	}
}
