package deliver

import (
	"context"
	"time"
)

// TargetHealth is how a target does, with what was and is to be delivered there.
type TargetHealth struct {
	Health
	// States counts the deliveries by state; every state is there.
	States map[State]int
	// OldestWaiting is the age of the oldest delivery that is neither delivered nor
	// given up, 0 when there is none.
	OldestWaiting time.Duration
}

// Health tells how each configured target does. Errors are of code Unavailable.
func (c *Courier) Health(ctx context.Context) ([]TargetHealth, error) {
	list, err := c.c.Store.all(ctx)
	if err != nil {
		return nil, err
	}
	targets := make([]TargetHealth, 0, len(c.c.Targets))
	for i := range c.c.Targets {
		h, err := c.health(ctx, c.c.Targets[i].Name)
		if err != nil {
			return nil, err
		}
		target := TargetHealth{Health: *h, States: map[State]int{Waiting: 0, Sending: 0, Delivered: 0, Failed: 0, Dropped: 0}}
		for j := range list { // the oldest first
			d := &list[j]
			if d.Target != h.Target {
				continue
			}
			target.States[d.State]++
			if (d.State == Waiting || d.State == Sending) && target.OldestWaiting == 0 {
				target.OldestWaiting = c.c.Now().Sub(d.CreatedAt)
			}
		}
		targets = append(targets, target)
	}
	return targets, nil
}
