package deploy

import (
	"context"
	"fmt"
	"time"

	"milepost/scheduler"
	"milepost/schemas"
)

// notifier tells notices to the contacts of the configuration. It is nil when
// there are none: then jobs record that nobody is told.
func (a *App) notifier() scheduler.Notifier {
	if a.config.Contacts.Empty() {
		return nil
	}
	return contactNotifier{a}
}

// contactNotifier joins jobs to alerts. The alerts are opened after the
// scheduler, since they deliver by what the scheduler publishes, and before
// anything runs.
type contactNotifier struct{ a *App }

// Notify makes the check or the reminder that was due.
func (n contactNotifier) Notify(ctx context.Context, notice scheduler.Notice, due time.Time) (string, error) {
	switch notice {
	case scheduler.LightCheck:
		return n.a.alerts.Check(ctx, due)
	case scheduler.Reminder:
		return n.a.alerts.Remind(ctx, schemas.DateOf(due).Month()-1)
	}
	return "", fmt.Errorf("no such notice: %s", notice)
}
