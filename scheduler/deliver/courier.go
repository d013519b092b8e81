package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"milepost/schemas"
)

// Config is what a Courier is made of.
type Config struct {
	Editions Editions
	Store    *Store
	Targets  []Target
	Retry    Retry
	// FailuresTo names the targets that are told when another one fails.
	FailuresTo []string
	// Link gives the address under which people read an edition, or "".
	Link func(Edition) string
	// Replica names this process in the log of deliveries.
	Replica string
	// SendTimeout bounds one attempt; by default a minute. The lease of an
	// attempt holds for five times as long.
	SendTimeout time.Duration
	// Every is how often Run looks for what is due; by default a minute.
	Every time.Duration
	Now   func() time.Time
	// Random gives numbers from 0 to 1, for the jitter of retries.
	Random func() float64
	Log    *slog.Logger
}

// leaseFactor is how many attempts long a lease holds.
const leaseFactor = 5

// Courier delivers editions and letters. It may be used from several
// goroutines.
type Courier struct {
	c    Config
	news chan struct{}
}

// New checks the configuration and gives a Courier.
func New(c Config) (*Courier, error) {
	for name, missing := range map[string]bool{"Editions": c.Editions == nil, "Store": c.Store == nil, "Now": c.Now == nil, "Random": c.Random == nil, "Log": c.Log == nil, "Replica": c.Replica == ""} {
		if missing {
			return nil, &schemas.Error{Code: schemas.Internal, Message: "the courier needs " + name}
		}
	}
	if c.Link == nil {
		c.Link = func(Edition) string { return "" }
	}
	c.Retry = c.Retry.withDefaults()
	c.SendTimeout, c.Every = cmp.Or(c.SendTimeout, time.Minute), cmp.Or(c.Every, time.Minute)
	return &Courier{c: c, news: make(chan struct{}, 1)}, nil
}

// Open notes since when the targets are known. Call it before anything is
// published: what was published before goes to a target only when asked for.
func (c *Courier) Open(ctx context.Context) error {
	for i := range c.c.Targets {
		if _, err := c.health(ctx, c.c.Targets[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// health gives how the target does. The times of publications may have whole
// seconds only, hence the truncation.
func (c *Courier) health(ctx context.Context, target string) (*Health, error) {
	return c.c.Store.health(ctx, target, Health{Target: target, Since: c.c.Now().Truncate(time.Second)})
}

// Wake tells that something was published or posted; it does not wait.
func (c *Courier) Wake() {
	select {
	case c.news <- struct{}{}:
	default: // it is known already that there is something to do
	}
}

// Run delivers what is due, at once, whenever it is woken and every minute,
// until the context ends. Failures are logged and tried again.
func (c *Courier) Run(ctx context.Context) error {
	for {
		if err := c.Deliver(ctx); err != nil && ctx.Err() == nil {
			c.c.Log.Error("deliveries stand still; trying again", "error", err, "again_in", c.c.Every.String())
		}
		rest := time.NewTimer(c.c.Every)
		select {
		case <-ctx.Done():
			rest.Stop()
			return nil
		case <-c.news:
		case <-rest.C:
		}
		rest.Stop()
	}
}

// Deliver is one pass: every published edition gets its records, and every
// delivery that is due one attempt, the oldest first for each target.
func (c *Courier) Deliver(ctx context.Context) error {
	if err := c.plan(ctx); err != nil {
		return err
	}
	deliveries, err := c.c.Store.all(ctx)
	if err != nil {
		return err
	}
	for i := range deliveries {
		if d := &deliveries[i]; d.outdated(c.c.Now()) {
			if err := c.c.Store.remove(ctx, d); err != nil {
				return err
			}
		}
	}
	var group errgroup.Group // a target whose records cannot be written does not stop the others
	for i := range c.c.Targets {
		target := &c.c.Targets[i]
		var due []Delivery
		for _, d := range deliveries {
			if d.Target == target.Name && d.due(c.c.Now()) {
				due = append(due, d)
			}
		}
		if len(due) > 0 {
			group.Go(func() error { return c.serve(ctx, target, due) })
		}
	}
	return group.Wait()
}

// plan gives every published edition a record for each target that wants it.
func (c *Courier) plan(ctx context.Context) error {
	var open []*Target
	since := map[string]time.Time{}
	for i := range c.c.Targets {
		t := &c.c.Targets[i]
		h, err := c.health(ctx, t.Name)
		if err != nil {
			return err
		}
		if !t.LettersOnly {
			open, since[t.Name] = append(open, t), h.Since
		}
	}
	if len(open) == 0 {
		return nil
	}
	editions, err := c.c.Editions.Published(ctx)
	if err != nil {
		return fmt.Errorf("what was published: %w", err)
	}
	known, err := c.c.Store.all(ctx)
	if err != nil {
		return err
	}
	if err := c.withdrawals(ctx, editions, known); err != nil {
		return err
	}
	planned := map[[2]string]bool{}
	for _, d := range known {
		planned[[2]string{d.ID, d.Target}] = true
	}
	for _, e := range editions {
		for _, t := range open {
			if e.Withdrawn || planned[[2]string{e.ID, t.Name}] || e.PublishedAt.Before(since[t.Name]) || !t.wants(e.Kind) {
				continue
			}
			if _, err := c.c.Store.create(ctx, c.editionDelivery(e, t.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Target) wants(kind string) bool { return len(t.Kinds) == 0 || slices.Contains(t.Kinds, kind) }

func (c *Courier) editionDelivery(e Edition, target string) *Delivery {
	d := newDelivery(e.ID, target, EditionClass, e.Title, c.c.Now())
	d.Kind, d.Period, d.Number = e.Kind, e.Period, e.Number
	return d
}

// Post hands over a letter for the targets. Posting under a used id changes
// nothing, so that it may be repeated after a crash.
func (c *Courier) Post(ctx context.Context, letter Letter, targets ...string) error {
	letter = letter.shortened()
	for _, name := range targets {
		if c.target(name) == nil {
			return noTarget(name)
		}
		d := newDelivery(letter.ID, name, letter.Class, letter.Title, c.c.Now())
		d.Period, d.Letter = letter.Period, &letter
		if _, err := c.c.Store.create(ctx, d); err != nil {
			return err
		}
	}
	c.Wake()
	return nil
}

func (c *Courier) target(name string) *Target {
	i := slices.IndexFunc(c.c.Targets, func(t Target) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &c.c.Targets[i]
}

func noTarget(name string) error {
	return &schemas.Error{Code: schemas.NotFound, Message: "no such target", Field: "target", Value: schemas.Shorten(name), Hint: "delivery.targets of the configuration lists them"}
}

// Overview is everything about deliveries.
type Overview struct {
	Deliveries []Delivery `json:"deliveries"`
	Targets    []Health   `json:"targets"`
}

// Overview gives the latest deliveries, the oldest first, and how the targets
// do. The texts of letters are left out, since they are not for everybody.
func (c *Courier) Overview(ctx context.Context, limit int) (*Overview, error) {
	list, err := c.c.Store.all(ctx)
	if err != nil {
		return nil, err
	}
	list = list[max(0, len(list)-limit):]
	for i := range list {
		list[i].Letter, list[i].Lease = nil, nil
	}
	o := &Overview{Deliveries: list, Targets: []Health{}}
	for _, t := range c.c.Targets {
		h, err := c.health(ctx, t.Name)
		if err != nil {
			return nil, err
		}
		o.Targets = append(o.Targets, *h)
	}
	return o, nil
}

// Again makes the edition or letter due at once for the target, or for all
// targets that it has a record for, and for an edition all that want it. Paused
// targets are resumed. What was delivered is delivered once more, under a new
// key. What is being sent stays as it is.
func (c *Courier) Again(ctx context.Context, id, target string) ([]Delivery, error) {
	names, err := c.againTargets(ctx, id, target)
	if err != nil {
		return nil, err
	}
	again := []Delivery{}
	for _, name := range names {
		d, err := c.resume(ctx, id, name)
		if err != nil {
			return nil, err
		}
		d.Letter, d.Lease = nil, nil
		again = append(again, *d)
	}
	c.Wake()
	return again, nil
}

func (c *Courier) againTargets(ctx context.Context, id, target string) ([]string, error) {
	if target != "" && c.target(target) == nil {
		return nil, noTarget(target)
	}
	edition, err := c.c.Editions.Edition(ctx, id)
	isEdition := err == nil
	if err != nil && schemas.CodeOf(err) != schemas.NotFound {
		return nil, err
	}
	if isEdition && edition.Withdrawn {
		return nil, &schemas.Error{Code: schemas.Conflict, Message: "the edition was withdrawn", Field: "id", Value: id, Hint: "deliver the edition that replaces it"}
	}
	var names []string
	for i := range c.c.Targets {
		t := &c.c.Targets[i]
		if target != "" && t.Name != target {
			continue
		}
		d, err := c.c.Store.read(ctx, id, t.Name)
		if err != nil {
			return nil, err
		}
		if d == nil {
			if !isEdition || target == "" && (t.LettersOnly || !t.wants(edition.Kind)) {
				continue
			}
			if _, err := c.c.Store.create(ctx, c.editionDelivery(edition, t.Name)); err != nil {
				return nil, err
			}
		}
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return nil, &schemas.Error{Code: schemas.NotFound, Message: "nothing of this id to deliver there", Field: "id", Value: schemas.Shorten(id), Hint: "milepost deliveries lists the ids, milepost editions those of editions"}
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}

func (c *Courier) resume(ctx context.Context, id, target string) (*Delivery, error) {
	if _, err := c.health(ctx, target); err != nil {
		return nil, err
	}
	if _, err := c.c.Store.changeHealth(ctx, target, (*Health).succeed); err != nil {
		return nil, err
	}
	for {
		d, err := c.c.Store.read(ctx, id, target)
		if err != nil {
			return nil, err
		}
		if d == nil {
			return nil, storeAway(errors.New("the record has gone"))
		}
		if d.State == Sending && !d.due(c.c.Now()) {
			return d, nil
		}
		d.again(c.c.Now())
		if err := c.c.Store.update(ctx, d); !errors.Is(err, errRaced) {
			return d, err
		}
	}
}
