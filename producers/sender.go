package producers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// ConnectOptions tune Connect; the zero value is fine for a server that asks for
// no credentials.
type ConnectOptions struct {
	// Credentials is the path of a file that milepost nats-creds made, and
	// District the district that it is for: answers come below an inbox of that
	// district.
	Credentials string
	District    string
	// Rules name the districts and the directory of the city; by default the
	// specification's. Events of a district that they do not know are refused
	// before they are sent.
	Rules *schemas.RuleBook
	// Timeout bounds connecting, by default 5 s.
	Timeout time.Duration
	// NATS are further options of the connection, such as TLS.
	NATS []nats.Option
	// Publisher tunes publishing.
	Publisher Options
}

// Sender publishes typed events of a program of one's own. It is safe for
// concurrent use.
type Sender struct {
	conn      *nats.Conn
	publisher *Publisher
}

// Connect dials NATS servers, whose addresses are joined by commas, and gives a
// Sender on their stream, which the server of the project has made. Close ends
// it. The errors are of code Unavailable, Forbidden when the credentials are not
// accepted, or Invalid.
func Connect(ctx context.Context, servers string, o ConnectOptions) (*Sender, error) {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		o.Timeout = min(o.Timeout, time.Until(deadline))
	}
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	if o.Rules == nil {
		o.Rules = schemas.UndatedRules(schemas.DefaultRules())
	}
	check, err := schemas.NewBookSchemaValidator(o.Rules)
	if err != nil {
		return nil, err
	}
	options := []nats.Option{nats.Name("milepost sender"), nats.Timeout(o.Timeout), nats.MaxReconnects(-1)}
	if o.District != "" {
		if strings.ContainsAny(o.District, "*>. \t\r\n") {
			return nil, &schemas.Error{Code: schemas.Invalid, Field: "District", Value: schemas.Shorten(o.District), Message: "not the code of a district"}
		}
		options = append(options, nats.CustomInboxPrefix(InboxPrefix(o.District)))
	}
	if o.Credentials != "" {
		options = append(options, nats.UserCredentials(o.Credentials))
	}
	conn, err := nats.Connect(servers, append(options, o.NATS...)...)
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return nil, &schemas.Error{Code: schemas.Forbidden, Message: "NATS does not accept the credentials", Hint: "have new ones made by milepost nats-creds", Err: err}
	case err != nil:
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "NATS does not answer", Hint: "check the address, and that the server listens (serve --nats-listen)", Err: err}
	}
	js, err := jetstream.New(conn)
	if err == nil {
		var p *Publisher
		if p, err = New(js, check, o.Publisher); err == nil {
			return &Sender{conn: conn, publisher: p}, nil
		}
	}
	conn.Close()
	return nil, err
}

// InboxPrefix is where the answers to a district's client come: its credentials
// let it hear nothing else.
func InboxPrefix(district string) string { return "_INBOX." + district }

// Publish publishes the events in their order and gives a receipt for each. An
// event needs Source, ID, Type, Subject, District, Time and Data; one that has
// Raw is sent as it is. What is refused does not stop the rest; the error joins
// the reasons, each with the number of its event, from 0. Publishing the same
// again is safe: the receipts then say duplicate.
func (s *Sender) Publish(ctx context.Context, events ...schemas.Event) ([]Receipt, error) {
	submissions := func(yield func(Submission) bool) {
		for i := range events {
			if !yield(typedSubmission(&events[i])) {
				return
			}
		}
	}
	receipts := make([]Receipt, 0, len(events))
	var failed []error
	for r := range s.publisher.Publish(ctx, submissions, "") {
		if r.Error != nil {
			failed = append(failed, fmt.Errorf("event %d: %w", len(receipts), r.Error))
		}
		receipts = append(receipts, r)
	}
	return receipts, errors.Join(failed...)
}

// typedSubmission writes an event's text, unless it has one.
func typedSubmission(e *schemas.Event) Submission {
	if e.Raw != nil {
		return Submission{Raw: e.Raw}
	}
	written, err := schemas.NewEvent(*e)
	if err != nil {
		refused := *asError(err)
		refused.Field = "data"
		return Submission{Refused: &refused}
	}
	return Submission{Raw: written.Raw}
}

// Close ends the connection. What Publish has answered is on the stream.
func (s *Sender) Close() { s.conn.Close() }
