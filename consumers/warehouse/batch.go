package warehouse

import (
	"time"

	"milepost/schemas"
)

// MaxRawBytes is how much of a dead letter is kept; an event of the greatest allowed size is kept whole.
const MaxRawBytes = schemas.MaxEventBytes

// Delivery is an accepted event together with what the stream knows about it.
type Delivery struct {
	Event       *schemas.Event
	Fingerprint schemas.Fingerprint // of the whole event
	Sequence    uint64              // of the stream
	RecordedAt  time.Time           // when the stream took it
	Actor       string              // who sent it
}

// DeadLetter is a message of the stream that is no acceptable event.
type DeadLetter struct {
	Sequence   uint64
	RecordedAt time.Time
	Subject    string // of the stream
	Actor      string
	// Reason says what is wrong; its code is one for which [schemas.Permanent] holds.
	Reason *schemas.Error
	// Raw is the message as it came. No more than MaxRawBytes of it are kept, and its size.
	Raw []byte
}

// Batch is what is written together.
type Batch struct {
	// Rows are the deliveries, or Deliveries are when there are no Rows.
	Rows        *Rows
	Deliveries  []Delivery
	DeadLetters []DeadLetter
	// Backlog says that many more wait behind this one: conflicts are then looked for once, behind all of them.
	Backlog bool
}

// Len is how many deliveries there are.
func (b Batch) Len() int {
	if b.Rows != nil {
		return b.Rows.Len()
	}
	return len(b.Deliveries)
}

// Sequence is that of a delivery, counted from 0.
func (b Batch) Sequence(i int) uint64 {
	if b.Rows != nil {
		return b.Rows.Sequence(i)
	}
	return b.Deliveries[i].Sequence
}

// Written counts what a batch brought.
type Written struct {
	// Events is the number of deliveries that are stored now, repeated ones included.
	Events int
	// Repeated is the number of deliveries whose identity and content an earlier sequence holds; of a backlog it is not
	// known. It is told by hashes.
	Repeated int
	// Conflicting is the number of deliveries whose identity an earlier sequence holds with other content;
	// of a backlog it is not known. It is told by hashes: of two identities with one hash, which are no conflict, a
	// delivery is counted here (see schemas/clickhouse/0260_content_hashes.sql). The conflicts themselves are told by the
	// texts.
	Conflicting int
	// DeadLetters is the number of dead letters of the batch, those included that the engine refused.
	DeadLetters int
	// Refused is the number of deliveries that the engine refused because of what they hold.
	Refused int
}

// Storable tells whether the warehouse can hold the event; an error has the code invalid. Its columns hold times from
// 1900 to 2299, and everything else that the contract allows.
func Storable(e *schemas.Event) error {
	if day := schemas.DateOf(e.Time); day < schemas.FirstDate || day > schemas.LastDate {
		return &schemas.Error{
			Code: schemas.Invalid, Field: "time", Message: "a time out of range", Value: e.Time.Format(time.RFC3339),
			Hint: "send a time from 1900 to 2299",
		}
	}
	return nil
}
