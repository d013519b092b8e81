package imports

import (
	"context"
	"fmt"

	"milepost/schemas"
)

// Confirm publishes exactly what was previewed. A second confirmation gives the
// first one's result; after one that failed midway it sends what is missing.
// Conflict when the source has published since, so that the preview is out of
// date.
func (p *Previews) Confirm(ctx context.Context, id string, wait bool, sender Sender, told func(Progression)) (*Result, error) {
	if err := p.importer.enter(ctx); err != nil {
		return nil, err
	}
	defer p.importer.leave()
	kept, err := p.hold(ctx, id)
	if err != nil {
		return nil, err
	}
	defer p.letGo(kept)
	if kept.shown.Confirmed != nil {
		return kept.shown.Confirmed, nil
	}
	if !kept.tried {
		if err := p.importer.upToDate(ctx, kept.prepared); err != nil {
			return nil, err
		}
	}
	if err := p.importer.admitted(kept.prepared.events, sender); err != nil {
		return nil, err
	}
	// A copy, so that a second attempt does not count the first one's events.
	result := *kept.prepared.result
	result.Errors = append([]Fault{}, result.Errors...)
	result.Warnings = append([]Warning{}, result.Warnings...)
	attempt := *kept.prepared
	attempt.result = &result
	if err := p.tell(ctx, id, progress{Tried: true}); err != nil {
		return nil, err
	}
	kept.tried = true
	p.importer.publish(ctx, &attempt, &Request{Wait: wait, Sender: sender, Progress: told})
	if result.Failed == 0 {
		p.mu.Lock()
		kept.shown.Confirmed = &result
		p.mu.Unlock()
		// What is published is published: who asks another process sends
		// nothing twice, since the events keep their ids.
		_ = p.tell(context.WithoutCancel(ctx), id, progress{Tried: true, Confirmed: &result})
	}
	return &result, nil
}

// hold finds a preview and keeps it from being forgotten until letGo.
func (p *Previews) hold(ctx context.Context, id string) (*preview, error) {
	if _, err := p.find(ctx, id); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, err := p.known(id)
	if err == nil {
		kept.busy = true
	}
	return kept, err
}

func (p *Previews) letGo(kept *preview) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept.busy = false
}

// upToDate refuses a plan that was made of what has changed since.
func (i *Importer) upToDate(ctx context.Context, p *prepared) error {
	if err := i.settle(ctx, &Result{}); err != nil {
		return err
	}
	var now known
	for e, err := range i.Published.EventsFrom(ctx, p.mapping.Source) {
		if err != nil {
			return &schemas.Error{Code: schemas.Unavailable, Message: "what was published before cannot be read", Hint: "check the warehouse and try again", Err: err}
		}
		now.note(e)
	}
	if now != p.before {
		return &schemas.Error{
			Code: schemas.Conflict, Field: "id", Message: "events of " + schemas.Shorten(p.mapping.Source) + " were published after this preview; nothing was published now",
			Hint: "preview the file again",
		}
	}
	return nil
}

// admitted checks before anything is published that the one who confirms may
// send all of it.
func (i *Importer) admitted(events *planFile, sender Sender) error {
	if sender.Admit == nil {
		return nil
	}
	decoder := schemas.NewValidator(i.Rules)
	for line, err := range events.all() {
		if err != nil {
			return err
		}
		event, _, err := decoder.Decode(line.Raw)
		if err != nil {
			return err
		}
		if _, err := sender.Admit(event); err != nil {
			return fmt.Errorf("row %d of %s, nothing was published: %w", line.Row, line.File, err)
		}
	}
	return nil
}
