package consumers

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// AuditDurable is the name of the consumer on the audit's stream; the processes that carry it share it.
const AuditDurable = "MILEPOST_AUDIT_WAREHOUSE"

// AuditStore keeps records of the audit; *warehouse.Warehouse is one. It returns when they are durable, and leaves the same
// when it is given one again.
type AuditStore interface {
	WriteAudit(ctx context.Context, rows []warehouse.AuditRow) error
}

const (
	auditRows    = 1000
	auditWait    = 5 * time.Second // a request to the stream lasts so long when nothing comes
	auditRetry   = 200 * time.Millisecond
	auditRetries = 5 * time.Second // the longest pause between two tries
)

// CarryAudit carries the audit's stream into the warehouse until ctx ends, in the order of the stream; what fails is tried
// again. It returns an error only when the connection to NATS was closed for good.
func CarryAudit(ctx context.Context, js jetstream.JetStream, store AuditStore, log *slog.Logger) error {
	delay := auditRetry
	for {
		err := carryAudit(ctx, js, store, func() { delay = auditRetry })
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, jetstream.ErrConnectionClosed) || js.Conn().IsClosed():
			return &schemas.Error{Code: schemas.Unavailable, Message: "the connection to NATS was closed", Hint: "start the consumers again", Err: err}
		}
		log.WarnContext(ctx, "carrying the audit was interrupted, trying again", "error", err, "after", delay)
		pause(ctx, delay)
		delay = min(2*delay, auditRetries)
	}
}

func carryAudit(ctx context.Context, js jetstream.JetStream, store AuditStore, progressed func()) error {
	consumer, err := js.CreateOrUpdateConsumer(ctx, schemas.AuditStream, jetstream.ConsumerConfig{
		Durable: AuditDurable, Description: "the audit into the warehouse", DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second, MaxDeliver: -1, MaxAckPending: 2 * auditRows,
	})
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		messages, err := nextAudit(ctx, consumer)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			continue
		}
		rows := make([]warehouse.AuditRow, 0, len(messages))
		for _, message := range messages {
			if row, ok := auditRow(message); ok {
				rows = append(rows, row)
			}
		}
		if err := store.WriteAudit(ctx, rows); err != nil {
			return err // they come again after the ack wait
		}
		for _, message := range messages {
			if err := message.Ack(); err != nil {
				return err
			}
		}
		progressed()
	}
	return nil
}

// nextAudit waits for a message and takes what is there behind it.
func nextAudit(ctx context.Context, consumer jetstream.Consumer) ([]jetstream.Msg, error) {
	waiting, cancel := context.WithTimeout(ctx, auditWait)
	defer cancel()
	first, err := consumer.Next(jetstream.FetchContext(waiting))
	switch {
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, jetstream.ErrMsgIteratorClosed) || errors.Is(err, jetstream.ErrNoMessages):
		return nil, nil
	case err != nil:
		return nil, err
	}
	messages := []jetstream.Msg{first}
	more, err := consumer.FetchNoWait(auditRows)
	if err != nil {
		return messages, nil // the first one is worth writing all the same
	}
	for message := range more.Messages() {
		messages = append(messages, message)
	}
	return messages, nil
}

// auditRow reads a message; one that does not read is kept for what it is: somebody wrote it.
func auditRow(message jetstream.Msg) (warehouse.AuditRow, bool) {
	metadata, err := message.Metadata()
	if err != nil {
		return warehouse.AuditRow{}, false // the stream did not send it
	}
	row := warehouse.AuditRow{Sequence: metadata.Sequence.Stream, RecordedAt: metadata.Timestamp}
	if err := json.Unmarshal(message.Data(), &row.AuditRecord); err != nil || row.ID == "" || !auditTime(row.At) {
		row.AuditRecord = schemas.AuditRecord{
			ID: "unreadable-" + strconv.FormatUint(row.Sequence, 10), At: metadata.Timestamp, Action: "unreadable", Target: schemas.Shorten(string(message.Data())),
		}
	}
	return row, true
}

// auditTime tells whether the table can hold the time.
func auditTime(at time.Time) bool { return at.Year() >= 1900 && at.Year() < 2299 }
