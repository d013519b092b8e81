package schemas

import "time"

// DeadLetter (退件) is a message of the stream that the consumers could not
// accept, with the reason (specification §2, §3).
type DeadLetter struct {
	StreamSeq  uint64    `json:"stream_seq"`
	RecordedAt time.Time `json:"recorded_at"`
	Subject    string    `json:"subject"`
	Actor      string    `json:"actor,omitempty"`
	Code       Code      `json:"code"`
	Field      string    `json:"field,omitempty"`
	Value      string    `json:"value,omitempty"`
	Reason     string    `json:"reason"`
	Hint       string    `json:"hint,omitempty"`
	// Raw is the message as it came, or its beginning, with what is not UTF-8
	// replaced; Size is its whole length in bytes.
	Raw  string `json:"raw"`
	Size int    `json:"size"`
	// State says whether something is left to do.
	State DeadLetterState `json:"state"`
	// Actions are what people did about it, in order.
	Actions []DeadLetterAction `json:"actions,omitempty"`
}

// DeadLetterState is whether a dead letter is open, or what closed it.
type DeadLetterState string

// The states of a dead letter. What closed one is also what an action is
// called.
const (
	DeadLetterOpen      DeadLetterState = "open"
	DeadLetterResent    DeadLetterState = "resent"
	DeadLetterDiscarded DeadLetterState = "discarded"
)

// DeadLetterAction is what somebody did about a dead letter. NewSeq is the
// sequence of the event that was sent instead, 0 when it was discarded.
type DeadLetterAction struct {
	Action DeadLetterState `json:"action"`
	Reason string          `json:"reason,omitempty"`
	Actor  string          `json:"actor"`
	At     time.Time       `json:"at"`
	NewSeq uint64          `json:"new_seq,omitempty"`
}
