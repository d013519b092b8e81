package schemas

// EventRef names one event; Seq orders the references.
type EventRef struct {
	Source string `json:"source"`
	ID     string `json:"id"`
	Seq    uint64 `json:"-"`
}

// Trace names the events that a standing rests on, so that every point of the
// assessment can be followed to them (specification §10). An event that is not
// there has an empty reference.
type Trace struct {
	Milestones [MilestoneCount]MilestoneTrace
	// Reports are those for the months due, also late and replaced ones.
	Reports []EventRef
	// Method are the events that satisfy the seven items.
	Method []EventRef
	// Plan gave the annual plan, Invested the latest investment.
	Plan     EventRef
	Invested EventRef
}

// MilestoneTrace names the events behind a milestone.
type MilestoneTrace struct {
	Baseline EventRef
	Target   EventRef
	Reached  EventRef
}
