package deploy

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/producers"
	"milepost/scheduler"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/render/formats"
	"milepost/schemas"
)

// press drafts and publishes bulletins, and assesses years: it joins the
// scheduler to the stream, the warehouse and the folder of published files.
type press struct {
	warehouse *warehouse.Warehouse
	publisher *producers.Publisher
	js        jetstream.JetStream
	book      *schemas.RuleBook
	byHash    map[string]*schemas.Rules // of the book
	scheduler *scheduler.Scheduler
	documents *formats.Writer
	now       func() time.Time
}

func newPress(ctx context.Context, a *App) (*press, error) {
	p := &press{warehouse: a.warehouse, publisher: a.publisher, js: a.js, book: a.book, byHash: map[string]*schemas.Rules{}, now: a.now}
	for _, set := range a.book.Sets() {
		hash, err := set.Rules.Hash()
		if err != nil {
			return nil, err
		}
		p.byHash[hash] = set.Rules
	}
	var err error
	if p.documents, err = formats.New(a.config.Documents); err != nil {
		return nil, err
	}
	dir := a.config.Bulletins.Dir
	if dir == "" {
		dir = filepath.Join(a.config.Data, "bulletins")
	}
	folder, err := scheduler.NewFolder(dir, a.now, a.log)
	if err != nil {
		return nil, err
	}
	var since schemas.Date
	if given := a.config.Bulletins.Since; given != "" {
		if since, err = schemas.ParseDate(given); err != nil {
			return nil, err
		}
	}
	schedules, err := a.config.Bulletins.schedules(a.book, scheduler.NewCalendar(a.log))
	if err != nil {
		return nil, err
	}
	p.scheduler, err = scheduler.New(scheduler.Config{
		Jobs: schedules.bulletins, Assessment: schedules.assessment,
		Editions: p, Builder: p, Shelf: folder, Watermark: a.applied.Watermark, FirstStart: p.firstStart,
		Since: since, ReportDay: reportDay(a.book), RankLeads: a.config.Documents.RankLeads, Now: a.now, Log: a.log,
	})
	return p, err
}

// Build makes the draft of the period with its restatements; it serves the
// scheduler.
func (p *press) Build(ctx context.Context, period schemas.Period, known uint64, rulesHash string) (*scheduler.Draft, error) {
	return p.build(ctx, period, known, rulesHash)
}

func (p *press) build(ctx context.Context, period schemas.Period, known uint64, rulesHash string, options ...bulletin.Option) (*scheduler.Draft, error) {
	rules, err := p.rulesOf(ctx, rulesHash, period)
	if err != nil {
		return nil, err
	}
	reader := warehouse.NewReader(p.warehouse, rules)
	latest, published, err := reader.LatestEdition(ctx, period.Kind, known)
	if err != nil {
		return nil, err
	}
	if published {
		compare, err := p.compareWith(ctx, latest, known)
		if err != nil {
			return nil, err
		}
		options = append(options, compare)
	}
	draft, err := bulletin.NewDraft(ctx, reader, rules, period, known, options...)
	if err != nil {
		return nil, err
	}
	return &scheduler.Draft{Draft: *draft, Rules: rules}, nil
}

// compareWith makes the published model again from its S and rules, and the
// same period at the present S.
func (p *press) compareWith(ctx context.Context, latest schemas.Publication, known uint64) (bulletin.Option, error) {
	period, err := schemas.ParsePeriod(latest.Period)
	if err != nil {
		return nil, err
	}
	rules, err := p.rulesOf(ctx, latest.RulesHash, period)
	if err != nil {
		return nil, err
	}
	reader := warehouse.NewReader(p.warehouse, rules)
	model, err := bulletin.Build(ctx, reader, rules, period, latest.KnownSeq)
	if err != nil {
		return nil, err
	}
	return bulletin.ComparedWith(model, func(ctx context.Context) (*schemas.Bulletin, error) {
		return bulletin.Build(ctx, reader, rules, period, known)
	}), nil
}

// rulesOf gives the rules with the hash; without one, those of the period's
// last day.
func (p *press) rulesOf(ctx context.Context, hash string, period schemas.Period) (*schemas.Rules, error) {
	if hash == "" {
		return p.book.On(period.End), nil
	}
	if rules, kept := p.byHash[hash]; kept {
		return rules, nil
	}
	return p.warehouse.RulesByHash(ctx, hash)
}

// Published gives the editions of a kind and year from the stream.
func (p *press) Published(ctx context.Context, kind string, year int) (scheduler.Issued, error) {
	events, last, err := producers.Editions(ctx, p.js, kind, year)
	if err != nil {
		return scheduler.Issued{}, err
	}
	issued := scheduler.Issued{LastSeq: last}
	for _, e := range events {
		if e.Type == schemas.BulletinPublished || e.Type == schemas.AssessmentFinalised {
			issued.Editions = append(issued.Editions, scheduler.Edition{Publication: *e.Publication, Seq: e.Seq})
		}
	}
	return issued, nil
}

// Append publishes the event if nothing came between.
func (p *press) Append(ctx context.Context, publication *schemas.Event, last uint64) (uint64, error) {
	return p.publisher.PublishExpecting(ctx, publication, last)
}

// The first start is remembered where every replica sees it.
const (
	installationBucket = "MILEPOST_INSTALLATION"
	firstStartKey      = "first_start"
)

// firstStart gives the time of the very first start of this installation.
func (p *press) firstStart(ctx context.Context) (time.Time, error) {
	bucket, err := p.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: installationBucket, Description: "Milepost: facts about this installation"})
	if err != nil {
		return time.Time{}, unavailableStart(err)
	}
	_, err = bucket.Create(ctx, firstStartKey, []byte(p.now().UTC().Format(time.RFC3339)))
	if err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return time.Time{}, unavailableStart(err)
	}
	entry, err := bucket.Get(ctx, firstStartKey)
	if err != nil {
		return time.Time{}, unavailableStart(err)
	}
	at, err := time.Parse(time.RFC3339, string(entry.Value()))
	if err != nil {
		return time.Time{}, fmt.Errorf("the time of the first start does not read: %w", err)
	}
	return at, nil
}

func unavailableStart(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the time of the first start cannot be read", Hint: "check that NATS runs with JetStream", Err: err}
}
