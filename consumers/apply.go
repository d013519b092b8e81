package consumers

import (
	"context"
	"time"

	"milepost/consumers/warehouse"
)

// ackTimeout bounds the wait for the stream's word that it took an acknowledgement.
const ackTimeout = 5 * time.Second

// apply writes a batch and acknowledges its messages. When the write fails it gives them back, to be delivered again
// after a while, and returns the error. The end of ctx does not end a write that is under way, but bounds it.
func (c *Consumer) apply(ctx context.Context, b *batch) error {
	writing, cancel := outlive(ctx, c.config.StopTimeout)
	defer cancel()
	c.checks.begin(b)
	stopSigns := c.showLife(b.receipts)
	started := time.Now()
	written, err := c.write(writing, b.content)
	c.config.OnWrite(len(b.receipts), time.Since(started), err)
	stopSigns()
	if err != nil {
		c.checks.end()
		c.Counters.Retries.Add(1)
		c.log.WarnContext(ctx, "a batch was not written, the stream will deliver it again", "messages", len(b.receipts), "error", err)
		c.postpone(b)
		return err
	}
	c.Counters.add(written)
	if c.checks.end() {
		c.settle(writing)
	}
	c.acknowledge(writing, b.receipts)
	c.announce()
	c.tell(writing)
	return nil
}

// tell tells of the watermark.
func (c *Consumer) tell(ctx context.Context) {
	c.telling.Lock()
	defer c.telling.Unlock()
	watermark, err := c.Watermark(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "the applied watermark could not be read", "error", err)
		return
	}
	c.config.OnApplied(watermark)
}

func (c *Consumer) write(ctx context.Context, b warehouse.Batch) (warehouse.Written, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.WriteTimeout)
	defer cancel()
	return c.config.Store.Write(ctx, b)
}

// acknowledge acknowledges each message; one for all would also cover messages that another process holds. Waiting for
// the answer to the last means that the stream has taken all of them, because it takes them in order: the watermark is
// right at once. An acknowledgement that is lost only means that the message is written again.
func (c *Consumer) acknowledge(ctx context.Context, receipts []receipt) {
	last := len(receipts) - 1
	for _, r := range receipts[:last] {
		if err := r.done(c.config.JetStream.Conn()); err != nil {
			c.ackFailed(ctx, err)
		}
	}
	waiting, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if err := receipts[last].confirm(waiting, c.config.JetStream.Conn()); err != nil {
		c.ackFailed(ctx, err)
	}
}

func (c *Consumer) ackFailed(ctx context.Context, err error) {
	c.Counters.LostAcks.Add(1)
	c.log.WarnContext(ctx, "an acknowledgement was lost, the message will be delivered and written again", "error", err)
}

// postpone gives the messages of a batch back for a while that grows with the number of their deliveries.
func (c *Consumer) postpone(b *batch) {
	delay := c.retryDelay(int(min(b.redelivered, 64)))
	for _, r := range b.receipts {
		if err := r.later(c.config.JetStream.Conn(), delay); err != nil {
			c.log.Warn("messages could not be given back, the stream will deliver them after the ack wait", "error", err)
			return
		}
	}
}

// showLife keeps the stream from delivering the messages to someone else while they are being written.
func (c *Consumer) showLife(receipts []receipt) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(c.config.AckWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			for _, r := range receipts {
				if err := r.working(c.config.JetStream.Conn()); err != nil {
					c.log.Warn("a sign of life was lost", "error", err)
					break
				}
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// outlive gives a context that ends grace after ctx does.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		pause(late, grace)
		cancel()
	})
	return late, func() {
		stop()
		cancel()
	}
}
