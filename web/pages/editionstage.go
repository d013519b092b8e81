package pages

import "milepost/schemas"

// stage says in words where an edition is on its way.
type stage struct{ Key, Name string }

// The stages that a list is filtered by.
const (
	stageNone      = "none"
	stageWaiting   = "waiting"
	stageAsked     = "asked"
	stageReturned  = "returned"
	stageApproved  = "approved"
	stageAnnounced = "announced"
	stagePublished = "published"
	stageWithdrawn = "withdrawn"
	stageDrafts    = "drafts" // all that is not published
)

var stageNamesOf = map[string]string{
	stageNone: "未起草", stageWaiting: "待签发", stageAsked: "征求意见", stageReturned: "已退回", stageApproved: "已签发，待发布",
	stageAnnounced: "公示中", stagePublished: "已发布", stageWithdrawn: "已撤回", stageDrafts: "草稿（未发布）",
}

func stageChoices() []choice {
	var all []choice
	for _, key := range []string{stageDrafts, stageWaiting, stageAsked, stageReturned, stageApproved, stageAnnounced, stagePublished, stageWithdrawn} {
		all = append(all, choice{key, stageNamesOf[key]})
	}
	return all
}

// stageOf tells the stage of an edition on a day: a round of 征求意见 ends with
// its last day.
func stageOf(s schemas.EditionStatus, today schemas.Date) stage {
	key := stageWaiting
	switch {
	case s.State == schemas.EditionPublished && s.Kind == schemas.AssessmentKind:
		return stage{stagePublished, "已定稿"}
	case s.State == schemas.EditionPublished:
		key = stagePublished
	case s.State == schemas.EditionWithdrawn:
		key = stageWithdrawn
	case s.State == schemas.EditionAnnounced && s.Until != nil && *s.Until != 0 && today > *s.Until:
		return stage{stageAnnounced, "公示期满"}
	case s.State == schemas.EditionAnnounced:
		key = stageAnnounced
	case s.State == schemas.EditionReturned:
		key = stageReturned
	case s.Draft != nil && s.Draft.Approved != nil:
		key = stageApproved
	case s.Draft != nil && openRound(s.Draft.Consultation, today):
		key = stageAsked
	}
	return stage{key, stageNamesOf[key]}
}

func (s stage) is(filter string) bool {
	if filter == stageDrafts {
		return s.Key != stagePublished && s.Key != stageWithdrawn
	}
	return s.Key == filter
}

// openRound tells whether departments may still answer.
func openRound(c *schemas.Consultation, today schemas.Date) bool {
	return c != nil && !c.Closed && today <= c.Until
}
