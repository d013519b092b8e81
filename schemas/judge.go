package schemas

import "strconv"

// judge holds the rules that a JSON Schema cannot say: what depends on the
// configuration, and what compares two members.
func (v *Validator) judge(e *Event) *Error {
	if err := v.knownDistrict(e.District, "district", true); err != nil {
		return err
	}
	switch data := e.Data.(type) {
	case *Registered:
		return v.knownDistrict(data.District, "data.district", false)
	case *Amended:
		return v.knownDistrict(data.District, "data.district", false)
	case *Reached:
		if day := DateOf(e.Time); data.ReachedOn > day {
			return &Error{
				Code: Invalid, Message: "reached after the event's own time", Field: "data.reached_on", Value: quoteShort(data.ReachedOn.String()),
				Hint: "give a day not after " + day.String() + ", the day of time in Shanghai",
			}
		}
		if len(data.Evidence) == 0 && v.book.On(data.ReachedOn).EvidenceRequired {
			return &Error{
				Code: Invalid, Message: "a milestone needs evidence", Field: "data.evidence",
				Hint: `add evidence such as [{"uri": "https://…"}] to data`,
			}
		}
	case *Progress:
		if month := DateOf(e.Time).Month(); data.Month > month {
			return &Error{
				Code: Invalid, Message: "a month after the event's own time", Field: "data.month", Value: quoteShort(data.Month.String()),
				Hint: "give a month not after " + month.String() + ", the month of time in Shanghai",
			}
		}
	case *Publication:
		return judgePublication(e, data)
	}
	for _, name := range directoryNames(e.Data) {
		if err := v.judgeName(name); err != nil {
			return err
		}
	}
	return nil
}

// knownDistrict refuses a code that is not configured; the city office's own
// code is no district of a project.
func (v *Validator) knownDistrict(code, field string, city bool) *Error {
	if code == "" {
		return nil
	}
	if _, ok := v.districts[code]; ok && (city || code != CityDistrict) {
		return nil
	}
	known := v.rules.DistrictCodes()
	if city {
		known = append(known, CityDistrict)
	}
	err := unknownWord("unknown district", code, known)
	for _, d := range v.rules.Districts {
		if d.Name == code {
			err.Hint = "write the code " + d.Code + " instead of the name"
		}
	}
	err.Field = field
	return err
}

// judgePublication holds kind, period and subject of an edition together: the
// numbers of one kind and year are one sequence.
func judgePublication(e *Event, data *Publication) *Error {
	p, parseErr := ParsePeriod(data.Period)
	want := PeriodKind(data.Kind)
	if data.Kind == assessmentKind {
		want = Year
	}
	if parseErr != nil || p.Kind != want {
		return &Error{
			Code: Invalid, Message: "not a period of the kind " + data.Kind, Field: "data.period", Value: quoteShort(data.Period),
			Hint: defPeriodHint(),
		}
	}
	if subject := PublicationSubject(data.Kind, p.IssueYear()); e.Subject != subject {
		return &Error{
			Code: Invalid, Message: "not the subject of this edition", Field: "subject", Value: quoteShort(e.Subject),
			Hint: "write " + strconv.Quote(subject),
		}
	}
	return nil
}

func defPeriodHint() string {
	_, hint := defPeriod.words()
	return hint
}

// warnings gives what the sender should know about an accepted event.
func (v *Validator) warnings(d *decoder, e *Event) []Warning {
	list := d.warnings
	if d.unknown > maxUnknownNamed {
		list = append(list, Warning{Message: strconv.Itoa(d.unknown-maxUnknownNamed) + " more unknown members, kept but not used"})
	}
	switch data := e.Data.(type) {
	case *Amended:
		if data.empty() {
			list = append(list, Warning{Field: "data", Message: "the amendment changes nothing"})
		}
	case *Adjustment:
		if _, ok := v.rules.District(data.Key); !ok && data.Kind == AdjustDistrict {
			list = append(list, Warning{Field: "data.target.key", Message: "no configured district: the adjustment will stay unmatched"})
		}
	}
	for _, name := range directoryNames(e.Data) {
		list = v.warnName(list, name)
	}
	return list
}

// empty tells whether nothing is given beside the day.
func (d *Amended) empty() bool {
	return d.Name == nil && d.Enterprise == nil && d.Industry == nil && d.Tags == nil && d.TotalInvestment == nil &&
		len(d.AnnualPlan) == 0 && d.District == "" && d.Withheld == nil
}
