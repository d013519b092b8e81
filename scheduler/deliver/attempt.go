package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"milepost/schemas"
)

// serve gives each delivery that is due at the target one attempt, until the
// target is paused.
func (c *Courier) serve(ctx context.Context, target *Target, due []Delivery) error {
	for i := range due {
		health, err := c.health(ctx, target.Name)
		if err != nil {
			return err
		}
		if health.PausedAt != nil {
			return nil
		}
		if err := c.attempt(ctx, target, &due[i]); err != nil {
			return fmt.Errorf("delivery of %s to %s: %w", due[i].ID, target.Name, err)
		}
	}
	return nil
}

const recordTimeout = 10 * time.Second

// attempt takes the delivery's lease, sends, and writes down how it ended. Its
// error is one of the records, not of the sending.
func (c *Courier) attempt(ctx context.Context, target *Target, d *Delivery) error {
	begun := c.c.Now()
	token := fmt.Sprintf("%s-%d", c.c.Replica, d.revision)
	d.begin(lease{Replica: c.c.Replica, Token: token, Until: begun.Add(leaseFactor * c.c.SendTimeout)}, begun)
	if err := c.c.Store.update(ctx, d); err != nil {
		if errors.Is(err, errRaced) {
			return nil // another replica takes care of it
		}
		return err
	}
	failed := c.send(ctx, target, d, begun)
	if errors.Is(failed, errWithdrawn) {
		return c.drop(ctx, d, token)
	}
	if failed != nil && ctx.Err() != nil {
		return ctx.Err() // this process ends: the lease runs out, and the attempt stays as begun
	}
	if failed == nil {
		// What arrived is written down also when this process is ending.
		recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
		return c.recordSuccess(recording, d, begun)
	}
	return c.recordFailure(ctx, d, token, begun, failed)
}

// errWithdrawn tells that there is nothing to deliver any more.
var errWithdrawn = errors.New("the edition was withdrawn")

func (c *Courier) send(ctx context.Context, target *Target, d *Delivery, begun time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, c.c.SendTimeout)
	defer cancel()
	m := &Message{Key: d.Key, ID: d.ID, Class: d.Class, Kind: d.Kind, Period: d.Period, Number: d.Number, Title: d.Title, At: begun}
	switch {
	case d.Class == EditionClass:
		edition, err := c.c.Editions.Edition(ctx, d.ID)
		if err != nil {
			return err
		}
		if edition.Withdrawn {
			return errWithdrawn
		}
		content, err := c.c.Editions.Content(ctx, d.ID, target.Edition, target.Formats)
		if err != nil {
			return err
		}
		m.Title, m.Figures, m.Files, m.Link = content.Title, content.Figures, content.Files, c.c.Link(edition)
	case d.Letter != nil:
		m.Lines, m.Recipient = d.Letter.Lines, d.Letter.Recipient
	}
	return target.Sender.Send(ctx, m)
}

// recordSuccess writes the success down, once: also when the lease ran out
// meanwhile, and unless another replica has written one.
func (c *Courier) recordSuccess(ctx context.Context, sent *Delivery, begun time.Time) error {
	for d := sent; ; {
		if d.Round == sent.Round && d.State != Delivered {
			d.end(c.c.Replica, begun, Succeeded, "")
			d.succeed(c.c.Now())
			err := c.c.Store.update(ctx, d)
			if err == nil {
				c.c.Log.Info("delivered", "id", d.ID, "target", d.Target, "tries", d.Tries, "key", d.Key)
				_, err = c.c.Store.changeHealth(ctx, d.Target, (*Health).succeed)
				return err
			}
			if !errors.Is(err, errRaced) {
				return err
			}
		} else {
			c.c.Log.Warn("delivered a second time under the same key, since the lease ran out meanwhile", "id", d.ID, "target", d.Target, "key", sent.Key)
			return nil
		}
		now, err := c.c.Store.read(ctx, sent.ID, sent.Target)
		if err != nil {
			return err
		}
		if now == nil {
			return storeAway(errors.New("the record has gone"))
		}
		d = now
	}
}

// recordFailure writes the failure down if the delivery is still this
// attempt's.
func (c *Courier) recordFailure(ctx context.Context, d *Delivery, token string, begun time.Time, failed error) error {
	if !d.holds(token) {
		return nil
	}
	text := clean(failed)
	var next time.Time
	if !Permanent(failed) && d.Tries < c.c.Retry.Attempts {
		next = c.c.Now().Add(c.c.Retry.pause(d.Tries, retryAfter(failed), c.c.Random))
	}
	d.end(c.c.Replica, begun, Broke, text)
	d.fail(text, next)
	if err := c.c.Store.update(ctx, d); err != nil {
		if errors.Is(err, errRaced) {
			return nil // the lease ran out; who has it now writes
		}
		return err
	}
	return c.noteFailure(ctx, d, text)
}

// noteFailure counts the failure of the target, pauses it after too many, and
// tells of the streak once.
func (c *Courier) noteFailure(ctx context.Context, d *Delivery, text string) error {
	now, paused := c.c.Now(), false
	h, err := c.c.Store.changeHealth(ctx, d.Target, func(h *Health) {
		h.Failures++
		h.Error = text
		if h.FailingSince == nil {
			h.FailingSince = &now
		}
		paused = h.PausedAt == nil && h.Failures >= c.c.Retry.PauseAfter
		if paused {
			h.PausedAt = &now
		}
	})
	if err != nil {
		return err
	}
	if paused {
		c.c.Log.Error("a target is paused", "target", d.Target, "failures", h.Failures, "hint", "mend it, then milepost deliver --again "+d.ID+" --target "+d.Target)
	}
	if h.Told {
		return nil
	}
	c.c.Log.Error("a target fails", "target", d.Target, "id", d.ID, "error", text)
	// The notice's id is that of the streak: who tells twice, tells once.
	notice := Letter{
		ID: fmt.Sprintf("failing.%s.%d", d.Target, h.FailingSince.UnixMilli()), Class: NoticeClass, Period: schemas.DateOf(*h.FailingSince).String(), Title: "投递失败:" + d.Target,
		Lines: []string{
			fmt.Sprintf("投递目标 %s 自 %s 起失败。", d.Target, h.FailingSince.In(schemas.Location).Format("2006-01-02 15:04")),
			"内容:" + d.Title, "原因:" + text, "处理:修复后运行 milepost deliver --again " + d.ID + " --target " + d.Target,
		},
	}
	for _, name := range c.c.FailuresTo {
		if name != d.Target {
			if err := c.Post(ctx, notice, name); err != nil {
				return err
			}
		}
	}
	_, err = c.c.Store.changeHealth(ctx, d.Target, func(h *Health) { h.Told = h.FailingSince != nil })
	return err
}

func (c *Courier) drop(ctx context.Context, d *Delivery, token string) error {
	if !d.holds(token) {
		return nil
	}
	d.State, d.Lease, d.NextAt = Dropped, nil, nil
	d.end(c.c.Replica, d.Attempts[len(d.Attempts)-1].At, Broke, errWithdrawn.Error())
	if err := c.c.Store.update(ctx, d); err != nil && !errors.Is(err, errRaced) {
		return err
	}
	return nil
}
