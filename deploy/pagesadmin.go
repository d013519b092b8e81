package deploy

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"milepost/deploy/access"
	"milepost/scheduler"
	"milepost/scheduler/deliver"
	"milepost/schemas"
	"milepost/web/pages"
)

// pageAdmin is administration in the browser: the desks of /v1, whose acts the
// guard records.
type pageAdmin struct {
	a       *App
	analyst pages.Analyst
	started time.Time
}

// Tokens lists all tokens.
func (p pageAdmin) Tokens(context.Context) []pages.TokenRow {
	list := p.a.tokens.List()
	rows := make([]pages.TokenRow, 0, len(list))
	for i := range list {
		rows = append(rows, p.row(&list[i]))
	}
	return rows
}

func (p pageAdmin) row(t *access.Token) pages.TokenRow {
	return pages.TokenRow{
		ID: t.ID, Name: t.Name, Role: t.Role, Districts: t.Districts, Departments: t.Departments, SourcePrefix: t.SourcePrefix, Types: t.Types,
		Created: t.Created, CreatedBy: t.CreatedBy, Expires: t.Expires, Revoked: t.Revoked, State: t.State(p.a.now()),
	}
}

// CreateToken makes a token.
func (p pageAdmin) CreateToken(ctx context.Context, wish pages.TokenWish) (pages.TokenRow, string, error) {
	principal, err := namedAdmin(ctx)
	if err != nil {
		return pages.TokenRow{}, "", err
	}
	token, text, err := p.a.tokens.Create(ctx, access.Wish{
		Role: wish.Role, Name: wish.Name, Districts: wish.Districts, Departments: wish.Departments, SourcePrefix: wish.SourcePrefix, Types: wish.Types, Expires: wish.Expires,
	}, principal.Actor(), p.a.book.Any().DistrictCodes())
	if err != nil {
		return pages.TokenRow{}, "", err
	}
	access.ActedOn(ctx, token.ID)
	return p.row(&token), text, nil
}

// RevokeToken ends a token for good.
func (p pageAdmin) RevokeToken(ctx context.Context, id string) error {
	principal, err := namedAdmin(ctx)
	if err != nil {
		return err
	}
	_, err = p.a.tokens.Revoke(ctx, id, principal.Actor())
	return err
}

// namedAdmin refuses a nameless sender, as /v1/tokens does: who makes the first
// token shuts out everybody else.
func namedAdmin(ctx context.Context) (*schemas.Principal, error) {
	if p := schemas.PrincipalOf(ctx); p != nil && p.ID != "" {
		return p, nil
	}
	return nil, &schemas.Error{Code: schemas.Forbidden, Message: "tokens are made by the operator or by an admin", Hint: "run milepost token on the server's machine as the user who runs it"}
}

// jobNames are the jobs of the schedule in words.
var jobNames = map[string]string{
	"weekly": "周通报", "monthly": "月通报", "quarterly": "季通报", "half-yearly": "半年通报", "yearly": "年通报", "assessment": "年终考核", "reminder": "催报", "light-check": "亮灯提醒",
}

// Schedule tells what runs next, what ran, and why or why not.
func (p pageAdmin) Schedule(ctx context.Context) (*pages.ScheduleView, error) {
	o, err := p.a.press.scheduler.Overview(ctx)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(o.TimeZone)
	if err != nil {
		zone = schemas.Location
	}
	clock := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format("2006-01-02 15:04")
	}
	v := &pages.ScheduleView{TimeZone: o.TimeZone, Since: o.Since.String(), MissingHolidays: o.MissingHolidays}
	if o.Lease != nil {
		v.Lease = o.Lease.Holder + "（至 " + clock(o.Lease.Until) + "）"
	}
	for _, job := range o.Jobs {
		one := pages.ScheduledJob{Name: cmp.Or(jobNames[job.Job], job.Job), Rule: job.Rule, Mode: map[scheduler.Mode]string{scheduler.Auto: "自动", scheduler.Manual: "人工签发"}[job.Mode]}
		for _, next := range job.Next {
			said := clock(next.At)
			if next.Period != "" {
				said += "（" + next.Period + "）"
			}
			one.Next = append(one.Next, said)
		}
		for _, owed := range job.Waiting {
			one.Waiting = append(one.Waiting, pages.ScheduledRun{Period: owed.Period, Due: clock(owed.At), Reason: owed.Reason})
		}
		for _, run := range job.Last {
			one.Last = append(one.Last, pages.ScheduledRun{
				Period: run.Period, Due: clock(run.Due), Started: clock(run.Started), Result: runResults[run.Result], Replica: run.Replica, Reason: run.Reason, Number: run.Number, KnownSeq: run.KnownSeq,
			})
		}
		v.Jobs = append(v.Jobs, one)
	}
	return v, nil
}

// Deliveries lists the latest deliveries and the targets.
func (p pageAdmin) Deliveries(ctx context.Context, limit int) ([]pages.DeliveryRow, []pages.TargetRow, error) {
	o, err := p.a.courier.Overview(ctx, limit)
	if err != nil {
		return nil, nil, err
	}
	colours := map[deliver.State]string{deliver.Waiting: "yellow", deliver.Sending: "yellow", deliver.Delivered: "green", deliver.Failed: "red", deliver.Dropped: "grey"}
	var rows []pages.DeliveryRow
	for _, d := range slices.Backward(o.Deliveries) {
		rows = append(rows, pages.DeliveryRow{
			ID: d.ID, Target: d.Target, Title: d.Title, State: deliveryStates[d.State], Class: colours[d.State], Tries: d.Tries, DeliveredAt: d.DeliveredAt, NextAt: d.NextAt, Error: d.Error,
		})
	}
	var targets []pages.TargetRow
	for _, h := range o.Targets {
		targets = append(targets, pages.TargetRow{Name: h.Target, Failures: h.Failures, FailingSince: h.FailingSince, PausedAt: h.PausedAt, Error: h.Error})
	}
	return rows, targets, nil
}

// DeliverAgain delivers an edition or a letter once more.
func (p pageAdmin) DeliverAgain(ctx context.Context, id, target string) error {
	_, err := p.a.courier.Again(ctx, id, target)
	return err
}

func (p pageAdmin) letters() deadLetterDesk {
	return deadLetterDesk{p.a.reader, p.a.js, p.a.past, p.a.publisher, p.a.now}
}

// DeadLetters lists dead letters, the newest first.
func (p pageAdmin) DeadLetters(ctx context.Context, limit int, all bool) ([]schemas.DeadLetter, error) {
	return p.letters().DeadLetters(ctx, limit, all)
}

// DeadLetter gives one with its message.
func (p pageAdmin) DeadLetter(ctx context.Context, seq uint64) (*schemas.DeadLetter, []byte, error) {
	return p.letters().DeadLetter(ctx, seq)
}

// Resend publishes the mended event instead of a dead letter.
func (p pageAdmin) Resend(ctx context.Context, seq uint64, event []byte) error {
	_, err := p.letters().Resend(ctx, seq, bytes.TrimSpace(event), actorOf(ctx))
	return err
}

// Discard closes a dead letter.
func (p pageAdmin) Discard(ctx context.Context, seq uint64, reason string) error {
	_, err := p.letters().Discard(ctx, seq, reason, actorOf(ctx))
	return err
}
