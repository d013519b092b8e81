package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/robfig/cron/v3"

	"milepost/consumers/warehouse"
	"milepost/producers"
	"milepost/scheduler"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/schemas"
)

// press drafts and publishes bulletins: it joins the scheduler to the stream,
// the warehouse and the folder of published files.
type press struct {
	warehouse *warehouse.Warehouse
	publisher *producers.Publisher
	js        jetstream.JetStream
	rules     *schemas.Rules
	rulesHash string
	scheduler *scheduler.Scheduler
	now       func() time.Time
}

func newPress(ctx context.Context, a *App) (*press, error) {
	rules := a.config.rules()
	hash, err := rules.Hash()
	if err != nil {
		return nil, err
	}
	if err := a.warehouse.KeepRules(ctx, rules); err != nil {
		return nil, err
	}
	p := &press{warehouse: a.warehouse, publisher: a.publisher, js: a.js, rules: rules, rulesHash: hash, now: a.now}
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
	monthly, err := monthlySchedule(a.config, scheduler.NewCalendar(a.log))
	if err != nil {
		return nil, err
	}
	p.scheduler, err = scheduler.New(scheduler.Config{
		Jobs:     []scheduler.Job{{Kind: schemas.MonthOf, Schedule: monthly}},
		Editions: p, Builder: p, Shelf: folder, Watermark: a.applied.Watermark, FirstStart: p.firstStart,
		Since: since, ReportDay: rules.ReportDay, Now: a.now, Log: a.log,
	})
	return p, err
}

// afterReportDay is the default of bulletins.monthly.
const afterReportDay = "after-report-day"

func monthlySchedule(c Config, calendar *scheduler.Calendar) (cron.Schedule, error) {
	if c.Bulletins.Monthly == "" || c.Bulletins.Monthly == afterReportDay {
		return scheduler.FirstWorkingDay{After: c.rules().ReportDay, At: 9 * time.Hour, Calendar: calendar}, nil
	}
	schedule, err := scheduler.ParseSchedule(c.Bulletins.Monthly)
	if err != nil {
		return nil, fmt.Errorf("bulletins.monthly: %w", err)
	}
	return schedule, nil
}

// Draft writes the period's bulletin as known at the sequence.
func (p *press) Draft(ctx context.Context, w io.Writer, period schemas.Period, known uint64, format string) error {
	draft, err := p.Build(ctx, period, known, "")
	if err != nil {
		return err
	}
	return writeBulletin(w, draft, format)
}

// Publish publishes the period once, and writes its edition whoever published
// it.
func (p *press) Publish(ctx context.Context, w io.Writer, period schemas.Period, format string) error {
	edition, err := p.scheduler.Publish(ctx, period)
	if err != nil {
		return err
	}
	draft, err := p.Build(ctx, period, edition.KnownSeq, edition.RulesHash)
	if err != nil {
		return err
	}
	draft.Model.IssueNo = &edition.Number
	return writeBulletin(w, draft, format)
}

func writeBulletin(w io.Writer, draft *scheduler.Draft, format string) error {
	names := render.Names{Rules: draft.Rules, Projects: draft.Projects}
	switch format {
	case "md":
		return render.Markdown(w, draft.Model, names)
	case "html":
		return render.HTML(w, draft.Model, names)
	}
	return render.JSON(w, draft.Model)
}

// Build makes the draft of the period with its restatements; it serves the
// scheduler.
func (p *press) Build(ctx context.Context, period schemas.Period, known uint64, rulesHash string) (*scheduler.Draft, error) {
	rules, err := p.rulesOf(ctx, rulesHash)
	if err != nil {
		return nil, err
	}
	reader := warehouse.NewReader(p.warehouse, rules)
	latest, published, err := reader.LatestEdition(ctx, period.Kind, known)
	if err != nil {
		return nil, err
	}
	var options []bulletin.Option
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
	rules, err := p.rulesOf(ctx, latest.RulesHash)
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

func (p *press) rulesOf(ctx context.Context, hash string) (*schemas.Rules, error) {
	if hash == "" || hash == p.rulesHash {
		return p.rules, nil
	}
	return p.warehouse.RulesByHash(ctx, hash)
}

// Published gives the editions of a kind and year from the stream.
func (p *press) Published(ctx context.Context, kind schemas.PeriodKind, year int) (scheduler.Issued, error) {
	events, last, err := producers.Editions(ctx, p.js, string(kind), year)
	if err != nil {
		return scheduler.Issued{}, err
	}
	issued := scheduler.Issued{LastSeq: last}
	for _, e := range events {
		if e.Type == schemas.BulletinPublished {
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
