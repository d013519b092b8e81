package deploy

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	natsclient "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"milepost/consumers"
	"milepost/consumers/warehouse"
	"milepost/deploy/access"
	"milepost/deploy/embedded/assets"
	"milepost/deploy/embedded/clickhouse"
	"milepost/deploy/embedded/nats"
	"milepost/deploy/embedded/nats/authority"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/producers/evidence"
	"milepost/producers/imports"
	"milepost/scheduler/alerts"
	"milepost/scheduler/deliver"
	"milepost/schemas"
	"milepost/web/pages"
)

// App is one running process: the roles of its configuration, joined.
type App struct {
	// Where the process can be reached; empty for what it does not serve.
	HTTP       string
	ClickHouse string
	NATS       string

	config settings.Config
	book   *schemas.RuleBook
	now    func() time.Time
	log    *slog.Logger
	out    Streams

	embeddedNATS       *nats.Server
	embeddedClickHouse *clickhouse.Server
	clickhouseDSN      string
	conn               *natsclient.Conn
	js                 jetstream.JetStream
	warehouse          *warehouse.Warehouse
	reader             *warehouse.Reader // for what no rules touch
	ledgers            datedLedgers
	applied            *consumers.Applied
	past               *consumers.Past // what was purged from the stream
	publisher          *producers.Publisher
	tokens             *access.Store
	trail              *access.Trail
	actorKey           *schemas.ActorKey
	unprovenUpTo       uint64 // sequence before the key
	press              *press
	refresher          *refresher
	metrics            *metrics
	figures            *figureMaker
	missing            missingRows
	longRuns           longRuns
	courier            *deliver.Courier
	alerts             *alerts.Notifier
	sessions           *access.Sessions
	pages              *pages.Pages
	pageScript         pageScript
	previews           *imports.Previews // of spreadsheets
	evidence           *evidence.Store

	// closers end what was started, last first.
	closers []func(context.Context) error
	// watched tells that somebody named the address for supervisors and Prometheus, also where the roles serve nothing else.
	watched bool
	group   *errgroup.Group
	stop    context.CancelFunc
}

// closeTimeout bounds how long a process takes to end.
const closeTimeout = 30 * time.Second

// StartApp starts the roles of the configuration and returns when all of them
// are usable. The caller ends it with Close.
func StartApp(ctx context.Context, c settings.Config, out Streams, now func() time.Time) (*App, error) {
	watched := c.Listen != ""
	c = c.WithDefaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	tuneMemory()
	book, err := c.RuleBook()
	if err != nil {
		return nil, err
	}
	a := &App{config: c, book: book, watched: watched, now: now, out: out, log: newLog(out, c.LogLevel), metrics: newMetrics()}
	if err := a.start(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) start(ctx context.Context) error {
	background, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.group, background = errgroup.WithContext(background)
	steps := []struct {
		needed bool
		start  func(ctx, background context.Context) error
	}{
		{a.config.Has(settings.TargetEngines), a.startEngines},
		{a.needsEngines(), a.connect},
		{a.config.Has(settings.TargetConsumers), a.startConsumer},
		{a.config.Has(settings.TargetScheduler), a.startScheduler},
		{a.config.Has(settings.TargetProducers) || a.config.Has(settings.TargetWeb) || a.watched && a.needsEngines(), a.startHTTP},
	}
	for _, step := range steps {
		if !step.needed {
			continue
		}
		if err := step.start(ctx, background); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// needsEngines tells whether the process uses NATS and ClickHouse, and does not
// only serve them.
func (a *App) needsEngines() bool {
	return len(a.config.Target) > 1 || !a.config.Has(settings.TargetEngines)
}

// startEngines starts the embedded engines that no address replaces.
func (a *App) startEngines(ctx, _ context.Context) error {
	c := a.config
	folder, err := runFolder()
	if err != nil {
		return err
	}
	if err := sweepShared(folder); err != nil {
		a.log.Warn("what killed engines left cannot be removed", "folder", folder, "error", err)
	}
	if c.NATS == "" {
		if err := a.startNATS(); err != nil {
			return err
		}
	}
	if c.ClickHouse == "" {
		library, err := assets.Store{Progress: a.out.Err}.Library(ctx)
		if err != nil {
			return err
		}
		password, err := c.AnalystPassword()
		if err != nil {
			return err
		}
		server, err := clickhouse.Start(ctx, clickhouse.Config{
			Library: library, Dir: filepath.Join(c.Data, "clickhouse"), Listen: c.ClickHouseListen, Log: a.log, Now: a.now,
			ReaderPassword: password, Retry: a.missing.store,
		})
		if err != nil {
			return err
		}
		a.closers = append(a.closers, server.Close)
		a.embeddedClickHouse, a.ClickHouse, a.clickhouseDSN = server, server.URL(), server.WriterDSN()
		forget, err := shareWriter(server.Addr(), server.WriterDSN())
		if err != nil {
			return err
		}
		a.closers = append(a.closers, forget)
	}
	return nil
}

// startNATS starts the embedded NATS. It lets in only whom it gave
// credentials, and listens only when it was asked to.
func (a *App) startNATS() error {
	c := a.config
	keys, err := authority.Open(natsKeys(c.Data), schemas.StreamSubjects, a.now)
	if err != nil {
		return err
	}
	server, err := nats.Start(nats.Config{Dir: filepath.Join(c.Data, "nats"), Listen: c.NATSListen, Authority: keys, SyncAlways: c.Durability == "power", Log: a.log})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, server.Close)
	a.embeddedNATS, a.NATS = server, server.URL()
	if a.NATS == "" {
		return nil
	}
	forget, err := shareNATSRoles(a.NATS, keys)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, forget)
	return nil
}

// connect joins the process to NATS and ClickHouse, wherever they are.
func (a *App) connect(ctx, _ context.Context) error {
	conn, err := a.connectNATS()
	if err != nil {
		return err
	}
	a.closers = append(a.closers, func(context.Context) error { conn.Close(); return nil })
	a.conn = conn
	if a.js, err = jetstream.New(conn); err != nil {
		return err
	}
	if err := producers.EnsureStream(ctx, a.js, producers.StreamConfig{Replicas: a.config.NATSReplicas, DenyPurge: a.config.NATSDenyPurge}); err != nil {
		return err
	}
	if err := a.openAccess(ctx); err != nil {
		return err
	}
	return a.openWarehouse(ctx)
}

// connectNATS dials the configured servers, or the embedded one without a
// network.
func (a *App) connectNATS() (*natsclient.Conn, error) {
	options := []natsclient.Option{natsclient.Name("milepost"), natsclient.MaxReconnects(-1), natsclient.ReconnectWait(500 * time.Millisecond), natsclient.Timeout(5 * time.Second)}
	address := a.config.NATS
	switch {
	case address == "" && a.embeddedNATS != nil:
		return a.embeddedNATS.Connect(options...)
	case address == "":
		return nil, usageError("--nats", "", "the roles need a NATS server", "name one by --nats, or run the engines target in this process")
	}
	credentials, err := natsCredentials(address, a.config.NATSCreds)
	if err != nil {
		return nil, err
	}
	if credentials != nil {
		options = append(options, credentials)
	}
	conn, err := natsclient.Connect(address, options...)
	if errors.Is(err, natsclient.ErrAuthorization) {
		return nil, &schemas.Error{Code: schemas.Forbidden, Field: "nats", Value: settings.Redacted(address), Message: "NATS does not let this process in", Hint: "name the credentials by --nats-creds; an embedded NATS lets in the roles of the user who runs it", Err: err}
	}
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Field: "nats", Value: settings.Redacted(address), Message: "NATS does not answer", Hint: "check the address and that the server runs with JetStream", Err: err}
	}
	return conn, nil
}

func (a *App) openWarehouse(ctx context.Context) error {
	if a.clickhouseDSN == "" {
		if a.config.ClickHouse == "" {
			return usageError("--clickhouse", "", "the roles need a ClickHouse server", "name one by --clickhouse, or run the engines target in this process")
		}
		dsn, err := withSharedWriter(a.config.ClickHouse)
		if err != nil {
			return err
		}
		a.clickhouseDSN = dsn
	}
	a.past = consumers.NewPast(a.config.ArchiveFolder())
	a.closers = append(a.closers, func(context.Context) error { a.past.Close(); return nil })
	w, err := warehouse.Open(ctx, warehouse.Config{
		DSN: a.clickhouseDSN, Cluster: a.config.ClickHouseCluster, Sharded: a.config.ClickHouseSharded, Program: programHash(), Now: a.now, Log: a.log,
		Stream: consumers.NewOriginals(a.js, schemas.NewBookValidator(a.book), a.actors()).WithPast(a.past),
	})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, func(context.Context) error { return w.Close() })
	if err := w.Migrate(ctx); err != nil {
		return err
	}
	if err := keepRuleBook(ctx, w, a.book); err != nil {
		return err
	}
	a.warehouse, a.ledgers, a.applied = w, datedLedgers{w, a.book}, consumers.NewApplied(a.js)
	a.reader = a.ledgers.current(a.now())
	check, err := schemas.NewBookSchemaValidator(a.book)
	if err != nil {
		return err
	}
	options := producers.Options{Now: a.now, ActorKey: a.actorKey}
	if a.embeddedNATS != nil {
		options.Window = nats.MaxBatch
	}
	if a.publisher, err = producers.New(a.js, check, options); err != nil {
		return err
	}
	if a.press, err = newPress(ctx, a); err != nil {
		return err
	}
	if err := a.openDelivery(ctx); err != nil {
		return err
	}
	a.followReplicas(ctx)
	a.figures = &figureMaker{press: a.press, warehouse: a.warehouse}
	a.missing.serve(a)
	return nil
}

// startConsumer carries the stream into the warehouse until the end.
func (a *App) startConsumer(_, background context.Context) error {
	a.refresher = newRefresher(a)
	consumer, err := consumers.New(consumers.Config{
		JetStream: a.js, Decoder: schemas.NewBookValidator(a.book), Store: a.warehouse, Actors: a.actors(), Log: a.log,
		Archive: a.config.ArchiveFolder(), Stored: a.warehouse.LastStored,
		OnApplied: a.refresher.applied, OnWrite: a.metrics.wrote,
	})
	if err != nil {
		return err
	}
	a.metrics.watchConsumer(&consumer.Counters)
	// A process that also answers readers hears of news at once.
	a.applied = consumer.Applied
	a.group.Go(func() error { return consumer.Run(background) })
	a.group.Go(func() error { return consumers.CarryAudit(background, a.js, a.warehouse, a.log) })
	a.group.Go(func() error { return a.refresher.run(background) })
	return nil
}

// startScheduler publishes what is due, and delivers it, until the end.
func (a *App) startScheduler(_, background context.Context) error {
	if err := a.hearOfDeliveries(); err != nil {
		return err
	}
	a.group.Go(func() error { return a.press.scheduler.Run(background) })
	a.group.Go(func() error { return a.courier.Run(background) })
	if a.config.ArchiveKeepDays > 0 {
		a.group.Go(func() error { return a.archiveDaily(background) })
	}
	return nil
}

// Wait returns when ctx ends or something that must run has failed.
func (a *App) Wait(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() {
		// A process that only serves engines has nothing that could end early.
		if err := a.group.Wait(); err != nil {
			failed <- err
		}
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// Close ends everything, last started first, and returns when the batch in hand
// is written and the engines have closed their files.
func (a *App) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var failed []error
	// Nothing new comes in, then what is under way is finished, then the
	// engines go.
	if a.HTTP != "" {
		failed = append(failed, a.closeLast(ctx))
	}
	if a.stop != nil {
		a.stop()
		if err := a.group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			failed = append(failed, err)
		}
	}
	for len(a.closers) > 0 {
		failed = append(failed, a.closeLast(ctx))
	}
	return errors.Join(failed...)
}

func (a *App) closeLast(ctx context.Context) error {
	last := len(a.closers) - 1
	closer := a.closers[last]
	a.closers = a.closers[:last]
	return closer(ctx)
}

// Address gives what the ready line says.
func (a *App) Address() string {
	var parts []string
	for _, p := range []struct{ name, address string }{{"http", a.HTTP}, {"clickhouse", a.ClickHouse}, {"nats", a.NATS}} {
		if p.address != "" {
			parts = append(parts, p.name+"="+p.address)
		}
	}
	return strings.Join(parts, " ")
}

func newLog(out Streams, level string) *slog.Logger {
	var l slog.Level
	// The configuration was checked; an unknown level stays at info.
	_ = l.UnmarshalText([]byte(level))
	w := out.Err
	if w == nil {
		w = os.Stderr
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}
