package schemas

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Role says what the holder of a token may do.
type Role string

// The roles. An office publishes for its districts, a department for itself;
// an analyst reads; an editor also publishes bulletins and assessments; an
// admin may do everything.
const (
	RoleOffice     Role = "office"
	RoleDepartment Role = "department"
	RoleAnalyst    Role = "analyst"
	RoleEditor     Role = "editor"
	RoleAdmin      Role = "admin"
)

// Roles lists the roles, the narrowest first.
func Roles() []Role {
	return []Role{RoleOffice, RoleDepartment, RoleAnalyst, RoleEditor, RoleAdmin}
}

// Permission is a kind of thing that a request does.
type Permission string

// The permissions of routes. What a publisher may send is finer, see
// Principal.Admits.
const (
	// MayPublish sends events and imports.
	MayPublish Permission = "publish"
	// MaySeeLedger reads the ledger and what is known.
	MaySeeLedger Permission = "ledger"
	// MayRead drafts bulletins and assessments, runs SQL, and reads dead
	// letters and the audit.
	MayRead Permission = "read"
	// MayIssue publishes bulletins and finalises assessments.
	MayIssue Permission = "issue"
	// MayAnswer answers for a department that is asked about a draft (征求意见).
	MayAnswer Permission = "answer"
	// MayAdminister is everything else: tokens, dead letters, replay.
	MayAdminister Permission = "administer"
)

// May tells whether the role has the permission; an admin has all.
func (r Role) May(p Permission) bool {
	switch r {
	case RoleAdmin:
		return true
	case RoleOffice:
		return p == MayPublish || p == MaySeeLedger
	case RoleDepartment:
		return p == MayPublish || p == MaySeeLedger || p == MayAnswer
	case RoleAnalyst:
		return p == MaySeeLedger || p == MayRead
	case RoleEditor:
		return p == MaySeeLedger || p == MayRead || p == MayIssue
	}
	return false
}

// Principal is who sends a request.
type Principal struct {
	// ID is that of the token; empty for the nameless sender to a server that
	// has no tokens.
	ID string
	// Name is what people call the token.
	Name string
	Role Role
	// Districts are the codes that an office or a department may carry in its
	// events.
	Districts []string
	// Departments are those that a department's events may name.
	Departments []string
	// SourcePrefix binds the source of events; empty is SourceOf their
	// district, or no bound for an admin.
	SourcePrefix string
	// Types bind the types of events; none binds nothing.
	Types []Type
	// Remote is the address that the request came from.
	Remote string
}

// Actor names the principal in events and in the audit: by role and token id,
// which never change and cannot be confused with another's, or by "http:" and
// the address of a nameless sender.
func (p *Principal) Actor() string {
	if p.ID == "" {
		return "http:" + p.Remote
	}
	return string(p.Role) + ":" + p.ID
}

type principalKey struct{}

// WithPrincipal gives a context that knows who sends the request.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf gives who sends the request, nil when nobody asked.
func PrincipalOf(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// SourceOf is the source under which the office of a district sends when
// nothing else was agreed.
func SourceOf(district string) string { return "/offices/" + district }

// Admits refuses an event that the principal may not send, with the code
// forbidden, the field and what would be right. The directory tells by which
// names departments go. It judges the event alone; what depends on the project
// (whose it is) is left to the ledger, where a foreign event does not count
// (specification §3).
func (p *Principal) Admits(e *Event, departments Directory) error {
	var err *Error
	switch p.Role {
	case RoleAdmin:
		return nil
	case RoleOffice:
		err = p.admitsOffice(e)
	case RoleDepartment:
		err = p.admitsDepartment(e, departments)
	default:
		err = forbidden("", "", "the role "+string(p.Role)+" sends no events", "use a token of role office or department")
	}
	if err == nil {
		return nil
	}
	return err
}

func (p *Principal) admitsOffice(e *Event) *Error {
	if err := p.bound(e); err != nil {
		return err
	}
	if r, ok := e.Data.(*Revoked); ok && r.Source != e.Source && e.District != CityDistrict {
		return forbidden("data.revokes.source", r.Source, "an office revokes what it sent itself", "the city office revokes others' events")
	}
	if e.District == CityDistrict {
		return nil
	}
	const byCity = "only the city office says this"
	switch data := e.Data.(type) {
	case *Planned:
		if data.Approved {
			return forbidden("data.approved", "true", byCity, "send the plan with approved false; the city office approves it")
		}
	case *Amended:
		if data.District != "" {
			return forbidden("data.district", data.District, byCity, "ask the city office to move the project")
		}
	}
	if e.Type.CityOnly() {
		return forbidden("type", string(e.Type), byCity, "ask the city office to send it")
	}
	return nil
}

func (p *Principal) admitsDepartment(e *Event, departments Directory) *Error {
	switch data := e.Data.(type) {
	case *Raised:
		name := departments.NameOn(data.Department, data.RaisedOn)
		if !p.Named(name, data.RaisedOn, departments) {
			return forbidden("data.department", data.Department, "the token is of another department", "raise issues of "+listed(p.Departments))
		}
	case *Resolved, *Progress:
	default:
		return forbidden("type", string(e.Type), "a department sends issues and progress", "let the office of the district send it")
	}
	return p.bound(e)
}

// Named tells whether the token speaks for the department, by any of its names
// on the day.
func (p *Principal) Named(department string, day Date, departments Directory) bool {
	return slices.ContainsFunc(p.Departments, func(own string) bool {
		return departments.NameOn(own, day) == departments.NameOn(department, day)
	})
}

// bound holds the event against the districts, the source and the types of the
// token.
func (p *Principal) bound(e *Event) *Error {
	if !slices.Contains(p.Districts, e.District) {
		return forbidden("district", e.District, "the token does not speak for this district", "send for "+listed(p.Districts))
	}
	if err := p.AdmitsSource(e.Source, e.District); err != nil {
		return err
	}
	if len(p.Types) > 0 && !slices.Contains(p.Types, e.Type) {
		return forbidden("type", string(e.Type), "the token does not send this type", "send "+listed(p.Types))
	}
	return nil
}

// AdmitsSource refuses a source that is not below the principal's own; district
// is that of the event, "" when any of the token's will do.
func (p *Principal) AdmitsSource(source, district string) *Error {
	if p.Role == RoleAdmin {
		return nil
	}
	prefixes := []string{p.SourcePrefix}
	if p.SourcePrefix == "" {
		prefixes = nil
		for _, d := range p.Districts {
			if district == "" || d == district {
				prefixes = append(prefixes, SourceOf(d))
			}
		}
	}
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(source, prefix); ok && (rest == "" || rest[0] == '/') && !climbs(rest) {
			return nil
		}
	}
	return forbidden("source", source, "the token does not send under this source", "send under "+listed(prefixes))
}

// climbs tells whether a path leaves the folder it begins in, for one who
// resolves its dots.
func climbs(path string) bool {
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	return slices.ContainsFunc(strings.Split(path, "/"), func(step string) bool { return step == "." || step == ".." })
}

// LateReport warns when an office's event was not sent within so many days of
// its own time: such an event is accepted and stands out in the view
// reporting_delays.
func (p *Principal) LateReport(e *Event, received time.Time, days int) []Warning {
	if p.Role != RoleOffice && p.Role != RoleDepartment || days <= 0 || received.Sub(e.Time) <= time.Duration(days)*24*time.Hour {
		return nil
	}
	return []Warning{{Field: "time", Message: "reported " + strconv.Itoa(int(DateOf(received)-DateOf(e.Time))) + " days after; the event counts, and stands out for analysts"}}
}

func forbidden(field, value, message, hint string) *Error {
	return &Error{Code: Forbidden, Field: field, Value: Shorten(value), Message: message, Hint: hint}
}

func listed[T ~string](words []T) string {
	if len(words) == 0 {
		return "nothing: the token names none"
	}
	const most = 8
	var b strings.Builder
	for i, word := range words {
		switch {
		case i == most:
			return b.String() + " …"
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}
