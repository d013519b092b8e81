package alerts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"milepost/scheduler/deliver"
	"milepost/schemas"
)

// Contact is how a lead, a department or a district office is told.
type Contact struct {
	// Targets are those of deliveries by which it is told.
	Targets []string
	Emails  []string
	Mobiles []string
	// Kinds are the alerts that it wants; none: all.
	Kinds []Kind
}

// Contacts are those of leads and departments, by any name of the directory,
// and of districts, by code. Who is not listed is told nothing.
type Contacts struct {
	Leads, Departments, Districts map[string]Contact
}

// mail is what one recipient is told.
type mail struct {
	name    string
	key     string // of the recipient, for ids
	contact Contact
	alerts  []Alert
}

// group sorts alerts by recipient: the lead, the department and the district of
// the project, and for an issue the department that has to resolve it. What is
// missing is told to those who report, the districts, and to the departments. A
// recipient sees each alert once.
func (c *Contacts) group(alerts []Alert, rules *schemas.Rules, day schemas.Date) []mail {
	mails := map[string]*mail{}
	add := func(kind, name, shown string, contact Contact, found bool, a *Alert) {
		if !found || len(contact.Kinds) > 0 && a.Kind != Missing && !slices.Contains(contact.Kinds, a.Kind) {
			return
		}
		id := kind + "/" + name
		m := mails[id]
		if m == nil {
			sum := sha256.Sum256([]byte(id))
			m = &mail{name: shown, key: hex.EncodeToString(sum[:6]), contact: contact}
			mails[id] = m
		}
		if n := len(m.alerts); n == 0 || m.alerts[n-1] != *a {
			m.alerts = append(m.alerts, *a)
		}
	}
	leads, departments := named(c.Leads, rules.Leads, day), named(c.Departments, rules.Departments, day)
	for i := range alerts {
		a := &alerts[i]
		if a.Kind != Missing {
			contact, found := leads[a.Holder.Lead]
			add("lead", a.Holder.Lead, a.Holder.Lead, contact, found, a)
		}
		for _, department := range []string{a.Holder.Department, rules.Departments.NameOn(a.Department, day)} {
			contact, found := departments[department]
			add("department", department, department, contact, found, a)
		}
		contact, found := c.Districts[a.District]
		add("district", a.District, districtName(rules, a.District), contact, found, a)
	}
	list := make([]mail, 0, len(mails))
	for _, m := range mails {
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b mail) int { return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.key, b.key)) })
	return list
}

// named gives the contacts by the directory's names of the day, since ledgers
// call people so.
func named(contacts map[string]Contact, directory schemas.Directory, day schemas.Date) map[string]Contact {
	byName := make(map[string]Contact, len(contacts))
	for word, contact := range contacts {
		byName[directory.NameOn(word, day)] = contact
	}
	return byName
}

func districtName(rules *schemas.Rules, code string) string {
	if i := slices.IndexFunc(rules.Districts, func(d schemas.District) bool { return d.Code == code }); i >= 0 {
		return rules.Districts[i].Name
	}
	return code
}

// letter writes what the recipient is told.
func (m *mail) letter(id string, class deliver.Class, period, title string) deliver.Letter {
	lines := make([]string, len(m.alerts))
	for i := range m.alerts {
		lines[i] = m.alerts[i].Text()
	}
	return deliver.Letter{ID: id, Class: class, Period: period, Title: title, Lines: lines,
		Recipient: deliver.Recipient{Name: m.name, Emails: m.contact.Emails, Mobiles: m.contact.Mobiles}}
}
