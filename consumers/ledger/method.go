package ledger

import "milepost/schemas"

// method judges the seven items in the order of the rules (specification §7).
func (h *History) method(s *schemas.Standing, cut schemas.Cut) []schemas.Verdict {
	verdicts := make([]schemas.Verdict, len(h.rules.Method))
	for i, item := range h.rules.Method {
		verdicts[i] = h.verdict(item.Key, s, cut)
	}
	return verdicts
}

func (h *History) verdict(key schemas.MethodKey, s *schemas.Standing, cut schemas.Cut) schemas.Verdict {
	switch key {
	case schemas.MethodProject: // the contract requires name and total investment
		return verdictOf(s.Name != "" && s.Enterprise != "")
	case schemas.MethodLead:
		return verdictOf(s.Holder.Lead != "")
	case schemas.MethodDepartment:
		return verdictOf(s.Holder.Department != "")
	case schemas.MethodLedger:
		month := h.rules.ReportingMonth(cut.AsOf)
		return verdictOf(s.Completed() || s.Suspended || s.Investment.Plan == 0 || h.reported(month) || h.reported(month-1))
	case schemas.MethodSchedule:
		for _, ms := range s.Milestones {
			if ms.Target == 0 {
				return schemas.Unsatisfied
			}
		}
		return schemas.Satisfied
	case schemas.MethodBulletin:
		edition, ok := h.known.editionFor(s.RegisteredOn, cut.EditionsBefore)
		if !ok {
			return schemas.NotApplicable
		}
		return verdictOf(h.countedIn(edition))
	case schemas.MethodClosure:
		return verdictOf(s.OverdueIssues(cut.AsOf) == 0)
	}
	return schemas.NotApplicable
}

// countedIn tells whether the project stood in the totals of an edition: it was
// registered and not cancelled, as of the edition's end and as was known then.
func (h *History) countedIn(e Edition) bool {
	then := h
	if e.KnownSeq < h.known.Seq {
		then = historyAt(h.rules, h.known, h.ProjectID, h.facts, e.KnownSeq)
	}
	_, cancelled := latest(then.cancellations, e.End)
	return then.registeredBy(e.End) && !cancelled
}

func verdictOf(satisfied bool) schemas.Verdict {
	if satisfied {
		return schemas.Satisfied
	}
	return schemas.Unsatisfied
}
