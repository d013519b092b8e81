package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"milepost/scheduler/deliver"
	"milepost/schemas"
)

// Config is what a Notifier is made of.
type Config struct {
	// Ledger judges every project at the cut, under the rules of its day.
	Ledger func(context.Context, schemas.Cut) (*schemas.Ledger, error)
	// Watermark gives S: the greatest sequence up to which everything is in the
	// warehouse.
	Watermark func(context.Context) (uint64, error)
	Rules     *schemas.RuleBook
	Contacts  Contacts
	// Kinds are the alerts that are sent; none: all.
	Kinds []Kind
	// PerDay is how many letters of alerts a recipient gets a day at most; by
	// default 1.
	PerDay int
	Plans  *Plans
	// Post hands a letter over for delivery; a used id changes nothing.
	Post func(ctx context.Context, letter deliver.Letter, targets ...string) error
	Log  *slog.Logger
}

// Notifier writes alerts and reminders; jobs call it.
type Notifier struct{ c Config }

// New checks the configuration and gives a Notifier.
func New(c Config) (*Notifier, error) {
	for name, missing := range map[string]bool{"Ledger": c.Ledger == nil, "Watermark": c.Watermark == nil, "Rules": c.Rules == nil, "Plans": c.Plans == nil, "Post": c.Post == nil, "Log": c.Log == nil} {
		if missing {
			return nil, &schemas.Error{Code: schemas.Internal, Message: "the notifier needs " + name}
		}
	}
	if c.PerDay == 0 {
		c.PerDay = 1
	}
	return &Notifier{c}, nil
}

// Check looks for what happened since the check before, and tells the people
// concerned; at is when the check was due. It compares the ledger of the day
// before, the last one that had ended, as it is known now, with the one that the
// check before saw; the first check only remembers. On one day it checks as
// often as recipients may be told; what happens after that is told the next day.
// Several replicas may call it at the same time; a check that was interrupted is
// finished as it was begun, and one that was made is not made again. It says in a
// few words what it did.
func (n *Notifier) Check(ctx context.Context, at time.Time) (string, error) {
	latest, err := n.c.Plans.load(ctx)
	if err != nil {
		return "", err
	}
	if latest.revision != 0 && !latest.Done {
		said, err := n.finish(ctx, &latest)
		if err != nil || latest.At.Equal(at) {
			return raced(said, err)
		}
	}
	if latest.revision != 0 && !at.After(latest.At) {
		return "已检查过", nil // also when a clock was set back
	}
	known, err := n.c.Watermark(ctx)
	if err != nil {
		return "", fmt.Errorf("applied watermark: %w", err)
	}
	today := schemas.DateOf(at)
	next := plan{At: at, Day: today, Check: 1, From: latest.To, To: cut{CheckDay(today - 1), known}, revision: latest.revision}
	if latest.revision == 0 {
		next.From, next.Done = next.To, true
		return raced("首次检查,自此比较", n.c.Plans.save(ctx, &next))
	}
	if latest.Day == today {
		next.Check = latest.Check + 1
	}
	if next.Check > n.c.PerDay {
		return "今日提醒已发,其余明日再发", nil
	}
	if next.To.AsOf < next.From.AsOf || next.To.KnownSeq < next.From.KnownSeq {
		return "", &schemas.Error{Code: schemas.Unavailable, Message: "the warehouse knows less than at the check before", Hint: "see that the consumers run; the check is made again"}
	}
	if err := n.c.Plans.save(ctx, &next); err != nil {
		return raced("", err)
	}
	return raced(n.finish(ctx, &next))
}

// raced leaves the work to the replica that was first.
func raced(said string, err error) (string, error) {
	if errors.Is(err, errRaced) {
		return "由另一副本完成", nil
	}
	return said, err
}

// finish tells what the plan found and marks it as done.
func (n *Notifier) finish(ctx context.Context, p *plan) (string, error) {
	before, err := n.c.Ledger(ctx, schemas.LedgerCut(p.From.AsOf, p.From.KnownSeq))
	if err != nil {
		return "", fmt.Errorf("the ledger of the check before: %w", err)
	}
	after, err := n.c.Ledger(ctx, schemas.LedgerCut(p.To.AsOf, p.To.KnownSeq))
	if err != nil {
		return "", fmt.Errorf("the ledger of the check: %w", err)
	}
	found := Between(before, after, func(m schemas.Month) int { return n.c.Rules.On(m.Last()).ReportDay })
	if len(n.c.Kinds) > 0 {
		found = slices.DeleteFunc(found, func(a Alert) bool { return !slices.Contains(n.c.Kinds, a.Kind) })
	}
	mails := n.c.Contacts.group(found, n.c.Rules.On(p.To.AsOf), p.To.AsOf)
	for i := range mails {
		m := &mails[i]
		id := fmt.Sprintf("alert.%s.%d.%s", p.Day, p.Check, m.key)
		letter := m.letter(id, deliver.AlertClass, p.Day.String(), fmt.Sprintf("重大项目提醒(%s,%d 条)", p.Day, len(m.alerts)))
		if err := n.c.Post(ctx, letter, m.contact.Targets...); err != nil {
			return "", fmt.Errorf("alerts for %s: %w", m.name, err)
		}
	}
	said := fmt.Sprintf("%d 条提醒,%d 个收件方", len(found), len(mails))
	n.c.Log.Info("looked for alerts", "day", p.Day.String(), "as_of", p.To.AsOf.String(), "known_seq", p.To.KnownSeq, "alerts", len(found), "recipients", len(mails))
	p.Done = true
	return said, n.c.Plans.save(ctx, p)
}

// Remind asks for the reports of the month that have not come (催报): one
// letter to each district and department concerned, however often it is
// called. It is meant for some days before the report day of the next month.
func (n *Notifier) Remind(ctx context.Context, month schemas.Month) (string, error) {
	known, err := n.c.Watermark(ctx)
	if err != nil {
		return "", fmt.Errorf("applied watermark: %w", err)
	}
	// On its last day the reporting month is the month itself.
	ledger, err := n.c.Ledger(ctx, schemas.LedgerCut(month.Last(), known))
	if err != nil {
		return "", fmt.Errorf("the ledger of the month: %w", err)
	}
	rules := n.c.Rules.On(month.Last())
	due := (month + 1).Day(rules.ReportDay)
	mails := n.c.Contacts.group(MissingReports(ledger), rules, month.Last())
	for i := range mails {
		m := &mails[i]
		letter := m.letter(fmt.Sprintf("reminder.%s.%s", month, m.key), deliver.ReminderClass, month.String(),
			fmt.Sprintf("催报:%s 进度请于 %s 前报送(%d 个项目)", month, due, len(m.alerts)))
		if err := n.c.Post(ctx, letter, m.contact.Targets...); err != nil {
			return "", fmt.Errorf("reminder for %s: %w", m.name, err)
		}
	}
	n.c.Log.Info("reminded of reports", "month", month.String(), "known_seq", known, "recipients", len(mails))
	return fmt.Sprintf("催报 %s:%d 个收件方", month, len(mails)), nil
}
