package schemas

// data reads the data of an event of a known type.
func (d *decoder) data(t Type) (Data, *Error) {
	switch t {
	case ProjectRegistered:
		return d.registered()
	case ProjectAmended:
		return d.amended()
	case ProjectAssigned:
		return d.assigned()
	case MilestonePlanned:
		return d.planned()
	case MilestoneReached:
		return d.reached()
	case ProgressReported:
		return d.progress()
	case IssueRaised:
		return d.raised()
	case IssueResolved:
		return d.resolved()
	case ProjectSuspended, ProjectCancelled:
		return d.statusChange("effective_on", "reason")
	case ProjectResumed:
		return d.statusChange("effective_on")
	case BulletinPublished, BulletinWithdrawn, AssessmentAnnounced, AssessmentObjected, AssessmentFinalised:
		return d.publication(t)
	case EventRevoked:
		return d.revoked()
	case AdjustmentRecorded:
		return d.adjustment()
	}
	return nil, unknownType(string(t))
}

func (d *decoder) registered() (*Registered, *Error) {
	out := new(Registered)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "name":
			if o.given(0) {
				o.err = d.prose(&out.Name, nameLimits)
			}
		case "total_investment":
			if o.given(1) {
				o.err = d.money(&out.TotalInvestment)
			}
		case "registered_on":
			if o.given(2) {
				o.err = d.date(&out.RegisteredOn)
			}
		case "enterprise":
			if o.given(3) {
				o.err = d.proseGiven(&out.Enterprise, lineLimits)
			}
		case "industry":
			if o.given(4) {
				o.err = d.proseGiven(&out.Industry, lineLimits)
			}
		case "tags":
			if o.given(5) {
				o.err = d.tags(&out.Tags)
			}
		case "annual_plan":
			if o.given(6) {
				o.err = d.annualPlan(&out.AnnualPlan)
			}
		case "targets":
			if o.given(7) {
				o.err = d.targets(&out.Targets)
			}
		case "district":
			if o.given(8) {
				o.err = d.word(&out.District, defDistrict, isDistrictCode)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("name", "total_investment", "registered_on")
}

func (d *decoder) amended() (*Amended, *Error) {
	out := new(Amended)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "effective_on":
			if o.given(0) {
				o.err = d.date(&out.EffectiveOn)
			}
		case "name":
			if o.given(1) {
				o.err = d.proseGiven(&out.Name, nameLimits)
			}
		case "enterprise":
			if o.given(2) {
				o.err = d.proseGiven(&out.Enterprise, lineLimits)
			}
		case "industry":
			if o.given(3) {
				o.err = d.proseGiven(&out.Industry, lineLimits)
			}
		case "tags":
			if o.given(4) {
				o.err = d.tags(&out.Tags)
			}
		case "total_investment":
			if o.given(5) {
				o.err = d.moneyGiven(&out.TotalInvestment)
			}
		case "annual_plan":
			if o.given(6) {
				o.err = d.annualPlan(&out.AnnualPlan)
			}
		case "district":
			if o.given(7) {
				o.err = d.word(&out.District, defDistrict, isDistrictCode)
			}
		case "withheld":
			if o.given(8) {
				o.err = d.flagGiven(&out.Withheld)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("effective_on")
}

func (d *decoder) tags(out *[]string) *Error {
	tags := []string{}
	a := d.array(defTags)
	for a.next() {
		var tag string
		a.err = d.prose(&tag, tagLimits)
		tags = append(tags, tag)
	}
	*out = tags
	return a.end()
}

// annualPlan reads 万元 by year; a year with null is as not given.
func (d *decoder) annualPlan(out *map[int]Money) *Error {
	var plan map[int]Money
	if d.peek() != '{' {
		return d.wrong(defAnnual)
	}
	o := d.object()
	for o.next() {
		year, ok := planYear(o.name)
		if !ok {
			o.err = defPlan.broken(nil)
			o.err.Value = quoteShort(string(o.name))
			break
		}
		if plan == nil {
			plan = make(map[int]Money)
		}
		if o.again() {
			break
		}
		null, err := d.null()
		if null || err != nil {
			o.err = err
			continue
		}
		var amount Money
		o.err = d.money(&amount)
		plan[year] = amount
	}
	if plan == nil {
		plan = map[int]Money{}
	}
	*out = plan
	return o.end()
}

func planYear(name []byte) (int, bool) {
	year, ok := digits(string(name))
	return year, ok && len(name) == 4 && year >= 1900 && year <= 2299
}

func (d *decoder) targets(out *Targets) *Error {
	o := d.object()
	for o.next() {
		m, ok := ParseMilestone(string(o.name))
		if !ok {
			o.ignore()
			continue
		}
		if o.given(int(m)) {
			o.err = d.date(&out[m])
		}
	}
	return o.end()
}

func (d *decoder) assigned() (*Assigned, *Error) {
	out := new(Assigned)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "lead":
			if o.given(0) {
				o.err = d.prose(&out.Lead, nameLimits)
			}
		case "department":
			if o.given(1) {
				o.err = d.prose(&out.Department, nameLimits)
			}
		case "effective_on":
			if o.given(2) {
				o.err = d.date(&out.EffectiveOn)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("lead", "department", "effective_on")
}

func (d *decoder) planned() (*Planned, *Error) {
	out := new(Planned)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "milestone":
			if o.given(0) {
				o.err = d.milestone(&out.Milestone)
			}
		case "planned_on":
			if o.given(1) {
				o.err = d.date(&out.PlannedOn)
			}
		case "decided_on":
			if o.given(2) {
				o.err = d.date(&out.DecidedOn)
			}
		case "approved":
			if o.given(3) {
				o.err = d.flag(&out.Approved)
			}
		case "document":
			if o.given(4) {
				o.err = d.prose(&out.Document, textLimits)
			}
		case "reason":
			if o.given(5) {
				o.err = d.prose(&out.Reason, textLimits)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("milestone", "planned_on", "decided_on")
}

func (d *decoder) reached() (*Reached, *Error) {
	out := new(Reached)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "milestone":
			if o.given(0) {
				o.err = d.milestone(&out.Milestone)
			}
		case "reached_on":
			if o.given(1) {
				o.err = d.date(&out.ReachedOn)
			}
		case "evidence":
			if o.given(2) {
				o.err = d.evidence(&out.Evidence)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("milestone", "reached_on")
}

func (d *decoder) evidence(out *[]Evidence) *Error {
	list := []Evidence{}
	a := d.array(defEvidence)
	for a.next() {
		var e Evidence
		o := d.object()
		for o.next() {
			switch string(o.name) {
			case "uri":
				if o.given(0) {
					o.err = d.prose(&e.URI, uriLimits)
				}
			case "sha256":
				if o.given(1) {
					o.err = d.word(&e.SHA256, defSHA256, isSHA256OrEmpty)
				}
			case "note":
				if o.given(2) {
					o.err = d.prose(&e.Note, textLimits)
				}
			default:
				o.ignore()
			}
		}
		a.err = o.end("uri")
		list = append(list, e)
	}
	*out = list
	return a.end()
}

func (d *decoder) progress() (*Progress, *Error) {
	out := new(Progress)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "month":
			if o.given(0) {
				o.err = d.month(&out.Month)
			}
		case "invested_ytd":
			if o.given(1) {
				o.err = d.money(&out.InvestedYTD)
			}
		case "note":
			if o.given(2) {
				o.err = d.prose(&out.Note, textLimits)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("month", "invested_ytd")
}

func (d *decoder) raised() (*Raised, *Error) {
	out := new(Raised)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "issue_id":
			if o.given(0) {
				o.err = d.prose(&out.IssueID, issueLimits)
			}
		case "title":
			if o.given(1) {
				o.err = d.prose(&out.Title, nameLimits)
			}
		case "category":
			if o.given(2) {
				o.err = d.word(&out.Category, defCategory, isCategory)
			}
		case "department":
			if o.given(3) {
				o.err = d.prose(&out.Department, nameLimits)
			}
		case "raised_on":
			if o.given(4) {
				o.err = d.date(&out.RaisedOn)
			}
		case "due_on":
			if o.given(5) {
				o.err = d.date(&out.DueOn)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("issue_id", "title", "category", "department", "raised_on", "due_on")
}

func (d *decoder) resolved() (*Resolved, *Error) {
	out := new(Resolved)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "issue_id":
			if o.given(0) {
				o.err = d.prose(&out.IssueID, issueLimits)
			}
		case "resolved_on":
			if o.given(1) {
				o.err = d.date(&out.ResolvedOn)
			}
		case "resolution":
			if o.given(2) {
				o.err = d.prose(&out.Resolution, textLimits)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("issue_id", "resolved_on")
}

// statusChange reads a suspension, resumption or cancellation; a resumption
// needs no reason.
func (d *decoder) statusChange(required ...string) (*StatusChange, *Error) {
	out := new(StatusChange)
	reason := textLimits
	if len(required) > 1 {
		reason = reasonLimits
	}
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "effective_on":
			if o.given(0) {
				o.err = d.date(&out.EffectiveOn)
			}
		case "reason":
			if o.given(1) {
				o.err = d.prose(&out.Reason, reason)
			}
		case "document":
			if o.given(2) {
				o.err = d.prose(&out.Document, textLimits)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end(required...)
}
