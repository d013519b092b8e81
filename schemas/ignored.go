package schemas

// Ignored is an event, or a part of one, that is kept and does not count
// because of who sent it (specification §3, what counts from whom).
type Ignored struct {
	Event     EventRef
	Type      Type
	ProjectID string
	District  string // of the sender
	// Foreign tells that the whole event does not count.
	Foreign bool
	Part    IgnoredPart
	// Reason says why, for the office.
	Reason string
}

// IgnoredPart names what does not count.
type IgnoredPart string

// The parts that can be ignored.
const (
	IgnoredEvent      IgnoredPart = "event"
	IgnoredApproval   IgnoredPart = "approval"
	IgnoredMove       IgnoredPart = "move"
	IgnoredAnnualPlan IgnoredPart = "annual_plan"
)
