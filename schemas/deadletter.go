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
}
