package deploy

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/warehouse"
	"milepost/deploy/access"
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
	drafts    draftStore
	desk      *scheduler.Desk
	documents *formats.Writer
	formats   []string // of published files
	trail     *access.Trail
	now       func() time.Time
	// appended is told of each event on editions that was appended: deliveries
	// need not wait for their next look.
	appended func()
	builds   builds
}

func newPress(ctx context.Context, a *App) (*press, error) {
	p := &press{warehouse: a.warehouse, publisher: a.publisher, js: a.js, book: a.book, byHash: map[string]*schemas.Rules{},
		formats: a.config.Bulletins.PublishedFormats(), trail: a.trail, now: a.now, appended: a.tellDeliveries, builds: newBuilds(a.metrics.registry)}
	for _, set := range a.book.Sets() {
		hash, err := set.Rules.Hash()
		if err != nil {
			return nil, err
		}
		p.byHash[hash] = set.Rules
	}
	var err error
	if p.documents, err = formats.New(a.config.Documents, formats.WithFonts(documentFonts{a.out.Err})); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func(context.Context) error { return p.documents.Close() })
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
	if p.drafts, err = openDrafts(ctx, a.js); err != nil {
		return nil, err
	}
	shelf, err := openShelf(ctx, a.js, folder)
	if err != nil {
		return nil, err
	}
	drafting := &scheduler.Drafting{Store: p.drafts, Editions: p, Builder: p, Now: a.now}
	config := scheduler.Config{
		Editions: p, Builder: p, Shelf: shelf, Drafts: drafting, Watermark: a.applied.Watermark, FirstStart: p.firstStart,
		Since: since, RankLeads: a.config.Documents.RankLeads,
	}
	if err := a.planned(ctx, &config); err != nil {
		return nil, err
	}
	if p.scheduler, err = scheduler.New(config); err != nil {
		return nil, err
	}
	p.desk = scheduler.NewDesk(scheduler.DeskConfig{
		Drafting: drafting, Scheduler: p.scheduler, SecondPerson: a.config.Bulletins.SecondPerson, AnnouncementDays: a.config.Bulletins.DaysOfAnnouncement(),
		Department: p.department,
	})
	return p, nil
}

// Build makes the draft of the period with its restatements and the details of
// its files; it serves the scheduler.
func (p *press) Build(ctx context.Context, period schemas.Period, known uint64, rulesHash string) (*scheduler.Draft, error) {
	draft, err := p.build(ctx, period, known, rulesHash, bulletin.WithDetails())
	if err != nil {
		return nil, err
	}
	draft.Printing, err = p.printing(ctx, scheduler.Bulletin(period))
	return draft, err
}

func (p *press) build(ctx context.Context, period schemas.Period, known uint64, rulesHash string, options ...bulletin.Option) (*scheduler.Draft, error) {
	defer p.builds.done(string(period.Kind), time.Now())
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

// The first start is remembered where every replica sees it.
const (
	installationBucket = "MILEPOST_INSTALLATION"
	firstStartKey      = "first_start"
)

// firstStart gives the time of the very first start of this installation.
func (p *press) firstStart(ctx context.Context) (time.Time, error) {
	bucket, err := p.js.KeyValue(ctx, installationBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = p.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: installationBucket, Description: "Milepost: facts about this installation"})
	}
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
