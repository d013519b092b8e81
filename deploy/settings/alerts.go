package settings

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"milepost/scheduler/alerts"
	"milepost/schemas"
)

// AlertsConfig says what is alerted between bulletins, and how often.
type AlertsConfig struct {
	// Kinds are red, overdue, unreported and reached; none: all.
	Kinds []string `yaml:"kinds"`
	// PerDay is how many letters of alerts a recipient gets a day, by default 1.
	PerDay int `yaml:"per_day"`
}

// ContactsConfig says how the people concerned are told: leads and departments
// by any name of the directory, district offices by their code.
type ContactsConfig struct {
	Leads       map[string]ContactConfig `yaml:"leads"`
	Departments map[string]ContactConfig `yaml:"departments"`
	Districts   map[string]ContactConfig `yaml:"districts"`
}

// ContactConfig is one contact.
type ContactConfig struct {
	// Targets are those of delivery by which it is told.
	Targets []string `yaml:"targets"`
	Emails  []string `yaml:"emails"`
	Mobiles []string `yaml:"mobiles"` // mentioned by robots
	// Kinds are the alerts that it wants; none: all.
	Kinds []string `yaml:"kinds"`
}

func alertKinds(words []string) []alerts.Kind {
	var kinds []alerts.Kind
	for _, word := range words {
		kinds = append(kinds, alerts.Kind(word))
	}
	return kinds
}

// AlertKinds gives those that are alerted; none: all.
func (c *AlertsConfig) AlertKinds() []alerts.Kind { return alertKinds(c.Kinds) }

// Contacts gives the contacts as alerts know them.
func (c *ContactsConfig) Contacts() alerts.Contacts {
	all := func(given map[string]ContactConfig) map[string]alerts.Contact {
		list := make(map[string]alerts.Contact, len(given))
		for name, contact := range given {
			list[name] = alerts.Contact{Targets: contact.Targets, Emails: contact.Emails, Mobiles: contact.Mobiles, Kinds: alertKinds(contact.Kinds)}
		}
		return list
	}
	return alerts.Contacts{Leads: all(c.Leads), Departments: all(c.Departments), Districts: all(c.Districts)}
}

// Empty tells whether nobody is to be told.
func (c *ContactsConfig) Empty() bool { return len(c.Leads)+len(c.Departments)+len(c.Districts) == 0 }

var mobileNumber = regexp.MustCompile(`^\+?[0-9]{5,20}$`)

// maxContacts bounds what a configuration may list.
const maxContacts = 5000

// checkAlerts lists everything that is wrong with alerts and contacts.
func (c *Config) checkAlerts() []error {
	w := &complaints{prefix: "alerts."}
	checkAlertKinds(w, "kinds", c.Alerts.Kinds)
	if c.Alerts.PerDay < 0 || c.Alerts.PerDay > 24 {
		w.add("per_day", fmt.Sprint(c.Alerts.PerDay), "out of range", "from 1 to 24, by default 1")
	}
	w.prefix = "contacts."
	names := c.Delivery.names()
	codes := c.RulesConfig.rules(schemas.DefaultRules()).Districts
	for _, list := range []struct {
		key      string
		contacts map[string]ContactConfig
	}{{"leads", c.Contacts.Leads}, {"departments", c.Contacts.Departments}, {"districts", c.Contacts.Districts}} {
		w.prefix = "contacts."
		if len(list.contacts) > maxContacts {
			w.add(list.key, "", "too many contacts", fmt.Sprintf("at most %d", maxContacts))
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(list.contacts)) {
			w.prefix = "contacts." + list.key + "." + schemas.Shorten(name) + "."
			contact := list.contacts[name]
			contact.check(w, names)
			known := slices.ContainsFunc(codes, func(d schemas.District) bool { return d.Code == name })
			if list.key == "districts" && !known && len(c.RuleSets) == 0 {
				w.add("", "", "no such district", "use the code of one of districts")
			}
		}
	}
	return w.list
}

func (c *ContactConfig) check(w *complaints, targets []string) {
	if len(c.Targets) == 0 {
		w.add("targets", "", "a contact is told by a target", "name one of delivery.targets")
	}
	checkTargetNames(w, "targets", c.Targets, targets)
	checkEmails(w, "emails", c.Emails)
	for _, mobile := range c.Mobiles {
		if !mobileNumber.MatchString(mobile) {
			w.add("mobiles", schemas.Shorten(mobile), "not a mobile number", "write digits only")
		}
	}
	checkAlertKinds(w, "kinds", c.Kinds)
}

func checkAlertKinds(w *complaints, field string, words []string) {
	for _, word := range words {
		if !slices.Contains(alerts.Kinds(), alerts.Kind(word)) {
			w.add(field, schemas.Shorten(word), "no such alert", "red, overdue, unreported or reached")
		}
	}
}
