package schemas

import (
	"strings"
	"sync"
)

// directoryName is a name in an event that the directory should have, on the
// day on which it is meant.
type directoryName struct {
	field string
	name  string
	lead  bool // else a department
	day   Date
}

// directoryNames lists the names of departments and leads in an event.
func directoryNames(data Data) []directoryName {
	switch d := data.(type) {
	case *Assigned:
		return []directoryName{{"data.lead", d.Lead, true, d.EffectiveOn}, {"data.department", d.Department, false, d.EffectiveOn}}
	case *Raised:
		return []directoryName{{"data.department", d.Department, false, d.RaisedOn}}
	case *Adjustment:
		if d.Kind != AdjustDistrict {
			return []directoryName{{"data.target.key", d.Key, d.Kind == AdjustLead, d.DecidedOn}}
		}
	}
	return nil
}

// directory gives the directory that the name should be in.
func (n *directoryName) directory(rules *Rules) Directory {
	if n.lead {
		return rules.Leads
	}
	return rules.Departments
}

// judgeName refuses a name that a closed list does not have. Whether the list
// was closed is a matter of the day that the event speaks of: closing it
// refuses nothing that was accepted before.
func (v *Validator) judgeName(n directoryName) *Error {
	rules, list := v.book.On(n.day), "departments"
	closed := rules.DepartmentsClosed
	if n.lead {
		closed, list = rules.LeadsClosed, "leads"
	}
	directory := n.directory(v.rules)
	if !closed || directory.Find(n.name, n.day) != nil {
		return nil
	}
	err := &Error{
		Code: Unknown, Message: "not in the closed list of " + list, Field: n.field, Value: quoteShort(n.name),
		Hint: "use a name of the directory; the city office adds new ones to its configuration",
	}
	if guess := v.guesses.of(n, directory); guess != "" {
		err.Hint = guess
	}
	return err
}

// warnName warns of a name that a directory, if there is one, does not have,
// or does not have on that day.
func (v *Validator) warnName(list []Warning, n directoryName) []Warning {
	directory := n.directory(v.rules)
	if directory.IsZero() {
		return list
	}
	entry := directory.Find(n.name, n.day)
	if entry == nil {
		message := Shorten(n.name) + " is not in the directory and counts as a name of its own"
		if guess := v.guesses.of(n, directory); guess != "" {
			message += "; " + guess
		}
		return append(list, Warning{Field: n.field, Message: message})
	}
	if entry.ValidOn(n.day) {
		return list
	}
	term := "from " + entry.From.String() + " on"
	if n.day > entry.From {
		term = "until " + entry.To.String()
	}
	return append(list, Warning{
		Field: n.field, Message: Shorten(n.name) + " stands in the directory only " + term + ", and not on " + n.day.String() + "; it counts as " + Shorten(entry.Name) + " all the same",
	})
}

// guesses remembers what unknown names were most likely meant to be: the search
// costs far more than everything else of an event, and a name that an office
// writes wrong comes again and again.
type guesses struct {
	mu    sync.Mutex
	known map[guessed]string
}

type guessed struct {
	name string
	lead bool
}

// maxGuesses bounds what strangers can make a validator remember.
const maxGuesses = 1000

// of asks for the names nearest to one that the directory does not have.
func (g *guesses) of(n directoryName, directory Directory) string {
	key := guessed{n.name, n.lead}
	g.mu.Lock()
	defer g.mu.Unlock()
	if guess, known := g.known[key]; known {
		return guess
	}
	if len(g.known) >= maxGuesses || g.known == nil {
		g.known = map[guessed]string{}
	}
	guess := didYouMean(directory.Nearest(n.name))
	g.known[key] = guess
	return guess
}

// didYouMean asks for one of the names, "" when there are none.
func didYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = Shorten(name)
	}
	last := len(short) - 1
	if last == 0 {
		return "did you mean " + short[0] + "?"
	}
	return "did you mean " + strings.Join(short[:last], ", ") + " or " + short[last] + "?"
}
