package deploy

import (
	"context"

	"milepost/consumers/warehouse"
	"milepost/producers"
	"milepost/schemas"
)

// admission says what the sender of a request may send; nil is everything.
func (a *App) admission(ctx context.Context) producers.Admission {
	p := schemas.PrincipalOf(ctx)
	if p == nil || p.Role == schemas.RoleAdmin {
		return nil
	}
	s := &sender{Principal: p, departments: a.book.Any().Departments, today: schemas.DateOf(a.now()), foresee: a.reader.Foresee, plans: maxPlanLookups}
	return func(e *schemas.Event) ([]schemas.Warning, error) {
		if err := p.Admits(e, s.departments); err != nil {
			return nil, err
		}
		if err := s.admitsByLedger(ctx, e); err != nil {
			return nil, err
		}
		return p.LateReport(e, a.now(), a.config.LateAfter()), nil
	}
}

// maxPlanLookups bounds for how many annual plans of one request the ledger is
// asked: each costs a look at all events. Behind it the ledger alone decides,
// which ignores a lowered plan all the same, and says so in ignored_events.
const maxPlanLookups = 200

// sender is who sends one request; it remembers what it asked the ledger.
type sender struct {
	*schemas.Principal
	departments schemas.Directory
	today       schemas.Date
	foresee     func(context.Context, *schemas.Event, schemas.Date) (warehouse.Foreseen, error)
	plans       int
	standings   map[string]*schemas.Standing
}

// admitsByLedger holds an event against what is known of its project.
func (s *sender) admitsByLedger(ctx context.Context, e *schemas.Event) error {
	if s.Role == schemas.RoleDepartment {
		return s.answersFor(ctx, e)
	}
	if e.District == schemas.CityDistrict || !s.plansBegunYear(e) || s.plans == 0 {
		return nil
	}
	s.plans--
	foreseen, err := s.foresee(ctx, e, s.today)
	if err != nil {
		return nil // the ledger will ignore what does not count
	}
	for _, ignored := range foreseen.Ignored {
		if ignored.Part == schemas.IgnoredAnnualPlan {
			return &schemas.Error{Code: schemas.Forbidden, Field: "data.annual_plan", Message: ignored.Reason, Hint: "ask the city office to lower the plan of a year that has begun"}
		}
	}
	return nil
}

// plansBegunYear tells whether the event gives a plan for a year that has
// begun: only those may not be lowered (specification §3).
func (s *sender) plansBegunYear(e *schemas.Event) bool {
	var plan map[int]schemas.Money
	switch data := e.Data.(type) {
	case *schemas.Registered:
		plan = data.AnnualPlan
	case *schemas.Amended:
		plan = data.AnnualPlan
	}
	for year := range plan {
		if begins := schemas.NewDate(year, 1, 1); e.BusinessDate() >= begins || schemas.DateOf(e.Time) >= begins {
			return true
		}
	}
	return false
}

// answersFor refuses progress, and the end of an issue, of a project that the
// department does not answer for; it also ends the issues that name it.
func (s *sender) answersFor(ctx context.Context, e *schemas.Event) error {
	resolved, ends := e.Data.(*schemas.Resolved)
	if _, reports := e.Data.(*schemas.Progress); !reports && !ends {
		return nil
	}
	standing, asked := s.standings[e.Subject]
	if !asked {
		foreseen, err := s.foresee(ctx, e, s.today)
		if err != nil {
			return &schemas.Error{Code: schemas.Unavailable, Field: "subject", Value: e.Subject, Message: "it cannot be told who answers for the project", Hint: "send it again later", Err: err}
		}
		standing = foreseen.Standing
		if s.standings == nil {
			s.standings = map[string]*schemas.Standing{}
		}
		s.standings[e.Subject] = standing
	}
	if standing != nil && s.Named(standing.Holder.Department, s.today, s.departments) {
		return nil
	}
	if standing != nil && ends {
		for i := range standing.Issues {
			if issue := &standing.Issues[i]; issue.ID == resolved.IssueID && s.Named(issue.Department, issue.RaisedOn, s.departments) {
				return nil
			}
		}
	}
	return &schemas.Error{Code: schemas.Forbidden, Field: "subject", Value: e.Subject, Message: "the department does not answer for the project", Hint: "it sends progress of the projects that are assigned to it, and ends the issues that name it"}
}
