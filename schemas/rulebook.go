package schemas

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// RuleBook is the rule sets of an installation by the day from which each
// holds: a ledger follows the rules of its day, a bulletin those of the last
// day of its period, an assessment those of its year. It never changes, and may
// be used from several goroutines.
type RuleBook struct {
	sets  []DatedRules
	years map[int]Date
	union *Rules
}

// DatedRules are rules that hold from a day on, until others do. The first of
// a book has no day: it holds from the beginning.
type DatedRules struct {
	From  Date
	Rules *Rules
}

// NewRuleBook makes a book of rule sets; each must begin after the one before.
// years names, for the years that do not follow the rules of their 31 December,
// a day whose rules they follow; it may be nil. The rules must not change
// afterwards.
func NewRuleBook(sets []DatedRules, years map[int]Date) (*RuleBook, error) {
	if len(sets) == 0 {
		return nil, &Error{Code: Internal, Message: "a book without rules"}
	}
	for i := 1; i < len(sets); i++ {
		if sets[i].From <= sets[i-1].From {
			return nil, &Error{
				Code: Invalid, Field: "rule_sets[" + strconv.Itoa(i-1) + "].from", Value: sets[i].From.String(),
				Message: "not after the day of the rule set before", Hint: "order the rule sets by day, each with its own",
			}
		}
	}
	b := &RuleBook{sets: slices.Clone(sets), years: maps.Clone(years)}
	b.union = b.unite()
	return b, nil
}

// UndatedRules makes a book of one rule set that always holds.
func UndatedRules(rules *Rules) *RuleBook {
	return &RuleBook{sets: []DatedRules{{Rules: rules}}, union: rules}
}

// Sets lists the rule sets in their order.
func (b *RuleBook) Sets() []DatedRules { return slices.Clone(b.sets) }

// On gives the rules that hold on the day; before the first day they are the
// first.
func (b *RuleBook) On(day Date) *Rules {
	i := len(b.sets) - 1
	for i > 0 && b.sets[i].From > day {
		i--
	}
	return b.sets[i].Rules
}

// OfYear gives the rules by which a year is assessed: those in force on its
// 31 December unless the book names another day.
func (b *RuleBook) OfYear(year int) *Rules {
	if day, named := b.years[year]; named {
		return b.On(day)
	}
	return b.On(NewDate(year, 12, 31))
}

// Current gives the rules of the day of now in Shanghai.
func (b *RuleBook) Current(now time.Time) *Rules { return b.On(DateOf(now)) }

// Any gives the rules by which events are accepted: the last set, with the
// districts, groups and names of every set, since offices correct old years
// too. Its lists of names are closed only when they are in every set.
func (b *RuleBook) Any() *Rules { return b.union }

func (b *RuleBook) unite() *Rules {
	if len(b.sets) == 1 {
		return b.sets[0].Rules
	}
	last := b.sets[len(b.sets)-1].Rules
	union := *last
	union.Groups, union.Districts = slices.Clone(last.Groups), slices.Clone(last.Districts)
	departments, leads := last.Departments.Entries(), last.Leads.Entries()
	for _, set := range slices.Backward(b.sets[:len(b.sets)-1]) {
		for _, g := range set.Rules.Groups {
			if !slices.ContainsFunc(union.Groups, func(o Group) bool { return o.Code == g.Code }) {
				union.Groups = append(union.Groups, g)
			}
		}
		for _, d := range set.Rules.Districts {
			if _, known := union.District(d.Code); !known {
				union.Districts = append(union.Districts, d)
			}
		}
		departments = addEntries(departments, set.Rules.Departments)
		leads = addEntries(leads, set.Rules.Leads)
		union.DepartmentsClosed = union.DepartmentsClosed && set.Rules.DepartmentsClosed
		union.LeadsClosed = union.LeadsClosed && set.Rules.LeadsClosed
	}
	union.Departments, union.Leads = NewDirectory(departments), NewDirectory(leads)
	return &union
}

// addEntries adds the entries of an older set that are not in the list.
func addEntries(list []Entry, older Directory) []Entry {
	known := NewDirectory(list)
	for _, e := range older.Entries() {
		same := known.Find(e.Name, max(e.From, FirstDate))
		if same == nil || !same.equal(&e) {
			list = append(list, e)
		}
	}
	return list
}
