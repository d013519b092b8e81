package consumers

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// receipt answers a message of the stream. It is all that is kept of one while its batch is written: the client's own
// message would keep its bytes and headers as well. It is the subject that takes the answer; the words are those of the
// JetStream protocol.
type receipt string

var (
	wordDone    = []byte("+ACK")
	wordWorking = []byte("+WPI")
)

// done acknowledges the message, without waiting.
func (r receipt) done(conn *nats.Conn) error { return conn.Publish(string(r), wordDone) }

// confirm acknowledges the message and waits until the stream says that it took that, and so everything before it.
func (r receipt) confirm(ctx context.Context, conn *nats.Conn) error {
	_, err := conn.RequestWithContext(ctx, string(r), wordDone)
	return err
}

// working shows life.
func (r receipt) working(conn *nats.Conn) error { return conn.Publish(string(r), wordWorking) }

// later gives the message back, to be delivered again after a while.
func (r receipt) later(conn *nats.Conn, delay time.Duration) error {
	return conn.Publish(string(r), fmt.Appendf(nil, `-NAK {"delay": %d}`, delay.Nanoseconds()))
}
